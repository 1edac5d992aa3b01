package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/ticketing"
)

// noticeBatch bounds how many orders are told of something by one transaction.
const noticeBatch = 200

// warnLock is the advisory lock of WarnHolds.
const warnLock = 0x626f786e

// tellAllSQL writes one entry to the timeline of every order that `due` selects, and tells its buyer of it. $1 is the kind of the
// entry, $2 its detail, $3 how long telling makes sense (NULL: always), $4 and $5 the channels of buyers without and with a
// phone, $6 the urgency, $7 ids enough. A message about the same that still waits is dropped: this one says more.
const tellAllSQL = `
, moved AS (
    UPDATE orders o SET revision = o.revision + 1, updated_at = clock_timestamp() FROM due WHERE o.id = due.id
    RETURNING o.id, o.revision, o.state, o.pay_by, o.buyer_phone IS NOT NULL AS phone
), noted AS (
    INSERT INTO order_events (order_id, sequence, kind, state, detail) SELECT id, revision, $1, state, $2::jsonb FROM moved
), older AS (
    UPDATE messages m SET state = 'DROPPED', problem = 'there is newer news' FROM moved WHERE m.order_id = moved.id AND m.kind = $1 AND m.state = 'WAITING'
), each AS (
    SELECT moved.id, moved.revision, moved.pay_by, c.channel, row_number() OVER () AS n FROM moved, unnest(CASE WHEN moved.phone THEN $5::text[] ELSE $4::text[] END) AS c(channel)
)
INSERT INTO messages (id, order_id, sequence, kind, channel, urgency, expires_at)
SELECT ($7::text[])[n], id, revision, $1, channel, $6, CASE WHEN $1 = 'hold_expiring' THEN pay_by ELSE $3::timestamptz END FROM each`

// tellAllArguments are those of tellAllSQL for at most noticeBatch orders.
func tellAllArguments(kind ticketing.OrderEventKind, detail any, until *time.Time) []any {
	message, _ := kind.Message()
	ids := make([]string, 2*noticeBatch)
	for i := range ids {
		ids[i] = encryption.NewNumber()
	}
	return []any{string(kind), detail, until, names(message.Channels(false)), names(message.Channels(true)), message.Urgency(), ids}
}

func names(channels []ticketing.Channel) []string {
	all := make([]string, len(channels))
	for i, c := range channels {
		all[i] = string(c)
	}
	return all
}

// WarnHolds warns the buyers of unpaid orders whose hold ends within lead, or within the last third of it if that is less; once
// each. It returns how many messages that made.
func (s *Store) WarnHolds(ctx context.Context, lead time.Duration) (made int, err error) {
	err = s.transact(ctx, "warn of ending holds", func(_ context.Context, w *work) error {
		// One at a time: who waits sees afterwards whom the other has warned.
		w.queue("SELECT pg_advisory_xact_lock($1)", warnLock)
		w.queue(`
WITH due AS (
    SELECT o.id FROM orders o
    WHERE o.id IN (SELECT h.order_id FROM holds h WHERE h.state = 'HELD' AND h.expires_at < clock_timestamp() + $8::interval)
        AND o.state = 'PENDING' AND o.pay_by > clock_timestamp()
        AND o.pay_by - clock_timestamp() <= (o.pay_by - o.created_at) / 3
        AND NOT EXISTS (SELECT FROM messages m WHERE m.order_id = o.id AND m.kind = 'hold_expiring')
    ORDER BY o.id LIMIT $9 FOR UPDATE OF o SKIP LOCKED
)`+tellAllSQL, append(tellAllArguments(ticketing.EventHoldExpiring, nil, nil), lead, noticeBatch)...).Exec(func(tag pgconn.CommandTag) error {
			made = int(tag.RowsAffected())
			return nil
		})
		return nil
	})
	return made, err
}

// NoticeReminders notes the sessions that begin within lead, so that everybody who paid before that is reminded. A session that
// moves afterwards is noted again.
func (s *Store) NoticeReminders(ctx context.Context, lead time.Duration) error {
	return s.retry(ctx, "note reminders", func(ctx context.Context) error {
		_, err := s.pool.Exec(ctx, `
INSERT INTO notices (session_id, kind, starts_at, paid_until)
SELECT s.id, 'reminder', s.starts_at, s.starts_at - $1::interval FROM sessions s JOIN events e ON e.id = s.event_id
WHERE s.starts_at > clock_timestamp() AND s.starts_at <= clock_timestamp() + $1::interval AND e.state IN ('ON_SALE', 'PAUSED', 'ENDED')
ON CONFLICT DO NOTHING`, lead)
		return err
	})
}

// notice is a row of notices.
type notice struct {
	id        int64
	session   string
	kind      ticketing.OrderEventKind
	startsAt  time.Time
	paidUntil *time.Time
	toldUntil string
}

// ordersOfSessionSQL are the next orders with tickets of a session: its own, and those with bundles that contain some.
const ordersOfSessionSQL = `
(SELECT id FROM orders WHERE session_id = $1 AND id > $2 ORDER BY id LIMIT $3)
UNION
(SELECT c.order_id FROM order_components c WHERE c.component_id IN (SELECT id FROM ticket_types WHERE session_id = $1) AND c.order_id > $2
    ORDER BY c.order_id LIMIT $3)
ORDER BY 1 LIMIT $3`

// TellNotices tells the next orders of the oldest notice that is not through yet; more says whether there is work left.
func (s *Store) TellNotices(ctx context.Context) (more bool, err error) {
	err = s.transact(ctx, "tell a notice", func(ctx context.Context, w *work) error {
		var n notice
		one(w.queue(`SELECT id, session_id, kind, starts_at, paid_until, told_until FROM notices WHERE done_at IS NULL
			ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`), &more, &n.id, &n.session, &n.kind, &n.startsAt, &n.paidUntil, &n.toldUntil)
		if err := w.send(ctx); err != nil || !more {
			return err
		}
		var next []string
		many(w.queue(ordersOfSessionSQL, n.session, n.toldUntil, noticeBatch), &next, pgx.RowTo[string])
		if err := w.send(ctx); err != nil {
			return err
		}
		if len(next) == 0 {
			w.change(1, "UPDATE notices SET done_at = clock_timestamp() WHERE id = $1", n.id)
			return nil
		}
		var until *time.Time
		if n.kind == ticketing.EventReminder {
			until = &n.startsAt
		}
		detail := fmt.Sprintf(`{"starts_at": %q, "session_id": %q}`, n.startsAt.UTC().Format(time.RFC3339Nano), n.session)
		w.queue(`
WITH due AS (
    SELECT o.id FROM orders o
    WHERE o.id = ANY($8) AND EXISTS (SELECT FROM tickets t JOIN ticket_types y ON y.id = coalesce(t.component_id, t.ticket_type_id)
        WHERE t.order_id = o.id AND t.state <> 'VOID' AND y.session_id = $10)
        AND ($9::timestamptz IS NULL OR EXISTS (SELECT FROM payment_attempts a WHERE a.order_id = o.id AND a.state = 'ACCEPTED' AND a.captured_at < $9))
    ORDER BY o.id FOR UPDATE
)`+tellAllSQL, append(tellAllArguments(n.kind, detail, until), next, n.paidUntil, n.session)...)
		w.change(1, "UPDATE notices SET told_until = $2 WHERE id = $1", n.id, next[len(next)-1])
		return nil
	})
	return more, err
}
