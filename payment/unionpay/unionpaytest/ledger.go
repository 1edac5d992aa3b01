package unionpaytest

import (
	"fmt"
	"maps"
	"strconv"
	"time"
)

// The answer codes of a transaction.
const (
	codeDone    = "00"
	codeUnclear = "04"
	codeOpen    = "05"
	codeFlawed  = "A6"
)

var words = map[string]string{
	"00": "成功[0000000]", "02": "系统未开放或暂时关闭，请稍后再试", "03": "交易通讯超时，请发起查询交易", "04": "交易状态未明，请查询对账结果",
	"05": "交易已受理，请稍后查询交易结果[6154037]", "06": "系统繁忙，请稍后再试", "12": "重复交易[2120002]", "33": "交易金额超限[2040004]",
	"34": "查无此交易[2600000]", "35": "原交易不存在或状态不正确[2050004]", "45": "原交易已被成功退货或已被成功撤销[2450001]",
	"60": "交易失败，详情请咨询您的发卡行", "69": "您的输入超时，交易失败", "90": "账户余额不足", "98": "文件不存在", "A6": "有缺陷的成功",
}

func said(code string) string {
	if text, known := words[code]; known {
		return text
	}
	return "交易失败[" + code + "00000]"
}

// Payment is a purchase as the gateway's ledger keeps it.
type Payment struct {
	Number, TxnTime string
	// Amount is what was asked for, in fen; Captured and Currency (ISO 4217's number) are what was taken.
	Amount, Captured int64
	Currency         string
	// Code is what became of it: "05" while the page is open.
	Code string
	// QueryID is the gateway's id; Paid is when the money was taken.
	QueryID string
	Paid    time.Time
	// Timeout is when the page closes.
	Timeout         time.Time
	NotifyURL       string
	returnURL       string
	reserved, goods string
	token           string
	asked           map[string]string // the terms
	trace           int
	settleDate      string
}

// Refund is a refund as the gateway's ledger keeps it.
type Refund struct {
	ID, TxnTime string
	// Of is the QueryID of the payment, QueryID the refund's own.
	Of, QueryID string
	Amount      int64
	// Code is what became of it: "05" until it is made.
	Code      string
	NotifyURL string
	At        time.Time
	reserved  string
	trace     int
}

// movement is a line of a daily file.
type movement struct {
	kind        string // txnType
	id, queryID string
	of          string // origQryId
	amount, fee int64
	at          time.Time
	trace       int
	settleDate  string
	reserved    string
}

// key is what tells transactions apart: a number may be used again with another time.
func key(number, txnTime string) string { return number + "@" + txnTime }

// settleDate is the day of settlement that a moment belongs to: it ends at 23:00.
func settleDate(at time.Time) string {
	local := at.In(beijing)
	if local.Hour() >= 23 {
		local = local.Add(time.Hour)
	}
	return local.Format("20060102")
}

// Payment finds a purchase by its number.
func (g *Gateway) Payment(number string) (Payment, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.byNumber(number)
	if p == nil {
		return Payment{}, false
	}
	return *p, true
}

// Refunds lists the refunds of an id: more than one is more than once.
func (g *Gateway) Refunds(id string) []Refund {
	g.mu.Lock()
	defer g.mu.Unlock()
	var found []Refund
	for _, r := range g.refunds {
		if r.ID == id {
			found = append(found, *r)
		}
	}
	return found
}

func (g *Gateway) byNumber(number string) *Payment {
	for _, p := range g.payments {
		if p.Number == number {
			return p
		}
	}
	return nil
}

func (g *Gateway) byQueryID(id string) *Payment {
	for _, p := range g.payments {
		if p.QueryID == id {
			return p
		}
	}
	return nil
}

// refunded sums what went back, or is on its way back, of a payment.
func (g *Gateway) refunded(p *Payment) int64 {
	var sum int64
	for _, r := range g.refunds {
		if r.Of == p.QueryID && (r.Code == codeDone || r.Code == codeOpen || r.Code == codeUnclear) {
			sum += r.Amount
		}
	}
	return sum
}

// capture takes the payer's money.
func (g *Gateway) capture(p *Payment, amount int64, currency, code string) {
	now := g.config.Now()
	g.sequence++
	p.Code, p.Captured, p.Currency, p.Paid, p.trace = code, amount, currency, now, g.sequence%1_000_000
	p.QueryID, p.settleDate = g.newID(now), settleDate(now)
	g.moved = append(g.moved, movement{
		kind: "01", id: p.Number, queryID: p.QueryID, amount: amount, fee: (amount*6 + 500) / 1000, at: now, trace: p.trace,
		settleDate: p.settleDate, reserved: p.reserved,
	})
	g.notify(p.NotifyURL, g.paidMessage(p))
}

// paidMessage is the callback about a payment.
func (g *Gateway) paidMessage(p *Payment) map[string]string {
	message := map[string]string{
		"accessType": "0", "bizType": "000201", "encoding": "UTF-8", "merId": g.config.Merchant, "orderId": p.Number, "txnTime": p.TxnTime,
		"txnType": "01", "txnSubType": "01", "txnAmt": strconv.FormatInt(p.Amount, 10), "currencyCode": "156", "respCode": p.Code, "respMsg": said(p.Code),
	}
	if p.reserved != "" {
		message["reqReserved"] = p.reserved
	}
	if p.QueryID != "" {
		maps.Copy(message, p.moneyFields())
		message["accNo"], message["exchangeRate"], message["payCardType"], message["payType"] = "6216***********0018", "0", "01", "0001"
	}
	return message
}

func (p *Payment) moneyFields() map[string]string {
	taken := strconv.FormatInt(p.Captured, 10)
	return map[string]string{
		"queryId": p.QueryID, "txnAmt": taken, "currencyCode": p.Currency, "settleAmt": taken, "settleCurrencyCode": p.Currency,
		"settleDate": p.settleDate[4:], "traceNo": fmt.Sprintf("%06d", p.trace), "traceTime": p.Paid.In(beijing).Format("0102150405"),
	}
}

// refundMessage is the callback about a refund.
func (g *Gateway) refundMessage(r *Refund) map[string]string {
	message := map[string]string{
		"accessType": "0", "bizType": "000201", "encoding": "UTF-8", "merId": g.config.Merchant, "orderId": r.ID, "txnTime": r.TxnTime,
		"txnType": "04", "txnSubType": "00", "txnAmt": strconv.FormatInt(r.Amount, 10), "currencyCode": "156", "respCode": r.Code, "respMsg": said(r.Code),
		"queryId": r.QueryID, "origQryId": r.Of, "settleAmt": strconv.FormatInt(r.Amount, 10), "settleCurrencyCode": "156",
		"settleDate": settleDate(r.At)[4:], "traceNo": fmt.Sprintf("%06d", r.trace), "traceTime": r.At.In(beijing).Format("0102150405"),
	}
	if r.reserved != "" {
		message["reqReserved"] = r.reserved
	}
	return message
}
