package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/ticketing"
)

// billTimeout bounds what is done with a whole bill at once.
const billTimeout = 5 * time.Minute

// KeepBill stores the lines of a complete bill in place of those it had before. Lines that do not say our number of a
// payment are found by the gateway's. taken is when the gateway was asked: what is booked later is not expected on a bill
// of a day that is not over. A bill that was kept is not compared yet.
func (s *Store) KeepBill(ctx context.Context, provider string, day ticketing.BillDay, taken time.Time, lines []ticketing.Movement) error {
	return s.transactFor(ctx, billTimeout, "keep a bill", func(ctx context.Context, w *work) error {
		lines := slices.Clone(lines)
		w.lengthy(provider)
		if err := w.nameLines(ctx, provider, lines); err != nil {
			return err
		}
		w.queue(`INSERT INTO bills (provider, day, begins, ends, lines, taken_at) VALUES ($1, $2::date, $3, $4, $5, $6)
			ON CONFLICT (provider, day) DO UPDATE SET lines = excluded.lines, taken_at = excluded.taken_at, compared_at = NULL`,
			provider, day.Date, day.From, day.Until, len(lines), taken)
		w.queue("DELETE FROM bill_lines WHERE provider = $1 AND day = $2::date", provider, day.Date)
		if err := w.send(ctx); err != nil {
			return err
		}
		_, err := w.conn.CopyFrom(ctx, pgx.Identifier{"bill_lines"}, billColumns, pgx.CopyFromRows(billRows(provider, day, lines)))
		return err
	})
}

// lengthy queues what a transaction needs that works on a whole bill, and keeps others of its provider out.
func (w *work) lengthy(provider string) {
	w.queue("SET LOCAL statement_timeout = 0")
	w.queue("SET LOCAL lock_timeout = '1min'")
	w.queue("SET LOCAL idle_in_transaction_session_timeout = '1min'")
	w.queue("SELECT pg_advisory_xact_lock(hashtextextended('bills of ' || $1, 0))", provider)
}

// nameLines finds our numbers for the payments that a bill names by the gateway's own only.
func (w *work) nameLines(ctx context.Context, provider string, lines []ticketing.Movement) error {
	unnamed := map[string]string{}
	for _, line := range lines {
		if line.Reference == "" && line.Kind == ticketing.MovementPayment {
			unnamed[line.GatewayID] = ""
		}
	}
	if len(unnamed) > 0 {
		ids := make([]string, 0, len(unnamed))
		for id := range unnamed {
			ids = append(ids, id)
		}
		tally(w.queue("SELECT gateway_id, id FROM payment_attempts WHERE provider = $1 AND gateway_id = ANY ($2)", provider, ids), unnamed)
	}
	if err := w.send(ctx); err != nil {
		return err
	}
	for i, line := range lines {
		if line.Reference == "" {
			lines[i].Reference = cmp.Or(unnamed[line.GatewayID], line.GatewayID)
		}
		if line.Kind == ticketing.MovementPayment {
			lines[i].AttemptID = cmp.Or(line.AttemptID, unnamed[line.GatewayID])
		}
	}
	return nil
}

var billColumns = []string{
	"provider", "day", "kind", "reference", "copy", "attempt_id", "gateway_id", "amount", "currency", "fee", "fee_currency", "at",
}

// billRows are lines as stored: in an order of their own, equal ones counted.
func billRows(provider string, day ticketing.BillDay, lines []ticketing.Movement) [][]any {
	slices.SortFunc(lines, func(a, b ticketing.Movement) int {
		return cmp.Or(
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Reference, b.Reference), cmp.Compare(a.Amount.Amount, b.Amount.Amount),
			cmp.Compare(a.Amount.Currency, b.Amount.Currency), cmp.Compare(a.Fee.Amount, b.Fee.Amount), a.At.Compare(b.At),
		)
	})
	rows := make([][]any, len(lines))
	copies := 0
	for i, line := range lines {
		if copies++; i > 0 && line.MovementKey != lines[i-1].MovementKey {
			copies = 1
		}
		rows[i] = []any{
			provider, day.From, string(line.Kind), line.Reference, copies, optional(line.AttemptID), optional(line.GatewayID),
			line.Amount.Amount, line.Amount.Currency, line.Fee.Amount, optional(line.Fee.Currency), line.At.UTC(),
		}
	}
	return rows
}

// optional is NULL for an empty text.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

