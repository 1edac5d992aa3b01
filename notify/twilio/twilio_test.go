package twilio_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/notify/twilio"
	"github.com/boxoffice/boxoffice/notify/twilio/twiliotest"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const status = "https://tickets.example/api/v1/receipts/twilio"

var sms = notify.Message{ID: "01SMS", Kind: ticketing.MessagePaid, Language: "zh-CN", To: "+8613800138000", Content: notify.Content{Text: "【Boxoffice】已付款：《大海交响曲》2张"}}

type world struct {
	*twiliotest.Gateway
	sender *twilio.Sender
}

func newWorld(t *testing.T, change ...func(*twilio.Config)) *world {
	t.Helper()
	spec, err := twiliotest.PublishedSpec(t.Context())
	require.NoError(t, err)
	g, err := twiliotest.Open(twiliotest.Config{Spec: spec})
	require.NoError(t, err)
	transport := &http.Transport{}
	t.Cleanup(func() {
		require.NoError(t, g.Close())
		transport.CloseIdleConnections()
	})
	c := g.Credentials()
	config := twilio.Config{
		AccountSID: c.AccountSID, AuthTokens: []string{c.AuthToken}, Sender: c.MessagingService, Countries: []string{"CN", "US", "GB"},
		StatusURL: status, URL: g.URL(), Timeout: 500 * time.Millisecond, Transport: transport,
	}
	for _, f := range change {
		f(&config)
	}
	sender, err := twilio.New(config)
	require.NoError(t, err)
	return &world{g, sender}
}

func TestAnSMSIsHandedOverAsTwilioPublishesItsAPI(t *testing.T) {
	w := newWorld(t, func(c *twilio.Config) { c.Senders = map[string]string{"GB": "Boxoffice"} })
	receipt, err := w.sender.Send(t.Context(), sms)
	require.NoError(t, err)
	taken := w.Messages()
	require.Len(t, taken, 1)
	require.Equal(t, notify.Receipt{ID: taken[0].SID, Segments: 1}, receipt)
	require.Equal(t, sms.To, taken[0].To)
	require.Equal(t, sms.Text, taken[0].Body)
	require.Equal(t, status, taken[0].StatusCallback)
	require.Equal(t, w.Credentials().MessagingService, taken[0].MessagingServiceSID)
	british := sms
	british.To = "+447400123456"
	_, err = w.sender.Send(t.Context(), british)
	require.NoError(t, err)
	require.Equal(t, "Boxoffice", w.Messages()[1].From, "a country's own sender")
	found, ok, err := w.sender.Find(t.Context(), sms, time.Now())
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, receipt.ID, found.ID)
	require.Empty(t, w.Complaints(), "requests and answers keep the published document")
}

// TestHazard30WhatAnAnswerMeans: whether it may be sent again.
func TestHazard30WhatAnAnswerMeans(t *testing.T) {
	for name, c := range map[string]struct {
		faults twiliotest.Faults
		want   error
	}{
		"too many requests":        {twiliotest.Faults{Status: 429, Code: 20429}, notify.ErrTemporary},
		"bad credentials":          {twiliotest.Faults{Status: 401, Code: 20003}, notify.ErrTemporary},
		"unsubscribed":             {twiliotest.Faults{Status: 400, Code: 21610}, notify.ErrRefused},
		"not reachable by SMS":     {twiliotest.Faults{Status: 400, Code: 21614}, notify.ErrRefused},
		"a page of HTML":           {twiliotest.Faults{Status: 502}, notify.ErrUnsure},
		"a page of HTML, executed": {twiliotest.Faults{Status: 503, Executed: true}, notify.ErrUnsure},
		"cut":                      {twiliotest.Faults{Cut: true}, notify.ErrUnsure},
		"cut, executed":            {twiliotest.Faults{Cut: true, Executed: true}, notify.ErrUnsure},
		"no answer":                {twiliotest.Faults{Hang: true}, notify.ErrUnsure},
		"no answer, executed":      {twiliotest.Faults{Hang: true, Executed: true}, notify.ErrUnsure},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.SetFaults(c.faults)
			since := time.Now()
			_, err := w.sender.Send(t.Context(), sms)
			require.ErrorIs(t, err, c.want)
			require.Equal(t, 1, w.Calls(), "one request, whatever the answer")
			w.SetFaults(twiliotest.Faults{})
			_, ok, err := w.sender.Find(t.Context(), sms, since)
			require.NoError(t, err)
			require.Equal(t, c.faults.Executed, ok, "and it can be known")
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		w := newWorld(t, func(c *twilio.Config) { c.URL = "http://127.0.0.1:1" })
		_, err := w.sender.Send(t.Context(), sms)
		require.ErrorIs(t, err, notify.ErrTemporary)
		_, _, err = w.sender.Find(t.Context(), sms, time.Now())
		require.Error(t, err, "who cannot be asked does not say no")
	})
	t.Run("the caller's patience", func(t *testing.T) {
		w := newWorld(t, func(c *twilio.Config) { c.Timeout = time.Minute })
		w.SetFaults(twiliotest.Faults{Hang: true})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := w.sender.Send(ctx, sms)
		require.ErrorIs(t, err, notify.ErrUnsure)
	})
}

