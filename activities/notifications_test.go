package activities_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"github.com/boxoffice/boxoffice/activities"
	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/notify/wording"
	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/ticketing"
)

// post is a carrier that does as it is told and remembers what it took.
type post struct {
	mu sync.Mutex
	// says answers the n-th hand-over, counted from 1; nil takes everything.
	says func(n int, m notify.Message) error
	// taken are the messages it has, given those it was given.
	taken, given []notify.Message
}

func (p *post) Name() string { return "post" }

func (p *post) Send(_ context.Context, m notify.Message) (notify.Receipt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.given = append(p.given, m)
	var err error
	if p.says != nil {
		err = p.says(len(p.given), m)
	}
	if err == nil || errors.Is(err, errTaken) {
		p.taken = append(p.taken, m)
	}
	return notify.Receipt{ID: "R-" + m.ID, Segments: 1}, err
}

// errTaken is the answer of a carrier that took the message and could not say so.
var errTaken = fmt.Errorf("%w: the connection is gone", notify.ErrUnsure)

func (p *post) counts() (taken, given int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.taken), len(p.given)
}

// findingPost is a post that can be asked.
type findingPost struct{ post }

func (p *findingPost) Find(_ context.Context, m notify.Message, since time.Time) (notify.Receipt, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(since) < 0 {
		return notify.Receipt{}, false, errors.New("since is in the future")
	}
	for _, taken := range p.taken {
		if taken.To == m.To && taken.Text == m.Text {
			return notify.Receipt{ID: "R-" + m.ID}, true, nil
		}
	}
	return notify.Receipt{}, false, nil
}

// plainWords write what a message is about, and nothing else.
type plainWords struct{}

func (plainWords) Render(channel ticketing.Channel, language string, f notify.Facts) (notify.Content, error) {
	return notify.Content{
		Subject: string(f.Kind),
		Text:    fmt.Sprintf("%s %s %s %s %s %d tickets %d", channel, language, f.Kind, f.OrderID, f.PrivateURL, len(f.Tickets), f.Amount.Amount),
	}, nil
}

// teller adds the step that tells buyers to a scene.
func (s *scene) teller(mail, sms notify.Sender) *activities.Notifications {
	n := &activities.Notifications{
		Outbox: s.store, Words: plainWords{}, SMSPerDay: 100, Metrics: s.payments.Metrics, Log: slog.New(slog.DiscardHandler),
		Routes: map[ticketing.Channel]activities.Route{ticketing.ChannelMail: {Sender: mail, Concurrency: 4}, ticketing.ChannelSMS: {Sender: sms, Concurrency: 2}},
		OrderURLs: func(id string) (string, string) {
			return "https://shop.example/" + id, "https://shop.example/" + id + "#secret"
		},
	}
	return n
}

// tells runs the step until enough says so, then stops the worker; nil waits until it ends by itself.
func (s *scene) tells(n *activities.Notifications, enough func() bool) activities.TellReport {
	s.Helper()
	return s.tellsWithin(n, 30*time.Second, enough)
}

func (s *scene) tellsWithin(n *activities.Notifications, within time.Duration, enough func() bool) activities.TellReport {
	s.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(n)
	stop := make(chan struct{})
	env.SetWorkerStopChannel(stop)
	var report activities.TellReport
	ended := make(chan error, 1)
	go func() {
		value, err := env.ExecuteActivity(n.Tell, time.Hour, 0)
		if err == nil {
			err = value.Get(&report)
		}
		ended <- err
	}()
	if enough != nil {
		require.Eventually(s, enough, within, 20*time.Millisecond)
		close(stop)
	}
	require.NoError(s, <-ended)
	return report
}

// paidBy takes an order from nothing to paid.
func (s *scene) paidBy(phone string) string {
	s.Helper()
	r := request()
	r.Buyer.Phone = phone
	_, err := s.store.Hold(s.Context(), r)
	require.NoError(s, err)
	attempt := s.started(r.OrderID, sandbox.Name)
	require.NoError(s, s.store.RecordPayment(s.Context(), ticketing.PaymentFact{
		Provider: sandbox.Name, AttemptID: attempt.ID, GatewayID: "G-" + attempt.ID, State: ticketing.PaymentPaid, Captured: attempt.Amount,
	}))
	_, err = s.store.Settle(s.Context(), attempt.ID)
	require.NoError(s, err)
	return r.OrderID
}

// messages are those of an order as "channel STATE tries".
func (s *scene) messages(order string) []string {
	s.Helper()
	messages, err := s.store.Messages(s.Context(), order)
	require.NoError(s, err)
	var all []string
	for _, m := range messages {
		all = append(all, fmt.Sprintf("%s %s %s %d", m.Kind, m.Channel, m.State, m.Tries))
	}
	return all
}

const phone = "+8613800138000"

