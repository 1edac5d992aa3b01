package twilio_test

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/notify/twilio"
	"github.com/boxoffice/boxoffice/notify/twilio/twiliotest"
)

func TestAnSMSIsHandedOverAsTwilioPublishesItsAPI(t *testing.T) {
	w := newWorld(t, func(c *twilio.Config) { c.Senders = map[string]string{"GB": "Boxoffice", "US": "+15005550006"} })
	receipt, err := w.sender.Send(t.Context(), sms)
	require.NoError(t, err)
	taken := w.Messages()
	require.Len(t, taken, 1)
	require.Equal(t, notify.Receipt{ID: taken[0].SID}, receipt, "a service that has no sender yet counts no segments")
	require.Equal(t, chinese, taken[0].To)
	require.Equal(t, sms.Text, taken[0].Body)
	require.Equal(t, status, taken[0].StatusCallback)
	require.Equal(t, w.Credentials().MessagingService, taken[0].MessagingServiceSID)
	require.Empty(t, taken[0].From)

	receipt, err = w.sender.Send(t.Context(), to(british))
	require.NoError(t, err)
	require.Equal(t, 1, receipt.Segments)
	require.Equal(t, "Boxoffice", w.MessagesTo(british)[0].From, "a country's own sender")
	require.Empty(t, w.MessagesTo(british)[0].MessagingServiceSID)

	long := to(american)
	long.Text = sms.Text + sms.Text + sms.Text
	receipt, err = w.sender.Send(t.Context(), long)
	require.NoError(t, err)
	require.Equal(t, 2, receipt.Segments, "more than 70 Chinese characters")
	require.Equal(t, "+15005550006", w.MessagesTo(american)[0].From)
	require.Equal(t, "twilio", w.sender.Name())
}

func TestAnAPIKeyStandsInForTheToken(t *testing.T) {
	var secret string
	w := newWorld(t, func(c *twilio.Config) { c.AuthTokens = []string{"0123456789abcdef0123456789abcdef"} })
	_, err := w.sender.Send(t.Context(), sms)
	require.ErrorIs(t, err, notify.ErrTemporary, "a wrong token loses no message")
	secret = w.Credentials().APISecret
	w.sender, err = twilio.New(twilio.Config{
		AccountSID: w.Credentials().AccountSID, AuthTokens: []string{"0123456789abcdef0123456789abcdef"}, APIKey: w.Credentials().APIKey, APISecret: secret,
		Sender: w.Credentials().MessagingService, Countries: []string{"CN"}, StatusURL: status, URL: w.URL(), Transport: closing(t),
	})
	require.NoError(t, err)
	_, err = w.sender.Send(t.Context(), sms)
	require.NoError(t, err)
}

// closing is a transport that leaves nothing behind.
func closing(t *testing.T) *http.Transport {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// TestHazard30WhatAnAnswerMeans: whether it may be sent again.
func TestHazard30WhatAnAnswerMeans(t *testing.T) {
	for name, c := range map[string]struct {
		faults twiliotest.Faults
		want   error
	}{
		"too many requests":             {twiliotest.Faults{Status: 429, Code: 20429}, notify.ErrTemporary},
		"bad credentials":               {twiliotest.Faults{Status: 401, Code: 20003}, notify.ErrTemporary},
		"no permission":                 {twiliotest.Faults{Status: 403, Code: 20006}, notify.ErrTemporary},
		"an account that is not there":  {twiliotest.Faults{Status: 404, Code: 20404}, notify.ErrTemporary},
		"too many of something new":     {twiliotest.Faults{Status: 429, Code: 39999}, notify.ErrTemporary},
		"another trouble with a key":    {twiliotest.Faults{Status: 401, Code: 39999}, notify.ErrTemporary},
		"another permission":            {twiliotest.Faults{Status: 403, Code: 39999}, notify.ErrTemporary},
		"a full queue":                  {twiliotest.Faults{Status: 400, Code: 21611}, notify.ErrTemporary},
		"a service without senders":     {twiliotest.Faults{Status: 400, Code: 21703}, notify.ErrTemporary},
		"a proxy that says no":          {twiliotest.Faults{Status: 404}, notify.ErrTemporary},
		"a number that is none":         {twiliotest.Faults{Status: 400, Code: 21211}, notify.ErrRefused},
		"a country that is not allowed": {twiliotest.Faults{Status: 400, Code: 21408}, notify.ErrRefused},
		"unsubscribed":                  {twiliotest.Faults{Status: 400, Code: 21610}, notify.ErrRefused},
		"not reachable by SMS":          {twiliotest.Faults{Status: 400, Code: 21614}, notify.ErrRefused},
		"a code of tomorrow":            {twiliotest.Faults{Status: 400, Code: 39999}, notify.ErrRefused},
		"a page of HTML":                {twiliotest.Faults{Status: 502}, notify.ErrUnsure},
		"a page of HTML, executed":      {twiliotest.Faults{Status: 503, Executed: true}, notify.ErrUnsure},
		"come back later, executed":     {twiliotest.Faults{Status: 503, RetryAfter: time.Second, Executed: true}, notify.ErrUnsure},
		"a proxy out of patience":       {twiliotest.Faults{Status: 408, Executed: true}, notify.ErrUnsure},
		"a proxy left alone":            {twiliotest.Faults{Status: 499, Executed: true}, notify.ErrUnsure},
		"sent elsewhere":                {twiliotest.Faults{Status: 302}, notify.ErrUnsure},
		"unreadable":                    {twiliotest.Faults{Status: 201, Executed: true}, notify.ErrUnsure},
		"half an answer":                {twiliotest.Faults{Half: true, Executed: true}, notify.ErrUnsure},
		"cut":                           {twiliotest.Faults{Cut: true}, notify.ErrUnsure},
		"cut, executed":                 {twiliotest.Faults{Cut: true, Executed: true}, notify.ErrUnsure},
		"no answer":                     {twiliotest.Faults{Hang: true}, notify.ErrUnsure},
		"no answer, executed":           {twiliotest.Faults{Hang: true, Executed: true}, notify.ErrUnsure},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.SetFaults(c.faults)
			since := time.Now()
			_, err := w.sender.Send(t.Context(), sms)
			require.ErrorIs(t, err, c.want)
			require.Equal(t, 1, w.Calls(), "one request, whatever the answer")
			w.SetFaults(twiliotest.Faults{})
			found, ok, err := w.sender.Find(t.Context(), sms, since)
			require.NoError(t, err)
			require.Equal(t, c.faults.Executed, ok, "and it can be known")
			if ok {
				require.Equal(t, w.Messages()[0].SID, found.ID)
			}
		})
	}
}

