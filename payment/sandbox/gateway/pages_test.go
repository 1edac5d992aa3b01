package gateway_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
)

// browser keeps cookies, as payers' browsers do.
func browser(t *testing.T) *http.Client {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: transport}
}

type page struct {
	status int
	header http.Header
	text   string
}

func load(t *testing.T, client *http.Client, address string) page {
	t.Helper()
	response, err := client.Get(address)
	return read(t, response, err)
}

func read(t *testing.T, response *http.Response, err error) page {
	t.Helper()
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return page{response.StatusCode, response.Header, string(text)}
}

var tokenField = regexp.MustCompile(`name="token" value="([0-9a-f]{64})"`)

func press(t *testing.T, client *http.Client, address string, form url.Values) page {
	t.Helper()
	if !form.Has("token") {
		found := tokenField.FindStringSubmatch(load(t, client, address).text)
		require.Len(t, found, 2, "the page has a form")
		form.Set("token", found[1])
	}
	response, err := client.PostForm(address, form)
	return read(t, response, err)
}

func TestThePayPageShowsWhatIsPaid(t *testing.T) {
	s := open(t, settings(t))
	order := s.order()
	order.Description = `Play <script>alert("&")</script>`
	order.Amount.Amount = 123456789
	made := s.created(order)
	shown := load(t, browser(t), made.PayURL)
	require.Equal(t, http.StatusOK, shown.status)
	require.Contains(t, shown.text, "1,234,567.89")
	require.Contains(t, shown.text, order.Number)
	require.Contains(t, shown.text, "Play &lt;script&gt;")
	require.NotContains(t, shown.text, "<script>")
	require.Contains(t, shown.text, `lang="en"`)
	for _, id := range []string{"gw-pay", "gw-decline", "gw-pay-late", "gw-cancel", "gw-processing"} {
		require.Contains(t, shown.text, `data-testid="`+id+`"`)
	}
	policy := shown.header.Get("Content-Security-Policy")
	require.Contains(t, policy, "script-src 'self'")
	require.NotContains(t, policy, "unsafe")
	require.Contains(t, load(t, browser(t), made.PayURL+"?lang=zh-CN").text, "拒绝支付")
	require.Equal(t, http.StatusNotFound, load(t, browser(t), s.URL()+"/pay/SBNOSUCH").status)
}

func TestThePayersButtonsDoWhatTheySay(t *testing.T) {
	for step, test := range map[string]struct {
		state   string
		text    string
		seconds string
	}{
		"pay":     {sandbox.Paid, "Payment received", ""},
		"decline": {sandbox.Declined, "Payment declined", ""},
		"cancel":  {sandbox.Pending, "Nothing was paid", ""},
		"process": {sandbox.Processing, "being processed", "3600"},
	} {
		t.Run(step, func(t *testing.T) {
			s := open(t, settings(t))
			made := s.created(s.order())
			answer := press(t, browser(t), made.PayURL, url.Values{"step": {step}, "seconds": {test.seconds}})
			require.Equal(t, http.StatusOK, answer.status)
			require.Contains(t, answer.text, test.text)
			require.Contains(t, answer.text, `http-equiv="refresh" content="3;url=http://shop.example/orders/1"`)
			require.Equal(t, test.state, s.payment(made.Number).State)
		})
	}
}

func TestPayLateCapturesAfterTheDeadline(t *testing.T) {
	s := open(t, settings(t))
	order := s.order()
	order.ExpiresAt = s.now().Add(time.Hour)
	made := s.created(order)
	answer := press(t, browser(t), made.PayURL, url.Values{"step": {"pay-late"}, "when": {"deadline"}, "seconds": {"30"}})
	require.Contains(t, answer.text, "arrive later")
	require.WithinDuration(t, order.ExpiresAt.Add(5*time.Second), s.payment(made.Number).CaptureAt, time.Second)
	soon := s.created(s.order())
	press(t, browser(t), soon.PayURL, url.Values{"step": {"pay-late"}, "when": {"seconds"}, "seconds": {"0"}})
	s.eventually(func() bool { return s.payment(soon.Number).State == sandbox.Paid })
}

