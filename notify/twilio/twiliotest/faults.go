package twiliotest

import (
	"io"
	"net/http"
	"strconv"
	"time"
)

// Faults are what goes wrong, with requests of any kind; the zero value is nothing.
type Faults struct {
	// Status answers with this status instead: 429 and 4xx with Twilio's JSON and Code, 5xx with a page of HTML, less than 300 with
	// half a JSON document.
	Status, Code int
	// RetryAfter is told with Status, in whole seconds; 0 tells nothing, but 1 s with a 429.
	RetryAfter time.Duration
	// Executed lets what is not answered happen all the same: the message is taken, and nobody is told.
	Executed bool
	// Hang never answers; Cut closes the connection instead of answering, Half after half of the answer.
	Hang, Cut, Half bool
	// Times is how many requests it concerns; 0 means all.
	Times int
}

func (f Faults) any() bool { return f.Status != 0 || f.Hang || f.Cut || f.Half }

// SetFaults lets things go wrong from now on.
func (g *Gateway) SetFaults(f Faults) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = f
}

// Refuse has messages to a number refused with one of Twilio's codes, such as 21610 (unsubscribed); 0 takes them again.
func (g *Gateway) Refuse(number string, code int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refused[number] = code
}

// fault takes the fault that concerns this request, if one does.
func (g *Gateway) fault() Faults {
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.faults
	if f.Times == 1 {
		g.faults = Faults{}
	} else if f.Times > 1 {
		g.faults.Times--
	}
	return f
}

// fail answers as the fault says. The request's body must have been read: only then is it noticed that the client leaves.
func (g *Gateway) fail(w http.ResponseWriter, r *http.Request, f Faults) {
	if f.RetryAfter == 0 && f.Status == http.StatusTooManyRequests {
		f.RetryAfter = time.Second
	}
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(f.RetryAfter.Seconds())))
	}
	switch {
	case f.Hang:
		select {
		case <-r.Context().Done():
		case <-g.life.Done():
		}
		panic(http.ErrAbortHandler)
	case f.Cut:
		panic(http.ErrAbortHandler)
	case f.Half:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"sid": "SM`)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case f.Status >= http.StatusInternalServerError:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, "<html><body><h1>Bad gateway</h1></body></html>")
	case f.Status < http.StatusMultipleChoices:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, `{"sid": "SM`)
	default:
		writeJSON(w, f.Status, trouble(f.Status, f.Code, "as the test wants it"))
	}
}
