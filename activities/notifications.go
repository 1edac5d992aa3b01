package activities

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/ticketing"
)

const (
	// tellPace is how often the outbox is looked at while nothing waits, announcePace how often sessions and holds are.
	tellPace     = 500 * time.Millisecond
	announcePace = time.Second
	// sendBound is how long a carrier may take for one message, tellLease how long nobody else touches it meanwhile.
	sendBound = 90 * time.Second
	tellLease = 2 * time.Minute
	// tellPatience is how long what is not pressing gives way to purchases at most.
	tellPatience = 30 * time.Second
	// findPause is how long after an unknown outcome the carrier is asked.
	findPause = 10 * time.Second
	// storeBound is how long what became of a message may take to be stored when the round has ended.
	storeBound = 10 * time.Second
)

// Outbox is what telling buyers needs of the database. Every method is one transaction; store.Store says more of each.
type Outbox interface {
	ClaimMessages(ctx context.Context, channel ticketing.Channel, limit int, lease, patience time.Duration) ([]ticketing.Message, error)
	AbandonedMessages(ctx context.Context, channel ticketing.Channel, limit int, lease time.Duration) ([]ticketing.Message, error)
	Telling(ctx context.Context, m ticketing.Message) (ticketing.Telling, error)
	Tellings(ctx context.Context, messages ...ticketing.Message) iter.Seq2[ticketing.Telling, error]
	CountSMS(ctx context.Context, orderID string, most int) (ok bool, err error)
	HandOver(ctx context.Context, ids ...string) (handed []string, err error)
	FinishMessages(ctx context.Context, ended ...ticketing.EndedMessage) (opened []string, err error)
	WarnHolds(ctx context.Context, lead time.Duration) (made int, err error)
	NoticeReminders(ctx context.Context, lead time.Duration) error
	TellNotices(ctx context.Context) (more bool, err error)
	MessageCounts(ctx context.Context) (ticketing.MessageCounts, error)
}

// Words writes messages.
type Words interface {
	Render(channel ticketing.Channel, language string, f notify.Facts) (notify.Content, error)
}

// Route is how messages of a channel leave.
type Route struct {
	Sender notify.Sender
	// Concurrency bounds how many are handed over at once, PerSecond how many a second in the long run; 0 means no bound.
	Concurrency int
	PerSecond   float64
}

// Notifications holds the step that tells buyers what happened to their orders.
type Notifications struct {
	Outbox Outbox
	Words  Words
	// Busy says whether purchases keep this process busy: what is not pressing is told a little later then. Nil: they never do.
	Busy   func() bool
	Routes map[ticketing.Channel]Route
	// OrderURLs are the pages of an order: the plain one, and the one that opens it on any device.
	OrderURLs func(orderID string) (plain, private string)
	// HoldWarning is how long before its end the buyer of a hold is warned at the earliest, ReminderLead how long before a
	// session its visitors are reminded; 0 means never.
	HoldWarning  time.Duration
	ReminderLead time.Duration
	// SMSPerDay bounds the SMS to one number on one day (UTC).
	SMSPerDay int
	Metrics   *Metrics
	Log       *slog.Logger
}

// TellReport is how telling buyers goes.
type TellReport struct {
	// Undelivered counts what no channel could tell and a person has not settled.
	Undelivered int
	// Waiting counts what could be sent but is not yet, OldestWaiting says for how long.
	Waiting       int
	OldestWaiting time.Duration
}

