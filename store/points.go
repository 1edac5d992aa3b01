package store

// lockMemberSQL locks the member of an order, if it has one already.
const lockMemberSQL = `SELECT FROM members WHERE id = (SELECT member_id FROM order_members WHERE order_id = $1) FOR NO KEY UPDATE`

// joinSQL begins the membership of a buyer who wants to join and is no member yet. Two orders that are paid at once begin one.
const joinSQL = `
INSERT INTO members (id, programme_id, mail_index, code_index)
SELECT order_id, programme_id, mail_index, joins_code FROM order_members WHERE order_id = $1 AND member_id IS NULL
ON CONFLICT (programme_id, mail_index) DO NOTHING`

// findJoinedSQL says whose member the buyer is then.
const findJoinedSQL = `
UPDATE order_members o SET member_id = m.id FROM members m
WHERE o.order_id = $1 AND o.member_id IS NULL AND m.programme_id = o.programme_id AND m.mail_index = o.mail_index`

// pointsSQL makes the points of an order what its tickets are worth that have not gone back: as ticketing.Programme.PointsFor.
const pointsSQL = `
INSERT INTO points_entries (order_id, cause, member_id, points)
SELECT o.order_id, $2, o.member_id, d.points
FROM order_members o CROSS JOIN LATERAL (
    SELECT coalesce(sum(t.paid) FILTER (WHERE t.state <> 'VOID'), 0)::bigint / o.spend_per_point
        - coalesce((SELECT sum(e.points) FROM points_entries e WHERE e.order_id = o.order_id), 0)::bigint AS points
    FROM tickets t WHERE t.order_id = o.order_id) d
WHERE o.order_id = $1 AND o.member_id IS NOT NULL AND d.points <> 0`

// earn makes the buyer of an order a member who wants to be, and adds the points of the order. Its tickets are there.
func (w *work) earn(orderID string) {
	if orderID == w.unclaimed {
		return
	}
	w.queue(joinSQL, orderID)
	w.queue(findJoinedSQL, orderID)
	w.queue(pointsSQL, orderID, "paid")
}

// unearn takes the points of tickets back that are void. Like every lock on a member it comes before those on stock.
func (w *work) unearn(orderID, cause string) { w.queue(pointsSQL, orderID, cause) }
