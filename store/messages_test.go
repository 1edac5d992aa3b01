package store_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

const lease = time.Minute

// messagePlants break each rule about messages once.
var messagePlants = map[string]string{
	"a buyer is told once by a channel of what happened, and of everything that is told": "DELETE FROM messages WHERE id <> (SELECT id FROM messages ORDER BY created_at, id LIMIT 1)",
	"a message comes to an end, or a person is asked":                                    "UPDATE messages SET state = 'FAILED'",
}

// wantMessages compares what an order's buyer is told, as "kind by channel STATE".
func (s *scene) wantMessages(order string, want ...string) {
	s.Helper()
	var have []string
	for _, m := range must(s.Messages(s.Context(), order))(s) {
		have = append(have, string(m.Kind)+" by "+string(m.Channel)+" "+string(m.State))
	}
	if !slices.Equal(have, want) {
		s.Errorf("messages\n%v\nwant\n%v", have, want)
	}
}

// claimed takes the only message that waits in a channel.
func (s *scene) claimed(channel ticketing.Channel) ticketing.Message {
	s.Helper()
	claimed := must(s.ClaimMessages(s.Context(), channel, 10, lease, 0))(s)
	if len(claimed) != 1 {
		s.Fatalf("claimed %+v", claimed)
	}
	return claimed[0]
}

func (s *scene) finished(m ticketing.Message, o ticketing.MessageOutcome) (opened bool) {
	s.Helper()
	return len(must(s.FinishMessages(s.Context(), ticketing.EndedMessage{Message: m, Outcome: o}))(s)) == 1
}

func TestEveryTurnOfAnOrderIsWrittenToTheOutboxWithIt(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order, _ := s.paid(2)
	s.wantMessages(order, "paid by mail WAITING", "paid by sms WAITING")
	refund := s.gives(order, order+"-001")
	s.settles(refund)
	s.wantMessages(order, "paid by mail WAITING", "paid by sms WAITING", "refund_requested by mail WAITING",
		"refunded by mail WAITING", "refunded by sms WAITING")

	expired := s.held(1)
	s.expired(expired)
	s.wantMessages(expired, "expired by mail WAITING", "expired by sms WAITING")

	late, attempt := s.late()
	s.wantMessages(late, "expired by mail WAITING", "expired by sms WAITING")
	must(s.Settle(t.Context(), attempt.ID))(t)
	must(s.Retake(t.Context(), attempt.ID))(t)
	s.wantMessages(late, "expired by mail WAITING", "expired by sms WAITING", "retaken by mail WAITING", "retaken by sms WAITING")

	r := request(1)
	r.Buyer.Phone = ""
	must(s.Hold(t.Context(), r))(t)
	must(s.Release(t.Context(), r.OrderID, ticketing.OrderCancelled))(t)
	must(s.Release(t.Context(), r.OrderID, ticketing.OrderCancelled))(t)
	s.wantMessages(r.OrderID, "cancelled by mail WAITING")
	s.wantSoundSoFar()
}

func TestHazard30AMessageIsClaimedByOneSenderOnlyAndTheUrgentFirst(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Event("show", 100))
	for range 10 {
		s.expired(s.held(1))
		s.paid(1)
	}
	var (
		claims atomic.Int32
		first  = must(s.ClaimMessages(t.Context(), ticketing.ChannelMail, 10, lease, 0))(t)
	)
	for _, m := range first {
		if m.Kind != ticketing.MessagePaid || m.State != ticketing.MessageSending || m.TriedAt != nil {
			t.Errorf("claimed first: %+v", m)
		}
	}
	inParallel(8, func(int) {
		for range 4 {
			claims.Add(int32(len(must(s.ClaimMessages(t.Context(), ticketing.ChannelMail, 2, lease, 0))(t))))
		}
	})
	if len(first) != 10 || claims.Load() != 10 {
		t.Errorf("%d and %d of 20 mails claimed", len(first), claims.Load())
	}
}

