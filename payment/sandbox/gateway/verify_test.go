package gateway_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/sandbox"
)

func TestOnlyWhatTheMerchantSignedNowIsHeard(t *testing.T) {
	s := open(t, settings(t))
	body, err := json.Marshal(s.order())
	require.NoError(t, err)
	resign := func(who, key string, at time.Time) func(*http.Request) {
		return func(r *http.Request) { sandbox.SignRequest(r, who, key, body, at) }
	}
	for name, alter := range map[string]func(*http.Request){
		"no signature":      func(r *http.Request) { r.Header.Del(sandbox.HeaderSignature) },
		"another signature": func(r *http.Request) { r.Header.Set(sandbox.HeaderSignature, strings.Repeat("0", 64)) },
		"another key":       resign(merchant, "another key", s.now()),
		"unknown merchant":  resign("somebody", key, s.now()),
		"another timestamp": func(r *http.Request) { r.Header.Set(sandbox.HeaderTimestamp, strconv.FormatInt(s.now().Unix()+1, 10)) },
		"no timestamp":      func(r *http.Request) { r.Header.Del(sandbox.HeaderTimestamp) },
		"another nonce":     func(r *http.Request) { r.Header.Set(sandbox.HeaderNonce, strings.Repeat("n", 16)) },
		"signed long ago":   resign(merchant, key, s.now().Add(-sandbox.Freshness-2*time.Second)),
		"signed in future":  resign(merchant, key, s.now().Add(sandbox.Freshness+2*time.Second)),
		"another path":      func(r *http.Request) { r.URL.RawQuery = "force=1" },
		"another body": func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(strings.Repeat(" ", int(r.ContentLength))))
		},
		"a nonce too short":  nonce(string(body), s.now(), "short"),
		"a nonce too long":   nonce(string(body), s.now(), strings.Repeat("n", 65)),
		"signed by a person": func(r *http.Request) { r.Header.Set(sandbox.HeaderSignature, "please") },
	} {
		t.Run(name, func(t *testing.T) {
			r := s.send(http.MethodPost, "/v1/payments", string(body), alter)
			require.Equal(t, http.StatusUnauthorized, r.status)
			require.Equal(t, sandbox.CodeUnsigned, r.code)
		})
	}
	require.Empty(t, s.books().Payments)
	require.Equal(t, http.StatusOK, s.send(http.MethodPost, "/v1/payments", string(body), nil).status, "as it was, it is accepted")
}

// nonce signs correctly, with a nonce of the test's.
func nonce(body string, at time.Time, n string) func(*http.Request) {
	return func(r *http.Request) {
		timestamp := strconv.FormatInt(at.Unix(), 10)
		r.Header.Set(sandbox.HeaderTimestamp, timestamp)
		r.Header.Set(sandbox.HeaderNonce, n)
		r.Header.Set(sandbox.HeaderSignature, sandbox.RequestSignature(key, r.Method, r.URL.RequestURI(), timestamp, n, []byte(body)))
	}
}

func TestTheClockMayDifferByFiveMinutes(t *testing.T) {
	s := open(t, settings(t))
	for _, off := range []time.Duration{-sandbox.Freshness + 2*time.Second, sandbox.Freshness - 2*time.Second} {
		r := s.send(http.MethodGet, "/v1/payments/"+number(), "", func(r *http.Request) {
			sandbox.SignRequest(r, merchant, key, nil, s.now().Add(off))
		})
		require.Equal(t, http.StatusNotFound, r.status)
	}
}

func TestANonceIsUsedOnce(t *testing.T) {
	s := open(t, settings(t))
	var kept http.Header
	path := "/v1/payments/" + number()
	require.Equal(t, http.StatusNotFound, s.send(http.MethodGet, path, "", func(r *http.Request) { kept = r.Header.Clone() }).status)
	for range 2 {
		r := s.send(http.MethodGet, path, "", func(r *http.Request) { r.Header = kept })
		require.Equal(t, http.StatusUnauthorized, r.status)
		// As long as its timestamp would pass, whatever else is asked meanwhile.
		s.advance(sandbox.Freshness - 10*time.Second)
		s.send(http.MethodGet, path, "", nil)
	}
	for range 5 {
		s.advance(sandbox.Freshness)
		r := s.send(http.MethodGet, path, "", func(r *http.Request) { r.Header = kept })
		require.Equal(t, http.StatusUnauthorized, r.status)
	}
}

func TestARequestOfTheFutureCannotBeReplayedInIt(t *testing.T) {
	s := open(t, settings(t))
	var kept http.Header
	path := "/v1/payments/" + number()
	ahead := func(r *http.Request) {
		sandbox.SignRequest(r, merchant, key, nil, s.now().Add(sandbox.Freshness-5*time.Second))
		kept = r.Header.Clone()
	}
	require.Equal(t, http.StatusNotFound, s.send(http.MethodGet, path, "", ahead).status)
	for range 9 {
		s.advance(time.Minute)
		require.Equal(t, http.StatusUnauthorized, s.send(http.MethodGet, path, "", func(r *http.Request) { r.Header = kept }).status)
	}
}

func TestBodiesAreReadStrictly(t *testing.T) {
	s := open(t, settings(t))
	encoded, err := json.Marshal(s.order())
	require.NoError(t, err)
	good := string(encoded)
	for name, body := range map[string]string{
		"unknown member":  strings.Replace(good, `{"number"`, `{"discount":1,"number"`, 1),
		"repeated member": strings.Replace(good, `{"number"`, `{"number":"AAAAAAAA","number"`, 1),
		"other case":      strings.Replace(good, `"method"`, `"Method"`, 1),
		"not UTF-8":       strings.Replace(good, "Two", "Tw\xff", 1),
		"a fraction":      strings.Replace(good, "38000", "380.5", 1),
		"a string":        strings.Replace(good, "38000", `"38000"`, 1),
		"too big":         strings.Replace(good, "38000", "99999999999999999999", 1),
		"an array":        "[" + good + "]",
		"two":             good + good,
		"half":            good[:len(good)/2],
		"nothing":         "",
	} {
		t.Run(name, func(t *testing.T) {
			r := s.send(http.MethodPost, "/v1/payments", body, nil)
			require.Equal(t, http.StatusBadRequest, r.status)
			require.Equal(t, sandbox.CodeInvalid, r.code)
		})
	}
	huge := `{"description":"` + strings.Repeat("x", 70_000) + `"}`
	require.Equal(t, http.StatusRequestEntityTooLarge, s.send(http.MethodPost, "/v1/payments", huge, nil).status)
	for header, value := range map[string]string{"Content-Type": "text/plain", "Content-Encoding": "gzip"} {
		r := s.send(http.MethodPost, "/v1/payments", good, func(r *http.Request) { r.Header.Set(header, value) })
		require.Equal(t, http.StatusUnsupportedMediaType, r.status)
	}
	require.Empty(t, s.books().Payments)
}

func TestTheControlIsTheMerchantsAlone(t *testing.T) {
	s := open(t, settings(t))
	for _, path := range []string{"/control/books", "/control/calls", "/control/faults"} {
		r := s.send(http.MethodGet, path, "", func(r *http.Request) { r.Header.Del(sandbox.HeaderSignature) })
		require.Equal(t, http.StatusUnauthorized, r.status)
	}
	require.Equal(t, http.StatusBadRequest, s.send(http.MethodPut, "/control/faults", `{"down":["everything"]}`, nil).status, "a switch that does not exist")
	require.Equal(t, http.StatusBadRequest, s.send(http.MethodPut, "/control/faults", `{"dwon":["create"]}`, nil).status)
}
