// Package wechatpaytest is a gateway that speaks WeChat Pay's API v3 as strictly as the real one: it verifies the signature of every
// request, refuses fields it does not know, signs answers and callbacks, encrypts what callbacks carry, delivers them
// until they are acknowledged, and keeps a ledger from which it writes bills.
//
// It shares no code with the adapter. Its payers are methods (Pay, Decline, …) and the page behind an h5_url.
package wechatpaytest
