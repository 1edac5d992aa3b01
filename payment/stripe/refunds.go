package stripe

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	sdk "github.com/stripe/stripe-go/v86"

	"github.com/boxoffice/boxoffice/payment"
)

var intentShape = regexp.MustCompile(`^pi_[0-9A-Za-z_]{1,100}$`)

// Refund implements payment.Provider.
//
// Stripe answers the same to an idempotency key for a day, also that the balance was too low or that Stripe itself failed, and
// then forgets the key. After a stored failure, and of an id made a day ago or earlier, the refunds of the payment are
// looked through; if it is not among them another key makes it. Keys are used in one order by everybody, the first that
// is not spent on a failure: two who send the same refund at once use the same key.
func (p *Provider) Refund(ctx context.Context, refund payment.Refund) (payment.RefundStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, p.config.SearchTimeout)
	defer cancel()
	amount, err := p.refundable(refund)
	if err != nil {
		return payment.RefundStatus{}, fmt.Errorf("stripe: refund %s: %w: %w", refund.ID, payment.ErrRejected, err)
	}
	if refund.GatewayID, err = p.intentOf(ctx, refund); err != nil {
		return payment.RefundStatus{}, err
	}
	params := &sdk.RefundCreateParams{
		PaymentIntent: sdk.String(refund.GatewayID), Amount: new(amount),
		Metadata: map[string]string{metaNumber: refund.Number, metaRefund: refund.ID},
	}
	if reason := clip(plain(refund.Reason), maxReason); reason != "" {
		params.Metadata[metaReason] = reason
	}
	spent, _ := p.keys.get(refund.ID)
	old := p.forgotten(refund.ID)
	if old { // what was spent is no longer: everybody begins at the first key again
		spent = 0
	}
	look := old || spent > 0
	for try := spent + 1; ; try++ {
		if look {
			made, err := p.made(ctx, refund)
			if !errors.Is(err, payment.ErrNotFound) {
				return p.given(refund, made, err)
			}
		}
		p.about(&params.Params, "refund-"+refund.ID, try)
		made, err := p.api.V1Refunds.Create(ctx, params)
		if err == nil && made.LastResponse.Header.Get(replayedHeader) == "" {
			return p.given(refund, made, nil)
		}
		if err == nil { // this is how it was then
			made, err = p.made(ctx, refund)
			return p.given(refund, made, err)
		}
		if _, again := replayed(err); !again || try-spent == mostKeys {
			return payment.RefundStatus{}, p.refused(refund, err)
		}
		p.keys.put(refund.ID, try)
		look = true
	}
}

// forgotten says whether Stripe may have forgotten the keys of a refund. It keeps them for at least a day; the id tells when it was made.
func (p *Provider) forgotten(id string) bool {
	const kept = 23 * time.Hour
	began, err := beginning(id)
	return err != nil || p.config.Now().Sub(began) > kept
}

const maxReason = 200

// refundable is what is to go back, in Stripe's unit.
func (p *Provider) refundable(refund payment.Refund) (int64, error) {
	if !numberShape.MatchString(refund.ID) || !numberShape.MatchString(refund.Number) {
		return 0, fmt.Errorf("of %q", refund.Number)
	}
	if refund.Total.Currency != "" && refund.Total.Currency != refund.Amount.Currency {
		return 0, fmt.Errorf("%s of a payment in %s", refund.Amount, refund.Total.Currency)
	}
	return toStripe(refund.Amount)
}

// intentOf is Stripe's id of the payment that is given back. What was not paid cannot be.
func (p *Provider) intentOf(ctx context.Context, refund payment.Refund) (string, error) {
	if intentShape.MatchString(refund.GatewayID) {
		return refund.GatewayID, nil
	}
	refuse := func(state payment.State) error {
		return fmt.Errorf("stripe: refund %s: %s is not paid (%s): %w", refund.ID, refund.Number, state, payment.ErrRejected)
	}
	session, err := p.session(ctx, refund.Number)
	if errors.Is(err, payment.ErrNotFound) {
		return "", refuse("unknown")
	}
	if err != nil {
		return "", err
	}
	paid, err := p.judged(session, refund.Number)
	if err == nil && paid.State != payment.StatePaid {
		err = refuse(paid.State)
	}
	return paid.GatewayID, err
}