func TestWhatIsNotPressingWaitsForAsLongAsThePatienceAllows(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Event("show", 100))
	young, _ := s.paid(1)
	old, _ := s.paid(1)
	s.execute("UPDATE messages SET next_at = clock_timestamp() - interval '31 seconds' WHERE order_id = $1", old)
	warned := s.ends(time.Minute, 3*time.Minute)
	must(s.WarnHolds(t.Context(), 5*time.Minute))(t)
	var claimed []string
	for _, patience := range []time.Duration{time.Minute, 30 * time.Second, 0} {
		for _, m := range must(s.ClaimMessages(t.Context(), ticketing.ChannelSMS, 10, lease, patience))(t) {
			claimed = append(claimed, patience.String()+" "+m.OrderID)
		}
	}
	if want := []string{"1m0s " + warned, "30s " + old, "0s " + young}; !slices.Equal(claimed, want) {
		t.Errorf("claimed %v, want %v", claimed, want)
	}
}

func TestAMessageIsFinishedOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order, _ := s.paid(1)
	m := s.claimed(ticketing.ChannelMail)
	var handed atomic.Int32
	inParallel(4, func(int) {
		handed.Add(int32(len(must(s.HandOver(t.Context(), m.ID))(t))))
	})
	if handed.Load() != 1 {
		t.Errorf("handed over %d times", handed.Load())
	}
	s.finished(m, ticketing.MessageOutcome{State: ticketing.MessageWaiting, NextAt: time.Now().Add(-time.Second), Problem: "451"})
	m = s.claimed(ticketing.ChannelMail)
	if m.Tries != 1 || m.TriedAt != nil || m.Problem != "451" {
		t.Errorf("tried again: %+v", m)
	}
	s.finished(m, ticketing.MessageOutcome{State: ticketing.MessageSent, Carrier: "smtp", ReceiptID: "Q1"})
	s.finished(m, ticketing.MessageOutcome{State: ticketing.MessageFailed, Carrier: "smtp", Problem: "a slow loser"})
	s.wantMessages(order, "paid by mail SENT", "paid by sms WAITING")
	if messages := must(s.Messages(t.Context(), order))(t); messages[0].SentAt == nil || messages[0].Carrier != "smtp" {
		t.Errorf("sent: %+v", messages[0])
	}
	if abandoned := must(s.AbandonedMessages(t.Context(), ticketing.ChannelMail, 10, lease))(t); len(abandoned) != 0 {
		t.Errorf("abandoned: %+v", abandoned)
	}
}

func TestAnAbandonedMessageIsFoundOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.paid(1)
	claimed := must(s.ClaimMessages(t.Context(), ticketing.ChannelMail, 1, -time.Second, 0))(t)
	if handed := must(s.HandOver(t.Context(), claimed[0].ID))(t); len(handed) != 0 {
		t.Error("handed over although the claim has run out")
	}
	if left := must(s.ClaimMessages(t.Context(), ticketing.ChannelMail, 1, lease, 0))(t); len(left) != 0 {
		t.Fatalf("one that may have been sent is claimed again: %+v", left)
	}
	var found atomic.Int32
	inParallel(8, func(int) {
		found.Add(int32(len(must(s.AbandonedMessages(t.Context(), ticketing.ChannelMail, 10, lease))(t))))
	})
	if found.Load() != 1 {
		t.Errorf("found %d times", found.Load())
	}
}

func TestWhatOneChannelCannotTellTheOtherDoesAndElseAPerson(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order, _ := s.paid(1)
	refused := ticketing.MessageOutcome{State: ticketing.MessageFailed, Carrier: "smtp", Problem: "550"}
	if s.finished(s.claimed(ticketing.ChannelMail), refused) {
		t.Error("a case, although the SMS may tell it")
	}
	s.wantMessages(order, "paid by mail FAILED", "paid by sms WAITING")
	sms := s.claimed(ticketing.ChannelSMS)
	if !s.finished(sms, ticketing.MessageOutcome{State: ticketing.MessageUnsure, Carrier: "twilio", Problem: "no answer"}) {
		t.Error("nobody is asked")
	}
	cases := must(s.Cases(t.Context(), ticketing.CaseFilter{Kind: ticketing.CaseUndelivered}))(t)
	if len(cases) != 1 || cases[0].OrderID != order || cases[0].Reference != sms.ID || cases[0].Provider != "twilio" {
		t.Errorf("cases %+v", cases)
	}
	if counts := must(s.MessageCounts(t.Context()))(t); counts.Undelivered != 1 || counts.Waiting != 0 {
		t.Errorf("counts %+v", counts)
	}
	if err := s.ResendMessage(t.Context(), sms.ID); err != nil {
		t.Fatal(err)
	}
	s.wantMessages(order, "paid by mail FAILED", "paid by sms WAITING")
	if err := s.ResendMessage(t.Context(), sms.ID); ticketing.CodeOf(err) != ticketing.CodeIllegalTransition {
		t.Errorf("resent twice: %v", err)
	}

	// What is told by one channel only.
	s.finished(s.claimed(ticketing.ChannelSMS), ticketing.MessageOutcome{State: ticketing.MessageSent, Carrier: "twilio", ReceiptID: "SM1"})
	s.gives(order, order+"-001")
	s.finished(s.claimed(ticketing.ChannelMail), refused)
	s.wantMessages(order, "paid by mail FAILED", "paid by sms SENT", "refund_requested by mail FAILED", "refund_requested by sms WAITING")
}

