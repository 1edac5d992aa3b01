package judge_test

import (
	"encoding/json"
	"maps"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/boxoffice/boxoffice/payment/paymenttest"
	"github.com/boxoffice/boxoffice/payment/wechatpay/wechatpaytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// merchant is what merchant.mjs is told.
type merchant struct {
	Gateway      string            `json:"gateway"`
	Merchant     string            `json:"merchant"`
	AppID        string            `json:"appID"`
	Serial       string            `json:"serial"`
	Key          string            `json:"key"`
	APIv3Key     string            `json:"apiV3Key"`
	StrangersKey string            `json:"strangersKey"`
	GatewayKeys  map[string]string `json:"gatewayKeys"` // public keys or certificates
	Adapters     []signed          `json:"adapters"`
}

func opened(t *testing.T) (*wechatpaytest.Gateway, merchant) {
	t.Helper()
	g, err := wechatpaytest.Open(wechatpaytest.Config{BillsAtOnce: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, g.Close()) })
	stranger, err := wechatpaytest.Open(wechatpaytest.Config{})
	require.NoError(t, err)
	require.NoError(t, stranger.Close())
	c := g.Credentials()
	m := merchant{
		Gateway: g.URL(), Merchant: c.Merchant, AppID: c.AppID, Serial: c.Serial, Key: string(c.Key), APIv3Key: c.APIv3Key,
		StrangersKey: string(stranger.Credentials().Key), GatewayKeys: map[string]string{}, Adapters: []signed{},
	}
	for id, key := range c.PublicKeys {
		m.GatewayKeys[id] = string(key)
	}
	return g, m
}

// TestALibraryForNode lets the library be a merchant that knows the gateway's public key, and one that knows its certificate.
func TestALibraryForNode(t *testing.T) {
	for name, certificate := range map[string]bool{"public key": false, "certificate": true} {
		t.Run(name, func(t *testing.T) {
			g, m := opened(t)
			m.Adapters = adapters(t, g)
			if certificate {
				signer, err := wechatpaytest.NewIdentity()
				require.NoError(t, err)
				file, err := signer.Certificate(time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
				require.NoError(t, err)
				g.Rotate(signer)
				m.GatewayKeys = map[string]string{signer.ID: string(file)}
			}
			said, complaints, err := paymenttest.Node(t, "wechatpay", "merchant.mjs", m)
			require.NoError(t, err, complaints)
			var saw struct{ Callbacks, Lines, Adapters int }
			require.NoError(t, json.Unmarshal(said, &saw), string(said))
			require.Equal(t, 3, saw.Callbacks)
			require.Equal(t, 3, saw.Lines)
			require.Equal(t, len(m.Adapters), saw.Adapters)
		})
	}
}

// TestTheJudgeHasEyes: a stand-in that signed or sealed wrongly would be noticed.
func TestTheJudgeHasEyes(t *testing.T) {
	for name, test := range map[string]struct {
		spoil     func(t *testing.T, g *wechatpaytest.Gateway, m *merchant)
		complaint string
	}{
		"answers of another key": {func(t *testing.T, g *wechatpaytest.Gateway, m *merchant) {
			g.SetFaults(wechatpaytest.Faults{AnswersBy: impostor(t, m)})
		}, "EV3_RES_HEADER_SIGNATURE_DIGEST"},
		"answers of a key nobody knows": {func(t *testing.T, g *wechatpaytest.Gateway, _ *merchant) {
			other, err := wechatpaytest.NewIdentity()
			require.NoError(t, err)
			g.SetFaults(wechatpaytest.Faults{AnswersBy: other})
		}, "EV3_RES_HEADER_PLATFORM_SERIAL"},
		"answers that are changed": {func(_ *testing.T, g *wechatpaytest.Gateway, _ *merchant) {
			g.SetFaults(wechatpaytest.Faults{Tamper: true})
		}, "EV3_RES_HEADER_SIGNATURE_DIGEST"},
		"answers that nobody signed": {func(_ *testing.T, g *wechatpaytest.Gateway, _ *merchant) {
			g.SetFaults(wechatpaytest.Faults{Unsigned: true})
		}, "EV3_RES_HEADERS_INCOMPLATE"},
		"callbacks of another key": {func(t *testing.T, g *wechatpaytest.Gateway, m *merchant) {
			known, err := wechatpaytest.NewIdentity()
			require.NoError(t, err)
			public, err := known.PEM()
			require.NoError(t, err)
			m.GatewayKeys = map[string]string{known.ID: string(public)}
			g.Rotate(impostor(t, m))
			g.SetFaults(wechatpaytest.Faults{AnswersBy: known})
		}, "the signature of a callback"},
		"callbacks sealed with another key": {func(_ *testing.T, _ *wechatpaytest.Gateway, m *merchant) {
			m.APIv3Key = strings.Repeat("k", 32)
		}, "unable to authenticate data"},
		"a file that is not what was hashed": {func(_ *testing.T, g *wechatpaytest.Gateway, _ *merchant) {
			g.SetFaults(wechatpaytest.Faults{TruncateBill: true})
		}, "'SHA1'"},
		"an adapter that signs something else": {func(t *testing.T, g *wechatpaytest.Gateway, m *merchant) {
			m.Adapters = adapters(t, g)
			m.Adapters[0].Body += " "
		}, "the adapter's signature of POST /v3/pay/transactions/native"},
	} {
		t.Run(name, func(t *testing.T) {
			g, m := opened(t)
			test.spoil(t, g, &m)
			_, complaints, err := paymenttest.Node(t, "wechatpay", "merchant.mjs", m)
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit)
			require.Equal(t, 1, exit.ExitCode())
			require.Contains(t, complaints, test.complaint)
		})
	}
}

// impostor signs under the id that the merchant believes with a key of its own.
func impostor(t *testing.T, m *merchant) *wechatpaytest.Identity {
	t.Helper()
	other, err := wechatpaytest.NewIdentity()
	require.NoError(t, err)
	for id := range maps.Keys(m.GatewayKeys) {
		other.ID = id
	}
	return other
}
