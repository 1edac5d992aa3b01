// Package ticketing holds the rules of selling tickets: money, events and
// their sessions, ticket types, prices, limits, orders and their states,
// payment attempts, and the errors a buyer may meet.
//
// Everything here is pure: standard library only, no I/O, no clock. A rule
// that depends on the time takes it as an argument, so that the API, the
// workflow and the tests all ask the same function.
package ticketing
