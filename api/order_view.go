package api

import (
	"context"

	"github.com/boxoffice/boxoffice/ticketing"
)

// orderView is an order as its buyer reads it.
type orderView struct {
	ID              string               `json:"id"`
	State           ticketing.OrderState `json:"state"`
	SessionID       string               `json:"session_id"`
	EventID         string               `json:"event_id"`
	EventTitle      ticketing.Text       `json:"event_title"`
	SessionStartsAt instant              `json:"session_starts_at,omitzero"`
	Venue           *ticketing.Venue     `json:"venue,omitzero"`
	priceView
	Buyer      buyerView          `json:"buyer"`
	Language   string             `json:"language"`
	PayBy      instant            `json:"pay_by,omitzero"`
	ServerTime instant            `json:"server_time"`
	CreatedAt  instant            `json:"created_at"`
	UpdatedAt  instant            `json:"updated_at"`
	Revision   int                `json:"revision"`
	Refusal    *ticketing.Refusal `json:"refusal,omitzero"`
	Methods    []string           `json:"methods"`
	Attempts   []attemptView      `json:"attempts"`
	Tickets    []ticketView       `json:"tickets"`
	Seats      []ticketing.Seat   `json:"seats,omitempty"`
	// Attendees are masked.
	Attendees    []ticketing.MaskedAttendee `json:"attendees,omitempty"`
	RealNames    *realNamesView             `json:"real_names,omitzero"`
	Refunds      []refundView               `json:"refunds"`
	RefundPolicy *refundPolicyView          `json:"refund_policy,omitzero"`
	Membership   *membershipView            `json:"membership,omitzero"`
	// Token is only in the answer to the submission.
	Token string `json:"token,omitzero"`
}

type buyerView struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	Phone string `json:"phone,omitzero"`
}

type attemptView struct {
	ID        string                 `json:"id"`
	Method    string                 `json:"method"`
	Provider  string                 `json:"provider"`
	State     ticketing.AttemptState `json:"state"`
	Amount    ticketing.Money        `json:"amount"`
	PayURL    string                 `json:"pay_url,omitzero"`
	PayForm   map[string]string      `json:"pay_form,omitempty"`
	QR        string                 `json:"qr,omitzero"`
	CreatedAt instant                `json:"created_at"`
	ExpiresAt instant                `json:"expires_at"`
}

type ticketView struct {
	ID           string                    `json:"id"`
	TicketTypeID string                    `json:"ticket_type_id"`
	Name         ticketing.Text            `json:"name"`
	State        ticketing.TicketState     `json:"state"`
	RefundID     string                    `json:"refund_id,omitzero"`
	Code         string                    `json:"code"`
	IssuedAt     instant                   `json:"issued_at"`
	Seat         *ticketing.Seat           `json:"seat,omitzero"`
	Attendee     *ticketing.MaskedAttendee `json:"attendee,omitzero"`
	// Bundle is the one it is of, if it is of one.
	Bundle *partView `json:"bundle,omitzero"`
}

type refundView struct {
	ID        string                 `json:"id"`
	AttemptID string                 `json:"attempt_id"`
	Amount    ticketing.Money        `json:"amount"`
	Fee       ticketing.Money        `json:"fee"`
	TicketIDs []string               `json:"ticket_ids"`
	State     ticketing.RefundState  `json:"state"`
	Reason    ticketing.RefundReason `json:"reason"`
	CreatedAt instant                `json:"created_at"`
	SettledAt instant                `json:"settled_at,omitzero"`
}

type timelineEntry struct {
	Sequence int                      `json:"sequence"`
	Kind     ticketing.OrderEventKind `json:"kind"`
	State    ticketing.OrderState     `json:"state"`
	At       instant                  `json:"at"`
	Detail   map[string]any           `json:"detail"`
}

type timeline struct {
	Events []timelineEntry `json:"events"`
}

// pendingView is the answer while no worker has given one.
type pendingView struct {
	ID         string               `json:"id"`
	State      ticketing.OrderState `json:"state"`
	Token      string               `json:"token"`
	ServerTime instant              `json:"server_time"`
}

