package store

import (
	"cmp"
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/ticketing"
)

const messageSQL = `SELECT m.id, m.order_id, m.kind, m.channel, m.state, m.tries, m.created_at, m.sent_at, m.expires_at,
	m.sequence, m.tried_at, coalesce(m.carrier, ''), coalesce(m.receipt_id, ''), m.problem FROM messages m`

func scanMessage(row pgx.CollectableRow) (ticketing.Message, error) {
	var m ticketing.Message
	err := row.Scan(&m.ID, &m.OrderID, &m.Kind, &m.Channel, &m.State, &m.Tries, &m.CreatedAt, &m.SentAt, &m.ExpiresAt,
		&m.Sequence, &m.TriedAt, &m.Carrier, &m.ReceiptID, &m.Problem)
	m.CreatedAt, m.SentAt, m.ExpiresAt, m.TriedAt = m.CreatedAt.UTC(), utc(m.SentAt), utc(m.ExpiresAt), utc(m.TriedAt)
	return m, err
}

// Messages lists what an order's buyer was and is being told, in the order of the timeline.
func (s *Store) Messages(ctx context.Context, orderID string) ([]ticketing.Message, error) {
	return list(ctx, s, "list an order's messages", scanMessage, messageSQL+" WHERE m.order_id = $1 ORDER BY m.sequence, m.channel", orderID)
}

// FindMessages lists messages, newest first.
func (s *Store) FindMessages(ctx context.Context, f ticketing.MessageFilter) ([]ticketing.Message, error) {
	return list(ctx, s, "find messages", scanMessage, messageSQL+` WHERE ($1 = '' OR m.order_id = $1) AND ($2 = '' OR m.state = $2)
		ORDER BY m.created_at DESC, m.id LIMIT $3`, f.OrderID, f.State, cmp.Or(f.Limit, 100))
}

// ClaimMessages takes up to limit waiting messages of a channel, the most urgent first, for as long as lease: nobody
// else sends them meanwhile. Those that are no more urgent than the tickets of a paid order it leaves until they could have been sent for
// as long as patience.
func (s *Store) ClaimMessages(ctx context.Context, channel ticketing.Channel, limit int, lease, patience time.Duration) ([]ticketing.Message, error) {
	return list(ctx, s, "claim messages", scanMessage, `
WITH next AS (
    SELECT id FROM messages WHERE state = 'WAITING' AND channel = $1 AND next_at <= clock_timestamp()
      AND (urgency < $4 OR next_at <= clock_timestamp() - $5::interval)
    ORDER BY urgency, next_at LIMIT $2 FOR UPDATE SKIP LOCKED
), m AS (
    UPDATE messages m SET state = 'SENDING', tried_at = NULL, lease_until = clock_timestamp() + $3::interval
    FROM next WHERE m.id = next.id RETURNING m.*
) SELECT m.id, m.order_id, m.kind, m.channel, m.state, m.tries, m.created_at, m.sent_at, m.expires_at,
    m.sequence, m.tried_at, '', '', m.problem FROM m ORDER BY m.urgency, m.next_at`, channel, limit, lease, ticketing.MessagePaid.Urgency(), patience)
}

// HandOver notes that claimed messages are about to be handed to their carrier; from then on each may have been sent. One that is not
// among those handed has been claimed for too long: it must not be sent.
func (s *Store) HandOver(ctx context.Context, ids ...string) (handed []string, err error) {
	return list(ctx, s, "hand over messages", pgx.RowTo[string], `UPDATE messages SET tries = tries + 1, tried_at = clock_timestamp()
		WHERE id = ANY($1) AND state = 'SENDING' AND tried_at IS NULL AND lease_until > clock_timestamp() RETURNING id`, ids)
}

// AbandonedMessages takes, for as long as lease, up to limit messages of a channel whose sender did not say in time what
// became of them: those with a TriedAt may have been sent.
func (s *Store) AbandonedMessages(ctx context.Context, channel ticketing.Channel, limit int, lease time.Duration) ([]ticketing.Message, error) {
	return list(ctx, s, "claim abandoned messages", scanMessage, `
WITH next AS (
    SELECT id FROM messages WHERE state = 'SENDING' AND channel = $1 AND lease_until < clock_timestamp()
    ORDER BY lease_until LIMIT $2 FOR UPDATE SKIP LOCKED
), m AS (
    UPDATE messages m SET lease_until = clock_timestamp() + $3::interval FROM next WHERE m.id = next.id RETURNING m.*
) SELECT m.id, m.order_id, m.kind, m.channel, m.state, m.tries, m.created_at, m.sent_at, m.expires_at,
    m.sequence, m.tried_at, '', '', m.problem FROM m ORDER BY m.tried_at`, channel, limit, lease)
}

// CountSMS counts one more SMS of today to the phone of an order, unless that would be more than most; ok is false then.
func (s *Store) CountSMS(ctx context.Context, orderID string, most int) (ok bool, err error) {
	err = s.retry(ctx, "count an SMS", func(ctx context.Context) error {
		tag, err := s.pool.Exec(ctx, `
INSERT INTO sms_days (phone_index, day, sent)
SELECT phone_index, (clock_timestamp() AT TIME ZONE 'UTC')::date, 1 FROM orders WHERE id = $1 AND phone_index IS NOT NULL AND $2 > 0
ON CONFLICT (phone_index, day) DO UPDATE SET sent = sms_days.sent + 1 WHERE sms_days.sent < $2`, orderID, most)
		ok = tag.RowsAffected() == 1
		return err
	})
	return ok, err
}

