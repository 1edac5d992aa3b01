package paymenttest

import (
	"net/http"
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

// Callback is a request a gateway sends.
type Callback struct {
	Header http.Header
	Body   []byte
}

// Forgery names a callback that must be refused.
type Forgery string

// The forgeries.
const (
	Tampered      Forgery = "tampered"       // altered after it was signed
	OtherKey      Forgery = "other key"      // signed by somebody else
	Stale         Forgery = "stale"          // signed too long ago
	OtherMerchant Forgery = "other merchant" // validly signed, not for us
	Malformed     Forgery = "malformed"      // validly signed nonsense
)

// refusal is the error each forgery must be refused with.
var refusal = map[Forgery]error{
	Tampered: payment.ErrSignature, OtherKey: payment.ErrSignature, Stale: payment.ErrSignature,
	OtherMerchant: payment.ErrWrongMerchant, Malformed: payment.ErrMalformed,
}

// Harness is a provider and the strings that move its gateway. A func that
// is nil means that this gateway cannot do such a thing, and what depends on
// it is skipped; an adapter says why beside it.
type Harness struct {
	// Provider is under test. Its gateway is empty or shared: the suite uses new numbers throughout.
	Provider payment.Provider
	// Method is one of the provider's methods.
	Method string
	// Currency is what the gateway collects, such as "CNY".
	Currency string
	// NotifyURL and ReturnURL go into every order.
	NotifyURL, ReturnURL string
	// Patience bounds how long an answer of a gateway that is down may take.
	Patience time.Duration

	// Pay pays a number as its payer would; PayOther captures another amount than was asked for.
	Pay      func(t *testing.T, number string)
	PayOther func(t *testing.T, number string, captured ticketing.Money)
	// Decline declines it for good, Hesitate leaves its outcome unknown to the gateway itself.
	Decline  func(t *testing.T, number string)
	Hesitate func(t *testing.T, number string)
	// Expire lets a number's own end pass, at gateways that cannot be told to close a payment: until then Close has to say
	// StateUnknown.
	Expire func(t *testing.T, number string)
	// LoseAnswers makes the gateway do what it is asked, but not answer, until restore is called.
	LoseAnswers func(t *testing.T) (restore func())
	// GoDown makes the gateway unreachable, Hang makes it accept and never answer, until restore is called.
	GoDown func(t *testing.T) (restore func())
	Hang   func(t *testing.T) (restore func())
	// EmptyBalance leaves us too little at the gateway for any refund, until restore is called.
	EmptyBalance func(t *testing.T) (restore func())
	// TruncateBill makes the gateway's bills end early, until restore is called.
	TruncateBill func(t *testing.T) (restore func())
	// Callbacks returns the first n deliveries of the callback that tells of a number's payment; the
	// gateway was not answered before the nth.
	Callbacks func(t *testing.T, number string, n int) []Callback
	// RefundCallback returns the callback that tells of a refund's end.
	RefundCallback func(t *testing.T, refundID string) Callback
	// Forge returns a callback that says a number was paid and must not be believed.
	Forge func(t *testing.T, number string, how Forgery) Callback
	// Forgeries are those Forge can make.
	Forgeries []Forgery
}
