package store

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/boxoffice/boxoffice/ticketing"
)

// Where members are looked up.
const (
	memberMailIndex = "members.mail_index"
	memberCodeIndex = "members.code_index"
)

// memberMail is the blind index of a member's mail address. Unlike ticketing.LimitIdentity it keeps what follows a plus sign:
// limits may take two addresses for one person, but nobody else may have what a member has.
func (s *Store) memberMail(email string) []byte { return s.ring.BlindIndex(memberMailIndex, email) }

// PutProgramme stores an organiser's programme, or changes its terms. Points that were made before stay. Errors: CodeInvalid,
// CodeNotFound for an organiser that there is not, CodeConflict where the organiser has another programme, or the programme another
// organiser or another currency.
func (s *Store) PutProgramme(ctx context.Context, p ticketing.Programme) error {
	if err := p.Validate(); err != nil {
		return err
	}
	err := s.transact(ctx, "store a programme", func(_ context.Context, w *work) error {
		w.queue(`INSERT INTO programmes AS p (id, organiser_id, name, currency, spend_per_point, levels) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, spend_per_point = excluded.spend_per_point, levels = excluded.levels
			WHERE p.organiser_id = excluded.organiser_id AND p.currency = excluded.currency`,
			p.ID, p.OrganiserID, p.Name, p.Currency, p.SpendPerPoint, p.Levels).Exec(func(tag pgconn.CommandTag) error {
			if tag.RowsAffected() != 1 {
				return ticketing.Errorf(ticketing.CodeConflict, "programme %s is another organiser's, or makes points of another currency", p.ID)
			}
			return nil
		})
		return nil
	})
	switch {
	case violates(err, "programmes_organiser"):
		return ticketing.Errorf(ticketing.CodeConflict, "organiser %s has another programme", p.OrganiserID)
	case violates(err, "programmes_organiser_id_fkey"):
		return ticketing.Errorf(ticketing.CodeNotFound, "no organiser %s", p.OrganiserID)
	}
	return err
}

// Programmes lists every programme, by id, with how many members it has.
func (s *Store) Programmes(ctx context.Context) ([]ticketing.ProgrammeCount, error) {
	return list(ctx, s, "list the programmes", func(row pgx.CollectableRow) (ticketing.ProgrammeCount, error) {
		var p ticketing.ProgrammeCount
		return p, row.Scan(&p.ID, &p.OrganiserID, &p.Name, &p.Currency, &p.SpendPerPoint, &p.Levels, &p.Members, &p.Points)
	}, `SELECT p.id, p.organiser_id, p.name, p.currency, p.spend_per_point, p.levels, count(m.id), coalesce(sum(m.points), 0)::bigint
		FROM programmes p LEFT JOIN members m ON m.programme_id = p.id GROUP BY p.id ORDER BY p.id`)
}

// memberByCodeSQL finds whom a member code stands for; where the mail address is known, it has to be the member's.
const memberByCodeSQL = `SELECT id, programme_id, points FROM members WHERE code_index = $1 AND ($2::bytea IS NULL OR mail_index = $2)`

// findMember queues the question whom a member code stands for.
func (s *Store) findMember(batch *pgx.Batch, code, email string, into **ticketing.Member) {
	m := &ticketing.Member{}
	*into = m
	var mail []byte
	if email != "" {
		mail = s.memberMail(email)
	}
	one(batch.Queue(memberByCodeSQL, s.ring.BlindIndex(memberCodeIndex, code), mail), new(bool), &m.ID, &m.ProgrammeID, &m.Points)
}

// memberClaim is what an order has to do with a membership.
type memberClaim struct {
	programmeID   string
	mail          []byte
	spendPerPoint *int64
	// member is whom the order's member code stands for; without it joinsCode is the blind index of a code to come.
	member    *ticketing.Member
	joinsCode []byte
	level     ticketing.Level
	next      *ticketing.Level
	used      ticketing.UsedMembership
}

// claimMember is the claim of an order, or nil.
func (s *Store) claimMember(r ticketing.HoldRequest, event ticketing.Event, m *ticketing.Member, quote ticketing.Quote) *memberClaim {
	p := event.Programme
	if p == nil || m == nil && !r.Join {
		return nil
	}
	c := memberClaim{programmeID: p.ID, mail: s.memberMail(r.Buyer.Email), member: m}
	if quote.Total.Currency == p.Currency {
		c.spendPerPoint = &p.SpendPerPoint
	}
	if m == nil {
		c.joinsCode = s.ring.BlindIndex(memberCodeIndex, s.ring.MemberCode(r.OrderID))
		return &c
	}
	c.level, c.next = p.LevelAt(m.Points)
	c.used = *quote.Member
	return &c
}

// claimMember queues the lock on the member of an order, who must have the level still that it was priced by.
func (w *work) claimMember(c *memberClaim) {
	if c == nil || c.member == nil {
		return
	}
	var most *int64
	if c.next != nil {
		most = &c.next.Points
	}
	w.queue("SELECT FROM members WHERE id = $1 AND points >= $2 AND ($3::bigint IS NULL OR points < $3) FOR SHARE",
		c.member.ID, c.level.Points, most).Exec(all(1))
}

// noteMember queues that an order is to make points. Without the order it is not noted.
func (w *work) noteMember(orderID string, c *memberClaim) {
	if c == nil {
		return
	}
	var member *string
	if c.member != nil {
		member = &c.member.ID
	}
	w.queue(`INSERT INTO order_members (order_id, programme_id, mail_index, joins_code, member_id, spend_per_point, level_name, lead_hours, extra_tickets, discount)
		SELECT id, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM orders WHERE id = $1 ON CONFLICT DO NOTHING`,
		orderID, c.programmeID, c.mail, c.joinsCode, member, c.spendPerPoint, c.used.Level, c.level.LeadHours, c.level.ExtraTickets, c.used.Discount)
}

// orderMember is a row of order_members with what is read with it.
type orderMember struct {
	found                    bool
	programmeID              string
	programme, level         ticketing.Text
	discount, points, earned int64
	extra                    int
	memberID                 *string
	withCode                 bool
}

const orderMemberSQL = `
SELECT p.id, p.name, o.level_name, o.extra_tickets, o.discount, coalesce(m.points, 0), o.member_id, o.joins_code IS NULL,
    coalesce((SELECT sum(e.points) FROM points_entries e WHERE e.order_id = o.order_id), 0)::bigint
FROM order_members o JOIN programmes p ON p.id = o.programme_id LEFT JOIN members m ON m.id = o.member_id WHERE o.order_id = $1`

func (m *orderMember) columns() []any {
	return []any{&m.programmeID, &m.programme, &m.level, &m.extra, &m.discount, &m.points, &m.memberID, &m.withCode, &m.earned}
}

// fillMember says what an order has to do with a membership.
func (s *Store) fillMember(o *ticketing.Order, m orderMember) {
	if !m.found {
		return
	}
	if m.withCode {
		o.Member = &ticketing.UsedMembership{Programme: m.programme, Level: m.level, Discount: m.discount, ExtraTickets: m.extra}
	}
	if m.memberID == nil || len(o.Tickets) == 0 {
		return // not paid yet
	}
	o.Membership = &ticketing.OrderMembership{
		ProgrammeID: m.programmeID, Programme: m.programme, Earned: m.earned, Shown: m.withCode || *m.memberID == o.ID,
		Code: s.ring.MemberCode(*m.memberID), Points: m.points,
	}
}
