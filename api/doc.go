// Package api serves Boxoffice over HTTP: the catalogue, orders, payments,
// gateway callbacks, live streams and the storefront itself.
//
// Handlers translate. What may be sold at which price is decided in package
// ticketing, who gets it by the database, what happens next by a workflow;
// sagas.go is the only file that talks to Temporal. The contract is
// openapi.yaml, against which tests hold every request and response.
//
// The package knows neither SQL nor any particular gateway.
package api
