package store_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/store/demo"
	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/ticketing/seating"
)

func (s *scene) revision() int64 {
	s.Helper()
	return must(s.EventRevisions(s.Context(), "show", "draft", "none"))(s)["show"]
}

func TestTheCatalogueReadsAsItWasSeeded(t *testing.T) {
	t.Parallel()
	event := storetest.Event("show", 20, 5)
	now := time.Now().UTC().Truncate(time.Second)
	event.Sessions[0].TicketTypes[0].Phases = []ticketing.PricePhase{
		{Name: ticketing.Text{"en": "Early", "zh-CN": "早鸟"}, From: now, Until: now.Add(time.Hour), BasePrice: 1},
		{Name: ticketing.Text{"en": "Later", "zh-CN": "其后"}, From: now.Add(time.Hour), Until: now.Add(2 * time.Hour), BasePrice: 2},
	}
	draft := storetest.Event("draft", 1)
	draft.State = ticketing.EventDraft
	s := newScene(t, event, draft)
	have := must(s.Events(t.Context(), "show", "draft", "none"))(t)
	if len(have) != 1 || !reflect.DeepEqual(have[0], event) {
		t.Errorf("catalogue\n%+v\nwant\n%+v", have, event)
	}
	free := must(s.Availability(t.Context()))(t)
	if len(free) != 3 || free["show-t1"] != 20 || free["draft-t1"] != 1 {
		t.Errorf("availability %v", free)
	}
	if some := must(s.Availability(t.Context(), "draft-s1", "nothing"))(t); len(some) != 1 || some["draft-t1"] != 1 {
		t.Errorf("availability of one session %v", some)
	}
	before := s.revision()
	storetest.Seed(t, s.Store, event, draft)
	if s.revision() != before {
		t.Error("seeding the same again is a change")
	}
}

func TestEveryChangeOfTheCatalogueIsNoticed(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	before := s.revision()
	for _, change := range []string{
		"UPDATE events SET order_fee = order_fee + 1",
		"UPDATE organisers SET name = 'Another'",
		"UPDATE venues SET time_zone = 'Asia/Tokyo'",
		"UPDATE sessions SET ends_at = ends_at + interval '1 minute'",
		"UPDATE ticket_types SET surcharge = surcharge + 1 WHERE id = 'show-t1'",
		`INSERT INTO price_phases VALUES ('show-t1', now(), now() + interval '1 day', '{"en": "x", "zh-CN": "x"}', 1)`,
		"UPDATE price_phases SET base_price = 2",
		"DELETE FROM price_phases",
		"UPDATE stock SET capacity = capacity + 1, free = free + 1 WHERE ticket_type_id = 'show-t1'",
	} {
		s.execute(change)
		after := s.revision()
		if after <= before {
			t.Errorf("not noticed: %s", change)
		}
		before = after
	}
	for _, same := range []string{
		"UPDATE events SET order_fee = order_fee",
		"UPDATE ticket_types SET surcharge = surcharge",
		"UPDATE stock SET free = free - 1, held = held + 1",
	} {
		s.execute(same)
		if after := s.revision(); after != before {
			t.Errorf("not a change: %s", same)
		}
	}
}

func TestSeedingAgainLeavesSoldSessionsAlone(t *testing.T) {
	t.Parallel()
	seeded := storetest.Event("show", 20, 5)
	s := newScene(t, seeded)
	storetest.Seed(t, s.Store, storetest.Event("unsold", 5))
	s.held(1)
	if err := s.MoveEvent(t.Context(), "show", ticketing.EventPaused, "tester", "a test"); err != nil {
		t.Fatal(err)
	}
	later := func(id string) ticketing.Event {
		e := storetest.Event(id, 50, 5)
		e.Title["en"] = "Another title"
		e.Sessions[0].StartsAt, e.Sessions[0].EndsAt = e.Sessions[0].StartsAt.Add(time.Hour), e.Sessions[0].EndsAt.Add(time.Hour)
		e.Sessions[0].TicketTypes[0].BasePrice = 1
		e.Refunds = ticketing.RefundPolicy{{Before: time.Hour, FeeBasisPoints: 1}}
		return e
	}
	moved := later("unsold") // once: its times are those of the moment it is made
	storetest.Seed(t, s.Store, later("show"), moved)
	events := must(s.Events(t.Context(), "show", "unsold"))(t)
	sold, unsold := events[0], events[1]
	if sold.Title["en"] != "Another title" || sold.State != ticketing.EventPaused {
		t.Errorf("sold: %v, %s", sold.Title, sold.State)
	}
	if !reflect.DeepEqual(sold.Refunds, seeded.Refunds) || !reflect.DeepEqual(unsold.Refunds, moved.Refunds) {
		t.Errorf("refund terms %v where somebody has bought, %v where nobody has", sold.Refunds, unsold.Refunds)
	}
	if !reflect.DeepEqual(sold.Sessions, seeded.Sessions) {
		t.Errorf("the sold session changed: %+v", sold.Sessions)
	}
	if unsold.Sessions[0].ChangedAt.IsZero() {
		t.Error("nobody noticed that the unsold session was moved")
	}
	unsold.Sessions[0].ChangedAt = time.Time{}
	if !reflect.DeepEqual(unsold.Sessions, moved.Sessions) {
		t.Errorf("the unsold session did not change: %+v", unsold.Sessions)
	}
	if free := must(s.Availability(t.Context(), "unsold-s1"))(t); free["unsold-t1"] != 50 || free["unsold-t2"] != 5 {
		t.Errorf("availability %v", free)
	}
	s.wantSound()
}

