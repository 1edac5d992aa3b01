package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/api"
	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/ticketing"
)

// telegraph is a carrier whose receipts are "receipt status", signed with the address it was told to call.
type telegraph struct{}

func (telegraph) Name() string { return "telegraph" }

func (telegraph) ParseReceipt(header http.Header, body []byte, url string) (ticketing.MessageReceipt, error) {
	if header.Get("X-Signature") != "by the telegraph for "+url {
		return ticketing.MessageReceipt{}, notify.ErrForged
	}
	id, status, ok := strings.Cut(string(body), " ")
	if !ok {
		return ticketing.MessageReceipt{}, notify.ErrMalformed
	}
	return ticketing.MessageReceipt{Carrier: "telegraph", ReceiptID: id, Status: status, State: ticketing.MessageDelivered}, nil
}

type message struct {
	Kind, Channel, To, State string
	SentAt                   *time.Time `json:"sent_at"`
}

func (w *world) messages(o placed) []message {
	w.t.Helper()
	a := w.do(call{method: "GET", path: "/api/v1/orders/" + o.ID + "/messages", token: o.Token, valid: true})
	require.Equal(w.t, 200, a.status, string(a.body))
	var view struct{ Messages []message }
	a.decode(w.t, &view)
	return view.Messages
}

func (w *world) receipt(body string, header ...string) answer {
	w.t.Helper()
	set := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	for i := 0; i < len(header); i += 2 {
		set[header[i]] = header[i+1]
	}
	return w.do(call{method: "POST", path: "/api/v1/receipts/telegraph?m=1", body: body, header: set})
}

const byTheTelegraph = "by the telegraph for http://tickets.example/api/v1/receipts/telegraph?m=1"

func TestABuyerSeesWhatWasSentWhereAndWhatBecameOfIt(t *testing.T) {
	w := newWorld(t, func(c *api.Config) { c.Carriers = []api.Carrier{telegraph{}} })
	o := w.order(keyed(1))
	require.Empty(t, w.messages(o))
	w.paidBy(o, "sandbox_card")
	require.Equal(t, []message{
		{Kind: "paid", Channel: "mail", To: "A***@Example.com", State: "WAITING"},
		{Kind: "paid", Channel: "sms", To: "+86*********00", State: "WAITING"},
	}, w.messages(o))

	finish := func(channel ticketing.Channel, outcome ticketing.MessageOutcome) {
		claimed, err := w.store.ClaimMessages(t.Context(), channel, 1, time.Minute, 0)
		require.NoError(t, err)
		require.Equal(t, "WAITING", w.messages(o)[0].State, "that somebody is at it is nothing to a buyer")
		_, err = w.store.FinishMessages(t.Context(), ticketing.EndedMessage{Message: claimed[0], Outcome: outcome})
		require.NoError(t, err)
	}
	finish(ticketing.ChannelSMS, ticketing.MessageOutcome{State: ticketing.MessageSent, Carrier: "telegraph", ReceiptID: "T1"})
	sent := w.messages(o)[1]
	require.Equal(t, "SENT", sent.State)
	require.NotNil(t, sent.SentAt)

	for range 3 {
		require.Equal(t, 204, w.receipt("T1 delivered", "X-Signature", byTheTelegraph).status)
	}
	require.Equal(t, "DELIVERED", w.messages(o)[1].State)
	finish(ticketing.ChannelMail, ticketing.MessageOutcome{State: ticketing.MessageDropped})
	require.Len(t, w.messages(o), 1, "what was not worth sending is not shown")

	w.do(call{method: "GET", path: "/api/v1/orders/" + o.ID + "/messages"}).problem(t, 401, "unauthorized")
	unknown := w.ring.OrderToken(strings.Repeat("0", 26))
	w.do(call{method: "GET", path: "/api/v1/orders/" + strings.Repeat("0", 26) + "/messages", token: unknown, valid: true}).problem(t, 404, "not_found")
	w.store.down.Store(true)
	w.do(call{method: "GET", path: "/api/v1/orders/" + o.ID + "/messages", token: o.Token, valid: true}).problem(t, 503, "unavailable")
}

func TestReceiptsNobodySignedAreNotBelieved(t *testing.T) {
	w := newWorld(t, func(c *api.Config) { c.Carriers = []api.Carrier{telegraph{}} })
	w.receipt("T1 delivered").problem(t, 401, "unauthorized")
	w.receipt("T1 delivered", "X-Signature", strings.Replace(byTheTelegraph, "m=1", "m=2", 1)).problem(t, 401, "unauthorized")
	w.receipt("T1", "X-Signature", byTheTelegraph).problem(t, 400, "malformed")
	w.receipt("T1 delivered", "X-Signature", byTheTelegraph, "Content-Encoding", "gzip").problem(t, 415, "encoding_refused")
	w.receipt(strings.Repeat("T", 65<<10), "X-Signature", byTheTelegraph).problem(t, 413, "body_too_large")
	w.do(call{method: "POST", path: "/api/v1/receipts/pigeon", body: "T1 delivered"}).problem(t, 404, "not_found")
	w.store.down.Store(true)
	w.receipt("T1 delivered", "X-Signature", byTheTelegraph).problem(t, 503, "unavailable")
}
