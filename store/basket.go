package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/ticketing"
)

// Where codes of vouchers and of presales are looked up.
const (
	voucherIndex = "vouchers.code_index"
	presaleIndex = "presales.code_index"
)

// codeIndex is how a code is stored. Capitals and blanks around it make no difference.
func (s *Store) codeIndex(place, code string) []byte { return s.ring.BlindIndex(place, code) }

// Basket completes a basket for a session: with the vouchers, the presales and the member that codes stand for, and with what is left at
// the price of each phase by quantity. The codes' form is the caller's to check. A code is good by the database's clock.
// It asks only for what the basket's price depends on.
func (s *Store) Basket(ctx context.Context, session ticketing.Session, b ticketing.Basket, codes ticketing.Codes) (ticketing.Basket, error) {
	types, phases := basketTypes(session, b.Lines)
	if codes.None() && !phases {
		return b, nil
	}
	err := s.retry(ctx, "read what a price depends on", func(ctx context.Context) error {
		b.Vouchers, b.Opened, b.PhaseLeft, b.Member = nil, nil, nil, nil
		batch := &pgx.Batch{}
		if len(codes.Vouchers) > 0 {
			indexes := make([][]byte, len(codes.Vouchers))
			for i, code := range codes.Vouchers {
				indexes[i] = s.codeIndex(voucherIndex, code)
			}
			many(batch.Queue(vouchersByCodeSQL, indexes), &b.Vouchers, scanVoucher)
		}
		if codes.AccessCode != "" {
			many(batch.Queue(`SELECT ticket_type_id, starts_at, ends_at FROM presales
				WHERE code_index = $1 AND ticket_type_id = ANY($2) AND now() >= starts_at AND now() < ends_at`,
				s.codeIndex(presaleIndex, codes.AccessCode), types), &b.Opened, pgx.RowToStructByPos[ticketing.Presale])
		}
		if codes.MemberCode != "" {
			s.findMember(batch, codes.MemberCode, b.Email, &b.Member)
		}
		if phases {
			b.PhaseLeft = map[string]int{}
			tally(batch.Queue("SELECT "+phaseKeySQL+", p.most - p.taken FROM phase_stock p WHERE p.ticket_type_id = ANY($1)", types), b.PhaseLeft)
		}
		return s.pool.SendBatch(ctx, batch).Close()
	})
	// The database has said that they are good now; the basket's clock may be a little behind or ahead of it.
	for i := range b.Vouchers {
		b.Vouchers[i].From, b.Vouchers[i].Until = time.Time{}, b.At.Add(time.Hour)
	}
	for i := range b.Opened {
		b.Opened[i].From, b.Opened[i].Until = time.Time{}, b.At.Add(time.Hour)
	}
	return b, err
}

// basketTypes are the ticket types of lines, and whether one of them has a phase by quantity.
func basketTypes(session ticketing.Session, lines []ticketing.Ask) (types []string, phases bool) {
	for _, line := range lines {
		types = append(types, line.TicketTypeID)
		for _, t := range session.TicketTypes {
			for _, phase := range t.Phases {
				phases = phases || t.ID == line.TicketTypeID && phase.Limit > 0
			}
		}
	}
	return types, phases
}
