package gateway

import (
	"embed"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/ticketing"
)

//go:embed pages/*.html pages/*.css
var pageFiles embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"money": money, "clock": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
}).ParseFS(pageFiles, "pages/*.html"))

// pageRoutes are what payers and demonstrators open in a browser.
func (g *Gateway) pageRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, pageFiles, "pages/style.css")
	})
	mux.HandleFunc("GET /{$}", g.homePage)
	mux.HandleFunc("POST /switches", g.setSwitches)
	mux.HandleFunc("GET /pay/{id}", g.payPage)
	mux.HandleFunc("POST /pay/{id}", g.payForm)
}

// payView is what the payment page shows.
type payView struct {
	Words    map[string]string
	Language string
	Payment  Payment
	Token    string
	Open     bool
	// Left is how long the payment can still be made, Late the seconds after which "pay late" captures.
	Left  string
	Late  int
	Error string
	// Leave is where the browser goes on its own after a moment; empty when it stays.
	Leave string
}

func (g *Gateway) payPage(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	view, ok := g.payView(w, r)
	g.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	render(w, http.StatusOK, "pay.html", view)
}

// payView reads the payment of a page under the lock.
func (g *Gateway) payView(w http.ResponseWriter, r *http.Request) (payView, bool) {
	known, ok := g.ledger.byID[r.PathValue("id")]
	if !ok {
		return payView{}, false
	}
	p, err := g.find(known.Number)
	if err != nil {
		return payView{}, false
	}
	left := p.Order.ExpiresAt.Sub(g.now()).Round(time.Second)
	language := pageLanguage(r, p.Order.Language)
	view := payView{
		Words: words[language], Language: language, Payment: *p, Token: g.formToken(w, r, p.ID),
		Open: p.State == sandbox.Pending && p.CaptureAt.IsZero(), Left: max(left, 0).String(), Late: int(max(left, 0).Seconds()) + 5,
	}
	if !view.Open {
		view.Leave = p.Order.ReturnURL
	}
	return view, true
}

// payForm is the payer pressing one of the page's buttons.
func (g *Gateway) payForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	id := r.PathValue("id")
	if !g.ownForm(r, id) {
		http.Error(w, "this form is not from this page", http.StatusForbidden)
		return
	}
	seconds, err := strconv.Atoi(r.PostFormValue("seconds"))
	if r.PostFormValue("seconds") != "" && (err != nil || seconds < 0 || seconds > 24*60*60) {
		http.Error(w, "seconds must be 0 to 86400", http.StatusBadRequest)
		return
	}
	step := r.PostFormValue("step")
	g.mu.Lock()
	err = g.press(id, step, time.Duration(seconds)*time.Second)
	view, ok := g.payView(w, r)
	g.mu.Unlock()
	switch {
	case !ok:
		http.NotFound(w, r)
		return
	case err != nil:
		view.Error = view.Words["failed"]
		render(w, http.StatusConflict, "pay.html", view)
		return
	case step == "cancel":
		view.Open, view.Leave = false, view.Payment.Order.ReturnURL
	}
	// A page, not a redirect: the browser leaves by itself, and the payer sees what happened.
	render(w, http.StatusOK, "pay.html", view)
}

func (g *Gateway) press(id, step string, d time.Duration) error {
	p, ok := g.ledger.byID[id]
	if !ok {
		return errors.New("no such payment")
	}
	if step == "cancel" {
		return nil // closing the tab tells nobody anything
	}
	run, ok := g.steps()[step]
	if !ok {
		return errors.New("no such step")
	}
	return run(p.Number, d)
}

// homeView is what the gateway's own page shows.
type homeView struct {
	Merchant   string
	Payments   []Payment
	Faults     Faults
	Operations []string
	Token      string
}

func (g *Gateway) homePage(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	view := homeView{
		Merchant: g.config.Merchant, Faults: g.faults, Token: g.formToken(w, r, "switches"),
		Operations: []string{"create", "query", "close", "refund", "query_refund", "bill"},
	}
	for _, p := range g.ledger.payments {
		view.Payments = append(view.Payments, *p)
	}
	g.mu.Unlock()
	slices.SortFunc(view.Payments, func(a, b Payment) int { return b.Made.Compare(a.Made) })
	view.Payments = view.Payments[:min(len(view.Payments), 50)]
	render(w, http.StatusOK, "home.html", view)
}

