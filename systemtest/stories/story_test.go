package stories

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/boxoffice/boxoffice/activities"
	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/worker"
	"github.com/boxoffice/boxoffice/workflows"
)

const holdFor = 10 * time.Minute

var quiet = slog.New(slog.DiscardHandler)

// tell tells one story and checks what came of it.
func tell(t require.TestingT, w *world, p plan) {
	w.t = t
	require.NoError(t, w.control.Reset(w.ctx))
	*w.post = post{}
	s := &story{world: w, plan: p, orderID: encryption.NewNumber(), steps: &fragile{Store: w.store, fails: maps.Clone(p.Fails)}}
	w.execute("UPDATE stock SET capacity = capacity + $1 - free, free = $1", p.Quantity+p.Spare)
	s.purchase()
	for ; s.next < len(p.Chapters); s.next++ {
		s.happen(p.Chapters[s.next])
	}
	w.mood.after(nil)
	s.rest()
	s.check()
}

// story is a story while it is told.
type story struct {
	*world
	plan
	orderID string
	steps   *fragile
	env     *testsuite.TestWorkflowEnvironment
	// next is the first chapter that has not happened yet.
	next int
	// ended says that the purchase has ended.
	ended    bool
	attempts []string
	captures []capture
	// given are the attempts the running purchase was told of.
	given []string
	// owed is money for the late-payment saga.
	owed []workflows.LatePaymentInput
	// surprised is the attempt whose payer was charged right after the last look.
	surprised string
	// returned are the tickets that went back, worth what went back for them.
	returned []string
	worth    int64
	// closeDown says that the gateway cannot be asked to close now.
	closeDown bool
}

// capture is money a gateway took, as the model sees it.
type capture struct {
	number string
	right  bool // the amount that was asked for
	// inTime says that the order was unpaid and held its stock, and that we could know of the money.
	inTime bool
}

func (s *story) newEnvironment() *testsuite.TestWorkflowEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(quiet))
	env := suite.NewTestWorkflowEnvironment()
	env.SetStartTime(time.Now())
	env.SetTestTimeout(20 * time.Second)
	worker.Register(env)
	env.RegisterActivity(&activities.Purchase{Store: s.steps, Gateways: s.gateways, Metrics: s.metrics})
	env.RegisterActivity(s.payments())
	env.RegisterActivity(&activities.Reconciliation{Store: s.store, Gateways: s.gateways, Log: quiet})
	return env
}

func (s *story) payments() *activities.Payments {
	return &activities.Payments{Store: s.steps, Gateways: s.gateways, Deliverer: s.post, Metrics: s.metrics, Log: quiet}
}

// purchase runs the order's purchase; what happens meanwhile happens on its clock.
func (s *story) purchase() {
	s.env = s.newEnvironment()
	s.env.OnWorkflow(workflows.LatePayment, mock.Anything, mock.Anything).Return(
		func(_ workflow.Context, in workflows.LatePaymentInput) (workflows.LatePaymentResult, error) {
			s.owed = append(s.owed, in)
			return workflows.LatePaymentResult{}, nil
		}).Maybe()
	for i, c := range s.Chapters {
		s.env.RegisterDelayedCallback(func() {
			s.next = i + 1
			s.happen(c)
		}, time.Duration(c.At)*time.Second)
	}
	if s.Surprise {
		s.mood.after(s.surprise)
	}
	s.env.ExecuteWorkflow(workflows.Purchase, workflows.PurchaseInput{
		Hold: ticketing.HoldRequest{
			OrderID: s.orderID, EventID: "show", SessionID: "show-s1", Fingerprint: "f",
			Buyer: ticketing.Buyer{Name: "Mei Lin", Email: "mei@example.com", Language: "en"},
			Lines: []ticketing.Ask{{TicketTypeID: "show-t1", Quantity: s.Quantity}},
		},
		Policy: workflows.PurchasePolicy{HoldFor: holdFor},
	})
	require.True(s.t, s.env.IsWorkflowCompleted(), "the purchase never ends")
	require.NoError(s.t, s.env.GetWorkflowError())
	s.ended = true
	s.mood.after(nil)
	for _, number := range s.given {
		if number == s.surprised {
			s.endings["judged after the last look"]++
		}
		require.NotEmpty(s.t, s.verdict(number), "the purchase ended without judging what it was told of")
	}
}

// happen lets a chapter happen.
func (s *story) happen(c chapter) {
	switch c.What {
	case "choose":
		if n := s.choose(s.orderID); n != "" {
			s.attempts = append(s.attempts, n)
		}
		s.bring()
	case "pay", "pay late", "pay other":
		s.pay(c)
	case "decline":
		if len(s.attempts) > 0 {
			_ = s.control.Decline(s.ctx, s.attempts[c.Which%len(s.attempts)])
			s.arrived()
		}
	case "cancel":
		if !s.ended {
			s.env.UpdateWorkflow(workflows.UpdateCancel, "cancel", heedless{})
		}
	case "sweep":
		s.sweep()
	case "rival":
		s.rival()
	case "close down", "close up":
		s.closeDown = c.What == "close down"
		s.misbehave(gateway.Faults{})
	}
}

