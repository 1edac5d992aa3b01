package judge_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/unionpay"
	"github.com/boxoffice/boxoffice/payment/unionpay/unionpaytest"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// opened is a gateway, and a form of the adapter's for it.
func opened(t *testing.T) (*unionpaytest.Gateway, payment.Checkout) {
	t.Helper()
	g, err := unionpaytest.Open(unionpaytest.Config{BillsAtOnce: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, g.Close()) })
	c := g.Credentials()
	p, err := unionpay.New(unionpay.Config{Merchant: c.Merchant, PFX: c.PFX, PFXPassword: c.PFXPassword, Roots: c.Roots, URL: g.URL(), FileURL: g.URL()})
	require.NoError(t, err)
	checkout, err := p.Create(t.Context(), payment.Order{
		Number: ticketing.NewNumber(time.Now()), Amount: ticketing.Money{Amount: 38_000, Currency: "CNY"}, Description: "哈姆雷特 & co",
		ExpiresAt: time.Now().Add(time.Minute), NotifyURL: "http://127.0.0.1:1/notify", ReturnURL: "http://127.0.0.1:1/return",
	}, unionpay.MethodPage)
	require.NoError(t, err)
	return g, checkout
}

func TestAMerchantWrittenForNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("Node.js is not installed")
	}
	g, checkout := opened(t)
	c := g.Credentials()
	input, err := json.Marshal(map[string]any{
		"url": g.URL(), "merchant": c.Merchant, "certificate": string(c.Certificate), "key": string(c.Key), "roots": string(c.Roots),
		"intermediates": string(c.Intermediates), "form": checkout.Form,
	})
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), node, "merchant.mjs")
	command.Stdin = bytes.NewReader(input)
	var said, complaints bytes.Buffer
	command.Stdout, command.Stderr = &said, &complaints
	require.NoError(t, command.Run(), complaints.String())
	var saw struct {
		Callbacks, Lines int
		File             string
	}
	require.NoError(t, json.Unmarshal(said.Bytes(), &saw), said.String())
	require.Equal(t, 2, saw.Callbacks)
	require.Equal(t, 2, saw.Lines)
	require.Contains(t, saw.File, "ZM_"+c.Merchant)
}

func TestOpenSSLVerifiesWhatTheGatewaySigns(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	g, checkout := opened(t)
	c := g.Credentials()
	folder := t.TempDir()
	write := func(name string, content []byte) string {
		file := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(file, content, 0o600))
		return file
	}
	run := func(arguments ...string) (string, error) {
		output, err := exec.CommandContext(t.Context(), openssl, arguments...).CombinedOutput()
		return string(output), err
	}
	roots, middle := write("roots.pem", c.Roots), write("middle.pem", c.Intermediates)

	// verified verifies a message as the documents say: the hexadecimal SHA-256 of the sorted fields, signed with RSA and SHA-256.
	verified := func(name string, message map[string]string, certificate string) {
		leaf := write(name+".cer", []byte(certificate))
		key, err := run("x509", "-in", leaf, "-noout", "-pubkey")
		require.NoError(t, err, key)
		signature, err := base64.StdEncoding.DecodeString(message["signature"])
		require.NoError(t, err)
		check := func(text string) error {
			_, err := run("dgst", "-sha256", "-verify", write(name+".pub", []byte(key)), "-signature", write(name+".sig", signature), write(name+".hex", []byte(text)))
			return err
		}
		hash := fmt.Sprintf("%x", sha256.Sum256([]byte(sorted(message))))
		require.NoError(t, check(hash), name)
		require.Error(t, check(hash[1:]), name)
	}

	verified("form", checkout.Form, string(c.Certificate))
	serial, err := run("x509", "-in", write("own.cer", c.Certificate), "-noout", "-serial")
	require.NoError(t, err)
	id, ok := strings.CutPrefix(strings.TrimSpace(serial), "serial=")
	require.True(t, ok)
	require.Equal(t, checkout.Form["certId"], decimal(t, id))

	callback := paidCallback(t, g, checkout)
	verified("callback", callback, callback["signPubKeyCert"])
	said, err := run("verify", "-CAfile", roots, "-untrusted", middle, write("signer.cer", []byte(callback["signPubKeyCert"])))
	require.NoError(t, err, said)
	said, err = run("verify", "-CAfile", roots, write("signer.cer", []byte(callback["signPubKeyCert"])))
	require.Error(t, err, said)
	said, err = run("pkcs12", "-legacy", "-in", write("own.pfx", c.PFX), "-passin", "pass:"+c.PFXPassword, "-nodes")
	require.NoError(t, err, said)
	require.Contains(t, said, "BEGIN CERTIFICATE")
	require.Contains(t, said, "PRIVATE KEY")
}

func sorted(message map[string]string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(message)) {
		if name != "signature" {
			pairs = append(pairs, name+"="+message[name])
		}
	}
	return strings.Join(pairs, "&")
}

// paidCallback posts a form as a browser does, and returns what the gateway would tell of its payment.
func paidCallback(t *testing.T, g *unionpaytest.Gateway, checkout payment.Checkout) map[string]string {
	t.Helper()
	form := url.Values{}
	for name, value := range checkout.Form {
		form.Set(name, value)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.PostForm(checkout.PayURL, form)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	c, ok := g.Forge(checkout.Form["orderId"], nil, nil, nil)
	require.True(t, ok, "the gateway took the order")
	read, err := url.ParseQuery(string(c.Body))
	require.NoError(t, err)
	message := map[string]string{}
	for name := range read {
		message[name] = read.Get(name)
	}
	return message
}

func decimal(t *testing.T, hexadecimal string) string {
	t.Helper()
	n, ok := new(big.Int).SetString(hexadecimal, 16)
	require.True(t, ok)
	return n.String()
}