func TestABuyerIsToldOnceByEachChannel(t *testing.T) {
	s := newScene(t)
	mail, sms := &post{}, &post{}
	order := s.paidBy(phone)
	s.tells(s.teller(mail, sms), func() bool {
		mails, _ := mail.counts()
		texts, _ := sms.counts()
		return mails == 1 && texts == 1
	})
	require.Equal(t, []string{"paid mail SENT 1", "paid sms SENT 1"}, s.messages(order))
	require.Equal(t, "mei@example.com", mail.taken[0].To)
	require.Equal(t, "Mei Lin", mail.taken[0].Name)
	require.Equal(t, phone, sms.taken[0].To)
	require.Contains(t, mail.taken[0].Text, "mail en paid "+order+" https://shop.example/"+order+"#secret 1 tickets 10")
	require.NotEqual(t, mail.taken[0].ID, sms.taken[0].ID)
}

// TestAMailTellsWhatTheOrderCostsAndWhenItIs: as the catalogue and the order have it, by the words themselves.
func TestAMailTellsWhatTheOrderCostsAndWhenItIs(t *testing.T) {
	s := newScene(t)
	words, err := wording.New()
	require.NoError(t, err)
	mail := &post{}
	n := s.teller(mail, &post{})
	n.Words = words
	told := func(mails int) string {
		s.tells(n, func() bool { taken, _ := mail.counts(); return taken == mails })
		return mail.taken[mails-1].Text
	}
	id := s.paidBy("")
	order, err := s.store.Order(t.Context(), id)
	require.NoError(t, err)
	paid := told(1)
	require.Positive(t, order.OrderFee)
	require.Contains(t, paid, fmt.Sprintf("Order fee: CN¥%d.%02d\nTotal: CN¥%d.%02d\n",
		order.OrderFee/100, order.OrderFee%100, order.Total.Amount/100, order.Total.Amount%100))
	require.NotContains(t, paid, "Was planned for: ")
	require.NoError(t, s.store.MoveEvent(t.Context(), order.EventID, ticketing.EventPostponed, "tester", "a test"))
	require.Contains(t, told(2), "When: New date to be announced\nWas planned for: ")
}

func TestHazard30ATemporaryFailureIsTriedAgainAndAPermanentOneIsNot(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	mail := &post{says: func(n int, m notify.Message) error {
		if n == 1 {
			return fmt.Errorf("%w: 451 %s: come back", notify.ErrTemporary, m.To)
		}
		return nil
	}}
	sms := &post{says: func(_ int, m notify.Message) error { return fmt.Errorf("%w: 21211 %s", notify.ErrRefused, m.To) }}
	order := s.paidBy(phone)
	s.tells(s.teller(mail, sms), func() bool {
		taken, _ := mail.counts()
		return taken == 1
	})
	require.Equal(t, []string{"paid mail SENT 2", "paid sms FAILED 1"}, s.messages(order))
	messages, err := s.store.Messages(t.Context(), order)
	require.NoError(t, err)
	require.Equal(t, "notify: refused for good: 21211 …", messages[1].Problem, "without the number")
	_, given := sms.counts()
	require.Equal(t, 1, given)
}

func TestHazard30AnOutageKeepsEveryMessageForOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	down := true
	var mu sync.Mutex
	mail := &post{says: func(int, notify.Message) error {
		mu.Lock()
		defer mu.Unlock()
		if down {
			return notify.ErrTemporary
		}
		return nil
	}}
	const orders = 6
	for range orders {
		_, err := s.store.Release(t.Context(), s.held(), ticketing.OrderExpired)
		require.NoError(t, err)
	}
	for range orders {
		s.paidBy("")
	}
	n := s.teller(mail, &post{})
	s.tells(n, func() bool {
		_, given := mail.counts()
		return given >= 5
	})
	_, given := mail.counts()
	require.LessOrEqual(t, given, 8, "a carrier that is down is asked with one message at a time")
	mu.Lock()
	down = false
	mu.Unlock()
	s.tells(n, func() bool {
		taken, _ := mail.counts()
		return taken == 2*orders
	})
	ids := map[string]int{}
	for _, m := range mail.taken {
		ids[m.ID]++
	}
	require.Len(t, ids, 2*orders, "each once")
}

func TestHazard30AnUnknownOutcomeIsNeverSentTwice(t *testing.T) {
	t.Parallel() // it waits for the pause before a carrier is asked
	s := newScene(t)
	sms := &findingPost{post{says: func(n int, _ notify.Message) error {
		switch n {
		case 1:
			return errTaken
		case 2:
			return fmt.Errorf("%w: time-out", notify.ErrUnsure) // and it does not have it
		}
		return nil
	}}}
	mail := &post{says: func(int, notify.Message) error { return errTaken }}
	first := s.paidBy(phone)
	n := s.teller(mail, sms)
	n.Routes[ticketing.ChannelSMS] = activities.Route{Sender: sms, Concurrency: 1}
	s.tells(n, func() bool {
		messages := s.messages(first)
		return messages[1] == "paid sms SENT 1"
	})
	taken, given := sms.counts()
	require.Equal(t, []int{1, 1}, []int{taken, given}, "found, not sent again")
	require.Equal(t, "paid mail UNSURE 1", s.messages(first)[0], "who cannot be asked is not given it twice")

	second := s.paidBy(phone)
	s.tells(n, func() bool { return s.messages(second)[1] == "paid sms SENT 2" })
	taken, given = sms.counts()
	require.Equal(t, []int{2, 3}, []int{taken, given}, "not found, so sent again")
}

