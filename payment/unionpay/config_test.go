package unionpay_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/unionpay"
)

func TestAConfigurationThatCannotWorkIsRefused(t *testing.T) {
	w := newWorld(t)
	c := w.gateway.Credentials()
	inPEM := func(config *unionpay.Config) { config.PFX, config.Certificate, config.Key = nil, c.Certificate, c.Key }
	elliptical, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(elliptical)
	require.NoError(t, err)
	ellipticalPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	expired := certified(t, nil, 2048, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Second) })
	expiredKey, err := expired.KeyPEM()
	require.NoError(t, err)
	short := certified(t, nil, 1024, nil)
	shortKey, err := short.KeyPEM()
	require.NoError(t, err)
	for name, test := range map[string]struct {
		change func(c *unionpay.Config)
		says   string
	}{
		"a shouting name":        {func(c *unionpay.Config) { c.Name = "UnionPay" }, `name "UnionPay"`},
		"a long name":            {func(c *unionpay.Config) { c.Name = strings.Repeat("x", 33) }, "name"},
		"no merchant":            {func(c *unionpay.Config) { c.Merchant = "" }, `merchant ""`},
		"a short merchant":       {func(c *unionpay.Config) { c.Merchant = "7772900581100" }, "merchant"},
		"an address of no kind":  {func(c *unionpay.Config) { c.URL = "gateway.95516.com" }, "URL"},
		"an address with a path": {func(c *unionpay.Config) { c.URL = "https://gateway.95516.com/gateway/api" }, "without a path"},
		"a file address":         {func(c *unionpay.Config) { c.FileURL = "file:///tmp" }, "file URL"},
		"an odd notify address":  {func(c *unionpay.Config) { c.RefundNotifyURL = "/callbacks" }, "refund notify URL"},
		"no key":                 {func(c *unionpay.Config) { c.PFX = nil }, "are required"},
		"half a key":             {func(c *unionpay.Config) { inPEM(c); c.Certificate = nil }, "are required"},
		"two keys":               {func(config *unionpay.Config) { config.Certificate = c.Certificate }, "given twice"},
		"another password":       {func(c *unionpay.Config) { c.PFXPassword = "secret" }, "PFX file"},
		"not a PFX file":         {func(config *unionpay.Config) { config.PFX = c.Key }, "PFX file"},
		"key for certificate":    {func(config *unionpay.Config) { inPEM(config); config.Certificate = c.Key }, "our certificate"},
		"certificate for key":    {func(config *unionpay.Config) { inPEM(config); config.Key = c.Certificate }, "neither PKCS#1 nor PKCS#8"},
		"a key that is not PEM":  {func(c *unionpay.Config) { inPEM(c); c.Key = []byte("key") }, "not PEM"},
		"another's key":          {func(c *unionpay.Config) { inPEM(c); c.Key = expiredKey }, "do not belong together"},
		"another kind of key":    {func(c *unionpay.Config) { inPEM(c); c.Key = ellipticalPEM }, "not RSA"},
		"an expired certificate": {func(c *unionpay.Config) { inPEM(c); c.Certificate, c.Key = expired.PEM(), expiredKey }, "expired at"},
		"a short key":            {func(c *unionpay.Config) { inPEM(c); c.Certificate, c.Key = short.PEM(), shortKey }, "1024 bits"},
		"two certificates": {func(config *unionpay.Config) {
			inPEM(config)
			config.Certificate = append(bytes.Clone(c.Certificate), c.Certificate...)
		}, "2 in the file"},
		"no roots":            {func(c *unionpay.Config) { c.Roots = nil }, "roots are required"},
		"roots that are none": {func(c *unionpay.Config) { c.Roots = []byte("root") }, "roots: is not PEM"},
		"a key among roots":   {func(config *unionpay.Config) { config.Roots = c.Key }, "roots: holds a private key"},
		"half a root":         {func(config *unionpay.Config) { config.Roots = c.Roots[:100] }, "roots"},
		"odd intermediates":   {func(c *unionpay.Config) { c.Intermediates = []byte("x") }, "intermediates"},
		"a nameless signer":   {func(c *unionpay.Config) { c.SignerNames = []string{""} }, "signer's name"},
		"a negative time":     {func(c *unionpay.Config) { c.Timeout = -1 }, "negative"},
	} {
		t.Run(name, func(t *testing.T) {
			config := w.config
			test.change(&config)
			p, err := unionpay.New(config)
			require.ErrorContains(t, err, test.says)
			require.NotContains(t, err.Error(), "PRIVATE KEY")
			require.Nil(t, p)
		})
	}
	_, err = unionpay.New(unionpay.Config{Name: "?"})
	for _, mistake := range []string{"name", "merchant", "certificate and key", "roots"} {
		require.ErrorContains(t, err, mistake, "all at once")
	}
}

func TestKeysAreReadHoweverTheyAreWritten(t *testing.T) {
	w := newWorld(t)
	c := w.gateway.Credentials()
	block, _ := pem.Decode(c.Key)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(t, err)
	old := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key.(*rsa.PrivateKey))})
	for name, change := range map[string]func(config *unionpay.Config){
		"PFX":    func(*unionpay.Config) {},
		"PKCS#8": func(config *unionpay.Config) { config.PFX, config.Certificate, config.Key = nil, c.Certificate, c.Key },
		"PKCS#1": func(config *unionpay.Config) { config.PFX, config.Certificate, config.Key = nil, c.Certificate, old },
	} {
		_, err := w.adapter(t, change).Query(t.Context(), w.opened(t).Number)
		require.NoError(t, err, name)
	}
}

func TestSeveralMerchantsOfTheGateway(t *testing.T) {
	w := newWorld(t)
	p := w.adapter(t, func(c *unionpay.Config) { c.Name = "unionpay-acme" })
	require.Equal(t, "unionpay-acme", p.Name())
	require.Equal(t, []string{unionpay.MethodPage}, p.Methods())
	c, ok := w.gateway.Forge(w.opened(t).Number, nil, nil, nil)
	require.True(t, ok)
	notice, err := p.ParseCallback(c.Header, c.Body, time.Now())
	require.NoError(t, err)
	require.Equal(t, "unionpay-acme", notice.Provider)
}

func TestDefaults(t *testing.T) {
	w := newWorld(t)
	c := w.gateway.Credentials()
	p, err := unionpay.New(unionpay.Config{Merchant: c.Merchant, PFX: c.PFX, PFXPassword: c.PFXPassword, Roots: c.Roots})
	require.NoError(t, err)
	require.Equal(t, "unionpay", p.Name())
	require.True(t, p.Accepts("CNY"))
	require.False(t, p.Accepts("USD"))
	order := w.order()
	checkout, err := p.Create(t.Context(), order, unionpay.MethodPage)
	require.NoError(t, err)
	require.Equal(t, "https://gateway.95516.com/gateway/api/frontTransReq.do", checkout.PayURL)
	status, kind, body := p.Acknowledge()
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "text/plain; charset=utf-8", kind)
	require.Equal(t, "ok", string(body))
	var _ payment.Provider = p
}
