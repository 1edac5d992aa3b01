package store

// memberInvariants hold members and their points against the orders that make them.
var memberInvariants = []invariant{
	{18, "an order makes the points of the tickets that were paid for and have not gone back", false, `
SELECT m.order_id, format('%s points, %s paid for tickets at %s a point', coalesce(e.points, 0), coalesce(t.paid, 0), m.spend_per_point)
FROM order_members m
LEFT JOIN LATERAL (SELECT sum(points) AS points FROM points_entries WHERE order_id = m.order_id) e ON true
LEFT JOIN LATERAL (SELECT sum(paid)::bigint AS paid FROM tickets WHERE order_id = m.order_id AND state <> 'VOID') t ON true
WHERE coalesce(e.points, 0) <> coalesce(coalesce(t.paid, 0) / m.spend_per_point, 0)`},
	{18, "points are those of the member whose order made them, and there is a reason for each change", false, `
SELECT e.order_id, format('%s points by %s for %s', e.points, e.cause, e.member_id) FROM points_entries e
LEFT JOIN order_members m ON m.order_id = e.order_id
WHERE m.member_id IS DISTINCT FROM e.member_id
    OR e.cause LIKE 'refund:%' AND NOT EXISTS (SELECT FROM refunds r WHERE r.order_id = e.order_id AND 'refund:' || r.id = e.cause)
    OR e.cause LIKE 'dispute:%' AND NOT EXISTS (SELECT FROM disputes d WHERE d.order_id = e.order_id AND 'dispute:' || d.id = e.cause AND d.state = 'LOST')`},
	{18, "a member has the points of their orders", false, `
SELECT m.id, format('%s points, %s by orders', m.points, coalesce(sum(e.points), 0))
FROM members m LEFT JOIN points_entries e ON e.member_id = m.id GROUP BY m.id HAVING m.points <> coalesce(sum(e.points), 0)`},
	{18, "whoever wanted to join and has paid is the member of their mail address", false, `
SELECT o.id, format('%s, member %s', o.state, coalesce(m.member_id, 'missing'))
FROM orders o JOIN order_members m ON m.order_id = o.id LEFT JOIN members x ON x.id = m.member_id
WHERE CASE WHEN m.member_id IS NULL THEN o.state IN ('PAID', 'REFUNDING', 'PARTIALLY_REFUNDED', 'REFUNDED', 'EXCHANGED')
    ELSE (x.programme_id, x.mail_index) IS DISTINCT FROM (m.programme_id, m.mail_index) END`},
}
