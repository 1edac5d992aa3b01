package sandbox_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/ticketing"
)

// What openssl makes of the protocol's words, so that adapter and gateway, which share their
// code, cannot both be wrong:
//
//	printf 'POST\n/v1/payments?x=1\n1795000000\nNONCE-0123456789\n%s' "$(printf '%s' "$BODY" | openssl dgst -sha256 -hex | sed 's/.* //')" |
//		openssl dgst -sha256 -hmac 'merchant secret' -hex
//	printf '%s.%s' 1795176002 "$CALLBACK" | openssl dgst -sha256 -hmac 'callback secret' -hex
const (
	goldenBody     = `{"number":"T0000001","amount":{"amount":38000,"currency":"CNY"}}`
	goldenRequest  = "a84d15d6d1bb8b8623d7442c33084053ee38a1ca5ccdbddd1bf24c06e46b6a9f"
	goldenCallback = `{"event_id":"SE1","merchant":"M1","payment":{"id":"SB1","merchant":"M1","number":"T0000001","state":"paid","amount":{"amount":38000,"currency":"CNY"},"captured":{"amount":38000,"currency":"CNY"},"at":"2026-11-20T12:00:00Z"},"at":"2026-11-20T12:00:01Z"}`
	goldenTime     = "1795176002"
	goldenMark     = "186c3b63de06873b6961ca851bd4741042ef5b58b718099c0a0bd98bd61b0918"
)

func TestSignaturesAreThoseOfTheProtocol(t *testing.T) {
	require.Equal(t, goldenRequest,
		sandbox.RequestSignature("merchant secret", "POST", "/v1/payments?x=1", "1795000000", "NONCE-0123456789", []byte(goldenBody)))
	require.Equal(t, goldenMark, sandbox.CallbackSignature("callback secret", goldenTime, []byte(goldenCallback)))
}

func TestASignedRequestCarriesWhatItNeeds(t *testing.T) {
	request, err := http.NewRequest(http.MethodPost, "http://gateway.example/v1/payments?x=1", strings.NewReader(goldenBody))
	require.NoError(t, err)
	sandbox.SignRequest(request, "M1", "merchant secret", []byte(goldenBody), time.Unix(1795000000, 0))
	require.Equal(t, "M1", request.Header.Get(sandbox.HeaderMerchant))
	require.Equal(t, "1795000000", request.Header.Get(sandbox.HeaderTimestamp))
	nonce := request.Header.Get(sandbox.HeaderNonce)
	require.GreaterOrEqual(t, len(nonce), 16)
	require.Equal(t, sandbox.RequestSignature("merchant secret", "POST", "/v1/payments?x=1", "1795000000", nonce, []byte(goldenBody)),
		request.Header.Get(sandbox.HeaderSignature))
}

// signedAt is when the golden callback was signed.
var signedAt = time.Date(2026, 11, 20, 12, 0, 2, 0, time.UTC)

func goldenHeader() http.Header {
	h := http.Header{}
	h.Set(sandbox.HeaderTimestamp, goldenTime)
	h.Set(sandbox.HeaderSignature, "v1="+goldenMark)
	return h
}

func adapter(t testing.TB, keys ...string) *sandbox.Provider {
	t.Helper()
	p, err := sandbox.New(sandbox.Config{URL: "http://gateway.example", Merchant: "M1", Key: "merchant secret", CallbackKeys: keys})
	require.NoError(t, err)
	return p
}

func TestTheGoldenCallbackIsRead(t *testing.T) {
	notice, err := adapter(t, "callback secret").ParseCallback(goldenHeader(), []byte(goldenCallback), signedAt)
	require.NoError(t, err)
	require.Equal(t, payment.Notice{
		Provider: "sandbox", EventID: "SE1", Kind: payment.NoticePayment,
		Payment: payment.Status{
			Number: "T0000001", GatewayID: "SB1", State: payment.StatePaid,
			Captured: ticketing.Money{Amount: 38000, Currency: "CNY"}, At: signedAt.Add(-2 * time.Second),
		},
	}, notice)
}
