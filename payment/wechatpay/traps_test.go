package wechatpay_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/wechatpay"
	"github.com/boxoffice/boxoffice/payment/wechatpay/wechatpaytest"
)

func TestCallbacksAreReadStrictly(t *testing.T) {
	w := newWorld(t)
	number := w.created(t).Number
	set := func(name string, value any) wechatpaytest.Forgery {
		return wechatpaytest.Forgery{Content: func(c map[string]any) { c[name] = value }}
	}
	sealed := func(name string, value any) wechatpaytest.Forgery {
		return wechatpaytest.Forgery{Open: func(e map[string]any) { e["resource"].(map[string]any)[name] = value }}
	}
	money := func(total any, currency string) wechatpaytest.Forgery {
		return set("amount", map[string]any{"total": total, "currency": currency})
	}
	for name, test := range map[string]struct {
		forgery wechatpaytest.Forgery
		want    error
	}{
		"as it is":              {wechatpaytest.Forgery{}, nil},
		"fields we do not know": {set("promotion_detail", []string{}), nil},
		"euros":                 {money(1, "EUR"), nil},
		"other events":          {wechatpaytest.Forgery{Event: "PAYSCORE.USER_PAID"}, nil},
		"the gateway's probe":   {wechatpaytest.Forgery{Probe: true}, payment.ErrSignature},
		"of the future":         {wechatpaytest.Forgery{At: w.now().Add(6 * time.Minute)}, payment.ErrSignature},
		"another merchant":      {set("mchid", "1900000110"), payment.ErrWrongMerchant},
		"another app":           {set("appid", "wx0000000000000000"), payment.ErrWrongMerchant},
		"no merchant":           {set("mchid", nil), payment.ErrWrongMerchant},
		"no id":                 {wechatpaytest.Forgery{Open: func(e map[string]any) { delete(e, "id") }}, payment.ErrMalformed},
		"a long id": {
			wechatpaytest.Forgery{Open: func(e map[string]any) { e["id"] = strings.Repeat("1", 129) }}, payment.ErrMalformed,
		},
		"no resource":         {wechatpaytest.Forgery{Open: func(e map[string]any) { delete(e, "resource") }}, payment.ErrMalformed},
		"another cipher":      {sealed("algorithm", "AEAD_SM4_GCM"), payment.ErrMalformed},
		"a short nonce":       {sealed("nonce", "short"), payment.ErrMalformed},
		"no nonce":            {sealed("nonce", ""), payment.ErrMalformed},
		"a long nonce":        {sealed("nonce", strings.Repeat("n", 13)), payment.ErrMalformed},
		"another nonce":       {sealed("nonce", strings.Repeat("n", 12)), payment.ErrMalformed},
		"other data":          {sealed("associated_data", "refund"), payment.ErrMalformed},
		"no ciphertext":       {sealed("ciphertext", ""), payment.ErrMalformed},
		"no base64":           {sealed("ciphertext", "***"), payment.ErrMalformed},
		"a strange number":    {set("out_trade_no", "../../x"), payment.ErrMalformed},
		"no gateway's id":     {set("transaction_id", ""), payment.ErrMalformed},
		"a long gateway's id": {set("transaction_id", strings.Repeat("1", 65)), payment.ErrMalformed},
		"an unknown state":    {set("trade_state", "PERHAPS"), payment.ErrMalformed},
		"no money":            {money(0, "CNY"), payment.ErrMalformed},
		"less than no money":  {money(-1, "CNY"), payment.ErrMalformed},
		"yuan and fen":        {money(380.5, "CNY"), payment.ErrMalformed},
		"a text":              {money("38000", "CNY"), payment.ErrMalformed},
		"more than fits":      {money(1e30, "CNY"), payment.ErrMalformed},
		"no currency":         {money(38_000, ""), payment.ErrMalformed},
		"no time":             {set("success_time", ""), payment.ErrMalformed},
		"a day that is none":  {set("success_time", "2026-02-30T12:00:00+08:00"), payment.ErrMalformed},
		"a refund that is none": {
			wechatpaytest.Forgery{Event: "REFUND.SUCCESS"}, payment.ErrMalformed,
		},
		"a refund that contradicts itself": {wechatpaytest.Forgery{Event: "REFUND.SUCCESS", Content: func(c map[string]any) {
			c["out_refund_no"], c["refund_id"], c["refund_status"] = number, "503", "ABNORMAL"
		}}, payment.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			c, ok := w.gateway.Forge(number, test.forgery)
			require.True(t, ok)
			notice, err := w.provider.ParseCallback(c.Header, c.Body, w.now())
			if test.want == nil {
				require.NoError(t, err)
				require.NotEmpty(t, notice.EventID)
				return
			}
			require.ErrorIs(t, err, test.want)
			require.Zero(t, notice)
		})
	}
}

