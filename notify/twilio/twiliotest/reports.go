package twiliotest

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // X-Twilio-Signature is HMAC-SHA1
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	// callbackBound is how long Twilio waits for an answer to a status callback.
	callbackBound = 15 * time.Second
	// retryPause is between two tries of a callback, where Twilio is asked to try again.
	retryPause = 50 * time.Millisecond
)

// Reports are the status callbacks that every message has by itself.
type Reports struct {
	// Statuses are told in this order, whatever a real message goes through; none tells nothing.
	Statuses []string
	// ErrorCode is told with undelivered and failed.
	ErrorCode string
	// Delay is before each.
	Delay time.Duration
	// Times is how often each is told. Default once.
	Times int
	// Retries is how often one is told again that was not answered with 2xx.
	Retries int
}

// Telling is one status callback that was tried.
type Telling struct {
	SID, Status string
	// Answer is the HTTP status; 0 if there was none, and Err says why.
	Answer int
	Err    error
}

// SetReports has messages that are taken from now on reported.
func (g *Gateway) SetReports(r Reports) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r.Times = max(r.Times, 1)
	g.reports = r
}

// Tellings are the callbacks that were tried so far, in this order.
func (g *Gateway) Tellings() []Telling {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.tellings)
}

// report tells what Reports ask for.
func (g *Gateway) report(m Message, reports Reports) {
	for _, status := range reports.Statuses {
		for range reports.Times {
			if !g.wait(reports.Delay) {
				return
			}
			for try := 0; ; try++ {
				answer, err := g.Tell(g.life, m, status, reports.ErrorCode)
				if err == nil && answer < 300 || try == reports.Retries || !g.wait(retryPause) {
					break
				}
			}
		}
	}
}

// wait says whether the gateway still lives after a pause.
func (g *Gateway) wait(pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-g.life.Done():
		return false
	}
}

// Tell says by a callback what became of a message, once, and returns the answer's status. errorCode, which may be empty, is told with
// undelivered and failed.
func (g *Gateway) Tell(ctx context.Context, m Message, status, errorCode string) (answer int, err error) {
	defer func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.tellings = append(g.tellings, Telling{SID: m.SID, Status: status, Answer: answer, Err: err})
	}()
	g.advance(m.SID, status)
	form := url.Values{
		"MessageSid": {m.SID}, "SmsSid": {m.SID}, "MessageStatus": {status}, "SmsStatus": {status}, "To": {m.To}, "From": {g.senderOf(m)},
		"AccountSid": {g.credentials.AccountSID}, "ApiVersion": {"2010-04-01"},
	}
	if m.MessagingServiceSID != "" {
		form.Set("MessagingServiceSid", m.MessagingServiceSID)
	}
	if status == "delivered" || status == "undelivered" {
		form.Set("RawDlrDoneDate", g.config.Now().UTC().Format("0601021504"))
	}
	if errorCode != "" && (status == "undelivered" || status == "failed") {
		form.Set("ErrorCode", errorCode)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.StatusCallback, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	request.Header.Set("User-Agent", "TwilioProxy/1.1")
	request.Header.Set("X-Twilio-Signature", Sign(g.credentials.AuthToken, m.StatusCallback, form))
	request.Header.Set("I-Twilio-Idempotency-Token", digits())
	response, err := g.callbacks.Do(request)
	if err != nil {
		return 0, err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20))
	return response.StatusCode, response.Body.Close()
}

// ranks are how far a message is, by its status.
var ranks = []string{"accepted", "queued", "sending", "sent", "undelivered", "failed", "canceled", "delivered", "read"}

// advance keeps the furthest status of a message.
func (g *Gateway) advance(sid, status string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.messages {
		if m := &g.messages[i]; m.SID == sid && slices.Index(ranks, status) > slices.Index(ranks, m.Status) {
			m.Status = status
		}
	}
}

// senderOf is who a message comes from: a service sends by the account's number.
func (g *Gateway) senderOf(m Message) string {
	if m.From == "" {
		return g.credentials.Number
	}
	return m.From
}

// Sign is X-Twilio-Signature: HMAC-SHA1 over the address and the form's sorted names and values.
func Sign(token, address string, form url.Values) string {
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	mac := hmac.New(sha1.New, []byte(token))
	_, _ = io.WriteString(mac, address)
	for _, name := range names {
		_, _ = io.WriteString(mac, name+form.Get(name))
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
