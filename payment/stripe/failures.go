package stripe

import (
	"errors"
	"fmt"
	"net/http"

	sdk "github.com/stripe/stripe-go/v86"

	"github.com/boxoffice/boxoffice/payment"
)

// failure says what an error of the library means for the caller.
func failure(doing string, err error) error {
	var refused *sdk.Error
	if !errors.As(err, &refused) {
		// The network, our own bounds, or an answer that is not Stripe's: a proxy's page, or half of one.
		return fmt.Errorf("stripe: %s: %w: %w", doing, payment.ErrUnavailable, err)
	}
	// Not the library's whole error: it holds what Stripe knows of the payer.
	return fmt.Errorf("stripe: %s: %w: status %d %s %s: %s (%s)", doing, meaning(refused),
		refused.HTTPStatusCode, refused.Type, refused.Code, clip(refused.Msg, 300), refused.RequestID)
}

// meaning sorts Stripe's refusals. Those that are about our key, its permissions or our haste hold until somebody mends
// them, not for good.
func meaning(e *sdk.Error) error {
	switch {
	case e.Code == sdk.ErrorCodeBalanceInsufficient:
		return payment.ErrLowBalance
	case e.Code == sdk.ErrorCodeLockTimeout, e.Code == sdk.ErrorCodeRateLimit, e.Code == sdk.ErrorCodeIdempotencyKeyInUse,
		e.Code == sdk.ErrorCodeAPIKeyExpired, e.Code == sdk.ErrorCodePlatformAPIKeyExpired, e.Code == sdk.ErrorCodeSecretKeyRequired,
		e.Code == sdk.ErrorCodeTestmodeChargesOnly, e.Code == sdk.ErrorCodeLivemodeMismatch, e.Code == sdk.ErrorCodeAccountInvalid:
		return payment.ErrUnavailable
	case e.HTTPStatusCode == http.StatusNotFound && e.Code == sdk.ErrorCodeResourceMissing:
		return payment.ErrNotFound
	case e.HTTPStatusCode == http.StatusBadRequest, e.HTTPStatusCode == http.StatusPaymentRequired:
		return payment.ErrRejected
	}
	return payment.ErrUnavailable
}

// replayedHeader is above what Stripe answered before.
const replayedHeader = "Idempotent-Replayed"

// replayed says whether Stripe did nothing this time and repeated what it answered to the same idempotency key before.
func replayed(err error) (*sdk.Error, bool) {
	var refused *sdk.Error
	if !errors.As(err, &refused) || refused.LastResponse == nil {
		return nil, false
	}
	return refused, refused.LastResponse.Header.Get(replayedHeader) == "true"
}

// clip cuts a text to a number of characters.
func clip(text string, most int) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), most)])
}
