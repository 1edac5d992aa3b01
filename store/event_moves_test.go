package store_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestEveryIllegalMoveOfAnEventIsRefusedTwice(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	conn, unchecked := s.connect(), s.connect()
	if _, err := unchecked.Exec(t.Context(), "SET session_replication_role = replica"); err != nil {
		t.Fatal(err)
	}
	reset := func(state ticketing.EventState) {
		if _, err := unchecked.Exec(t.Context(), "UPDATE events SET state = $1", state); err != nil {
			t.Fatal(err)
		}
	}
	for _, from := range ticketing.EventStates {
		for _, to := range ticketing.EventStates {
			reset(from)
			_, raw := conn.Exec(t.Context(), "UPDATE events SET state = $1", to)
			reset(from)
			err := s.MoveEvent(t.Context(), "show", to, "ada", "because")
			if from == to || from.CanMoveTo(to) {
				if raw != nil || err != nil {
					t.Errorf("%s to %s: %v, %v", from, to, raw, err)
				}
				continue
			}
			if constraintOf(raw) != "events_legal_move" {
				t.Errorf("the database lets it go from %s to %s: %v", from, to, raw)
			}
			wantCode(t, err, ticketing.CodeIllegalTransition)
			if !strings.Contains(err.Error(), string(from)) || !strings.Contains(err.Error(), string(to)) || !strings.Contains(err.Error(), from.Next()) {
				t.Errorf("from %s to %s: unclear: %v", from, to, err)
			}
		}
	}
	wantCode(t, s.MoveEvent(t.Context(), "nothing", ticketing.EventEnded, "ada", "because"), ticketing.CodeNotFound)
	wantCode(t, s.MoveEvent(t.Context(), "show", ticketing.EventEnded, " ", "because"), ticketing.CodeInvalid)
	wantCode(t, s.MoveEvent(t.Context(), "show", ticketing.EventEnded, "ada", ""), ticketing.CodeInvalid)
}

func TestAnEventRemembersWhoMovedItAndWhy(t *testing.T) {
	t.Parallel()
	draft := storetest.Event("show", 20)
	draft.State = ticketing.EventDraft
	s := newScene(t, draft, storetest.Event("other", 1))
	move := func(to ticketing.EventState, by, reason string) {
		t.Helper()
		if err := s.MoveEvent(t.Context(), "show", to, by, reason); err != nil {
			t.Fatal(err)
		}
	}
	move(ticketing.EventOnSale, "ada", "the hall is booked")
	move(ticketing.EventOnSale, "bob", "again") // changes nothing
	s.execute("UPDATE events SET state = 'PAUSED' WHERE id = 'show'")
	move(ticketing.EventOnSale, "ada", "what was wrong is right; 好")
	history := must(s.EventHistory(t.Context(), "show"))(t)
	for i := range history {
		if m := &history[i]; m.At.IsZero() || i > 0 && m.At.Before(history[i-1].At) {
			t.Errorf("%+v", m)
		} else if m.At = (ticketing.EventMove{}).At; strings.HasPrefix(m.By, "database user ") {
			m.By = "database user"
		}
	}
	if want := []ticketing.EventMove{
		{From: "DRAFT", To: "ON_SALE", By: "ada", Reason: "the hall is booked"},
		{From: "ON_SALE", To: "PAUSED", By: "database user"},
		{From: "PAUSED", To: "ON_SALE", By: "ada", Reason: "what was wrong is right; 好"},
	}; !slices.Equal(history, want) {
		t.Errorf("%+v", history)
	}
	if other := must(s.EventHistory(t.Context(), "other"))(t); len(other) != 0 {
		t.Errorf("%+v", other)
	}
	if _, err := s.connect().Exec(t.Context(), "UPDATE event_history SET reason = 'another'"); err == nil {
		t.Error("history was rewritten")
	}
	s.wantSound()
}

func TestWhoHoldsTicketsPaysWhileSalesArePausedAndNotWhenTheEventIsCalledOff(t *testing.T) {
	t.Parallel()
	for state, payable := range map[ticketing.EventState]bool{
		ticketing.EventPaused: true, ticketing.EventEnded: true, ticketing.EventCancelled: false, ticketing.EventPostponed: false,
	} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			order, begun := s.held(1), s.held(1)
			earlier := s.started(begun)
			if err := s.MoveEvent(t.Context(), "show", state, "ada", "because"); err != nil {
				t.Fatal(err)
			}
			if refused := must(s.Hold(t.Context(), request(1)))(t); refused.Refusal == nil || refused.Refusal.Code != ticketing.CodeNotOnSale {
				t.Errorf("sold: %+v", refused)
			}
			attempt := ticketing.PaymentAttempt{ID: "00000000000000000000000001", OrderID: order, Provider: "sandbox", Method: "sandbox_card"}
			started, err := s.StartAttempt(t.Context(), attempt)
			if payable {
				if err != nil || started.ID != attempt.ID {
					t.Fatalf("%+v, %v", started, err)
				}
			} else {
				wantCode(t, err, ticketing.CodeNotOnSale)
			}
			// What a payer had begun arrives, and is not lost.
			s.captured(earlier)
			s.delivered(earlier.ID)
			must(s.Settle(t.Context(), earlier.ID))(t)
			if o := must(s.Order(t.Context(), begun))(t); o.State != ticketing.OrderPaid {
				t.Errorf("paid, and the order is %s", o.State)
			}
			s.wantSoundSoFar()
		})
	}
}

func TestEventsInEveryStateAreOnRecord(t *testing.T) {
	t.Parallel()
	draft := storetest.Event("draft", 7)
	draft.State, draft.Title = ticketing.EventDraft, ticketing.Text{"en": "Opéra", "zh-CN": "歌剧"}
	bare := storetest.Event("bare", 1)
	bare.Sessions = nil
	s := newScene(t, storetest.Event("show", 20, 5), draft)
	if err := s.SeedCatalogue(t.Context(), bare); err != nil {
		t.Fatal(err)
	}
	s.held(1)
	s.paid(2, 1)
	find := func(f ticketing.EventRecordFilter) (ids []string) {
		t.Helper()
		f.Limit = cmp.Or(f.Limit, 10)
		for _, e := range must(s.EventRecords(t.Context(), f))(t) {
			ids = append(ids, e.ID)
		}
		return ids
	}
	for _, c := range []struct {
		filter ticketing.EventRecordFilter
		want   []string
	}{
		{ticketing.EventRecordFilter{}, []string{"draft", "show", "bare"}},
		{ticketing.EventRecordFilter{Limit: 1}, []string{"draft"}},
		{ticketing.EventRecordFilter{State: ticketing.EventDraft}, []string{"draft"}},
		{ticketing.EventRecordFilter{Text: "OPERA 歌"}, []string{"draft"}},
		{ticketing.EventRecordFilter{Text: "sho"}, []string{"show"}},
		{ticketing.EventRecordFilter{ID: "bare"}, []string{"bare"}},
		{ticketing.EventRecordFilter{ID: "none"}, nil},
	} {
		if have := find(c.filter); !slices.Equal(have, c.want) {
			t.Errorf("%+v finds %v, want %v", c.filter, have, c.want)
		}
	}
	show := must(s.EventRecords(t.Context(), ticketing.EventRecordFilter{ID: "show", Limit: 1}))(t)[0]
	if show.Sessions != 1 || show.FirstAt == nil || show.Free != 21 || show.Held != 1 || show.Sold != 3 || show.Organiser != "Quay Hall" {
		t.Errorf("%+v", show)
	}
}
