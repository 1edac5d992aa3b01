package unionpaytest

import (
	"crypto/rand"
	"html/template"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// page is what a payer sees: an order with its buttons, the way back to the shop, or why there is neither.
var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>银联在线支付 UnionPay</title></head><body>
<h1>银联在线支付</h1>
{{- with .Refused}}<p id="refused" data-code="{{.Code}}">{{.Words}}</p>{{end}}
{{- with .Order}}
<dl><dt>订单号</dt><dd id="order">{{.Number}}</dd><dt>商品</dt><dd>{{.Goods}}</dd><dt>金额 CNY</dt><dd id="amount">{{.Amount}}</dd></dl>
<form method="post" action="/cashier/{{.Token}}/pay"><button id="pay">确认付款 Pay</button></form>
<form method="post" action="/cashier/{{.Token}}/decline"><button id="decline">Decline</button></form>
{{- end}}
{{- with .Back}}
<form id="back" method="post" action="{{.To}}">{{range $name, $value := .Fields}}<input type="hidden" name="{{$name}}" value="{{$value}}">{{end}}
<button>返回商户 Back to the shop</button></form><script>document.getElementById("back").submit()</script>
{{- end}}
</body></html>`))

type shown struct {
	Refused *struct{ Code, Words string }
	Order   *struct{ Number, Goods, Amount, Token string }
	Back    *struct {
		To     string
		Fields map[string]string
	}
}

func show(w http.ResponseWriter, s shown) {
	w.Header().Set("Content-Type", "text/html;charset=UTF-8")
	_ = page.Execute(w, s)
}

func showRefusal(w http.ResponseWriter, code, words string) {
	show(w, shown{Refused: &struct{ Code, Words string }{code, words}})
}

// front takes an order that a payer's browser posts, and shows its page.
func (g *Gateway) front(w http.ResponseWriter, r *http.Request) {
	message, err := g.received(w, r, frontRules)
	if err == nil {
		var p Payment
		if p, err = g.taken(message); err == nil {
			g.showOrder(w, p)
			return
		}
	}
	refused := err.(refusal) //nolint:errorlint,forcetypeassert // nothing else is returned
	showRefusal(w, refused.code, refused.words)
}

// taken records an order, or finds it: a page that is loaded again is the same order.
func (g *Gateway) taken(m map[string]string) (Payment, error) {
	now := g.config.Now()
	sent, err := time.ParseInLocation(stampLayout, m["txnTime"], beijing)
	if err != nil || sent.After(now.Add(clockSkew)) || sent.Before(now.Add(-time.Hour)) {
		return Payment{}, refusal{"10", "报文格式错误[txnTime][6100030]"}
	}
	var timeout time.Time
	if m["payTimeout"] != "" {
		if timeout, err = time.ParseInLocation(stampLayout, m["payTimeout"], beijing); err != nil || !timeout.After(sent) {
			return Payment{}, refusal{"10", "报文格式错误[payTimeout][6100030]"}
		}
	}
	terms := maps.Clone(m)
	delete(terms, "signature")
	g.mu.Lock()
	defer g.mu.Unlock()
	id := key(m["orderId"], m["txnTime"])
	if known := g.payments[id]; known != nil {
		if !maps.Equal(known.asked, terms) {
			return Payment{}, refusal{"12", said("12")}
		}
		return *known, nil
	}
	if g.refunds[id] != nil {
		return Payment{}, refusal{"12", said("12")}
	}
	if !timeout.IsZero() && !now.Before(timeout) {
		return Payment{}, refusal{"69", said("69")}
	}
	amount, _ := strconv.ParseInt(m["txnAmt"], 10, 64)
	p := &Payment{
		Number: m["orderId"], TxnTime: m["txnTime"], Amount: amount, Code: codeOpen, Timeout: timeout, NotifyURL: m["backUrl"],
		returnURL: m["frontUrl"], reserved: m["reqReserved"], goods: m["riskRateInfo"], token: rand.Text(), asked: terms,
	}
	g.payments[id], g.cashiers[p.token] = p, p
	return *p, nil
}

func (g *Gateway) showOrder(w http.ResponseWriter, p Payment) {
	if p.Code == codeDone || p.Code == codeFlawed {
		g.showWayBack(w, p)
		return
	}
	if g.ended(&p) {
		showRefusal(w, "69", said("69"))
		return
	}
	show(w, shown{Order: &struct{ Number, Goods, Amount, Token string }{
		p.Number, p.goods, strconv.FormatFloat(float64(p.Amount)/100, 'f', 2, 64), p.token,
	}})
}

// showWayBack sends the payer's browser back to the shop, with what became of the payment.
func (g *Gateway) showWayBack(w http.ResponseWriter, p Payment) {
	g.mu.Lock()
	message := g.paidMessage(&p)
	sign(message, g.signer)
	g.mu.Unlock()
	show(w, shown{Back: &struct {
		To     string
		Fields map[string]string
	}{p.returnURL, message}})
}

func (g *Gateway) found(r *http.Request) (Payment, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, known := g.cashiers[r.PathValue("token")]
	if !known {
		return Payment{}, false
	}
	return *p, true
}

// cashier shows an order's page again.
func (g *Gateway) cashier(w http.ResponseWriter, r *http.Request) {
	if p, known := g.found(r); known {
		g.showOrder(w, p)
		return
	}
	showRefusal(w, "34", said("34"))
}

// press is a button of an order's page.
func (g *Gateway) press(w http.ResponseWriter, r *http.Request) {
	p, known := g.found(r)
	if !known {
		showRefusal(w, "34", said("34"))
		return
	}
	var err error
	switch r.PathValue("step") {
	case "pay":
		err = g.Pay(p.Number)
	case "decline":
		if err = g.Decline(p.Number, "64"); err == nil {
			showRefusal(w, "64", said("64"))
			return
		}
	default:
		http.NotFound(w, r)
		return
	}
	if err != nil {
		showRefusal(w, "69", said("69"))
		return
	}
	p, _ = g.found(r)
	g.showWayBack(w, p)
}