// pay lets a payer pay, and the gateway tell us of it, or not.
func (s *story) pay(c chapter) {
	if len(s.attempts) == 0 {
		return
	}
	number := s.attempts[c.Which%len(s.attempts)]
	before, tried, attempt := s.order(s.orderID), s.post.tried(), s.stored(number)
	faults := gateway.Faults{Lose: c.How == "lost"}
	if c.What == "pay other" {
		faults.CaptureAmount = before.Total.Amount - 1
	}
	switch c.How {
	case "doubled":
		faults.Duplicate = 3
	case "inbox down":
		s.inbox.fail(1)
	case "post down":
		s.post.fail(1)
	}
	s.misbehave(faults)
	pay := s.control.Pay
	if c.What == "pay late" {
		pay = func(ctx context.Context, number string) error { return s.control.PayLate(ctx, number, 0) }
	}
	if s.captured(number) != 0 || pay(s.ctx, number) != nil {
		s.inbox.fail(0)
		s.post.fail(0)
		s.misbehave(gateway.Faults{})
		return
	}
	require.Eventually(s.t, func() bool { return s.captured(number) != 0 }, 10*time.Second, time.Millisecond)
	s.arrived()
	told := c.How != "lost"
	if told {
		require.Positive(s.t, s.count("SELECT count(*) FROM callbacks WHERE attempt_id = $1", number), "acknowledged, and not kept")
		require.Eventually(s.t, func() bool { return s.post.tried() > tried }, 10*time.Second, time.Millisecond, "kept, and not on its way")
	}
	open := attempt.State == ticketing.AttemptCreated || attempt.State == ticketing.AttemptPending
	s.captures = append(s.captures, capture{
		number: number, right: c.What != "pay other",
		inTime: before.State == ticketing.OrderPending && (told || open),
	})
	s.inbox.fail(0)
	s.post.fail(0)
	s.misbehave(gateway.Faults{})
	s.bring()
}

// surprise: the gateway charges a payer in the moment after it was asked for the last time, and tells the purchase.
func (s *story) surprise(number string) {
	if o := s.order(s.orderID); o.State != ticketing.OrderExpired && o.State != ticketing.OrderCancelled {
		return
	}
	s.mood.after(nil)
	if which := slices.Index(s.attempts, number); which >= 0 && s.captured(number) == 0 {
		s.surprised = number
		s.pay(chapter{What: "pay late", How: "sent", Which: which})
	}
}

// bring takes captured money to the purchase, or to the saga for what comes too late.
func (s *story) bring() {
	for _, a := range s.post.collect() {
		switch {
		case a.OrderID == "" || a.State == ticketing.AttemptRejected, s.ended && a.State != ticketing.AttemptAccepted:
			s.owed = append(s.owed, workflows.LatePaymentInput{Provider: a.Provider, AttemptID: a.ID})
		case s.ended: // it has done its work
		case len(s.given)%2 == 0:
			s.given = append(s.given, a.ID)
			s.env.SignalWorkflow(workflows.SignalPayment, workflows.PaymentNotice{AttemptID: a.ID})
		default:
			s.given = append(s.given, a.ID)
			s.env.UpdateWorkflow(workflows.UpdatePayment, fmt.Sprint(a.ID, len(s.given)), heedless{}, workflows.PaymentNotice{AttemptID: a.ID})
		}
	}
}

// sweep lets the sweep look once; what it waits for has waited long enough.
func (s *story) sweep() {
	s.execute(`UPDATE payment_attempts SET ask_at = now() - interval '1 minute',
		captured_at = captured_at - CASE WHEN delivered_at IS NULL THEN interval '1 minute' ELSE interval '0' END`)
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(quiet))
	env := suite.NewTestActivityEnvironment()
	payments := s.payments()
	env.RegisterActivity(payments)
	_, err := env.ExecuteActivity(payments.Sweep, time.Duration(0))
	if err != nil {
		_, err = env.ExecuteActivity(payments.Sweep, time.Duration(0)) // as Temporal would
	}
	require.NoError(s.t, err)
	s.bring()
}

// rival buys whatever is free.
func (s *story) rival() {
	free := s.count(freeSQL)
	if free == 0 {
		return
	}
	_, err := s.store.Hold(s.ctx, ticketing.HoldRequest{
		OrderID: encryption.NewNumber(), EventID: "show", SessionID: "show-s1", Fingerprint: "f",
		Buyer: ticketing.Buyer{Name: "Rival", Email: "rival@example.com", Language: "en"},
		Lines: []ticketing.Ask{{TicketTypeID: "show-t1", Quantity: free}}, At: time.Now(), PayBy: time.Now().Add(time.Hour),
	})
	require.NoError(s.t, err)
}