// TestHazard30ATimeOutAfterAcceptingSendsOnce is what the outbox does with an unknown outcome.
func TestHazard30ATimeOutAfterAcceptingSendsOnce(t *testing.T) {
	for name, executed := range map[string]bool{"accepted": true, "not accepted": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			since := time.Now()
			w.SetFaults(twiliotest.Faults{Hang: true, Executed: executed, Times: 1})
			_, err := w.sender.Send(t.Context(), sms)
			require.ErrorIs(t, err, notify.ErrUnsure)
			receipt, ok, err := w.sender.Find(t.Context(), sms, since)
			require.NoError(t, err)
			if !ok {
				receipt, err = w.sender.Send(t.Context(), sms)
				require.NoError(t, err)
			}
			require.Len(t, w.MessagesTo(chinese), 1)
			require.Equal(t, w.MessagesTo(chinese)[0].SID, receipt.ID)
		})
	}
}

func TestHazard30WhatNeverReachedTwilioIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.SetDown(true))
	_, err := w.sender.Send(t.Context(), sms)
	require.ErrorIs(t, err, notify.ErrTemporary)
	_, _, err = w.sender.Find(t.Context(), sms, time.Now())
	require.Error(t, err, "who cannot be asked does not say no")
	require.NoError(t, w.SetDown(false))
	_, err = w.sender.Send(t.Context(), sms)
	require.NoError(t, err)
	require.Equal(t, 1, w.Calls())

	unknown := newWorld(t, func(c *twilio.Config) {
		c.Transport = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.DNSError{Err: "no such host", Name: "api.twilio.com", IsNotFound: true}
		}}
	})
	_, err = unknown.sender.Send(t.Context(), sms)
	require.ErrorIs(t, err, notify.ErrTemporary)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = w.sender.Send(ended, sms)
	require.ErrorIs(t, err, notify.ErrTemporary, "the caller left before it was sent")
	require.Len(t, w.Messages(), 1)
}

func TestTheCallersPatienceCounts(t *testing.T) {
	w := newWorld(t, func(c *twilio.Config) { c.Timeout = time.Minute })
	w.SetFaults(twiliotest.Faults{Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := w.sender.Send(ctx, sms)
	require.ErrorIs(t, err, notify.ErrUnsure)
	require.Less(t, time.Since(begun), 10*time.Second)
}

func TestHazard30SMSGoOnlyWhereTheyMay(t *testing.T) {
	w := newWorld(t)
	for name, number := range map[string]string{
		"no number": "12345", "no country code": "13800138000", "a landline": "+861065529988", "another country": "+4915123456789",
		"premium": "+449098790000", "toll-free": "+18002345678", "not normal": "+86 138 0013 8000", "too long": "+861380013800011111",
		"an extension": "+14155552671;ext=5", "a satellite": "+881612345678", "an island by the same code": "+447781123456", "empty": "",
	} {
		_, err := w.sender.Send(t.Context(), to(number))
		require.ErrorIs(t, err, notify.ErrRefused, name)
		if number != "" {
			require.NotContains(t, err.Error(), number)
		}
	}
	require.Zero(t, w.Calls(), "Twilio never hears of them")
	_, err := w.sender.Send(t.Context(), to(american))
	require.NoError(t, err, "in North America no number says what it is")
}

// TestNoErrorTellsTheNumber: it is personal data, and errors are logged.
func TestNoErrorTellsTheNumber(t *testing.T) {
	w := newWorld(t)
	w.Refuse(chinese, 21610)
	check := func(err error) {
		t.Helper()
		require.Error(t, err)
		require.NotContains(t, err.Error(), chinese[1:])
	}
	_, err := w.sender.Send(t.Context(), sms)
	require.ErrorContains(t, err, strconv.Itoa(21610), "what Twilio said is told")
	check(err)
	w.SetFaults(twiliotest.Faults{Cut: true})
	_, _, err = w.sender.Find(t.Context(), sms, time.Now())
	check(err)
	require.NoError(t, w.SetDown(true))
	_, _, err = w.sender.Find(t.Context(), sms, time.Now())
	check(err)
	_, err = w.sender.Send(t.Context(), sms)
	check(err)
}
