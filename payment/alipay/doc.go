// Package alipay is the adapter for Alipay's open platform, gateway 2.0 (RSA2), over github.com/smartwalle/alipay.
//
// It knows the gateway's protocol and nothing of orders, stock or workflows.
// It never retries: only the caller knows what a repeat means.
//
// # Where it is written down
//
//	page in a browser         https://opendocs.alipay.com/open/59da99d0_alipay.trade.page.pay
//	QR code                   https://opendocs.alipay.com/open/8ad49e4a_alipay.trade.precreate
//	query                     https://opendocs.alipay.com/open/82ea786a_alipay.trade.query
//	close                     https://opendocs.alipay.com/open/ce0b4954_alipay.trade.close
//	refund                    https://opendocs.alipay.com/open/f60979b3_alipay.trade.refund
//	refund query              https://opendocs.alipay.com/open/357441a2_alipay.trade.fastpay.refund.query
//	callbacks                 https://opendocs.alipay.com/open/270/105902
//	daily bill                https://opendocs.alipay.com/open/3c9f1bcf_alipay.data.dataservice.bill.downloadurl.query
//	signing and verifying     https://opendocs.alipay.com/common/02kf5q
//	codes of refusals         https://opendocs.alipay.com/common/02km9f
//
// # Messages
//
// Requests are signed with our application's key over their sorted parameters, answers and callbacks with the gateway's. Several
// keys of the gateway are believed side by side, since it changes from one to another during a rotation. An application uses
// plain keys or certificates; certificates must be the configured ones and valid now, and are never fetched.
//
// A refusal is believed only when it is signed, too: what a proxy between us says leaves the outcome unknown. So does a
// refusal that is about our keys, our contract or the gateway's being busy.
//
// A callback carries the moment it was sent. It is repeated for 25 hours; one that is older is refused. The answer is "success".
//
// # Payments
//
// alipay_page is an address that we sign: nobody is asked, and the gateway hears of it when the payer opens it.
// alipay_qr gives the content of a QR code. In both cases the gateway knows a payment only once the payer has logged in or scanned;
// until then Query and Close say ErrNotFound, and the payer may still pay. Nothing but time_expire, which is Order.ExpiresAt
// in Beijing to the second, forbids that.
//
//	WAIT_BUYER_PAY                             pending
//	TRADE_SUCCESS, TRADE_FINISHED              paid
//	TRADE_CLOSED with a moment of payment      paid; everything went back since
//	TRADE_CLOSED                               closed
//
// The gateway knows no declined payment, since the payer may try again, and no unknown outcome. When it refuses to close
// a payment, the payment is asked about, and an open one is StateUnknown: the payer may be paying.
//
// # Refunds
//
// A refund is known by the payment's number and its own id. What is answered says whether money moved (fund_change); if
// not, the refund is asked about. The gateway says the same of a refund that failed and of one it never received, so that QueryRefund
// returns ErrNotFound for both: sending it again is safe. Refusals are how refunds fail finally; there is no window that we could
// know beforehand, and ACQ.TRADE_HAS_FINISHED is what its end looks like. A refund has no number of the gateway's own;
// RefundStatus.GatewayID is the payment's. Callbacks about refunds come to the payment's address.
//
// # Bills
//
// A bill covers a day in Beijing and exists from about ten o'clock of the next. It is a ZIP file with tables in GBK; totals at their end must
// agree with the lines. The gateway says the same of a day without movements and of a day whose bill is not made
// yet; the former is believed from that hour on. The bill lists every payment of the account (seller id), also those of
// other applications that share it: an account of its own keeps reconciliation quiet.
//
// # What it cannot do
//
// Pages for a phone's own browser (trade.wap.pay) and apps, currencies other than yuan, and payments for others by
// app_auth_token: an organiser with an account of its own brings its own application. Encrypted content (AES) is not used, since
// the connection is. Complaints and chargebacks of payers are not told by this gateway's API for these products.
package alipay
