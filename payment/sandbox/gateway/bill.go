package gateway

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/ticketing"
)

// feeBasisPoints is what the gateway keeps of a payment.
const feeBasisPoints = 60

// feeOf is what the gateway keeps of a payment, rounded half up.
func feeOf(taken ticketing.Money) ticketing.Money {
	return ticketing.Money{Amount: (taken.Amount*feeBasisPoints + 5_000) / 10_000, Currency: taken.Currency}
}

// BillFault names what is wrong with a bill, or a line of it.
type BillFault string

// The faults of a line. Late puts it on the next day's bill, long adds one of a payment that never was.
const (
	LineShort     BillFault = "short"
	LineLong      BillFault = "long"
	LineAmount    BillFault = "amount"
	LineCurrency  BillFault = "currency"
	LineFee       BillFault = "fee"
	LineDuplicate BillFault = "duplicate"
	LineLate      BillFault = "late"
)

// The faults of a whole bill.
const (
	BillEmpty     BillFault = "empty"
	BillTruncated BillFault = "truncated"
	BillMissing   BillFault = "missing"
)

func (f Faults) checkBill() error {
	for _, fault := range f.Bill {
		if !slices.Contains([]BillFault{LineShort, LineLong, LineAmount, LineCurrency, LineFee, LineDuplicate, LineLate}, fault) {
			return invalid("no fault of a line %q", fault)
		}
	}
	if f.WholeBill != "" && !slices.Contains([]BillFault{BillEmpty, BillTruncated, BillMissing}, f.WholeBill) {
		return invalid("no fault of a bill %q", f.WholeBill)
	}
	return nil
}

// bill is a page of the movements of a UTC day, wrong as switched.
func (g *Gateway) bill(day time.Time, from int) (sandbox.Bill, error) {
	movements := g.movements(day)
	total := len(movements)
	switch g.faults.WholeBill {
	case BillMissing:
		return sandbox.Bill{}, refuse(http.StatusNotFound, sandbox.CodeUnknown, "no bill of %s", day.Format(time.DateOnly))
	case BillEmpty:
		movements, total = movements[:0], 0
	case BillTruncated:
		movements = movements[:total/2]
		total = max(total, 1)
	default: // as it should be
	}
	page := movements[min(from, len(movements)):]
	return sandbox.Bill{Total: total, Movements: page[:min(len(page), billPage)]}, nil
}

// movements lists what happened on a UTC day, in the order in which it was booked.
func (g *Gateway) movements(day time.Time) []sandbox.Movement {
	movements := []sandbox.Movement{}
	for _, e := range g.ledger.entries {
		m := e.Movement
		fault := g.faults.Bill[m.Number]
		if m.RefundID != "" {
			fault = g.faults.Bill[m.RefundID]
		}
		on := m.At.UTC()
		if fault == LineLate {
			on = on.AddDate(0, 0, 1)
		}
		if on.Format(time.DateOnly) != day.Format(time.DateOnly) {
			continue
		}
		movements = append(movements, spoiled(m, fault)...)
	}
	if g.now().Format(time.DateOnly) == day.Format(time.DateOnly) {
		movements = append(movements, g.invented()...)
	}
	return movements
}

// spoiled are the lines a movement makes on the bill.
func spoiled(m sandbox.Movement, fault BillFault) []sandbox.Movement {
	switch fault {
	case LineShort:
		return nil
	case LineAmount:
		m.Amount.Amount++
	case LineCurrency:
		m.Amount.Currency, m.Fee = "USD", ticketing.Money{}
	case LineFee:
		m.Fee = ticketing.Money{Amount: m.Fee.Amount + 1, Currency: m.Amount.Currency}
	case LineDuplicate:
		return []sandbox.Movement{m, m}
	default: // as it is
	}
	return []sandbox.Movement{m}
}

// invented are lines of payments that never were.
func (g *Gateway) invented() []sandbox.Movement {
	var lines []sandbox.Movement
	for _, number := range slices.Sorted(maps.Keys(g.faults.Bill)) {
		if g.faults.Bill[number] == LineLong {
			amount := ticketing.Money{Amount: 12_300, Currency: "CNY"}
			lines = append(lines, sandbox.Movement{
				Kind: sandbox.KindPayment, GatewayID: "SX" + number, Merchant: g.config.Merchant, Number: number,
				Amount: amount, Fee: feeOf(amount), At: g.now(),
			})
		}
	}
	return lines
}
