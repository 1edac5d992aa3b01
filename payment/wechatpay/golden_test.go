package wechatpay

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

// What WeChat Pay published is in testdata, whose README says where. It proves that we sign as it wants, and read what it really sends.

func published(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return content
}

// golden is the merchant of the documentation.
func golden(t testing.TB, change func(*Config)) *Provider {
	t.Helper()
	c := Config{
		Merchant: "1900007291", AppID: "wxd678efh567hg6787", Key: published(t, "merchant_key.pem"), APIv3Key: "a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb",
		Serial:     "408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB",
		PublicKeys: map[string][]byte{"PUB_KEY_ID_0000000000000024101100397200000006": published(t, "answer.pem")},
	}
	change(&c)
	p, err := New(c)
	require.NoError(t, err)
	return p
}

func asDocumented(*Config) {}

// The signatures of the documentation are reproduced to the letter.
func TestPublishedRequests(t *testing.T) {
	p := golden(t, asDocumented)
	at := time.Unix(1554208460, 0)
	for _, test := range []struct{ method, path, body, signature string }{
		// https://pay.weixin.qq.com/doc/v3/merchant/4012365334: parameters in the path
		{
			"GET", "/v3/refund/domestic/refunds/123123123123", "",
			"Lc9VXxmeonkdV8Xk9tmigQFLhl0vRWTerdmoRu01aAnYwIrD/5nsSwE1WlmZGLRlAFTNQ3QsMa0+VRDlJp1Wp5p0nO8EK68b5sJBbjouxaFciIfq1zfDWWz+jqhcMoKXI1A6dPm1AW7D4d30WsMTNzp6g23OXakIsh9LO3lUmwvTuE0BY8ncf6tNGk4wKmvXwERd/ZpoQY3MAVKz+Nakwc+2XBmzT66KcUehU5kr4IvGa/lEU5RZb/q00zP9VLdBhC/jQSX3X1UcJLCtEc4gTmib4tnmAT+bHF/e17ZAuxDNcx6rqT8gNEXqaJGG+1OflMSTU2tpyG65G4dMKdFcoA==",
		},
		// https://pay.weixin.qq.com/doc/v3/merchant/4012365336: a body
		{
			"POST", "/v3/pay/transactions/jsapi",
			`{"appid":"wxd678efh567hg6787","mchid":"1900007291","description":"Image形象店-深圳腾大-QQ公仔","out_trade_no":"1217752501201407033233368018","notify_url":"https://www.weixin.qq.com/wxpay/pay.php","amount":{"total":100,"currency":"CNY"},"payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}}`,
			"jnks4dlrPw3ZX+ozVvSK39oa0t7OMBsg83BHAwd8BRdUFiVaQNTLTvci+wURgP1OQBbKYhFGvt7iqYpDSTQkp7Uq1sltaQKyncCyrA1g88m5bsKERQfPyT0ahSwKTYJ1CAn9QiJuSJRq1QsQs07eehbU/k9BCS51jTyc1Jpsi2H77HF9f/BnjXAOP3/sPObg6V5Ee4EzwLox684hhuMuIwHo7D8KFk3LIHOKDcNI4It1aCXydFWNpNK+SG86VUDe5kwoDpw4Ulqfu9z8OFDGbDs9TCxEv8iqQzbpxOlEVoOe2kalSYM5kApQb3nZcxdUtoE0liJGW3RGUNE0t4v01A==",
		},
	} {
		authorization, err := p.authorize(test.method, test.path, []byte(test.body), at, "593BEC0C930BF1AFEB40B4A08C8FB242")
		require.NoError(t, err)
		scheme, parts, _ := strings.Cut(authorization, " ")
		require.Equal(t, "WECHATPAY2-SHA256-RSA2048", scheme)
		require.ElementsMatch(t, []string{ // they have no order
			`mchid="1900007291"`, `nonce_str="593BEC0C930BF1AFEB40B4A08C8FB242"`, `signature="` + test.signature + `"`,
			`timestamp="1554208460"`, `serial_no="408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB"`,
		}, strings.Split(parts, ","))
	}
}

// answered is what the gateway said, whatever it is asked.
type answered struct {
	header http.Header
	body   string
}

func (a answered) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: a.header, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

// genuineAnswer is one to a Native order: https://pay.weixin.qq.com/doc/v3/merchant/4013053249
func genuineAnswer() answered {
	return answered{http.Header{
		"Wechatpay-Nonce":     {"d824f2e086d3c1df967785d13fcd22ef"},
		"Wechatpay-Timestamp": {"1722850421"},
		"Wechatpay-Serial":    {"PUB_KEY_ID_0000000000000024101100397200000006"},
		"Wechatpay-Signature": {"mfI1CPqvBrgcXfgXMFjdNIhBf27ACE2YyeWsWV9ZI7T7RU0vHvbQpu9Z32ogzc+k8ZC5n3kz7h70eWKjgqNdKQF0eRp8mVKlmfzMLBVHbssB9jEZEDXThOX1XFqX7s7ymia1hoHQxQagPGzkdWxtlZPZ4ZPvr1RiqkgAu6Is8MZgXXrRoBKqjmSdrP1N7uxzJ/cjfSiis9FiLjuADoqmQ1P7p2N876YPAol7Rn0+GswwAwxldbdLrmVSjfytfSBJFqTMHn4itojgxSWWN1byuckQt8hSTEv/Lg97QoeGniYP17T80pJeQyL3b+295FPHSO2AtvCgyIbKMZ0BALilAA=="},
	}, `{"code_url":"weixin://wxpay/bizpayurl?pr=JyC91EIz1"}`}
}

