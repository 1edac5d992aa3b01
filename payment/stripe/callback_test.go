package stripe_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdk "github.com/stripe/stripe-go/v86"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/stripe"
	"github.com/boxoffice/boxoffice/payment/stripe/published"
	"github.com/boxoffice/boxoffice/payment/stripe/stripetest"
)

// seconds is a moment that Stripe can write.
func (w *world) seconds() time.Time { return w.now().Truncate(time.Second) }

func (w *world) parse(t testing.TB, c stripetest.Callback) payment.Notice {
	t.Helper()
	notice, err := w.provider.ParseCallback(c.Header, c.Body, w.now())
	require.NoError(t, err)
	return notice
}

func TestHazard5TheMomentOfSigning(t *testing.T) {
	w := newWorld(t, quick)
	order := w.opened(t)
	now := w.seconds()
	for seconds, believed := range map[int]bool{-301: false, -300: true, -299: true, 0: true, 299: true, 300: true, 301: false, 1 << 40: false} {
		t.Run(strconv.Itoa(seconds), func(t *testing.T) {
			c, ok := w.gateway.Forge(order.Number, stripetest.Forgery{At: now.Add(time.Duration(seconds) * time.Second)})
			if seconds == 1<<40 {
				c, ok = w.gateway.Forge(order.Number, stripetest.Forgery{At: time.Unix(1<<62, 0)})
			}
			require.True(t, ok)
			_, err := w.provider.ParseCallback(c.Header, c.Body, now)
			if believed {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, payment.ErrSignature)
			}
		})
	}
}

func TestHazard28TwoSecretsDuringARotation(t *testing.T) {
	w := newWorld(t)
	old := w.provider
	next := w.gateway.Rotate()
	both := w.adapter(t, func(c *stripe.Config) { c.WebhookSecrets = append(c.WebhookSecrets, next) })
	fresh := w.adapter(t, func(c *stripe.Config) { c.WebhookSecrets = []string{next} })
	believes := func(p *stripe.Provider, c stripetest.Callback) bool {
		_, err := p.ParseCallback(c.Header, c.Body, w.now())
		if err != nil {
			require.ErrorIs(t, err, payment.ErrSignature)
		}
		return err == nil
	}
	order := w.opened(t)
	c, _ := w.gateway.Forge(order.Number, stripetest.Forgery{}) // signed with both
	require.Equal(t, []bool{true, true, true}, []bool{believes(old, c), believes(both, c), believes(fresh, c)})
	w.gateway.Retire()
	c, _ = w.gateway.Forge(order.Number, stripetest.Forgery{}) // signed with the new one
	require.Equal(t, []bool{false, true, true}, []bool{believes(old, c), believes(both, c), believes(fresh, c)})
}

func TestHazard7OtherMerchants(t *testing.T) {
	w := newWorld(t)
	order := w.opened(t)
	for name, change := range map[string]func(map[string]any){
		"live, and we are testing": func(e map[string]any) { e["livemode"] = true },
		"a connected account":      func(e map[string]any) { e["account"] = "acct_1" },
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := w.gateway.Forge(order.Number, stripetest.Forgery{Change: change})
			_, err := w.provider.ParseCallback(c.Header, c.Body, w.now())
			require.ErrorIs(t, err, payment.ErrWrongMerchant)
		})
	}
	live := newWorld(t, func(c *stripetest.Config) { c.SecretKey = "sk_live_0123456789abcdef" })
	order = live.opened(t)
	c, _ := live.gateway.Forge(order.Number, stripetest.Forgery{})
	live.parse(t, c)
	c, _ = live.gateway.Forge(order.Number, stripetest.Forgery{Change: func(e map[string]any) { e["livemode"] = false }})
	_, err := live.provider.ParseCallback(c.Header, c.Body, live.now())
	require.ErrorIs(t, err, payment.ErrWrongMerchant)
}

