package gateway

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// demoView is what the pages for demonstrators show.
type demoView struct {
	Merchant   string
	Payments   []Payment
	Total      int
	Captured   int
	Faults     Faults
	Behaving   bool
	Operations []string
	Forgeries  []Forgery
	Token      string
	Saved      bool
	Error      string
}

// newestPayments is how many payments the home page lists.
const newestPayments = 50

func (g *Gateway) homePage(w http.ResponseWriter, _ *http.Request) {
	g.mu.Lock()
	view := demoView{Merchant: g.config.Merchant, Behaving: g.faults.none(), Total: len(g.ledger.payments)}
	for _, p := range g.ledger.payments {
		view.Payments = append(view.Payments, *p)
		if p.Captured != nil {
			view.Captured++
		}
	}
	g.mu.Unlock()
	slices.SortFunc(view.Payments, func(a, b Payment) int { return b.Made.Compare(a.Made) })
	view.Payments = view.Payments[:min(len(view.Payments), newestPayments)]
	render(w, http.StatusOK, "home.html", view)
}

func (g *Gateway) switchesPage(w http.ResponseWriter, r *http.Request) {
	g.showSwitches(w, r, http.StatusOK, demoView{Saved: r.URL.Query().Has("saved")})
}

func (g *Gateway) showSwitches(w http.ResponseWriter, r *http.Request, status int, view demoView) {
	g.mu.Lock()
	view.Merchant, view.Faults, view.Behaving = g.config.Merchant, g.faults, g.faults.none()
	g.mu.Unlock()
	view.Operations, view.Forgeries, view.Token = operations, Forgeries, g.formToken(w, r, "switches")
	render(w, status, "switches.html", view)
}

// switchesForm sets every switch at once.
func (g *Gateway) switchesForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	if !g.ownForm(r, "switches") {
		http.Error(w, "this form was not loaded here: open the page again", http.StatusForbidden)
		return
	}
	var f Faults
	if r.PostFormValue("all") != "behave" {
		var err error
		if f, err = readSwitches(r); err != nil {
			g.showSwitches(w, r, http.StatusBadRequest, demoView{Error: err.Error()})
			return
		}
	}
	if err := g.misbehave(f); err != nil {
		g.showSwitches(w, r, http.StatusBadRequest, demoView{Error: err.Error()})
		return
	}
	g.log.Info("switches set", "behaves", f.none())
	http.Redirect(w, r, "/switches?saved", http.StatusSeeOther)
}

func readSwitches(r *http.Request) (Faults, error) {
	var wrong error
	number := func(name string) int {
		text := strings.TrimSpace(r.PostFormValue(name))
		if text == "" {
			return 0
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			wrong = invalid("%s must be a number", name)
		}
		return n
	}
	delays := func(prefix string) map[string]int {
		set := map[string]int{}
		for _, operation := range operations {
			if ms := number(prefix + operation); ms != 0 {
				set[operation] = ms
			}
		}
		return set
	}
	f := Faults{
		Slow: delays("slow_"), LateAnswer: delays("late_"), Duplicate: number("duplicate"), LoseFirst: number("lose_first"),
		Reorder: number("reorder"), CaptureAmount: int64(number("capture_amount")), RefundPending: number("refund_pending"),
		RefundWindow: number("refund_window"),
		Lose:         r.PostFormValue("lose") == "on", CaptureCurrency: strings.TrimSpace(r.PostFormValue("capture_currency")),
		RefundFails: r.PostFormValue("refund_fails") == "on", LowBalance: r.PostFormValue("low_balance") == "on",
		Down: r.PostForm["down"], Hang: r.PostForm["hang"], FailAfter: r.PostForm["fail_after"], Cut: r.PostForm["cut"],
	}
	for _, how := range r.PostForm["forge"] {
		f.Forge = append(f.Forge, Forgery(how))
	}
	return f, wrong
}
