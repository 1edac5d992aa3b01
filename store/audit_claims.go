package store

// claimInvariants hold what is counted besides stock and seats against the orders that count.
var claimInvariants = []invariant{
	{15, "what a buyer has of something limited is what their orders hold and have bought", false, `
SELECT b.subject, format('%s counted, %s by orders', b.taken, coalesce(o.live, 0) + coalesce(v.live, 0))
FROM buyer_counts b
LEFT JOIN LATERAL (SELECT sum((h.quantity - h.returned) * c.times) AS live FROM order_counts c JOIN holds h USING (order_id, ticket_type_id)
    WHERE c.subject = b.subject AND c.buyer = b.buyer AND h.state <> 'RELEASED') o ON true
LEFT JOIN LATERAL (SELECT count(*) AS live FROM order_vouchers c JOIN orders x ON x.id = c.order_id
    WHERE b.subject = 'voucher:' || c.voucher_id AND b.buyer = ANY(c.buyers) AND x.state NOT IN ('EXPIRED', 'CANCELLED', 'FAILED')) v ON true
WHERE b.taken <> coalesce(o.live, 0) + coalesce(v.live, 0)`},
	{15, "a voucher is used by the orders that hold or have bought with it", false, `
SELECT v.id, format('%s uses, %s orders', v.uses, count(o.id))
FROM vouchers v LEFT JOIN order_vouchers u ON u.voucher_id = v.id
LEFT JOIN orders o ON o.id = u.order_id AND o.state NOT IN ('EXPIRED', 'CANCELLED', 'FAILED')
GROUP BY v.id HAVING v.uses <> count(o.id)`},
	{15, "what is taken at the price of a phase is what orders hold and have bought at it", false, `
SELECT p.ticket_type_id || ' ' || p.phase, format('%s taken, %s by orders', p.taken, coalesce(sum(h.quantity - h.returned), 0))
FROM phase_stock p LEFT JOIN order_lines l ON l.ticket_type_id = p.ticket_type_id AND l.phase = p.phase
LEFT JOIN holds h ON h.order_id = l.order_id AND h.ticket_type_id = l.ticket_type_id AND h.state <> 'RELEASED'
GROUP BY p.ticket_type_id, p.phase, p.taken HAVING p.taken <> coalesce(sum(h.quantity - h.returned), 0)`},
	{12, "memberships and vouchers take off exactly what the lines of their orders are cheaper by", false, `
SELECT o.id, format('%s off by a membership, %s by vouchers, %s off its lines', coalesce(m.discount, 0), coalesce(v.off, 0), coalesce(l.off, 0))
FROM orders o
LEFT JOIN order_members m ON m.order_id = o.id
LEFT JOIN LATERAL (SELECT sum(discount) AS off FROM order_vouchers WHERE order_id = o.id) v ON true
LEFT JOIN LATERAL (SELECT sum(discount) AS off FROM order_lines WHERE order_id = o.id) l ON true
WHERE coalesce(m.discount, 0) + coalesce(v.off, 0) <> coalesce(l.off, 0)`},
	{12, "the tickets of a line were paid with its charge", false, `
SELECT l.order_id, format('%s by tickets, %s by line %s', sum(t.paid), l.charge, l.ticket_type_id)
FROM order_lines l JOIN tickets t USING (order_id, ticket_type_id) GROUP BY l.order_id, l.ticket_type_id, l.charge HAVING sum(t.paid) <> l.charge`},
}