func TestAWrongKeyForWhatIsSealedIsNoPanic(t *testing.T) {
	w := newWorld(t)
	c, ok := w.gateway.Forge(w.created(t).Number, wechatpaytest.Forgery{})
	require.True(t, ok)
	other := w.adapter(t, func(c *wechatpay.Config) { c.APIv3Key = strings.Repeat("k", 32) })
	_, err := other.ParseCallback(c.Header, c.Body, w.now())
	require.ErrorIs(t, err, payment.ErrMalformed)
}

func TestKeysRotate(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	next, err := wechatpaytest.NewIdentity()
	require.NoError(t, err)
	certificate, err := next.Certificate(time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour))
	require.NoError(t, err)
	both := w.adapter(t, func(c *wechatpay.Config) { c.Certificates = certificate })
	w.gateway.Rotate(next)
	_, err = w.provider.Query(t.Context(), paid.Number)
	require.ErrorIs(t, err, payment.ErrUnavailable, "a key nobody told us of")
	_, err = both.Query(t.Context(), paid.Number)
	require.NoError(t, err)
	w.ahead.Store(int64(25 * time.Hour))
	_, err = both.Query(t.Context(), paid.Number)
	require.ErrorIs(t, err, payment.ErrUnavailable, "the certificate has expired")
}

func TestAnswersAreVerified(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	for name, f := range map[string]wechatpaytest.Faults{
		"another key":        {AnswersBy: w.stranger(t)},
		"not signed":         {Unsigned: true},
		"changed":            {Tamper: true},
		"a refusal unsigned": {Unsigned: true, Code: "ORDER_NOT_EXIST", CodeStatus: http.StatusNotFound},
		"a proxy":            {Status: http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			defer w.faults(f)()
			for _, err := range []error{
				second(w.provider.Create(t.Context(), w.order(), wechatpay.MethodNative)),
				second(w.provider.Query(t.Context(), paid.Number)), second(w.provider.Close(t.Context(), paid.Number)),
				second(w.provider.QueryRefund(t.Context(), w.refund(paid, 1))), second(w.provider.Bill(t.Context(), w.now())),
			} {
				require.ErrorIs(t, err, payment.ErrUnavailable)
				require.NotErrorIs(t, err, payment.ErrNotFound)
				require.NotErrorIs(t, err, payment.ErrRejected)
			}
		})
	}
}

// Our own mistake is told to whoever has to mend it, though the gateway does not sign an answer to who did not sign.
func TestARefusalThatIsNotBelievedIsTold(t *testing.T) {
	w := newWorld(t)
	p := w.adapter(t, func(c *wechatpay.Config) { c.Serial = "00AA00AA" })
	_, err := p.Query(t.Context(), w.order().Number)
	require.ErrorIs(t, err, payment.ErrUnavailable)
	require.NotErrorIs(t, err, payment.ErrRejected)
	require.ErrorContains(t, err, "status 401 SIGN_ERROR mchid or serial_no")
}

func second[T any](_ T, err error) error { return err }

func TestRefusalsMeanWhatTheySay(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	for code, want := range map[string]struct {
		status int
		err    error
	}{
		"SYSTEM_ERROR": {500, payment.ErrUnavailable}, "FREQUENCY_LIMITED": {429, payment.ErrUnavailable},
		"SIGN_ERROR": {401, payment.ErrUnavailable}, "NO_AUTH": {403, payment.ErrUnavailable},
		"BIZERR_NEED_RETRY": {400, payment.ErrUnavailable}, "SOMETHING_NEW": {503, payment.ErrUnavailable},
		"NOT_ENOUGH": {403, payment.ErrLowBalance}, "USER_ACCOUNT_ABNORMAL": {403, payment.ErrRejected},
		"INVALID_REQUEST": {400, payment.ErrRejected}, "PARAM_ERROR": {400, payment.ErrRejected},
		"RESOURCE_NOT_EXISTS": {404, payment.ErrNotFound},
	} {
		t.Run(code, func(t *testing.T) {
			defer w.faults(wechatpaytest.Faults{Code: code, CodeStatus: want.status})()
			_, err := w.provider.Refund(t.Context(), w.refund(paid, 1))
			for _, possible := range []error{payment.ErrUnavailable, payment.ErrRejected, payment.ErrLowBalance, payment.ErrNotFound} {
				require.Equal(t, errors.Is(want.err, possible), errors.Is(err, possible), "%v", err)
			}
		})
	}
}

