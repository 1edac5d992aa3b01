package store

// movementsSQL is what the ledger has of money that moved at gateways.
const movementsSQL = `
movements AS (
    SELECT substr(e.account, length('gateway:') + 1) AS provider, k.movement_kind AS kind, t.reference, e.amount, e.currency, t.at
    FROM ledger_transfers t JOIN movement_kinds k ON k.transfer_kind = t.kind
    JOIN ledger_entries e ON e.transfer_id = t.id AND e.account LIKE 'gateway:%'
), gateway_fees AS (
    SELECT split_part(t.reference, '/', 1) AS provider, split_part(t.reference, '/', 2) AS kind,
        regexp_replace(t.reference, '^[^/]*/[^/]*/', '') AS reference, e.amount, e.currency
    FROM ledger_transfers t JOIN ledger_entries e ON e.transfer_id = t.id AND e.account = 'gateway_fees' WHERE t.kind = 'gateway_fee'
), lines AS (
    SELECT l.provider, l.day, l.kind, l.reference, l.copy, l.amount, l.currency, l.fee, l.fee_currency
    FROM bill_lines l JOIN bills b USING (provider, day) WHERE b.compared_at IS NOT NULL
), explained AS (
    SELECT provider, day, reference AS about FROM cases WHERE kind LIKE 'bill\_%' AND (state = 'OPEN' OR resolution <> 'vanished')
)`

// billInvariants hold our books against those of the gateways.
var billInvariants = []invariant{
	{10, "what is withheld because of disputes, and lost by them, is what the disputes say", false, `
SELECT account, format('%s %s in the ledger, %s by disputes', sum(ledger), currency, sum(facts))
FROM (
    SELECT account, currency, sum(amount) AS ledger, 0 AS facts FROM ledger_entries WHERE account IN ('disputes', 'disputes_lost') GROUP BY 1, 2
    UNION ALL
    SELECT CASE state WHEN 'OPEN' THEN 'disputes' ELSE 'disputes_lost' END, currency, 0, sum(amount) FROM disputes WHERE state <> 'WON' GROUP BY 1, 2
) both_sides GROUP BY account, currency HAVING sum(ledger) <> sum(facts)`},
	{5, "tickets are frozen while their payment is disputed, and only then", false, `
SELECT o.id, format('%s frozen tickets, %s open disputes', count(t.id) FILTER (WHERE t.state = 'FROZEN'), d.open)
FROM orders o JOIN tickets t ON t.order_id = o.id
CROSS JOIN LATERAL (SELECT count(*) AS open FROM disputes d JOIN payment_attempts a ON a.id = d.attempt_id
    WHERE d.order_id = o.id AND d.state = 'OPEN' AND a.state = 'ACCEPTED') d
GROUP BY o.id, d.open
HAVING (count(*) FILTER (WHERE t.state = 'FROZEN') > 0) <> (d.open > 0 AND count(*) FILTER (WHERE t.state <> 'VOID') > 0)
    OR d.open > 0 AND count(*) FILTER (WHERE t.state = 'VALID') > 0`},
	{13, "a bill that was taken is compared", true, `
SELECT format('%s %s', provider, day), format('taken at %s', taken_at) FROM bills
WHERE compared_at IS NULL AND taken_at <= now() - $1::interval`},
	{13, "every line of a bill is in the ledger or has a case", false, `
WITH ` + movementsSQL + `
SELECT format('%s %s %s:%s', l.provider, l.day, l.kind, l.reference), format('%s %s', l.amount, l.currency) FROM lines l
WHERE NOT (l.copy = 1 AND EXISTS (SELECT FROM movements m WHERE m.provider = l.provider AND m.kind = l.kind
        AND m.reference = l.reference AND m.amount = l.amount AND m.currency = l.currency))
    AND NOT EXISTS (SELECT FROM explained c WHERE c.provider = l.provider AND c.day = l.day AND c.about = l.kind || ':' || l.reference)`},
	{13, "what was booked on a day that was compared is on a bill or has a case", false, `
WITH ` + movementsSQL + `
SELECT format('%s %s %s:%s', m.provider, b.day, m.kind, m.reference), format('%s %s', m.amount, m.currency)
FROM movements m JOIN bills b ON b.provider = m.provider AND m.at >= b.begins AND m.at < b.ends
WHERE m.at < b.taken_at AND b.compared_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM bill_lines l WHERE l.provider = m.provider AND l.kind = m.kind AND l.reference = m.reference)
    AND NOT EXISTS (SELECT FROM explained c WHERE c.provider = m.provider AND c.day = b.day AND c.about IN ('bill', m.kind || ':' || m.reference))`},
	{13, "once bills are compared, no day is left out", false, `
WITH ` + movementsSQL + `
SELECT format('%s %s:%s', m.provider, m.kind, m.reference), format('booked at %s, on no bill', m.at) FROM movements m
WHERE m.at < now() - interval '3 days'
    AND EXISTS (SELECT FROM bills b WHERE b.provider = m.provider AND b.ends <= m.at)
    AND NOT EXISTS (SELECT FROM bills b WHERE b.provider = m.provider AND m.at >= b.begins AND m.at < b.ends)
    AND NOT EXISTS (SELECT FROM explained c WHERE c.provider = m.provider AND c.about = 'bill' AND abs(c.day - m.at::date) <= 1)`},
	{13, "what gateways kept is booked as their bills say, or has a case", false, `
WITH ` + movementsSQL + `
SELECT format('%s %s %s:%s', l.provider, l.day, l.kind, l.reference), format('%s %s kept, %s booked', l.fee, l.fee_currency, coalesce(f.amount, 0))
FROM lines l JOIN movements m ON m.provider = l.provider AND m.kind = l.kind AND m.reference = l.reference AND m.amount = l.amount AND m.currency = l.currency
LEFT JOIN gateway_fees f ON f.provider = l.provider AND f.kind = l.kind AND f.reference = l.reference
WHERE l.copy = 1 AND (l.fee, l.fee_currency) IS DISTINCT FROM (coalesce(f.amount, 0), coalesce(f.currency, l.fee_currency))
    AND NOT EXISTS (SELECT FROM explained c WHERE c.provider = l.provider AND c.day = l.day AND c.about = l.kind || ':' || l.reference)`},
	{13, "a gateway's account in the ledger is the sum of its bills, but for what has a case", false, `
WITH ` + movementsSQL + `, agreed AS (
    SELECT DISTINCT ON (provider, kind, reference) provider, kind, reference, amount, currency, fee, fee_currency FROM lines l
    WHERE NOT EXISTS (SELECT FROM explained c WHERE c.provider = l.provider AND c.day = l.day AND c.about = l.kind || ':' || l.reference)
    ORDER BY provider, kind, reference, day, copy
)
SELECT 'gateway:' || provider, format('%s %s in the ledger, %s by the bills', sum(ledger), currency, sum(billed))
FROM (
    SELECT provider, currency, 0 AS ledger, sum(amount) AS billed FROM agreed GROUP BY 1, 2
    UNION ALL
    SELECT provider, fee_currency, 0, -sum(fee) FROM agreed WHERE fee <> 0 GROUP BY 1, 2
    UNION ALL
    SELECT provider, m.currency, sum(m.amount), 0 FROM movements m JOIN agreed a USING (provider, kind, reference) GROUP BY 1, 2
    UNION ALL
    SELECT provider, f.currency, -sum(f.amount), 0 FROM gateway_fees f JOIN agreed a USING (provider, kind, reference) GROUP BY 1, 2
) both_sides GROUP BY provider, currency HAVING sum(ledger) <> sum(billed)`},
}