// TestTheStandInSeesWhatBreaksTheDocument: else its silence would say nothing.
func TestTheStandInSeesWhatBreaksTheDocument(t *testing.T) {
	w := newWorld(t)
	c := w.Credentials()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL()+"/2010-04-01/Accounts/"+c.AccountSID+"/Messages.json",
		strings.NewReader(url.Values{"Body": {"x"}, "ValidityPeriod": {"soon"}}.Encode()))
	require.NoError(t, err)
	request.SetBasicAuth(c.AccountSID, c.AuthToken)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusBadRequest, response.StatusCode)
	require.NotEmpty(t, w.Complaints())
}

func TestOnlyTheMessageItselfIsFound(t *testing.T) {
	w := newWorld(t)
	_, err := w.sender.Send(t.Context(), sms)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		change func(*notify.Message)
		since  time.Time
	}{
		"another text":   {func(m *notify.Message) { m.Text += "!" }, time.Now()},
		"another number": {func(m *notify.Message) { m.To = "+8613900139000" }, time.Now()},
		"long before":    {func(*notify.Message) {}, time.Now().Add(2 * time.Minute)},
	} {
		m := sms
		c.change(&m)
		_, ok, err := w.sender.Find(t.Context(), m, c.since)
		require.NoError(t, err, name)
		require.False(t, ok, name)
	}
}

func TestHazard30SMSGoOnlyWhereTheyMay(t *testing.T) {
	w := newWorld(t)
	for name, number := range map[string]string{
		"no number": "12345", "no country code": "13800138000", "a landline": "+861065529988", "another country": "+4915123456789",
		"premium": "+449098790000", "not normal": "+86 138 0013 8000", "too long": "+861380013800011111",
	} {
		m := sms
		m.To = number
		_, err := w.sender.Send(t.Context(), m)
		require.ErrorIs(t, err, notify.ErrRefused, name)
		require.NotContains(t, err.Error(), number)
	}
	require.Zero(t, w.Calls(), "Twilio never hears of them")
}

// receive has Twilio's signature put on a form and parses it.
func receive(w *world, token string, form url.Values, change ...func(http.Header, *string, *string)) (notify.Delivery, error) {
	header, body, address := http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=UTF-8"}}, form.Encode(), status
	header.Set("X-Twilio-Signature", twiliotest.Sign(token, status, form))
	for _, f := range change {
		f(header, &body, &address)
	}
	return w.sender.ParseReceipt(header, []byte(body), address)
}

