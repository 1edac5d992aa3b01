package gateway

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/boxoffice/boxoffice/payment/sandbox"
)

// Books is the gateway's own ledger, whole.
type Books struct {
	Payments []Payment `json:"payments"`
	Refunds  []Refund  `json:"refunds"`
	Disputes []Dispute `json:"disputes"`
	// Entries are the movements of money in the order in which they were booked.
	Entries []Entry `json:"entries"`
	// Undelivered counts callbacks that were not acknowledged yet.
	Undelivered int `json:"undelivered"`
}

// controlRoutes are for tests and demonstrations; they are signed like the merchant's requests.
func (g *Gateway) controlRoutes(mux *http.ServeMux) {
	control := func(pattern string, run func(r *http.Request, body []byte) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			body, err := g.verified(w, r)
			if err != nil {
				answer(w, nil, err)
				return
			}
			out, err := run(r, body)
			if out == nil {
				out = struct{}{}
			}
			answer(w, out, err)
		})
	}
	type nothing = struct{}
	control("POST /control/payments/{number}/{step}", func(r *http.Request, _ []byte) (any, error) {
		step, ok := g.steps()[r.PathValue("step")]
		if !ok {
			return nil, refuse(http.StatusNotFound, sandbox.CodeUnknown, "no such step")
		}
		d, err := time.ParseDuration(r.URL.Query().Get("in"))
		if err != nil || d < 0 {
			return nil, invalid("in must be a duration")
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		return nil, step(r.PathValue("number"), d)
	})
	control("POST /control/payments/{number}/forge/{how}", func(r *http.Request, _ []byte) (any, error) {
		return g.forge(r.Context(), r.PathValue("number"), Forgery(r.PathValue("how")))
	})
	control("POST /control/refunds/{id}/settle", func(r *http.Request, _ []byte) (any, error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		return nil, g.settleByHand(r.PathValue("id"))
	})
	control("POST /control/payments/{number}/dispute/{how}", func(r *http.Request, _ []byte) (any, error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		return nil, g.dispute(r.PathValue("number"), r.PathValue("how"))
	})
	control("PUT /control/faults", func(_ *http.Request, body []byte) (any, error) {
		return decoded(body, func(f Faults) (nothing, error) { return nothing{}, g.misbehave(f) })
	})
	control("GET /control/faults", func(*http.Request, []byte) (any, error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.faults, nil
	})
	control("POST /control/reset", func(*http.Request, []byte) (any, error) {
		g.mu.Lock()
		clear(g.calls)
		g.mu.Unlock()
		return nil, g.misbehave(Faults{})
	})
	control("GET /control/calls", func(*http.Request, []byte) (any, error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		return maps.Clone(g.calls), nil
	})
	control("GET /control/books", func(*http.Request, []byte) (any, error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		books := Books{Undelivered: len(g.ledger.deliveries), Entries: slices.Clone(g.ledger.entries)}
		for _, p := range g.ledger.payments {
			books.Payments = append(books.Payments, *p)
		}
		for _, r := range g.ledger.refunds {
			books.Refunds = append(books.Refunds, *r)
		}
		for _, d := range g.ledger.disputes {
			books.Disputes = append(books.Disputes, *d)
		}
		slices.SortFunc(books.Payments, func(a, b Payment) int { return a.Made.Compare(b.Made) })
		slices.SortFunc(books.Refunds, func(a, b Refund) int { return a.At.Compare(b.At) })
		return books, nil
	})
}

// misbehave sets the switches; callbacks that were held back for reordering go out.
func (g *Gateway) misbehave(f Faults) error {
	if err := f.check(); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults, g.toLose = f, f.LoseFirst
	if len(g.courier.held) >= f.Reorder {
		g.courier.letGo()
	}
	return nil
}
