package alipaytest

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The states of a trade.
const (
	waiting  = "WAIT_BUYER_PAY"
	paid     = "TRADE_SUCCESS"
	finished = "TRADE_FINISHED"
	ended    = "TRADE_CLOSED"
)

// offer is a page or a QR code that may become a trade.
type offer struct {
	Number    string
	Amount    int64 // fen
	Subject   string
	Expire    time.Time // zero if it has no end of its own
	NotifyURL string
	ReturnURL string
	Page      bool
	token     string
}

// Trade is a payment from the moment its payer has scanned.
type Trade struct {
	Number  string
	TradeNo string
	State   string
	Amount  int64 // fen
	// Captured is what was taken, in Currency; Refunded what went back of it.
	Captured  int64
	Refunded  int64
	Currency  string
	Created   time.Time
	Paid      time.Time
	Closed    time.Time
	NotifyURL string
	offer     *offer
	refunds   map[string]*Refund
	notifyID  string
}

// Refund is money that goes back.
type Refund struct {
	ID     string
	Amount int64 // fen
	Total  int64 // of all refunds of the payment up to this one
	Done   time.Time
}

// movement is what moved money.
type movement struct {
	trade  *Trade
	refund *Refund // nil: the payment itself
	amount int64
	at     time.Time
}

// offered takes an order, from a page or a program.
func (g *Gateway) offered(q question) (*offer, *failure) {
	o := &offer{
		Number: q.biz["out_trade_no"], Amount: fen(q.biz["total_amount"]), Subject: q.biz["subject"], NotifyURL: q.notifyURL,
		ReturnURL: q.returnURL, Page: q.method == "alipay.trade.page.pay", token: rand.Text(),
	}
	now := g.config.Now()
	if o.Amount < 1 || o.Amount > 100_000_000_00 {
		return nil, business("ACQ.TOTAL_FEE_EXCEED", "订单金额超过限额")
	}
	if q.biz["time_expire"] != "" {
		o.Expire, _ = time.ParseInLocation(time.DateTime, q.biz["time_expire"], beijing) // it was read before
		if !o.Expire.After(now) || o.Expire.After(now.Add(15*24*time.Hour)) {
			return nil, business("ACQ.INVALID_PARAMETER", "参数无效：time_expire")
		}
	}
	if refused := g.agrees(o); refused != nil {
		return nil, refused
	}
	g.offers[o.token], g.latest[o.Number] = o, o
	return o, nil
}

