package stripetest

import "slices"

// The objects as Stripe keeps them. Amounts are in Stripe's unit of their currency, times in seconds.

type session struct {
	ID, Reference         string
	Metadata              map[string]string
	Amount, Total         int64 // asked for; what the session says, which only PayOther makes different
	Currency              string
	Description           string
	Status, PaymentStatus string
	Created, ExpiresAt    int64
	SuccessURL, CancelURL string
	Locale                string
	Methods               []string
	IntentMetadata        map[string]string
	IntentDescription     string
	Intent                *intent
	AdaptivePricing       bool
}

type intent struct {
	ID               string
	Amount, Received int64
	Currency, Status string
	Metadata         map[string]string
	Description      string
	Created          int64
	Charge           *charge
	LastError        string
	Session          *session
}

type charge struct {
	ID               string
	Amount, Refunded int64
	Currency, Status string
	Created          int64
	Disputed         bool
	Movement         *movement
	Intent           *intent
}

type refund struct {
	ID                      string
	Amount                  int64
	Status, Pending, Failed string
	Reason                  string
	Metadata                map[string]string
	Created                 int64
	Charge                  *charge
	Movement, Back          *movement
}

type dispute struct {
	ID        string
	Amount    int64
	Status    string
	Reason    string
	Created   int64
	Charge    *charge
	Movements []*movement
}

// movement is one of the balance.
type movement struct {
	ID, Type, Category string
	Amount, Fee        int64
	Currency           string
	Rate               float64
	Description        string
	Created            int64
	Source             any // *charge, *refund, *dispute or nil
}

// move records a movement of the balance. An amount in a currency other than the balance's is exchanged one to two: nobody
// should be able to take the one for the other.
func (g *Gateway) move(kind, category string, amount, fee int64, currency string, source any) *movement {
	m := &movement{ID: g.newID("txn"), Type: kind, Category: category, Amount: amount, Fee: fee, Currency: currency, Created: g.now(), Source: source}
	if g.config.Settles != "" && g.config.Settles != currency {
		m.Amount, m.Currency, m.Rate = 2*amount, g.config.Settles, 2
	}
	g.movements = append(g.movements, m)
	return m
}

// capture takes money for a session. The caller holds the lock.
func (g *Gateway) capture(s *session, amount int64, currency string) {
	now := g.now()
	if s.Intent == nil {
		g.begin(s)
	}
	s.Total, s.Currency = amount, currency
	s.Status, s.PaymentStatus = "complete", "paid"
	p := s.Intent
	p.Amount, p.Received, p.Currency, p.Status, p.LastError = amount, amount, currency, "succeeded", ""
	p.Charge = &charge{ID: g.newID("ch"), Amount: amount, Currency: currency, Status: "succeeded", Created: now, Intent: p}
	fee := amount*g.config.FeeBasisPoints/10_000 + g.config.FeeFixed
	p.Charge.Movement = g.move("charge", "charge", amount, fee, currency, p.Charge)
}

// begin makes a session's payment intent: its payer tries to pay.
func (g *Gateway) begin(s *session) {
	s.Intent = &intent{
		ID: g.newID("pi"), Amount: s.Amount, Currency: s.Currency, Status: "requires_payment_method", Metadata: s.IntentMetadata,
		Description: s.IntentDescription, Created: g.now(), Session: s,
	}
}

// byReference is the newest session of a reference. The caller holds the lock.
func (g *Gateway) byReference(reference string) *session {
	for _, s := range slices.Backward(g.sessions) {
		if s.Reference == reference {
			return s
		}
	}
	return nil
}

// lapse closes the sessions whose end has come. The caller holds the lock.
func (g *Gateway) lapse() {
	for _, s := range g.sessions {
		if s.Status == "open" && g.now() >= s.ExpiresAt {
			g.expire(s)
		}
	}
}

func (g *Gateway) expire(s *session) {
	s.Status = "expired"
	if s.Intent != nil {
		s.Intent.Status = "canceled"
	}
	g.happened("checkout.session.expired", g.showSession(s, nil))
}
