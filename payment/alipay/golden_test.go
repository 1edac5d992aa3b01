package alipay

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/smartwalle/alipay/v3"
	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

// The genuine messages in testdata prove that we read and verify what Alipay really sends.

// golden is a provider that believes one key.
func golden(t testing.TB, key string, transport http.RoundTripper) *Provider {
	t.Helper()
	public, err := os.ReadFile("testdata/" + key)
	require.NoError(t, err)
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	p, err := New(Config{
		AppID: "2019073166072302", SellerID: "2088531891668739", PublicKeys: [][]byte{public}, HTTPClient: &http.Client{Transport: transport},
		Key: pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(own)}),
	})
	require.NoError(t, err)
	return p
}

var (
	genuineAt     = time.Date(2019, 8, 15, 8, 0, 0, 0, time.UTC)
	genuineHeader = http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=UTF-8"}}
)

func genuineCallback(t testing.TB) url.Values {
	t.Helper()
	text, err := os.ReadFile("testdata/callback_paid.txt")
	require.NoError(t, err)
	form := url.Values{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		form.Set(name, value)
	}
	return form
}

func TestAGenuineCallback(t *testing.T) {
	p := golden(t, "callback_paid.pem", nil)
	form := genuineCallback(t)
	notice, err := p.ParseCallback(genuineHeader, []byte(form.Encode()), genuineAt)
	require.NoError(t, err)
	require.Equal(t, payment.Notice{
		Provider: "alipay", EventID: "2019081500222155624068450559358070:TRADE_SUCCESS", Kind: payment.NoticePayment,
		Payment: payment.Status{
			Number: "20190815155618536-564-57", GatewayID: "2019081522001468450512505578", State: payment.StatePaid,
			Captured: ticketing.Money{Amount: 10, Currency: "CNY"}, At: time.Date(2019, 8, 15, 7, 56, 24, 0, time.UTC),
		},
	}, notice)
	for name := range form {
		altered := genuineCallback(t)
		altered.Set(name, altered.Get(name)+"0")
		_, err := p.ParseCallback(genuineHeader, []byte(altered.Encode()), genuineAt)
		require.ErrorIs(t, err, payment.ErrSignature, name)
	}
	_, err = golden(t, "answer.pem", nil).ParseCallback(genuineHeader, []byte(form.Encode()), genuineAt)
	require.ErrorIs(t, err, payment.ErrSignature)
}

// canned answers every request with a text.
type canned string

func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(c)))}, nil
}

func TestAGenuineAnswer(t *testing.T) {
	text, err := os.ReadFile("testdata/answer.json")
	require.NoError(t, err)
	ask := func(text string) (id string, err error) {
		var a struct {
			answer

			ID string `json:"file_id"`
		}
		err = golden(t, "answer.pem", canned(text)).call(t.Context(), alipay.NewPayload("alipay.open.file.upload"), &a)
		return a.ID, err
	}
	id, err := ask(string(text))
	require.NoError(t, err)
	require.Equal(t, "CAxAToWB1JsAAAAAAAAAAAAADgSLAQBr", id)
	_, err = ask(strings.Replace(string(text), "Success", "success", 1))
	require.ErrorIs(t, err, payment.ErrUnavailable)
}

// FuzzParseCallback: never a panic, one of the three errors, and nothing believed that the gateway did not sign.
func FuzzParseCallback(f *testing.F) {
	p := golden(f, "callback_paid.pem", nil)
	form := genuineCallback(f)
	f.Add([]byte(form.Encode()))
	f.Add([]byte(form.Encode() + "&sign_type=RSA2"))
	f.Add([]byte(strings.ReplaceAll(form.Encode(), "+", "%20")))
	f.Add([]byte(strings.Replace(form.Encode(), "RSA2", "RSA", 1)))
	f.Add([]byte("sign_type=RSA2&sign=AAAA"))
	f.Add([]byte("sign=%zz"))
	f.Add([]byte(""))
	want, err := p.ParseCallback(genuineHeader, []byte(form.Encode()), genuineAt)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, body []byte) {
		notice, err := p.ParseCallback(genuineHeader, body, genuineAt)
		if err == nil { // the same parameters, perhaps spelt otherwise
			require.Equal(t, want, notice)
			return
		}
		require.Zero(t, notice)
		require.ErrorIs(t, err, payment.ErrSignature)
	})
}
