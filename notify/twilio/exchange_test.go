package twilio

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestARequestIsSentOnce, whatever twilio-go comes to do about answers that it cannot read: it sends some again already.
func TestARequestIsSentOnce(t *testing.T) {
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	defer server.Close()
	address, err := url.Parse(server.URL)
	require.NoError(t, err)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	carrier := &http.Client{Transport: &oneRequest{ctx: t.Context(), sender: &Sender{config: Config{Transport: transport}, url: address}}}
	for range 3 {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.twilio.com/", nil)
		require.NoError(t, err)
		response, err := carrier.Do(request)
		if err == nil {
			require.NoError(t, response.Body.Close())
		}
	}
	require.Equal(t, int64(1), calls.Load())
}
