package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/ticketing"
)

// Counts reads how things stand.
func (s *Store) Counts(ctx context.Context) (ticketing.Counts, error) {
	var c ticketing.Counts
	err := s.retry(ctx, "count", func(ctx context.Context) error {
		c = ticketing.Counts{Orders: map[ticketing.OrderState]int{}, AwaitingRefund: map[string]int64{}, OpenCases: map[ticketing.CaseKind]int{}, RefusedCallbacks: map[string]int{}}
		var found bool
		batch := &pgx.Batch{}
		one(batch.Queue(`SELECT count(DISTINCT order_id), coalesce(sum(quantity), 0),
			count(DISTINCT order_id) FILTER (WHERE expires_at < now()) FROM holds WHERE state = 'HELD'`),
			&found, &c.OpenHolds, &c.HeldTickets, &c.OverdueHolds)
		one(batch.Queue(`SELECT count(*), coalesce(now() - min(captured_at), '0') FROM payment_attempts
			WHERE captured_amount IS NOT NULL AND delivered_at IS NULL`), &found, &c.UndeliveredPayments, &c.OldestUndelivered)
		one(batch.Queue(`SELECT count(*) FILTER (WHERE state = 'PENDING'), count(*) FILTER (WHERE state = 'FAILED')
			FROM refunds WHERE state <> 'SUCCEEDED'`), &found, &c.PendingRefunds, &c.FailedRefunds)
		tally(batch.Queue(`SELECT state, count(*) FROM orders WHERE created_at > now() - interval '24 hours' GROUP BY 1`), c.Orders)
		tally(batch.Queue(`SELECT currency, sum(amount)::bigint FROM (
			SELECT captured_currency AS currency, captured_amount AS amount FROM payment_attempts WHERE captured_amount IS NOT NULL AND state = 'REJECTED'
			UNION ALL SELECT currency, amount FROM refunds WHERE state <> 'SUCCEEDED' AND request IS NOT NULL) owed GROUP BY 1`), c.AwaitingRefund)
		one(batch.Queue("SELECT count(*) FROM payment_attempts WHERE captured_amount IS NOT NULL AND state = 'REJECTED'"), &found, &c.LateMoney)
		tally(batch.Queue("SELECT kind, count(*) FROM cases WHERE state = 'OPEN' GROUP BY 1"), c.OpenCases)
		tally(batch.Queue(`SELECT reason, sum(count)::bigint FROM refused_callbacks
			WHERE hour > now() - interval '24 hours' GROUP BY 1`), c.RefusedCallbacks)
		return s.pool.SendBatch(ctx, batch).Close()
	})
	return c, err
}