func TestReceiptsMayComeInAnyOrderAndBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	receipt := func(status string, state ticketing.MessageState) ticketing.MessageReceipt {
		return ticketing.MessageReceipt{Carrier: "twilio", ReceiptID: "SM1", Status: status, State: state}
	}
	sent, delivered := receipt("sent", ticketing.MessageSent), receipt("delivered", ticketing.MessageDelivered)
	undelivered := receipt("undelivered", ticketing.MessageUndelivered)
	for name, c := range map[string]struct {
		before, after []ticketing.MessageReceipt
		want          ticketing.MessageState
	}{
		"in order":          {nil, []ticketing.MessageReceipt{sent, delivered}, ticketing.MessageDelivered},
		"out of order":      {nil, []ticketing.MessageReceipt{delivered, sent, delivered}, ticketing.MessageDelivered},
		"before the answer": {[]ticketing.MessageReceipt{delivered, sent}, nil, ticketing.MessageDelivered},
		"not arrived":       {[]ticketing.MessageReceipt{sent}, []ticketing.MessageReceipt{undelivered}, ticketing.MessageUndelivered},
		"arrived after all": {[]ticketing.MessageReceipt{undelivered}, []ticketing.MessageReceipt{delivered}, ticketing.MessageDelivered},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			order, _ := s.paid(1)
			keep := func(receipts []ticketing.MessageReceipt) {
				for _, r := range receipts {
					inParallel(4, func(int) {
						if err := s.KeepReceipt(t.Context(), r); err != nil {
							t.Error(err)
						}
					})
				}
			}
			keep(c.before)
			s.finished(s.claimed(ticketing.ChannelSMS), ticketing.MessageOutcome{State: ticketing.MessageSent, Carrier: "twilio", ReceiptID: "SM1", Segments: 1})
			keep(c.after)
			s.wantMessages(order, "paid by mail WAITING", "paid by sms "+string(c.want))
			var kept int
			s.query("SELECT count(*) FROM message_receipts", &kept)
			if kept != len(slices.CompactFunc(slices.SortedFunc(slices.Values(append(c.before, c.after...)), func(a, b ticketing.MessageReceipt) int {
				return len(a.Status) - len(b.Status)
			}), func(a, b ticketing.MessageReceipt) bool { return a == b })) {
				t.Errorf("%d receipts kept", kept)
			}
		})
	}
}

func TestHazard30ANumberGetsSoManySMSADay(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	one, _ := s.paid(1)
	two, _ := s.paid(1)
	var counted atomic.Int32
	inParallel(10, func(i int) {
		if must(s.CountSMS(t.Context(), []string{one, two}[i%2], 3))(t) {
			counted.Add(1)
		}
	})
	if counted.Load() != 3 {
		t.Errorf("%d SMS to one number", counted.Load())
	}
	if must(s.CountSMS(t.Context(), one, 0))(t) {
		t.Error("none means none")
	}
	r := request(1)
	r.Buyer.Phone = ""
	must(s.Hold(t.Context(), r))(t)
	if must(s.CountSMS(t.Context(), r.OrderID, 3))(t) {
		t.Error("an SMS without a number")
	}
}