func TestWhatSessionsTell(t *testing.T) {
	w := newWorld(t)
	arrives, bounces, expires := w.opened(t), w.opened(t), w.opened(t)
	require.NoError(t, w.gateway.PayLater(arrives.Number))
	require.NoError(t, w.gateway.Arrive(arrives.Number))
	require.NoError(t, w.gateway.PayLater(bounces.Number))
	require.NoError(t, w.gateway.Bounce(bounces.Number))
	_, err := w.provider.Close(t.Context(), expires.Number)
	require.NoError(t, err)
	told := map[string][]payment.State{}
	for _, c := range w.gateway.Events(stripe.Events...) {
		notice := w.parse(t, c)
		require.Equal(t, payment.NoticePayment, notice.Kind)
		told[notice.Payment.Number] = append(told[notice.Payment.Number], notice.Payment.State)
		require.Equal(t, notice.Payment.State == payment.StatePaid, notice.Payment.Captured == dollars(38_000))
		require.WithinDuration(t, w.now(), notice.Payment.At, time.Minute)
	}
	require.Equal(t, map[string][]payment.State{
		arrives.Number: {payment.StateUnknown, payment.StatePaid}, bounces.Number: {payment.StateUnknown, payment.StateDeclined},
		expires.Number: {payment.StateClosed},
	}, told)
}

// Events come in any order, and each of them more than once: what each says of a payment that was paid stays the same.
func TestHazard2EventsOutOfOrder(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	_, err := w.provider.Refund(t.Context(), w.refund(paid, 38_000))
	require.NoError(t, err)
	events := w.gateway.Events()
	require.Greater(t, len(events), 5)
	first := map[string]payment.Notice{}
	for _, c := range events {
		notice := w.parse(t, c)
		first[notice.EventID] = notice
	}
	w.wait(time.Minute)
	for _, c := range slices.Backward(w.gateway.Events()) {
		notice := w.parse(t, c)
		require.Equal(t, first[notice.EventID], notice)
	}
	require.Len(t, first, len(events), "each has an id of its own")
}

func TestOtherEventsAreKeptAndMeanNothing(t *testing.T) {
	w := newWorld(t)
	order := w.opened(t)
	for name, f := range map[string]stripetest.Forgery{
		"of a kind nobody subscribed to": {Kind: "customer.created"},
		"another shop's session":         {Change: func(e map[string]any) { about(e)["metadata"] = map[string]any{} }},
		"another shop's number":          {Change: func(e map[string]any) { about(e)["client_reference_id"] = "cart_1" }},
		"a session that sells nothing":   {Change: func(e map[string]any) { about(e)["mode"] = "setup" }},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := w.gateway.Forge(order.Number, f)
			notice := w.parse(t, c)
			require.Equal(t, payment.NoticeOther, notice.Kind)
			require.Zero(t, notice.Payment)
			require.NotEmpty(t, notice.EventID)
		})
	}
	paid := w.paid(t)
	_, err := w.gateway.RefundByHand(paid.Number, 100)
	require.NoError(t, err)
	for _, c := range w.gateway.Events("refund.created", "refund.updated", "payment_intent.succeeded", "charge.succeeded", "charge.refunded") {
		require.Equal(t, payment.NoticeOther, w.parse(t, c).Kind)
	}
}

// about is what an event is about.
func about(event map[string]any) map[string]any {
	encoded, err := json.Marshal(event["data"])
	if err != nil {
		panic(err)
	}
	var data map[string]map[string]any
	if err := json.Unmarshal(encoded, &data); err != nil {
		panic(err)
	}
	event["data"] = data
	return data["object"]
}

func TestSignedNonsense(t *testing.T) {
	w := newWorld(t)
	order := w.opened(t)
	set := func(name string, value any) stripetest.Forgery {
		return stripetest.Forgery{Change: func(e map[string]any) { about(e)[name] = value }}
	}
	for name, f := range map[string]stripetest.Forgery{
		"no id": {Change: func(e map[string]any) { delete(e, "id") }}, "a long id": {Change: func(e map[string]any) { e["id"] = strings.Repeat("x", 200) }},
		"no type": {Change: func(e map[string]any) { e["type"] = "" }}, "a list": {Change: func(e map[string]any) { e["object"] = "list" }},
		"no livemode": {Change: func(e map[string]any) { delete(e, "livemode") }}, "no time": {Change: func(e map[string]any) { e["created"] = -1 }},
		"of the second version": {Change: func(e map[string]any) { e["object"] = "v2.core.event" }},
		"amount in words":       set("amount_total", "much"), "a fraction": set("amount_total", 1.5), "nothing paid": set("amount_total", 0),
		"less than nothing": set("amount_total", -1), "currency in capitals": set("currency", "USD"), "no currency": set("currency", ""),
		"no payment": set("payment_intent", nil), "a charge instead": set("payment_intent", "ch_1"), "paid somehow": set("payment_status", "maybe"),
		"free of charge": set("payment_status", "no_payment_required"), "not a session": set("object", "charge"),
		"succeeded unpaid":    {Kind: "checkout.session.async_payment_succeeded", Change: func(e map[string]any) { about(e)["payment_status"] = "unpaid" }},
		"a session as refund": {Kind: "refund.updated"}, "a session as dispute": {Kind: "charge.dispute.created"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := w.gateway.Forge(order.Number, f)
			notice, err := w.provider.ParseCallback(c.Header, c.Body, w.now())
			require.ErrorIs(t, err, payment.ErrMalformed)
			require.Zero(t, notice)
		})
	}
}

