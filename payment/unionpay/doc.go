// Package unionpay is the adapter for UnionPay's online gateway (全渠道 网关支付), messages of version 5.1.0. It needs
// the standard library and a reader of PKCS#12 files, no library of UnionPay's.
//
// It knows the gateway's protocol and nothing of orders, stock or workflows.
// It never retries: only the caller knows what a repeat means.
//
// # Where it is written down
//
// UnionPay publishes its documents at https://open.unionpay.com (for developers: 网关支付产品接口规范; 平台接入接口规范 part 3,
// files, and part 5, answer codes), with developer kits whose comments repeat them. Each piece follows
//
//	consumption, frontTransReq.do  https://open.unionpay.com/tjweb/api/dictionary?apiSvcId=448
//	refund, backTransReq.do        https://open.unionpay.com/tjweb/acproduct/APIList?acpAPIId=755&apiservId=448&version=V2.2&bussType=0
//	query, queryTrans.do           https://open.unionpay.com/tjweb/acproduct/APIList?acpAPIId=757&apiservId=448&version=V2.2&bussType=0
//	daily file                     https://open.unionpay.com/ajweb/help/file (文件接口, ZM)
//	answer codes                   https://open.unionpay.com/ajweb/help/respCode/respCodeList
//
// # Messages
//
// Fields are sorted by name and joined as in a form; the SHA-256 of that in small hexadecimal letters is signed with
// RSA and SHA-256. Requests and callbacks are forms; answers are not escaped. Our certId is our certificate's serial number. The
// gateway's certificate comes inside the message. It is believed only if a chain leads to a configured root, all of it
// is valid now, and its common name, such as
//
//	041@8310000000083040@中国银联股份有限公司@00016495
//
// names UnionPay in its third part: the same authority gives certificates to merchants, too. Two roots, or two
// certificates of the gateway, are believed side by side during a rotation.
//
// # The number and its time
//
// The gateway knows a transaction by our orderId and the txnTime it was sent with, and neither alone. Query is asked with
// a number only, perhaps by another process, days later. So the time is never remembered: it is the second in which the number was made, which
// a number of ticketing.NewNumber tells. Payments and refunds under other numbers are refused. A refund that is sent, or
// sent again, long after its id was made has an old txnTime; that is wanted: the gateway recognises the repeat of an orderId only
// with the same txnTime, and would make a second refund with another.
//
// # Payments
//
// Create asks the gateway nothing. It signs an order that the payer's browser posts to the gateway (Checkout.Form), whose
// callback comes to NotifyURL. To ReturnURL the browser comes back with a POST, whose fields prove nothing. The
// gateway hears of an order from the browser first, so that until then Query says ErrNotFound; the order can still be
// posted until it expires.
//
// payTimeout is Order.ExpiresAt. It also travels as reqReserved, which comes back with every answer and callback, so that
// those can be judged without a memory. Before the end nothing but success is final: the page takes another card after a
// declined one, and the gateway answers alike of a page nobody has paid on and of a payment in process (05). So
//
//	00, A6         paid; A6 has a flaw that is UnionPay's to mend
//	05             pending, after the end and Config.Settling closed
//	03, 04         unknown, after the end and Config.Settling closed
//	69             the payer took too long: closed
//	anything else  declined, but pending until the end
//
// UnionPay says that what a query finds after payTimeout is final: what is neither 00 nor A6 has failed. A bank's own
// page that was opened before may take the money later; UnionPay gives it back by itself.
//
// # What cannot be done
//
// There is no call to close a payment. Close asks, says StateUnknown until the end, and only then StateClosed. It says
// ErrNotFound of what no browser has posted, as every gateway does.
//
// A callback does not tell when it was sent. It cannot be refused for its age, only when the certificate that signed it
// has expired; the same callback has the same event id, however often it comes.
//
// Refunds are made with 04 only, at most eleven months after the payment. They take queryId, the gateway's id, of the payment. Their
// callbacks come to Config.RefundNotifyURL. Whether the gateway charges back is not told by any message; disputes are
// settled by letter.
//
// A bill covers 23:00 to 23:00 in Beijing. Its file has no total: one that ends between two lines cannot be told from a whole one. What
// it says of a refund's payment is the reqReserved that Refund wrote.
package unionpay
