package stripe_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/stripe"
	"github.com/boxoffice/boxoffice/payment/stripe/published"
)

// recorder keeps every answer that it carries.
type recorder struct {
	next http.RoundTripper
	mu   sync.Mutex
	kept [][]byte
}

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = append(r.kept, body)
	return response, nil
}

// checkPublished checks every object of Stripe's inside a value, and counts how many there are of each kind.
func checkPublished(t *testing.T, value any, seen map[string]int) {
	t.Helper()
	switch v := value.(type) {
	case []any:
		for _, one := range v {
			checkPublished(t, one, seen)
		}
	case map[string]any:
		for _, one := range v {
			checkPublished(t, one, seen)
		}
		kind, _ := v["object"].(string)
		if kind == "" || kind == "list" {
			return
		}
		body, err := json.Marshal(v)
		require.NoError(t, err)
		require.NoError(t, published.Object(kind, body))
		seen[kind]++
	}
}

// What the stand-in says is held against what Stripe publishes, too.
func TestTheStandInAnswersAsStripePublishes(t *testing.T) {
	w := newWorld(t)
	r := &recorder{next: w.config.HTTPClient.Transport}
	w.provider = w.adapter(t, func(c *stripe.Config) { c.HTTPClient = &http.Client{Transport: r} })
	paid, later, declined := w.paid(t), w.opened(t), w.opened(t)
	require.NoError(t, w.gateway.PayLater(later.Number))
	require.NoError(t, w.gateway.DeclineCard(declined.Number))
	_, err := w.provider.Close(t.Context(), declined.Number)
	require.NoError(t, err)
	refund := w.refund(paid, 100)
	_, err = w.provider.Refund(t.Context(), refund)
	require.NoError(t, err)
	require.NoError(t, w.gateway.FailRefund(refund.ID, "declined"))
	_, err = w.provider.QueryRefund(t.Context(), refund)
	require.NoError(t, err)
	dispute, err := w.gateway.Dispute(paid.Number, 200)
	require.NoError(t, err)
	require.NoError(t, w.gateway.Decide(dispute, true))
	_, err = w.provider.Bill(t.Context(), w.now())
	require.NoError(t, err)

	seen := map[string]int{}
	for _, c := range w.gateway.Events() {
		r.kept = append(r.kept, c.Body)
	}
	for _, body := range r.kept {
		var value any
		require.NoError(t, json.Unmarshal(body, &value))
		checkPublished(t, value, seen)
	}
	for _, kind := range []string{"checkout.session", "payment_intent", "charge", "refund", "dispute", "balance_transaction", "event"} {
		require.NotZero(t, seen[kind], kind)
	}
}

// ask sends the stand-in a request as any program may.
func (w *world) ask(t *testing.T, method, path, body string, change func(*http.Request)) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, w.gateway.URL()+path, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+w.config.SecretKey)
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if change != nil {
		change(request)
	}
	response, err := w.config.HTTPClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(said)
}

func TestTheStandInIsStrict(t *testing.T) {
	w := newWorld(t, quick)
	form := url.Values{
		"mode": {"payment"}, "success_url": {"https://shop.example/back"}, "line_items[0][quantity]": {"1"},
		"line_items[0][price_data][currency]": {"usd"}, "line_items[0][price_data][unit_amount]": {"100"},
		"line_items[0][price_data][product_data][name]": {"Ticket"}, "client_reference_id": {"N1"},
	}
	with := func(name, value string) string {
		changed := maps.Clone(form)
		if value == "-" {
			changed.Del(name)
		} else {
			changed.Set(name, value)
		}
		return changed.Encode()
	}
	const sessions = "/v1/checkout/sessions"
	status, said := w.ask(t, http.MethodPost, sessions, form.Encode(), nil)
	require.Equal(t, http.StatusOK, status, said)
	long := strings.Repeat("x", 501)
	soon, far := w.now().Add(29*time.Minute).Unix(), w.now().Add(24*time.Hour+time.Minute).Unix()
	for name, test := range map[string]struct {
		method, path, body string
		change             func(*http.Request)
		status             int
		says               string
	}{
		"no key":            {"GET", sessions, "", func(r *http.Request) { r.Header.Del("Authorization") }, 401, "You did not provide an API key"},
		"another key":       {"GET", sessions, "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer sk_test_x") }, 401, "Invalid API Key"},
		"another account":   {"GET", sessions, "", func(r *http.Request) { r.Header.Set("Stripe-Account", "acct_x") }, 403, "account_invalid"},
		"a strange version": {"GET", sessions, "", func(r *http.Request) { r.Header.Set("Stripe-Version", "1") }, 400, "Invalid Stripe API version"},
		"no such endpoint":  {"GET", "/v1/unicorns", "", nil, 404, "Unrecognized request URL"},
		"JSON":              {"POST", sessions, "{}", func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }, 400, "content type"},
		"unknown below":     {"POST", sessions, with("payment_intent_data[colour]", "red"), nil, 400, "parameter_unknown"},
		"empty":             {"POST", sessions, with("client_reference_id", ""), nil, 400, "parameter_invalid_empty"},
		"missing":           {"POST", sessions, with("mode", "-"), nil, 400, "parameter_missing"},
		"another mode":      {"POST", sessions, with("mode", "subscription"), nil, 400, "must be one of payment"},
		"a word":            {"POST", sessions, with("line_items[0][price_data][unit_amount]", "ten"), nil, 400, "Invalid integer"},
		"capitals":          {"POST", sessions, with("line_items[0][price_data][currency]", "USD"), nil, 400, "must be one of"},
		"too little":        {"POST", sessions, with("line_items[0][price_data][unit_amount]", "49"), nil, 400, "amount_too_small"},
		"too much":          {"POST", sessions, with("line_items[0][price_data][unit_amount]", "100000000"), nil, 400, "less than or equal"},
		"too many":          {"POST", sessions, with("line_items[0][quantity]", "1000000"), nil, 400, "less than or equal"},
		"long reference":    {"POST", sessions, with("client_reference_id", long), nil, 400, "at most 200"},
		"long metadata":     {"POST", sessions, with("metadata[x]", long), nil, 400, "Metadata can have"},
		"long name":         {"POST", sessions, with("payment_intent_data[metadata]["+long[:41]+"]", "1"), nil, 400, "Metadata can have"},
		"no address":        {"POST", sessions, with("success_url", "shop.example"), nil, 400, "Not a valid URL"},
		"ends too soon":     {"POST", sessions, with("expires_at", strconv.FormatInt(soon, 10)), nil, 400, "at least 30 minutes"},
		"ends too late":     {"POST", sessions, with("expires_at", strconv.FormatInt(far, 10)), nil, 400, "less than 24 hours"},
		"strange language":  {"POST", sessions, with("locale", "zh-CN"), nil, 400, "must be one of"},
		"WeChat Pay alone":  {"POST", sessions, with("payment_method_types[0]", "wechat_pay"), nil, 400, "payment_method_options[wechat_pay][client]"},
		"expand what":       {"GET", sessions + "?expand[]=unicorn", "", nil, 400, "cannot be expanded"},
		"too long a page":   {"GET", sessions + "?limit=101", "", nil, 400, "less than or equal to 100"},
		"filter by ours":    {"GET", sessions + "?client_reference_id=N1", "", nil, 400, "parameter_unknown"},
		"unknown session":   {"GET", sessions + "/cs_test_1", "", nil, 404, "resource_missing"},
		"refund of nothing": {"POST", "/v1/refunds", "amount=1", nil, 400, "payment_intent or charge"},
		"refund of others":  {"POST", "/v1/refunds", "payment_intent=pi_1", nil, 404, "resource_missing"},
		"strange reason":    {"POST", "/v1/refunds", "payment_intent=pi_1&reason=cancelled", nil, 400, "must be one of"},
	} {
		t.Run(name, func(t *testing.T) {
			status, said := w.ask(t, test.method, test.path, test.body, test.change)
			require.Equal(t, test.status, status, said)
			require.Contains(t, said, test.says)
		})
	}
	require.Equal(t, 1, w.gateway.Sessions("N1"))
}