func TestAPublishedAnswer(t *testing.T) {
	at := time.Unix(1722850421, 0)
	ask := func(a answered, now time.Time) (payment.Checkout, error) {
		p := golden(t, func(c *Config) {
			c.HTTPClient, c.Now = &http.Client{Transport: a}, func() time.Time { return now }
		})
		return p.Create(t.Context(), payment.Order{
			Number: "1217752501201407033233368018", Amount: ticketing.Money{Amount: 100, Currency: "CNY"}, Description: "QQ公仔",
			ExpiresAt: now.Add(time.Minute), NotifyURL: "https://shop.example/notify", ReturnURL: "https://shop.example/",
		}, MethodNative)
	}
	checkout, err := ask(genuineAnswer(), at)
	require.NoError(t, err)
	require.Equal(t, payment.Checkout{QR: "weixin://wxpay/bizpayurl?pr=JyC91EIz1"}, checkout)

	for name := range genuineAnswer().header {
		a := genuineAnswer()
		a.header.Set(name, altered(a.header.Get(name)))
		_, err := ask(a, at)
		require.ErrorIs(t, err, payment.ErrUnavailable, name)
	}
	a := genuineAnswer()
	a.body += " "
	_, err = ask(a, at)
	require.ErrorIs(t, err, payment.ErrUnavailable)
	_, err = ask(genuineAnswer(), at.Add(6*time.Minute))
	require.ErrorIs(t, err, payment.ErrUnavailable, "it is too old")
}

// altered is a text with another digit in its middle.
func altered(text string) string {
	middle := len(text) / 2
	if text[middle] == '1' {
		return text[:middle] + "2" + text[middle+1:]
	}
	return text[:middle] + "1" + text[middle+1:]
}

func TestAPublishedCallback(t *testing.T) {
	p := golden(t, func(c *Config) { c.Certificates = published(t, "callback.pem") })
	p.config.APIv3Key = "testMchAPIv3Key0" // theirs has half the length that a merchant's must have
	at := time.Unix(1624523846, 0)
	body := published(t, "callback.json")
	header := http.Header{
		"Wechatpay-Nonce":     {"EcZ9Cmy4Xyx1i6RlJQzLcCyEqDa26NBz"},
		"Wechatpay-Timestamp": {"1624523846"},
		"Wechatpay-Serial":    {"D7CE59D1F522D701"},
		"Wechatpay-Signature": {"tJHIiIS9eB2hAYstmAmbbD3ZE5LiIm/Ug5tuL4fC0YOFRWIHV39UFIZXC0e9Wl6lBu6sKvkqDkzpqzBsVHyXFlbYZTOQrVdG4b6LfTnK4mikv9++ixJMd3vTf2yCqvBkh98zs3Ds5zsYQakzbcwhmw4fMJs4nPLws28H0UW9FjDR//rxELLwXvV1VEA1IBLX70xptjL8hrfUjEE8kkry6yNJTHZRU8CAc7qHli2Ng1V1qb9ARbK8A3ThmFmPQvRGrapI/jS2laKKgYUmfdEdkNO6B2Cke5e8VTxY406ArAmQ90GAihDwIcb16TQMnzCMBoutnwZKNiKRACrFmtxw2Q=="},
	}
	notice, err := p.ParseCallback(header, body, at)
	require.NoError(t, err)
	require.Equal(t, payment.Notice{Provider: "wechatpay", EventID: "3119dfba-e649-5eec-ab1e-3412bc4d2e17", Kind: payment.NoticeOther}, notice)
	var e event
	require.NoError(t, json.Unmarshal(body, &e))
	content, err := p.open(e.Resource)
	require.NoError(t, err)
	require.JSONEq(t, `{"mchid":"1234567890","appid":"054aa7d7a2a54ab5898df65bd96f001c","create_time":"2020-06-30T12:12:00+08:00","out_contract_code":"21640bdbd08e473e828f3206a2741c6e"}`, string(content))

	for name := range header {
		changed := header.Clone()
		changed.Set(name, altered(header.Get(name)))
		_, err := p.ParseCallback(changed, body, at)
		require.ErrorIs(t, err, payment.ErrSignature, name)
	}
	for i := 0; i < len(body); i += 7 {
		changed := append([]byte{}, body...)
		changed[i] ^= 1
		_, err := p.ParseCallback(header, changed, at)
		require.ErrorIs(t, err, payment.ErrSignature, "byte %d", i)
	}
}

// What the gateway sealed for a merchant is one of its own certificates, under the number it has there.
func TestAPublishedSeal(t *testing.T) {
	p := golden(t, asDocumented)
	var sealed resource
	require.NoError(t, json.Unmarshal(published(t, "certificate.json"), &sealed))
	content, err := p.open(sealed)
	require.NoError(t, err)
	block, _ := pem.Decode(content)
	require.NotNil(t, block)
	certificate, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	require.Equal(t, "Tenpay.com sign", certificate.Subject.CommonName)
	believes := golden(t, func(c *Config) { c.Certificates = content })
	require.Contains(t, believes.gateway, "5DEA10EF55877E3CF6C33255C2E7DEFFF7E427EC")

	bits, err := base64.StdEncoding.DecodeString(sealed.Ciphertext)
	require.NoError(t, err)
	for _, i := range []int{0, len(bits) / 2, len(bits) - 1} { // the last sixteen bytes are the tag
		changed := append([]byte{}, bits...)
		changed[i] ^= 1
		forged := sealed
		forged.Ciphertext = base64.StdEncoding.EncodeToString(changed)
		_, err := p.open(forged)
		require.Error(t, err)
	}
}
