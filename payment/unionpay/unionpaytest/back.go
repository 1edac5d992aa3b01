package unionpaytest

import (
	"maps"
	"strconv"
	"time"
)

const (
	clockSkew   = 5 * time.Minute
	refundYears = 330 * 24 * time.Hour // eleven months
)

func (g *Gateway) query(m map[string]string) (map[string]string, error) {
	if g.faults.Code != "" {
		return nil, refusal{g.faults.Code, said(g.faults.Code)}
	}
	done := map[string]string{"respCode": codeDone, "respMsg": said(codeDone)}
	if p, known := g.payments[key(m["orderId"], m["txnTime"])]; known {
		maps.Copy(done, map[string]string{
			"txnType": "01", "txnSubType": "01", "origRespCode": p.Code, "origRespMsg": said(p.Code),
			"txnAmt": strconv.FormatInt(p.Amount, 10), "settleAmt": "0", "issuerIdentifyMode": "0",
		})
		if p.reserved != "" {
			done["reqReserved"] = p.reserved
		}
		if p.QueryID != "" {
			maps.Copy(done, p.moneyFields())
		}
		return done, nil
	}
	if r, known := g.refunds[key(m["orderId"], m["txnTime"])]; known {
		about := g.refundMessage(r)
		for _, name := range []string{"txnType", "txnSubType", "txnAmt", "currencyCode", "queryId", "origQryId", "settleAmt", "settleCurrencyCode", "settleDate", "traceNo", "traceTime", "reqReserved"} {
			if about[name] != "" {
				done[name] = about[name]
			}
		}
		done["origRespCode"], done["origRespMsg"] = r.Code, said(r.Code)
		return done, nil
	}
	return nil, refusal{"34", said("34")}
}

func (g *Gateway) refund(m map[string]string) (map[string]string, error) {
	now := g.config.Now()
	sent, err := time.ParseInLocation(stampLayout, m["txnTime"], beijing)
	if err != nil || sent.After(now.Add(clockSkew)) {
		return nil, refusal{"10", "报文格式错误[txnTime][6100030]"}
	}
	if g.faults.Code != "" {
		return nil, refusal{g.faults.Code, said(g.faults.Code)}
	}
	if g.faults.LowBalance {
		return nil, refusal{"90", said("90")}
	}
	id := key(m["orderId"], m["txnTime"])
	if _, twice := g.refunds[id]; twice || g.payments[id] != nil {
		return nil, refusal{"12", said("12")}
	}
	amount, _ := strconv.ParseInt(m["txnAmt"], 10, 64)
	paid := g.byQueryID(m["origQryId"])
	switch {
	case paid == nil || paid.Code != codeDone && paid.Code != codeFlawed:
		return nil, refusal{"35", said("35")}
	case now.Sub(paid.Paid) > refundYears:
		return nil, refusal{"39", "交易不在受理时间范围内[1000007]"}
	case g.refunded(paid) == paid.Captured:
		return nil, refusal{"45", said("45")}
	case g.refunded(paid)+amount > paid.Captured:
		return nil, refusal{"33", said("33")}
	}
	g.sequence++
	r := &Refund{
		ID: m["orderId"], TxnTime: m["txnTime"], Of: m["origQryId"], QueryID: g.newID(now), Amount: amount, Code: codeOpen,
		NotifyURL: m["backUrl"], At: now, reserved: m["reqReserved"], trace: g.sequence % 1_000_000,
	}
	g.refunds[id] = r
	fails := g.faults.RefundFails
	answer := map[string]string{
		"respCode": codeDone, "respMsg": said(codeDone), "queryId": r.QueryID, "origQryId": r.Of, "txnAmt": m["txnAmt"],
	}
	if g.faults.RefundUnclear {
		r.Code = codeUnclear
		answer["respCode"], answer["respMsg"] = codeUnclear, said(codeUnclear)
		return answer, nil
	}
	if g.config.RefundTakes == 0 {
		g.settle(r, fails)
		return answer, nil
	}
	g.busy.Go(func() {
		if !g.pause(g.config.RefundTakes) {
			return
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.settle(r, fails)
	})
	return answer, nil
}

// Settle ends a refund that was left unclear: made, or failed with a code.
func (g *Gateway) Settle(id, fails string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.refunds {
		if r.ID == id && r.Code == codeUnclear {
			g.settle(r, fails)
		}
	}
}

func (g *Gateway) settle(r *Refund, fails string) {
	r.At = g.config.Now()
	if r.Code = codeDone; fails != "" {
		r.Code = fails
	} else {
		g.moved = append(g.moved, movement{
			kind: "04", id: r.ID, queryID: r.QueryID, of: r.Of, amount: r.Amount, at: r.At, trace: r.trace,
			settleDate: settleDate(r.At), reserved: r.reserved,
		})
	}
	if r.NotifyURL != noNotice {
		g.notify(r.NotifyURL, g.refundMessage(r))
	}
}

// noNotice is the address that stands for none.
const noNotice = "http://www.specialUrl.com"

// pause returns false when the gateway was closed meanwhile.
func (g *Gateway) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-g.stopped.Done():
		return false
	}
}
