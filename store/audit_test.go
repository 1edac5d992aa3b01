package store_test

import (
	"maps"
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// plants break each rule of the audit once, past every constraint of the database.
var plants = map[string]string{
	"captured less refunded and owed is the price of the order's tickets, and what was kept of those given back": "UPDATE orders SET order_fee = order_fee + 1, order_fee_charge = order_fee_charge + 1 WHERE state = 'PAID'",
	"at most one accepted attempt per order, and one for every paid order that costs something":                  "UPDATE payment_attempts SET state = 'PENDING' WHERE state = 'ACCEPTED'",
	"free, held, sold and blocked add up to the capacity":                                                        "ALTER TABLE stock DROP CONSTRAINT stock_adds_up; UPDATE stock SET capacity = capacity + 1",
	"what is held and sold is what orders hold and have bought":                                                  "UPDATE stock SET held = held - 1, free = free + 1 WHERE held > 0",
	"every line of an order holds its stock in the state the order says":                                         "UPDATE holds SET state = 'RELEASED' WHERE state = 'SOLD'",
	"no hold outlives its deadline unless the timeline says why":                                                 "UPDATE orders SET pay_by = now() - interval '1 day'",
	"a ticket exists only for a confirmed order": `INSERT INTO tickets (id, order_id, ticket_type_id, state, code, paid)
		SELECT 'x', order_id, ticket_type_id, 'VALID', repeat('0', 26), 0 FROM holds WHERE state = 'HELD' LIMIT 1`,
	"a paid order has a ticket for every admission": "DELETE FROM tickets WHERE id = (SELECT min(id) FROM tickets)",
	"refunds of an attempt do not exceed what it captured": `INSERT INTO refunds (id, attempt_id, amount, currency, state, reason)
		SELECT '00000000', attempt_id, 1, currency, 'PENDING', 'late' FROM refunds WHERE request IS NULL`,
	"captured money is accepted or rejected": `UPDATE payment_attempts SET reported = 'paid', captured_amount = 1, captured_currency = 'CNY',
		captured_at = now() - interval '1 day', captured_by = 'query' WHERE state = 'PENDING'`,
	"rejected money is refunded, or its refund is under way":                                 "DELETE FROM refunds; UPDATE payment_attempts SET state = 'REJECTED' WHERE state = 'REFUNDED'",
	"a refund comes to an end":                                                               "UPDATE refunds SET state = 'PENDING', settled_at = NULL",
	"an attempt counts as refunded when all of its money went back":                          "UPDATE payment_attempts SET state = 'REJECTED' WHERE state = 'REFUNDED'",
	"money we were told of by a callback has that callback in the inbox":                     "DELETE FROM callbacks",
	"a payment is accepted only when the gateway reported it paid, as asked":                 "UPDATE orders SET total = total + 1",
	"transfers sum to zero per currency and are not empty":                                   "INSERT INTO ledger_entries SELECT min(id), 'fees', 'EUR', 7 FROM ledger_transfers",
	"the ledger holds what the gateways captured less what went back, they kept or withhold": "DELETE FROM ledger_entries WHERE account LIKE 'gateway:%'",
	"suspense holds exactly what is owed back":                                               "DELETE FROM ledger_entries WHERE account = 'suspense' AND amount > 0",
	"the timeline counts without gaps up to the order's revision":                            "DELETE FROM order_events WHERE sequence = 1",
	"an order is paid once, and each payment is received once": `INSERT INTO order_events (order_id, sequence, kind, state)
		SELECT order_id, 99, 'paid', 'PAID' FROM order_events WHERE kind = 'paid'`,
	"a workflow knows of captured money":                     "UPDATE payment_attempts SET delivered_at = NULL",
	"an order costs its lines and its fee":                   "UPDATE orders SET total = total + 1",
	"an order is priced in the currency of its ticket types": "UPDATE ticket_types SET currency = 'EUR'",
}

func TestTheAuditFindsEveryKindOfViolation(t *testing.T) {
	t.Parallel()
	rules := store.Invariants()
	maps.Copy(plants, billPlants)
	maps.Copy(plants, refundPlants)
	maps.Copy(plants, messagePlants)
	maps.Copy(plants, seatPlants)
	maps.Copy(plants, claimPlants)
	maps.Copy(plants, cataloguePlants)
	maps.Copy(plants, attendeePlants)
	maps.Copy(plants, bundlePlants)
	maps.Copy(plants, memberPlants)
	for rule := range plants {
		if rules[rule] == 0 {
			t.Errorf("no rule is called %q", rule)
		}
	}
	for rule, number := range rules {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			plant, ok := plants[rule]
			if !ok {
				t.Fatal("nothing shows that this rule can fail")
			}
			s := audited(t)
			s.withoutTriggersAll(plant)
			for _, v := range must(s.AuditAfter(t.Context(), 0))(t) {
				if v.Rule == rule && v.Invariant == number && v.Subject != "" && v.Detail != "" {
					return
				}
			}
			t.Error("not found")
		})
	}
}

