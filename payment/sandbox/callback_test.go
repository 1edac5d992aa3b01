package sandbox_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/sandbox"
)

func TestHazard29ACallbackIsFreshForFiveMinutes(t *testing.T) {
	p := adapter(t, "callback secret")
	for off, fresh := range map[time.Duration]bool{
		-5*time.Minute - time.Second: false, -5 * time.Minute: true, 0: true,
		5 * time.Minute: true, 5*time.Minute + time.Second: false,
	} {
		for _, zone := range []*time.Location{time.UTC, time.FixedZone("Beijing", 8*60*60)} {
			_, err := p.ParseCallback(goldenHeader(), []byte(goldenCallback), signedAt.Add(off).In(zone))
			if fresh {
				require.NoError(t, err, off)
			} else {
				require.ErrorIs(t, err, payment.ErrSignature, off)
			}
		}
	}
}

func TestHazard28BothKeysOfARotationAreAccepted(t *testing.T) {
	for name, test := range map[string]struct {
		keys      []string
		signature string
		accepted  bool
	}{
		"our new key, their old":        {[]string{"next secret", "callback secret"}, "v1=" + goldenMark, true},
		"both sign, we know one":        {[]string{"callback secret"}, "v1=" + strings.Repeat("0", 64) + ",v1=" + goldenMark, true},
		"spaces between":                {[]string{"callback secret"}, "v1=" + strings.Repeat("0", 64) + ", v1=" + goldenMark, true},
		"another version beside it":     {[]string{"callback secret"}, "v2=abc,v1=" + goldenMark, true},
		"neither":                       {[]string{"next secret", "third secret"}, "v1=" + goldenMark, false},
		"another version alone":         {[]string{"callback secret"}, "v2=" + goldenMark, false},
		"no version":                    {[]string{"callback secret"}, goldenMark, false},
		"capitals":                      {[]string{"callback secret"}, "v1=" + strings.ToUpper(goldenMark), false},
		"half":                          {[]string{"callback secret"}, "v1=" + goldenMark[:32], false},
		"as many guesses as one wishes": {[]string{"callback secret"}, strings.Repeat("v1="+strings.Repeat("0", 64)+",", 4) + "v1=" + goldenMark, false},
	} {
		t.Run(name, func(t *testing.T) {
			header := goldenHeader()
			header.Set(sandbox.HeaderSignature, test.signature)
			_, err := adapter(t, test.keys...).ParseCallback(header, []byte(goldenCallback), signedAt)
			if test.accepted {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, payment.ErrSignature)
			}
		})
	}
}

// sealed signs a body as the gateway would.
func sealed(body string) http.Header {
	h := goldenHeader()
	h.Set(sandbox.HeaderSignature, "v1="+sandbox.CallbackSignature("callback secret", goldenTime, []byte(body)))
	return h
}

