package api

import (
	"context"
	"net/netip"
	"time"

	"github.com/boxoffice/boxoffice/ticketing"
)

// priceView is a price line by line, as it was quoted and as it is charged.
type priceView struct {
	Lines    []lineView      `json:"lines"`
	OrderFee ticketing.Money `json:"order_fee"`
	// Tax is left out where there is none.
	Tax *taxView `json:"tax,omitzero"`
	// Member is left out without a member code.
	Member   *memberView     `json:"member,omitzero"`
	Vouchers []voucherView   `json:"vouchers"`
	Total    ticketing.Money `json:"total"`
}

type lineView struct {
	TicketTypeID string          `json:"ticket_type_id"`
	Name         ticketing.Text  `json:"name"`
	Quantity     int             `json:"quantity"`
	BasePrice    ticketing.Money `json:"base_price"`
	Surcharge    ticketing.Money `json:"surcharge"`
	Amount       ticketing.Money `json:"amount"`
	Discount     ticketing.Money `json:"discount"`
	Fee          ticketing.Money `json:"fee"`
	Bundle       *bundleView     `json:"bundle,omitzero"`
}

// taxView is the tax of everything: contained in the prices, or added to them.
type taxView struct {
	BasisPoints int64           `json:"basis_points"`
	Included    bool            `json:"included"`
	Amount      ticketing.Money `json:"amount"`
}

type voucherView struct {
	ID       string          `json:"id"`
	Name     ticketing.Text  `json:"name"`
	Discount ticketing.Money `json:"discount"`
}

func viewPrice(home listed, q ticketing.Quote, others beside, paidAt *time.Time) priceView {
	money := func(amount int64) ticketing.Money { return ticketing.Money{Amount: amount, Currency: q.Total.Currency} }
	v := priceView{Lines: []lineView{}, Vouchers: []voucherView{}, OrderFee: money(q.OrderFee), Total: q.Total}
	tax := q.OrderFeeTax
	for _, l := range q.Lines {
		v.Lines = append(v.Lines, lineView{
			TicketTypeID: l.TicketTypeID, Name: home.typeName(l.TicketTypeID), Quantity: l.Quantity, BasePrice: money(l.BasePrice),
			Surcharge: money(l.Surcharge), Amount: money(l.Amount), Discount: money(l.Discount), Fee: money(l.Fee),
			Bundle: others.bundle(home.event, l.Contents, paidAt),
		})
		tax += l.Tax
	}
	if m := q.Member; m != nil {
		v.Member = &memberView{m.Programme, m.Level, money(m.Discount), m.ExtraTickets}
	}
	for _, used := range q.Vouchers {
		v.Vouchers = append(v.Vouchers, voucherView{used.ID, used.Name, money(used.Discount)})
	}
	if q.Tax.BasisPoints > 0 {
		v.Tax = &taxView{q.Tax.BasisPoints, q.Tax.Included, money(tax)}
	}
	return v
}

// basketRequest is what a buyer wants to buy.
type basketRequest struct {
	SessionID string          `json:"session_id"`
	Lines     []ticketing.Ask `json:"lines"`
	ticketing.Codes
	// email is the buyer's, empty while it is not known.
	email string
}

// guessed says by the answer to codes whether they were no good. A closed window alone does not: it is told to who has a good access
// code for another ticket type, and to a member of too low a level; to whoever is no member, something else was told before.
func (s *Server) guessed(ctx context.Context, session ticketing.Session, codes ticketing.Codes, answer error) bool {
	switch code := ticketing.CodeOf(answer); {
	case code == ticketing.CodeVoucherInvalid:
		return true
	case code != ticketing.CodeWindowClosed || codes.AccessCode == "":
		return false
	}
	var all ticketing.Basket
	for _, t := range session.TicketTypes {
		all.Lines = append(all.Lines, ticketing.Ask{TicketTypeID: t.ID})
	}
	all, err := s.Store.Basket(ctx, session, all, ticketing.Codes{AccessCode: codes.AccessCode})
	return err != nil || len(all.Opened) == 0
}

// price finds a session and prices a basket for it now, for a client who may be guessing codes. A sale window is only held against
// the buyer when it is closed doubt earlier and later too.
func (s *Server) price(ctx context.Context, r basketRequest, client netip.Addr, doubt time.Duration) (l listed, quote ticketing.Quote, err error) {
	if r.SessionID == "" || len(r.SessionID) > maxID {
		return l, quote, ticketing.FieldErrorf(ticketing.CodeInvalid, "/session_id", "must name a session")
	}
	if l, err = s.findSession(ctx, r.SessionID); err != nil {
		if ticketing.CodeOf(err) == ticketing.CodeNotFound {
			err = ticketing.FieldErrorf(ticketing.CodeNotFound, "/session_id", "there is no such session")
		}
		return l, quote, err
	}
	if err = r.Validate(); err != nil {
		return l, quote, err
	}
	look := func() error {
		basket, err := s.Store.Basket(ctx, *l.session, ticketing.Basket{Lines: r.Lines, At: s.Now(), Email: r.email}, r.Codes)
		if err != nil {
			return unavailable(err)
		}
		quote, err = ticketing.PriceOrder(*l.event, *l.session, basket)
		for _, shift := range []time.Duration{doubt, -doubt} {
			if ticketing.CodeOf(err) == ticketing.CodeWindowClosed && doubt > 0 {
				shifted := basket
				shifted.At = basket.At.Add(shift)
				if q, again := ticketing.PriceOrder(*l.event, *l.session, shifted); again == nil {
					quote, err = q, nil
				}
			}
		}
		return err
	}
	if r.Codes.None() {
		err = look()
	} else {
		err = s.guesses.try(ctx, client, "too many codes that are no good from this address", look,
			func(answer error) bool { return s.guessed(ctx, *l.session, r.Codes, answer) })
	}
	if err == nil {
		err = s.checkSeats(ctx, l, r.Lines)
	}
	return l, quote, err
}

// tooMany tells a client to come back later.
func tooMany(why string, wait time.Duration) error {
	return &fault{domainError: ticketing.Errorf(codeRateLimited, "%s", why), retryAfter: max(1, int((wait+time.Second-1)/time.Second))}
}
