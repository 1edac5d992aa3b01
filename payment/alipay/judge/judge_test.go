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
	"github.com/boxoffice/boxoffice/payment/alipay"
	"github.com/boxoffice/boxoffice/payment/alipay/alipaytest"
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
	folder := filepath.Join(cache, "boxoffice", "judges", "alipay-"+hex.EncodeToString(hash[:8]))
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

// TestAlipaysOwnLibraryForNode lets the library be a merchant with plain keys, and one with certificates.
func TestAlipaysOwnLibraryForNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("Node.js is not installed")
	}
	beside := packages(t)
	for name, certificates := range map[string]bool{"keys": false, "certificates": true} {
		t.Run(name, func(t *testing.T) {
			g, err := alipaytest.Open(alipaytest.Config{BillsAtOnce: true, Certificates: certificates})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, g.Close()) })
			stranger, err := alipaytest.NewIdentity()
			require.NoError(t, err)
			c := g.Credentials()
			number, page := offered(t, g)
			input, err := json.Marshal(map[string]any{
				"gateway": g.URL(), "appID": c.AppID, "sellerID": c.SellerID, "key": string(c.Key), "publicKey": string(c.PublicKey),
				"certificate": string(c.Certificate), "appCertificate": string(c.AppCertificate), "roots": string(c.Roots),
				"strangersKey": string(stranger.KeyPEM()), "number": number, "page": page,
			})
			require.NoError(t, err)
			command := exec.CommandContext(t.Context(), node, "merchant.mjs", beside)
			command.Stdin = bytes.NewReader(input)
			command.Env = append(os.Environ(), "TZ=Asia/Shanghai") // the library writes the machine's time, the gateway reads Beijing's
			var said, complaints bytes.Buffer
			command.Stdout, command.Stderr = &said, &complaints
			require.NoError(t, command.Run(), complaints.String())
			var saw struct{ Callbacks, Lines int }
			require.NoError(t, json.Unmarshal(said.Bytes(), &saw), said.String())
			require.Equal(t, 3, saw.Callbacks)
			require.Equal(t, 3, saw.Lines)
		})
	}
}

// offered has the adapter offer a page, and returns its number and address.
func offered(t *testing.T, g *alipaytest.Gateway) (number, page string) {
	t.Helper()
	c := g.Credentials()
	config := alipay.Config{
		AppID: c.AppID, SellerID: c.SellerID, Key: c.Key, Certificates: c.Certificate, AppCertificate: c.AppCertificate, Roots: c.Roots, URL: g.URL(),
	}
	if len(c.PublicKey) > 0 {
		config.PublicKeys = [][]byte{c.PublicKey}
	}
	p, err := alipay.New(config)
	require.NoError(t, err)
	order := payment.Order{
		Number: ticketing.NewNumber(time.Now()), Amount: ticketing.Money{Amount: 38_000, Currency: "CNY"}, Description: "哈姆雷特 & co", Language: "zh-CN",
		ExpiresAt: time.Now().Add(10 * time.Minute), NotifyURL: "https://shop.example/notify", ReturnURL: "https://shop.example/orders/1?returned=1",
	}
	checkout, err := p.Create(t.Context(), order, alipay.MethodPage)
	require.NoError(t, err)
	return order.Number, checkout.PayURL
}
