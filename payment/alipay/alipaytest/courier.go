package alipaytest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

func (g *Gateway) notifyID(at time.Time) string {
	id := g.newID(at)
	return id[:8] + "00222" + at.In(beijing).Format("150405") + id[13:]
}

// told is what a callback says of a trade, or of one of its refunds; its moment and signature come with each delivery.
func (g *Gateway) told(t *Trade, r *Refund, id string) map[string]string {
	taken := yuan(t.Captured)
	m := map[string]string{
		"notify_type": "trade_status_sync", "notify_id": id, "charset": "utf-8", "version": "1.0", "sign_type": "RSA2",
		"app_id": g.config.AppID, "auth_app_id": g.config.AppID, "seller_id": g.config.SellerID, "seller_email": "boxoffice@sandbox.com",
		"buyer_id": buyer, "buyer_logon_id": "gai***@sandbox.com", "out_trade_no": t.Number, "trade_no": t.TradeNo, "trade_status": t.State,
		"total_amount": taken, "subject": t.offer.Subject, "gmt_create": stamp(t.Created),
	}
	if !t.Paid.IsZero() {
		m["gmt_payment"] = stamp(t.Paid)
		m["receipt_amount"], m["buyer_pay_amount"], m["invoice_amount"], m["point_amount"] = taken, taken, taken, "0.00"
		m["fund_bill_list"] = fmt.Sprintf(`[{"amount":"%s","fundChannel":"ALIPAYACCOUNT"}]`, taken)
	} else {
		m["total_amount"] = yuan(t.Amount)
	}
	if !t.Closed.IsZero() {
		m["gmt_close"] = stamp(t.Closed)
	}
	if r != nil {
		m["out_biz_no"], m["refund_fee"] = r.ID, yuan(r.Total)
		m["gmt_refund"] = r.Done.In(beijing).Format("2006-01-02 15:04:05.000")
	}
	return m
}

// signed is the body of a callback.
func signed(m map[string]string, by *Identity, at time.Time) url.Values {
	m = maps.Clone(m)
	if m["notify_time"] == "" {
		m["notify_time"] = stamp(at)
	}
	values := url.Values{}
	for name, value := range m {
		values.Set(name, value)
	}
	values.Set("sign", by.sign([]byte(sorted(m, "sign", "sign_type"))))
	return values
}

// deliver sends a callback until it is acknowledged. The caller holds the lock.
func (g *Gateway) deliver(address string, m map[string]string) {
	if address == "" {
		return
	}
	g.busy.Go(func() {
		for sent := 0; ; sent++ {
			err := g.post(g.stopped, address, m)
			if err == nil {
				return
			}
			if sent == len(g.config.Retry) {
				g.config.Log.Warn("callback given up", "url", address, "error", err)
				return
			}
			select {
			case <-g.stopped.Done():
				return
			case <-time.After(g.config.Retry[sent]):
			}
		}
	})
}

// post sends a callback once, signed anew each time, since it says when it was sent.
func (g *Gateway) post(ctx context.Context, address string, m map[string]string) error {
	g.mu.Lock()
	by := g.signer
	g.mu.Unlock()
	body := signed(m, by, g.config.Now()).Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header = callbackHeader()
	response, err := g.courier.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	switch {
	case err != nil:
		return err
	case response.StatusCode != http.StatusOK:
		return errors.New(response.Status)
	case string(answer) != "success":
		return errors.New("not acknowledged")
	}
	return nil
}

func callbackHeader() http.Header {
	return http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=UTF-8"}, "User-Agent": {"Mozilla/4.0"}}
}

// Callback is a request to a merchant, not sent.
type Callback struct {
	Header http.Header
	Body   []byte
}

// Forgery is how a callback differs from a genuine one; the zero value changes nothing.
type Forgery struct {
	By *Identity // signs instead of the gateway
	At time.Time // when it is sent
	// Before changes what is signed, After what was signed.
	Before func(message map[string]string)
	After  func(form url.Values)
}

// Forge says that a number was paid, with whatever a forgery makes of it. It returns false if the number is not known.
func (g *Gateway) Forge(number string, f Forgery) (Callback, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	o := g.latest[number]
	if o == nil {
		return Callback{}, false
	}
	now := g.config.Now()
	t := Trade{Number: number, TradeNo: g.newID(now), Currency: "CNY", Created: now, offer: o}
	if known := g.trades[number]; known != nil {
		t = *known
	}
	if t.Paid.IsZero() {
		t.State, t.Captured, t.Paid, t.Closed, t.notifyID = paid, o.Amount, now, time.Time{}, g.notifyID(now)
	}
	m := g.told(&t, nil, t.notifyID)
	if f.At.IsZero() {
		f.At = now
	}
	m["notify_time"] = stamp(f.At)
	if f.Before != nil {
		f.Before(m)
	}
	if f.By == nil {
		f.By = g.signer
	}
	form := signed(m, f.By, f.At)
	if f.After != nil {
		f.After(form)
	}
	return Callback{Header: callbackHeader(), Body: []byte(form.Encode())}, true
}

// Repeat delivers the callback about a payment once more. It returns false if nothing was paid.
func (g *Gateway) Repeat(number string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.trades[number]
	if t == nil || t.Paid.IsZero() {
		return false
	}
	g.deliver(t.NotifyURL, g.told(t, nil, t.notifyID))
	return true
}
