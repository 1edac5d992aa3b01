package store_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// fill multiplies one paid and one refunded order to some thousands.
var fill = []string{
	"SET session_replication_role = replica",
	`CREATE TEMP TABLE copies AS SELECT o.id AS old, lpad((n * 2 + 1)::text, 26, '0') AS new
		FROM (SELECT id, state FROM orders WHERE state = 'PAID' LIMIT 1) o, generate_series(1, 1500) n
		UNION ALL SELECT order_id, lpad((n * 2)::text, 26, '0') FROM (SELECT order_id FROM refunds LIMIT 1) r, generate_series(1, 1500) n`,
	`INSERT INTO orders SELECT (jsonb_populate_record(o, jsonb_build_object('id', c.new))).* FROM orders o JOIN copies c ON c.old = o.id`,
	`INSERT INTO order_lines SELECT (jsonb_populate_record(l, jsonb_build_object('order_id', c.new))).* FROM order_lines l JOIN copies c ON c.old = l.order_id`,
	`INSERT INTO holds SELECT (jsonb_populate_record(h, jsonb_build_object('order_id', c.new))).* FROM holds h JOIN copies c ON c.old = h.order_id`,
	`INSERT INTO order_events SELECT (jsonb_populate_record(e, jsonb_build_object('order_id', c.new))).* FROM order_events e JOIN copies c ON c.old = e.order_id`,
	`INSERT INTO tickets SELECT (jsonb_populate_record(t, jsonb_build_object('order_id', c.new, 'id', c.new || t.id, 'code', c.new || t.code))).*
		FROM tickets t JOIN copies c ON c.old = t.order_id`,
	`UPDATE payment_attempts SET delivered_at = now() WHERE captured_amount IS NOT NULL`,
	`INSERT INTO payment_attempts SELECT (jsonb_populate_record(a, jsonb_build_object('order_id', c.new, 'id', c.new, 'gateway_id', c.new))).*
		FROM payment_attempts a JOIN copies c ON c.old = a.order_id`,
	`INSERT INTO callbacks (provider, event_id, kind, attempt_id, header, body)
		SELECT k.provider, c.new, k.kind, c.new, k.header, k.body FROM (SELECT * FROM callbacks LIMIT 1) k, copies c`,
	`INSERT INTO refunds SELECT (jsonb_populate_record(r, jsonb_build_object('order_id', c.new, 'id', c.new, 'attempt_id', c.new))).*
		FROM refunds r JOIN copies c ON c.old = r.order_id`,
	`INSERT INTO attendees SELECT (jsonb_populate_record(a, jsonb_build_object('order_id', c.new, 'ticket_id', NULL, 'live', false))).*
		FROM attendees a, copies c WHERE a.position = 1 AND a.order_id = (SELECT min(order_id) FROM attendees)`,
	`INSERT INTO messages SELECT (jsonb_populate_record(m, jsonb_build_object('order_id', c.new, 'id', overlay(m.id placing right(c.new, 12) from 15), 'receipt_id', NULL))).*
		FROM messages m JOIN copies c ON c.old = m.order_id`,
	`INSERT INTO ledger_transfers (kind, reference) SELECT 'payment_accepted', new FROM copies`,
	`INSERT INTO ledger_entries SELECT t.id, e.account, 'CNY', e.amount FROM ledger_transfers t, (VALUES ('fees', 1), ('suspense', -1)) AS e(account, amount)
		WHERE t.reference IN (SELECT new FROM copies)`,
}

