package store

// bundleInvariants hold bundles against the tickets and the stock of what they contain.
var bundleInvariants = []invariant{
	{3, "a bundle contains tickets of its organiser and currency, without seats or required names, one of them of its own session", false, `
SELECT b.id, format('%s of %s', string_agg(t.id, ', '), count(*))
FROM ticket_types b JOIN sessions s ON s.id = b.session_id JOIN events e ON e.id = s.event_id
JOIN bundle_components c ON c.bundle_id = b.id
JOIN ticket_types t ON t.id = c.component_id JOIN sessions x ON x.id = t.session_id JOIN events y ON y.id = x.event_id
GROUP BY b.id, s.id
HAVING NOT bool_or(x.id = s.id) OR bool_or(y.organiser_id <> e.organiser_id OR t.currency <> b.currency OR t.seated OR 'required' IN (e.real_names, y.real_names)
    OR EXISTS (SELECT FROM bundle_components n WHERE n.bundle_id = t.id))`},
	{5, "every bundle that was bought has a ticket for each thing in it, and no ticket is of anything else", false, `
SELECT l.order_id, format('%s tickets of %s for bundle %s of %s, which contains %s', n.count, c.component_id, i, l.ticket_type_id, c.quantity)
FROM order_lines l JOIN orders o ON o.id = l.order_id AND o.state IN ('PAID', 'REFUNDING', 'PARTIALLY_REFUNDED', 'REFUNDED', 'EXCHANGED')
JOIN order_components c ON c.order_id = l.order_id AND c.bundle_id = l.ticket_type_id
CROSS JOIN generate_series(1, l.quantity) AS i
CROSS JOIN LATERAL (SELECT count(*) FROM tickets t
    WHERE t.order_id = l.order_id AND t.ticket_type_id = l.ticket_type_id AND t.component_id = c.component_id AND t.bundle = i) n
WHERE n.count <> c.quantity
UNION ALL
SELECT t.order_id, format('ticket %s of bundle %s, of %s that were bought', t.id, t.bundle, l.quantity)
FROM tickets t JOIN order_lines l USING (order_id, ticket_type_id)
WHERE t.bundle > l.quantity OR t.bundle IS NULL
    AND EXISTS (SELECT FROM order_components c WHERE c.order_id = t.order_id AND c.bundle_id = t.ticket_type_id)`},
	{5, "the tickets of a bundle are all good, or none is", false, `
SELECT order_id, format('bundle %s of %s: %s', bundle, ticket_type_id, string_agg(DISTINCT state || ' ' || coalesce(refund_id, 'not refunded'), ', '))
FROM tickets WHERE bundle IS NOT NULL GROUP BY order_id, ticket_type_id, bundle
HAVING count(DISTINCT (state, refund_id)) > 1`},
}
