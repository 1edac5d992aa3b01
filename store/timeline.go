package store

import (
	"encoding/json"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/ticketing"
)

// entry is a new line of an order's timeline. Its detail holds no personal data.
type entry struct {
	kind   ticketing.OrderEventKind
	detail map[string]any
	// untold keeps the outbox from telling it, where another entry of the same move says more.
	untold bool
}

// lockOrderSQL locks the order of an attempt, if it has one: the first lock of every transaction about money.
const lockOrderSQL = `SELECT FROM orders WHERE id = (SELECT order_id FROM payment_attempts WHERE id = $1) FOR UPDATE`

// move puts a locked order into a state, which may be the one it has, appends to its timeline, and
// writes to the outbox what its buyer is to be told of that. orderID may be empty for money that no order asked for: then
// nothing is done.
func (w *work) move(orderID string, state ticketing.OrderState, entries ...entry) error {
	if orderID == "" {
		return nil
	}
	kinds, details := make([]string, len(entries)), make([]*string, len(entries))
	for i, e := range entries {
		kinds[i] = string(e.kind)
		if e.detail == nil {
			continue
		}
		encoded, err := json.Marshal(e.detail)
		if err != nil {
			return err
		}
		text := string(encoded)
		details[i] = &text
	}
	out := outgoing{}
	for i, e := range entries {
		if kind, ok := e.kind.Message(); ok && !e.untold {
			out.add(i+1, kind)
		}
	}
	if len(out.ids) == 0 {
		w.change(len(entries), moveSQL+notedSQL, orderID, state, kinds, details)
		return nil
	}
	w.change(len(entries), moveSQL+`, noted AS (`+notedSQL+` RETURNING order_id), sent AS (
    INSERT INTO messages (id, order_id, sequence, kind, channel, urgency)
    SELECT m.id, moved.id, moved.revision - cardinality($3::text[]) + m.position, m.kind, m.channel, m.urgency
    FROM moved, unnest($5::text[], $6::int[], $7::text[], $8::text[], $9::int[], $10::bool[]) AS m(id, position, kind, channel, urgency, phone)
    WHERE m.phone = moved.phone
) SELECT FROM noted`, orderID, state, kinds, details, out.ids, out.positions, out.kinds, out.channels, out.urgencies, out.phones)
	return nil
}

const (
	moveSQL = `
WITH moved AS (
    UPDATE orders SET state = $2, revision = revision + cardinality($3::text[]), updated_at = clock_timestamp()
    WHERE id = $1 RETURNING id, revision, state, buyer_phone IS NOT NULL AS phone
)`
	notedSQL = `
INSERT INTO order_events (order_id, sequence, kind, state, detail)
SELECT moved.id, moved.revision - cardinality($3::text[]) + n.position, n.kind, moved.state, n.detail::jsonb
FROM moved, unnest($3::text[], $4::text[]) WITH ORDINALITY AS n(kind, detail, position)`
)

// outgoing are messages as columns, for a buyer who gave a phone and for one who did not: the database knows which.
type outgoing struct {
	ids       []string
	positions []int
	kinds     []string
	channels  []string
	urgencies []int
	phones    []bool
}

// add adds the messages that tell of the entry at a position, counted from 1.
func (o *outgoing) add(position int, kind ticketing.MessageKind) {
	for _, phone := range []bool{false, true} {
		for _, channel := range kind.Channels(phone) {
			o.ids, o.positions = append(o.ids, encryption.NewNumber()), append(o.positions, position)
			o.kinds, o.channels = append(o.kinds, string(kind)), append(o.channels, string(channel))
			o.urgencies, o.phones = append(o.urgencies, kind.Urgency()), append(o.phones, phone)
		}
	}
}

// aboutPayment is what a timeline entry says of an attempt.
func aboutPayment(attemptID, provider string, amount ticketing.Money, more ...any) map[string]any {
	detail := map[string]any{"attempt_id": attemptID, "provider": provider, "amount": amount.Amount, "currency": amount.Currency}
	for i := 0; i+1 < len(more); i += 2 {
		detail[more[i].(string)] = more[i+1] //nolint:forcetypeassert // pairs of name and value, all written in this package
	}
	return detail
}
