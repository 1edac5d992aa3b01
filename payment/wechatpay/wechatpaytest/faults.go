package wechatpaytest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
)

const maxRequest = 64 << 10

// Faults are what goes wrong, until other faults are set.
type Faults struct {
	// Down ends every connection, Hang accepts and never answers, Cut does what it is asked and then ends the connection.
	Down, Hang, Cut bool
	// Status answers with this HTTP status and a page, and does nothing.
	Status int
	// Code answers every program with this code and status, signed, and does nothing.
	Code       string
	CodeStatus int
	// LowBalance refuses refunds: our account there is empty. Nothing is recorded.
	LowBalance bool
	// RefundEnds is what refunds end as instead of SUCCESS: ABNORMAL, CLOSED, or PROCESSING for not at all.
	RefundEnds string
	// AnswersBy signs answers with another key, Unsigned does not sign them, Tamper changes them afterwards.
	AnswersBy        *Identity
	Unsigned, Tamper bool
	// NoBill has no bill of any day. TruncateBill cuts the file, LoseLine leaves a line out before the file is hashed,
	// WrongHash tells another hash than the file's, ForeignBill says that the file is at another host, PlainBill does not pack what was
	// asked for packed.
	NoBill, TruncateBill, LoseLine, WrongHash, ForeignBill, PlainBill bool
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
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
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
