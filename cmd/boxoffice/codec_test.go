package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/workflows"
)

const codecToken = "token-of-the-operators"

// codecServer serves the codec over loopback, with the codec it serves.
func codecServer(t *testing.T) (origin string, codec *workflows.Codec) {
	t.Helper()
	ring, err := encryption.ParseKeyring(encryption.NewKey("test"))
	require.NoError(t, err)
	codec = workflows.NewCodec(ring)
	server := httptest.NewServer(codecHandler(codecToken, codec))
	t.Cleanup(server.Close)
	return server.URL, codec
}

// ask sends a request of the Temporal UI and returns the answer with its body.
func ask(t *testing.T, method, url string, body io.Reader) (*http.Response, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, body)
	require.NoError(t, err)
	request.Header.Set("Origin", "http://temporal-ui.example")
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, text
}

// sealed is what the Temporal UI sends: payloads as they rest in a history.
func sealed(t *testing.T, codec converter.PayloadCodec, value any) []byte {
	t.Helper()
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(value)
	require.NoError(t, err)
	encoded, err := codec.Encode(payloads.GetPayloads())
	require.NoError(t, err)
	body, err := protojson.Marshal(&commonpb.Payloads{Payloads: encoded})
	require.NoError(t, err)
	return body
}

func TestTheCodecServerDecodesWhatWasSealed(t *testing.T) {
	origin, codec := codecServer(t)
	body := sealed(t, codec, "Mei Lin")
	require.NotContains(t, string(body), "Mei Lin")
	response, plain := ask(t, http.MethodPost, origin+"/"+codecToken+"/decode", bytes.NewReader(body))
	require.Equal(t, http.StatusOK, response.StatusCode, "%s", plain)
	require.Equal(t, "*", response.Header.Get("Access-Control-Allow-Origin"))
	var payloads commonpb.Payloads
	require.NoError(t, protojson.Unmarshal(plain, &payloads))
	var value string
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(&payloads, &value))
	require.Equal(t, "Mei Lin", value)

	response, again := ask(t, http.MethodPost, origin+"/"+codecToken+"/encode", bytes.NewReader(plain))
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.NoError(t, protojson.Unmarshal(again, &payloads))
	opened, err := codec.Decode(payloads.GetPayloads())
	require.NoError(t, err)
	require.Equal(t, `"Mei Lin"`, string(opened[0].GetData()))
}

func TestTheCodecServerOpensNothingOfAnotherKey(t *testing.T) {
	origin, _ := codecServer(t)
	_, other := codecServer(t)
	response, text := ask(t, http.MethodPost, origin+"/"+codecToken+"/decode", bytes.NewReader(sealed(t, other, "Mei Lin")))
	require.Equal(t, http.StatusBadRequest, response.StatusCode)
	require.NotContains(t, string(text), "Mei Lin")
}

func TestTheCodecServerNeedsItsToken(t *testing.T) {
	origin, codec := codecServer(t)
	body := sealed(t, codec, "Mei Lin")
	for _, path := range []string{"/decode", "//decode", "/another-token/decode", "/" + codecToken + "x/decode", "/x/" + codecToken + "/decode", "/"} {
		for _, method := range []string{http.MethodPost, http.MethodOptions} {
			response, text := ask(t, method, origin+path, bytes.NewReader(body))
			require.Equal(t, http.StatusNotFound, response.StatusCode, "%s %s", method, path)
			require.Empty(t, response.Header.Get("Access-Control-Allow-Origin"), "%s %s", method, path)
			require.NotContains(t, string(text), "Mei Lin")
		}
	}
}

func TestTheCodecServerAnswersABrowsersPreflight(t *testing.T) {
	origin, _ := codecServer(t)
	response, text := ask(t, http.MethodOptions, origin+"/"+codecToken+"/decode", nil)
	require.Equal(t, http.StatusNoContent, response.StatusCode)
	require.Empty(t, text)
	require.Equal(t, "*", response.Header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, response.Header.Get("Access-Control-Allow-Methods"), http.MethodPost)
	for _, header := range []string{"Authorization", "Content-Type", "X-Namespace"} {
		require.Contains(t, response.Header.Get("Access-Control-Allow-Headers"), header)
	}
	require.Empty(t, response.Header.Get("Access-Control-Allow-Credentials"))
}

func TestTheCodecServerReadsNoMoreThanAPageOfHistory(t *testing.T) {
	origin, _ := codecServer(t)
	const bound = 8 << 20
	// Good JSON, so that only its length can be wrong.
	text := func(length int) io.Reader {
		return io.MultiReader(strings.NewReader(`{"payloads":[]}`), strings.NewReader(strings.Repeat(" ", length)))
	}
	response, _ := ask(t, http.MethodPost, origin+"/"+codecToken+"/decode", text(bound/2))
	require.Equal(t, http.StatusOK, response.StatusCode)
	response, answer := ask(t, http.MethodPost, origin+"/"+codecToken+"/decode", text(bound))
	require.Equal(t, http.StatusBadRequest, response.StatusCode)
	require.Contains(t, string(answer), "too large")
}

func TestTheCodecServerRefusesWhatItCannotRead(t *testing.T) {
	origin, _ := codecServer(t)
	for _, body := range []string{"", "{", `{"payloads":5}`} {
		response, _ := ask(t, http.MethodPost, origin+"/"+codecToken+"/decode", strings.NewReader(body))
		require.Equal(t, http.StatusBadRequest, response.StatusCode, body)
	}
	response, _ := ask(t, http.MethodPost, origin+"/"+codecToken+"/download", strings.NewReader("{}"))
	require.Equal(t, http.StatusNotFound, response.StatusCode)
}
