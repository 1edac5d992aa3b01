package unionpaytest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
)

// Faults are what goes wrong, until other faults are set.
type Faults struct {
	// Down ends every connection, Hang accepts and never answers, Cut does what it is asked and then ends the connection.
	Down, Hang, Cut bool
	// Status answers with this HTTP status and a page, and does nothing.
	Status int
	// Code answers every program with this code, and does nothing.
	Code string
	// LowBalance refuses refunds: our account there is empty. Nothing is recorded.
	LowBalance bool
	// RefundFails accepts refunds, which then fail with this code, such as "60"; RefundUnclear accepts and does not say whether it
	// did ("04").
	RefundFails   string
	RefundUnclear bool
	// AnswersBy signs answers to programs with another certificate.
	AnswersBy *Identity
	// NoBill has no file of any day. TruncateBill cuts the file in the middle of its last line, ForeignBill has one of another merchant.
	NoBill, TruncateBill, ForeignBill bool
}

// SetFaults replaces the faults.
func (g *Gateway) SetFaults(f Faults) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = f
	close(g.restored)
	g.restored = make(chan struct{})
}

// troubled puts the faults of the network in front of a handler.
func (g *Gateway) troubled(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 2*maxRequest))
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		g.mu.Lock()
		f, restored := g.faults, g.restored
		g.mu.Unlock()
		switch {
		case f.Down:
			panic(http.ErrAbortHandler)
		case f.Hang:
			select {
			case <-r.Context().Done():
			case <-restored:
			case <-g.stopped.Done():
			}
			panic(http.ErrAbortHandler)
		case f.Cut:
			next(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		case f.Status != 0:
			w.Header().Set("Content-Type", "text/html;charset=UTF-8")
			w.WriteHeader(f.Status)
			_, _ = io.WriteString(w, "<html><body><h1>"+http.StatusText(f.Status)+"</h1></body></html>")
		default:
			next(w, r)
		}
	}
}

// Asked counts the requests of a type (txnType: "00", "04", "76") that were understood.
func (g *Gateway) Asked(kind string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked[kind]
}