func TestH5NeedsThePayersAddress(t *testing.T) {
	w := newWorld(t)
	order := w.order()
	for _, ip := range []string{"", "somewhere", "127.0.0.1:80"} {
		order.PayerIP = ip
		_, err := w.provider.Create(t.Context(), order, wechatpay.MethodH5)
		require.ErrorIs(t, err, payment.ErrRejected)
	}
	order.PayerIP = "::ffff:203.0.113.7"
	checkout, err := w.provider.Create(t.Context(), order, wechatpay.MethodH5)
	require.NoError(t, err)
	page, err := url.Parse(checkout.PayURL)
	require.NoError(t, err)
	require.Equal(t, order.ReturnURL, page.Query().Get("redirect_url"))
	require.NotEmpty(t, page.Query().Get("package"), "the gateway's own part stays")
	require.Empty(t, checkout.QR)
}

func TestWhatCannotBeCollectedIsRefused(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*payment.Order){
		"euros":         func(o *payment.Order) { o.Amount.Currency = "EUR" },
		"nothing":       func(o *payment.Order) { o.Amount.Amount = 0 },
		"expired":       func(o *payment.Order) { o.ExpiresAt = w.now() },
		"a number":      func(o *payment.Order) { o.Number = "a/b/c/d/e" },
		"no callback":   func(o *payment.Order) { o.NotifyURL = "" },
		"with a query":  func(o *payment.Order) { o.NotifyURL += "?a=b" },
		"nowhere after": func(o *payment.Order) { o.ReturnURL = "javascript:alert(1)" },
	} {
		t.Run(name, func(t *testing.T) {
			order := w.order()
			change(&order)
			_, err := w.provider.Create(t.Context(), order, wechatpay.MethodNative)
			require.ErrorIs(t, err, payment.ErrRejected)
		})
	}
	_, err := w.provider.Create(t.Context(), w.order(), "wechatpay_jsapi")
	require.ErrorIs(t, err, payment.ErrRejected)
	order := w.order()
	order.Description = strings.Repeat("音乐会`🎟\n", 100)
	_, err = w.provider.Create(t.Context(), order, wechatpay.MethodNative)
	require.NoError(t, err, "a long description is cut")
}

func TestRefundsThatFail(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	for said, want := range map[string]payment.RefundState{
		"ABNORMAL": payment.RefundFailed, "CLOSED": payment.RefundFailed, "PROCESSING": payment.RefundPending,
	} {
		restore := w.faults(wechatpaytest.Faults{RefundEnds: said})
		refund := w.refund(paid, 1)
		_, err := w.provider.Refund(t.Context(), refund)
		require.NoError(t, err)
		restore()
		status, err := w.provider.QueryRefund(t.Context(), refund)
		require.NoError(t, err)
		require.Equal(t, want, status.State)
		if want == payment.RefundFailed {
			require.Equal(t, said, status.Reason)
			c := w.mailbox.about(t, refund.ID, 1)[0]
			notice, err := w.provider.ParseCallback(c.Header, c.Body, w.now())
			require.NoError(t, err)
			require.Equal(t, payment.RefundFailed, notice.Refund.State)
		}
	}
	changed := w.refund(paid, 5)
	_, err := w.provider.Refund(t.Context(), changed)
	require.NoError(t, err)
	changed.Amount.Amount = 6
	_, err = w.provider.Refund(t.Context(), changed)
	require.ErrorIs(t, err, payment.ErrRejected)
}

func TestLateMoneyIsTold(t *testing.T) {
	w := newWorld(t)
	order := w.created(t)
	w.ahead.Store(int64(11 * time.Minute))
	require.ErrorIs(t, w.gateway.Pay(order.Number), wechatpaytest.ErrEnded)
	require.NoError(t, w.gateway.PayLate(order.Number))
	status, err := w.provider.Close(t.Context(), order.Number)
	require.NoError(t, err)
	require.Equal(t, payment.StatePaid, status.State)
}

func FuzzParseCallback(f *testing.F) {
	w := newWorld(f)
	c, ok := w.gateway.Forge(w.created(f).Number, wechatpaytest.Forgery{})
	require.True(f, ok)
	header, err := json.Marshal(c.Header)
	require.NoError(f, err)
	f.Add(header, c.Body)
	f.Add([]byte(`{"Wechatpay-Signature":["WECHATPAY/SIGNTEST/"]}`), []byte(`{}`))
	genuine := string(c.Body)
	f.Fuzz(func(t *testing.T, header, body []byte) {
		var h http.Header
		_ = json.Unmarshal(header, &h) // none, then
		notice, err := w.provider.ParseCallback(h, body, w.now())
		if string(body) != genuine {
			require.ErrorIs(t, err, payment.ErrSignature)
			require.Zero(t, notice)
		}
	})
}
