package store

import (
	"cmp"
	"context"
	"encoding/json"
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
// else sends them meanwhile.
func (s *Store) ClaimMessages(ctx context.Context, channel ticketing.Channel, limit int, lease time.Duration) ([]ticketing.Message, error) {
	return list(ctx, s, "claim messages", scanMessage, `
WITH next AS (
    SELECT id FROM messages WHERE state = 'WAITING' AND channel = $1 AND next_at <= clock_timestamp()
    ORDER BY urgency, next_at LIMIT $2 FOR UPDATE SKIP LOCKED
), m AS (
    UPDATE messages m SET state = 'SENDING', tried_at = NULL, lease_until = clock_timestamp() + $3::interval
    FROM next WHERE m.id = next.id RETURNING m.*
) SELECT m.id, m.order_id, m.kind, m.channel, m.state, m.tries, m.created_at, m.sent_at, m.expires_at,
    m.sequence, m.tried_at, '', '', m.problem FROM m ORDER BY m.urgency, m.next_at`, channel, limit, lease)
}

// HandOver notes that a claimed message is about to be handed to its carrier; from then on it may have been sent. ok is false
// when the claim has run out: it must not be sent.
func (s *Store) HandOver(ctx context.Context, id string) (ok bool, err error) {
	err = s.retry(ctx, "hand over a message", func(ctx context.Context) error {
		tag, err := s.pool.Exec(ctx, `UPDATE messages SET tries = tries + 1, tried_at = clock_timestamp()
			WHERE id = $1 AND state = 'SENDING' AND tried_at IS NULL AND lease_until > clock_timestamp()`, id)
		ok = tag.RowsAffected() == 1
		return err
	})
	return ok, err
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

// tellingSQL reads event, organiser, session and venue that entry $2 of the timeline of order $1 is about; else those of the order.
const tellingSQL = `
SELECT e.id, e.state, e.title, g.name, s.id, s.starts_at, s.ends_at, v.id, v.name, v.city, v.address, v.time_zone,
    CASE WHEN e.state = 'POSTPONED' THEN (SELECT n.starts_at FROM notices n WHERE n.session_id = s.id AND n.kind = 'event_postponed' ORDER BY n.id DESC LIMIT 1) END,
    x.detail
FROM orders o LEFT JOIN order_events x ON x.order_id = o.id AND x.sequence = $2
JOIN sessions s ON s.id = coalesce(x.detail ->> 'session_id', o.session_id)
JOIN events e ON e.id = s.event_id JOIN organisers g ON g.id = e.organiser_id JOIN venues v ON v.id = s.venue_id
WHERE o.id = $1`

// Telling reads all that can be said in a message, as it is now. Error: CodeNotFound.
func (s *Store) Telling(ctx context.Context, m ticketing.Message) (ticketing.Telling, error) {
	t := ticketing.Telling{Message: m}
	var (
		order     *orderRows
		found     bool
		detail    []byte
		session   ticketing.Session
		typeNames []ticketing.TicketType

		postponedFrom *time.Time
	)
	err := s.retry(ctx, "read what a message tells", func(ctx context.Context) error {
		batch := &pgx.Batch{}
		batch.Queue(beginReading)
		order = queueOrder(batch, m.OrderID)
		one(batch.Queue(tellingSQL, m.OrderID, m.Sequence), &found, &t.Event.ID, &t.Event.State, &t.Event.Title, &t.Event.Organiser,
			&session.ID, &session.StartsAt, &session.EndsAt, &session.Venue.ID, &session.Venue.Name, &session.Venue.City, &session.Venue.Address, &session.Venue.TimeZone,
			&postponedFrom, &detail)
		many(batch.Queue(`SELECT t.id, t.name FROM order_lines l JOIN ticket_types t ON t.id = l.ticket_type_id WHERE l.order_id = $1 ORDER BY l.position`, m.OrderID),
			&typeNames, func(row pgx.CollectableRow) (ticketing.TicketType, error) {
				var named ticketing.TicketType
				err := row.Scan(&named.ID, &named.Name)
				return named, err
			})
		queueAdmissions(batch, &t)
		batch.Queue("commit")
		return s.pool.SendBatch(ctx, batch).Close()
	})
	if err != nil {
		return t, err
	}
	if t.Order, err = s.orderOf(ctx, order); err != nil {
		return t, err
	}
	session.StartsAt, session.EndsAt, session.EventID, session.TicketTypes = session.StartsAt.UTC(), session.EndsAt.UTC(), t.Event.ID, typeNames
	t.Event.Sessions = []ticketing.Session{session}
	if postponedFrom != nil {
		t.PostponedFrom = postponedFrom.UTC()
	}
	return t, concerning(&t, detail)
}

// concerning fills in what the entry of the timeline is about.
func concerning(t *ticketing.Telling, detail []byte) error {
	var entry struct {
		Amount   int64                  `json:"amount"`
		Currency string                 `json:"currency"`
		Reason   ticketing.RefundReason `json:"reason"`
		RefundID string                 `json:"refund_id"`
		StartsAt time.Time              `json:"starts_at"`
	}
	if detail != nil {
		if err := json.Unmarshal(detail, &entry); err != nil {
			return err
		}
	}
	t.Amount, t.Reason, t.NoticeOf = ticketing.Money{Amount: entry.Amount, Currency: entry.Currency}, entry.Reason, entry.StartsAt.UTC()
	if entry.StartsAt.IsZero() {
		t.NoticeOf = time.Time{}
	}
	for _, r := range t.Order.Refunds {
		if r.ID == entry.RefundID {
			t.Amount, t.Reason, t.Fee = r.Amount, r.Reason, ticketing.Money{Amount: r.Fee, Currency: r.Amount.Currency}
		}
	}
	return nil
}

// FinishMessage records what came of trying to send a message that was claimed. One that does not get through is told by the other
// channel, unless it is already; when neither does, a case is opened for a person, and opened says so. Repeated, or when the
// message is not being sent any more, it changes nothing.
func (s *Store) FinishMessage(ctx context.Context, m ticketing.Message, o ticketing.MessageOutcome) (opened bool, err error) {
	err = s.transact(ctx, "finish a message", func(ctx context.Context, w *work) error {
		var done, overtaken bool
		opened, m.State = false, o.State
		one(w.queue(`
UPDATE messages SET state = $2::text, next_at = CASE WHEN $2 = 'WAITING' THEN $3 ELSE next_at END,
    lease_until = CASE WHEN $2 = 'SENDING' THEN $3::timestamptz END,
    sent_at = CASE WHEN $2 = 'SENT' THEN clock_timestamp() END,
    carrier = coalesce(nullif($4, ''), carrier), receipt_id = coalesce(nullif($5, ''), receipt_id),
    segments = nullif($6, 0), problem = $7
WHERE id = $1 AND state = 'SENDING' RETURNING true`, m.ID, o.State, latestOr(o.NextAt), o.Carrier, o.ReceiptID, o.Segments, o.Problem), &done, &done)
		if o.State == ticketing.MessageSent && o.ReceiptID != "" {
			one(w.queue(applyReceiptSQL, o.Carrier, o.ReceiptID), &overtaken, &m.State)
		}
		if err := w.send(ctx); err != nil || !done {
			return err
		}
		if m.State.Underway() || m.State == ticketing.MessageDropped {
			return nil
		}
		opened, err = w.fallBack(ctx, m, o.Carrier, o.Problem)
		return err
	})
	return opened, err
}

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
