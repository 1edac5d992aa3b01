package twilio_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/notify/twilio"
	"github.com/boxoffice/boxoffice/notify/twilio/twiliotest"
	"github.com/boxoffice/boxoffice/ticketing"
)

const (
	account, token, older = "AC11111111111111111111111111111111", "tttttttttttttttttttttttttttttttt", "0123456789abcdef0123456789abcdef"
	sid                   = "SM0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"
)

// receiver is a sender that only hears.
func receiver(t testing.TB, tokens ...string) *twilio.Sender {
	t.Helper()
	s, err := twilio.New(twilio.Config{AccountSID: account, AuthTokens: tokens, Sender: "Boxoffice", Countries: []string{"CN"}, StatusURL: status})
	require.NoError(t, err)
	return s
}

func callback(said string) url.Values {
	return url.Values{"MessageSid": {sid}, "SmsSid": {sid}, "MessageStatus": {said}, "AccountSid": {account}, "To": {chinese}, "From": {"+15005550006"}}
}

func signed(key, address string, form url.Values) http.Header {
	return http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=UTF-8"}, "X-Twilio-Signature": {twiliotest.Sign(key, address, form)}}
}

func TestWhatAStatusMeans(t *testing.T) {
	s := receiver(t, token)
	for said, state := range map[string]ticketing.MessageState{
		"accepted": ticketing.MessageSent, "scheduled": ticketing.MessageSent, "queued": ticketing.MessageSent, "sending": ticketing.MessageSent,
		"sent": ticketing.MessageSent, "partially_delivered": ticketing.MessageSent, "delivered": ticketing.MessageDelivered, "read": ticketing.MessageDelivered,
		"undelivered": ticketing.MessageUndelivered, "failed": ticketing.MessageFailed, "canceled": ticketing.MessageFailed, "something_new": ticketing.MessageSent,
	} {
		form := callback(said)
		d, err := s.ParseReceipt(signed(token, status, form), []byte(form.Encode()), status)
		require.NoError(t, err)
		require.Equal(t, notify.Delivery{Carrier: "twilio", ReceiptID: sid, Status: said, State: state}, d)
	}
	form := callback("undelivered")
	form.Set("ErrorCode", "30005")
	d, err := s.ParseReceipt(signed(token, status, form), []byte(form.Encode()), status)
	require.NoError(t, err)
	require.Equal(t, "30005", d.Code)
}

// TestHazard28TwoTokensDuringARotation: callbacks of either are believed, and of no third.
func TestHazard28TwoTokensDuringARotation(t *testing.T) {
	form := callback("sent")
	for name, c := range map[string]struct {
		tokens []string
		want   error
	}{"before": {[]string{older}, nil}, "overlap": {[]string{token, older}, nil}, "after": {[]string{token}, notify.ErrForged}} {
		_, err := receiver(t, c.tokens...).ParseReceipt(signed(older, status, form), []byte(form.Encode()), status)
		require.ErrorIs(t, err, c.want, name)
	}
}

func TestForgedAndMalformedReceiptsAreToldApart(t *testing.T) {
	s := receiver(t, token)
	for name, c := range map[string]struct {
		change func(h http.Header, body, address *string)
		want   error
	}{
		"another token": {func(h http.Header, _, _ *string) {
			h.Set("X-Twilio-Signature", twiliotest.Sign(older, status, callback("sent")))
		}, notify.ErrForged},
		"no signature":       {func(h http.Header, _, _ *string) { h.Del("X-Twilio-Signature") }, notify.ErrForged},
		"half a signature":   {func(h http.Header, _, _ *string) { h.Set("X-Twilio-Signature", h.Get("X-Twilio-Signature")[:10]) }, notify.ErrForged},
		"another text":       {func(_ http.Header, body, _ *string) { *body = strings.Replace(*body, "sent", "read", 1) }, notify.ErrForged},
		"one more parameter": {func(_ http.Header, body, _ *string) { *body += "&ErrorCode=30005" }, notify.ErrForged},
		"another query":      {func(_ http.Header, _, address *string) { *address += "?x=1" }, notify.ErrForged},
		"another host":       {func(_ http.Header, _, address *string) { *address = strings.Replace(*address, "tickets", "other", 1) }, notify.ErrForged},
		"without TLS":        {func(_ http.Header, _, address *string) { *address = strings.Replace(*address, "https", "http", 1) }, notify.ErrForged},
		"a name twice":       {func(_ http.Header, body, _ *string) { *body += "&MessageStatus=read" }, notify.ErrMalformed},
		"JSON":               {func(h http.Header, _, _ *string) { h.Set("Content-Type", "application/json") }, notify.ErrMalformed},
		"no type":            {func(h http.Header, _, _ *string) { h.Del("Content-Type") }, notify.ErrMalformed},
		"compressed":         {func(h http.Header, _, _ *string) { h.Set("Content-Encoding", "gzip") }, notify.ErrMalformed},
		"half a form":        {func(_ http.Header, body, _ *string) { *body += "&%zz" }, notify.ErrMalformed},
		"nothing":            {func(_ http.Header, body, _ *string) { *body = "" }, notify.ErrForged},
	} {
		header, body, address := signed(token, status, callback("sent")), callback("sent").Encode(), status
		c.change(header, &body, &address)
		_, err := s.ParseReceipt(header, []byte(body), address)
		require.ErrorIs(t, err, c.want, name)
	}
	for name, c := range map[string]struct {
		field, value string
		want         error
	}{
		"another account": {"AccountSid", "AC22222222222222222222222222222222", notify.ErrForged},
		"no message":      {"MessageSid", "", notify.ErrMalformed},
		"a strange one":   {"MessageSid", "SM1", notify.ErrMalformed},
		"no status":       {"MessageStatus", "", notify.ErrMalformed},
		"a strange one ":  {"MessageStatus", "se\x00nt", notify.ErrMalformed},
		"a strange code":  {"ErrorCode", "x", notify.ErrMalformed},
	} {
		form := callback("sent")
		form.Set(c.field, c.value)
		_, err := s.ParseReceipt(signed(token, status, form), []byte(form.Encode()), status)
		require.ErrorIs(t, err, c.want, name)
	}
}

