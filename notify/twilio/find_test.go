package twilio_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/notify/twilio"
	"github.com/boxoffice/boxoffice/notify/twilio/twiliotest"
)

func TestOnlyTheMessageItselfIsFound(t *testing.T) {
	w := newWorld(t)
	_, err := w.sender.Send(t.Context(), sms)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		change func(*notify.Message)
		since  time.Time
		want   bool
	}{
		"itself":                {func(*notify.Message) {}, time.Now(), true},
		"by a clock that lags":  {func(*notify.Message) {}, time.Now().Add(50 * time.Second), true},
		"long before":           {func(*notify.Message) {}, time.Now().Add(2 * time.Minute), false},
		"another text":          {func(m *notify.Message) { m.Text += "张" }, time.Now(), false},
		"another number of it":  {func(m *notify.Message) { m.Text = strings.Replace(m.Text, "2", "3", 1) }, time.Now(), false},
		"the end of its text":   {func(m *notify.Message) { m.Text = "2张" }, time.Now(), false},
		"nothing but signs":     {func(m *notify.Message) { m.Text = "…" }, time.Now(), false},
		"another buyer's phone": {func(m *notify.Message) { m.To = "+8613900139000" }, time.Now(), false},
	} {
		m := sms
		c.change(&m)
		_, ok, err := w.sender.Find(t.Context(), m, c.since)
		require.NoError(t, err, name)
		require.Equal(t, c.want, ok, name)
	}
}

// TestHazard30ATextThatTwilioChangesIsStillFound: else it would be sent again.
func TestHazard30ATextThatTwilioChangesIsStillFound(t *testing.T) {
	m := to(american)
	m.Text = "Boxoffice: “Swan Lake” – 2 tickets, paid… https://tickets.example/orders/01ABC"
	for name, keeps := range map[string]func(string) string{
		"smart encoding":   strings.NewReplacer("“", `"`, "”", `"`, "–", "-", "…", "...").Replace,
		"a trial account":  func(body string) string { return "Sent from your Twilio trial account - " + body },
		"blanks at an end": strings.TrimSpace,
		"full-width signs": strings.NewReplacer("2", "２").Replace,
	} {
		t.Run(name, func(t *testing.T) {
			w := openWorld(t, twiliotest.Config{Keeps: keeps})
			w.SetFaults(twiliotest.Faults{Cut: true, Executed: true, Times: 1})
			since := time.Now()
			_, err := w.sender.Send(t.Context(), m)
			require.ErrorIs(t, err, notify.ErrUnsure)
			found, ok, err := w.sender.Find(t.Context(), m, since)
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, w.Messages()[0].SID, found.ID)
			other := m
			other.Text = strings.Replace(m.Text, "01ABC", "01ABD", 1)
			_, ok, err = w.sender.Find(t.Context(), other, since)
			require.NoError(t, err)
			require.False(t, ok, "another order's")
		})
	}
}

// TestHazard30WhatIsNotKnownIsNotDenied: of a message that is said not to exist a second one is sent.
func TestHazard30WhatIsNotKnownIsNotDenied(t *testing.T) {
	t.Run("a text that is not kept", func(t *testing.T) {
		w := openWorld(t, twiliotest.Config{Keeps: func(string) string { return "" }})
		_, err := w.sender.Send(t.Context(), sms)
		require.NoError(t, err)
		_, _, err = w.sender.Find(t.Context(), sms, time.Now())
		require.ErrorContains(t, err, "may be it")
		_, ok, err := w.sender.Find(t.Context(), sms, time.Now().Add(30*time.Minute))
		require.NoError(t, err, "it is older")
		require.False(t, ok)
	})
	t.Run("asked at once", func(t *testing.T) {
		w := newWorld(t, func(c *twilio.Config) { c.Now = time.Now })
		_, _, err := w.sender.Find(t.Context(), sms, time.Now())
		require.ErrorContains(t, err, "too early")
		_, ok, err := w.sender.Find(t.Context(), sms, time.Now().Add(-time.Minute))
		require.NoError(t, err)
		require.False(t, ok)
		_, err = w.sender.Send(t.Context(), sms)
		require.NoError(t, err)
		_, ok, err = w.sender.Find(t.Context(), sms, time.Now())
		require.NoError(t, err, "what exists is never too early")
		require.True(t, ok)
	})
	for name, faults := range map[string]twiliotest.Faults{
		"a page of HTML": {Status: 502}, "no page": {Status: 200}, "no credentials": {Status: 401, Code: 20003}, "cut": {Cut: true}, "half": {Half: true}, "hanging": {Hang: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			_, err := w.sender.Send(t.Context(), sms)
			require.NoError(t, err)
			w.SetFaults(faults)
			_, ok, err := w.sender.Find(t.Context(), sms, time.Now())
			require.Error(t, err)
			require.False(t, ok)
		})
	}
}

