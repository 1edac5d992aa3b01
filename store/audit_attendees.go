package store

// attendeeInvariants hold wherever tickets are sold to named people.
var attendeeInvariants = []invariant{
	{17, "a person has one live hold or ticket of a session", false, `
SELECT min(order_id), format('%s of %s', count(*), string_agg(order_id || '/' || position, ', ' ORDER BY order_id, position))
FROM attendees WHERE live GROUP BY person_index HAVING count(*) > 1`},
	{17, "an attendee is counted exactly while the order holds its stock or the ticket has not gone back", false, `
SELECT a.order_id || '/' || a.position, format('live is %s; the order is %s, the ticket %s', a.live, o.state, coalesce(t.state, 'not issued'))
FROM attendees a JOIN orders o ON o.id = a.order_id LEFT JOIN tickets t ON t.id = a.ticket_id
WHERE a.live <> CASE WHEN t.id IS NULL THEN o.state IN ('PENDING', 'AWAITING_REVIEW') ELSE t.state IN ('VALID', 'FROZEN') END`},
	{17, "an order that names attendees names one for each ticket", false, `
SELECT l.order_id, format('%s attendees for %s of %s, %s of them with one of %s tickets', a.named, l.quantity, l.ticket_type_id, a.ticketed, t.issued)
FROM order_lines l
CROSS JOIN LATERAL (SELECT count(*) AS named, count(t.id) AS ticketed FROM attendees x
    LEFT JOIN tickets t ON t.id = x.ticket_id AND t.order_id = x.order_id AND t.ticket_type_id = x.ticket_type_id
    WHERE x.order_id = l.order_id AND x.ticket_type_id = l.ticket_type_id) a
CROSS JOIN LATERAL (SELECT count(*) AS issued FROM tickets t WHERE t.order_id = l.order_id AND t.ticket_type_id = l.ticket_type_id) t
WHERE EXISTS (SELECT FROM attendees x WHERE x.order_id = l.order_id) AND (a.named <> l.quantity OR a.ticketed <> t.issued)`},
}