// audited is a scene with an order of every fate, in which every invariant holds.
func audited(t *testing.T) *scene {
	t.Helper()
	s := seatedScene(t)
	if err := s.BlockSeats(t.Context(), "show-s1", []string{"hall/1/1", "hall/5/10"}, "for the house"); err != nil {
		t.Fatal(err)
	}
	storetest.Seed(t, s.Store, counted("counted"))
	s.claims("counted")
	s.expired(s.claims("counted").ID)
	storetest.Seed(t, s.Store, realNamed("named"))
	s.attend("named")
	s.bundles()
	s.putProgramme(circle())
	member := joining(1, 2)
	member.EventID, member.SessionID, member.Lines[0].TicketTypeID = "counted", "counted-s1", "counted-t1"
	s.settles(s.gives(s.buys(member).ID, member.OrderID+"-001"))
	s.started(s.held(1))
	s.paid(2, 1)
	must(s.Hold(t.Context(), request(11)))(t)
	late := s.held(1)
	attempt := s.started(late)
	s.expired(late)
	kept := must(s.KeepCallback(t.Context(), payment("E1", fact(attempt, ticketing.PaymentPaid))))(t)
	if kept.Handled {
		t.Fatalf("%+v", kept)
	}
	s.refundAll()
	some, _ := s.paid(2, 1)
	s.settles(s.gives(some, some+"-001", some+"-003"))
	owing, _ := s.paid(0, 2)
	s.fails(s.gives(owing, owing+"-001"))
	s.billed()
	s.wantSound()
	return s
}

func (s *scene) withoutTriggersAll(sql string) {
	s.Helper()
	conn := s.connect()
	if _, err := conn.Exec(s.Context(), "SET session_replication_role = replica; "+sql); err != nil {
		s.Fatal(err)
	}
}

func TestTheAuditLetsWorkUnderWayFinish(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order := s.held(1)
	attempt := s.started(order)
	s.captured(attempt)
	for _, v := range must(s.AuditAfter(t.Context(), time.Minute))(t) {
		t.Errorf("captured a moment ago: %v", v)
	}
	if len(must(s.AuditAfter(t.Context(), 0))(t)) == 0 {
		t.Error("captured money is never judged, and the audit is content")
	}
	s.execute("UPDATE orders SET pay_by = now() - interval '2 hours'")
	if found := must(s.Audit(t.Context()))(t); len(found) != 1 || found[0].Invariant != 4 {
		t.Errorf("found %v", found)
	}
	// A reason an operator can see excuses it.
	if err := s.FlagAttention(t.Context(), order, "close the attempts at their gateways", true); err != nil {
		t.Fatal(err)
	}
	if found := must(s.Audit(t.Context()))(t); len(found) != 0 {
		t.Errorf("found %v", found)
	}
}