func TestCallbacksAreReadStrictly(t *testing.T) {
	p := adapter(t, "callback secret")
	replaced := func(old, with string) string {
		require.Contains(t, goldenCallback, old)
		return strings.Replace(goldenCallback, old, with, 1)
	}
	refund := `"refund":{"id":"R0000001","gateway_id":"SR1","merchant":"M1","number":"T0000001","state":"succeeded","amount":{"amount":1,"currency":"CNY"},"at":"2026-11-20T12:00:00Z"}`
	refunded := `{"event_id":"SE2","merchant":"M1",` + refund + `,"at":"2026-11-20T12:00:01Z"}`
	dispute := `"dispute":{"id":"SD1","merchant":"M1","number":"T0000001","payment_id":"SB1","state":"open","amount":{"amount":5,"currency":"CNY"},` +
		`"fee":{"amount":0,"currency":"CNY"},"reason":"not recognised","at":"2026-11-20T12:00:00Z"}`
	disputed := `{"event_id":"SE3","merchant":"M1",` + dispute + `,"at":"2026-11-20T12:00:01Z"}`
	for name, test := range map[string]struct {
		body string
		want error
	}{
		"a dispute":             {disputed, nil},
		"a foreign dispute":     {strings.Replace(disputed, `"SD1","merchant":"M1"`, `"SD1","merchant":"M2"`, 1), payment.ErrMalformed},
		"a dispute of no state": {strings.Replace(disputed, `"open"`, `"closed"`, 1), payment.ErrMalformed},
		"a dispute of nothing":  {strings.Replace(disputed, `"amount":5`, `"amount":0`, 1), payment.ErrMalformed},
		"a negative fee":        {strings.Replace(disputed, `"amount":0`, `"amount":-1`, 1), payment.ErrMalformed},
		"a dispute without id":  {strings.Replace(disputed, "SD1", "", 1), payment.ErrMalformed},
		"payment and dispute":   {replaced(`"payment"`, dispute+`,"payment"`), payment.ErrMalformed},
		"a refund":              {refunded, nil},
		"an unknown merchant":   {replaced(`"SE1","merchant":"M1"`, `"SE1","merchant":"M2"`), payment.ErrWrongMerchant},
		"a foreign payment":     {replaced(`"SB1","merchant":"M1"`, `"SB1","merchant":"M2"`), payment.ErrMalformed},
		"a foreign refund":      {strings.Replace(refunded, `"SR1","merchant":"M1"`, `"SR1","merchant":"M2"`, 1), payment.ErrMalformed},
		"an unknown member":     {replaced(`{"event_id"`, `{"trust":"me","event_id"`), payment.ErrMalformed},
		"a repeated member":     {replaced(`"amount":38000`, `"amount":38000,"amount":1`), payment.ErrMalformed},
		"not UTF-8":             {replaced("SE1", "SE\xff"), payment.ErrMalformed},
		"no event id":           {replaced("SE1", ""), payment.ErrMalformed},
		"a long event id":       {replaced("SE1", strings.Repeat("E", 129)), payment.ErrMalformed},
		"an unknown state":      {replaced(`"paid"`, `"rich"`), payment.ErrMalformed},
		"paid with nothing":     {replaced(`"captured":{"amount":38000,"currency":"CNY"},`, ""), payment.ErrMalformed},
		"pending with money":    {replaced(`"paid"`, `"pending"`), payment.ErrMalformed},
		"a negative capture":    {replaced(`"captured":{"amount":38000`, `"captured":{"amount":-1`), payment.ErrMalformed},
		"no currency":           {replaced(`"captured":{"amount":38000,"currency":"CNY"`, `"captured":{"amount":38000,"currency":"yuan"`), payment.ErrMalformed},
		"no number":             {replaced("T0000001", ""), payment.ErrMalformed},
		"no gateway id":         {replaced("SB1", ""), payment.ErrMalformed},
		"no time":               {replaced(`,"at":"2026-11-20T12:00:00Z"`, ""), payment.ErrMalformed},
		"payment and refund":    {replaced(`"payment"`, refund+`,"payment"`), payment.ErrMalformed},
		"neither":               {`{"event_id":"SE1","merchant":"M1","at":"2026-11-20T12:00:01Z"}`, payment.ErrMalformed},
		"a refund of no state":  {strings.Replace(refunded, "succeeded", "", 1), payment.ErrMalformed},
		"a refund of nothing":   {strings.Replace(refunded, "T0000001", "", 1), payment.ErrMalformed},
		"no object":             {"null", payment.ErrWrongMerchant},
		"an array":              {"[]", payment.ErrMalformed},
		"two objects":           {goldenCallback + goldenCallback, payment.ErrMalformed},
		"nothing":               {"", payment.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			notice, err := p.ParseCallback(sealed(test.body), []byte(test.body), signedAt)
			if test.want == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, test.want)
			require.Zero(t, notice)
		})
	}
}

// FuzzParseCallback: whatever is signed, reading it never panics and never yields half a fact;
// whatever is not, is refused.
func FuzzParseCallback(f *testing.F) {
	f.Add([]byte(goldenCallback), goldenTime, goldenMark)
	f.Add([]byte(goldenCallback), goldenTime, "")
	f.Add([]byte(`{"event_id":"SE2","merchant":"M1","refund":{"id":"R0000001","gateway_id":"SR1","merchant":"M1","number":"T0000001",`+
		`"state":"failed","amount":{"amount":1,"currency":"CNY"},"reason":"closed","at":"2026-11-20T12:00:00Z"},"at":"2026-11-20T12:00:01Z"}`), goldenTime, "")
	f.Add([]byte(`{"event_id":"SE3","merchant":"M1","dispute":{"id":"SD1","merchant":"M1","number":"T0000001","payment_id":"SB1","state":"lost",`+
		`"amount":{"amount":5,"currency":"CNY"},"fee":{"amount":0,"currency":"CNY"},"reason":"","at":"2026-11-20T12:00:00Z"},"at":"2026-11-20T12:00:01Z"}`), goldenTime, "")
	f.Add([]byte(`{"event_id":"SE1","event_id":"SE2"}`), "1", ",,v1=,")
	f.Add([]byte("\xff\xfe"), "-9223372036854775808", strings.Repeat("v1=,", 1000))
	f.Add([]byte(""), "", "")
	p := adapter(f, "callback secret")
	f.Fuzz(func(t *testing.T, body []byte, timestamp, signature string) {
		header := http.Header{sandbox.HeaderTimestamp: {timestamp}, sandbox.HeaderSignature: {"v1=" + signature}}
		genuine := signature == sandbox.CallbackSignature("callback secret", timestamp, body)
		if _, err := p.ParseCallback(header, body, signedAt); !genuine && err == nil {
			t.Fatalf("believed %q", body)
		}
		notice, err := p.ParseCallback(sealed(string(body)), body, signedAt)
		if err != nil {
			require.Zero(t, notice)
			return
		}
		require.NotEmpty(t, notice.EventID)
		switch notice.Kind {
		case payment.NoticePayment:
			require.Zero(t, notice.Refund)
			require.NotEmpty(t, notice.Payment.Number)
			require.Equal(t, notice.Payment.State == payment.StatePaid, notice.Payment.Captured.Amount > 0)
		case payment.NoticeRefund:
			require.Zero(t, notice.Payment)
			require.NotEmpty(t, notice.Refund.ID)
		case payment.NoticeDispute:
			require.NotEmpty(t, notice.Dispute.ID)
			require.Positive(t, notice.Dispute.Amount.Amount)
		default:
			t.Fatalf("kind %q", notice.Kind)
		}
	})
}
