package alipay_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/alipay"
	"github.com/boxoffice/boxoffice/payment/alipay/alipaytest"
)

func TestMistakesAreAllNamed(t *testing.T) {
	_, err := alipay.New(alipay.Config{
		Name: "Ali Pay", AppID: "x", SellerID: "y", Key: []byte("a secret that is no key"), URL: "ftp://x/y", Timeout: -1,
	})
	for _, mistake := range []string{
		`name "Ali Pay" must be 1 to 32 of [a-z0-9-]`, `app id "x" must be 16 digits`, `seller id "y" must be 2088 and 12 digits`,
		`URL "ftp://x/y" must be http(s)://host/path`, "our key: required, in PEM or base64",
		"a public key or certificate of the gateway is required", "durations must not be negative",
	} {
		require.ErrorContains(t, err, mistake)
	}
	require.NotContains(t, err.Error(), "secret", "a secret is not quoted")
}

func private(t *testing.T, key any) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func public(t *testing.T, key any) []byte {
	der, err := x509.MarshalPKIXPublicKey(key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func TestEachMistakeWithPlainKeysIsRefused(t *testing.T) {
	w := newWorld(t)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	own, _ := pem.Decode(w.config(t).Key)
	key, err := x509.ParsePKCS1PrivateKey(own.Bytes)
	require.NoError(t, err)
	for want, change := range map[string]func(*alipay.Config){
		"our key has 1024 bits, fewer than 2048":  func(c *alipay.Config) { c.Key = private(t, short) },
		"our key is not RSA":                      func(c *alipay.Config) { c.Key = private(t, curve) },
		"our key is neither PKCS#1 nor PKCS#8":    func(c *alipay.Config) { c.Key = c.PublicKeys[0] },
		"our key: required, in PEM or base64":     func(c *alipay.Config) { c.Key = []byte(" \n") },
		"public key 1 is no RSA key of 2048 bits": func(c *alipay.Config) { c.PublicKeys[0] = c.Key },
		"public key 2 is no RSA key of 2048 bits": func(c *alipay.Config) { c.PublicKeys = append(c.PublicKeys, public(t, &short.PublicKey)) },
		"public key 3 is no RSA key of 2048 bits": func(c *alipay.Config) {
			c.PublicKeys = append(c.PublicKeys, c.PublicKeys[0], public(t, &curve.PublicKey))
		},
		"public key 2: required, in PEM or base64":        func(c *alipay.Config) { c.PublicKeys = append(c.PublicKeys, nil) },
		"public key 1 is our own: its page shows both":    func(c *alipay.Config) { c.PublicKeys[0] = public(t, &key.PublicKey) },
		"public keys and certificates exclude each other": func(c *alipay.Config) { c.Certificates = []byte("x") },
		"is required: its messages cannot be verified":    func(c *alipay.Config) { c.PublicKeys = nil },
		"must be http(s)://host/path":                     func(c *alipay.Config) { c.URL += "?a=b" },
		`name "` + "123456789012345678901234567890123" + `"`: func(c *alipay.Config) {
			c.Name = "123456789012345678901234567890123"
		},
		`seller id "3088531891668739"`: func(c *alipay.Config) { c.SellerID = "3088531891668739" },
		`app id "021000122671080"`:     func(c *alipay.Config) { c.AppID = c.AppID[1:] },
		"durations must not be":        func(c *alipay.Config) { c.BillTimeout = -time.Second },
	} {
		t.Run(want, func(t *testing.T) {
			c := w.config(t)
			change(&c)
			p, err := alipay.New(c)
			require.ErrorContains(t, err, want)
			require.Nil(t, p)
		})
	}
}

func TestEachMistakeWithCertificatesIsRefused(t *testing.T) {
	w := newWorld(t, func(c *alipaytest.Config) { c.Certificates = true })
	stranger, err := alipaytest.NewIdentity()
	require.NoError(t, err)
	for want, change := range map[string]func(*alipay.Config){
		"the gateway's certificates: not PEM":                       func(c *alipay.Config) { c.Certificates = []byte("x") },
		"our application's certificate is required":                 func(c *alipay.Config) { c.AppCertificate = nil },
		"our application's certificate is not for our key":          func(c *alipay.Config) { c.Key = stranger.KeyPEM() },
		"the gateway's root certificates are required":              func(c *alipay.Config) { c.Roots = []byte(" ") },
		"a public key or certificate of the gateway is required":    func(c *alipay.Config) { c.Certificates = []byte("\n") },
		"public keys and certificates exclude each other: an appli": func(c *alipay.Config) { c.PublicKeys = [][]byte{stranger.PEM()} },
	} {
		t.Run(want, func(t *testing.T) {
			c := w.config(t)
			change(&c)
			p, err := alipay.New(c)
			require.ErrorContains(t, err, want)
			require.Nil(t, p)
		})
	}
}

// Alipay's key tool and its pages write keys as base64 without lines around it, and people copy them with line breaks.
func TestKeysAsAlipayWritesThem(t *testing.T) {
	w := newWorld(t)
	paid := w.paid(t)
	for name, written := range map[string]func([]byte) []byte{
		"in one line": func(der []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(der)) },
		"in several": func(der []byte) []byte {
			text := base64.StdEncoding.EncodeToString(der)
			return []byte(" " + text[:64] + "\r\n" + text[64:] + "\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := w.newProvider(t, func(c *alipay.Config) {
				key, _ := pem.Decode(c.Key)
				known, _ := pem.Decode(c.PublicKeys[0])
				c.Key, c.PublicKeys = written(key.Bytes), [][]byte{written(known.Bytes)}
			})
			_, err := p.Query(t.Context(), paid.Number)
			require.NoError(t, err)
		})
	}
	t.Run("in PKCS#8", func(t *testing.T) {
		p := w.newProvider(t, func(c *alipay.Config) {
			block, _ := pem.Decode(c.Key)
			key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
			require.NoError(t, err)
			c.Key = private(t, key)
		})
		_, err := p.Query(t.Context(), paid.Number)
		require.NoError(t, err)
	})
}

// Alipay's own file of roots has one that is not RSA, which Go cannot read.
func TestARootThatCannotBeReadHurtsNobody(t *testing.T) {
	w := newWorld(t, func(c *alipaytest.Config) { c.Certificates = true })
	p := w.newProvider(t, func(c *alipay.Config) {
		foreign := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("SM2")})
		c.Roots = bytes.Join([][]byte{c.Roots, foreign}, nil)
	})
	_, err := p.Query(t.Context(), w.paid(t).Number)
	require.NoError(t, err)
}

func TestDefaults(t *testing.T) {
	w := newWorld(t)
	config := w.config(t)
	p, err := alipay.New(alipay.Config{AppID: config.AppID, SellerID: config.SellerID, Key: config.Key, PublicKeys: config.PublicKeys})
	require.NoError(t, err)
	require.Equal(t, "alipay", p.Name())
	checkout, err := p.Create(t.Context(), w.order(), alipay.MethodPage)
	require.NoError(t, err)
	require.Contains(t, checkout.PayURL, alipay.ProductionURL+"?")
	_, offset := w.now().In(p.Calendar()).Zone()
	require.Equal(t, 8*60*60, offset)
	hall := w.newProvider(t, func(c *alipay.Config) { c.Name = "alipay-hall" })
	require.Equal(t, "alipay-hall", hall.Name())
}
