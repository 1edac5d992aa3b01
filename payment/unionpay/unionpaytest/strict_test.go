package unionpaytest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// merchant signs requests as the gateway's merchant.
type merchant struct {
	g   *Gateway
	key *rsa.PrivateKey
}

func newMerchant(t *testing.T) merchant {
	t.Helper()
	g, err := Open(Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, g.Close()) })
	block, _ := pem.Decode(g.Credentials().Key)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(t, err)
	return merchant{g, key.(*rsa.PrivateKey)}
}

func (m merchant) sign(t *testing.T, message map[string]string) {
	t.Helper()
	hashed := sha256.Sum256([]byte(hexOfText(message)))
	signature, err := rsa.SignPKCS1v15(rand.Reader, m.key, crypto.SHA256, hashed[:])
	require.NoError(t, err)
	message["signature"] = base64.StdEncoding.EncodeToString(signature)
}

func (m merchant) post(t *testing.T, path, kind, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.g.URL()+path, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", kind)
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode)
	return string(answer)
}

func (m merchant) order() map[string]string {
	now := time.Now().In(beijing)
	return map[string]string{
		"version": "5.1.0", "encoding": "UTF-8", "signMethod": "01", "accessType": "0", "certId": m.g.merchantID, "merId": m.g.config.Merchant,
		"txnType": "01", "txnSubType": "01", "bizType": "000201", "channelType": "07", "orderId": "ORDER00000001", "txnAmt": "38000",
		"currencyCode": "156", "txnTime": now.Format(stampLayout), "payTimeout": now.Add(time.Minute).Format(stampLayout),
		"backUrl": "http://127.0.0.1:1/", "frontUrl": "http://127.0.0.1:1/",
	}
}

var refusedAs = regexp.MustCompile(`data-code="(..)"`)

func TestRequestsAreTakenStrictly(t *testing.T) {
	m := newMerchant(t)
	set := func(name, value string) func(map[string]string) {
		return func(message map[string]string) { message[name] = value }
	}
	earlier := func(d time.Duration) string { return time.Now().In(beijing).Add(-d).Format(stampLayout) }
	for name, test := range map[string]struct {
		before, after func(map[string]string)
		code          string
	}{
		"as it should be":       {nil, nil, ""},
		"altered":               {nil, set("txnAmt", "1"), "11"},
		"another certificate":   {set("certId", "1"), nil, "11"},
		"no signature":          {nil, func(m map[string]string) { delete(m, "signature") }, "13"},
		"no time":               {func(m map[string]string) { delete(m, "txnTime") }, nil, "13"},
		"another version":       {set("version", "5.0.0"), nil, "10"},
		"a field it knows not":  {set("notify_url", "http://127.0.0.1/"), nil, "10"},
		"yuan":                  {set("txnAmt", "380.00"), nil, "10"},
		"nothing":               {set("txnAmt", "0"), nil, "10"},
		"dollars":               {set("currencyCode", "840"), nil, "10"},
		"a dash in the number":  {set("orderId", "ORDER-00000001"), nil, "10"},
		"a short number":        {set("orderId", "ORDER01"), nil, "10"},
		"an end before it":      {set("payTimeout", earlier(time.Minute)), nil, "10"},
		"a time of yesterday":   {set("txnTime", earlier(24*time.Hour)), nil, "10"},
		"a time to come":        {set("txnTime", earlier(-time.Hour)), nil, "10"},
		"a month that is none":  {set("txnTime", "20261320120000"), nil, "10"},
		"an address of no kind": {set("backUrl", "127.0.0.1"), nil, "10"},
		"braces":                {set("reqReserved", "{x}"), nil, "10"},
		"another merchant":      {set("merId", "777290058110097"), nil, "31"},
		"for another place":     {set("txnType", "04"), nil, "10"},
	} {
		t.Run(name, func(t *testing.T) {
			message := m.order()
			message["orderId"] += strings.ReplaceAll(time.Now().Format("150405.000000"), ".", "")
			if test.before != nil {
				test.before(message)
			}
			m.sign(t, message)
			if test.after != nil {
				test.after(message)
			}
			page := m.post(t, "/gateway/api/frontTransReq.do", "application/x-www-form-urlencoded", escaped(message))
			found := refusedAs.FindStringSubmatch(page)
			if test.code == "" {
				require.Nil(t, found, page)
				require.Contains(t, page, `id="pay"`)
				return
			}
			require.NotNil(t, found, page)
			require.Equal(t, test.code, found[1])
			_, known := m.g.Payment(message["orderId"])
			require.False(t, known)
		})
	}
}

func TestShapesOfRequests(t *testing.T) {
	m := newMerchant(t)
	message := m.order()
	m.sign(t, message)
	body := escaped(message)
	for name, odd := range map[string][2]string{
		"JSON":          {"application/json", body},
		"GBK":           {"application/x-www-form-urlencoded;charset=GBK", body},
		"a field twice": {"application/x-www-form-urlencoded", body + "&txnAmt=38000"},
		"half a form":   {"application/x-www-form-urlencoded", body + "&x=%"},
	} {
		page := m.post(t, "/gateway/api/frontTransReq.do", odd[0], odd[1])
		require.Contains(t, page, `data-code="10"`, name)
	}
	require.Contains(t, m.post(t, "/gateway/api/frontTransReq.do", "application/x-www-form-urlencoded", body), `id="pay"`)
	again := m.order()
	again["txnTime"], again["txnAmt"] = message["txnTime"], "1"
	m.sign(t, again)
	require.Contains(t, m.post(t, "/gateway/api/frontTransReq.do", "application/x-www-form-urlencoded", escaped(again)), `data-code="12"`)
}

func TestButtonsOfThePage(t *testing.T) {
	m := newMerchant(t)
	message := m.order()
	m.sign(t, message)
	page := m.post(t, "/gateway/api/frontTransReq.do", "application/x-www-form-urlencoded", escaped(message))
	action := func(step string) string {
		found := regexp.MustCompile(`action="(/cashier/[A-Z0-9]+/` + step + `)"`).FindStringSubmatch(page)
		require.NotNil(t, found)
		return found[1]
	}
	require.Contains(t, m.post(t, action("decline"), "application/x-www-form-urlencoded", ""), `data-code="64"`)
	p, _ := m.g.Payment(message["orderId"])
	require.Equal(t, "64", p.Code)
	back := m.post(t, action("pay"), "application/x-www-form-urlencoded", "")
	require.Contains(t, back, `action="`+message["frontUrl"]+`"`)
	require.Contains(t, back, url.QueryEscape(message["orderId"]))
	p, _ = m.g.Payment(message["orderId"])
	require.Equal(t, "00", p.Code)
	m.post(t, action("pay"), "application/x-www-form-urlencoded", "") // twice
	require.Len(t, m.g.moved, 1)
}
