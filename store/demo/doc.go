// Package demo is a catalogue to try Boxoffice with: one event of each kind,
// in two currencies, with an early-bird price, surcharges, a tax, a handful of last tickets, a
// sale that has not begun but for those with a code, vouchers, and a membership. Everything in it is invented.
//
// It only describes the events and their halls; store.ImportSeatMap and store.SeedCatalogue write them.
package demo
