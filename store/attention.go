package store

import (
	"context"

	"github.com/boxoffice/boxoffice/ticketing"
)

// FlagAttention notes on an order's timeline that a step keeps failing, or no
// longer does. Noting what the timeline says already changes nothing. Error: CodeNotFound.
func (s *Store) FlagAttention(ctx context.Context, orderID, step string, needed bool) error {
	return s.transact(ctx, "flag attention", func(ctx context.Context, w *work) error {
		var (
			known, noted bool
			state        ticketing.OrderState
			before       bool
		)
		one(w.queue("SELECT state FROM orders WHERE id = $1 FOR UPDATE", orderID), &known, &state)
		one(w.queue(`SELECT (detail ->> 'needed')::boolean FROM order_events
			WHERE order_id = $1 AND kind = 'needs_attention' AND detail ->> 'step' = $2
			ORDER BY sequence DESC LIMIT 1`, orderID, step), &noted, &before)
		if err := w.send(ctx); err != nil {
			return err
		}
		if !known {
			return ticketing.Errorf(ticketing.CodeNotFound, "no such order")
		}
		if before == needed { // nothing noted counts as not needed
			return nil
		}
		return w.move(orderID, state, entry{kind: ticketing.EventNeedsAttention, detail: map[string]any{"step": step, "needed": needed}})
	})
}
