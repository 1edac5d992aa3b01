package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/ticketing"
)

// Reconcile compares a gateway's day with the ledger (ticketing.Reconcile): one case for each difference, none for
// what is no longer one, and what the gateway kept for itself is booked. It may be repeated at any time. The state says
// what the gateway's bill was like; only a complete one is kept before (KeepBill) and compared line by line. A bill of the
// day before that waited for late movements is compared again.
func (s *Store) Reconcile(
	ctx context.Context, provider string, day ticketing.BillDay, state ticketing.BillState, terms *ticketing.FeeTerms,
) (ticketing.ReconciliationReport, error) {
	var report ticketing.ReconciliationReport
	err := s.transactFor(ctx, billTimeout, "reconcile", func(ctx context.Context, w *work) error {
		w.lengthy(provider)
		c := comparison{provider: provider, day: day, terms: terms}
		var err error
		if report, err = c.run(ctx, w, state); err != nil || state != ticketing.BillComplete {
			return err
		}
		waits := new(bool)
		one(w.queue(`SELECT EXISTS (SELECT FROM cases c JOIN bills b ON b.provider = c.provider AND b.day = c.day
			WHERE c.provider = $1 AND c.day = $2::date AND c.kind = 'bill_late' AND c.state = 'OPEN')`, provider, day.Previous().Date), new(bool), waits)
		if err := w.send(ctx); err != nil || !*waits {
			return err
		}
		c.day = day.Previous()
		_, err = c.run(ctx, w, ticketing.BillComplete)
		return err
	})
	return report, err
}

// comparison is one day of one gateway.
type comparison struct {
	provider string
	day      ticketing.BillDay
	terms    *ticketing.FeeTerms
}

func (c comparison) run(ctx context.Context, w *work, state ticketing.BillState) (ticketing.ReconciliationReport, error) {
	bill, books, err := c.read(ctx, w, state)
	if err != nil {
		return ticketing.ReconciliationReport{}, err
	}
	found := ticketing.Reconcile(bill, books)
	report := ticketing.ReconciliationReport{Lines: len(bill.Lines), Matched: len(bill.Lines), Differences: map[ticketing.DifferenceClass]int{}}
	kinds, references := make([]string, len(found)), make([]string, len(found))
	for i, d := range found {
		kinds[i], references[i] = string(d.Class.Case()), about(d.MovementKey)
		if err := w.openCase(caseOf(c.provider, c.day, d)); err != nil {
			return report, err
		}
		report.Differences[d.Class]++
		switch d.Class {
		case ticketing.DifferenceLong:
			report.Matched--
			if d.Kind == ticketing.MovementPayment && len(report.Unbooked) < ticketing.MaxUnbooked {
				report.Unbooked = append(report.Unbooked, unbooked(d))
			}
		case ticketing.DifferenceAmount, ticketing.DifferenceCurrency, ticketing.DifferenceFee:
			report.Matched--
		case ticketing.DifferenceDuplicate:
			report.Matched -= copies(bill.Lines, d.MovementKey) - 1
		case ticketing.DifferenceShort, ticketing.DifferenceLate, ticketing.DifferenceEmpty, ticketing.DifferenceTruncated, ticketing.DifferenceMissing:
		}
	}
	if state == ticketing.BillComplete {
		w.queue(vanishedSQL, c.provider, c.day.Date, kinds, references)
		w.queue(foundElsewhereSQL, c.provider, c.day.Date)
		w.queue(feesSQL, c.provider, c.day.Date)
		w.change(1, "UPDATE bills SET compared_at = clock_timestamp() WHERE provider = $1 AND day = $2::date", c.provider, c.day.Date)
	}
	one(w.queue("SELECT count(*) FROM cases WHERE provider = $1 AND day = $2::date AND state = 'OPEN'", c.provider, c.day.Date),
		new(bool), &report.OpenCases)
	return report, w.send(ctx)
}

