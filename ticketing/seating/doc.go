// Package seating holds the rules of numbered seats: what a seat map is and when one is sound, which seats sit
// together, and which ones a buyer is given.
//
// It is pure: standard library only, no clock, no I/O, and no chance but what it is handed. It does not know
// prices, orders or who holds a seat; all it sees of a sale is which seats are taken.
package seating
