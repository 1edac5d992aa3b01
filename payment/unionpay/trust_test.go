package unionpay_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/unionpay"
	"github.com/boxoffice/boxoffice/payment/unionpay/unionpaytest"
)

// keys are used in turn: making one for every certificate takes a while.
var keys struct {
	made []*rsa.PrivateKey
	next int
}

func nextKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	const enough = 8 // no test needs more that differ
	if keys.next++; len(keys.made) < enough {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		require.NoError(t, err)
		keys.made = append(keys.made, key)
	}
	return keys.made[keys.next%len(keys.made)]
}

// certified makes a certificate for a signer; change alters what stands in it, parent nil makes it sign itself.
func certified(t *testing.T, parent *unionpaytest.Identity, bits int, change func(*x509.Certificate)) *unionpaytest.Identity {
	t.Helper()
	key := nextKey(t)
	if bits != key.N.BitLen() {
		var err error
		key, err = rsa.GenerateKey(rand.Reader, bits)
		require.NoError(t, err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<40))
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: unionpaytest.SignerCommonName}, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if change != nil {
		change(template)
	}
	if parent == nil {
		parent = &unionpaytest.Identity{Certificate: template, Key: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent.Certificate, &key.PublicKey, parent.Key)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &unionpaytest.Identity{Certificate: certificate, Key: key}
}

func authorityOf(name string, how x509.SignatureAlgorithm) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.Subject.CommonName, c.IsCA, c.KeyUsage, c.SignatureAlgorithm = name, true, x509.KeyUsageCertSign, how
	}
}

func TestHazard5OnlyTheGatewaysOwnCertificateIsBelieved(t *testing.T) {
	w := newWorld(t)
	number := w.opened(t).Number
	root := certified(t, nil, 2048, authorityOf("Root", x509.SHA256WithRSA))
	middle := certified(t, root, 2048, authorityOf("Middle", x509.SHA256WithRSA))
	p := w.adapter(t, func(c *unionpay.Config) { c.Roots, c.Intermediates = root.PEM(), middle.PEM() })
	named := func(name string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.Subject.CommonName = name }
	}
	merchant := certified(t, middle, 2048, named("051@BOXOFFICE@N777290058110048@00000001"))
	for name, test := range map[string]struct {
		by       *unionpaytest.Identity
		believed bool
	}{
		"UnionPay's":                               {certified(t, middle, 2048, nil), true},
		"UnionPay's, from the root":                {certified(t, root, 2048, nil), true},
		"a merchant's, of the same authority":      {merchant, false},
		"the name in another place":                {certified(t, middle, 2048, named("中国银联股份有限公司@041@x@00016495")), false},
		"the name and more parts":                  {certified(t, middle, 2048, named("041@8310000000083040@中国银联股份有限公司@00016495@x")), false},
		"the name alone":                           {certified(t, middle, 2048, named("中国银联股份有限公司")), true},
		"the name as a part":                       {certified(t, middle, 2048, named("041@1@中国银联股份有限公司上海分公司@2")), false},
		"no name":                                  {certified(t, middle, 2048, named("")), false},
		"signed by itself":                         {certified(t, nil, 2048, nil), false},
		"issued by a merchant's":                   {certified(t, merchant, 2048, nil), false},
		"of an authority nobody knows":             {stranger(t), false},
		"a short key":                              {certified(t, middle, 1024, nil), false},
		"expired":                                  {certified(t, middle, 2048, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Second) }), false},
		"not yet valid":                            {certified(t, middle, 2048, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }), false},
		"for encryption only":                      {certified(t, middle, 2048, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), false},
		"SHA-1":                                    {certified(t, middle, 2048, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA }), false},
		"the gateway's in the test's other config": {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			c, ok := w.gateway.Forge(number, test.by, nil, nil)
			require.True(t, ok)
			notice, err := p.ParseCallback(c.Header, c.Body, time.Now())
			if test.believed {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, payment.ErrSignature)
			require.Zero(t, notice)
		})
	}
}

func TestHazard5TheCertificateOfAMessageIsReadStrictly(t *testing.T) {
	w := newWorld(t)
	number := w.opened(t).Number
	for name, change := range map[string]func(m map[string]string){
		"none":             func(m map[string]string) { delete(m, "signPubKeyCert") },
		"empty":            func(m map[string]string) { m["signPubKeyCert"] = "" },
		"not PEM":          func(m map[string]string) { m["signPubKeyCert"] = "certificate" },
		"words before it":  func(m map[string]string) { m["signPubKeyCert"] = "x\n" + m["signPubKeyCert"] },
		"another after it": func(m map[string]string) { m["signPubKeyCert"] += "\n" + m["signPubKeyCert"] },
		"another kind": func(m map[string]string) {
			m["signPubKeyCert"] = strings.ReplaceAll(m["signPubKeyCert"], "CERTIFICATE", "PUBLIC KEY")
		},
		"not a certificate": func(m map[string]string) {
			m["signPubKeyCert"] = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}))
		},
		"signed with SHA-1":  func(m map[string]string) { m["signMethod"] = "11" },
		"an older version":   func(m map[string]string) { m["version"] = "5.0.0" },
		"signature in lines": func(m map[string]string) { m["signature"] = m["signature"][:64] + "\r\n" + m["signature"][64:] },
		"no signature":       func(m map[string]string) { delete(m, "signature") },
		"half a signature":   func(m map[string]string) { m["signature"] = m["signature"][:172] },
	} {
		t.Run(name, func(t *testing.T) {
			c, ok := w.gateway.Forge(number, nil, nil, change)
			require.True(t, ok)
			notice, err := w.provider.ParseCallback(c.Header, c.Body, time.Now())
			require.ErrorIs(t, err, payment.ErrSignature)
			require.Zero(t, notice)
		})
	}
}