// reads counts the rows and index entries read of each table that grows with the orders.
func (s *scene) reads() map[string]int {
	s.Helper()
	conn := s.connect()
	defer func() { _ = conn.Close(s.Context()) }()
	rows, err := conn.Query(s.Context(), `SELECT t.relname, t.seq_tup_read + (SELECT sum(i.idx_tup_read) FROM pg_stat_user_indexes i WHERE i.relid = t.relid)
		FROM pg_stat_user_tables t WHERE t.relname IN ('orders', 'order_lines', 'holds', 'order_events', 'tickets', 'payment_attempts',
			'callbacks', 'refunds', 'attendees', 'ledger_transfers', 'ledger_entries', 'messages')`)
	if err != nil {
		s.Fatal(err)
	}
	counts := map[string]int{}
	var (
		table string
		read  int
	)
	if _, err := pgx.ForEachRow(rows, []any{&table, &read}, func() error {
		counts[table] = read
		return nil
	}); err != nil {
		s.Fatal(err)
	}
	return counts
}

// TestNoStatementReadsAWholeTable runs every method that buyers, gateways and workflows
// call until its connection has settled on plans, while the tables are empty; then it brings in thousands of orders and
// runs them again. What is read afterwards must not have to do with how many there are.
func TestNoStatementReadsAWholeTable(t *testing.T) {
	t.Parallel()
	attended := realNamed("named")
	attended.Sessions[0].TicketTypes[0].Capacity = 100
	s := newScene(t, storetest.Event("show", 100, 100), counted("counted"), attended)
	s.Close()
	for table := range s.reads() {
		s.execute("ALTER TABLE " + table + " SET (autovacuum_enabled = false)") // statistics would make new plans
	}
	// One connection also shows that no method needs a second one.
	s.Store = must(store.Open(t.Context(), store.Config{URL: s.url, Keyring: storetest.Keyring(), MaxConnections: 1}))(t)
	defer s.Close()
	const rounds = 7
	for range rounds {
		s.everyStep()
	}
	conn := s.connect()
	for _, sql := range fill {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.Close(t.Context()); err != nil { // tells what it counted
		t.Fatal(err)
	}
	inserted := func(table string) (n int) {
		s.query("SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = '"+table+"'", &n)
		return n
	}
	await(t, func() bool { return inserted("orders") > 3000 && inserted("ledger_entries") > 6000 })
	before := s.reads()
	for range rounds {
		s.everyStep()
	}
	s.Close()
	await(t, func() bool { return s.reads()["orders"] > before["orders"]+100 })
	for table, n := range s.reads() {
		if n -= before[table]; n > 5000 { // one look at all of a table would be 3,000, and seven rounds take it seven times
			t.Errorf("%d rows or entries of %s were read for %d purchases", n, table, 4*rounds)
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
	must(s.UndeliveredPayments(s.Context(), 0, 10))(s)
	s.delivered(attempt.ID)
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
	must(s.EventRevisions(s.Context(), "show"))(s)
	must(s.EventsOfSessions(s.Context(), "show-s1"))(s)
	must(s.Availability(s.Context(), "show-s1"))(s)
	s.hears(disputed(attempt.ID+"-D", attempt, ticketing.DisputeOpen))
	_, late := s.late()
	s.delivered(late.ID)
	must(s.Retake(s.Context(), late.ID))(s)
	_, refunded := s.late()
	s.delivered(refunded.ID)
	refund := must(s.StartRefund(s.Context(), refunded.ID))(s)
	if err := s.FinishRefund(s.Context(), outcome(refund.ID, ticketing.RefundSucceeded, "")); err != nil {
		s.Fatal(err)
	}
	someone := rand.IntN(10_000_000) * 10
	named := s.pays(s.attending("named", someone))
	if err := s.ChangeAttendee(s.Context(), named.ID, named.Tickets[0].ID, person(someone+1)); err != nil {
		s.Fatal(err)
	}
	s.expired(s.attending("named", someone).ID)
	order, paid := s.paid(2, 1)
	s.delivered(paid.ID)
	given := s.gives(order, order+"-001")
	if _, _, err := s.RefundOfRequest(s.Context(), order, "request "+given.ID); err != nil {
		s.Fatal(err)
	}
	must(s.Refund(s.Context(), given.ID))(s)
	s.settles(given)
	s.tellsEverything(order)
	s.expired(s.claims("counted").ID)
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
