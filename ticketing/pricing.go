package ticketing

import (
	"fmt"
	"time"
)

// Ask is what a buyer wants of one ticket type.
type Ask struct {
	TicketTypeID string `json:"ticket_type_id"`
	Quantity     int    `json:"quantity"`
	// SeatIDs are the seats the buyer has chosen, as many as Quantity; none means that seats are assigned.
	SeatIDs []string `json:"seat_ids,omitempty"`
	// Apart accepts assigned seats that are not side by side where there are not enough together.
	Apart bool `json:"apart,omitzero"`
}

// PricedLine is one line of a quote: (base price + surcharge) × quantity.
type PricedLine struct {
	TicketTypeID string `json:"ticket_type_id"`
	Quantity     int    `json:"quantity"`
	// BasePrice and Surcharge are minor units per ticket, Amount those of the line.
	BasePrice int64 `json:"base_price"`
	Surcharge int64 `json:"surcharge"`
	Amount    int64 `json:"amount"`
}

// Quote is a price broken down line by line: Total = Σ lines + OrderFee.
type Quote struct {
	Lines []PricedLine `json:"lines"`
	// OrderFee is charged once per order, in minor units.
	OrderFee int64 `json:"order_fee"`
	Total    Money `json:"total"`
}

// MaxQuantity is the largest quantity a line may name, whatever a ticket type allows.
const MaxQuantity = 100

// MaxLines is the largest number of lines of an order.
const MaxLines = 20

// PriceOrder checks the asks against limits and sale windows and prices them at now.
//
// Errors: CodeNotOnSale, CodeInvalid (no or too many lines, a type named
// twice or not of this session, a quantity that is not 1…MaxQuantity, mixed
// currencies, overflow), CodeLimitExceeded, CodeWindowClosed; each names its field.
func PriceOrder(event Event, session Session, asks []Ask, now time.Time) (Quote, error) {
	if event.State != EventOnSale {
		return Quote{}, Errorf(CodeNotOnSale, "this event is not on sale")
	}
	if len(asks) == 0 || len(asks) > MaxLines {
		return Quote{}, FieldErrorf(CodeInvalid, "/lines", "an order has 1 to %d lines", MaxLines)
	}
	types := make(map[string]TicketType, len(session.TicketTypes))
	for _, t := range session.TicketTypes {
		types[t.ID] = t
	}
	var (
		quote Quote
		total int
		seen  = make(map[string]bool, len(asks))
	)
	for i, ask := range asks {
		field := func(name string) string { return fmt.Sprintf("/lines/%d/%s", i, name) }
		t, ok := types[ask.TicketTypeID]
		if !ok {
			return Quote{}, FieldErrorf(CodeInvalid, field("ticket_type_id"), "no such ticket type in this session")
		}
		if seen[t.ID] {
			return Quote{}, FieldErrorf(CodeInvalid, field("ticket_type_id"), "this ticket type is named twice")
		}
		seen[t.ID] = true
		if ask.Quantity < 1 || ask.Quantity > MaxQuantity {
			return Quote{}, FieldErrorf(CodeInvalid, field("quantity"), "quantity must be 1 to %d", MaxQuantity)
		}
		if ask.Quantity > t.MaxPerOrder {
			return Quote{}, FieldErrorf(CodeLimitExceeded, field("quantity"), "at most %d tickets of this type per order", t.MaxPerOrder)
		}
		if !t.OnSaleAt(now) {
			return Quote{}, FieldErrorf(CodeWindowClosed, field("ticket_type_id"), "this ticket type is not on sale now")
		}
		if quote.Total.Currency == "" {
			quote.Total.Currency = t.Currency
		}
		unit, err := Money{t.BasePriceAt(now), t.Currency}.Plus(Money{t.Surcharge, t.Currency})
		if err != nil {
			return Quote{}, err
		}
		amount, err := unit.Times(int64(ask.Quantity))
		if err != nil {
			return Quote{}, err
		}
		if quote.Total, err = quote.Total.Plus(amount); err != nil {
			return Quote{}, err
		}
		quote.Lines = append(quote.Lines, PricedLine{
			TicketTypeID: t.ID, Quantity: ask.Quantity,
			BasePrice: t.BasePriceAt(now), Surcharge: t.Surcharge, Amount: amount.Amount,
		})
		total += ask.Quantity
	}
	if total > event.MaxPerOrder {
		return Quote{}, FieldErrorf(CodeLimitExceeded, "/lines", "at most %d tickets per order", event.MaxPerOrder)
	}
	quote.OrderFee = event.OrderFee
	var err error
	quote.Total, err = quote.Total.Plus(Money{event.OrderFee, quote.Total.Currency})
	return quote, err
}