func TestHazard28BothCertificatesOfARotationAreBelieved(t *testing.T) {
	w := newWorld(t)
	number := w.opened(t).Number
	next, err := unionpaytest.NewAuthority(time.Now())
	require.NoError(t, err)
	successor, err := next.Issue("041@8310000000083040@中国银联股份有限公司@00016496", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	require.NoError(t, err)
	second, err := w.gateway.Signer() // another certificate of the same authority: no new configuration
	require.NoError(t, err)
	both := w.adapter(t, func(c *unionpay.Config) {
		c.Roots = append(append([]byte{}, c.Roots...), next.Roots()...)
		c.Intermediates = append(append([]byte{}, c.Intermediates...), next.Intermediates()...)
	})
	for name, test := range map[string]struct {
		p        *unionpay.Provider
		by       *unionpaytest.Identity
		believed bool
	}{
		"the old one":                       {both, nil, true},
		"a second of the old authority":     {both, second, true},
		"the new authority's":               {both, successor, true},
		"the new authority's, not known":    {w.provider, successor, false},
		"the old authority's, not any more": {w.adapter(t, func(c *unionpay.Config) { c.Roots, c.Intermediates = next.Roots(), next.Intermediates() }), nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := w.gateway.Forge(number, test.by, nil, nil)
			_, err := test.p.ParseCallback(c.Header, c.Body, time.Now())
			require.Equal(t, test.believed, err == nil, err)
		})
	}
	w.gateway.Rotate(successor) // answers, too
	_, err = both.Query(t.Context(), number)
	require.NoError(t, err)
	_, err = w.provider.Query(t.Context(), number)
	require.ErrorIs(t, err, payment.ErrUnavailable, "what it says cannot be believed")
}

func TestChainsOfSHA1AreBelievedOnlyWhereAskedFor(t *testing.T) {
	w := newWorld(t)
	number := w.opened(t).Number
	root := certified(t, nil, 2048, authorityOf("Root", x509.SHA1WithRSA))
	middle := certified(t, root, 2048, authorityOf("Middle", x509.SHA1WithRSA))
	old := func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA }
	signer := certified(t, middle, 2048, old)
	otherRoot := certified(t, nil, 2048, authorityOf("Root", x509.SHA1WithRSA)) // the same name, another key
	otherMiddle := certified(t, otherRoot, 2048, authorityOf("Middle", x509.SHA1WithRSA))
	noAuthority := certified(t, middle, 2048, func(c *x509.Certificate) { old(c); c.Subject.CommonName = "Shop" })
	for name, test := range map[string]struct {
		change   func(*unionpay.Config)
		by       *unionpaytest.Identity
		believed bool
	}{
		"asked for":              {func(c *unionpay.Config) { c.AcceptSHA1 = true }, signer, true},
		"not asked for":          {func(*unionpay.Config) {}, signer, false},
		"the certificate itself": {func(c *unionpay.Config) { c.Roots, c.Intermediates = signer.PEM(), nil }, signer, true},
		"another certificate":    {func(c *unionpay.Config) { c.Roots, c.Intermediates = signer.PEM(), nil }, certified(t, middle, 2048, old), false},
		"no intermediate":        {func(c *unionpay.Config) { c.AcceptSHA1, c.Intermediates = true, nil }, signer, false},
		"no root":                {func(c *unionpay.Config) { c.AcceptSHA1, c.Roots = true, otherRoot.PEM() }, signer, false},
		"another key":            {func(c *unionpay.Config) { c.AcceptSHA1 = true }, certified(t, otherMiddle, 2048, old), false},
		"expired": {func(c *unionpay.Config) { c.AcceptSHA1 = true }, certified(t, middle, 2048, func(c *x509.Certificate) {
			old(c)
			c.NotAfter = time.Now().Add(-time.Second)
		}), false},
		"issued by no authority": {
			func(c *unionpay.Config) {
				c.AcceptSHA1, c.Intermediates = true, append(middle.PEM(), noAuthority.PEM()...)
			},
			certified(t, noAuthority, 2048, old), false,
		},
		"signed by itself":   {func(c *unionpay.Config) { c.AcceptSHA1 = true }, certified(t, nil, 2048, old), false},
		"SHA-256 among them": {func(c *unionpay.Config) { c.AcceptSHA1 = true }, certified(t, middle, 2048, nil), true},
	} {
		t.Run(name, func(t *testing.T) {
			p := w.adapter(t, func(c *unionpay.Config) {
				c.Roots, c.Intermediates = root.PEM(), middle.PEM()
				test.change(c)
			})
			c, _ := w.gateway.Forge(number, test.by, nil, nil)
			_, err := p.ParseCallback(c.Header, c.Body, time.Now())
			require.Equal(t, test.believed, err == nil, err)
		})
	}
}
