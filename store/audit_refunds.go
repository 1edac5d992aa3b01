package store

// refundInvariants hold tickets that were given back against the money that goes back for them.
var refundInvariants = []invariant{
	{1, "a ticket is void because a refund gave it back or a dispute was lost", false, `
SELECT t.id, 'void, and nothing says why' FROM tickets t WHERE t.state = 'VOID' AND t.refund_id IS NULL
    AND NOT EXISTS (SELECT FROM disputes d WHERE d.order_id = t.order_id AND d.state = 'LOST')`},
	{1, "a refund of tickets is what was paid for them, less its fee", false, `
SELECT r.id, format('%s and a fee of %s for %s, %s of it the order fee', r.amount, r.fee, coalesce(p.paid, 0), r.order_fee)
FROM refunds r
LEFT JOIN LATERAL (SELECT sum(t.paid) AS paid FROM tickets t WHERE t.order_id = r.order_id AND t.refund_id = r.id) p ON true
WHERE r.request IS NOT NULL AND r.amount IS DISTINCT FROM p.paid - r.fee + r.order_fee`},
	{3, "tickets that were given back are on sale again", false, `
SELECT h.order_id, format('%s of %s returned, %s tickets given back', h.returned, h.ticket_type_id, count(DISTINCT coalesce(t.bundle::text, t.id)))
FROM holds h LEFT JOIN tickets t ON t.order_id = h.order_id AND t.ticket_type_id = h.ticket_type_id AND t.refund_id IS NOT NULL
GROUP BY h.order_id, h.ticket_type_id, h.returned HAVING count(DISTINCT coalesce(t.bundle::text, t.id)) <> h.returned`},
	{5, "an order is being refunded while money is owed for its tickets, and only then", false, `
SELECT o.id, format('%s with %s refunds of tickets, %s of them open, and %s valid tickets', o.state, r.count, r.open, t.valid)
FROM orders o
CROSS JOIN LATERAL (SELECT count(*) AS count, count(*) FILTER (WHERE state <> 'SUCCEEDED') AS open FROM refunds
    WHERE order_id = o.id AND request IS NOT NULL) r
CROSS JOIN LATERAL (SELECT count(*) AS valid FROM tickets WHERE order_id = o.id AND state <> 'VOID') t
WHERE (o.state = 'REFUNDING') <> (r.open > 0)
    OR o.state = 'PAID' AND r.count > 0
    OR o.state = 'PARTIALLY_REFUNDED' AND (r.count = 0 OR t.valid = 0)
    OR o.state = 'REFUNDED' AND t.valid > 0`},
	{7, "tickets are refunded with the money that paid the order, and no other", false, `
SELECT r.id, format('%s of an attempt that is %s', r.reason, a.state) FROM refunds r JOIN payment_attempts a ON a.id = r.attempt_id
WHERE (r.request IS NOT NULL) <> (a.state = 'ACCEPTED')`},
	{10, "refunds due is exactly what is owed for tickets, refund fees what was kept of them", false, `
SELECT account, format('%s %s in the ledger, %s by refunds', sum(ledger), currency, sum(facts))
FROM (
    SELECT account, currency, -sum(amount) AS ledger, 0 AS facts FROM ledger_entries WHERE account IN ('refunds_due', 'refund_fees') GROUP BY 1, 2
    UNION ALL
    SELECT 'refunds_due', currency, 0, sum(amount) FROM refunds WHERE request IS NOT NULL AND state <> 'SUCCEEDED' GROUP BY 2
    UNION ALL
    SELECT 'refund_fees', currency, 0, sum(fee) FROM refunds GROUP BY 2
) both_sides GROUP BY account, currency HAVING sum(ledger) <> sum(facts)`},
	{10, "sales and fees are what was paid for tickets that were not given back, and the fees of orders", false, `
SELECT account, format('%s %s in the ledger, %s by orders', sum(ledger), currency, sum(facts))
FROM (
    SELECT account, currency, -sum(amount) AS ledger, 0 AS facts FROM ledger_entries WHERE account = 'fees' OR account LIKE 'organiser:%:sales' GROUP BY 1, 2
    UNION ALL
    SELECT 'organiser:' || e.organiser_id || ':sales', o.currency, 0, sum(t.paid)
    FROM tickets t JOIN orders o ON o.id = t.order_id JOIN events e ON e.id = o.event_id WHERE t.refund_id IS NULL GROUP BY 1, 2
    UNION ALL
    SELECT 'fees', o.currency, 0, sum(o.order_fee_charge) FROM orders o WHERE EXISTS (SELECT FROM tickets t WHERE t.order_id = o.id) GROUP BY 2
    UNION ALL
    SELECT 'fees', currency, 0, -sum(order_fee) FROM refunds GROUP BY 2
) both_sides GROUP BY account, currency HAVING sum(ledger) <> sum(facts)`},
}
