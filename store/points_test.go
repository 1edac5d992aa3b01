package store_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestPointsGoBackWithTickets(t *testing.T) {
	t.Parallel()
	s := clubScene(t)
	first := s.buys(joining(1, 3))
	refund := s.gives(first.ID, first.ID+"-001")
	if m := s.membership(first.ID); m.Earned != 210 || m.Points != 210 {
		t.Errorf("two of three tickets: %+v", m)
	}
	s.settles(refund)
	s.settles(s.gives(first.ID, first.ID+"-002", first.ID+"-003"))
	if m := s.membership(first.ID); m.Earned != 0 || m.Points != 0 {
		t.Errorf("nothing left: %+v", m)
	}
	// The next order is priced by what is left of the points.
	if second := s.heldAs(with(first.Membership.Code, 1, 1)); second.Member.Level != nil || second.Member.Discount != 0 {
		t.Errorf("%+v", second.Member)
	}
	s.wantSoundSoFar()
}

func TestALostDisputeTakesThePointsBack(t *testing.T) {
	t.Parallel()
	s := clubScene(t)
	r := joining(1, 2)
	s.heldAs(r)
	attempt := s.started(r.OrderID)
	s.captured(attempt)
	must(s.Settle(t.Context(), attempt.ID))(t)
	must(s.KeepCallback(t.Context(), disputed("E1", attempt, ticketing.DisputeOpen)))(t)
	if m := s.membership(r.OrderID); m.Points != 210 {
		t.Errorf("a dispute that is not decided: %+v", m)
	}
	for _, event := range []string{"E2", "E3"} {
		must(s.KeepCallback(t.Context(), disputed(event, attempt, ticketing.DisputeLost)))(t)
	}
	if m := s.membership(r.OrderID); m.Points != 0 || m.Earned != 0 {
		t.Errorf("%+v", m)
	}
}

// TestPointsOfOrdersAtOnce: two first orders are paid while a third is refunded, again and again; no points get lost, and there is
// one member.
func TestPointsOfOrdersAtOnce(t *testing.T) {
	t.Parallel()
	s := clubScene(t, storetest.Event("show", 400, 400))
	for n := range 10 {
		old := s.buys(joining(n, 1, 1))
		orders := []string{s.heldAs(joining(n, 2)).ID, s.heldAs(joining(n, 0, 1)).ID}
		var wait sync.WaitGroup
		for _, id := range orders {
			attempt := s.started(id)
			s.captured(attempt)
			for range 2 {
				wait.Go(func() {
					if _, err := s.Settle(t.Context(), attempt.ID); err != nil {
						t.Error(err)
					}
				})
			}
		}
		back := s.back(old.ID, old.ID+"-001")
		for range 2 {
			wait.Go(func() {
				if _, err := s.RequestRefund(t.Context(), back); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if m := s.membership(old.ID); m.Points != 205+210+205 || m.Earned != 205 {
			t.Fatalf("round %d: %+v", n, m)
		}
	}
	s.wantSoundSoFar()
}

func TestTwoFirstOrdersPaidAtOnceBeginOneMembership(t *testing.T) {
	t.Parallel()
	s := clubScene(t, storetest.Event("show", 400))
	for n := range 10 {
		var wait sync.WaitGroup
		var attempts []ticketing.PaymentAttempt
		for range 3 {
			attempt := s.started(s.heldAs(joining(n, 1)).ID)
			s.captured(attempt)
			attempts = append(attempts, attempt)
		}
		for _, attempt := range attempts {
			wait.Go(func() {
				if _, err := s.Settle(t.Context(), attempt.ID); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		shown := 0
		for _, attempt := range attempts {
			m := s.membership(attempt.OrderID)
			if m.Shown {
				shown++
				if m.Points != 315 {
					t.Errorf("%+v", m)
				}
			}
		}
		if shown != 1 {
			t.Errorf("%d orders show the membership", shown)
		}
	}
	s.wantSound()
}

func TestTheDatabaseKeepsTheJournalOfPoints(t *testing.T) {
	t.Parallel()
	s := clubScene(t)
	first := s.buys(joining(1, 2))
	conn := s.connect()
	for _, sql := range []string{
		"UPDATE points_entries SET points = points + 1", "DELETE FROM points_entries", "TRUNCATE points_entries",
		"INSERT INTO points_entries SELECT order_id, 'paid', member_id, 1 FROM points_entries",
		"INSERT INTO points_entries SELECT order_id, 'refund:x', member_id, 1 FROM points_entries",
		"INSERT INTO points_entries SELECT order_id, 'refund:x', member_id, -211 FROM points_entries",
	} {
		if _, err := conn.Exec(t.Context(), sql); err == nil || constraintOf(err) == "" && !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if m := s.membership(first.ID); m.Points != 210 {
		t.Errorf("%+v", m)
	}
	if err := s.PutProgramme(t.Context(), ticketing.Programme{}); !errors.As(err, new(*ticketing.Error)) {
		t.Error(err)
	}
}
