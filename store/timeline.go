package store

import (
	"encoding/json"

	"github.com/boxoffice/boxoffice/ticketing"
)

// entry is a new line of an order's timeline. Its detail holds no personal data.
type entry struct {
	kind   ticketing.OrderEventKind
	detail map[string]any
}

// lockOrderSQL locks the order of an attempt, if it has one: the first lock of every transaction about money.
const lockOrderSQL = `SELECT FROM orders WHERE id = (SELECT order_id FROM payment_attempts WHERE id = $1) FOR UPDATE`

// move puts a locked order into a state, which may be the one it has, and
// appends to its timeline. orderID may be empty for money that no order asked for: then nothing is done.
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
	w.change(len(entries), `
WITH moved AS (
    UPDATE orders SET state = $2, revision = revision + cardinality($3::text[]), updated_at = clock_timestamp()
    WHERE id = $1 RETURNING id, revision, state
)
INSERT INTO order_events (order_id, sequence, kind, state, detail)
SELECT moved.id, moved.revision - cardinality($3::text[]) + n.position, n.kind, moved.state, n.detail::jsonb
FROM moved, unnest($3::text[], $4::text[]) WITH ORDINALITY AS n(kind, detail, position)`, orderID, state, kinds, details)
	return nil
}

// aboutPayment is what a timeline entry says of an attempt.
func aboutPayment(attemptID, provider string, amount ticketing.Money, more ...any) map[string]any {
	detail := map[string]any{"attempt_id": attemptID, "provider": provider, "amount": amount.Amount, "currency": amount.Currency}
	for i := 0; i+1 < len(more); i += 2 {
		detail[more[i].(string)] = more[i+1] //nolint:forcetypeassert // pairs of name and value, all written in this package
	}
	return detail
}