func TestTheStandInRepeatsItself(t *testing.T) {
	w := newWorld(t, quick)
	paid := w.paid(t)
	refund := func(key, amount string) (int, string) {
		return w.ask(t, http.MethodPost, "/v1/refunds", "payment_intent="+paid.GatewayID+"&amount="+amount, func(r *http.Request) {
			r.Header.Set("Idempotency-Key", key)
		})
	}
	_, first := refund("a", "100")
	_, again := refund("a", "100")
	require.Equal(t, first, again)
	status, said := refund("a", "101")
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, said, "idempotency_error")
	status, _ = refund("b", "100000")
	require.Equal(t, http.StatusBadRequest, status)
	w.wait(25 * time.Hour)
	_, other := refund("a", "100")
	require.NotEqual(t, first, other, "the key is forgotten")
	require.EqualValues(t, 200, w.gateway.Refunded(paid.Number))
}

// The page is for people, and for a browser that stands for one.
func TestThePageOfTheStandIn(t *testing.T) {
	w := newWorld(t)
	w.config.HTTPClient.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	order := w.order()
	checkout, err := w.provider.Create(t.Context(), order, stripe.MethodCheckout)
	require.NoError(t, err)
	path := strings.TrimPrefix(checkout.PayURL, w.gateway.URL())
	for _, step := range []struct {
		method, path string
		status       int
		says         string
	}{
		{"GET", path, http.StatusOK, "哈姆雷特"},
		{"POST", path + "/decline", http.StatusSeeOther, ""},
		{"GET", path, http.StatusOK, "Your card was declined"},
		{"POST", path + "/rob", http.StatusNotFound, ""},
		{"GET", "/c/pay/cs_test_x", http.StatusNotFound, ""},
		{"POST", path + "/pay", http.StatusSeeOther, ""},
		{"GET", path, http.StatusOK, "has complete"},
	} {
		status, said := w.ask(t, step.method, step.path, "", nil)
		require.Equal(t, step.status, status, step.path)
		require.Contains(t, said, step.says)
	}
	w.query(t, order.Number, "paid")
}

// An endpoint that a program registers gets the events it wants, signed with a secret of its own.
func TestARegisteredEndpoint(t *testing.T) {
	w := newWorld(t)
	mailbox := newMailbox(t)
	form := url.Values{"url": {mailbox.server.URL}, "enabled_events[]": stripe.Events}
	status, said := w.ask(t, http.MethodPost, "/v1/webhook_endpoints", form.Encode(), nil)
	require.Equal(t, http.StatusOK, status, said)
	var made struct{ Secret string }
	require.NoError(t, json.Unmarshal([]byte(said), &made))
	paid := w.paid(t)
	c := mailbox.about(t, "checkout.session.completed", paid.Number, 1)[0]
	_, err := w.adapter(t, func(c *stripe.Config) { c.WebhookSecrets = []string{made.Secret} }).ParseCallback(c.Header, c.Body, w.now())
	require.NoError(t, err)
	require.Positive(t, w.gateway.Resend(paid.Number))
	require.Len(t, mailbox.about(t, "checkout.session.completed", paid.Number, 3), 3)
}
