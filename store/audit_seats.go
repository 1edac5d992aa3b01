package store

// seatInvariants hold wherever seats are numbered; their numbers are those of docs/reliability.md.
var seatInvariants = []invariant{
	{3, "a seat is taken in its word exactly where an order holds or has bought it, or it is blocked", false, `
SELECT w.session_id || ' word ' || w.word, format('taken %s, sold %s, blocked %s by the word, %s, %s, %s by orders and blocks',
    w.taken, w.sold, w.blocked, o.live | b.blocked, o.sold, b.blocked)
FROM seat_words w
CROSS JOIN LATERAL (SELECT coalesce(bit_or(1::bigint << bit), 0) AS live,
    coalesce(bit_or(1::bigint << bit) FILTER (WHERE state = 'SOLD'), 0) AS sold
    FROM order_seats s WHERE s.session_id = w.session_id AND s.word = w.word AND s.state <> 'RELEASED') o
CROSS JOIN LATERAL (SELECT coalesce(bit_or(1::bigint << bit), 0) AS blocked
    FROM seat_blocks s WHERE s.session_id = w.session_id AND s.word = w.word) b
WHERE w.taken <> o.live | b.blocked OR w.sold <> o.sold OR w.blocked <> b.blocked OR o.live & b.blocked <> 0
    OR (o.live | b.blocked) & ~w.seats <> 0
UNION ALL
SELECT s.order_id, format('seat at bit %s of word %s, which does not exist', s.bit, s.word)
FROM order_seats s WHERE NOT EXISTS (SELECT FROM seat_words w WHERE w.session_id = s.session_id AND w.word = s.word)`},
	{3, "a seat has at most one live hold or ticket", false, `
SELECT session_id || ' word ' || word || ' bit ' || bit, format('%s orders have it', count(*))
FROM order_seats WHERE state <> 'RELEASED' GROUP BY session_id, word, bit HAVING count(*) > 1`},
	{3, "the stock of a seated ticket type is its seats", false, `
SELECT t.id, format('held %s, sold %s, blocked %s of %s by stock, %s, %s, %s of %s by seats',
    k.held, k.sold, k.blocked, k.capacity, n.held, n.sold, n.blocked, n.seats)
FROM ticket_types t
JOIN sessions s ON s.id = t.session_id
JOIN stock k ON k.ticket_type_id = t.id
CROSS JOIN LATERAL (SELECT
    (SELECT count(*) FROM order_seats x WHERE x.session_id = t.session_id AND x.ticket_type_id = t.id AND x.state = 'HELD') AS held,
    (SELECT count(*) FROM order_seats x WHERE x.session_id = t.session_id AND x.ticket_type_id = t.id AND x.state = 'SOLD') AS sold,
    (SELECT count(*) FROM seat_blocks x WHERE x.session_id = t.session_id AND x.category = t.seat_category) AS blocked,
    (SELECT (m.seats ->> t.seat_category)::int FROM seat_maps m WHERE m.id = s.seat_map_id AND m.version = s.seat_map_version) AS seats) n
WHERE t.seated AND (k.held, k.sold, k.blocked, k.capacity) IS DISTINCT FROM (n.held, n.sold, n.blocked, n.seats)`},
	{3, "an order has a seat for every admission to one, in the state of its hold", false, `
SELECT h.order_id, format('%s %s of %s, %s returned: seats %s', h.quantity, h.state, h.ticket_type_id, h.returned, n.states)
FROM holds h JOIN ticket_types t ON t.id = h.ticket_type_id
CROSS JOIN LATERAL (SELECT count(*) AS seats, count(*) FILTER (WHERE state = h.state) AS alike,
    string_agg(state, ' ') AS states FROM order_seats x WHERE x.order_id = h.order_id AND x.ticket_type_id = h.ticket_type_id) n
WHERE t.seated AND (n.seats <> h.quantity OR n.alike <> h.quantity - CASE WHEN h.state = 'SOLD' THEN h.returned ELSE 0 END)
    OR NOT t.seated AND n.seats > 0`},
	{5, "a ticket for a seat has it, and admits only while it does", false, `
SELECT t.id, format('%s, seat %s', t.state, coalesce(x.state, 'none'))
FROM tickets t JOIN ticket_types y ON y.id = t.ticket_type_id AND y.seated
LEFT JOIN order_seats x ON x.ticket_id = t.id AND x.order_id = t.order_id AND x.ticket_type_id = t.ticket_type_id
WHERE x.state IS DISTINCT FROM CASE WHEN t.state IN ('VALID', 'FROZEN') THEN 'SOLD' ELSE 'RELEASED' END`},
}
