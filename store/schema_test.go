package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

func constraintOf(err error) string {
	if failure, ok := errors.AsType[*pgconn.PgError](err); ok {
		return failure.ConstraintName
	}
	return ""
}

func TestTheDatabaseKnowsTheSameMovesAsTheRules(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	read := func(table string) []string {
		rows, err := s.connect().Query(t.Context(), "SELECT from_state || ' ' || to_state FROM "+table)
		if err != nil {
			t.Fatal(err)
		}
		moves := must(pgx.CollectRows(rows, pgx.RowTo[string]))(t)
		slices.Sort(moves)
		return moves
	}
	var orders, events []string
	for _, move := range ticketing.OrderMoves() {
		orders = append(orders, string(move[0])+" "+string(move[1]))
	}
	states := []ticketing.EventState{
		ticketing.EventDraft, ticketing.EventOnSale, ticketing.EventPaused, ticketing.EventEnded, ticketing.EventCancelled, ticketing.EventPostponed,
	}
	for _, from := range states {
		for _, to := range states {
			if from.CanMoveTo(to) {
				events = append(events, string(from)+" "+string(to))
			}
		}
	}
	slices.Sort(orders)
	slices.Sort(events)
	if have := read("order_moves"); !slices.Equal(have, orders) {
		t.Errorf("orders: the database has %v, the rules %v", have, orders)
	}
	if have := read("event_moves"); !slices.Equal(have, events) {
		t.Errorf("events: the database has %v, the rules %v", have, events)
	}
}