// made finds a refund among those of its payment, by the id we wrote into it.
func (p *Provider) made(ctx context.Context, refund payment.Refund) (found *sdk.Refund, err error) {
	params := &sdk.RefundListParams{PaymentIntent: sdk.String(refund.GatewayID)}
	turn := func(after string) page[*sdk.Refund] {
		p.turn(&params.ListParams, after)
		return p.api.V1Refunds.List(ctx, params)
	}
	err = each(turn, func(r *sdk.Refund) string { return r.ID }, func(r *sdk.Refund) error {
		if r.Metadata[metaRefund] == refund.ID {
			found = r
		}
		return nil
	})
	if err != nil {
		return nil, failure("look for refund "+refund.ID, err)
	}
	if found == nil {
		return nil, fmt.Errorf("stripe: refund %s: none of %s: %w", refund.ID, refund.GatewayID, payment.ErrNotFound)
	}
	return found, nil
}

// refused says why Stripe made no refund. That it does not know the payment is final.
func (p *Provider) refused(refund payment.Refund, err error) error {
	err = failure("refund "+refund.ID, err)
	if errors.Is(err, payment.ErrNotFound) {
		return fmt.Errorf("stripe: refund %s: no payment %s: %w", refund.ID, refund.GatewayID, payment.ErrRejected)
	}
	return err
}

// given is a refund's state, for who wants it made: an id stands for one refund.
func (p *Provider) given(refund payment.Refund, made *sdk.Refund, err error) (payment.RefundStatus, error) {
	if err != nil {
		return payment.RefundStatus{}, err
	}
	amount, err := fromStripe(made.Amount, string(made.Currency))
	switch {
	case err != nil:
		return payment.RefundStatus{}, fmt.Errorf("stripe: refund %s: %w: %w", refund.ID, payment.ErrUnavailable, err)
	case amount != refund.Amount:
		return payment.RefundStatus{}, fmt.Errorf("stripe: refund %s was made of %s: %w", refund.ID, amount, payment.ErrRejected)
	}
	return p.refundJudged(made)
}

// QueryRefund implements payment.Provider.
func (p *Provider) QueryRefund(ctx context.Context, refund payment.Refund) (payment.RefundStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, p.config.SearchTimeout)
	defer cancel()
	if !intentShape.MatchString(refund.GatewayID) {
		session, err := p.session(ctx, refund.Number)
		if err != nil {
			return payment.RefundStatus{}, err
		}
		if refund.GatewayID = intentID(session); refund.GatewayID == "" {
			return payment.RefundStatus{}, fmt.Errorf("stripe: refund %s: nobody has paid %s: %w", refund.ID, refund.Number, payment.ErrNotFound)
		}
	}
	made, err := p.made(ctx, refund)
	if err != nil {
		return payment.RefundStatus{}, err
	}
	return p.refundJudged(made)
}

func (p *Provider) refundJudged(made *sdk.Refund) (payment.RefundStatus, error) {
	answer, err := refundStatus(made)
	if err != nil {
		return payment.RefundStatus{}, fmt.Errorf("stripe: refund %s: %w: %w", made.ID, payment.ErrUnavailable, err)
	}
	return answer, nil
}

// refundStatus translates what Stripe says of a refund of ours. A refund that waits for our balance is made, and goes out by
// itself. One that has succeeded may fail days later: the payer's bank sends it back.
func refundStatus(made *sdk.Refund) (payment.RefundStatus, error) {
	answer := payment.RefundStatus{ID: made.Metadata[metaRefund], GatewayID: made.ID, At: moment(made.Created)}
	if made.ID == "" || made.Created <= 0 || !numberShape.MatchString(answer.ID) {
		return payment.RefundStatus{}, fmt.Errorf("refund %q without id or time", made.ID)
	}
	switch made.Status {
	case sdk.RefundStatusSucceeded:
		answer.State = payment.RefundSucceeded
	case sdk.RefundStatusPending, sdk.RefundStatusRequiresAction:
		answer.State, answer.Reason = payment.RefundPending, string(made.PendingReason)
	case sdk.RefundStatusFailed, sdk.RefundStatusCanceled:
		answer.State = payment.RefundFailed
		answer.Reason = strings.TrimSpace(string(made.Status) + " " + string(made.FailureReason))
	default:
		return payment.RefundStatus{}, fmt.Errorf("refund status %q", made.Status)
	}
	return answer, nil
}
