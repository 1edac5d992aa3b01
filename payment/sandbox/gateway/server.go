package gateway

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/boxoffice/boxoffice/payment/sandbox"
)

const maxRequest = 64 << 10

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
		return nil, refuse(http.StatusNotFound, "unknown", "no refund %s", r.PathValue("id"))
	})
	operation("GET /v1/bills/{day}", "bill", func(r *http.Request, _ []byte) (any, error) {
		day, err := time.Parse(time.DateOnly, r.PathValue("day"))
		if err != nil {
			return nil, refuse(http.StatusBadRequest, "invalid", "day must be YYYY-MM-DD")
		}
		return g.ledger.movements(day), nil
	})
	g.controlRoutes(mux)
	g.pageRoutes(mux)
	return mux
}

// operate answers one request of the merchant: verified, counted, and misbehaving as switched.
func (g *Gateway) operate(w http.ResponseWriter, r *http.Request, name string, run func(*http.Request, []byte) (any, error)) {
	body, err := g.verified(w, r)
	if err != nil {
		answer(w, nil, err)
		return
	}
	g.mu.Lock()
	faults := g.faults
	g.calls[name]++
	if id := r.PathValue("number") + r.PathValue("id"); id != "" {
		g.calls[name+"/"+id]++
	} else if id := identified(body); id != "" {
		g.calls[name+"/"+id]++
	}
	g.mu.Unlock()
	if !g.wait(r, faults.delay(name)) {
		return
	}
	switch {
	case named(faults.Hang, name):
		g.wait(r, time.Hour)
		return
	case named(faults.Down, name):
		answer(w, nil, refuse(http.StatusServiceUnavailable, "down", "switched off"))
		return
	}
	g.mu.Lock()
	out, err := run(r, body)
	g.mu.Unlock()
	switch {
	case named(faults.Cut, name):
		panic(http.ErrAbortHandler) // done, but nobody will know
	case named(faults.FailAfter, name):
		err = refuse(http.StatusInternalServerError, "failed", "failed after it was done")
	}
	answer(w, out, err)
}

// verified reads a request of the merchant and refuses what it did not sign now.
func (g *Gateway) verified(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		return nil, refuse(http.StatusRequestEntityTooLarge, "too_large", "a request has at most %d bytes", maxRequest)
	}
	unsigned := func(why string) ([]byte, error) { return nil, refuse(http.StatusUnauthorized, "unsigned", "%s", why) }
	timestamp, nonce := r.Header.Get(sandbox.HeaderTimestamp), r.Header.Get(sandbox.HeaderNonce)
	expected := sandbox.RequestSignature(g.config.Key, r.Method, r.URL.RequestURI(), timestamp, nonce, body)
	switch {
	case r.Header.Get(sandbox.HeaderMerchant) != g.config.Merchant:
		return unsigned("unknown merchant")
	case !sandbox.Equal(r.Header.Get(sandbox.HeaderSignature), expected):
		return unsigned("wrong signature")
	case !sandbox.Fresh(timestamp, g.now()):
		return unsigned("timestamp is not now")
	case len(nonce) < 16 || len(nonce) > 64:
		return unsigned("nonce must have 16 to 64 characters")
	case !g.firstUse(nonce):
		return unsigned("nonce was used before")
	}
	return body, nil
}

// firstUse remembers nonces for as long as their timestamps would pass.
func (g *Gateway) firstUse(nonce string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if now.Sub(g.forgotAt) > sandbox.Freshness {
		for n, seen := range g.nonces {
			if now.Sub(seen) > 2*sandbox.Freshness {
				delete(g.nonces, n)
			}
		}
		g.forgotAt = now
	}
	if _, used := g.nonces[nonce]; used {
		return false
	}
	g.nonces[nonce] = now
	return true
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
		return nil, refuse(http.StatusBadRequest, "invalid", "%s", err)
	}
	return run(in)
}

// identified finds the number or refund id a body is about, for the counts of calls.
func identified(body []byte) string {
	var about struct {
		ID     string `json:"id"`
		Number string `json:"number"`
	}
	if json.Unmarshal(body, &about) != nil {
		return ""
	}
	if about.ID != "" {
		return about.ID
	}
	return about.Number
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
