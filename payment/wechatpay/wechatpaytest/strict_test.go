package wechatpaytest_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/boxoffice/boxoffice/payment/wechatpay/wechatpaytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestOnlyTheMerchantIsHeard signs by hand, so that neither side's code is measured with itself.
func TestOnlyTheMerchantIsHeard(t *testing.T) {
	g, err := wechatpaytest.Open(wechatpaytest.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, g.Close()) })
	c := g.Credentials()
	block, _ := pem.Decode(c.Key)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(t, err)
	own := parsed.(*rsa.PrivateKey)
	other, err := wechatpaytest.NewIdentity()
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	const path, body = "/v3/pay/transactions/native", `{"surprise":1}`

	sent := 0
	ask := func(t *testing.T, key *rsa.PrivateKey, merchant, serial, signedBody string, at time.Time, nonce string) (int, string) {
		t.Helper()
		sent++
		if nonce == "" {
			nonce = fmt.Sprintf("nonce%027d", sent)
		}
		sum := sha256.Sum256(fmt.Appendf(nil, "POST\n%s\n%d\n%s\n%s\n", path, at.Unix(), nonce, signedBody))
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		require.NoError(t, err)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.URL()+path, strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Accept", "application/json")
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", fmt.Sprintf(`WECHATPAY2-SHA256-RSA2048 mchid="%s",nonce_str="%s",timestamp="%d",serial_no="%s",signature="%s"`,
			merchant, nonce, at.Unix(), serial, base64.StdEncoding.EncodeToString(signature)))
		response, err := client.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		return response.StatusCode, response.Header.Get("Wechatpay-Signature")
	}
	now := time.Now()
	for name, test := range map[string]struct {
		key              *rsa.PrivateKey
		merchant, serial string
		signed           string
		at               time.Time
		want             int
	}{
		"signed, with a field it does not know": {own, c.Merchant, c.Serial, body, now, http.StatusBadRequest},
		"another key":                           {other.Key, c.Merchant, c.Serial, body, now, http.StatusUnauthorized},
		"another merchant":                      {own, "1900000110", c.Serial, body, now, http.StatusUnauthorized},
		"another serial":                        {own, c.Merchant, "00AA", body, now, http.StatusUnauthorized},
		"another body":                          {own, c.Merchant, c.Serial, `{}`, now, http.StatusUnauthorized},
		"too long ago":                          {own, c.Merchant, c.Serial, body, now.Add(-6 * time.Minute), http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			status, signature := ask(t, test.key, test.merchant, test.serial, test.signed, test.at, "")
			require.Equal(t, test.want, status)
			require.Equal(t, test.want == http.StatusUnauthorized, signature == "", "refusals are signed, too, to who has signed")
		})
	}
	nonce := strings.Repeat("n", 32)
	status, _ := ask(t, own, c.Merchant, c.Serial, body, now, nonce)
	require.Equal(t, http.StatusBadRequest, status)
	status, _ = ask(t, own, c.Merchant, c.Serial, body, now, nonce)
	require.Equal(t, http.StatusUnauthorized, status, "a nonce is used once")
}

// TestAnAuthorizationIsWhole refuses headers before their signature matters.
func TestAnAuthorizationIsWhole(t *testing.T) {
	g, err := wechatpaytest.Open(wechatpaytest.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, g.Close()) })
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	serial := g.Credentials().Serial
	whole := fmt.Sprintf(`WECHATPAY2-SHA256-RSA2048 mchid="1900000109",serial_no="%s",timestamp="%d",nonce_str="%032d",signature="AAAA"`, serial, time.Now().Unix(), 1)
	for name, test := range map[string]struct{ header, why string }{
		"whole, in another order": {whole, "signature"},
		"none":                    {"", "Authorization"},
		"another scheme":          {strings.Replace(whole, "RSA2048", "RSA1024", 1), "Authorization"},
		"a part twice":            {strings.Replace(whole, "signature=", "mchid=", 1), "Authorization"},
		"a part less":             {strings.TrimSuffix(whole, `,signature="AAAA"`), "Authorization"},
		"a part more":             {whole + `,mchid="1900000109"`, "Authorization"},
		"no commas":               {strings.ReplaceAll(whole, `",`, `"`), "Authorization"},
		"a short nonce":           {strings.Replace(whole, strings.Repeat("0", 31), "", 1), "Authorization"},
	} {
		t.Run(name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.URL()+"/v3/refund/domestic/refunds/1", nil)
			require.NoError(t, err)
			request.Header.Set("Accept", "application/json")
			request.Header.Set("Authorization", test.header)
			response, err := client.Do(request)
			require.NoError(t, err)
			defer response.Body.Close()
			var said struct{ Code, Message string }
			require.NoError(t, json.NewDecoder(response.Body).Decode(&said))
			require.Equal(t, http.StatusUnauthorized, response.StatusCode)
			require.Equal(t, "SIGN_ERROR", said.Code)
			require.Equal(t, test.why, said.Message)
		})
	}
}