// A session may be shown with its payment intent instead of its id.
func TestAnExpandedPaymentIntent(t *testing.T) {
	w := newWorld(t)
	order := w.opened(t)
	c, _ := w.gateway.Forge(order.Number, stripetest.Forgery{Change: func(e map[string]any) {
		about(e)["payment_intent"] = map[string]any{"id": "pi_1", "object": "payment_intent", "amount": 38_000}
	}})
	require.Equal(t, "pi_1", w.parse(t, c).Payment.GatewayID)
}

func TestHazard31Bodies(t *testing.T) {
	w := newWorld(t)
	sign := func(body []byte) http.Header {
		signed := sdk.GenerateTestSignedPayload(&sdk.UnsignedPayload{Payload: body, Secret: w.config.WebhookSecrets[0], Timestamp: w.now()})
		return http.Header{"Stripe-Signature": {signed.Header}}
	}
	for name, test := range map[string]struct {
		body []byte
		err  error
	}{
		"huge":           {bytes.Repeat([]byte(" "), 1<<20), payment.ErrSignature},
		"duplicate keys": {[]byte(`{"id":"evt_1","id":"evt_2"}`), payment.ErrMalformed},
		"not UTF-8":      {[]byte("{\"id\":\"\xff\"}"), payment.ErrMalformed},
		"two events":     {[]byte(`{}{}`), payment.ErrMalformed},
		"an empty one":   {[]byte(`{}`), payment.ErrMalformed},
		"nothing":        {nil, payment.ErrMalformed},
		"null":           {[]byte(`null`), payment.ErrMalformed},
		"deep":           {[]byte(`{"data":{"object":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}}`), payment.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.provider.ParseCallback(sign(test.body), test.body, w.now())
			require.ErrorIs(t, err, test.err)
		})
	}
	c, _ := w.gateway.Forge(w.opened(t).Number, stripetest.Forgery{})
	c.Header.Set("Content-Encoding", "gzip")
	_, err := w.provider.ParseCallback(c.Header, c.Body, w.now())
	require.ErrorIs(t, err, payment.ErrSignature)
}

// Stripe's own library is the judge of what a header may look like.
func TestSignatureHeaders(t *testing.T) {
	w := newWorld(t)
	c, _ := w.gateway.Forge(w.opened(t).Number, stripetest.Forgery{})
	now, secret := w.seconds(), w.config.WebhookSecrets[0]
	v1 := hex.EncodeToString(sdk.ComputeSignature(now, c.Body, secret))
	wrong := strings.Repeat("0", 64)
	at := strconv.FormatInt(now.Unix(), 10)
	for name, test := range map[string]struct {
		header   string
		believed bool
	}{
		"as documented":           {"t=" + at + ",v1=" + v1 + ",v0=" + wrong, true},
		"the second of two":       {"t=" + at + ",v1=" + wrong + ",v1=" + v1, true},
		"an unknown scheme first": {"v9=abc,t=" + at + ",v1=" + v1, true},
		"only the test scheme":    {"t=" + at + ",v0=" + v1, false},
		"more after a comma":      {"t=" + at + ",v1=" + v1 + ",", false},
		"no scheme":               {"t=" + at + "," + v1, false},
		"no time":                 {"v1=" + v1, false},
		"a time in words":         {"t=now,v1=" + v1, false},
		"half a signature":        {"t=" + at + ",v1=" + v1[:32], false},
		"not hexadecimal":         {"t=" + at + ",v1=" + strings.Repeat("z", 64), false},
		"empty":                   {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.provider.ParseCallback(http.Header{"Stripe-Signature": {test.header}}, c.Body, now)
			official := sdk.ValidatePayload(c.Body, test.header, secret)
			require.Equal(t, test.believed, official == nil, "Stripe's library: %v", official)
			if test.believed {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, payment.ErrSignature)
			}
		})
	}
	for name, headers := range map[string][]string{
		"two headers": {"t=" + at + ",v1=" + v1, "t=" + at + ",v1=" + v1}, "two times": {"t=" + at + ",t=" + at + ",v1=" + v1},
		"a time with a sign": {"t=+" + at + ",v1=" + v1}, "very long": {"t=" + at + ",v1=" + v1 + strings.Repeat(",v1="+wrong, 100)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.provider.ParseCallback(http.Header{"Stripe-Signature": headers}, c.Body, now)
			require.ErrorIs(t, err, payment.ErrSignature)
		})
	}
}

