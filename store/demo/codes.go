package demo

import (
	"time"

	"github.com/boxoffice/boxoffice/ticketing"
)

// Vouchers describes the vouchers of the catalogue, with their codes: a percentage, an amount from a sum on, and a ticket that
// costs nothing. They are good from two weeks before until the last session has begun.
func Vouchers(events []ticketing.Event) (vouchers []ticketing.Voucher, codes []string) {
	for _, v := range []struct {
		code string
		ticketing.Voucher
	}{
		{"LANTERN10", ticketing.Voucher{
			ID: "lantern-10", Name: text("Friends of the lantern: 10 % off", "灯笼之友：九折"), Kind: ticketing.VoucherPercent, Value: 1000,
			OrganiserID: "lantern", MaxPerBuyer: 5,
		}},
		{"FIRSTNIGHT", ticketing.Voucher{
			ID: "lantern-first-night", Name: text("First night on us", "首映请您看"), Kind: ticketing.VoucherPrice, Value: 0, Currency: "CNY",
			OrganiserID: "lantern", EventID: "lighthouse-map", SessionID: "lighthouse-map-1", TicketTypeID: "lighthouse-map-1-standard", MaxUses: 20, MaxPerBuyer: 1,
		}},
		{"SEA100", ticketing.Voucher{
			ID: "sea-100", Name: text("¥100 off from ¥1,000", "满 1000 元减 100 元"), Kind: ticketing.VoucherFixed, Value: 10000, Currency: "CNY",
			OrganiserID: "ninth-hall", EventID: "northern-light", MinimumSpend: 100000, MaxUses: 500, MaxPerBuyer: 2,
		}},
	} {
		v.From, v.Until = saleOf(events)
		vouchers, codes = append(vouchers, v.Voucher), append(codes, v.code)
	}
	return vouchers, codes
}

// Presales describes what the code opens before its sale: the day tickets of the play.
func Presales(events []ticketing.Event) (code string, presales []ticketing.Presale) {
	from, _ := saleOf(events)
	for _, e := range events {
		for _, s := range e.Sessions {
			for _, t := range s.TicketTypes {
				if e.ID == "teahouse-at-midnight" && t.SaleFrom.After(from) {
					presales = append(presales, ticketing.Presale{TicketTypeID: t.ID, From: from, Until: t.SaleFrom})
				}
			}
		}
	}
	return "OOLONG", presales
}

// saleOf is from when the first ticket is sold until the last session begins.
func saleOf(events []ticketing.Event) (from, until time.Time) {
	for _, e := range events {
		for _, s := range e.Sessions {
			if s.StartsAt.After(until) {
				until = s.StartsAt
			}
			for _, t := range s.TicketTypes {
				if from.IsZero() || t.SaleFrom.Before(from) {
					from = t.SaleFrom
				}
			}
		}
	}
	return from, until
}