// Tell sends what waits in the outbox, for at most round. It ends earlier when the number of messages that need a
// person is not undelivered any more.
func (n *Notifications) Tell(ctx context.Context, round time.Duration, undelivered int) (TellReport, error) {
	end := time.NewTimer(round)
	defer end.Stop()
	stop := make(chan struct{})
	var running sync.WaitGroup
	defer running.Wait()
	defer close(stop)
	for channel, route := range n.Routes {
		running.Go(func() { newCarrier(n, channel, route).serve(ctx, stop) })
	}
	running.Go(func() { n.announce(ctx, stop) })
	pace := time.NewTicker(announcePace)
	defer pace.Stop()
	for {
		activity.RecordHeartbeat(ctx)
		counts, err := n.Outbox.MessageCounts(ctx)
		if err != nil {
			return TellReport{}, err
		}
		n.Metrics.messages(counts)
		report := TellReport{Undelivered: counts.Undelivered, Waiting: counts.Waiting, OldestWaiting: counts.OldestWaiting.Truncate(time.Second)}
		if counts.Undelivered != undelivered {
			return report, nil
		}
		select {
		case <-ctx.Done():
			return report, ctx.Err()
		case <-end.C:
			return report, nil
		case <-activity.GetWorkerStopChannel(ctx):
			return report, nil // another worker begins the next round
		case <-pace.C:
		}
	}
}

// announce writes to the outbox what time brings about, and what everybody with a ticket is told.
func (n *Notifications) announce(ctx context.Context, stop <-chan struct{}) {
	pace := time.NewTicker(announcePace)
	defer pace.Stop()
	for {
		var errs []error
		if n.HoldWarning > 0 {
			_, err := n.Outbox.WarnHolds(ctx, n.HoldWarning)
			errs = append(errs, err)
		}
		if n.ReminderLead > 0 {
			errs = append(errs, n.Outbox.NoticeReminders(ctx, n.ReminderLead))
		}
		more, err := n.Outbox.TellNotices(ctx)
		if err := errors.Join(append(errs, err)...); err != nil && ctx.Err() == nil {
			n.Log.Error("announce", "error", err)
			more = false
		}
		if more && !stopped(stop) {
			continue
		}
		select {
		case <-stop:
			return
		case <-ctx.Done():
			return
		case <-pace.C:
		}
	}
}

func stopped(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}

// facts are what a message is written from.
func (n *Notifications) facts(t ticketing.Telling) notify.Facts {
	session := t.Session()
	money := func(amount int64) ticketing.Money {
		return ticketing.Money{Amount: amount, Currency: t.Order.Total.Currency}
	}
	beside := t.Order.Beside()
	f := notify.Facts{
		Kind: t.Kind, Name: t.Order.Buyer.Name, OrderID: t.OrderID, Organiser: t.Event.Organiser, Title: t.Event.Title,
		Venue: session.Venue.Name, City: session.Venue.City, Address: session.Venue.Address, StartsAt: session.StartsAt, DateUnknown: t.DateUnknown(), Zone: session.Venue.TimeZone,
		Discount: money(beside.Discount), TicketFees: money(beside.TicketFees), OrderFee: money(t.Order.OrderFee), Tax: money(beside.AddedTax),
		Total: t.Order.Total, Amount: t.Amount, Fee: t.Fee, Reason: t.Reason, PayBy: t.Order.PayBy,
	}
	if m := t.Order.Membership; m != nil {
		f.Programme, f.MemberCode = m.Programme, m.Code
	}
	f.OrderURL, f.PrivateURL = n.OrderURLs(t.OrderID)
	names := map[string]ticketing.Text{}
	for _, typ := range session.TicketTypes {
		names[typ.ID] = typ.Name
	}
	for _, line := range t.Order.Lines {
		f.Lines = append(f.Lines, notify.Line{
			Name: names[line.TicketTypeID], Quantity: line.Quantity, Amount: money(line.Amount),
		})
	}
	for _, ticket := range t.Order.Tickets {
		if ticket.State == ticketing.TicketValid {
			f.Tickets = append(f.Tickets, ticketOf(t, ticket, names))
		}
	}
	return f
}

// write makes a message of a telling.
func (n *Notifications) write(t ticketing.Telling) (notify.Message, error) {
	content, err := n.Words.Render(t.Channel, t.Order.Buyer.Language, n.facts(t))
	m := notify.Message{ID: t.ID, Kind: t.Kind, Language: t.Order.Buyer.Language, To: t.Order.Buyer.Phone, Content: content}
	if t.Channel == ticketing.ChannelMail {
		m.To, m.Name = t.Order.Buyer.Email, t.Order.Buyer.Name
	}
	return m, err
}
