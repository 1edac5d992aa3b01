// Package sandbox is the adapter for the sandbox gateway, a payment gateway
// without real money that is as strict as a real one. The gateway itself is
// package sandbox/gateway and runs as a process of its own.
//
// It knows the gateway's protocol and nothing of orders, stock or workflows.
// It never retries: only the caller knows what a repeat means.
//
// # Requests
//
// JSON over HTTP. Every request of a merchant carries
//
//	Sandbox-Merchant:  the merchant's id
//	Sandbox-Timestamp: Unix seconds
//	Sandbox-Nonce:     16 to 64 characters, never used twice
//	Sandbox-Signature: hex(HMAC-SHA256(key, method \n path?query \n timestamp \n nonce \n hex(SHA256(body))))
//
// and is refused when the merchant is unknown, the signature is wrong, the
// timestamp is more than five minutes off, or the nonce was seen before.
//
//	POST /v1/payments                  create: Order → Payment; repeating the same number and terms answers the same
//	GET  /v1/payments/{number}         query → Payment
//	POST /v1/payments/{number}/close   close → Payment; "paid" when the payer was faster, "processing" when nobody knows yet
//	POST /v1/refunds                   refund: RefundOrder → Refund; one refund per id, never above what was captured
//	GET  /v1/refunds/{id}              query a refund → Refund
//	GET  /v1/bills/{YYYY-MM-DD}?from=N the movements of a UTC day from the Nth on, oldest first → Bill;
//	                                   of a day that is not over, those so far
//
// A body is one JSON object in UTF-8 without unknown or repeated members, of
// at most 64 KiB. Numbers and refund ids match ^[0-9A-Z]{8,32}$; amounts are
// positive and in minor units of CNY, EUR, GBP, JPY, KWD or USD.
//
// Failures are {"code","message"}: 400 invalid, 401 unsigned, 402
// balance_too_low (later perhaps), 404 unknown, 409 refused for good
// (number_used, refund_used, expired, not_paid, too_much), 5xx unavailable.
//
// # States
//
//	pending    → paid, declined, processing, closed
//	processing → paid               nobody knows yet; it cannot be closed
//	closed     → paid               rarely: a payer who was let in before the close is charged after it
//	paid, declined                  final
//
// The gateway keeps 0.6 % of a payment for itself, rounded half up, and gives nothing of it back.
//
// A payer may dispute what they paid: the rest of the money is withheld from the merchant, who is charged 15.00
// for it. The dispute is won, and the money comes back, or it is lost. A disputed payment is not refunded.
//
// A payment whose expires_at has passed is closed. A decline is final for its
// number: the payer may try again with a new one.
//
// # Callbacks
//
// A callback is a POST of a Notice to the payment's notify URL, about a
// payment that was paid or declined, a refund that ended or a dispute, with
//
//	Sandbox-Timestamp: Unix seconds
//	Sandbox-Signature: v1=hex(HMAC-SHA256(callback key, timestamp . body))[,v1=…]
//
// one signature per valid key while keys are rotated. It is repeated with
// growing pauses and the same event_id, 24 times at most, until it is
// answered 200 with exactly {"received":true}. A timestamp more than five
// minutes off is refused.
package sandbox
