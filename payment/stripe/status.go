package stripe

import (
	"errors"
	"fmt"
	"time"

	sdk "github.com/stripe/stripe-go/v86"

	"github.com/boxoffice/boxoffice/payment"
)

// status translates what a session and its payment intent, read with it, say of a payment.
//
// A declined card leaves a session open: its page takes another one. So only a payment that was decided after the payer had
// left, by a method other than a card, is ever declined.
func status(s *sdk.CheckoutSession) (payment.Status, error) {
	if s.Created <= 0 {
		return payment.Status{}, errors.New("no time of creation")
	}
	answer := payment.Status{Number: s.ClientReferenceID, GatewayID: intentID(s), At: moment(s.Created)}
	intent := s.PaymentIntent
	if s.PaymentStatus == sdk.CheckoutSessionPaymentStatusPaid || intent != nil && intent.Status == sdk.PaymentIntentStatusSucceeded {
		return captured(answer, intent)
	}
	switch s.Status {
	case sdk.CheckoutSessionStatusOpen:
		answer.State = payment.StatePending
	case sdk.CheckoutSessionStatusExpired:
		answer.State = payment.StateClosed
	case sdk.CheckoutSessionStatusComplete:
		return undecided(answer, s)
	default:
		return payment.Status{}, fmt.Errorf("session status %q", s.Status)
	}
	return answer, nil
}

// captured says what was really taken, and when.
func captured(answer payment.Status, intent *sdk.PaymentIntent) (payment.Status, error) {
	if intent == nil || intent.Status == "" {
		return payment.Status{}, errors.New("paid, but no payment intent")
	}
	var err error
	if answer.Captured, err = fromStripe(intent.AmountReceived, string(intent.Currency)); err != nil {
		return payment.Status{}, err
	}
	if answer.Captured.Amount <= 0 {
		return payment.Status{}, fmt.Errorf("paid, but %s received", answer.Captured)
	}
	answer.State = payment.StatePaid
	answer.At = moment(intent.Created)
	if intent.LatestCharge != nil && intent.LatestCharge.Created > 0 {
		answer.At = moment(intent.LatestCharge.Created)
	}
	return answer, nil
}

// undecided is the state of a payment whose payer has left Stripe's page without having paid at once.
func undecided(answer payment.Status, s *sdk.CheckoutSession) (payment.Status, error) {
	if s.PaymentStatus != sdk.CheckoutSessionPaymentStatusUnpaid || s.PaymentIntent == nil {
		return payment.Status{}, fmt.Errorf("complete with payment status %q", s.PaymentStatus)
	}
	switch s.PaymentIntent.Status {
	case sdk.PaymentIntentStatusRequiresPaymentMethod:
		answer.State = payment.StateDeclined
	case sdk.PaymentIntentStatusCanceled:
		answer.State = payment.StateClosed
	default: // processing, or waiting for something that is none of ours to do
		answer.State = payment.StateUnknown
	}
	return answer, nil
}

// intentID is Stripe's id of a payment. A session has one only from the moment its payer tries to pay.
func intentID(s *sdk.CheckoutSession) string {
	if s.PaymentIntent == nil {
		return ""
	}
	return s.PaymentIntent.ID
}

// moment is a time as Stripe writes it.
func moment(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
