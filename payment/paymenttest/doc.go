// Package paymenttest is the conformance suite of payment gateways: what
// every payment.Provider must do for the purchase to be safe. An adapter's
// own test builds a Harness around its gateway, real or simulated, and calls
// Run; its own benchmark calls BenchmarkParseCallback. Its double is judged by
// a library that merchants use, which Node runs.
//
// It knows payment.Provider and nothing of any one gateway.
package paymenttest