// setSwitches sets every switch of the page; those the page does not show are put back.
func (g *Gateway) setSwitches(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	if !g.ownForm(r, "switches") {
		http.Error(w, "this form is not from this page", http.StatusForbidden)
		return
	}
	number := func(name string) int { n, _ := strconv.Atoi(r.PostFormValue(name)); return max(n, 0) }
	on := func(name string) bool { return r.PostFormValue(name) == "on" }
	f := Faults{
		Down: r.PostForm["down"], FailAfter: r.PostForm["fail_after"],
		Duplicate: min(number("duplicate"), 50), Lose: on("lose"), Reorder: min(number("reorder"), 50),
		CaptureAmount: int64(number("capture_amount")), RefundFails: on("refund_fails"), LowBalance: on("low_balance"),
	}
	if ms := number("slow_ms"); ms > 0 {
		f.Slow = map[string]int{"*": min(ms, 60_000)}
	}
	if err := g.misbehave(f); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func render(w http.ResponseWriter, status int, name string, view any) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = templates.ExecuteTemplate(w, name, view)
}

// pageLanguage is what the address, the merchant or the browser asks for, in this order.
func pageLanguage(r *http.Request, merchants string) string {
	for _, tag := range []string{r.URL.Query().Get("lang"), merchants, r.Header.Get("Accept-Language")} {
		switch {
		case strings.HasPrefix(tag, "zh"):
			return "zh-CN"
		case tag != "":
			return "en"
		}
	}
	return "en"
}

// money renders minor units for people; the sandbox knows the currencies it supports.
func money(m ticketing.Money) string {
	digits := map[string]int{"JPY": 0, "KWD": 3}
	decimals, ok := digits[m.Currency]
	if !ok {
		decimals = 2
	}
	text := strconv.FormatInt(m.Amount, 10)
	if decimals > 0 {
		if len(text) <= decimals {
			text = strings.Repeat("0", decimals-len(text)+1) + text
		}
		text = text[:len(text)-decimals] + "." + text[len(text)-decimals:]
	}
	return m.Currency + " " + text
}

var words = map[string]map[string]string{
	"en": {
		"title": "Sandbox payment", "banner": "Sandbox – no real money moves here", "amount": "Amount to pay", "for": "For",
		"merchant": "Merchant", "number": "Payment number", "left": "Time left", "pay": "Pay now", "decline": "Decline",
		"cancel": "Leave without paying", "more": "What else can happen", "late": "Pay late: the money is taken after",
		"late_button": "Pay late", "processing": "Leave the outcome open for", "processing_button": "Pay, outcome open",
		"seconds": "seconds", "back": "Back to the shop", "failed": "That is no longer possible.",
		"paid": "Payment received. Taking you back …", "declined": "Payment declined. Taking you back …",
		"closed": "This payment can no longer be made.", "pending": "Nothing was paid. Taking you back …",
		"late_set": "The money will be taken later. Taking you back …", "in_process": "The payment is being processed. Taking you back …",
	},
	"zh-CN": {
		"title": "沙盒支付", "banner": "沙盒环境——不会产生真实扣款", "amount": "应付金额", "for": "商品",
		"merchant": "商户", "number": "支付单号", "left": "剩余时间", "pay": "立即支付", "decline": "拒绝支付",
		"cancel": "不支付，直接离开", "more": "模拟其他情况", "late": "延迟支付：扣款将发生在",
		"late_button": "延迟支付", "processing": "支付结果暂不确定，持续", "processing_button": "支付，结果待定",
		"seconds": "秒后", "back": "返回商家", "failed": "该操作已无法进行。",
		"paid": "支付成功，正在返回商家……", "declined": "支付已拒绝，正在返回商家……",
		"closed": "该支付单已关闭，无法支付。", "pending": "未付款，正在返回商家……",
		"late_set": "稍后将扣款，正在返回商家……", "in_process": "支付处理中，正在返回商家……",
	},
}