// read reads both sides. Of a bill that was complete once, a gateway that no longer has it says nothing new.
func (c comparison) read(ctx context.Context, w *work, state ticketing.BillState) (ticketing.Bill, ticketing.Books, error) {
	bill, books := ticketing.Bill{Day: c.day, State: state}, ticketing.Books{Terms: c.terms}
	var known, next bool
	one(w.queue("SELECT EXISTS (SELECT FROM bills WHERE provider = $1 AND day = $2::date)", c.provider, c.day.Date), new(bool), &known)
	one(w.queue("SELECT EXISTS (SELECT FROM bills WHERE provider = $1 AND day = $2::date)", c.provider, c.day.Next().Date), new(bool), &next)
	many(w.queue(lineSQL, c.provider, c.day.Date), &bill.Lines, scanMovement)
	many(w.queue(bookedSQL, c.provider, c.day.Date, c.day.From, c.day.Until), &books.Booked, scanMovement)
	if err := w.send(ctx); err != nil {
		return bill, books, err
	}
	books.NextBilled = next
	if state == ticketing.BillMissing && known {
		books.Booked = nil
	}
	if state != ticketing.BillComplete {
		bill.Lines = nil
	}
	kinds, references := make([]string, 0, len(bill.Lines)+len(books.Booked)), make([]string, 0, len(bill.Lines)+len(books.Booked))
	for _, movement := range append(append([]ticketing.Movement{}, bill.Lines...), books.Booked...) {
		kinds, references = append(kinds, string(movement.Kind)), append(references, movement.Reference)
	}
	var elsewhere []billedOn
	many(w.queue(billedSQL, c.provider, c.day.Date, kinds, references), &elsewhere, pgx.RowToStructByPos[billedOn])
	if err := w.send(ctx); err != nil {
		return bill, books, err
	}
	books.Billed = make(map[ticketing.MovementKey]string, len(elsewhere))
	for _, b := range elsewhere {
		books.Billed[ticketing.MovementKey{Kind: b.Kind, Reference: b.Reference}] = b.Date
	}
	return bill, books, nil
}

// billedOn says on which date's bill a movement is.
type billedOn struct {
	Kind            ticketing.MovementKind
	Reference, Date string
}

// vanishedSQL resolves the day's cases whose difference is no longer there.
const vanishedSQL = `
UPDATE cases SET state = 'RESOLVED', resolution = 'vanished', resolved_at = clock_timestamp()
WHERE provider = $1 AND day = $2::date AND state = 'OPEN' AND starts_with(kind, 'bill_')
    AND NOT EXISTS (SELECT FROM unnest($3::text[], $4::text[]) AS still(kind, reference)
        WHERE still.kind = cases.kind AND still.reference = cases.reference)`

// foundElsewhereSQL resolves the cases of other days whose movement is on this day's bill.
const foundElsewhereSQL = `
UPDATE cases SET state = 'RESOLVED', resolution = 'vanished', resolved_at = clock_timestamp(), note = 'on the bill of ' || $2
WHERE provider = $1 AND day <> $2::date AND state = 'OPEN' AND kind IN ('bill_late', 'bill_short')
    AND EXISTS (SELECT FROM bill_lines l WHERE l.provider = $1 AND l.day = $2::date
        AND l.kind = split_part(cases.reference, ':', 1) AND l.reference = substr(cases.reference, strpos(cases.reference, ':') + 1))`

// about names what a difference is about: a movement, or the whole bill.
func about(key ticketing.MovementKey) string {
	if key.Reference == "" {
		return "bill"
	}
	return string(key.Kind) + ":" + key.Reference
}

// caseOf is the case of a difference.
func caseOf(provider string, day ticketing.BillDay, d ticketing.Difference) ticketing.Case {
	c := ticketing.Case{
		Kind: d.Class.Case(), Provider: provider, Day: day.Date, Reference: about(d.MovementKey), AttemptID: d.AttemptID,
		Detail: map[string]any{},
	}
	switch d.Kind {
	case ticketing.MovementPayment:
		c.AttemptID = d.Reference
	case ticketing.MovementRefund:
		c.RefundID = d.Reference
	case ticketing.MovementDispute, ticketing.MovementDisputeWon:
	}
	for name, money := range map[string]*ticketing.Money{"billed": d.Billed, "booked": d.Booked} {
		if money != nil {
			c.Detail[name] = *money
		}
	}
	if d.GatewayID != "" {
		c.Detail["gateway_id"] = d.GatewayID
	}
	if !d.At.IsZero() {
		c.Detail["at"] = d.At
	}
	if d.Count > 0 {
		c.Detail["count"] = d.Count
	}
	return c
}

func unbooked(d ticketing.Difference) ticketing.Movement {
	return ticketing.Movement{MovementKey: d.MovementKey, AttemptID: d.Reference, GatewayID: d.GatewayID, Amount: *d.Billed, At: d.At}
}

func copies(lines []ticketing.Movement, key ticketing.MovementKey) int {
	n := 0
	for _, line := range lines {
		if line.MovementKey == key {
			n++
		}
	}
	return n
}
