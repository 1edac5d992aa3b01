package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// AuditPatience is how long Audit leaves work that is under way alone: longer
// than the longest wait of a purchase for a gateway that does not know yet.
const AuditPatience = time.Hour

// auditTimeout bounds one audit; it is far above what one takes.
const auditTimeout = 5 * time.Minute

// Violation is a broken promise, found by Audit.
type Violation struct {
	// Invariant is its number in docs/reliability.md.
	Invariant int `json:"invariant"`
	// Rule says what must hold, Subject what breaks it, Detail how.
	Rule    string `json:"rule"`
	Subject string `json:"subject"`
	Detail  string `json:"detail"`
}

// String is the violation as one line.
func (v Violation) String() string {
	return fmt.Sprintf("invariant %d: %s: %s: %s", v.Invariant, v.Rule, v.Subject, v.Detail)
}

// Audit checks every invariant the database can answer for, on one state of
// it. An empty result means that all hold.
func (s *Store) Audit(ctx context.Context) ([]Violation, error) {
	return s.AuditAfter(ctx, AuditPatience)
}

// AuditAfter is Audit with another patience: zero means that nothing is under way any more, as at the end of a test.
func (s *Store) AuditAfter(ctx context.Context, patience time.Duration) ([]Violation, error) {
	var violations []Violation
	err := s.retryFor(ctx, auditTimeout, "audit", func(ctx context.Context) error {
		violations = nil
		tx, err := s.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
		// Unlike everything else, an audit reads whole tables.
		if _, err := tx.Exec(ctx, "SET LOCAL enable_seqscan = on; SET LOCAL plan_cache_mode = auto; SET LOCAL statement_timeout = 0"); err != nil {
			return err
		}
		for _, rule := range invariants {
			var args []any
			if rule.patient {
				args = append(args, patience)
			}
			rows, err := tx.Query(ctx, rule.sql, args...)
			if err != nil {
				return fmt.Errorf("%s: %w", rule.name, err)
			}
			found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Violation, error) {
				v := Violation{Invariant: rule.number, Rule: rule.name}
				return v, row.Scan(&v.Subject, &v.Detail)
			})
			if err != nil {
				return fmt.Errorf("%s: %w", rule.name, err)
			}
			violations = append(violations, found...)
		}
		return nil
	})
	return violations, err
}

// invariant is a rule with the query that finds what breaks it: rows of subject and detail.
type invariant struct {
	number int
	name   string
	// patient queries take the patience as $1.
	patient bool
	sql     string
}

