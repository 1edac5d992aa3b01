// Package alipaytest is a gateway that speaks Alipay's gateway 2.0 as strictly as the real one: it verifies the signature of every
// request, refuses fields it does not know, signs answers and callbacks, delivers callbacks until they are answered
// "success", and keeps a ledger from which it writes bills.
//
// As there, a page or a QR code is only an offer: a trade exists from the moment the payer scans. Its payers are methods (Scan,
// Pay, …) and the pages behind the addresses it gives, where two forms do the same: POST /cashier/{token}/scan and
// POST /cashier/{token}/pay.
//
// It shares no code with the adapter.
package alipaytest
