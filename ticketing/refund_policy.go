package ticketing

import (
	"fmt"
	"slices"
	"time"
)

// MaxBasisPoints is the whole of something in basis points.
const MaxBasisPoints = 10000

// RefundStep says what it costs to give a ticket back while there is still time.
type RefundStep struct {
	// Before is how long before the session starts a ticket has to go back at the latest.
	Before time.Duration
	// FeeBasisPoints is kept of the price paid for the ticket: 500 is five per cent.
	FeeBasisPoints int64
}

// RefundPolicy is an organiser's ladder, the step that ends first at the front. After the last step, and
// without any, tickets do not go back.
type RefundPolicy []RefundStep

// Validate checks that every step ends later than the one before it and keeps no less.
// Error: CodeInvalid.
func (p RefundPolicy) Validate() error {
	for i, step := range p {
		switch {
		case step.Before < 0 || step.Before%time.Second != 0:
			return Errorf(CodeInvalid, "a refund step ends whole seconds before the session, not %s", step.Before)
		case step.FeeBasisPoints < 0 || step.FeeBasisPoints >= MaxBasisPoints:
			return Errorf(CodeInvalid, "a refund keeps 0 to %d basis points, not %d", MaxBasisPoints-1, step.FeeBasisPoints)
		case i > 0 && (step.Before >= p[i-1].Before || step.FeeBasisPoints < p[i-1].FeeBasisPoints):
			return Errorf(CodeInvalid, "a refund step ends after the one before it and keeps no less")
		}
	}
	return nil
}

// RefundTerms are what giving back the tickets of a session depends on.
type RefundTerms struct {
	Policy   RefundPolicy
	Event    EventState
	StartsAt time.Time
	// ChangedAt is when the session's time or venue last changed; zero if never.
	ChangedAt time.Time
	// PaidAt is when the tickets were paid; zero for those that nobody has bought.
	PaidAt time.Time
}

// RefundDeadline is a step of a ladder on the calendar of a session.
type RefundDeadline struct {
	// Until is the last moment at which it applies.
	Until          time.Time
	FeeBasisPoints int64
}

// Deadlines lists the steps by when they end.
func (t RefundTerms) Deadlines() []RefundDeadline {
	deadlines := make([]RefundDeadline, len(t.Policy))
	for i, step := range t.Policy {
		deadlines[i] = RefundDeadline{t.StartsAt.Add(-step.Before), step.FeeBasisPoints}
	}
	return deadlines
}

// Free says whether everything goes back whatever the ladder says, the order's fee with it: the organiser
// has cancelled or postponed the event, or changed the session after the tickets were paid.
func (t RefundTerms) Free() bool { return t.calledOff() || t.changed() }

func (t RefundTerms) calledOff() bool {
	return t.Event == EventCancelled || t.Event == EventPostponed
}

func (t RefundTerms) changed() bool {
	return !t.PaidAt.IsZero() && t.ChangedAt.After(t.PaidAt)
}

// at finds what is kept of a ticket at a moment, and until when that stays so; zero means for ever.
func (t RefundTerms) at(now time.Time) (step RefundDeadline, free bool, err error) {
	switch {
	case t.calledOff():
		return RefundDeadline{}, true, nil
	case t.changed() && !now.After(t.StartsAt):
		return RefundDeadline{Until: t.StartsAt}, true, nil
	case len(t.Policy) == 0:
		return step, false, Errorf(CodeNotRefundable, "tickets of this event do not go back")
	}
	for _, step := range t.Deadlines() {
		if !now.After(step.Until) {
			return step, false, nil
		}
	}
	last := t.Deadlines()[len(t.Policy)-1]
	return step, false, Errorf(CodeNotRefundable, "tickets went back until %s", last.Until.UTC().Format(time.RFC3339))
}

// PaidTicket is a ticket of an order with what was paid for it.
type PaidTicket struct {
	ID    string
	State TicketState
	// Paid is its share of what was charged for its line, in minor units: nothing that a voucher has taken off.
	Paid int64
	// Bundle names the bundle it is of (BundleKey), which goes back as a whole; empty for every other ticket.
	Bundle string
	// Terms are those of its bundle: by the first of its sessions, and called off with any of them.
	Terms *RefundTerms
}

// RefundFacts are the stored facts by which a refund is quoted.
type RefundFacts struct {
	Order OrderState
	Terms RefundTerms
	// Provider holds the money that paid the order.
	Provider string
	// Currency is that of the order, OrderFee what was charged for it besides its tickets, in minor units.
	Currency string
	OrderFee int64
	// Tickets are all that were issued for the order, whatever became of them, always in the same order.
	Tickets []PaidTicket
}

// RefundLine is what goes back for one ticket: Amount = Paid − Fee, in minor units.
type RefundLine struct {
	TicketID string `json:"ticket_id"`
	Paid     int64  `json:"paid"`
	Fee      int64  `json:"fee"`
	Amount   int64  `json:"amount"`
}

