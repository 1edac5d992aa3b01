package store_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/ticketing"
)

// fill multiplies one paid and one refunded order to some thousands.
var fill = []string{
	"SET session_replication_role = replica",
	`CREATE TEMP TABLE copies AS SELECT o.id AS old, lpad((n * 2 + (o.state = 'PAID')::int)::text, 26, '0') AS new
		FROM orders o, generate_series(1, 3000) n`,
	`INSERT INTO orders SELECT (jsonb_populate_record(o, jsonb_build_object('id', c.new))).* FROM orders o JOIN copies c ON c.old = o.id`,
	`INSERT INTO order_lines SELECT (jsonb_populate_record(l, jsonb_build_object('order_id', c.new))).* FROM order_lines l JOIN copies c ON c.old = l.order_id`,
	`INSERT INTO holds SELECT (jsonb_populate_record(h, jsonb_build_object('order_id', c.new))).* FROM holds h JOIN copies c ON c.old = h.order_id`,
	`INSERT INTO order_events SELECT (jsonb_populate_record(e, jsonb_build_object('order_id', c.new))).* FROM order_events e JOIN copies c ON c.old = e.order_id`,
	`INSERT INTO tickets SELECT (jsonb_populate_record(t, jsonb_build_object('order_id', c.new, 'id', c.new || t.id, 'code', c.new || t.code))).*
		FROM tickets t JOIN copies c ON c.old = t.order_id`,
	`INSERT INTO payment_attempts SELECT (jsonb_populate_record(a, jsonb_build_object('order_id', c.new, 'id', c.new, 'gateway_id', c.new))).*
		FROM payment_attempts a JOIN copies c ON c.old = a.order_id`,
	`INSERT INTO callbacks (provider, event_id, kind, attempt_id, header, body, handled_at)
		SELECT k.provider, c.new, k.kind, c.new, k.header, k.body, k.handled_at FROM callbacks k, copies c`,
	`INSERT INTO refunds SELECT (jsonb_populate_record(r, jsonb_build_object('order_id', c.new, 'id', c.new, 'attempt_id', c.new))).*
		FROM refunds r JOIN copies c ON c.old = r.order_id`,
	`INSERT INTO ledger_transfers (kind, reference) SELECT 'payment_accepted', new FROM copies`,
	`INSERT INTO ledger_entries SELECT t.id, e.account, 'CNY', e.amount FROM ledger_transfers t, (VALUES ('fees', 1), ('suspense', -1)) AS e(account, amount)
		WHERE t.reference IN (SELECT new FROM copies)`,
	"ANALYZE",
}

// scans counts how often each table that grows with the orders was read from end to end.
func scans(t *testing.T, conn *pgx.Conn) (sequential map[string]int, indexed int) {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT relname, seq_scan, idx_scan FROM pg_stat_user_tables
		WHERE relname IN ('orders', 'order_lines', 'holds', 'order_events', 'tickets', 'payment_attempts', 'callbacks', 'refunds',
			'ledger_transfers', 'ledger_entries')`)
	if err != nil {
		t.Fatal(err)
	}
	sequential = map[string]int{}
	var (
		table    string
		seq, idx int
	)
	if _, err := pgx.ForEachRow(rows, []any{&table, &seq, &idx}, func() error {
		sequential[table] = seq
		indexed += idx
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return sequential, indexed
}

// TestNoStatementReadsAWholeTable runs every method that buyers, gateways and
// workflows call, beside thousands of other orders, and asks the database afterwards what it read from end to end.
func TestNoStatementReadsAWholeTable(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	_, attempt := s.paid(1, 1)
	must(s.KeepCallback(t.Context(), payment("E", fact(attempt, ticketing.PaymentPaid))))(t)
	s.late()
	s.refundAll()
	conn := s.connect()
	for _, sql := range fill {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	s.Close() // what its connections counted so far is told when they end
	counting := s.connect()
	var before map[string]int
	await(t, func() bool {
		var connections int
		s.query("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'boxoffice'", &connections)
		before, _ = scans(t, counting)
		return connections == 0
	})
	_, indexedBefore := scans(t, counting)
	s.reopen()
	for range 7 { // a connection plans for itself the first times, then once for all
		s.everyStep()
	}
	s.Close()
	const least = 500 // index scans of all that, or the counts have not arrived
	await(t, func() bool {
		_, indexed := scans(t, counting)
		return indexed > indexedBefore+least
	})
	after, _ := scans(t, counting)
	for table, n := range after {
		if n > before[table] {
			t.Errorf("%s was read from end to end %d times", table, n-before[table])
		}
	}
}

// everyStep calls every method of the path of orders and money.
func (s *scene) everyStep() {
	s.Helper()
	order := s.held(1, 1)
	attempt := s.started(order)
	must(s.AttemptsToAsk(s.Context(), 10))(s)
	must(s.KeepCallback(s.Context(), payment(attempt.ID, fact(attempt, ticketing.PaymentPaid))))(s)
	must(s.UnhandledCallbacks(s.Context(), 0, 10))(s)
	must(s.Settle(s.Context(), attempt.ID))(s)
	must(s.Order(s.Context(), order))(s)
	must(s.OrderFingerprint(s.Context(), order))(s)
	must(s.OrderEvents(s.Context(), order, 1))(s)
	must(s.OrderRevisions(s.Context(), []string{order}))(s)
	must(s.OpenAttempts(s.Context(), order))(s)
	must(s.WatchedAttempts(s.Context(), order))(s)
	must(s.Hold(s.Context(), request(11)))(s)
	if err := s.FlagAttention(s.Context(), order, "x", true); err != nil {
		s.Fatal(err)
	}
	must(s.CatalogueRevision(s.Context()))(s)
	must(s.Availability(s.Context(), "show-s1"))(s)
	_, late := s.late()
	must(s.Retake(s.Context(), late.ID))(s)
	_, refunded := s.late()
	refund := must(s.StartRefund(s.Context(), refunded.ID))(s)
	if err := s.FinishRefund(s.Context(), refund.ID, ticketing.RefundSucceeded, ""); err != nil {
		s.Fatal(err)
	}
}

// await waits until a condition holds.
func await(t *testing.T, condition func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatal("waited in vain")
		case <-tick.C:
		}
	}
}