func TestTheDatabaseRefusesIllegalOrderMoves(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	conn := s.connect()
	states := []ticketing.OrderState{
		"PENDING", "AWAITING_REVIEW", "PAID", "CANCELLED", "EXPIRED", "FAILED", "REFUNDING",
		"PARTIALLY_REFUNDED", "REFUNDED", "EXCHANGED",
	}
	for _, from := range states {
		order := s.held(1)
		s.withoutTriggers("UPDATE orders SET state = $2 WHERE id = $1", order, from)
		for _, to := range states {
			tx, err := conn.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, err = tx.Exec(t.Context(), "UPDATE orders SET state = $2 WHERE id = $1", order, to)
			refused := constraintOf(err) == "orders_legal_move"
			if refused == (from == to || from.CanMoveTo(to)) {
				t.Errorf("%s → %s: %v", from, to, err)
			}
			if err := tx.Rollback(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		s.withoutTriggers("UPDATE orders SET state = 'EXPIRED' WHERE id = $1", order)
	}
	_, err := conn.Exec(t.Context(), `INSERT INTO orders SELECT (jsonb_populate_record(o, jsonb_build_object('id', $1::text, 'state', 'PAID'))).*
		FROM orders o LIMIT 1`, encryption.NewNumber())
	if constraintOf(err) != "orders_legal_move" {
		t.Errorf("an order began as paid: %v", err)
	}
	wantCode(t, s.MoveEvent(t.Context(), "show", ticketing.EventDraft, "tester", "a test"), ticketing.CodeIllegalTransition)
	wantCode(t, s.MoveEvent(t.Context(), "nothing", ticketing.EventEnded, "tester", "a test"), ticketing.CodeNotFound)
	if err := s.MoveEvent(t.Context(), "show", ticketing.EventOnSale, "tester", "a test"); err != nil {
		t.Errorf("the state it has: %v", err)
	}
}

// refused are statements the database must not let through, each with the constraint that stops it.
var refused = []struct{ name, constraint, sql string }{
	{"overselling", "stock_free_check", "UPDATE stock SET free = free - 100, sold = sold + 100"},
	{"stock from nowhere", "stock_adds_up", "UPDATE stock SET free = free + 1"},
	{"a name in plain text", "sealed_begins_with_its_version", "UPDATE orders SET buyer_name = 'Mei'"},
	{"an address in plain text", "sealed_begins_with_its_version", "UPDATE orders SET buyer_email = 'mei@example.com'"},
	{"a phone number in plain text", "sealed_begins_with_its_version", "UPDATE orders SET buyer_phone = '+86138'"},
	{"an attendee in plain text", "sealed_begins_with_its_version", `INSERT INTO attendees (order_id, position, ticket_type_id, document_type, name, document_number, person_index)
		SELECT order_id, 1, ticket_type_id, 'passport', 'Mei', '\x01', sha256('') FROM order_lines LIMIT 1`},
	{"a document in plain text", "sealed_begins_with_its_version", `INSERT INTO attendees (order_id, position, ticket_type_id, document_type, name, document_number, person_index)
		SELECT order_id, 1, ticket_type_id, 'passport', '\x01', 'E12345678', sha256('') FROM order_lines LIMIT 1`},
	{"a callback in plain text", "sealed_begins_with_its_version", `INSERT INTO callbacks (provider, event_id, kind, header, body) VALUES ('p', 'e', 'payment', '\x01', '{}')`},
	{"a total below the fee", "orders_check", "UPDATE orders SET total = 0"},
	{"a line that does not multiply", "order_lines_check", "UPDATE order_lines SET amount = amount + 1, charge = charge + 1"},
	{
		"a line of another session", "order_lines_ticket_type_id_session_id_fkey",
		"INSERT INTO order_lines SELECT order_id, 'other-t1', session_id, 3, 1, 0, 0, 0 FROM order_lines LIMIT 1",
	},
	{
		"a line for another session than its order", "order_lines_order_id_session_id_fkey",
		"INSERT INTO order_lines SELECT order_id, 'other-t1', 'other-s1', 3, 1, 0, 0, 0 FROM order_lines LIMIT 1",
	},
	{
		"a second accepted payment", "payment_attempts_one_accepted",
		"UPDATE payment_attempts SET state = 'ACCEPTED', reject_reason = NULL WHERE state = 'REJECTED'",
	},
	{
		"money that was captured is no longer", "payment_attempts_capture_stays",
		"UPDATE payment_attempts SET reported = 'closed', captured_amount = NULL, captured_currency = NULL, captured_at = NULL, captured_by = NULL",
	},
	{"another amount captured", "payment_attempts_capture_stays", "UPDATE payment_attempts SET captured_amount = captured_amount + 1"},
	{"back from accepted", "payment_attempts_legal_move", "UPDATE payment_attempts SET state = 'PENDING' WHERE state = 'ACCEPTED'"},
	{"rejected without a reason", "payment_attempts_rejected_says_why", "UPDATE payment_attempts SET reject_reason = NULL WHERE state = 'REJECTED'"},
	{"money without an order that is not rejected", "payment_attempts_orphan", "UPDATE payment_attempts SET order_id = NULL WHERE state = 'ACCEPTED'"},
	{
		"a ticket of an unpaid order", "tickets_of_paid_orders",
		"INSERT INTO tickets (id, order_id, ticket_type_id, state, code, paid) SELECT 'x', order_id, ticket_type_id, 'VALID', repeat('0', 26), 0 FROM holds WHERE state = 'HELD'",
	},
	{
		"a ticket twice", "tickets_code_key",
		"INSERT INTO tickets (id, order_id, ticket_type_id, state, code, paid) SELECT 'x', order_id, ticket_type_id, 'VALID', code, paid FROM tickets LIMIT 1",
	},
	{"a changed ledger entry", "ledger_entries_append_only", "UPDATE ledger_entries SET amount = 1"},
	{"a deleted ledger entry", "ledger_entries_append_only", "DELETE FROM ledger_entries"},
	{"a truncated ledger", "ledger_entries_append_only", "TRUNCATE ledger_entries"},
	{"a changed transfer", "ledger_transfers_append_only", "UPDATE ledger_transfers SET reference = 'x'"},
	{"a deleted transfer", "ledger_transfers_append_only", "DELETE FROM ledger_transfers"},
	{"a changed timeline", "order_events_append_only", "UPDATE order_events SET kind = 'x'"},
	{"a shortened timeline", "order_events_append_only", "DELETE FROM order_events"},
	{"a transfer booked twice", "ledger_transfers_once", "INSERT INTO ledger_transfers (kind, reference) SELECT kind, reference FROM ledger_transfers LIMIT 1"},
	{"a transfer without entries", "ledger_balanced", "INSERT INTO ledger_transfers (kind, reference) VALUES ('refund_settled', 'x')"},
	{"an unbalanced transfer", "ledger_balanced", `WITH t AS (INSERT INTO ledger_transfers (kind, reference) VALUES ('refund_settled', 'y') RETURNING id)
		INSERT INTO ledger_entries SELECT id, a, 'CNY', n FROM t, (VALUES ('fees', 5), ('suspense', -4)) AS e(a, n)`},
	{"a transfer balanced over two currencies", "ledger_balanced", `WITH t AS (INSERT INTO ledger_transfers (kind, reference) VALUES ('refund_settled', 'z') RETURNING id)
		INSERT INTO ledger_entries SELECT id, 'fees', c, n FROM t, (VALUES ('CNY', 5), ('JPY', -5)) AS e(c, n)`},
	{"an entry added to an old transfer", "ledger_balanced", "INSERT INTO ledger_entries SELECT min(id), 'suspense', 'EUR', 1 FROM ledger_transfers"},
}

func TestTheDatabaseHasTheLastWord(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Event("show", 20, 20), storetest.Event("other", 5))
	s.held(1, 1)
	order, _ := s.paid(1, 1)
	// A second payment of the same order, rejected.
	second := encryption.NewNumber()
	s.execute(`INSERT INTO payment_attempts (id, order_id, provider, gateway_id, method, state, amount, currency, reported,
		captured_amount, captured_currency, captured_by, captured_at, reject_reason, expires_at)
		SELECT $2::text, order_id, provider, $2, method, 'REJECTED', amount, currency, reported, captured_amount, captured_currency,
		captured_by, captured_at, 'double', expires_at FROM payment_attempts WHERE order_id = $1`, order, second)
	for _, test := range refused {
		t.Run(test.name, func(t *testing.T) {
			conn := s.connect()
			tx, err := conn.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err = tx.Exec(t.Context(), test.sql); err == nil {
				err = tx.Commit(t.Context()) // some constraints wait for it
			} else {
				_ = tx.Rollback(t.Context())
			}
			if have := constraintOf(err); have != test.constraint {
				t.Errorf("stopped by %q (%v), want %q", have, err, test.constraint)
			}
		})
	}
}

// withoutTriggers runs a statement as if the database had no triggers and no foreign keys.
func (s *scene) withoutTriggers(sql string, args ...any) {
	s.Helper()
	conn := s.connect()
	if _, err := conn.Exec(s.Context(), "SET session_replication_role = replica"); err != nil {
		s.Fatal(err)
	}
	if _, err := conn.Exec(s.Context(), sql, args...); err != nil {
		s.Fatal(err)
	}
}

func TestProcessesThatStartTogetherMigrateOnce(t *testing.T) {
	t.Parallel()
	url := storetest.Database(t)
	conn := must(pgx.Connect(t.Context(), url))(t)
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public"); err != nil {
		t.Fatal(err)
	}
	inParallel(8, func(int) {
		s, err := store.Open(t.Context(), store.Config{URL: url, MaxConnections: 2})
		if err != nil {
			t.Error(err)
			return
		}
		defer s.Close()
		if err := s.Migrate(t.Context()); err != nil {
			t.Error(err)
		}
	})
	var versions, doubled int
	if err := conn.QueryRow(t.Context(), "SELECT count(*), count(*) - count(DISTINCT version_id) FROM goose_db_version").Scan(&versions, &doubled); err != nil {
		t.Fatal(err)
	}
	if versions < 2 || doubled != 0 {
		t.Errorf("%d versions, %d of them twice", versions, doubled)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"postgres://nobody@127.0.0.1:1/x?sslmode=disable", "::nonsense"} {
		if s, err := store.Open(t.Context(), store.Config{URL: url}); err == nil || !strings.Contains(err.Error(), "database") {
			t.Errorf("%s: %v, %v", url, s, err)
		}
	}
}