// rest lets everything that is still owed come to its end.
func (s *story) rest() {
	s.closeDown = false
	s.misbehave(gateway.Faults{})
	if s.unheard() {
		// Nothing but the gateway's bill tells of money captured after the last look, when its callback is lost.
		s.endings["found on the bill"]++
		s.compareBill()
	}
	for range 5 {
		s.sweep()
		for _, in := range s.owed {
			env := s.newEnvironment()
			env.ExecuteWorkflow(workflows.LatePayment, in)
			require.True(s.t, env.IsWorkflowCompleted(), "the late-payment saga never ends")
			require.NoError(s.t, env.GetWorkflowError())
		}
		s.owed = nil
	}
	s.giveBack()
}

// giveBack lets the buyer give tickets back. After a while, the gateway behaves again.
func (s *story) giveBack() {
	order := s.order(s.orderID)
	if s.Returns == 0 || order.State != ticketing.OrderPaid {
		return
	}
	for _, t := range order.Tickets[:min(s.Returns, len(order.Tickets))] {
		s.returned = append(s.returned, t.ID)
	}
	quote, err := s.store.QuoteRefund(s.ctx, s.orderID, s.returned)
	require.NoError(s.t, err)
	s.worth = quote.Amount.Amount
	free := s.count(freeSQL)
	s.misbehave(map[string]gateway.Faults{
		"low balance": {LowBalance: true}, "answers are lost": {FailAfter: []string{"refund"}}, "down": {Down: []string{"refund", "query_refund"}},
		"takes its time": {RefundPending: 10},
	}[s.Trouble])
	env := s.newEnvironment()
	env.RegisterDelayedCallback(func() { s.misbehave(gateway.Faults{}) }, 2*time.Minute) // the test server tries ten times, no longer
	env.ExecuteWorkflow(workflows.Refund, workflows.RefundInput{Request: ticketing.RefundRequest{
		ID: ticketing.NewNumber(time.Now()), OrderID: s.orderID, Request: "refund of " + s.orderID, Fingerprint: "f",
		TicketIDs: s.returned, Expected: quote.Amount,
	}})
	require.True(s.t, env.IsWorkflowCompleted(), "the refund never ends")
	require.NoError(s.t, env.GetWorkflowError())
	var result workflows.RefundResult
	require.NoError(s.t, env.GetWorkflowResult(&result))
	require.Equal(s.t, ticketing.RefundSucceeded, result.State)
	require.Equal(s.t, free+len(s.returned), s.count(freeSQL), "what went back is on sale again")
	s.misbehave(gateway.Faults{})
}

const freeSQL = "SELECT free FROM stock WHERE ticket_type_id = 'show-t1'"

// unheard says whether the gateway took money we do not know of.
func (s *story) unheard() bool {
	return slices.ContainsFunc(s.captures, func(c capture) bool {
		return s.count("SELECT count(*) FROM payment_attempts WHERE id = $1 AND captured_amount IS NOT NULL", c.number) == 0
	})
}

// compareBill compares today's bill with our books, as is done every day.
func (s *story) compareBill() {
	env := s.newEnvironment()
	today := ticketing.DayOf(time.Now(), payment.CalendarOf(s.provider))
	env.ExecuteWorkflow(workflows.Reconciliation, workflows.ReconciliationInput{Provider: s.provider.Name(), Day: today.Date})
	require.True(s.t, env.IsWorkflowCompleted())
	require.NoError(s.t, env.GetWorkflowError())
}

// misbehave sets the gateway's switches.
func (s *story) misbehave(f gateway.Faults) {
	if s.closeDown {
		f.Down = []string{"close"}
	}
	require.NoError(s.t, s.control.SetFaults(s.ctx, f))
}

// arrived waits until the gateway's callbacks were acknowledged.
func (s *story) arrived() {
	require.Eventually(s.t, func() bool { return s.books().Undelivered == 0 }, 10*time.Second, time.Millisecond)
}

// captured is what the gateway took for a number, in minor units.
func (s *story) captured(number string) int64 {
	for _, p := range s.books().Payments {
		if p.Number == number && p.Captured != nil {
			return p.Captured.Amount
		}
	}
	return 0
}

func (s *story) stored(number string) ticketing.PaymentAttempt {
	for _, a := range s.order(s.orderID).Attempts {
		if a.ID == number {
			return a
		}
	}
	return ticketing.PaymentAttempt{}
}

// verdict is what became of an attempt's money: "", "accepted" or the reason why not.
func (s *story) verdict(number string) string {
	var verdict string
	require.NoError(s.t, s.db.QueryRow(s.ctx, `SELECT CASE WHEN state = 'ACCEPTED' THEN 'accepted' ELSE coalesce(reject_reason, '') END
		FROM payment_attempts WHERE id = $1`, number).Scan(&verdict))
	return verdict
}

// heedless does not care for an update's answer.
type heedless struct{}

func (heedless) Accept()             {}
func (heedless) Reject(error)        {}
func (heedless) Complete(any, error) {}
