package store

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/ticketing"
)

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
func (s *Store) Telling(ctx context.Context, m ticketing.Message) (told ticketing.Telling, err error) {
	for told, err = range s.Tellings(ctx, m) {
	}
	return told, err
}

// Tellings reads all that can be said in each of these messages, in their order and from one state of the database.
// Error: CodeNotFound.
func (s *Store) Tellings(ctx context.Context, messages ...ticketing.Message) iter.Seq2[ticketing.Telling, error] {
	return func(yield func(ticketing.Telling, error) bool) {
		rows := make([]*tellingRows, len(messages))
		err := s.retry(ctx, "read what messages tell", func(ctx context.Context) error {
			batch := &pgx.Batch{}
			batch.Queue(beginReading)
			for i, m := range messages {
				rows[i] = queueTelling(batch, m)
			}
			batch.Queue("commit")
			return s.pool.SendBatch(ctx, batch).Close()
		})
		for i, m := range messages {
			told, failed := ticketing.Telling{Message: m}, err
			if err == nil {
				told, failed = s.tellingOf(ctx, rows[i])
			}
			if !yield(told, failed) {
				return
			}
		}
	}
}

// tellingRows is what a message tells, as stored.
type tellingRows struct {
	told          ticketing.Telling
	order         *orderRows
	found         bool
	session       ticketing.Session
	postponedFrom *time.Time
	detail        []byte
}

// queueTelling queues what reads a telling; it is there after the batch was sent.
func queueTelling(batch *pgx.Batch, m ticketing.Message) *tellingRows {
	r := &tellingRows{told: ticketing.Telling{Message: m}, order: queueBought(batch, m.OrderID)}
	event, session, venue := &r.told.Event, &r.session, &r.session.Venue
	one(batch.Queue(tellingSQL, m.OrderID, m.Sequence), &r.found, &event.ID, &event.State, &event.Title, &event.Organiser,
		&session.ID, &session.StartsAt, &session.EndsAt, &venue.ID, &venue.Name, &venue.City, &venue.Address, &venue.TimeZone,
		&r.postponedFrom, &r.detail)
	many(batch.Queue(`SELECT t.id, t.name FROM order_lines l JOIN ticket_types t ON t.id = l.ticket_type_id WHERE l.order_id = $1 ORDER BY l.position`, m.OrderID),
		&session.TicketTypes, func(row pgx.CollectableRow) (ticketing.TicketType, error) {
			var named ticketing.TicketType
			err := row.Scan(&named.ID, &named.Name)
			return named, err
		})
	return r
}

// tellingOf makes a telling of what is stored. Error: CodeNotFound.
func (s *Store) tellingOf(ctx context.Context, r *tellingRows) (ticketing.Telling, error) {
	t, session := r.told, r.session
	var err error
	if t.Order, err = s.orderOf(ctx, r.order); err != nil {
		return t, err
	}
	if t.Admissions, err = s.admissions(ctx, t.Order); err != nil {
		return t, err
	}
	session.StartsAt, session.EndsAt, session.EventID = session.StartsAt.UTC(), session.EndsAt.UTC(), t.Event.ID
	t.Event.Sessions = []ticketing.Session{session}
	if r.postponedFrom != nil {
		t.PostponedFrom = r.postponedFrom.UTC()
	}
	return t, concerning(&t, r.detail)
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
