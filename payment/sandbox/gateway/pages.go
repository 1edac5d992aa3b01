package gateway

import (
	"embed"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/boxoffice/boxoffice/payment/sandbox"
)

//go:embed pages
var pageFiles embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"money": money, "amount": figures, "symbol": symbol, "hits": hits,
	"forges": slices.Contains[[]Forgery],
	"clock":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
}).ParseFS(pageFiles, "pages/*.html"))

// pageRoutes are what payers and demonstrators open in a browser.
func (g *Gateway) pageRoutes(mux *http.ServeMux) {
	for _, file := range []string{"style.css", "pay.js", "icon.svg"} {
		mux.HandleFunc("GET /"+file, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Content-Type-Options", "nosniff")
			http.ServeFileFS(w, r, pageFiles, "pages/"+file)
		})
	}
	mux.HandleFunc("GET /{$}", g.homePage)
	mux.HandleFunc("GET /switches", g.switchesPage)
	mux.HandleFunc("POST /switches", g.switchesForm)
	mux.HandleFunc("GET /pay/{id}", g.payPage)
	mux.HandleFunc("POST /pay/{id}", g.payForm)
}

// afterDeadline is how long after its deadline a payment is captured that is "paid late".
const afterDeadline = 5 * time.Second

// payView is what the payment page shows.
type payView struct {
	Words    map[string]string
	Language string
	Payment  Payment
	Token    string
	// Open says whether the payer can still do something; SecondsLeft for how long.
	Open        bool
	SecondsLeft int
	Left        string
	// Outcome is the word for what happened, Error why the last step was refused.
	Outcome string
	Error   string
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
	left := max(p.Order.ExpiresAt.Sub(g.now()), 0)
	language := pageLanguage(r, p.Order.Language)
	view := payView{
		Words: words[language], Language: language, Payment: *p, Token: g.formToken(w, r, p.ID),
		Open:        p.State == sandbox.Pending && p.CaptureAt.IsZero(),
		SecondsLeft: int((left + time.Second - 1) / time.Second),
	}
	view.Left = countdown(view.SecondsLeft)
	switch {
	case view.Open:
		return view, true
	case p.State != sandbox.Processing && !p.CaptureAt.IsZero():
		view.Outcome = "late_set"
	default:
		view.Outcome = p.State
	}
	view.Leave = p.Order.ReturnURL
	return view, true
}

// payForm is the payer pressing one of the page's buttons.
func (g *Gateway) payForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	id := r.PathValue("id")
	if !g.ownForm(r, id) {
		http.Error(w, "this form was not loaded here: open the page again", http.StatusForbidden)
		return
	}
	var seconds int
	if text := r.PostFormValue("seconds"); text != "" {
		var err error
		if seconds, err = strconv.Atoi(text); err != nil || seconds < 0 || seconds > 24*60*60 {
			http.Error(w, "seconds must be 0 to 86400", http.StatusBadRequest)
			return
		}
	}
	step := r.PostFormValue("step")
	g.mu.Lock()
	err := g.press(id, step, time.Duration(seconds)*time.Second, r.PostFormValue("when") == "deadline")
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
		view.Open, view.Outcome, view.Leave = false, "left", view.Payment.Order.ReturnURL
	}
	// A page, not a redirect: the browser leaves by itself, and the payer sees what happened.
	render(w, http.StatusOK, "pay.html", view)
}

// press does a step by the page's id of a payment. The caller holds the lock.
func (g *Gateway) press(id, step string, d time.Duration, pastDeadline bool) error {
	p, ok := g.ledger.byID[id]
	if !ok {
		return errors.New("no such payment")
	}
	if step == "cancel" {
		return nil // leaving tells nobody anything
	}
	run, ok := g.steps()[step]
	if !ok {
		return errors.New("no such step")
	}
	if pastDeadline {
		d = max(p.Order.ExpiresAt.Sub(g.now()), 0) + afterDeadline
	}
	return run(p.Number, d)
}

func render(w http.ResponseWriter, status int, name string, view any) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy",
		"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = templates.ExecuteTemplate(w, name, view)
}
