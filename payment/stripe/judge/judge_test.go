package judge_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/stripe"
	"github.com/boxoffice/boxoffice/payment/stripe/stripetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// packages installs what package-lock.json names, outside of the source, once for every version of it. It returns the file
// beside node_modules.
func packages(t *testing.T) string {
	t.Helper()
	lock, err := os.ReadFile("package-lock.json")
	require.NoError(t, err)
	description, err := os.ReadFile("package.json")
	require.NoError(t, err)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	hash := sha256.Sum256(append(lock, description...))
	folder := filepath.Join(cache, "boxoffice", "judges", "stripe-"+hex.EncodeToString(hash[:8]))
	beside := filepath.Join(folder, "package.json")
	if _, err := os.Stat(beside); err == nil {
		return beside
	}
	require.NoError(t, os.MkdirAll(filepath.Dir(folder), 0o755))
	fresh, err := os.MkdirTemp(filepath.Dir(folder), "installing-")
	require.NoError(t, err)
	defer os.RemoveAll(fresh)
	require.NoError(t, os.WriteFile(filepath.Join(fresh, "package-lock.json"), lock, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(fresh, "package.json"), description, 0o600))
	install := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-fund", "--no-audit")
	install.Dir = fresh
	said, err := install.CombinedOutput()
	require.NoError(t, err, string(said))
	if err := os.Rename(fresh, folder); err != nil && !errors.Is(err, fs.ErrExist) {
		_, err = os.Stat(beside) // somebody else was faster
		require.NoError(t, err)
	}
	return beside
}

func TestStripesOwnLibraryForNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("Node.js is not installed")
	}
	beside := packages(t)
	g, err := stripetest.Open(stripetest.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, g.Close()) })
	number := sold(t, g)

	c := g.Credentials()
	type callback struct {
		Header string `json:"header"`
		Body   string `json:"body"`
	}
	var callbacks []callback
	for _, e := range g.Events() {
		callbacks = append(callbacks, callback{e.Header.Get("Stripe-Signature"), string(e.Body)})
	}
	input, err := json.Marshal(map[string]any{
		"url": g.URL(), "key": c.SecretKey, "secret": c.WebhookSecret, "number": number, "callbacks": callbacks,
	})
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), node, "shop.mjs", beside)
	command.Stdin = bytes.NewReader(input)
	var said, complaints bytes.Buffer
	command.Stdout, command.Stderr = &said, &complaints
	require.NoError(t, command.Run(), complaints.String())
	var saw struct{ Verified, Sessions, Events int }
	require.NoError(t, json.Unmarshal(said.Bytes(), &saw), said.String())
	require.Equal(t, len(callbacks), saw.Verified)
	require.Greater(t, saw.Verified, 5)
	require.Equal(t, 1, saw.Sessions)
	require.Greater(t, saw.Events, 5)
}

// sold has the adapter sell something, give part of it back, and lose the rest to a dispute. It returns the number.
func sold(t *testing.T, g *stripetest.Gateway) string {
	t.Helper()
	c := g.Credentials()
	p, err := stripe.New(stripe.Config{SecretKey: c.SecretKey, WebhookSecrets: []string{c.WebhookSecret}, URL: g.URL()})
	require.NoError(t, err)
	order := payment.Order{
		Number: ticketing.NewNumber(time.Now()), Amount: ticketing.Money{Amount: 38_000, Currency: "USD"}, Description: "哈姆雷特 & co", Language: "zh-CN",
		ExpiresAt: time.Now().Add(10 * time.Minute), ReturnURL: "https://shop.example/orders/1?returned=1",
	}
	_, err = p.Create(t.Context(), order, stripe.MethodCheckout)
	require.NoError(t, err)
	require.NoError(t, g.Pay(order.Number))
	paid, err := p.Query(t.Context(), order.Number)
	require.NoError(t, err)
	_, err = p.Refund(t.Context(), payment.Refund{
		ID: ticketing.NewNumber(time.Now()), Number: order.Number, GatewayID: paid.GatewayID,
		Amount: ticketing.Money{Amount: 100, Currency: "USD"}, Total: paid.Captured,
	})
	require.NoError(t, err)
	_, err = g.Dispute(order.Number, 37_900)
	require.NoError(t, err)
	return order.Number
}