// viewOrder shows an order, with the names the catalogue has for what it is about.
func (s *Server) viewOrder(ctx context.Context, o ticketing.Order) (orderView, error) {
	l, err := s.catalogue.session(ctx, o.SessionID)
	if err != nil {
		return orderView{}, err
	}
	others, err := s.sessionsOf(ctx, contentsOf(o.Quote)...)
	if err != nil {
		return orderView{}, err
	}
	listed := l.event != nil
	if o.Total.Currency == "" { // refused before it had a price
		o.Total.Currency = noCurrency
		if listed {
			o.Total.Currency = currencyOf(l.event)
		}
	}
	v := orderView{
		ID: o.ID, State: o.State, SessionID: o.SessionID, EventID: o.EventID, EventTitle: unnamed(o.EventID),
		Buyer:    buyerView{o.Buyer.Name, o.Buyer.Email, o.Buyer.Phone},
		Language: o.Buyer.Language, PayBy: instant(o.PayBy), ServerTime: instant(s.Now()),
		CreatedAt: instant(o.CreatedAt), UpdatedAt: instant(o.UpdatedAt), Revision: o.Revision, Refusal: o.Refusal, Seats: o.Seats, Attendees: o.Attendees,
		Methods: []string{}, Attempts: []attemptView{}, Tickets: []ticketView{}, Refunds: []refundView{},
	}
	var programme *ticketing.Programme
	if listed {
		programme = l.event.Programme
		v.EventTitle, v.SessionStartsAt, v.Venue = l.event.Title, instant(l.session.StartsAt), &l.session.Venue
		policy := viewRefundPolicy(l.event, l.session, o.PaidAt)
		v.RefundPolicy = &policy
		v.RealNames = viewRealNames(l.event, l.session)
	}
	if o.State.HoldsStock() && listed {
		v.Methods = s.Payments.Methods(l.event.OrganiserID, o.Total.Currency)
	}
	v.priceView, v.Membership = viewPrice(l, o.Quote, others, o.PaidAt), viewMembership(o.Membership, programme)
	for _, a := range o.Attempts {
		v.Attempts = append(v.Attempts, attemptView{
			ID: a.ID, Method: a.Method, Provider: a.Provider, State: a.State, Amount: a.Amount,
			PayURL: a.PayURL, PayForm: a.PayForm, QR: a.QR, CreatedAt: instant(a.CreatedAt), ExpiresAt: instant(a.ExpiresAt),
		})
	}
	for _, t := range o.Tickets {
		v.Tickets = append(v.Tickets, ticketView{
			ID: t.ID, TicketTypeID: t.TicketTypeID, Name: others.ticketName(l, o, t), Bundle: others.part(l, o, t), State: t.State, RefundID: t.RefundID, Code: t.Code, IssuedAt: instant(t.IssuedAt), Seat: t.Seat, Attendee: t.Attendee,
		})
	}
	for _, r := range o.Refunds {
		v.Refunds = append(v.Refunds, viewRefund(r))
	}
	return v, nil
}

func viewRefund(r ticketing.Refund) refundView {
	v := refundView{
		ID: r.ID, AttemptID: r.AttemptID, Amount: r.Amount, Fee: ticketing.Money{Amount: r.Fee, Currency: r.Amount.Currency},
		TicketIDs: r.TicketIDs, State: r.State, Reason: r.Reason, CreatedAt: instant(r.CreatedAt),
	}
	if v.TicketIDs == nil {
		v.TicketIDs = []string{}
	}
	if r.SettledAt != nil {
		v.SettledAt = instant(*r.SettledAt)
	}
	return v
}

// noCurrency is ISO 4217's code for no currency.
const noCurrency = "XXX"

// unnamed stands for the name of something the catalogue no longer has.
func unnamed(id string) ticketing.Text { return ticketing.Text{"en": id, "zh-CN": id} }

func viewEntry(e ticketing.OrderEvent) timelineEntry {
	detail := e.Detail
	if detail == nil {
		detail = map[string]any{}
	}
	return timelineEntry{Sequence: e.Sequence, Kind: e.Kind, State: e.State, At: instant(e.At), Detail: detail}
}
