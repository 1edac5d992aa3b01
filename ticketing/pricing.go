package ticketing

// Ask is what a buyer wants of one ticket type.
type Ask struct {
	TicketTypeID string `json:"ticket_type_id"`
	Quantity     int    `json:"quantity"`
	// SeatIDs are the seats the buyer has chosen, as many as Quantity; none means that seats are assigned.
	SeatIDs []string `json:"seat_ids,omitempty"`
	// Apart accepts assigned seats that are not side by side where there are not enough together.
	Apart bool `json:"apart,omitzero"`
}

// PricedLine is one line of a quote. All amounts are minor units; those of the line count all of its tickets.
type PricedLine struct {
	TicketTypeID string `json:"ticket_type_id"`
	Quantity     int    `json:"quantity"`
	// BasePrice and Surcharge are per ticket, Amount = (BasePrice + Surcharge) × Quantity.
	BasePrice int64 `json:"base_price"`
	Surcharge int64 `json:"surcharge"`
	Amount    int64 `json:"amount"`
	// Phase is the id of the phase by quantity that BasePrice is of, if it is of one.
	Phase string `json:"phase,omitempty"`
	// Discount is taken off Amount by a membership and by vouchers.
	Discount int64 `json:"discount,omitempty"`
	// Fee is the fees per ticket of the line.
	Fee int64 `json:"fee,omitempty"`
	// Tax is the tax of the line, whether it is contained in its price or added.
	Tax int64 `json:"tax,omitempty"`
	// Contents are what one of it contains, if it is a bundle.
	Contents []Component `json:"contents,omitempty"`
}

// Quote is a price broken down line by line: Total = Σ LineTotal + OrderFeeTotal. See docs/pricing.md.
type Quote struct {
	Lines []PricedLine `json:"lines"`
	// OrderFee is charged once per order, in minor units; OrderFeeTax is the tax on it, contained or added.
	OrderFee    int64   `json:"order_fee"`
	OrderFeeTax int64   `json:"order_fee_tax,omitempty"`
	Tax         TaxRule `json:"tax,omitzero"`
	// Member is what comes before the vouchers; nil without a member code.
	Member *UsedMembership `json:"member,omitempty"`
	// Vouchers are in the order in which they apply.
	Vouchers []UsedVoucher `json:"vouchers,omitempty"`
	Total    Money         `json:"total"`
}

// MaxQuantity is the largest quantity a line may name, whatever a ticket type allows.
const MaxQuantity = 100

// MaxLines is the largest number of lines of an order.
const MaxLines = 20

// PriceOrder checks a basket against limits and sale windows and prices it, in this order: base price by phase, surcharge,
// quantity, membership, vouchers, fee per ticket, tax; then the order's fee and its tax.
//
// Errors: CodeNotOnSale, CodeInvalid (no or too many lines, a type named twice or not of this session, a quantity that is
// not 1…MaxQuantity, mixed currencies, overflow, vouchers that do not go together), CodeLimitExceeded, CodeWindowClosed,
// CodeVoucherInvalid, CodeVoucherMinimum; each names its field.
func PriceOrder(event Event, session Session, b Basket) (Quote, error) {
	level, err := event.LevelOf(b.Member)
	if err != nil {
		return Quote{}, err
	}
	types, err := b.choose(event, session, level)
	if err != nil {
		return Quote{}, err
	}
	quote := Quote{Tax: event.Tax, OrderFee: event.OrderFee, Total: Money{Currency: types[0].Currency}}
	// Until the end, Total is all that could be charged for the lines; if that can be counted, so can all parts of it.
	for i, ask := range b.Lines {
		if err := quote.add(types[i], ask.Quantity, event.TicketFee, b); err != nil {
			return Quote{}, err
		}
	}
	if b.Member != nil {
		quote.favour(event, level)
	}
	if err := quote.discount(event, session, b); err != nil {
		return Quote{}, err
	}
	return quote, quote.sum()
}

// add prices a line without vouchers and tax.
func (q *Quote) add(t TicketType, quantity int, ticketFee int64, b Basket) error {
	line := PricedLine{TicketTypeID: t.ID, Quantity: quantity, BasePrice: t.BasePrice, Surcharge: t.Surcharge, Contents: t.Contents}
	if phase, ok := t.PhaseFor(b.At, quantity, b.PhaseLeft); ok {
		line.BasePrice = phase.BasePrice
		if phase.Limit > 0 {
			line.Phase = phase.ID
		}
	}
	unit, err := Money{line.BasePrice, t.Currency}.Plus(Money{t.Surcharge, t.Currency})
	if err != nil {
		return err
	}
	amount, err := unit.Times(int64(quantity))
	if err != nil {
		return err
	}
	fee, err := Money{ticketFee, t.Currency}.Times(int64(quantity))
	if err != nil {
		return err
	}
	line.Amount, line.Fee = amount.Amount, fee.Amount
	for _, part := range []Money{amount, fee} {
		if q.Total, err = q.Total.Plus(part); err != nil {
			return err
		}
	}
	q.Lines = append(q.Lines, line)
	return nil
}

// sum adds taxes and the order's fee, and everything up.
func (q *Quote) sum() error {
	q.Total.Amount = 0
	var err error
	charge := func(amount int64) {
		if err == nil {
			q.Total, err = q.Total.Plus(Money{amount, q.Total.Currency})
		}
	}
	for i := range q.Lines {
		line := &q.Lines[i]
		taxed := line.Amount - line.Discount + line.Fee
		line.Tax = q.Tax.of(taxed)
		charge(taxed)
		charge(q.Tax.added(line.Tax))
	}
	q.OrderFeeTax = q.Tax.of(q.OrderFee)
	charge(q.OrderFee)
	charge(q.Tax.added(q.OrderFeeTax))
	return err
}

// LineTotal is what is charged for a line, in minor units.
func (q Quote) LineTotal(l PricedLine) int64 {
	return l.Amount - l.Discount + l.Fee + q.Tax.added(l.Tax)
}

// Beside is what an order costs beside the amounts of its lines and its OrderFee, in minor units: Total is all of that together.
type Beside struct{ Discount, TicketFees, AddedTax int64 }

// Beside sums up what vouchers take off, the fees per ticket, and the tax where prices do not have it in them.
func (q Quote) Beside() (b Beside) {
	for _, l := range q.Lines {
		b.Discount += l.Discount
		b.TicketFees += l.Fee
		b.AddedTax += q.Tax.added(l.Tax)
	}
	b.AddedTax += q.Tax.added(q.OrderFeeTax)
	return b
}

// OrderFeeTotal is what is charged for the order besides its lines, in minor units.
func (q Quote) OrderFeeTotal() int64 { return q.OrderFee + q.Tax.added(q.OrderFeeTax) }