const lineSQL = `SELECT kind, reference, coalesce(attempt_id, ''), coalesce(gateway_id, ''), amount, currency, fee, coalesce(fee_currency, ''), at
	FROM bill_lines WHERE provider = $1 AND day = $2::date`

func scanMovement(row pgx.CollectableRow) (ticketing.Movement, error) {
	var m ticketing.Movement
	err := row.Scan(&m.Kind, &m.Reference, &m.AttemptID, &m.GatewayID, &m.Amount.Amount, &m.Amount.Currency, &m.Fee.Amount, &m.Fee.Currency, &m.At)
	m.At = m.At.UTC()
	return m, err
}

// bookedSQL reads what the ledger has of a gateway: the movements its bill of a day is about, and those of the day.
const bookedSQL = `
SELECT m.kind, m.reference, coalesce(r.attempt_id, d.attempt_id, CASE WHEN m.kind = 'payment' THEN m.reference END, ''), '',
    m.amount, m.currency, coalesce(f.amount, 0), coalesce(f.currency, ''), m.at
FROM (
    SELECT k.movement_kind AS kind, t.reference, e.amount, e.currency, t.at
    FROM bill_lines l
    JOIN movement_kinds k ON k.movement_kind = l.kind
    JOIN ledger_transfers t ON t.kind = k.transfer_kind AND t.reference = l.reference
    JOIN ledger_entries e ON e.transfer_id = t.id AND e.account = 'gateway:' || $1
    WHERE l.provider = $1 AND l.day = $2::date AND l.copy = 1
    UNION
    SELECT k.movement_kind, t.reference, e.amount, e.currency, t.at
    FROM ledger_transfers t
    JOIN movement_kinds k ON k.transfer_kind = t.kind
    JOIN ledger_entries e ON e.transfer_id = t.id AND e.account = 'gateway:' || $1
    WHERE t.at >= $3 AND t.at < least($4, (SELECT taken_at FROM bills WHERE provider = $1 AND day = $2::date))
) m
LEFT JOIN refunds r ON m.kind = 'refund' AND r.id = m.reference
LEFT JOIN disputes d ON m.kind IN ('dispute', 'dispute_won') AND d.id = m.reference
LEFT JOIN ledger_transfers ft ON ft.kind = 'gateway_fee' AND ft.reference = $1 || '/' || m.kind || '/' || m.reference
LEFT JOIN ledger_entries f ON f.transfer_id = ft.id AND f.account = 'gateway_fees'`

// billedSQL says on which other date's bill movements are, the earliest if there are several.
const billedSQL = `
SELECT l.kind, l.reference, to_char(min(l.day), 'YYYY-MM-DD')
FROM unnest($3::text[], $4::text[]) AS m(kind, reference)
JOIN bill_lines l ON l.reference = m.reference AND l.kind = m.kind AND l.provider = $1
WHERE l.day <> $2::date GROUP BY 1, 2`

// feesSQL books what a gateway kept for itself of the lines that agree with the ledger, each once. A fee that is not as
// agreed waits until somebody has settled its case.
const feesSQL = `
WITH due AS (
    SELECT l.provider || '/' || l.kind || '/' || l.reference AS about, l.fee, l.fee_currency
    FROM bill_lines l
    WHERE l.provider = $1 AND l.day = $2::date AND l.copy = 1 AND l.fee <> 0 AND EXISTS (
        SELECT FROM movement_kinds k
        JOIN ledger_transfers t ON t.kind = k.transfer_kind AND t.reference = l.reference
        JOIN ledger_entries e ON e.transfer_id = t.id AND e.account = 'gateway:' || $1
        WHERE k.movement_kind = l.kind AND e.amount = l.amount AND e.currency = l.currency)
    AND NOT EXISTS (SELECT FROM cases c WHERE c.provider = $1 AND c.day = $2::date AND c.kind = 'bill_fee' AND c.state = 'OPEN'
        AND c.reference = l.kind || ':' || l.reference)
), booked AS (
    INSERT INTO ledger_transfers (kind, reference) SELECT 'gateway_fee', about FROM due
    ON CONFLICT ON CONSTRAINT ledger_transfers_once DO NOTHING
    RETURNING id, reference
)
INSERT INTO ledger_entries (transfer_id, account, currency, amount)
SELECT b.id, e.account, d.fee_currency, e.amount
FROM booked b JOIN due d ON d.about = b.reference,
LATERAL (VALUES ('gateway:' || $1, -d.fee), ('gateway_fees', d.fee)) AS e(account, amount)`
