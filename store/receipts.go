package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/ticketing"
)

// applyReceiptSQL lets a message follow what its carrier said of it, whatever the order in which that was heard: what says most
// about its end counts. It returns the state of a message that changed.
const applyReceiptSQL = `
UPDATE messages m SET state = r.state, problem = CASE WHEN r.state IN ('FAILED', 'UNDELIVERED') THEN concat_ws(' ', r.status, nullif(r.code, '')) ELSE '' END
FROM (SELECT state, status, code FROM message_receipts WHERE carrier = $1 AND receipt_id = $2
    ORDER BY array_position(ARRAY['DELIVERED', 'UNDELIVERED', 'FAILED', 'SENT'], state), at LIMIT 1) r
WHERE m.carrier = $1 AND m.receipt_id = $2 AND m.state IN ('SENT', 'UNDELIVERED') AND m.state <> r.state
    AND array_position(ARRAY['DELIVERED', 'UNDELIVERED', 'FAILED', 'SENT'], r.state) < array_position(ARRAY['DELIVERED', 'UNDELIVERED', 'FAILED', 'SENT'], m.state)
RETURNING m.state`

// KeepReceipt stores a carrier's later word on a message, once for each status, and lets the message follow it. One that did
// not arrive is told by the other channel as FinishMessages does.
func (s *Store) KeepReceipt(ctx context.Context, r ticketing.MessageReceipt) error {
	return s.transact(ctx, "keep a message's receipt", func(ctx context.Context, w *work) error {
		var before, after []ticketing.Message
		const ours = messageSQL + " WHERE m.carrier = $1 AND m.receipt_id = $2 FOR UPDATE"
		many(w.queue(ours, r.Carrier, r.ReceiptID), &before, scanMessage)
		w.queue(`INSERT INTO message_receipts (carrier, receipt_id, status, state, code) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT DO NOTHING`, r.Carrier, r.ReceiptID, r.Status, r.State, r.Code)
		w.queue(applyReceiptSQL, r.Carrier, r.ReceiptID)
		many(w.queue(ours, r.Carrier, r.ReceiptID), &after, scanMessage)
		if err := w.send(ctx); err != nil || len(after) == 0 || after[0].State == before[0].State || after[0].State.Underway() {
			return err
		}
		_, err := w.fallBack(ctx, after[0], r.Carrier, after[0].Problem)
		return err
	})
}

// MessageCounts reads how telling buyers goes. It is cheap: what was sent is not looked at.
func (s *Store) MessageCounts(ctx context.Context) (ticketing.MessageCounts, error) {
	var c ticketing.MessageCounts
	err := s.retry(ctx, "count messages", func(ctx context.Context) error {
		var found bool
		batch := &pgx.Batch{}
		one(batch.Queue(`SELECT count(*), greatest(coalesce(clock_timestamp() - min(next_at), '0'), '0') FROM messages WHERE state = 'WAITING'`),
			&found, &c.Waiting, &c.OldestWaiting)
		one(batch.Queue("SELECT count(*) FROM cases WHERE state = 'OPEN' AND kind = 'message_undelivered'"), &found, &c.Undelivered)
		return s.pool.SendBatch(ctx, batch).Close()
	})
	return c, err
}
