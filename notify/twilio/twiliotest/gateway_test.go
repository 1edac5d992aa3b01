package twiliotest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twilio/twilio-go/client"
	"go.uber.org/goleak"

	"github.com/boxoffice/boxoffice/notify/twilio/twiliotest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const mobile = "+8613800138000"

func open(t *testing.T, validated bool) *twiliotest.Gateway {
	t.Helper()
	var c twiliotest.Config
	if validated {
		var err error
		c.Spec, err = twiliotest.PublishedSpec(t.Context())
		require.NoError(t, err)
	}
	g, err := twiliotest.Open(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, g.Close()) })
	return g
}

// ask asks as any client may, and returns status and answer.
func ask(t *testing.T, g *twiliotest.Gateway, user, secret, method, query string, form url.Values) (status int, answer map[string]any) {
	t.Helper()
	address := g.URL() + "/2010-04-01/Accounts/" + g.Credentials().AccountSID + "/Messages.json" + query
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	request.SetBasicAuth(user, secret)
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(body, &answer), "%s", body)
	return response.StatusCode, answer
}

func post(t *testing.T, g *twiliotest.Gateway, form url.Values) (status int, answer map[string]any) {
	t.Helper()
	c := g.Credentials()
	return ask(t, g, c.AccountSID, c.AuthToken, http.MethodPost, "", form)
}

func good(g *twiliotest.Gateway) url.Values {
	return url.Values{"To": {mobile}, "Body": {"Hello"}, "MessagingServiceSid": {g.Credentials().MessagingService}, "StatusCallback": {"https://tickets.example/x"}}
}

// TestItIsAsStrictAsTwilio: codes from its dictionary of errors.
func TestItIsAsStrictAsTwilio(t *testing.T) {
	for _, validated := range []bool{true, false} {
		g := open(t, validated)
		status, _ := post(t, g, good(g))
		require.Equal(t, http.StatusCreated, status)
		for name, c := range map[string]struct {
			field, value string
			code         int
		}{
			"no number": {"To", "hello", 21211}, "national": {"To", "13800138000", 21211}, "a landline": {"To", "+861065529988", 21614},
			"no text": {"Body", "", 21602}, "too long": {"Body", strings.Repeat("x", 1601), 21617}, "no sender": {"MessagingServiceSid", "", 21603},
			"another's service": {"MessagingServiceSid", "MG" + strings.Repeat("0", 32), 21701}, "callbacks to nowhere": {"StatusCallback", "nowhere", 21609},
		} {
			form := good(g)
			form.Set(c.field, c.value)
			if c.value == "" {
				form.Del(c.field)
			}
			status, answer := post(t, g, form)
			require.Equal(t, http.StatusBadRequest, status, name)
			require.InDelta(t, c.code, answer["code"], 0, name)
		}
		for from, code := range map[string]int{"+15005550007": 21659, "muchtoolonganame": 21212, "1234": 21212} {
			form := good(g)
			form.Del("MessagingServiceSid")
			form.Set("From", from)
			_, answer := post(t, g, form)
			require.InDelta(t, code, answer["code"], 0, from)
		}
		form := good(g)
		form.Set("To", "+14155552671")
		form.Set("From", "Boxoffice")
		form.Del("MessagingServiceSid")
		_, answer := post(t, g, form)
		require.InDelta(t, 21612, answer["code"], 0, "no names in North America")
		require.Empty(t, g.Complaints(), "all of it keeps the document")
		require.Len(t, g.Messages(), 1)

		g.Refuse(mobile, 21610)
		_, answer = post(t, g, good(g))
		require.InDelta(t, 21610, answer["code"], 0)
		g.Refuse(mobile, 0)
		status, _ = post(t, g, good(g))
		require.Equal(t, http.StatusCreated, status)
		require.Len(t, g.MessagesTo(mobile), 2)
	}
}

func TestOnlyTheAccountIsServed(t *testing.T) {
	g := open(t, false)
	c := g.Credentials()
	for _, who := range [][2]string{{c.AccountSID, "x"}, {"x", c.AuthToken}, {c.APIKey, c.AuthToken}, {c.AccountSID, c.APISecret}} {
		for _, method := range []string{http.MethodPost, http.MethodGet} {
			status, answer := ask(t, g, who[0], who[1], method, "", good(g))
			require.Equal(t, http.StatusUnauthorized, status)
			require.InDelta(t, 20003, answer["code"], 0)
		}
	}
	status, _ := ask(t, g, c.APIKey, c.APISecret, http.MethodPost, "", good(g))
	require.Equal(t, http.StatusCreated, status)
	require.Len(t, g.Messages(), 1)
}

