package alipaytest

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
	// Code and SubCode answer every program with this refusal, signed, and do nothing: "40004" and "ACQ.SYSTEM_ERROR".
	Code, SubCode string
	// LowBalance refuses refunds: our account there is empty. Nothing is recorded.
	LowBalance bool
	// RefundCode refuses refunds for good, such as "ACQ.TRADE_NOT_ALLOW_REFUND". RefundLater accepts them, says that no money
	// moved, and moves it when Settle is called.
	RefundCode  string
	RefundLater bool
	// AnswersBy signs answers with another key, Unsigned does not sign them, Tamper changes them afterwards; Answer replaces an
	// answer altogether.
	AnswersBy        *Identity
	Unsigned, Tamper bool
	Answer           string
	// NoBill has no bill of any day. TruncateBill cuts the archive, LoseLine leaves a line out of its table, ShortBill ends
	// the table before its totals, ForeignBill has one of another account, ForeignHost says that the file is elsewhere.
	NoBill, TruncateBill, LoseLine, ShortBill, ForeignBill, ForeignHost bool
}

// SetFaults replaces the faults.
func (g *Gateway) SetFaults(f Faults) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = f
	close(g.restored)
	g.restored = make(chan struct{})
}

// Asked counts the requests of a method, such as "alipay.trade.refund", that were understood.
func (g *Gateway) Asked(method string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked[method]
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