// TestASignatureCoversThePublicAddress: a proxy changes host, port and scheme; what counts is what Twilio was told.
func TestASignatureCoversThePublicAddress(t *testing.T) {
	public := "https://tickets.example/api/v1/receipts/twilio?shop=%E6%B5%B7&a=b+c"
	s := receiver(t, token)
	var mu sync.Mutex
	var heard, directly []error
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, err := s.ParseReceipt(r.Header, body, "https://tickets.example"+r.URL.RequestURI())
		_, wrong := s.ParseReceipt(r.Header, body, "http://"+r.Host+r.URL.RequestURI())
		mu.Lock()
		heard, directly = append(heard, err), append(directly, wrong)
		mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	form := callback("delivered")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/api/v1/receipts/twilio?shop=%E6%B5%B7&a=b+c", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	request.Header = signed(token, public, form)
	response, err := server.Client().Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Len(t, heard, 1)
	require.NoError(t, heard[0])
	require.ErrorIs(t, directly[0], notify.ErrForged)
	_, err = s.ParseReceipt(signed(token, strings.Replace(public, ".example", ".example:443", 1), form), []byte(form.Encode()), public)
	require.NoError(t, err, "Twilio's signatures have the port at times")
}

// TestTwiliosCallbacksAreHeard: early, late, several times and in any order; each says the same of itself.
func TestTwiliosCallbacksAreHeard(t *testing.T) {
	var w *world
	var mu sync.Mutex
	heard, failing := []string{}, 1
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		d, err := w.sender.ParseReceipt(r.Header, body, "http://"+r.Host+r.URL.RequestURI())
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil:
			heard = append(heard, err.Error())
		case failing > 0:
			failing--
			answer.WriteHeader(http.StatusServiceUnavailable)
		default:
			heard = append(heard, d.ReceiptID+" "+d.Status+" "+d.Code)
		}
	}))
	defer server.Close()
	w = newWorld(t, func(c *twilio.Config) { c.StatusURL = server.URL + "/receipts?carrier=twilio" })
	w.SetReports(twiliotest.Reports{Statuses: []string{"undelivered", "sent"}, ErrorCode: "30003", Times: 2, Delay: time.Millisecond, Retries: 1})
	receipt, err := w.sender.Send(t.Context(), sms)
	require.NoError(t, err)
	late, early := receipt.ID+" undelivered 30003", receipt.ID+" sent "
	require.Eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(heard) == 4 && len(w.Tellings()) == 5 // Twilio notes an answer after it was given
	}, 10*time.Second, 5*time.Millisecond, "one is told again")
	require.Equal(t, []string{late, late, early, early}, heard)
	require.Equal(t, http.StatusServiceUnavailable, w.Tellings()[0].Answer)
	require.Equal(t, "undelivered", w.Messages()[0].Status, "the furthest")
}

func FuzzParseReceipt(f *testing.F) {
	s := receiver(f, token, older)
	form := callback("sent")
	signature := twiliotest.Sign(token, status, form)
	f.Add(form.Encode(), signature, status)
	f.Add(form.Encode(), twiliotest.Sign(older, status, form), status)
	f.Add(form.Encode()+"&a=b", signature, status)
	f.Add(form.Encode(), signature, "https://tickets.example:443/api/v1/receipts/twilio")
	f.Add("%", "", ":")
	f.Fuzz(func(t *testing.T, body, given, address string) {
		header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "X-Twilio-Signature": {given}}
		d, err := s.ParseReceipt(header, []byte(body), address)
		if err == nil {
			parsed, err := url.ParseQuery(body)
			require.NoError(t, err)
			require.Equal(t, form, parsed, "nothing is believed that was not signed: %v", d)
			return
		}
		require.Equal(t, notify.Delivery{}, d)
		require.NotEqual(t, errors.Is(err, notify.ErrForged), errors.Is(err, notify.ErrMalformed), err)
	})
}