// TestWhatIsNotInTheDocumentIsRefused: else a slip of the pen in a request would be taken for good.
func TestWhatIsNotInTheDocumentIsRefused(t *testing.T) {
	g := open(t, true)
	c := g.Credentials()
	form := good(g)
	form.Set("StatusCallbackUrl", "https://tickets.example/x")
	status, answer := post(t, g, form)
	require.Equal(t, http.StatusBadRequest, status)
	require.InDelta(t, 20001, answer["code"], 0)
	form = good(g)
	form.Set("MessagingServiceSid", "MG1")
	status, _ = post(t, g, form)
	require.Equal(t, http.StatusBadRequest, status)
	for _, query := range []string{"?PageSize=2000", "?PageSize=x", "?Recipient=1"} {
		status, _ = ask(t, g, c.AccountSID, c.AuthToken, http.MethodGet, query, nil)
		require.Equal(t, http.StatusBadRequest, status, query)
	}
	require.Len(t, g.Complaints(), 5, "%v", g.Complaints())
	require.Empty(t, g.Messages())
	_, err := twiliotest.Open(twiliotest.Config{Spec: []byte(`{"openapi": "3.0.1", "info": {"title": "x", "version": "1"}, "paths": {}}`)})
	require.ErrorContains(t, err, "has no")
}

// TestTwiliosOwnLibraryBelievesItsSignatures, over an address with a query and signs that need escaping.
func TestTwiliosOwnLibraryBelievesItsSignatures(t *testing.T) {
	address := "https://tickets.example/receipts?a=b&c=%E6%B5%B7"
	form := url.Values{"MessageSid": {"SM1"}, "Body": {"海 & + %"}, "AccountSid": {"AC1"}}
	validator := client.NewRequestValidator("token")
	signature := twiliotest.Sign("token", address, form)
	require.True(t, validator.ValidateBody(address, []byte(form.Encode()), signature))
	require.False(t, validator.ValidateBody(address+"1", []byte(form.Encode()), signature))
	// The example of Twilio's documentation on how requests are signed.
	documented := url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+12349013030"}, "Digits": {"1234"}, "From": {"+12349013030"}, "To": {"+18005551212"}}
	require.Equal(t, "0/KCTR6DLpKmkAf8muzZqo1nDgQ=", twiliotest.Sign("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", documented))
}

func TestDownAndUpAgainAtTheSameAddress(t *testing.T) {
	g := open(t, false)
	address := g.URL()
	require.NoError(t, g.SetDown(true))
	require.NoError(t, g.SetDown(true))
	_, err := http.Get(address)
	require.Error(t, err)
	require.NoError(t, g.SetDown(false))
	require.NoError(t, g.SetDown(false))
	require.Equal(t, address, g.URL())
	status, _ := post(t, g, good(g))
	require.Equal(t, http.StatusCreated, status)
}

// TestClosingEndsWhatItStillWouldTell: the leak check fails otherwise.
func TestClosingEndsWhatItStillWouldTell(t *testing.T) {
	g := open(t, false)
	g.SetReports(twiliotest.Reports{Statuses: []string{"sent", "delivered"}, Delay: time.Hour})
	status, _ := post(t, g, good(g))
	require.Equal(t, http.StatusCreated, status)
	g.SetFaults(twiliotest.Faults{Hang: true})
	hanging := make(chan error, 1)
	go func() {
		request, err := http.NewRequest(http.MethodGet, g.URL()+"/2010-04-01/Accounts/x/Messages.json", nil)
		if err == nil {
			var response *http.Response
			if response, err = http.DefaultClient.Do(request); err == nil {
				_ = response.Body.Close()
			}
		}
		hanging <- err
	}()
	require.NoError(t, g.Close())
	require.Error(t, <-hanging)
	require.Empty(t, g.Tellings())
}

// TestADamagedDocumentIsFetchedAgain, rather than to fail for ever.
func TestADamagedDocumentIsFetchedAgain(t *testing.T) {
	genuine, err := twiliotest.PublishedSpec(t.Context())
	require.NoError(t, err)
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	folder, err := os.UserCacheDir()
	require.NoError(t, err)
	if folder != cache {
		t.Skip("this system's cache cannot be set aside without npm's configuration")
	}
	folder = filepath.Join(folder, "boxoffice", "twilio")
	require.NoError(t, os.MkdirAll(folder, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "twilio-cli-core-9.0.0.tgz"), []byte("half"), 0o600))
	again, err := twiliotest.PublishedSpec(t.Context())
	require.NoError(t, err)
	require.True(t, bytes.Equal(genuine, again), "too long to be shown")
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, files, 1, "and nothing else is left")
}
