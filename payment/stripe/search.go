package stripe

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	sdk "github.com/stripe/stripe-go/v86"

	"github.com/boxoffice/boxoffice/payment"
)

// clockError is by how much Stripe's clock may differ from the one that made a number.
const clockError = time.Minute

// window is a stretch of time around a number's moment.
type window struct{ before, after time.Duration }

var (
	// nearby is where nearly every session is: it was created as soon as its number was stored.
	nearby = window{before: 3 * time.Second, after: 12 * time.Second}
	// anywhere is where every session is: Create makes none later.
	anywhere   = window{before: clockError, after: startWithin + clockError}
	everywhere = []window{anywhere}
)

// session reads the session of a number as it is now.
func (p *Provider) session(ctx context.Context, number string) (*sdk.CheckoutSession, error) {
	if id, ok := p.sessions.get(number); ok {
		session, err := p.retrieve(ctx, id, number)
		if !errors.Is(err, payment.ErrNotFound) {
			return session, err
		}
	}
	found, err := p.search(ctx, number, []window{nearby, anywhere})
	if err != nil {
		return nil, err
	}
	return p.retrieve(ctx, found.ID, number)
}

// retrieve reads a session with its payment intent and the charge.
func (p *Provider) retrieve(ctx context.Context, id, number string) (*sdk.CheckoutSession, error) {
	params := &sdk.CheckoutSessionRetrieveParams{}
	params.AddExpand("payment_intent.latest_charge")
	if p.config.Account != "" {
		params.SetStripeAccount(p.config.Account)
	}
	session, err := p.api.V1CheckoutSessions.Retrieve(ctx, id, params)
	if err != nil {
		return nil, failure("query "+number, err)
	}
	if !ours(session) || session.ClientReferenceID != number || session.Livemode != p.live {
		return nil, fmt.Errorf("stripe: answered session %q to query %s: %w", session.ClientReferenceID, number, payment.ErrUnavailable)
	}
	return session, nil
}

// search looks for a number among the sessions that were created around its moment, in one window after the other. It returns
// ErrNotFound if the last has none.
//
// Stripe finds sessions by its own ids only, and its search, of payment intents, sees what was changed a minute ago or more. Its lists are
// up to date, and the number tells the second it was made in.
func (p *Provider) search(ctx context.Context, number string, windows []window) (*sdk.CheckoutSession, error) {
	began, err := beginning(number)
	if err != nil { // never sent, then
		return nil, fmt.Errorf("stripe: %w: %w", payment.ErrNotFound, err)
	}
	for _, w := range windows {
		best, err := p.list(ctx, number, began.Add(-w.before), began.Add(w.after))
		if err != nil {
			return nil, err
		}
		if best != nil {
			p.sessions.put(number, best.ID)
			return best, nil
		}
	}
	return nil, fmt.Errorf("stripe: %s: no session: %w", number, payment.ErrNotFound)
}

// list finds a number's session among those created in a stretch of time, or nil, and remembers the others it comes by: in
// a rush somebody will ask about them, too.
func (p *Provider) list(ctx context.Context, number string, from, until time.Time) (best *sdk.CheckoutSession, err error) {
	params := &sdk.CheckoutSessionListParams{
		CreatedRange: &sdk.RangeQueryParams{GreaterThanOrEqual: from.Unix(), LesserThanOrEqual: until.Unix()},
	}
	turn := func(after string) page[*sdk.CheckoutSession] {
		p.turn(&params.ListParams, after)
		return p.api.V1CheckoutSessions.List(ctx, params)
	}
	err = each(turn, func(s *sdk.CheckoutSession) string { return s.ID }, func(s *sdk.CheckoutSession) error {
		switch {
		case !ours(s) || s.Livemode != p.live:
		case s.ClientReferenceID != number:
			p.sessions.learn(s.ClientReferenceID, s.ID)
		case best == nil || rank(s) > rank(best):
			best = s
		}
		return nil
	})
	if err != nil {
		return nil, failure("look for "+number, err)
	}
	return best, nil
}

// rank says which of two sessions of a number counts. There are two only if Stripe made one, said that it failed, and hid it until
// we had made another; nobody was ever sent to the first.
func rank(s *sdk.CheckoutSession) int {
	switch {
	case s.PaymentStatus == sdk.CheckoutSessionPaymentStatusPaid:
		return 3
	case s.Status == sdk.CheckoutSessionStatusComplete:
		return 2
	case s.Status == sdk.CheckoutSessionStatusOpen:
		return 1
	}
	return 0
}

// ours says whether we made a session.
func ours(s *sdk.CheckoutSession) bool {
	return s.ClientReferenceID != "" && s.Metadata[metaNumber] == s.ClientReferenceID && numberShape.MatchString(s.ClientReferenceID)
}

// page is one page of a list of the library's.
type page[T any] interface {
	Data() []T
	Err() error
	Meta() sdk.ListMeta
}

// turn asks for the page that follows an entry.
func (p *Provider) turn(params *sdk.ListParams, after string) {
	const most = 100
	params.Limit = sdk.Int64(most)
	params.Single = true // the library's own turning of pages never ends on an empty one
	if after != "" {
		params.StartingAfter = sdk.String(after)
	}
	if p.config.Account != "" {
		params.SetStripeAccount(p.config.Account)
	}
}

var (
	// errCutShort: Stripe said that there is more, and had none.
	errCutShort = errors.New("the list ends early")
	errNoList   = errors.New("the answer is no list")
)

// each visits every entry of a list.
func each[T any](turn func(after string) page[T], id func(T) string, visit func(T) error) error {
	after := ""
	for {
		current := turn(after)
		if err := current.Err(); err != nil {
			return err
		}
		if current.Meta().URL == "" { // every list has one
			return errNoList
		}
		for _, entry := range current.Data() {
			if id(entry) == "" || id(entry) == after {
				return errCutShort
			}
			after = id(entry)
			if err := visit(entry); err != nil {
				return err
			}
		}
		if !current.Meta().HasMore {
			return nil
		}
		if len(current.Data()) == 0 {
			return errCutShort
		}
	}
}

// memory is a map that forgets what was put into it longest ago, and stays small.
type memory[T any] struct {
	mu         sync.Mutex
	young, old map[string]T
}

const maxRemembered = 20_000

func (m *memory[T]) get(key string) (T, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if value, ok := m.young[key]; ok {
		return value, true
	}
	value, ok := m.old[key]
	return value, ok
}

func (m *memory[T]) put(key string, value T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.young) >= maxRemembered {
		m.old, m.young = m.young, nil
	}
	if m.young == nil {
		m.young = map[string]T{}
	}
	m.young[key] = value
}

// learn puts what was not known before.
func (m *memory[T]) learn(key string, value T) {
	if _, known := m.get(key); !known {
		m.put(key, value)
	}
}
