package store

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"github.com/boxoffice/boxoffice/ticketing"
)

// SQLSTATE codes we tell apart.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	uniqueViolation      = "23505"
)

// constraints maps the constraints a caller can run into to what they mean. Running into any
// other one is a fault of ours.
var constraints = map[string]*ticketing.Error{
	"orders_legal_move":             ticketing.Errorf(ticketing.CodeIllegalTransition, "the order cannot make this move"),
	"events_legal_move":             ticketing.Errorf(ticketing.CodeIllegalTransition, "the event cannot make this move"),
	"payment_attempts_legal_move":   ticketing.Errorf(ticketing.CodeIllegalTransition, "the payment attempt cannot make this move"),
	"payment_attempts_one_accepted": ticketing.Errorf(ticketing.CodeAlreadyPaid, "another payment already pays the order"),
	"payment_attempts_gateway_id":   ticketing.Errorf(ticketing.CodeConflict, "another attempt already has this id at the gateway"),
	"bundle_components_unseated":    ticketing.Errorf(ticketing.CodeInvalid, "a bundle has no numbered seats"),
	"bundle_components_bundle":      ticketing.Errorf(ticketing.CodeInvalid, "a bundle has no numbered seats, and one currency"),
	"bundle_components_component":   ticketing.Errorf(ticketing.CodeInvalid, "a bundle contains ticket types of its currency without numbered seats"),
	"bundle_components_flat":        ticketing.Errorf(ticketing.CodeInvalid, "a bundle does not contain bundles"),
	"bundle_components_names":       ticketing.Errorf(ticketing.CodeInvalid, "tickets in a bundle are not sold to named people"),
	"bundle_components_organiser":   ticketing.Errorf(ticketing.CodeInvalid, "a bundle contains tickets of one organiser"),
	"vouchers_code":                 ticketing.Errorf(ticketing.CodeConflict, "another voucher has this code"),
	"refunds_within_captured":       ticketing.Errorf(ticketing.CodeConflict, "refunds cannot exceed what was captured"),
	"refunds_final":                 ticketing.Errorf(ticketing.CodeIllegalTransition, "the refund is final"),
}

// translate turns an error of the database into one callers understand, by
// SQLSTATE and constraint name, never by text. Domain errors pass unchanged.
func translate(name string, err error) error {
	if err == nil || ticketing.CodeOf(err) != "" {
		return err
	}
	if errors.Is(err, pgx.ErrNoRows) || errors.Is(err, gorm.ErrRecordNotFound) {
		return ticketing.Errorf(ticketing.CodeNotFound, "nothing with this id")
	}
	if meaning, ok := constraints[constraintOf(err)]; ok {
		return fmt.Errorf("store: %s: %w", name, meaning)
	}
	return fmt.Errorf("store: %s: %w", name, err)
}

// worthAnotherTry says whether the same transaction may succeed when it is tried again at once.
func worthAnotherTry(err error) bool {
	if failure, ok := errors.AsType[*pgconn.PgError](err); ok {
		return failure.Code == serializationFailure || failure.Code == deadlockDetected
	}
	return pgconn.SafeToRetry(err)
}

// constraintOf names the constraint an error is about, or "".
func constraintOf(err error) string {
	if failure, ok := errors.AsType[*pgconn.PgError](err); ok {
		return failure.ConstraintName
	}
	return ""
}

// isDuplicate says whether err is a violation of the named unique constraint.
func isDuplicate(err error, constraint string) bool {
	var failure *pgconn.PgError
	return errors.As(err, &failure) && failure.Code == uniqueViolation && failure.ConstraintName == constraint
}