func TestHazard33Disputes(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	id, err := w.gateway.Dispute(paid.Number, 38_000)
	require.NoError(t, err)
	require.NoError(t, w.gateway.Decide(id, true))
	again, err := w.gateway.Dispute(paid.Number, 100)
	require.NoError(t, err)
	require.NoError(t, w.gateway.Decide(again, false))
	var told []payment.Dispute
	for _, c := range w.gateway.Events(stripe.Events[8:]...) {
		notice := w.parse(t, c)
		require.Equal(t, payment.NoticeDispute, notice.Kind)
		require.Equal(t, paid.GatewayID, notice.Dispute.GatewayID)
		require.Equal(t, "fraudulent", notice.Dispute.Reason)
		require.WithinDuration(t, w.now(), notice.Dispute.At, time.Minute)
		notice.Dispute.GatewayID, notice.Dispute.Reason, notice.Dispute.At = "", "", time.Time{}
		told = append(told, notice.Dispute)
	}
	whole, part, fee := dollars(38_000), dollars(100), dollars(1_500)
	require.Equal(t, []payment.Dispute{
		{ID: id, State: payment.DisputeOpen, Amount: whole},
		{ID: id, State: payment.DisputeOpen, Amount: whole, Fee: fee},
		{ID: id, State: payment.DisputeWon, Amount: whole, Fee: fee},
		{ID: id, State: payment.DisputeWon, Amount: whole, Fee: fee},
		{ID: again, State: payment.DisputeOpen, Amount: part},
		{ID: again, State: payment.DisputeOpen, Amount: part, Fee: fee},
		{ID: again, State: payment.DisputeLost, Amount: part, Fee: fee},
	}, told)
}

// A bank that only asks withholds nothing.
func TestAnInquiryIsNoDisputeYet(t *testing.T) {
	w := newWorld(t)
	id, err := w.gateway.Inquire(w.paid(t).Number, 38_000)
	require.NoError(t, err)
	events := w.gateway.Events("charge.dispute.created")
	require.Len(t, events, 1)
	require.Equal(t, payment.NoticeOther, w.parse(t, events[0]).Kind)
	require.NoError(t, w.gateway.Escalate(id))
	events = w.gateway.Events("charge.dispute.updated", "charge.dispute.funds_withdrawn")
	require.Len(t, events, 2)
	for _, c := range events {
		require.Equal(t, payment.DisputeOpen, w.parse(t, c).Dispute.State, "either is enough to hear of it")
	}
}

// What Stripe publishes as examples of its objects, none of them ours.
func TestPublishedExamplesAreRead(t *testing.T) {
	w := newWorld(t)
	kinds := map[string]string{"checkout.session": "checkout.session.completed", "refund": "refund.updated", "dispute": "charge.dispute.created"}
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		t.Run(name, func(t *testing.T) {
			example, err := published.Example(name)
			require.NoError(t, err)
			body := fmt.Appendf(nil, `{"id":"evt_1","object":"event","type":%q,"created":1234567890,"livemode":false,"data":{"object":%s}}`, kinds[name], example)
			signed := sdk.GenerateTestSignedPayload(&sdk.UnsignedPayload{Payload: body, Secret: w.config.WebhookSecrets[0], Timestamp: w.now()})
			notice, err := w.provider.ParseCallback(http.Header{"Stripe-Signature": {signed.Header}}, body, w.now())
			require.NoError(t, err)
			require.Equal(t, payment.Notice{Provider: "stripe", EventID: "evt_1", Kind: payment.NoticeOther}, notice)
		})
	}
}
