package gateway

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/boxoffice/boxoffice/payment/sandbox"
)

const (
	// maxRequest bounds a request's body, in bytes.
	maxRequest = 64 << 10
	// billPage is how many movements one answer lists.
	billPage = 1000
)

// routes are the merchant's API, the control API for tests, and the payer's pages.
func (g *Gateway) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	operation := func(pattern, name string, run func(*http.Request, []byte) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { g.operate(w, r, name, run) })
	}
	operation("POST /v1/payments", "create", func(_ *http.Request, body []byte) (any, error) {
		return decoded(body, g.create)
	})
	operation("GET /v1/payments/{number}", "query", func(r *http.Request, _ []byte) (any, error) {
		p, err := g.find(r.PathValue("number"))
		if err != nil {
			return nil, err
		}
		return p.Payment, nil
	})
	operation("POST /v1/payments/{number}/close", "close", func(r *http.Request, _ []byte) (any, error) {
		return g.close(r.PathValue("number"))
	})
	operation("POST /v1/refunds", "refund", func(_ *http.Request, body []byte) (any, error) {
		return decoded(body, g.refund)
	})
	operation("GET /v1/refunds/{id}", "query_refund", func(r *http.Request, _ []byte) (any, error) {
		if known, ok := g.ledger.refunds[r.PathValue("id")]; ok {
			return known.Refund, nil
		}
		return nil, refuse(http.StatusNotFound, sandbox.CodeUnknown, "no refund %s", r.PathValue("id"))
	})
	operation("GET /v1/bills/{day}", "bill", func(r *http.Request, _ []byte) (any, error) {
		day, err := time.Parse(time.DateOnly, r.PathValue("day"))
		if err != nil {
			return nil, invalid("day must be YYYY-MM-DD")
		}
		from, err := strconv.Atoi(cmp.Or(r.URL.Query().Get("from"), "0"))
		if err != nil || from < 0 {
			return nil, invalid("from must be a number of lines to leave out")
		}
		return g.bill(day, from)
	})
	g.controlRoutes(mux)
	g.pageRoutes(mux)
	// Merchants' programs send no Origin; a browser that comes from another site is refused.
	return http.NewCrossOriginProtection().Handler(mux)
}

// operate answers one request of the merchant: verified, counted, and misbehaving as switched.
func (g *Gateway) operate(w http.ResponseWriter, r *http.Request, name string, run func(*http.Request, []byte) (any, error)) {
	body, err := g.verified(w, r)
	if err != nil {
		g.log.Warn("request refused", "operation", name, "error", err)
		answer(w, nil, err)
		return
	}
	g.mu.Lock()
	faults := g.faults
	g.calls[name]++
	if about := cmp.Or(r.PathValue("number"), r.PathValue("id"), subject(body)); about != "" {
		g.calls[name+"/"+about]++
	}
	g.mu.Unlock()
	if hits(faults.Hang, name) {
		g.wait(r, time.Hour)
		panic(http.ErrAbortHandler)
	}
	if !g.wait(r, delay(faults.Slow, name)) {
		panic(http.ErrAbortHandler)
	}
	if hits(faults.Down, name) {
		answer(w, nil, refuse(http.StatusServiceUnavailable, "down", "switched off"))
		return
	}
	g.mu.Lock()
	out, err := run(r, body)
	g.mu.Unlock()
	switch {
	case !g.wait(r, delay(faults.LateAnswer, name)), hits(faults.Cut, name):
		panic(http.ErrAbortHandler) // done, but nobody will know
	case hits(faults.FailAfter, name):
		err = refuse(http.StatusInternalServerError, "failed", "failed after it was done")
	}
	answer(w, out, err)
}

// wait sleeps, and says false when the caller or the gateway is gone.
func (g *Gateway) wait(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
	case <-g.ctx.Done():
	}
	return false
}

// decoded reads a body strictly: unknown and repeated members are refused.
func decoded[In, Out any](body []byte, run func(In) (Out, error)) (any, error) {
	var in In
	if err := json.Unmarshal(body, &in, json.RejectUnknownMembers(true)); err != nil {
		return nil, invalid("%s", err)
	}
	return run(in)
}

// subject is the number or refund id a body is about, for the counts of calls.
func subject(body []byte) string {
	var about struct {
		ID     string `json:"id"`
		Number string `json:"number"`
	}
	if len(body) == 0 || json.Unmarshal(body, &about) != nil {
		return ""
	}
	return cmp.Or(about.ID, about.Number)
}

func answer(w http.ResponseWriter, out any, err error) {
	status := http.StatusOK
	if err != nil {
		var r *refused
		if !errors.As(err, &r) {
			r = &refused{http.StatusInternalServerError, "internal", err.Error()}
		}
		status, out = r.status, sandbox.Failure{Code: r.code, Message: r.message}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.MarshalWrite(w, out)
}
