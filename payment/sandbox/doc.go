// Package sandbox is the adapter for the sandbox gateway, a payment gateway
// without real money that is as strict as a real one. The gateway itself is
// package sandbox/gateway and runs as a process of its own.
//
// # Protocol
//
// JSON over HTTP. Every request of a merchant carries
//
//	Sandbox-Merchant:  the merchant's id
//	Sandbox-Timestamp: Unix seconds
//	Sandbox-Nonce:     16 or more characters, never used twice
//	Sandbox-Signature: hex(HMAC-SHA256(key, method \n path?query \n timestamp \n nonce \n hex(SHA256(body))))
//
// and is refused when the signature is wrong, the timestamp is more than five
// minutes off, or the nonce was seen before.
//
//	POST /v1/payments                  create: Order → Payment; repeating the same number and terms answers the same
//	GET  /v1/payments/{number}         query → Payment
//	POST /v1/payments/{number}/close   close → Payment; "paid" when the payer was faster, "processing" when nobody knows yet
//	POST /v1/refunds                   refund: RefundOrder → Refund; one refund per id, never above what was captured
//	GET  /v1/refunds/{id}              query a refund → Refund
//	GET  /v1/bills/{YYYY-MM-DD}        movements of a UTC day → [Movement]
//
// Errors are {"code","message"}: 400 invalid, 401 unsigned, 404 unknown, 409
// refused for good, 402 balance too low (later perhaps), 5xx unavailable.
//
// A callback is a POST of a Notice to the payment's notify URL with
//
//	Sandbox-Timestamp: Unix seconds
//	Sandbox-Signature: v1=hex(HMAC-SHA256(callback key, timestamp . body))[,v1=…]
//
// repeated with growing pauses until it is answered 200 {"received":true}.
package sandbox
