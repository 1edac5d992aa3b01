package store

import (
	"cmp"
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/boxoffice/boxoffice/ticketing"
)

// PutVouchers stores vouchers under their codes, all or none: new ones come in, the terms of those that are there change, and
// how often they are used stays. Errors: CodeInvalid, CodeConflict for a code that another voucher has.
func (s *Store) PutVouchers(ctx context.Context, vouchers []ticketing.Voucher, codes []string) error {
	for _, v := range vouchers {
		if err := v.Validate(); err != nil {
			return err
		}
	}
	return s.transact(ctx, "store vouchers", func(_ context.Context, w *work) error {
		for i, v := range vouchers {
			w.queue(putVoucherSQL, v.ID, s.codeIndex(voucherIndex, codes[i]), v.Name, v.Kind, v.Value, v.Currency, v.OrganiserID,
				v.EventID, v.SessionID, v.TicketTypeID, v.From, v.Until, v.MinimumSpend, v.MaxUses, v.MaxPerBuyer, v.Stackable).Exec(func(tag pgconn.CommandTag) error {
				if tag.RowsAffected() != 1 {
					return ticketing.Errorf(ticketing.CodeConflict, "voucher %s has another code", v.ID)
				}
				return nil
			})
		}
		return nil
	})
}

const putVoucherSQL = `
INSERT INTO vouchers AS v (id, code_index, name, kind, value, currency, organiser_id, event_id, session_id, ticket_type_id,
    starts_at, ends_at, minimum_spend, max_uses, max_per_buyer, stackable)
VALUES ($1, $2, $3, $4, $5, nullif($6, ''), $7, nullif($8, ''), nullif($9, ''), nullif($10, ''), $11, $12, $13, nullif($14, 0), nullif($15, 0), $16)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, kind = excluded.kind, value = excluded.value, currency = excluded.currency,
    organiser_id = excluded.organiser_id, event_id = excluded.event_id, session_id = excluded.session_id, ticket_type_id = excluded.ticket_type_id,
    starts_at = excluded.starts_at, ends_at = excluded.ends_at, minimum_spend = excluded.minimum_spend, max_uses = excluded.max_uses,
    max_per_buyer = excluded.max_per_buyer, stackable = excluded.stackable
WHERE v.code_index = excluded.code_index`

// PutPresales opens ticket types before their sale to those who have a code, all or none. A code that opened a type before has its
// window changed. Errors: CodeInvalid, CodeNotFound for a ticket type that there is not.
func (s *Store) PutPresales(ctx context.Context, code string, presales ...ticketing.Presale) error {
	if err := (ticketing.Codes{AccessCode: code}).Validate(); err != nil || code == "" {
		return cmp.Or(err, error(ticketing.Errorf(ticketing.CodeInvalid, "a presale has a code")))
	}
	return s.transact(ctx, "store presales", func(_ context.Context, w *work) error {
		for _, p := range presales {
			if !p.Until.After(p.From) {
				return ticketing.Errorf(ticketing.CodeInvalid, "a presale ends after it begins")
			}
			w.queue(`INSERT INTO presales AS p (ticket_type_id, code_index, starts_at, ends_at)
				SELECT id, $2, $3, $4 FROM ticket_types WHERE id = $1
				ON CONFLICT (ticket_type_id, code_index) DO UPDATE SET starts_at = excluded.starts_at, ends_at = excluded.ends_at`,
				p.TicketTypeID, s.codeIndex(presaleIndex, code), p.From, p.Until).Exec(func(tag pgconn.CommandTag) error {
				if tag.RowsAffected() != 1 {
					return ticketing.Errorf(ticketing.CodeNotFound, "no ticket type %s", p.TicketTypeID)
				}
				return nil
			})
		}
		return nil
	})
}

// Vouchers lists the vouchers of an organiser, or of all with an empty id, by id. Their codes are not known to the database.
func (s *Store) Vouchers(ctx context.Context, organiserID string) ([]ticketing.Voucher, error) {
	return list(ctx, s, "list the vouchers", scanVoucher,
		"SELECT "+voucherColumns+" FROM vouchers v WHERE $1 = '' OR v.organiser_id = $1 ORDER BY v.id", organiserID)
}

const voucherColumns = `coalesce(v.id, ''), coalesce(v.name, '{}'), coalesce(v.kind, ''), coalesce(v.value, 0), coalesce(v.currency, ''),
	coalesce(v.organiser_id, ''), coalesce(v.event_id, ''), coalesce(v.session_id, ''), coalesce(v.ticket_type_id, ''),
	coalesce(v.starts_at, 'epoch'), coalesce(v.ends_at, 'epoch'), coalesce(v.minimum_spend, 0),
	coalesce(v.max_uses, 0), coalesce(v.max_per_buyer, 0), coalesce(v.uses, 0), coalesce(v.stackable, false), coalesce(v.revision, 0)`

// vouchersByCodeSQL finds the vouchers codes stand for now; a row without an id is a code that no voucher has now.
const vouchersByCodeSQL = `SELECT ` + voucherColumns + ` FROM unnest($1::bytea[]) WITH ORDINALITY AS c(code_index, n)
	LEFT JOIN vouchers v ON v.code_index = c.code_index AND now() >= v.starts_at AND now() < v.ends_at ORDER BY c.n`

func scanVoucher(row pgx.CollectableRow) (ticketing.Voucher, error) {
	var v ticketing.Voucher
	err := row.Scan(&v.ID, &v.Name, &v.Kind, &v.Value, &v.Currency, &v.OrganiserID, &v.EventID, &v.SessionID, &v.TicketTypeID,
		&v.From, &v.Until, &v.MinimumSpend, &v.MaxUses, &v.MaxPerBuyer, &v.Uses, &v.Stackable, &v.Revision)
	v.From, v.Until = v.From.UTC(), v.Until.UTC()
	return v, err
}
