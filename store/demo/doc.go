// Package demo is a catalogue to try Boxoffice with: one event of each kind,
// in two currencies, with an early-bird price, surcharges, a handful of last tickets and a
// sale that has not begun. Everything in it is invented.
//
// It only describes the events and their halls; store.ImportSeatMap and store.SeedCatalogue write them.
package demo
