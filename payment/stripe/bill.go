package stripe

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	sdk "github.com/stripe/stripe-go/v86"

	"github.com/boxoffice/boxoffice/payment"
)

// Bill implements payment.Provider: the movements of our balance at Stripe on a day of UTC. Today's is what has moved so far.
func (p *Provider) Bill(ctx context.Context, day time.Time) ([]payment.BillLine, error) {
	ctx, cancel := context.WithTimeout(ctx, p.config.BillTimeout)
	defer cancel()
	from := day.UTC().Truncate(24 * time.Hour)
	date := from.Format(time.DateOnly)
	if from.After(p.config.Now()) {
		return nil, fmt.Errorf("stripe: bill of %s: %w", date, payment.ErrNotFound)
	}
	params := &sdk.BalanceTransactionListParams{
		CreatedRange: &sdk.RangeQueryParams{GreaterThanOrEqual: from.Unix(), LesserThan: from.Add(24 * time.Hour).Unix()},
	}
	params.AddExpand("data.source")
	turn := func(after string) page[*sdk.BalanceTransaction] {
		p.turn(&params.ListParams, after)
		return p.bills.V1BalanceTransactions.List(ctx, params)
	}
	lines := []payment.BillLine{}
	err := each(turn, func(t *sdk.BalanceTransaction) string { return t.ID }, func(t *sdk.BalanceTransaction) error {
		if between[t.Type] {
			return nil
		}
		line, err := billLine(t)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", errUnreadable, t.ID, err)
		}
		lines = append(lines, line)
		return nil
	})
	switch {
	case errors.Is(err, errCutShort):
		return nil, fmt.Errorf("stripe: bill of %s: %w: %w", date, payment.ErrTruncatedBill, err)
	case errors.Is(err, errUnreadable):
		return nil, fmt.Errorf("stripe: bill of %s: %w: %w", date, payment.ErrUnavailable, err)
	case err != nil:
		return nil, failure("bill of "+date, err)
	}
	return lines, nil
}

var errUnreadable = errors.New("a line cannot be read")

// between are movements between Stripe and us: no payer's money, nothing our books know. Fees of single payments are not among
// them, but in their lines.
var between = func() map[sdk.BalanceTransactionType]bool {
	all := map[sdk.BalanceTransactionType]bool{}
	for name := range strings.FieldsSeq(`
		advance advance_funding anticipation_repayment payment_network_reserve_hold payment_network_reserve_release payout
		payout_cancel payout_failure payout_minimum_balance_hold payout_minimum_balance_release reserve_hold reserve_release
		reserve_transaction reserved_funds stripe_fee stripe_fx_fee tax_fee topup topup_reversal
		transfer transfer_cancel transfer_failure transfer_refund`) {
		all[sdk.BalanceTransactionType(name)] = true
	}
	return all
}()

// billLine translates a movement of our balance. Stripe settles in the currency of the balance; what was charged, given back or
// disputed is told in the payer's, which our books are in. Fees are in the balance's.
func billLine(t *sdk.BalanceTransaction) (payment.BillLine, error) {
	line := payment.BillLine{Kind: payment.NoticeOther, GatewayID: t.ID, At: moment(t.Created)}
	amount, currency := t.Amount, string(t.Currency)
	source := t.Source
	switch {
	case source == nil:
	case source.Charge != nil && (t.Type == sdk.BalanceTransactionTypeCharge || t.Type == sdk.BalanceTransactionTypePayment):
		charge := source.Charge
		line.Kind, line.Number, line.GatewayID = payment.NoticePayment, number(charge.Metadata), charge.ID
		if charge.PaymentIntent != nil {
			line.GatewayID = charge.PaymentIntent.ID
		}
		amount, currency = payers(t, charge.AmountCaptured, charge.Currency)
	case source.Refund != nil:
		refund := source.Refund
		line.Kind, line.Number, line.GatewayID = payment.NoticeRefund, number(refund.Metadata), refund.ID
		if id := refund.Metadata[metaRefund]; numberShape.MatchString(id) {
			line.RefundID = id
		}
		amount, currency = payers(t, refund.Amount, refund.Currency)
	case source.Dispute != nil:
		dispute := source.Dispute
		line.Kind, line.RefundID, line.GatewayID = payment.NoticeDispute, dispute.ID, ""
		if dispute.PaymentIntent != nil {
			line.GatewayID = dispute.PaymentIntent.ID
		}
		amount, currency = payers(t, dispute.Amount, dispute.Currency)
	}
	var err error
	if line.Amount, err = fromStripe(amount, currency); err != nil { // we never ask for such an amount: a person has to look
		line.Kind, line.Number, line.RefundID, line.GatewayID = payment.NoticeOther, "", "", t.ID
		if line.Amount, err = rounded(amount, currency); err != nil {
			return payment.BillLine{}, err
		}
	}
	line.Fee = fee(t.Fee, string(t.Currency))
	if t.Created <= 0 {
		return payment.BillLine{}, errors.New("no time")
	}
	return line, nil
}

// payers is a movement in the payer's currency, with the sign it has in our balance.
func payers(t *sdk.BalanceTransaction, amount int64, currency sdk.Currency) (int64, string) {
	switch {
	case t.Currency == currency:
		return t.Amount, string(currency)
	case t.Amount < 0:
		return -amount, string(currency)
	default:
		return amount, string(currency)
	}
}

// number is our number of a payment, if it is one of ours.
func number(metadata map[string]string) string {
	if n := metadata[metaNumber]; numberShape.MatchString(n) {
		return n
	}
	return ""
}
