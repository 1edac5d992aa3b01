package gateway

import (
	"bytes"
	"context"
	"crypto/rand"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/ticketing"
)

// Forgery names a callback the gateway sends that nobody should believe.
type Forgery string

// The forgeries.
const (
	ForgeSignature Forgery = "signature" // says paid, signed with another key
	ForgeTampered  Forgery = "tampered"  // signed, then its amount altered
	ForgeStale     Forgery = "stale"     // signed an hour ago
	ForgeMerchant  Forgery = "merchant"  // validly signed, for another merchant
	ForgeMalformed Forgery = "malformed" // validly signed nonsense
)

// Forgeries lists every forgery.
var Forgeries = []Forgery{ForgeSignature, ForgeTampered, ForgeStale, ForgeMerchant, ForgeMalformed}

// forge sends a callback nobody should believe, about a payment the gateway knows, and returns the
// status it was answered with.
func (g *Gateway) forge(ctx context.Context, number string, how Forgery) (int, error) {
	if !slices.Contains(Forgeries, how) {
		return 0, invalid("no forgery %q", how)
	}
	g.mu.Lock()
	p, err := g.find(number)
	at := g.now()
	g.mu.Unlock()
	if err != nil {
		return 0, err
	}
	told := p.Payment
	told.State, told.PayURL, told.QR = sandbox.Paid, "", ""
	told.Captured = &ticketing.Money{Amount: told.Amount.Amount, Currency: told.Amount.Currency}
	n := sandbox.Notice{EventID: "SE" + rand.Text(), Merchant: g.config.Merchant, Payment: &told, At: at}
	if how == ForgeMerchant {
		n.Merchant, told.Merchant = "another-merchant", "another-merchant"
	}
	body, err := json.Marshal(n)
	if err != nil {
		return 0, err
	}
	if how == ForgeMalformed {
		body = append([]byte(`{"event_id":"twice",`), body[1:]...)
	}
	if how == ForgeStale {
		at = at.Add(-time.Hour)
	}
	header := g.courier.sign(body, at)
	switch how {
	case ForgeSignature:
		header.Set(sandbox.HeaderSignature, "v1="+sandbox.CallbackSignature("some other key", header.Get(sandbox.HeaderTimestamp), body))
	case ForgeTampered:
		body = bytes.Replace(body, []byte(`"captured":{"amount":`), []byte(`"captured":{"amount":1`), 1)
	case ForgeStale, ForgeMerchant, ForgeMalformed: // forged before it was signed
	}
	answered, err := g.courier.post(ctx, p.Order.NotifyURL, body, header)
	return answered.status, err
}