// RefundQuote is what goes back for some tickets of an order: Amount = Σ lines + OrderFee.
type RefundQuote struct {
	Lines []RefundLine `json:"lines"`
	// OrderFee is given back of the order's fee, in minor units: nothing unless the refund is free.
	OrderFee int64 `json:"order_fee"`
	// Paid and Fee are the sums of the lines.
	Paid   int64 `json:"paid"`
	Fee    int64 `json:"fee"`
	Amount Money `json:"amount"`
	// Provider is who gives it back.
	Provider string `json:"provider"`
	Free     bool   `json:"free"`
	// Until is the last moment at which it is quoted so; zero means for ever.
	Until time.Time `json:"until"`
}

// TicketIDs lists the tickets that go back.
func (q RefundQuote) TicketIDs() []string {
	ids := make([]string, len(q.Lines))
	for i, line := range q.Lines {
		ids[i] = line.TicketID
	}
	return ids
}

// QuoteRefund says what goes back if the tickets named go back now; nil means all that are valid.
//
// Errors: CodeNotRefundable with the reason, CodeInvalid for a ticket that is not the order's, is named
// twice or without the others of its bundle, CodeConflict for one that is void already; the last two name their field.
func QuoteRefund(f RefundFacts, tickets []string, now time.Time) (RefundQuote, error) {
	switch f.Order {
	case OrderPaid, OrderPartiallyRefunded, OrderRefunding:
	default:
		return RefundQuote{}, Errorf(CodeNotRefundable, "the order is %s", f.Order)
	}
	chosen, err := f.choose(tickets)
	if err != nil {
		return RefundQuote{}, err
	}
	quote := RefundQuote{Amount: Money{Currency: f.Currency}, Provider: f.Provider, Free: true}
	for i, ticket := range f.Tickets {
		if !chosen[ticket.ID] {
			continue
		}
		terms := f.Terms
		if ticket.Terms != nil {
			terms = *ticket.Terms
		}
		step, free, err := terms.at(now)
		if err != nil {
			return RefundQuote{}, err
		}
		quote.Free = quote.Free && free
		if quote.Until.IsZero() || !step.Until.IsZero() && step.Until.Before(quote.Until) {
			quote.Until = step.Until
		}
		line := RefundLine{TicketID: ticket.ID, Paid: ticket.Paid, Fee: portion(ticket.Paid, step.FeeBasisPoints)}
		line.Amount = line.Paid - line.Fee
		quote.Lines = append(quote.Lines, line)
		quote.Paid += line.Paid
		quote.Fee += line.Fee
		if free {
			quote.OrderFee += Share(f.OrderFee, i, len(f.Tickets))
		}
	}
	quote.Amount.Amount = quote.Paid - quote.Fee + quote.OrderFee
	if quote.Amount.Amount <= 0 {
		return RefundQuote{}, Errorf(CodeNotRefundable, "nothing would go back for these tickets")
	}
	return quote, nil
}

// choose finds the tickets that are to go back.
func (f RefundFacts) choose(tickets []string) (map[string]bool, error) {
	chosen := map[string]bool{}
	if tickets == nil {
		frozen := false
		for _, ticket := range f.Tickets {
			frozen = frozen || ticket.State == TicketFrozen
			if ticket.State == TicketValid {
				chosen[ticket.ID] = true
			}
		}
		switch {
		case frozen:
			return nil, Errorf(CodeNotRefundable, "the payment is disputed at the bank")
		case len(chosen) == 0:
			return nil, Errorf(CodeNotRefundable, "no ticket of the order is valid any more")
		}
		return chosen, nil
	}
	for i, id := range tickets {
		field := fmt.Sprintf("/ticket_ids/%d", i)
		at := slices.IndexFunc(f.Tickets, func(t PaidTicket) bool { return t.ID == id })
		switch {
		case at < 0:
			return nil, FieldErrorf(CodeInvalid, field, "no such ticket in this order")
		case chosen[id]:
			return nil, FieldErrorf(CodeInvalid, field, "this ticket is named twice")
		case f.Tickets[at].State == TicketFrozen:
			return nil, FieldErrorf(CodeNotRefundable, field, "the payment is disputed at the bank")
		case f.Tickets[at].State != TicketValid:
			return nil, FieldErrorf(CodeConflict, field, "this ticket has been given back already")
		}
		chosen[id] = true
	}
	if len(chosen) == 0 {
		return nil, FieldErrorf(CodeInvalid, "/ticket_ids", "name at least one ticket")
	}
	for i, id := range tickets {
		at := slices.IndexFunc(f.Tickets, func(t PaidTicket) bool { return t.ID == id })
		if bundle := f.Tickets[at].Bundle; bundle != "" && slices.ContainsFunc(f.Tickets, func(t PaidTicket) bool { return t.Bundle == bundle && !chosen[t.ID] }) {
			return nil, FieldErrorf(CodeInvalid, fmt.Sprintf("/ticket_ids/%d", i), "a bundle goes back as a whole: name all of its tickets")
		}
	}
	return chosen, nil
}

// portion is so many basis points of a non-negative amount, rounded half up. It does not overflow.
func portion(amount, basisPoints int64) int64 {
	return amount/MaxBasisPoints*basisPoints + (amount%MaxBasisPoints*basisPoints+MaxBasisPoints/2)/MaxBasisPoints
}
