package wording_test

import (
	"flag"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/notify/wording"
	"github.com/boxoffice/boxoffice/ticketing"
)

var update = flag.Bool("update", false, "write the snapshots in testdata anew")

func text(en, zh string) ticketing.Text { return ticketing.Text{"en": en, "zh-CN": zh} }

func yuan(fen int64) ticketing.Money { return ticketing.Money{Amount: fen, Currency: "CNY"} }

const (
	orderID = "6FVX0W2B4R5T8Y1Q3A7C9E2G4H"
	plain   = "https://tickets.example/orders/" + orderID
	private = plain + "#token=pQ7xR2m9LkD4vT8sWc1nZb6yHj3fGa5e"
)

// reasonOf is the reason that is told in the snapshots.
var reasonOf = map[ticketing.MessageKind]ticketing.RefundReason{
	ticketing.MessagePaymentReturned: "late", ticketing.MessageRefundRequested: ticketing.RefundRequested, ticketing.MessageRefunded: ticketing.RefundRequested,
}

// facts are those of an order of two tickets, one of them for a numbered seat; what a kind does not need is there, too.
func facts(kind ticketing.MessageKind) notify.Facts {
	f := notify.Facts{
		Kind: kind, Name: "林美", OrderID: orderID, OrderURL: plain, PrivateURL: private,
		Organiser: "九州演艺", Title: text("Sea Symphonies", "大海交响曲"), Venue: text("Ninth Hall", "第九音乐厅"), City: text("Beijing", "北京"),
		Address: text("9 East Lake Street", "东湖街9号"), StartsAt: time.Date(2026, 12, 5, 11, 30, 0, 0, time.UTC), Zone: "Asia/Shanghai",
		Lines:    []notify.Line{{Name: text("Stalls", "池座"), Quantity: 1, Amount: yuan(68000)}, {Name: text("Balcony", "楼座"), Quantity: 1, Amount: yuan(38000)}},
		OrderFee: yuan(800), Total: yuan(106800), Amount: yuan(64600), Fee: yuan(3400), Reason: reasonOf[kind], PayBy: time.Date(2026, 11, 21, 4, 15, 0, 0, time.UTC),
		Tickets: []notify.Ticket{
			{Name: text("Stalls", "池座"), Seat: &ticketing.Seat{Section: text("Front", "前区"), Row: "5", Number: "12"}, Code: "7JQK2M4N6P8R0S1T3V5W7X9Y1Z"},
			{Name: text("Balcony", "楼座"), Code: "8KRL3N5P7Q9S1T2V4W6X8Y0Z2A"},
		},
	}
	if kind == ticketing.MessagePaid {
		f.Programme, f.MemberCode = text("Ninth Circle", "九厅之友"), "4MBRC0DE2N4P6R8S0T3V5W7X9Y"
	}
	if kind == ticketing.MessageRetaken || kind == ticketing.MessageTicketsFrozen || kind == ticketing.MessageTicketsWithdrawn || kind == ticketing.MessagePaymentReturned {
		f.Amount, f.Fee = f.Total, ticketing.Money{}
	}
	return f
}

func english(kind ticketing.MessageKind) notify.Facts {
	f := facts(kind)
	f.Name, f.Organiser = "Mei Lin", "Ninth Hall Music"
	return f
}

// factsFor are written as readers of the language would write their names.
func factsFor(language string, kind ticketing.MessageKind) notify.Facts {
	if language == "en" {
		return english(kind)
	}
	return facts(kind)
}

var theWords = sync.OnceValues(wording.New)

func words(t testing.TB) *wording.Wording {
	t.Helper()
	w, err := theWords()
	require.NoError(t, err)
	return w
}

func render(t testing.TB, channel ticketing.Channel, language string, f notify.Facts) notify.Content {
	t.Helper()
	content, err := words(t).Render(channel, language, f)
	require.NoError(t, err)
	return content
}

func each(t *testing.T, test func(t *testing.T, channel ticketing.Channel, language string, kind ticketing.MessageKind)) {
	t.Helper()
	for _, channel := range []ticketing.Channel{ticketing.ChannelMail, ticketing.ChannelSMS} {
		for _, language := range wording.Languages {
			for _, kind := range ticketing.MessageKinds {
				t.Run(fmt.Sprintf("%s/%s/%s", kind, channel, language), func(t *testing.T) { test(t, channel, language, kind) })
			}
		}
	}
}
