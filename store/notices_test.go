package store_test

import (
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// tellAll tells every notice that is open.
func (s *scene) tellAll() {
	s.Helper()
	for must(s.TellNotices(s.Context()))(s) {
	}
}

// dropPaid makes room: what a purchase itself tells is not looked at here.
func (s *scene) dropWaiting() {
	s.Helper()
	s.execute("UPDATE messages SET state = 'DROPPED' WHERE state = 'WAITING'")
}

// wantTold compares the kinds of the messages by mail that wait for an order.
func (s *scene) wantTold(order string, kinds ...ticketing.MessageKind) {
	s.Helper()
	var waiting []ticketing.MessageKind
	for _, m := range must(s.Messages(s.Context(), order))(s) {
		if m.State == ticketing.MessageWaiting && m.Channel == ticketing.ChannelMail {
			waiting = append(waiting, m.Kind)
		}
	}
	if len(waiting) != len(kinds) || len(kinds) > 0 && waiting[0] != kinds[0] {
		s.Errorf("told of %v, want %v", waiting, kinds)
	}
}

func TestWhoeverHoldsTicketsIsToldOfAChangeOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Event("show", 1000))
	holder, _ := s.paid(1)
	unpaid := s.held(1)
	gave, _ := s.paid(1)
	s.settles(s.gives(gave, gave+"-001"))
	s.dropWaiting()
	s.execute("UPDATE sessions SET starts_at = starts_at + interval '1 hour', ends_at = ends_at + interval '1 hour' WHERE id = 'show-s1'")
	s.execute("UPDATE sessions SET starts_at = starts_at + interval '1 hour', ends_at = ends_at + interval '1 hour' WHERE id = 'show-s1'")
	inParallel(4, func(int) { s.tellAll() })
	s.wantTold(holder, ticketing.MessageSessionChanged)
	s.wantTold(unpaid)
	s.wantTold(gave)

	// A change before the last one was sent replaces it.
	s.execute("UPDATE sessions SET starts_at = starts_at + interval '1 hour', ends_at = ends_at + interval '1 hour' WHERE id = 'show-s1'")
	s.tellAll()
	s.wantTold(holder, ticketing.MessageSessionChanged)
	s.wantSoundSoFar()
}

func TestACancelledEventIsToldToThousandsInSmallSteps(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Event("show", 1000))
	const orders = 450
	for range orders {
		s.paid(1)
	}
	s.dropWaiting()
	if err := s.MoveEvent(t.Context(), "show", ticketing.EventCancelled, "tester", "a test"); err != nil {
		t.Fatal(err)
	}
	steps := 0
	for must(s.TellNotices(t.Context()))(t) {
		steps++
	}
	var told, twice int
	s.query("SELECT count(DISTINCT order_id) FROM messages WHERE kind = 'event_cancelled'", &told)
	s.query("SELECT count(*) FROM (SELECT FROM messages WHERE kind = 'event_cancelled' GROUP BY order_id, channel HAVING count(*) > 1) x", &twice)
	if told != orders || twice != 0 || steps != 4 { // three with orders, one that finds no more
		t.Errorf("%d told, %d twice, in %d steps", told, twice, steps)
	}
}

func TestAReminderFollowsTheSession(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	remind := func() {
		t.Helper()
		if err := s.NoticeReminders(t.Context(), 24*time.Hour); err != nil {
			t.Fatal(err)
		}
		s.tellAll()
	}
	begins := func(in time.Duration) {
		s.execute("UPDATE sessions SET starts_at = now() + $1::interval, ends_at = now() + $1::interval + interval '2 hours' WHERE id = 'show-s1'", in)
		s.tellAll()
		s.dropWaiting()
	}
	order, _ := s.paid(1)
	s.dropWaiting()
	remind()
	s.wantTold(order) // in three days

	s.execute("UPDATE payment_attempts SET captured_at = now() - interval '2 days'")
	begins(23 * time.Hour)
	remind()
	remind()
	s.wantTold(order, ticketing.MessageReminder)
	m := must(s.ClaimMessages(t.Context(), ticketing.ChannelMail, 10, lease, 0))(t)[0]
	told := must(s.Telling(t.Context(), m))(t)
	if told.Moot(time.Now()) != "" || told.ExpiresAt == nil || !told.ExpiresAt.Equal(told.Session().StartsAt) {
		t.Errorf("reminded %+v", told)
	}

	begins(72 * time.Hour)
	if told := must(s.Telling(t.Context(), m))(t); told.Moot(time.Now()) == "" {
		t.Error("reminded of a time that is not right any more")
	}
	remind()
	s.wantTold(order)
	begins(20 * time.Hour)
	remind()
	s.wantTold(order, ticketing.MessageReminder)

	// Whoever buys so late has just read when it begins; and what is called off, nobody is reminded of.
	fresh, _ := s.paid(1)
	s.dropWaiting()
	begins(19 * time.Hour)
	remind()
	s.wantTold(fresh)
	s.dropWaiting()
	begins(18 * time.Hour)
	if err := s.MoveEvent(t.Context(), "show", ticketing.EventPostponed, "tester", "a test"); err != nil {
		t.Fatal(err)
	}
	remind()
	s.wantTold(order, ticketing.MessageEventPostponed)
	m = must(s.ClaimMessages(t.Context(), ticketing.ChannelMail, 10, lease, 0))(t)[0]
	if told := must(s.Telling(t.Context(), m))(t); !told.DateUnknown() || told.Moot(time.Now()) != "" {
		t.Errorf("postponed, and told %+v", told)
	}

	// A new date, while it is still postponed, is one to be told; the old one is not told any more.
	begins(90 * time.Hour)
	if told := must(s.Telling(t.Context(), m))(t); told.DateUnknown() || told.Moot(time.Now()) == "" {
		t.Errorf("told %+v, for which there is a new date", told)
	}
	if err := s.MoveEvent(t.Context(), "show", ticketing.EventOnSale, "tester", "a test"); err != nil {
		t.Fatal(err)
	}
	if told := must(s.Telling(t.Context(), m))(t); !told.PostponedFrom.IsZero() {
		t.Errorf("told %+v of an event that is on sale again", told)
	}
}