func TestAPersonIsAskedWhenNoChannelGetsThrough(t *testing.T) {
	s := newScene(t)
	refuse := &post{says: func(int, notify.Message) error { return notify.ErrRefused }}
	order := s.paidBy(phone)
	report := s.tells(s.teller(refuse, refuse), nil)
	require.Equal(t, 1, report.Undelivered, "the step ends so that the workflow can show it")
	require.Equal(t, []string{"paid mail FAILED 1", "paid sms FAILED 1"}, s.messages(order))
}

func TestHazard30SMSToOneNumberAreBounded(t *testing.T) {
	s := newScene(t)
	mail, sms := &post{}, &post{}
	n := s.teller(mail, sms)
	n.SMSPerDay = 2
	for range 4 {
		s.paidBy(phone)
	}
	s.tells(n, func() bool {
		mails, _ := mail.counts()
		left, err := s.store.MessageCounts(t.Context())
		return err == nil && mails == 4 && left.Waiting == 0
	})
	taken, _ := sms.counts()
	require.Equal(t, 2, taken)
}

// warned lets a hold come to its last minute, of which its buyer is to be warned.
func (s *scene) warned(order string) {
	s.Helper()
	s.execute("UPDATE orders SET created_at = now() - interval '10 minutes', pay_by = now() + interval '1 minute' WHERE id = $1", order)
	s.execute("UPDATE holds SET expires_at = now() + interval '1 minute' WHERE order_id = $1", order)
	made, err := s.store.WarnHolds(s.Context(), 5*time.Minute)
	require.NoError(s, err)
	require.Equal(s, 1, made)
}

func TestWhatIsNotTrueAnyMoreIsDropped(t *testing.T) {
	s := newScene(t)
	order := s.held()
	s.warned(order)
	_, err := s.store.Release(t.Context(), order, ticketing.OrderCancelled)
	require.NoError(t, err)
	mail := &post{}
	s.tells(s.teller(mail, &post{}), func() bool {
		taken, _ := mail.counts()
		return taken == 1
	})
	require.Equal(t, []string{"hold_expiring mail DROPPED 0", "cancelled mail SENT 1"}, s.messages(order))
}

// TestHazard30TenThousandWaitingAfterAnOutage: the carrier was down for an hour. What is urgent leaves first, what is too late not at
// all, and everything else once.
func TestHazard30TenThousandWaitingAfterAnOutage(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order := s.paidBy("")
	s.execute("DELETE FROM messages")
	s.execute(`INSERT INTO order_events (order_id, sequence, kind, state)
		SELECT $1, n, CASE n % 4 WHEN 0 THEN 'paid' WHEN 1 THEN 'reminder' ELSE 'expired' END, 'PAID' FROM generate_series(100, 10099) n`, order)
	for kind, remainder := range map[ticketing.MessageKind]string{ticketing.MessagePaid: "0", ticketing.MessageReminder: "1", ticketing.MessageExpired: "2,3"} {
		s.execute(`INSERT INTO messages (id, order_id, sequence, kind, channel, urgency, created_at, next_at, expires_at)
			SELECT lpad(n::text, 26, '0'), $1, n, $2::text, 'mail', $3, now() - interval '1 hour', now() - interval '1 hour',
				CASE WHEN $2 = 'reminder' THEN now() - interval '1 minute' END
			FROM generate_series(100, 10099) n WHERE n % 4 IN (`+remainder+`)`, order, string(kind), kind.Urgency())
	}
	mail := &post{says: func(n int, _ notify.Message) error {
		if n <= 4 {
			return notify.ErrTemporary
		}
		return nil
	}}
	n := s.teller(mail, &post{})
	n.Routes[ticketing.ChannelMail] = activities.Route{Sender: mail, Concurrency: 8}
	s.tellsWithin(n, 5*time.Minute, func() bool {
		left, err := s.store.MessageCounts(t.Context())
		return err == nil && left.Waiting == 0
	})
	taken, _ := mail.counts()
	require.Equal(t, 7500, taken, "all but the reminders, which are too late")
	ids := map[string]bool{}
	urgent := 0
	for i, m := range mail.taken {
		require.False(t, ids[m.ID], "once each")
		ids[m.ID] = true
		if m.Kind == ticketing.MessagePaid && i < 2500 {
			urgent++
		}
	}
	require.GreaterOrEqual(t, urgent, 2490, "those that were tried while it was down come a little later")
	dropped, err := s.store.FindMessages(t.Context(), ticketing.MessageFilter{State: ticketing.MessageDropped, Limit: 5000})
	require.NoError(t, err)
	require.Len(t, dropped, 2500)
}