func TestReceipts(t *testing.T) {
	w := newWorld(t, func(c *twilio.Config) { c.AuthTokens = append(c.AuthTokens, "0123456789abcdef0123456789abcdef") })
	token := w.Credentials().AuthToken
	sid := "SM" + strings.Repeat("0a", 16)
	form := func(status string) url.Values {
		return url.Values{"MessageSid": {sid}, "MessageStatus": {status}, "AccountSid": {w.Credentials().AccountSID}, "To": {"+8613800138000"}}
	}
	for said, state := range map[string]ticketing.MessageState{
		"queued": ticketing.MessageSent, "sent": ticketing.MessageSent, "delivered": ticketing.MessageDelivered, "undelivered": ticketing.MessageUndelivered,
		"failed": ticketing.MessageFailed, "read": ticketing.MessageDelivered, "something_new": ticketing.MessageSent,
	} {
		d, err := receive(w, token, form(said))
		require.NoError(t, err)
		require.Equal(t, notify.Delivery{Carrier: "twilio", ReceiptID: sid, Status: said, State: state}, d)
	}
	failed := form("undelivered")
	failed.Set("ErrorCode", "30005")
	d, err := receive(w, "0123456789abcdef0123456789abcdef", failed)
	require.NoError(t, err, "the other token of a rotation")
	require.Equal(t, "30005", d.Code)

	for name, c := range map[string]struct {
		change func(http.Header, *string, *string)
		want   error
	}{
		"another token": {func(h http.Header, _, _ *string) {
			h.Set("X-Twilio-Signature", twiliotest.Sign("other", status, form("sent")))
		}, notify.ErrForged},
		"no signature":    {func(h http.Header, _, _ *string) { h.Del("X-Twilio-Signature") }, notify.ErrForged},
		"another text":    {func(_ http.Header, body, _ *string) { *body = strings.Replace(*body, "sent", "read", 1) }, notify.ErrForged},
		"another address": {func(_ http.Header, _, address *string) { *address += "?x=1" }, notify.ErrForged},
		"a name twice":    {func(_ http.Header, body, _ *string) { *body += "&MessageStatus=read" }, notify.ErrMalformed},
		"JSON":            {func(h http.Header, _, _ *string) { h.Set("Content-Type", "application/json") }, notify.ErrMalformed},
		"half a form":     {func(_ http.Header, body, _ *string) { *body += "&%zz" }, notify.ErrMalformed},
	} {
		_, err := receive(w, token, form("sent"), c.change)
		require.ErrorIs(t, err, c.want, name)
	}
	other := form("sent")
	other.Set("AccountSid", "AC"+strings.Repeat("1", 32))
	_, err = receive(w, token, other)
	require.ErrorIs(t, err, notify.ErrForged, "another account")
	none := form("sent")
	none.Del("MessageSid")
	_, err = receive(w, token, none)
	require.ErrorIs(t, err, notify.ErrMalformed)
}

func FuzzParseReceipt(f *testing.F) {
	s, err := twilio.New(twilio.Config{
		AccountSID: "AC" + strings.Repeat("1", 32), AuthTokens: []string{strings.Repeat("t", 32)}, Sender: "Boxoffice", Countries: []string{"CN"}, StatusURL: status,
	})
	require.NoError(f, err)
	form := url.Values{"MessageSid": {"SM" + strings.Repeat("0", 32)}, "MessageStatus": {"sent"}, "AccountSid": {"AC" + strings.Repeat("1", 32)}}
	signature := twiliotest.Sign(strings.Repeat("t", 32), status, form)
	f.Add(form.Encode(), signature)
	f.Add(form.Encode()+"&a=b", signature)
	f.Add("%", "")
	f.Fuzz(func(t *testing.T, body, given string) {
		header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "X-Twilio-Signature": {given}}
		d, err := s.ParseReceipt(header, []byte(body), status)
		if err == nil {
			parsed, _ := url.ParseQuery(body)
			require.Equal(t, form, parsed, "nothing is believed that was not signed: %v", d)
			return
		}
		require.True(t, strings.Contains(err.Error(), notify.ErrForged.Error()) || strings.Contains(err.Error(), notify.ErrMalformed.Error()), err)
	})
}

func TestAnAccountThatCannotWorkIsRefused(t *testing.T) {
	_, err := twilio.New(twilio.Config{Name: "T!", AccountSID: "x", APIKey: "SK1", Senders: map[string]string{"XX": "much too long a name"}, StatusURL: "http://tickets.example", URL: "ftp://x", Timeout: -1})
	for _, want := range []string{"name", "account", "auth token", "API key", "sender", "countries", "status callbacks", "API's address", "time-out", `country "XX"`} {
		require.ErrorContains(t, err, want)
	}
}