// FinishMessages records what came of trying to send messages that were claimed, of all or of none. One that does not get through is
// told by the other channel, unless it is already; when neither does, a case is opened for a person, and opened has its id. Repeated,
// or when a message is not being sent any more, it changes nothing.
func (s *Store) FinishMessages(ctx context.Context, ended ...ticketing.EndedMessage) (opened []string, err error) {
	err = s.transact(ctx, "finish messages", func(ctx context.Context, w *work) error {
		opened = nil
		became := make([]ticketing.Message, len(ended))
		done := make([]bool, len(ended))
		for i, e := range ended {
			became[i] = e.Message
			o := e.Outcome
			one(w.queue(finishSQL, e.ID, o.State, latestOr(o.NextAt), o.Carrier, o.ReceiptID, o.Segments, o.Problem), &done[i], &became[i].State)
			if o.State == ticketing.MessageSent && o.ReceiptID != "" {
				var overtaken bool
				one(w.queue(applyReceiptSQL, o.Carrier, o.ReceiptID), &overtaken, &became[i].State)
			}
		}
		if err := w.send(ctx); err != nil {
			return err
		}
		for i, m := range became {
			if !done[i] || m.State.Underway() || m.State == ticketing.MessageDropped {
				continue
			}
			lost, err := w.fallBack(ctx, m, ended[i].Outcome.Carrier, ended[i].Outcome.Problem)
			if err != nil {
				return err
			}
			if lost {
				opened = append(opened, m.ID)
			}
		}
		return nil
	})
	return opened, err
}

const finishSQL = `
UPDATE messages SET state = $2::text, next_at = CASE WHEN $2 = 'WAITING' THEN $3 ELSE next_at END,
    lease_until = CASE WHEN $2 = 'SENDING' THEN $3::timestamptz END,
    sent_at = CASE WHEN $2 = 'SENT' THEN clock_timestamp() END,
    carrier = coalesce(nullif($4, ''), carrier), receipt_id = coalesce(nullif($5, ''), receipt_id),
    segments = nullif($6, 0), problem = $7
WHERE id = $1 AND state = 'SENDING' RETURNING state`

// latestOr is a time, or now where there is none.
func latestOr(at time.Time) time.Time {
	if at.IsZero() {
		return time.Now()
	}
	return at
}

// fallBack sees to it that what a message could not tell is told by the other channel, or by a person.
func (w *work) fallBack(ctx context.Context, m ticketing.Message, carrier, problem string) (opened bool, err error) {
	var (
		other ticketing.MessageState
		known bool
		phone bool
		found bool
	)
	one(w.queue("SELECT state FROM messages WHERE order_id = $1 AND sequence = $2 AND channel = $3 FOR UPDATE", m.OrderID, m.Sequence, m.Channel.Other()), &known, &other)
	one(w.queue("SELECT buyer_phone IS NOT NULL FROM orders WHERE id = $1", m.OrderID), &found, &phone)
	if err := w.send(ctx); err != nil {
		return false, err
	}
	switch {
	case known && (other.Underway() || other == ticketing.MessageDropped):
		return false, nil
	case !known && (m.Channel == ticketing.ChannelSMS || phone):
		w.change(1, `INSERT INTO messages (id, order_id, sequence, kind, channel, urgency, expires_at)
			SELECT $2, order_id, sequence, kind, $3, urgency, expires_at FROM messages WHERE id = $1`, m.ID, encryption.NewNumber(), m.Channel.Other())
		return false, w.send(ctx)
	}
	if carrier == "" {
		carrier = string(m.Channel)
	}
	err = w.openCase(ticketing.Case{
		Kind: ticketing.CaseUndelivered, Provider: carrier, Reference: m.ID, OrderID: m.OrderID,
		Detail: map[string]any{"kind": m.Kind, "channel": m.Channel, "state": m.State, "problem": problem},
	})
	if err == nil {
		err = w.send(ctx)
	}
	return err == nil, err
}

// ResendMessage lets a message that did not get through be tried again, because a person says so.
// Errors: CodeNotFound, CodeIllegalTransition when it may still get through.
func (s *Store) ResendMessage(ctx context.Context, id string) error {
	return s.transact(ctx, "resend a message", func(ctx context.Context, w *work) error {
		var (
			found bool
			state ticketing.MessageState
		)
		one(w.queue("SELECT state FROM messages WHERE id = $1 FOR UPDATE", id), &found, &state)
		if err := w.send(ctx); err != nil {
			return err
		}
		switch {
		case !found:
			return ticketing.Errorf(ticketing.CodeNotFound, "no such message")
		case state.Underway():
			return ticketing.Errorf(ticketing.CodeIllegalTransition, "the message is %s", state)
		}
		w.change(1, `UPDATE messages SET state = 'WAITING', tries = 0, next_at = clock_timestamp(), created_at = clock_timestamp(),
			expires_at = NULL, sent_at = NULL, carrier = NULL, receipt_id = NULL WHERE id = $1`, id)
		return nil
	})
}
