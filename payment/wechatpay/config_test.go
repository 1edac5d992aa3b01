package wechatpay_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/wechatpay"
)

func TestMistakesAreAllNamed(t *testing.T) {
	_, err := wechatpay.New(wechatpay.Config{
		Name: "We Chat", Merchant: "x", AppID: "?", Serial: "none", APIv3Key: "short", URL: "ftp://x/y",
		RefundNotifyURL: "/relative", Key: []byte("no PEM"), Timeout: -1,
	})
	for _, mistake := range []string{
		"name", "merchant", "app id", "serial", "APIv3 key has 5 bytes", "URL", "refund notify URL", "our key is required",
		"a public key or certificate", "negative",
	} {
		require.ErrorContains(t, err, mistake)
	}
	require.NotContains(t, err.Error(), "short", "a secret is not quoted")
}

func TestEachMistakeIsRefused(t *testing.T) {
	w := newWorld(t)
	for want, change := range map[string]func(*wechatpay.Config){
		"no id":                  func(c *wechatpay.Config) { c.PublicKeys = map[string][]byte{"lower case": nil} },
		"is no RSA key":          func(c *wechatpay.Config) { c.PublicKeys = map[string][]byte{"PUB_KEY_ID_1": c.Key} },
		"certificates: not PEM":  func(c *wechatpay.Config) { c.Certificates = []byte("x") },
		"neither PKCS#1 nor":     func(c *wechatpay.Config) { c.Key = anyOf(c.PublicKeys) },
		"without a path":         func(c *wechatpay.Config) { c.URL += "/v3" },
		"without a query":        func(c *wechatpay.Config) { c.RefundNotifyURL += "?x=1" },
		"APIv3 key has 31 bytes": func(c *wechatpay.Config) { c.APIv3Key = c.APIv3Key[1:] },
	} {
		t.Run(want, func(t *testing.T) {
			c := w.config
			change(&c)
			_, err := wechatpay.New(c)
			require.ErrorContains(t, err, want)
		})
	}
	p := w.adapter(t, func(c *wechatpay.Config) { c.Name, c.URL = "wechatpay-hall", c.URL+"/" })
	require.Equal(t, "wechatpay-hall", p.Name())
	_, offset := time.Now().In(p.Calendar()).Zone()
	require.Equal(t, 8*60*60, offset)
}

func anyOf(files map[string][]byte) []byte {
	for _, file := range files {
		return file
	}
	return nil
}
