package store

// catalogueInvariants hold what is kept besides events against the events.
var catalogueInvariants = []invariant{
	{16, "buyers find exactly the events that are on sale, paused or postponed, by what they are called now", false, `
SELECT coalesce(c.event_id, l.event_id), CASE WHEN c.event_id IS NULL THEN 'listed' WHEN l.event_id IS NULL THEN 'not listed' ELSE 'listed by what it was called before' END
FROM current_listings c FULL JOIN listings l ON l.event_id = c.event_id
WHERE (c.event_id, c.kind, c.words, c.places) IS DISTINCT FROM (l.event_id, l.kind, l.words, l.places)`},
	{16, "the moves of an event follow one another to the state it has", false, `
SELECT e.id, format('%s after %s', e.state, coalesce(string_agg(m.from_state || ' to ' || m.to_state, ', ' ORDER BY m.sequence), 'no move'))
FROM events e JOIN (
    SELECT *, lag(to_state) OVER each AS before, sequence = count(*) OVER (PARTITION BY event_id) AS last, sequence = row_number() OVER each AS counted
    FROM event_history WINDOW each AS (PARTITION BY event_id ORDER BY sequence)
) m ON m.event_id = e.id
GROUP BY e.id HAVING NOT bool_and(coalesce(m.before = m.from_state, m.sequence = 1) AND m.counted AND (NOT m.last OR m.to_state = e.state))`},
}