func TestATellingHasAllThatCanBeSaid(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order, attempt := s.paid(2, 1)
	told := must(s.Telling(t.Context(), s.claimed(ticketing.ChannelMail)))(t)
	if told.Order.Buyer != buyer || len(told.Order.Tickets) != 3 || told.Amount != attempt.Amount || told.Event.Title["en"] != "A concert" ||
		told.Event.Organiser != "Quay Hall" || told.Session().Venue.TimeZone != "Asia/Shanghai" || len(told.Session().TicketTypes) != 2 ||
		told.Session().TicketTypes[1].Name["en"] != "Type 2" || told.Moot(time.Now()) != "" {
		t.Errorf("told %+v", told)
	}
	s.finished(told.Message, ticketing.MessageOutcome{State: ticketing.MessageSent, Carrier: "smtp"})
	refund := s.gives(order, order+"-001")
	told = must(s.Telling(t.Context(), s.claimed(ticketing.ChannelMail)))(t)
	if told.Amount != refund.Amount || told.Fee.Amount != refund.Fee || told.Reason != ticketing.RefundRequested {
		t.Errorf("of a refund is told %+v %+v %s", told.Amount, told.Fee, told.Reason)
	}
	if _, err := s.Telling(t.Context(), ticketing.Message{OrderID: encryption.NewNumber()}); ticketing.CodeOf(err) != ticketing.CodeNotFound {
		t.Errorf("of an unknown order: %v", err)
	}
}

// ends holds a ticket, as of a time ago, until a time from now.
func (s *scene) ends(in, lasted time.Duration) (order string) {
	s.Helper()
	order = s.held(1)
	s.execute("UPDATE orders SET pay_by = now() + $2::interval, created_at = now() - $3::interval WHERE id = $1", order, in, lasted)
	s.execute("UPDATE holds SET expires_at = now() + $2::interval WHERE order_id = $1", order, in)
	return order
}

func TestTheBuyerOfAHoldThatEndsSoonIsWarnedOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	soon, byMail := s.ends(4*time.Minute, 11*time.Minute), s.ends(time.Minute, 3*time.Minute)
	s.execute("UPDATE orders SET buyer_phone = NULL, phone_index = NULL WHERE id = $1", byMail)
	notYet, short, over := s.ends(6*time.Minute, 30*time.Minute), s.ends(time.Minute, time.Second), s.ends(-time.Second, time.Minute)
	inParallel(4, func(int) { must(s.WarnHolds(t.Context(), 5*time.Minute))(t) })
	s.wantMessages(soon, "hold_expiring by sms WAITING")
	s.wantMessages(byMail, "hold_expiring by mail WAITING")
	for _, order := range []string{notYet, short, over} {
		s.wantMessages(order)
	}
	s.wantKinds(soon, ticketing.EventHeld, ticketing.EventHoldExpiring)
	m := s.claimed(ticketing.ChannelSMS)
	if told := must(s.Telling(t.Context(), m))(t); told.ExpiresAt == nil || !told.ExpiresAt.Equal(told.Order.PayBy) || told.Moot(time.Now()) != "" {
		t.Errorf("warned %+v", told)
	}
	must(s.Release(t.Context(), soon, ticketing.OrderCancelled))(t)
	if told := must(s.Telling(t.Context(), m))(t); told.Moot(time.Now()) == "" {
		t.Error("a warning of a hold that is gone")
	}
}

// tellsEverything calls every method of telling buyers until nothing waits.
func (s *scene) tellsEverything(order string) {
	s.Helper()
	for _, channel := range []ticketing.Channel{ticketing.ChannelMail, ticketing.ChannelSMS} {
		for claimed := must(s.ClaimMessages(s.Context(), channel, 10, lease, 0))(s); len(claimed) > 0; claimed = must(s.ClaimMessages(s.Context(), channel, 10, lease, 0))(s) {
			for _, m := range claimed {
				must(s.Telling(s.Context(), m))(s)
				must(s.CountSMS(s.Context(), m.OrderID, 100000))(s)
				s.finished(m, ticketing.MessageOutcome{State: ticketing.MessageSent, Carrier: "carrier", ReceiptID: m.ID})
				r := ticketing.MessageReceipt{Carrier: "carrier", ReceiptID: m.ID, Status: "delivered", State: ticketing.MessageDelivered}
				if err := s.KeepReceipt(s.Context(), r); err != nil {
					s.Fatal(err)
				}
			}
		}
		must(s.AbandonedMessages(s.Context(), channel, 10, lease))(s)
	}
	must(s.WarnHolds(s.Context(), time.Minute))(s)
	if err := s.NoticeReminders(s.Context(), time.Hour); err != nil {
		s.Fatal(err)
	}
	must(s.TellNotices(s.Context()))(s)
	must(s.Messages(s.Context(), order))(s)
}
