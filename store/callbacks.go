package store

import (
	"context"
	"encoding/json"
	"unicode/utf8"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/ticketing"
)

// KeepCallback puts a verified callback into the inbox and records what it
// says, in one transaction: once it returns nil the callback may be acknowledged. The same event again has no effect but is counted.
//
// Errors: CodeInvalid for a capture or a dispute without an amount, CodeConflict when a number belongs to another provider.
func (s *Store) KeepCallback(ctx context.Context, c ticketing.Callback) (ticketing.KeptCallback, error) {
	header, body, err := s.sealCallback(c)
	if err != nil {
		return ticketing.KeptCallback{}, err
	}
	var kept ticketing.KeptCallback
	err = s.transact(ctx, "keep a callback", func(ctx context.Context, w *work) error {
		inbox := inboxRow{header: header, body: body}
		switch {
		case c.Payment != nil:
			kept, err = w.keepPayment(ctx, c, inbox)
		case c.Refund != nil:
			kept, err = w.keepRefund(ctx, c, inbox)
		case c.Dispute != nil:
			kept, err = w.keepDispute(ctx, c, inbox)
		default:
			first := w.inbox(c, inbox, "other", "", "")
			err = w.send(ctx)
			kept = ticketing.KeptCallback{First: *first, Handled: true}
		}
		return err
	})
	return kept, err
}

type inboxRow struct {
	header encryption.Sealed[callbackHeader]
	body   encryption.Sealed[callbackBody]
}

func (s *Store) sealCallback(c ticketing.Callback) (header encryption.Sealed[callbackHeader], body encryption.Sealed[callbackBody], err error) {
	about := 0
	for _, present := range []bool{c.Payment != nil, c.Refund != nil, c.Dispute != nil, c.Other} {
		if present {
			about++
		}
	}
	if about != 1 || c.EventID == "" {
		return header, body, ticketing.Errorf(ticketing.CodeInvalid, "a callback is one event about one thing")
	}
	if c.Dispute != nil {
		if err := checkDispute(*c.Dispute); err != nil {
			return header, body, err
		}
	}
	if c.Payment != nil {
		if err := checkFact(*c.Payment); err != nil {
			return header, body, err
		}
	}
	encoded, err := json.Marshal(c.Header)
	if err != nil {
		return header, body, err
	}
	if header, err = encryption.Seal[callbackHeader](s.ring, string(encoded)); err != nil {
		return header, body, err
	}
	body, err = encryption.Seal[callbackBody](s.ring, string(c.Body))
	return header, body, err
}

// inbox queues the callback's row; whether it is the event's first is known after the next send.
func (w *work) inbox(c ticketing.Callback, row inboxRow, kind, attemptID, refundID string) (first *bool) {
	first = new(bool)
	one(w.queue(`
INSERT INTO callbacks (provider, event_id, kind, attempt_id, refund_id, header, body)
VALUES ($1, $2, $3, nullif($4, ''), nullif($5, ''), $6, $7)
ON CONFLICT ON CONSTRAINT callbacks_event DO UPDATE SET deliveries = callbacks.deliveries + 1
RETURNING xmax = 0`,
		c.Provider, c.EventID, kind, attemptID, refundID, row.header, row.body), new(bool), first)
	return first
}

func (w *work) keepPayment(ctx context.Context, c ticketing.Callback, row inboxRow) (ticketing.KeptCallback, error) {
	fact := *c.Payment
	known := w.record(fact, byCallback)
	first := w.inbox(c, row, "payment", fact.AttemptID, "")
	if err := w.send(ctx); err != nil {
		return ticketing.KeptCallback{}, err
	}
	if err := w.recordOrphan(fact, byCallback, *known); err != nil {
		return ticketing.KeptCallback{}, err
	}
	if !known.known && fact.State == ticketing.PaymentPaid {
		one(w.queue(recordedSQL, fact.AttemptID), &known.known, known.columns()...)
		if err := w.send(ctx); err != nil {
			return ticketing.KeptCallback{}, err
		}
	}
	return ticketing.KeptCallback{First: *first, Handled: !known.open, Attempt: known.attempt, Order: known.order}, nil
}

func (w *work) keepRefund(ctx context.Context, c ticketing.Callback, row inboxRow) (ticketing.KeptCallback, error) {
	w.queue(lockOrderOfRefundSQL, c.Refund.ID)
	first := w.inbox(c, row, "refund", "", c.Refund.ID)
	if err := w.send(ctx); err != nil {
		return ticketing.KeptCallback{}, err
	}
	refund, err := w.finishRefund(ctx, *c.Refund)
	if ticketing.CodeOf(err) == ticketing.CodeNotFound {
		err = nil // kept; there is nothing it could change
	}
	return ticketing.KeptCallback{First: *first, Handled: true, Refund: refund, Attempt: ticketing.PaymentAttempt{OrderID: refund.OrderID}}, err
}

// maxLabel bounds what a stranger can make us store.
const maxLabel = 64

// CountRefusedCallback counts a message that was refused: forged, stale, for
// another merchant, unreadable. Nothing else of it is kept. Counts are by hour.
func (s *Store) CountRefusedCallback(ctx context.Context, provider, reason string) error {
	return s.retry(ctx, "count a refused callback", func(ctx context.Context) error {
		_, err := s.pool.Exec(ctx, `
INSERT INTO refused_callbacks (provider, reason, hour) VALUES ($1, $2, date_trunc('hour', now()))
ON CONFLICT (provider, reason, hour) DO UPDATE SET count = refused_callbacks.count + 1, last_at = clock_timestamp()`,
			label(provider), label(reason))
		return err
	})
}

func label(text string) string {
	if !utf8.ValidString(text) {
		return "unreadable"
	}
	if runes := []rune(text); len(runes) > maxLabel {
		return string(runes[:maxLabel])
	}
	return text
}