// agrees says what the trade of the same number, if there is one, has against an offer.
func (g *Gateway) agrees(o *offer) *failure {
	t := g.trade(o.Number)
	switch {
	case t == nil:
		return nil
	case t.State == ended:
		return business("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
	case t.State != waiting:
		return business("ACQ.TRADE_HAS_SUCCESS", "交易已被支付")
	case t.Amount != o.Amount || t.offer.Subject != o.Subject:
		return business("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")
	}
	return nil
}

// trade finds a trade, which has closed itself if its time is over.
func (g *Gateway) trade(number string) *Trade {
	t := g.trades[number]
	if t != nil && t.State == waiting && !t.offer.Expire.IsZero() && !g.config.Now().Before(t.offer.Expire) {
		t.State, t.Closed = ended, t.offer.Expire
	}
	return t
}

func (g *Gateway) query(q question) (fields, *failure) {
	number := q.biz["out_trade_no"]
	t := g.trade(number)
	if t == nil {
		return fields{"out_trade_no": number, "buyer_pay_amount": "0.00", "invoice_amount": "0.00", "point_amount": "0.00", "receipt_amount": "0.00"},
			business("ACQ.TRADE_NOT_EXIST", "交易不存在")
	}
	taken := yuan(t.Captured)
	content := fields{
		"out_trade_no": t.Number, "trade_no": t.TradeNo, "trade_status": t.State, "total_amount": yuan(t.Amount), "buyer_pay_amount": taken,
		"invoice_amount": taken, "receipt_amount": taken, "point_amount": "0.00", "buyer_logon_id": "gai***@sandbox.com", "buyer_user_id": buyer,
		"buyer_user_type": "PRIVATE",
	}
	if !t.Paid.IsZero() {
		content["send_pay_date"], content["total_amount"] = stamp(t.Paid), taken
		content["fund_bill_list"] = []fields{{"amount": taken, "fund_channel": "ALIPAYACCOUNT"}}
	}
	if t.Currency != "CNY" {
		content["trans_currency"] = t.Currency
	}
	return content, nil
}

const buyer = "2088102176080898"

func (g *Gateway) closed(q question) (fields, *failure) {
	number := q.biz["out_trade_no"]
	t := g.trade(number)
	switch {
	case t == nil:
		return fields{"out_trade_no": number}, business("ACQ.TRADE_NOT_EXIST", "交易不存在")
	case t.State != waiting:
		return fields{"out_trade_no": number}, business("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
	}
	t.State, t.Closed = ended, g.config.Now()
	return fields{"out_trade_no": t.Number, "trade_no": t.TradeNo}, nil
}

func (g *Gateway) refund(q question) (fields, *failure) {
	number, id, amount := q.biz["out_trade_no"], q.biz["out_request_no"], fen(q.biz["refund_amount"])
	t := g.trade(number)
	told := fields{"out_trade_no": number, "refund_fee": "0.00", "send_back_fee": "0.00"}
	if t == nil {
		return told, business("ACQ.TRADE_NOT_EXIST", "交易不存在")
	}
	known := t.refunds[id]
	switch {
	case known != nil && known.Amount != amount:
		return told, business("ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求")
	case known != nil:
		return g.refunded(t, known, "N"), nil
	case t.State == finished:
		return told, business("ACQ.TRADE_HAS_FINISHED", "交易已完结")
	case t.State != paid:
		return told, business("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
	case amount < 1 || t.Refunded+amount > t.Captured:
		return told, business("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限")
	case g.faults.RefundCode != "":
		return told, business(g.faults.RefundCode, "退款失败")
	case g.faults.LowBalance:
		return told, business("ACQ.SELLER_BALANCE_NOT_ENOUGH", "商户余额不足")
	}
	r := &Refund{ID: id, Amount: amount, Total: t.Refunded + amount}
	t.refunds[id], t.Refunded = r, r.Total
	if g.faults.RefundLater {
		return g.refunded(t, r, "N"), nil
	}
	g.settle(t, r)
	return g.refunded(t, r, "Y"), nil
}

func (g *Gateway) refunded(t *Trade, r *Refund, moved string) fields {
	return fields{
		"out_trade_no": t.Number, "trade_no": t.TradeNo, "buyer_logon_id": "gai***@sandbox.com", "buyer_user_id": buyer, "fund_change": moved,
		"refund_fee": yuan(t.Refunded), "gmt_refund_pay": stamp(g.config.Now()), "send_back_fee": yuan(r.Amount),
	}
}

// settle moves the money of a refund and says so. The caller holds the lock.
func (g *Gateway) settle(t *Trade, r *Refund) {
	r.Done = g.config.Now()
	if t.Refunded == t.Captured {
		t.State, t.Closed = ended, r.Done
	}
	g.moved = append(g.moved, movement{t, r, -r.Amount, r.Done})
	g.deliver(t.NotifyURL, g.told(t, r, g.notifyID(r.Done)))
}

func (g *Gateway) refundQuery(q question) (fields, *failure) {
	t := g.trade(q.biz["out_trade_no"])
	if t == nil {
		return fields{"out_trade_no": q.biz["out_trade_no"]}, business("ACQ.TRADE_NOT_EXIST", "交易不存在")
	}
	content := fields{"out_trade_no": t.Number, "trade_no": t.TradeNo}
	r := t.refunds[q.biz["out_request_no"]]
	if r == nil || r.Done.IsZero() {
		return content, nil // that is how it says that it has none
	}
	content["out_request_no"], content["refund_amount"], content["total_amount"] = r.ID, yuan(r.Amount), yuan(t.Captured)
	content["refund_status"] = "REFUND_SUCCESS"
	if strings.Contains(q.biz["query_options"], "gmt_refund_pay") {
		content["gmt_refund_pay"] = stamp(r.Done)
	}
	return content, nil
}

func stamp(at time.Time) string { return at.In(beijing).Format(time.DateTime) }

func yuan(fen int64) string {
	text := fmt.Sprintf("%03d", max(fen, -fen))
	text = text[:len(text)-2] + "." + text[len(text)-2:]
	if fen < 0 {
		return "-" + text
	}
	return text
}

// fen reads an amount whose shape was checked.
func fen(yuan string) int64 {
	whole, decimals, _ := strings.Cut(yuan, ".")
	n, _ := strconv.ParseInt(whole+(decimals + "00")[:2], 10, 64)
	return n
}