func TestAFormMustComeFromItsPage(t *testing.T) {
	s := open(t, settings(t))
	made := s.created(s.order())
	own := browser(t)
	token := tokenField.FindStringSubmatch(load(t, own, made.PayURL).text)[1]
	other := browser(t)
	load(t, other, made.PayURL)
	require.Equal(t, http.StatusForbidden, press(t, other, made.PayURL, url.Values{"step": {"pay"}, "token": {token}}).status, "another browser's")
	require.Equal(t, http.StatusForbidden, press(t, browser(t), made.PayURL, url.Values{"step": {"pay"}, "token": {token}}).status, "no cookie")
	require.Equal(t, http.StatusForbidden, press(t, own, made.PayURL, url.Values{"step": {"pay"}, "token": {""}}).status)
	request, err := http.NewRequest(http.MethodPost, made.PayURL, strings.NewReader(url.Values{"step": {"pay"}, "token": {token}}.Encode()))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "cross-site")
	response, err := own.Do(request)
	require.Equal(t, http.StatusForbidden, read(t, response, err).status, "from another site")
	require.Equal(t, http.StatusBadRequest, press(t, own, made.PayURL, url.Values{"step": {"pay-late"}, "seconds": {"-1"}}).status)
	require.Equal(t, http.StatusConflict, press(t, own, made.PayURL, url.Values{"step": {"steal"}}).status)
	require.Equal(t, sandbox.Pending, s.payment(made.Number).State)
}

func TestAPageThatWasOvertakenSaysSo(t *testing.T) {
	s := open(t, settings(t))
	made := s.created(s.order())
	payer := browser(t)
	token := tokenField.FindStringSubmatch(load(t, payer, made.PayURL).text)[1]
	_, err := s.close(made.Number)
	require.NoError(t, err)
	answer := press(t, payer, made.PayURL, url.Values{"step": {"pay"}, "token": {token}})
	require.Equal(t, http.StatusConflict, answer.status)
	require.Contains(t, answer.text, "no longer possible")
	require.Equal(t, sandbox.Closed, s.payment(made.Number).State)
}

func TestTheSwitchesPageSetsEverySwitch(t *testing.T) {
	s := open(t, settings(t))
	demonstrator := browser(t)
	answer := press(t, demonstrator, s.URL()+"/switches", url.Values{
		"down": {"create", "query"}, "hang": {"bill"}, "fail_after": {"refund"}, "cut": {"close"}, "slow_query": {"7"}, "late_create": {"8"},
		"lose": {"on"}, "lose_first": {"3"}, "duplicate": {"2"}, "reorder": {"4"}, "forge": {"stale", "merchant"},
		"capture_amount": {"5"}, "capture_currency": {"EUR"}, "refund_pending": {"6"}, "refund_window": {"7"}, "refund_fails": {"on"}, "low_balance": {"on"},
	})
	require.Equal(t, http.StatusOK, answer.status)
	want := gateway.Faults{
		Slow: map[string]int{"query": 7}, LateAnswer: map[string]int{"create": 8}, Down: []string{"create", "query"}, Hang: []string{"bill"},
		FailAfter: []string{"refund"}, Cut: []string{"close"}, Duplicate: 2, Lose: true, LoseFirst: 3, Reorder: 4,
		Forge:         []gateway.Forgery{gateway.ForgeStale, gateway.ForgeMerchant},
		CaptureAmount: 5, CaptureCurrency: "EUR", RefundPending: 6, RefundWindow: 7, RefundFails: true, LowBalance: true,
	}
	set, err := s.control.Faults(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, set)
	require.Contains(t, load(t, demonstrator, s.URL()).text, "misbehaves")

	refused := press(t, demonstrator, s.URL()+"/switches", url.Values{"duplicate": {"many"}})
	require.Equal(t, http.StatusBadRequest, refused.status)
	press(t, demonstrator, s.URL()+"/switches", url.Values{"all": {"behave"}})
	set, err = s.control.Faults(t.Context())
	require.NoError(t, err)
	require.Equal(t, gateway.Faults{}, set)
}
