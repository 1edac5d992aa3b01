package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/boxoffice/boxoffice/ticketing"
)

// claims is what an order takes besides stock and seats: uses of vouchers, what its buyer may have, room in phases by
// quantity, and what its buyer has as a member. They are taken and given back in the transaction of the hold, in this order: what the
// buyers may have by subject and buyer, vouchers by id, the member, and phases last, under the lock on the stock of their ticket types.
type claims struct {
	limits   []limitClaim
	vouchers []voucherClaim
	phases   bool
	// attendees are taken last of all.
	attendees []attendeeClaim
	// member is nil for most orders.
	member *memberClaim
	// access is the blind index of the access code, or nil.
	access []byte
}

// limitClaim counts a line against a bound on what its buyer may have.
type limitClaim struct {
	subject      string
	buyer        []byte
	ticketTypeID string // empty for a voucher, of which an order is one use whatever it buys
	quantity     int
	times        int // how many tickets of the subject one of the line is
	most         int
	refusal      ticketing.Refusal
}

type voucherClaim struct {
	ticketing.UsedVoucher
	revision int64
	buyers   [][]byte
}

func (c claims) any() bool {
	return len(c.limits) > 0 || len(c.vouchers) > 0 || c.phases || len(c.attendees) > 0 || c.member != nil
}

// leadHours is how long before their sale windows begin the order may buy.
func (c claims) leadHours() int {
	if c.member == nil {
		return 0
	}
	return c.member.level.LeadHours
}

// claimsOf are the claims of a priced order.
func (s *Store) claimsOf(r ticketing.HoldRequest, known snapshot, quote ticketing.Quote, basket ticketing.Basket) (claims, error) {
	attendees, err := s.attendeeClaims(r)
	c := claims{attendees: attendees, member: s.claimMember(r, known.event, basket.Member, quote)}
	var level ticketing.Level
	if c.member != nil {
		level = c.member.level
	}
	buyers := [][]byte{s.ring.BlindIndex("buyer_counts.buyer", ticketing.LimitIdentity(r.Buyer.Email))}
	if r.Buyer.Phone != "" {
		buyers = append(buyers, s.ring.BlindIndex("buyer_counts.buyer", r.Buyer.Phone))
	}
	if r.AccessCode != "" {
		c.access = s.codeIndex(presaleIndex, r.AccessCode)
	}
	session, _ := known.session(r.SessionID)
	for i, line := range quote.Lines {
		c.phases = c.phases || line.Phase != ""
		if most := level.BoundOf(known.event); most > 0 {
			c.limit("event:"+known.event.ID, buyers, line, ticketsOf(known.event.ID, line), most, "/lines", "at most %d tickets of this event per buyer")
		}
		field := fmt.Sprintf("/lines/%d/quantity", i)
		for _, t := range session.TicketTypes {
			if most := level.BoundOfType(t); t.ID == line.TicketTypeID && most > 0 {
				c.limit("type:"+t.ID, buyers, line, 1, most, field, "at most %d tickets of this type per buyer")
			}
		}
		c.limitContents(buyers, line, known.event.ID, field)
	}
	for _, used := range quote.Vouchers {
		i := slices.IndexFunc(basket.Vouchers, func(v ticketing.Voucher) bool { return v.ID == used.ID })
		claim := voucherClaim{UsedVoucher: used, revision: basket.Vouchers[i].Revision, buyers: [][]byte{}}
		if most := basket.Vouchers[i].MaxPerBuyer; most > 0 {
			claim.buyers = buyers
			refusal, _ := ticketing.RefusalOf(ticketing.VoucherInvalid(i))
			for _, buyer := range buyers {
				c.limits = append(c.limits, limitClaim{subject: "voucher:" + used.ID, buyer: buyer, quantity: 1, most: most, refusal: *refusal})
			}
		}
		c.vouchers = append(c.vouchers, claim)
	}
	return c, err
}

// limit counts a line for every name of its buyer, each of it as so many tickets.
func (c *claims) limit(subject string, buyers [][]byte, line ticketing.PricedLine, times, most int, field, message string) {
	for _, buyer := range buyers {
		c.limits = append(c.limits, limitClaim{
			subject: subject, buyer: buyer, ticketTypeID: line.TicketTypeID, quantity: line.Quantity * times, times: times, most: most,
			refusal: ticketing.Refusal{Code: ticketing.CodeLimitExceeded, Message: fmt.Sprintf(message, most), Field: field},
		})
	}
}

