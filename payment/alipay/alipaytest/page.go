package alipaytest

import (
	"html/template"
	"net/http"
	"net/url"
)

var pages = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>支付宝 (local)</title>
<style>body{font:16px sans-serif;max-width:28rem;margin:3rem auto}b{display:block;font-size:2rem;color:#1677ff}button{font-size:1rem;padding:.6rem 1.4rem}</style></head>
<body>
{{with .Refused}}<h1 id="refused">{{.SubCode}}</h1><p>{{.SubMsg}}</p>{{end}}
{{with .Order}}<h1>收银台</h1><p id="subject">{{.Subject}}</p><p id="number">{{.Number}}</p><b id="amount">{{.Amount}} 元</b>
{{if .Scanned}}<form method="post" action="/cashier/{{.Token}}/pay"><button id="pay">确认付款</button></form>
{{else}}<form method="post" action="/cashier/{{.Token}}/scan"><button id="scan">扫一扫 / 登录</button></form>{{end}}{{end}}
{{with .Paid}}<h1 id="paid">支付成功</h1><b>{{.Amount}} 元</b>{{if .Back}}<p><a id="back" href="{{.Back}}">返回商户</a></p>{{end}}{{end}}
</body></html>
`))

type shownOrder struct {
	Subject, Number, Amount, Token string
	Scanned                        bool
}

type shownPaid struct{ Amount, Back string }

type shown struct {
	Refused *failure
	Order   *shownOrder
	Paid    *shownPaid
}

func show(w http.ResponseWriter, s shown) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := pages.Execute(w, s); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// page takes an order from the payer's browser and leads it to the cashier. Opening it makes no trade.
func (g *Gateway) page(w http.ResponseWriter, r *http.Request) {
	q, refused := g.understand(r)
	if refused == nil && q.method != "alipay.trade.page.pay" {
		refused = invalid("method", "该接口只支持程序调用")
	}
	if refused != nil {
		show(w, shown{Refused: refused})
		return
	}
	g.mu.Lock()
	g.asked[q.method]++
	o, refused := g.offered(q)
	g.mu.Unlock()
	if refused != nil {
		show(w, shown{Refused: refused})
		return
	}
	http.Redirect(w, r, "/cashier/"+o.token, http.StatusFound)
}

func (g *Gateway) cashier(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	o := g.offers[r.PathValue("token")]
	if o == nil {
		http.NotFound(w, r)
		return
	}
	t := g.trade(o.Number)
	switch {
	case t != nil && !t.Paid.IsZero():
		show(w, shown{Paid: &shownPaid{yuan(t.Captured), g.wayBack(o, t)}})
	case t != nil && t.State == ended, t == nil && !o.Expire.IsZero() && !g.config.Now().Before(o.Expire):
		show(w, shown{Refused: business("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")})
	default:
		show(w, shown{Order: &shownOrder{o.Subject, o.Number, yuan(o.Amount), o.token, t != nil}})
	}
}

// press is what the payer does on the cashier's page.
func (g *Gateway) press(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	o := g.offers[r.PathValue("token")]
	if o == nil {
		g.mu.Unlock()
		http.NotFound(w, r)
		return
	}
	if refused := g.agrees(o); refused != nil && refused.SubCode == "ACQ.CONTEXT_INCONSISTENT" {
		g.mu.Unlock()
		show(w, shown{Refused: refused})
		return
	}
	to := "/cashier/" + o.token
	if g.trades[o.Number] == nil {
		g.latest[o.Number] = o // it is this one that was scanned
	}
	t, err := g.scanned(o.Number)
	if err == nil && r.PathValue("step") == "pay" {
		if err = g.pay(t); err == nil && o.ReturnURL != "" {
			to = g.wayBack(o, t)
		}
	}
	g.mu.Unlock()
	if err != nil {
		show(w, shown{Refused: business("ACQ.TRADE_HAS_CLOSE", err.Error())})
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// wayBack is where the payer's browser goes, with what became of the payment, signed.
func (g *Gateway) wayBack(o *offer, t *Trade) string {
	if o.ReturnURL == "" {
		return ""
	}
	u, err := url.Parse(o.ReturnURL)
	if err != nil {
		return ""
	}
	m := map[string]string{
		"charset": "utf-8", "out_trade_no": t.Number, "method": "alipay.trade.page.pay.return", "total_amount": yuan(t.Captured), "trade_no": t.TradeNo,
		"auth_app_id": g.config.AppID, "version": "1.0", "app_id": g.config.AppID, "sign_type": "RSA2", "seller_id": g.config.SellerID,
		"timestamp": stamp(g.config.Now()),
	}
	query := u.Query()
	for name, value := range m {
		query.Set(name, value)
	}
	query.Set("sign", g.signer.sign([]byte(sorted(m, "sign_type"))))
	u.RawQuery = query.Encode()
	return u.String()
}