var invariants = append([]invariant{
	{1, "captured less refunded and owed is the price of the order's tickets, and what was kept of those given back", true, `
SELECT o.id, format('%s: %s captured and not refunded or owed, %s explained', o.state, p.kept, p.price)
FROM orders o
CROSS JOIN LATERAL (SELECT
    coalesce((SELECT sum(a.captured_amount) FROM payment_attempts a WHERE a.order_id = o.id), 0)
    - coalesce((SELECT sum(r.amount) FROM refunds r WHERE r.order_id = o.id AND (r.state = 'SUCCEEDED' OR r.request IS NOT NULL)), 0) AS kept,
    coalesce((SELECT sum(t.paid) FROM tickets t
        WHERE t.order_id = o.id AND t.refund_id IS NULL), 0)
    + CASE WHEN EXISTS (SELECT FROM tickets t WHERE t.order_id = o.id) THEN o.order_fee_charge ELSE 0 END
    + coalesce((SELECT sum(r.fee - r.order_fee) FROM refunds r WHERE r.order_id = o.id), 0) AS price) p
WHERE p.kept <> p.price
    AND NOT EXISTS (SELECT FROM payment_attempts a WHERE a.order_id = o.id
        AND a.captured_amount IS NOT NULL AND a.state NOT IN ('ACCEPTED', 'REFUNDED') AND a.captured_at > now() - $1::interval)
    AND NOT EXISTS (SELECT FROM refunds r WHERE r.order_id = o.id AND r.state <> 'SUCCEEDED' AND r.request IS NULL)`},
	{2, "at most one accepted attempt per order, and one for every paid order that costs something", false, `
SELECT o.id, format('%s with %s accepted attempts', o.state, count(a.id))
FROM orders o LEFT JOIN payment_attempts a ON a.order_id = o.id AND a.state = 'ACCEPTED'
GROUP BY o.id, o.state, o.total
HAVING count(a.id) <> CASE WHEN o.state IN ('PAID', 'REFUNDING', 'PARTIALLY_REFUNDED', 'REFUNDED', 'EXCHANGED') AND o.total > 0 THEN 1 ELSE 0 END`},
	{3, "free, held, sold and blocked add up to the capacity", false, `
SELECT ticket_type_id, format('free %s, held %s, sold %s, blocked %s of %s', free, held, sold, blocked, capacity)
FROM stock WHERE free + held + sold + blocked <> capacity OR least(free, held, sold, blocked) < 0`},
	{3, "what is held and sold is what orders hold and have bought", false, `
SELECT s.ticket_type_id, format('held %s for orders that hold %s, sold %s for orders that bought %s', s.held, h.held, s.sold, h.sold)
FROM stock s
LEFT JOIN LATERAL (SELECT
    coalesce(sum(quantity) FILTER (WHERE state = 'HELD'), 0) AS held,
    coalesce(sum(quantity - returned) FILTER (WHERE state = 'SOLD'), 0) AS sold
    FROM (SELECT state, quantity, returned FROM holds WHERE ticket_type_id = s.ticket_type_id
        UNION ALL SELECT b.state, c.quantity * b.quantity, c.quantity * b.returned FROM order_components c
        JOIN holds b ON b.order_id = c.order_id AND b.ticket_type_id = c.bundle_id WHERE c.component_id = s.ticket_type_id) x) h ON true
WHERE s.held <> h.held OR s.sold <> h.sold`},
	{3, "every line of an order holds its stock in the state the order says", false, `
SELECT o.id, format('%s, but line %s is %s', o.state, l.ticket_type_id, coalesce(h.state || ' ' || h.quantity, 'without a hold'))
FROM orders o JOIN order_lines l ON l.order_id = o.id
LEFT JOIN holds h ON h.order_id = l.order_id AND h.ticket_type_id = l.ticket_type_id
WHERE h.quantity IS DISTINCT FROM l.quantity
    OR o.state IN ('PENDING', 'AWAITING_REVIEW') AND h.state <> 'HELD'
    OR o.state IN ('PAID', 'REFUNDING', 'PARTIALLY_REFUNDED') AND h.state <> 'SOLD'
    OR o.state IN ('EXPIRED', 'CANCELLED', 'FAILED', 'REFUSED') AND h.state <> 'RELEASED'`},
	{4, "no hold outlives its deadline unless the timeline says why", true, `
SELECT o.id, format('%s, held until %s', o.state, o.pay_by)
FROM orders o WHERE o.state IN ('PENDING', 'AWAITING_REVIEW') AND o.pay_by < now() - $1::interval
    AND coalesce((SELECT e.kind <> 'needs_attention' OR NOT (e.detail ->> 'needed')::boolean
        FROM order_events e WHERE e.order_id = o.id ORDER BY e.sequence DESC LIMIT 1), true)`},
	{5, "a ticket exists only for a confirmed order", false, `
SELECT t.id, format('of an order that is %s', o.state) FROM tickets t JOIN orders o ON o.id = t.order_id
WHERE t.state IN ('VALID', 'FROZEN') AND o.state NOT IN ('PAID', 'REFUNDING', 'PARTIALLY_REFUNDED')`},
	{5, "a paid order has a ticket for every admission", false, `
SELECT l.order_id, format('%s tickets for %s of %s', count(t.id), l.quantity * c.each, l.ticket_type_id)
FROM orders o JOIN order_lines l ON l.order_id = o.id
CROSS JOIN LATERAL (SELECT coalesce(sum(quantity), 1) AS each FROM order_components WHERE order_id = l.order_id AND bundle_id = l.ticket_type_id) c
LEFT JOIN tickets t ON t.order_id = l.order_id AND t.ticket_type_id = l.ticket_type_id AND (t.state IN ('VALID', 'FROZEN') OR o.state <> 'PAID')
WHERE o.state IN ('PAID', 'REFUNDING', 'PARTIALLY_REFUNDED', 'REFUNDED', 'EXCHANGED') GROUP BY l.order_id, l.ticket_type_id, l.quantity, c.each HAVING count(t.id) <> l.quantity * c.each`},
	{6, "refunds of an attempt do not exceed what it captured", false, `
SELECT a.id, format('%s refunded of %s captured', sum(r.amount), coalesce(a.captured_amount, 0))
FROM payment_attempts a JOIN refunds r ON r.attempt_id = a.id AND r.state <> 'FAILED'
GROUP BY a.id HAVING sum(r.amount) > coalesce(a.captured_amount, 0) OR bool_or(r.currency IS DISTINCT FROM a.captured_currency)`},
	{7, "captured money is accepted or rejected", true, `
SELECT a.id, format('%s %s captured at %s, still %s', a.captured_amount, a.captured_currency, a.captured_at, a.state)
FROM payment_attempts a WHERE a.captured_amount IS NOT NULL AND a.captured_at <= now() - $1::interval
    AND a.state NOT IN ('ACCEPTED', 'REJECTED', 'REFUNDED')`},
	{7, "rejected money is refunded, or its refund is under way", true, `
SELECT a.id, format('%s %s rejected as %s without a refund', a.captured_amount, a.captured_currency, a.reject_reason)
FROM payment_attempts a WHERE a.state = 'REJECTED' AND a.captured_at <= now() - $1::interval
    AND NOT EXISTS (SELECT FROM refunds r WHERE r.attempt_id = a.id)`},
	{7, "a refund comes to an end", true, `
SELECT r.id, format('%s since %s', r.state, r.created_at) FROM refunds r
WHERE r.state = 'PENDING' AND r.created_at <= now() - 24 * greatest($1::interval, interval '0')`},
	{7, "an attempt counts as refunded when all of its money went back", false, `
SELECT a.id, format('%s with %s of %s refunded', a.state, coalesce(r.back, 0), a.captured_amount)
FROM payment_attempts a
LEFT JOIN LATERAL (SELECT sum(amount) AS back FROM refunds WHERE attempt_id = a.id AND state = 'SUCCEEDED') r ON true
WHERE (a.state = 'REFUNDED') <> (a.captured_amount IS NOT NULL AND a.state IN ('REJECTED', 'REFUNDED') AND coalesce(r.back, 0) = a.captured_amount)`},
	{8, "money we were told of by a callback has that callback in the inbox", false, `
SELECT a.id, 'no verified callback' FROM payment_attempts a
WHERE a.captured_by = 'callback'
    AND NOT EXISTS (SELECT FROM callbacks c WHERE c.attempt_id = a.id AND c.provider = a.provider AND c.kind = 'payment')`},
	{8, "a payment is accepted only when the gateway reported it paid, as asked", false, `
SELECT a.id, format('reported %s, captured %s %s of %s %s', a.reported, a.captured_amount, a.captured_currency, a.amount, a.currency)
FROM payment_attempts a JOIN orders o ON o.id = a.order_id WHERE a.state = 'ACCEPTED'
    AND (a.reported IS DISTINCT FROM 'paid' OR a.captured_amount IS DISTINCT FROM o.total OR a.captured_currency IS DISTINCT FROM o.currency)`},
	{10, "transfers sum to zero per currency and are not empty", false, `
SELECT t.id::text, format('%s %s: %s', t.kind, t.reference, coalesce(e.currency || ' ' || sum(e.amount), 'no entries'))
FROM ledger_transfers t LEFT JOIN ledger_entries e ON e.transfer_id = t.id
GROUP BY t.id, t.kind, t.reference, e.currency HAVING coalesce(sum(e.amount), 1) <> 0`},
	{10, "the ledger holds what the gateways captured less what went back, they kept or withhold", false, `
SELECT account, format('%s %s in the ledger, %s by attempts and refunds', sum(ledger), currency, sum(facts))
FROM (
    SELECT account, currency, sum(amount) AS ledger, 0 AS facts FROM ledger_entries WHERE account LIKE 'gateway:%' GROUP BY 1, 2
    UNION ALL
    SELECT 'gateway:' || provider, captured_currency, 0, sum(captured_amount) FROM payment_attempts
    WHERE state IN ('ACCEPTED', 'REJECTED', 'REFUNDED') GROUP BY 1, 2
    UNION ALL
    SELECT 'gateway:' || a.provider, r.currency, 0, -sum(r.amount) FROM refunds r JOIN payment_attempts a ON a.id = r.attempt_id
    WHERE r.state = 'SUCCEEDED' GROUP BY 1, 2
    UNION ALL
    SELECT 'gateway:' || split_part(t.reference, '/', 1), e.currency, 0, -sum(e.amount) FROM ledger_transfers t
    JOIN ledger_entries e ON e.transfer_id = t.id AND e.account = 'gateway_fees' WHERE t.kind = 'gateway_fee' GROUP BY 1, 2
    UNION ALL
    SELECT 'gateway:' || provider, currency, 0, -sum(amount) FROM disputes WHERE state <> 'WON' GROUP BY 1, 2
) both_sides GROUP BY account, currency HAVING sum(ledger) <> sum(facts)`},
	{10, "suspense holds exactly what is owed back", false, `
SELECT 'suspense', format('%s %s in the ledger, %s owed', sum(ledger), currency, sum(facts))
FROM (
    SELECT currency, -sum(amount) AS ledger, 0 AS facts FROM ledger_entries WHERE account = 'suspense' GROUP BY 1
    UNION ALL
    SELECT captured_currency, 0, sum(captured_amount) FROM payment_attempts WHERE state IN ('REJECTED', 'REFUNDED') GROUP BY 1
    UNION ALL
    SELECT currency, 0, -sum(amount) FROM refunds WHERE state = 'SUCCEEDED' AND request IS NULL GROUP BY 1
) both_sides GROUP BY currency HAVING sum(ledger) <> sum(facts)`},
	{11, "the timeline counts without gaps up to the order's revision", false, `
SELECT o.id, format('revision %s, %s entries up to %s', o.revision, count(e.sequence), coalesce(max(e.sequence), 0))
FROM orders o LEFT JOIN order_events e ON e.order_id = o.id
GROUP BY o.id, o.revision HAVING count(e.sequence) <> o.revision OR coalesce(max(e.sequence), 0) <> o.revision`},
	{11, "an order is paid once, and each payment is received once", false, `
SELECT order_id, format('%s times %s', count(*), kind) FROM order_events
WHERE kind IN ('held', 'refused', 'paid', 'expired', 'cancelled', 'failed', 'retaken')
GROUP BY order_id, kind HAVING count(*) > 1
UNION ALL
SELECT order_id, format('%s times %s of %s', count(*), kind, detail ->> 'attempt_id') FROM order_events
WHERE kind IN ('attempt_started', 'attempt_declined', 'attempt_closed', 'payment_received', 'payment_rejected', 'late_payment',
    'refund_started', 'refund_requested', 'refund_sent', 'refund_settled')
GROUP BY order_id, kind, detail ->> 'attempt_id', detail ->> 'refund_id' HAVING count(*) > 1`},
	{4, "a workflow knows of captured money", true, `
SELECT id, format('%s, captured at %s', state, captured_at) FROM payment_attempts
WHERE captured_amount IS NOT NULL AND delivered_at IS NULL AND captured_at <= now() - $1::interval`},
	{12, "an order costs its lines and its fee", false, `
SELECT o.id, format('total %s %s, lines %s, fee %s', o.total, o.currency, coalesce(sum(l.charge), 0), o.order_fee_charge)
FROM orders o LEFT JOIN order_lines l ON l.order_id = o.id WHERE o.state <> 'REFUSED'
GROUP BY o.id HAVING o.total <> coalesce(sum(l.charge), 0) + o.order_fee_charge
    OR bool_or(l.amount <> (l.base_price + l.surcharge) * l.quantity) OR count(l.order_id) = 0`},
	{12, "an order is priced in the currency of its ticket types", false, `
SELECT DISTINCT o.id, format('%s, but %s is sold in %s', o.currency, t.id, t.currency)
FROM orders o JOIN order_lines l ON l.order_id = o.id JOIN ticket_types t ON t.id = l.ticket_type_id
WHERE t.currency <> o.currency`},
}, slices.Concat(refundInvariants, billInvariants, messageInvariants, seatInvariants, claimInvariants, catalogueInvariants, attendeeInvariants, bundleInvariants, memberInvariants)...)