// takeLimitsSQL counts what buyers take; the constraint on the row has the last word.
const takeLimitsSQL = `
INSERT INTO buyer_counts AS c (subject, buyer, taken, most)
SELECT subject, buyer, sum(quantity), min(most) FROM unnest($1::text[], $2::bytea[], $3::int[], $4::int[]) AS l(subject, buyer, quantity, most)
GROUP BY 1, 2 ORDER BY 1, 2
ON CONFLICT (subject, buyer) DO UPDATE SET taken = c.taken + excluded.taken, most = excluded.most`

// claim queues the taking of what comes before stock.
func (w *work) claim(c claims) {
	if len(c.limits) > 0 {
		n := len(c.limits)
		subjects, buyers, quantities, most := make([]string, n), make([][]byte, n), make([]int, n), make([]int, n)
		for i, l := range c.limits {
			subjects[i], buyers[i], quantities[i], most[i] = l.subject, l.buyer, l.quantity, l.most
		}
		w.queue(takeLimitsSQL, subjects, buyers, quantities, most)
	}
	if len(c.vouchers) > 0 {
		ids, revisions := make([]string, len(c.vouchers)), make([]int64, len(c.vouchers))
		for i, v := range c.vouchers {
			ids[i], revisions[i] = v.ID, v.revision
		}
		w.queue("SELECT FROM vouchers WHERE id = ANY($1) ORDER BY id FOR UPDATE", ids)
		w.queue(`UPDATE vouchers v SET uses = v.uses + 1 FROM unnest($1::text[], $2::bigint[]) AS c(id, revision)
			WHERE v.id = c.id AND v.revision = c.revision AND now() >= v.starts_at AND now() < v.ends_at`, ids, revisions).Exec(all(len(ids)))
	}
	w.claimMember(c.member)
}

// errStale says that what an order was priced by has changed; another try finds out how.
var errStale = ticketing.Errorf(ticketing.CodeConflict, "what the price depends on has changed")

// all wants every row to be changed.
func all(rows int) func(pgconn.CommandTag) error {
	return func(tag pgconn.CommandTag) error {
		if tag.RowsAffected() != int64(rows) {
			return errStale
		}
		return nil
	}
}

// noteClaims queues what is done once stock is taken: room in phases is, and everything claimed is written down. Without
// the order's lines nothing is.
func (w *work) noteClaims(o ordered) {
	if o.claims.phases {
		var (
			types, phases []string
			quantities    []int
		)
		for _, l := range o.quote.Lines {
			if l.Phase != "" {
				types, phases, quantities = append(types, l.TicketTypeID), append(phases, l.Phase), append(quantities, l.Quantity)
			}
		}
		w.queue(`UPDATE phase_stock p SET taken = p.taken + c.quantity FROM unnest($1::text[], $2::text[], $3::int[]) AS c(ticket_type_id, phase, quantity)
			WHERE p.ticket_type_id = c.ticket_type_id AND p.phase = c.phase AND p.taken + c.quantity <= p.most`, types, phases, quantities).Exec(all(len(types)))
	}
	var (
		types, subjects []string
		buyers          [][]byte
		times           []int
	)
	for _, l := range o.claims.limits {
		if l.ticketTypeID != "" {
			types, subjects, buyers, times = append(types, l.ticketTypeID), append(subjects, l.subject), append(buyers, l.buyer), append(times, l.times)
		}
	}
	if len(types) > 0 {
		w.queue(`INSERT INTO order_counts (order_id, ticket_type_id, subject, buyer, times)
			SELECT l.order_id, c.ticket_type_id, c.subject, c.buyer, c.times FROM unnest($2::text[], $3::text[], $4::bytea[], $5::int[]) AS c(ticket_type_id, subject, buyer, times)
			JOIN order_lines l ON l.order_id = $1 AND l.ticket_type_id = c.ticket_type_id ON CONFLICT DO NOTHING`, o.OrderID, types, subjects, buyers, times)
	}
	for i, v := range o.claims.vouchers {
		w.queue(`INSERT INTO order_vouchers (order_id, voucher_id, position, discount, buyers)
			SELECT id, $2, $3, $4, $5 FROM orders WHERE id = $1 ON CONFLICT DO NOTHING`, o.OrderID, v.ID, i+1, v.Discount, v.buyers)
	}
	w.noteMember(o.OrderID, o.claims.member)
}

// overLimit says which bound on what a buyer may have is reached, or nil where none is any more.
func (s *Store) overLimit(ctx context.Context, c claims) (*ticketing.Refusal, error) {
	for _, limit := range c.limits {
		var taken int
		err := s.retry(ctx, "count what a buyer has", func(ctx context.Context) error {
			return s.pool.QueryRow(ctx, "SELECT coalesce((SELECT taken FROM buyer_counts WHERE subject = $1 AND buyer = $2), 0)",
				limit.subject, limit.buyer).Scan(&taken)
		})
		if err != nil {
			return nil, err
		}
		wanted := 0
		for _, other := range c.limits {
			if other.subject == limit.subject && slices.Equal(other.buyer, limit.buyer) {
				wanted += other.quantity
			}
		}
		if taken+wanted > limit.most {
			refusal := limit.refusal
			if refusal.Code == ticketing.CodeLimitExceeded {
				left := max(0, limit.most-taken)
				refusal.Left = &left
			}
			return &refusal, nil
		}
	}
	return nil, nil
}

