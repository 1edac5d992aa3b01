// Package unionpaytest is UnionPay's online gateway 5.1.0 on this machine: it
// takes requests as strictly as the real one, shows the payer a page, signs
// its answers and callbacks with certificates of an authority of its own, and
// keeps a ledger and its daily files.
//
// It was written from UnionPay's documents, not from the adapter, and shares
// no code with it: it knows the gateway's protocol and nothing of Boxoffice.
//
// A program opens it with Open, gives Gateway.Credentials to the adapter's
// Config, and moves it with the methods named after what a payer or a bad day
// does. A browser needs none of that: it posts the adapter's form and finds
// buttons to press.
//
// # What it does not do
//
// It keeps no cards, banks, text messages or risk rules: a payer presses Pay.
// It knows one merchant and only what a shop needs: purchase (01), refund
// (04), query (00) and the daily file (76), not cancelling (31) and reversing (99),
// pre-authorisation, tokens or instalments. Nobody can tell from the
// documents how late a txnTime the real gateway accepts; this one takes a
// purchase sent within the last hour and a refund of any age. It shows the
// page of an order again when it is posted again, which the real one may refuse.
package unionpaytest