func TestTheDemoCatalogueIsOnSale(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	now := time.Now()
	halls := map[string]int{}
	for _, m := range demo.SeatMaps() {
		for range 2 {
			if err := s.ImportSeatMap(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		halls[m.ID] = seating.NewPlan(m).Seats()
	}
	if want := map[string]int{"lantern-hall-2": 196, "westlake-playhouse": 1217, "harbour-stadium": 20674}; !maps.Equal(halls, want) {
		t.Errorf("halls %v", halls)
	}
	for _, at := range []time.Time{now.Add(-100 * time.Hour), now, now} {
		if err := s.SeedCatalogue(t.Context(), demo.Catalogue(at)...); err != nil {
			t.Fatal(err)
		}
	}
	kinds, ladders := map[ticketing.Kind]bool{}, map[int]bool{}
	currencies := map[string]bool{}
	var closed, early int
	var ids []string
	for _, e := range demo.Catalogue(now) {
		ids = append(ids, e.ID)
	}
	events := must(s.Events(t.Context(), ids...))(t)
	if len(events) != len(ids) {
		t.Errorf("%d of %d events", len(events), len(ids))
	}
	for _, e := range events {
		kinds[e.Kind] = true
		ladders[len(e.Refunds)] = true
		for _, session := range e.Sessions {
			if session.StartsAt.Before(now) {
				t.Errorf("%s is over", session.ID)
			}
			for _, tt := range session.TicketTypes {
				currencies[tt.Currency] = true
				_, phased := tt.PhaseFor(now, 1, nil)
				switch {
				case !tt.OnSaleAt(now):
					closed++
				case phased:
					early++
				}
				if _, err := time.LoadLocation(session.Venue.TimeZone); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if len(kinds) != len(ticketing.Kinds) || len(currencies) < 2 || len(ladders) < 3 || !ladders[0] || closed == 0 || early == 0 {
		t.Errorf("%d kinds, %v, ladders %v, %d not on sale yet, %d early birds", len(kinds), currencies, ladders, closed, early)
	}
	session := demo.Catalogue(now)[0].Sessions[0]
	r := request()
	r.EventID, r.SessionID = session.EventID, session.ID
	r.Lines = []ticketing.Ask{{TicketTypeID: session.TicketTypes[0].ID, Quantity: 2}}
	// The best two of the cinema are in the middle, two thirds back.
	if result := must(s.Hold(t.Context(), r))(t); !slices.Equal(seatIDs(result.Seats), []string{"hall/H/8", "hall/H/9"}) {
		t.Errorf("%v because of %+v", result.Seats, result.Refusal)
	}
	s.wantSound()
}

func TestHazard36AStuckLockHoldsNobodyForEver(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	impatient := must(store.Open(t.Context(), store.Config{
		URL: s.url, Keyring: storetest.Keyring(), LockTimeout: 50 * time.Millisecond, MaxConnections: 2,
	}))(t)
	defer impatient.Close()
	conn := s.connect()
	tx := must(conn.BeginTx(t.Context(), pgx.TxOptions{}))(t)
	if _, err := tx.Exec(t.Context(), "SELECT FROM stock FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	r := request(1)
	if result, err := impatient.Hold(t.Context(), r); err == nil || ticketing.CodeOf(err) != "" {
		t.Errorf("held behind a lock: %+v, %v", result, err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if result := must(impatient.Hold(t.Context(), r))(t); result.State != ticketing.OrderPending {
		t.Errorf("%+v", result)
	}
	s.wantFree(19)
}
