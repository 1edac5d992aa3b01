package gatewayclient_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/gatewayclient"
)

func TestRedirectsAreNotFollowed(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("/elsewhere", http.StatusTemporaryRedirect))
	defer server.Close()
	given := &http.Client{Timeout: time.Minute, Transport: server.Client().Transport}
	for name, client := range map[string]*http.Client{"given": gatewayclient.HTTP(given), "made": gatewayclient.HTTP(nil)} {
		t.Run(name, func(t *testing.T) {
			defer client.CloseIdleConnections()
			response, err := client.Get(server.URL)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, http.StatusTemporaryRedirect, response.StatusCode)
		})
	}
	own := gatewayclient.HTTP(given)
	require.Equal(t, given.Timeout, own.Timeout)
	require.Same(t, given.Transport, own.Transport)
	require.Nil(t, given.CheckRedirect, "what was given stays as it is")
	transport := gatewayclient.HTTP(nil).Transport
	require.NotSame(t, http.DefaultTransport, transport)
	require.Greater(t, transport.(*http.Transport).MaxIdleConnsPerHost, 100)
}

// body is a text that comes in pieces, and then ends or goes on.
type body struct {
	io.Reader

	closed bool
}

func (b *body) Close() error { b.closed = true; return nil }

func TestHazard31AnswersAreBounded(t *testing.T) {
	for length, want := range map[int]error{0: nil, 9: nil, 10: nil, 11: gatewayclient.ErrTooLong, 10_000_000: gatewayclient.ErrTooLong} {
		whole := strings.Repeat("x", length)
		b := &body{Reader: strings.NewReader(whole)}
		limited := gatewayclient.Limit(b, 10)
		said, err := io.ReadAll(limited)
		require.ErrorIs(t, err, want)
		if want == nil {
			require.Equal(t, whole, string(said))
		}
		require.NoError(t, limited.Close())
		require.True(t, b.closed)
	}
}

func TestKeys(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	pkcs8 := func(key any) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		require.NoError(t, err)
		return der
	}
	for name, der := range map[string][]byte{"PKCS#1": x509.MarshalPKCS1PrivateKey(key), "PKCS#8": pkcs8(key)} {
		t.Run(name, func(t *testing.T) {
			read, err := gatewayclient.PrivateKey(der)
			require.NoError(t, err)
			require.True(t, key.Equal(read))
		})
	}
	for want, der := range map[string][]byte{
		"our key has 1024 bits, fewer than 2048": x509.MarshalPKCS1PrivateKey(short),
		"our key is not RSA":                     pkcs8(curve),
		"our key is neither PKCS#1 nor PKCS#8":   pkcs8(key)[1:],
	} {
		t.Run(want, func(t *testing.T) {
			read, err := gatewayclient.PrivateKey(der)
			require.EqualError(t, err, want)
			require.Nil(t, read)
		})
	}
	public, ok := gatewayclient.Verifying(&key.PublicKey)
	require.True(t, ok)
	require.True(t, key.PublicKey.Equal(public))
	for _, other := range []any{&short.PublicKey, &curve.PublicKey, key, nil} {
		_, ok := gatewayclient.Verifying(other)
		require.False(t, ok)
	}
}

func TestNames(t *testing.T) {
	for name, fits := range map[string]bool{
		"alipay": true, "stripe-acme-2": true, strings.Repeat("a", 32): true, strings.Repeat("a", 33): false, "": false, "Alipay": false,
		"a/b": false, "支付宝": false, "alipay\n": false,
	} {
		require.Equal(t, fits, gatewayclient.CheckName(name) == nil, name)
	}
}