// lockVouchersOfSQL locks the vouchers of an order, in the order everybody locks them in.
const lockVouchersOfSQL = "SELECT FROM vouchers WHERE id IN (SELECT voucher_id FROM order_vouchers WHERE order_id = $1) ORDER BY id FOR UPDATE"

// lockCountsSQL locks what the buyers of an order have, in the order everybody locks it in.
const lockCountsSQL = `
SELECT FROM buyer_counts WHERE (subject, buyer) IN (
    SELECT subject, buyer FROM order_counts WHERE order_id = $1
    UNION ALL
    SELECT 'voucher:' || voucher_id, unnest(buyers) FROM order_vouchers WHERE order_id = $1
) ORDER BY subject, buyer FOR UPDATE`

// moveClaims gives back what an order has claimed for these lines, or takes it again.
func (w *work) moveClaims(orderID string, lines []orderLine, from, to holdState, vouchers bool) {
	if orderID == w.unclaimed || from == holdHeld && to == holdSold {
		return
	}
	sign := -1
	if to == holdSold {
		sign = 1
	}
	types, quantities := columnsOf(lines)
	w.queue(lockCountsSQL, orderID)
	w.queue(`
UPDATE buyer_counts b SET taken = b.taken + $4 * c.quantity
FROM (SELECT o.subject, o.buyer, sum(l.quantity * o.times) AS quantity FROM order_counts o
    JOIN unnest($2::text[], $3::int[]) AS l(ticket_type_id, quantity) USING (ticket_type_id) WHERE o.order_id = $1 GROUP BY 1, 2) c
WHERE b.subject = c.subject AND b.buyer = c.buyer`, orderID, types, quantities, sign)
	if vouchers {
		w.queue(`
UPDATE buyer_counts b SET taken = b.taken + $2
FROM (SELECT 'voucher:' || voucher_id AS subject, unnest(buyers) AS buyer FROM order_vouchers WHERE order_id = $1) c
WHERE b.subject = c.subject AND b.buyer = c.buyer`, orderID, sign)
		w.queue(lockVouchersOfSQL, orderID)
		w.queue("UPDATE vouchers v SET uses = v.uses + $2 FROM order_vouchers o WHERE o.order_id = $1 AND v.id = o.voucher_id", orderID, sign)
	}
	w.last = append(w.last, func() {
		w.queue(`
UPDATE phase_stock p SET taken = p.taken + $4 * c.quantity
FROM unnest($2::text[], $3::int[]) AS c(ticket_type_id, quantity)
JOIN order_lines l ON l.order_id = $1 AND l.ticket_type_id = c.ticket_type_id
WHERE p.ticket_type_id = c.ticket_type_id AND p.phase = l.phase`, orderID, types, quantities, sign)
	})
}

// claimable locks what an order had claimed and says whether all of it could be had again; the stock is not locked yet.
func (w *work) claimable(ctx context.Context, orderID string) (bool, error) {
	if orderID == w.unclaimed {
		return true, nil
	}
	var found, claimable bool
	w.queue(lockCountsSQL, orderID)
	w.queue(lockVouchersOfSQL, orderID)
	w.queue(lockMemberSQL, orderID)
	one(w.queue(`
SELECT NOT EXISTS (
    SELECT FROM order_counts o JOIN order_lines l USING (order_id, ticket_type_id) JOIN buyer_counts b USING (subject, buyer)
    WHERE o.order_id = $1 GROUP BY subject, buyer, b.taken, b.most HAVING b.taken + sum(l.quantity * o.times) > b.most)
AND NOT EXISTS (
    SELECT FROM order_vouchers o CROSS JOIN unnest(o.buyers) AS u(buyer) JOIN buyer_counts b ON b.subject = 'voucher:' || o.voucher_id AND b.buyer = u.buyer
    WHERE o.order_id = $1 AND b.taken >= b.most)
AND NOT EXISTS (
    SELECT FROM order_vouchers o JOIN vouchers v ON v.id = o.voucher_id WHERE o.order_id = $1 AND v.uses >= v.max_uses)`, orderID), &found, &claimable)
	err := w.send(ctx)
	return found && claimable, err
}

// violates says whether err is a violation of the named constraint.
func violates(err error, constraint string) bool {
	return err != nil && constraintOf(err) == constraint
}
