// Package wechatpay is the adapter for WeChat Pay, API v3, with the standard library alone.
//
// It knows the gateway's protocol and nothing of orders, stock or workflows.
// It never retries: only the caller knows what a repeat means.
//
// # Where it is written down
//
//	Native                https://pay.weixin.qq.com/doc/v3/merchant/4012791874
//	H5                    https://pay.weixin.qq.com/doc/v3/merchant/4012791832
//	signing               https://pay.weixin.qq.com/doc/v3/merchant/4012365336
//	verifying             https://pay.weixin.qq.com/doc/v3/merchant/4013053249 and 4013053420
//	daily bill            https://pay.weixin.qq.com/doc/v3/merchant/4012791907
//
// # Messages
//
// Requests are signed with our key over method, path with query, time, nonce and body. Answers and callbacks are signed by
// the gateway over time, nonce and body; Wechatpay-Serial names the key. Several keys are believed side by side, since
// the gateway changes from one to another during a rotation, and from certificates to public keys. A signature more than
// five minutes from our clock is refused. The gateway now and then sends callbacks with a wrong signature to
// see whether it is refused (WECHATPAY/SIGNTEST/); they are.
//
// Certificates are those an operator downloaded: the adapter does not fetch new ones (/v3/certificates). A public key has no
// end, and needs none.
//
// A refusal is believed only when it is signed, too: what a proxy between us says leaves the outcome unknown. What it said is in
// the error; the gateway does not sign a refusal of our own signature.
// The file of a bill is the only thing that is not signed. Its SHA-1 comes in an answer that is, and it is fetched from
// Config.URL only, since the request carries our signature.
//
// # Payments
//
// wechatpay_native gives the content of a QR code, wechatpay_h5 a page for the browser of a phone, which must come from
// the address that the order names. time_expire is Order.ExpiresAt. What a query says means
//
//	SUCCESS, REFUND    paid; what was captured stays a fact
//	NOTPAY             pending
//	USERPAYING         unknown
//	PAYERROR           declined
//	CLOSED, REVOKED    closed
//
// Close forbids the payment at once. When the gateway refuses that, the payment is asked about, and an open one is
// StateUnknown: the payer may be paying.
//
// A refund that is ABNORMAL did not reach the payer's account; it has failed here, and the merchant's page at the gateway can
// send the money to another account. Repeating a refund needs the same terms under the same id.
//
// # Bills
//
// A bill covers a day in Beijing and exists from about ten o'clock of the next. It comes packed by gzip, with the SHA-1 of what is in it,
// and is read whole or not at all. It ends with totals, which must agree with its lines. The
// gateway says the same of a day without movements and of a day whose bill is not made yet; the former is
// believed from that hour on. Fees have five decimals there and are rounded to a fen, half a fen away from zero.
package wechatpay
