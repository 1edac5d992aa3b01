// Package gateway is the sandbox payment gateway itself: it takes requests
// as strictly as a real one, shows the payer a page, sends signed callbacks
// until they are acknowledged, and keeps a ledger of its own that survives
// its death. Its switches make it slow, down, forgetful or dishonest.
//
// It knows the protocol of package sandbox and nothing of Boxoffice.
//
// Programs move it through Control, whose requests carry the merchant's
// signature. Its pages ask for none: whoever can open them can pay, and set
// the switches. No real money moves here, so it belongs where only those who
// test can reach it.
package gateway
