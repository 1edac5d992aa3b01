package store

import (
	"strings"

	"github.com/boxoffice/boxoffice/ticketing"
)

// messageInvariants hold what buyers are told against what happened. Entries from before there was an outbox have no messages.
var messageInvariants = []invariant{
	{14, "a buyer is told once by a channel of what happened, and of everything that is told", false, `
SELECT e.order_id, format('%s, entry %s: told %s times', e.kind, e.sequence, (SELECT count(*) FROM messages m WHERE m.order_id = e.order_id AND m.sequence = e.sequence))
FROM order_events e
WHERE e.kind IN (` + toldKinds() + `)
    AND NOT (e.kind = 'paid' AND EXISTS (SELECT FROM order_events r WHERE r.order_id = e.order_id AND r.sequence = e.sequence - 1 AND r.kind = 'retaken'))
    AND e.at > (SELECT min(created_at) FROM messages)
    AND NOT EXISTS (SELECT FROM messages m WHERE m.order_id = e.order_id AND m.sequence = e.sequence)
UNION ALL
SELECT order_id, format('%s times by %s of entry %s', count(*), channel, sequence) FROM messages GROUP BY order_id, sequence, channel HAVING count(*) > 1`},
	{14, "a message comes to an end, or a person is asked", true, `
SELECT m.id, format('%s by %s is %s: %s', m.kind, m.channel, m.state, m.problem) FROM messages m
WHERE m.state = 'SENDING' AND m.lease_until < now() - $1::interval
    OR m.state IN ('FAILED', 'UNSURE', 'UNDELIVERED')
        AND NOT EXISTS (SELECT FROM messages o WHERE o.order_id = m.order_id AND o.sequence = m.sequence AND o.id <> m.id
            AND o.state IN ('WAITING', 'SENDING', 'SENT', 'DELIVERED', 'DROPPED'))
        AND NOT EXISTS (SELECT FROM cases c WHERE c.kind = 'message_undelivered' AND c.order_id = m.order_id)`},
}

// toldKinds are the kinds of entries that buyers are told of, as SQL.
func toldKinds() string {
	var kinds []string
	for _, message := range ticketing.MessageKinds {
		kinds = append(kinds, "'"+string(message.Tells())+"'")
	}
	return strings.Join(kinds, ", ")
}
