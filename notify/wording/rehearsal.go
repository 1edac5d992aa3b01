package wording

import (
	"errors"
	"time"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/ticketing"
)

// rehearsed are facts with which together every branch of every text is written; a test sees to that.
func rehearsed() []notify.Facts {
	text := func(en, zh string) ticketing.Text { return ticketing.Text{"en": en, zhCN: zh} }
	yuan := func(fen int64) ticketing.Money { return ticketing.Money{Amount: fen, Currency: "CNY"} }
	name, at := text("Stalls", "池座"), time.Date(2026, 12, 5, 11, 30, 0, 0, time.UTC)
	whole := notify.Facts{
		Name: "Mei", OrderID: "00000000000000000000000000", OrderURL: "https://tickets.example/orders/1", PrivateURL: "https://tickets.example/orders/1#token=1",
		Organiser: "Hall", Title: text("Sea Symphonies", "大海交响曲"), Venue: text("Ninth Hall", "第九音乐厅"), City: text("Beijing", "北京"),
		Address: text("9 East Lake Street", "东湖街9号"), StartsAt: at, Zone: "Asia/Shanghai", PayBy: at,
		Lines: []notify.Line{{Name: name, Quantity: 1, Amount: yuan(100)}}, Discount: yuan(10), TicketFees: yuan(2), OrderFee: yuan(1), Tax: yuan(6),
		Total: yuan(99), Amount: yuan(99), Fee: yuan(1),
		Reason: ticketing.RefundRequested, Programme: text("Circle", "之友"), MemberCode: "1",
		Tickets: []notify.Ticket{
			{Name: name, Seat: &ticketing.Seat{Section: text("Front", "前区"), Row: "5", Number: "12"}, Code: "1"},
			{Name: name, Seat: &ticketing.Seat{Row: "5", Number: "13"}, Attendee: &ticketing.MaskedAttendee{Name: "张*", DocumentNumber: "E******78"}, Code: "2"},
		},
	}
	bare := whole
	bare.Name, bare.Organiser, bare.Title, bare.Venue, bare.City, bare.Address = "", "", nil, nil, nil, nil
	bare.Tickets, bare.Total, bare.Fee, bare.Reason = nil, yuan(100), yuan(0), ""
	bare.Discount, bare.TicketFees, bare.OrderFee, bare.Tax = yuan(0), yuan(0), yuan(0), yuan(0)
	bare.DateUnknown, bare.Programme, bare.MemberCode = true, nil, ""
	single := whole
	single.Tickets, single.Reason, single.DateUnknown = whole.Tickets[:1], ticketing.RefundCalledOff, true
	all := []notify.Facts{whole, bare, single}
	for _, reason := range []ticketing.RejectReason{
		ticketing.RejectLate, ticketing.RejectDouble, ticketing.RejectAmount, ticketing.RejectStockLost, ticketing.RejectUnknownOrder,
	} {
		rejected := bare
		rejected.Reason = ticketing.RefundReason(reason)
		all = append(all, rejected)
	}
	return all
}

// rehearse writes every message, so that a text that cannot be written is found before a buyer waits for it. The error names
// each file in which something is wrong.
func (w *Wording) rehearse() error {
	var errs []error
	for _, language := range Languages {
		for _, kind := range ticketing.MessageKinds {
			errs = append(errs, w.rehearseKind(language, kind))
		}
	}
	return errors.Join(errs...)
}

func (w *Wording) rehearseKind(language string, kind ticketing.MessageKind) error {
	for _, f := range rehearsed() {
		f.Kind = kind
		for _, channel := range []ticketing.Channel{ticketing.ChannelMail, ticketing.ChannelSMS} {
			if _, err := w.Render(channel, language, f); err != nil {
				return err
			}
		}
	}
	return nil
}