// TestHazard30WhoeverAnswersInTwiliosPlaceDeniesNothing: a proxy's word is not a list of messages, and no receipt.
func TestHazard30WhoeverAnswersInTwiliosPlaceDeniesNothing(t *testing.T) {
	for _, answer := range []string{"{}", `{"messages": null}`, `{"sid": null}`, `{"sid": "logged in"}`} {
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(answer))
		}))
		w := newWorld(t, func(c *twilio.Config) { c.URL = proxy.URL })
		_, err := w.sender.Send(t.Context(), sms)
		require.ErrorIs(t, err, notify.ErrUnsure, answer)
		_, _, err = w.sender.Find(t.Context(), sms, time.Now())
		require.ErrorContains(t, err, "no list", answer)
		proxy.Close()
	}
}

func TestTwoTextsWithoutLettersAreNotTheSame(t *testing.T) {
	w := newWorld(t)
	m := sms
	m.Text = "!!!"
	_, err := w.sender.Send(t.Context(), m)
	require.NoError(t, err)
	m.Text = "…"
	_, ok, err := w.sender.Find(t.Context(), m, time.Now())
	require.NoError(t, err)
	require.False(t, ok)
}

func TestEveryPageIsLookedThrough(t *testing.T) {
	w := openWorld(t, twiliotest.Config{PageSize: 2})
	wanted, err := w.sender.Send(t.Context(), sms)
	require.NoError(t, err)
	other := sms
	for i := range 18 {
		other.Text = strings.Repeat("二", i+1)
		_, err := w.sender.Send(t.Context(), other)
		require.NoError(t, err)
	}
	found, ok, err := w.sender.Find(t.Context(), sms, time.Now())
	require.NoError(t, err)
	require.True(t, ok, "on the tenth page")
	require.Equal(t, wanted.ID, found.ID)
	missing := sms
	missing.Text = "没有"
	_, ok, err = w.sender.Find(t.Context(), missing, time.Now())
	require.NoError(t, err)
	require.False(t, ok)
	for range 2 {
		_, err := w.sender.Send(t.Context(), other)
		require.NoError(t, err)
	}
	_, _, err = w.sender.Find(t.Context(), missing, time.Now())
	require.ErrorContains(t, err, "too many", "what was not looked at is not denied")
}

// TestAnyCrowdOfMessagesIsToldApart: of any messages to two numbers, one is found exactly if it was taken.
func TestAnyCrowdOfMessagesIsToldApart(t *testing.T) {
	texts := rapid.SampledFrom([]string{"一", "二", "三", "A-1", "A1", "a1", "paid: 2", "paid: 22"})
	numbers := rapid.SampledFrom([]string{chinese, american})
	rapid.Check(t, func(r *rapid.T) {
		g, err := twiliotest.Open(twiliotest.Config{PageSize: rapid.IntRange(1, 4).Draw(r, "page size")})
		require.NoError(r, err)
		transport := closing(t)
		defer func() { require.NoError(r, g.Close()); transport.CloseIdleConnections() }()
		c := g.Credentials()
		s, err := twilio.New(twilio.Config{
			AccountSID: c.AccountSID, AuthTokens: []string{c.AuthToken}, Sender: c.Number, Countries: []string{"CN", "US"}, StatusURL: status, URL: g.URL(),
			Transport: transport, Now: later,
		})
		require.NoError(r, err)
		draw := func(name string) notify.Message {
			m := to(numbers.Draw(r, name+" to"))
			m.Text = texts.Draw(r, name)
			return m
		}
		letters := func(m notify.Message) string { return m.To + strings.ReplaceAll(m.Text, "-", "") }
		taken := map[string]bool{}
		for range rapid.IntRange(0, 8).Draw(r, "messages") {
			m := draw("message")
			if rapid.Bool().Draw(r, "lost") {
				continue
			}
			_, err := s.Send(t.Context(), m)
			require.NoError(r, err)
			taken[letters(m)] = true
		}
		asked := draw("asked")
		_, ok, err := s.Find(t.Context(), asked, time.Now())
		require.NoError(r, err)
		require.Equal(r, taken[letters(asked)], ok)
	})
}
