package store_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// The words of a large catalogue: each is rarer than the one before.
var (
	titles   = []string{"Night", "Jazz", "Opéra", "Final", "Orchestra", "Léon"}
	chinese  = []string{"之夜", "爵士", "歌剧", "决赛", "交响乐", "莱昂"}
	cities   = []string{"Shanghai", "Beijing", "Xi’an", "Zürich", "Harbin", "Łódź"}
	chinCity = []string{"上海", "北京", "西安", "苏黎世", "哈尔滨", "罗兹"}
)

// rarer chooses an index below n: each is chosen a third as often as the one before.
func rarer(r *rand.Rand, n int) int {
	i := 0
	for i < n-1 && r.IntN(3) == 0 {
		i++
	}
	return i
}

// largeCatalogue makes events with sessions before, around and after a moment. Many begin at the same time.
func largeCatalogue(now time.Time, n int) []ticketing.Event {
	r := rand.New(rand.NewPCG(1, 2))
	text := func(en, zh string) ticketing.Text { return ticketing.Text{"en": en, "zh-CN": zh} }
	states := []ticketing.EventState{ticketing.EventOnSale, ticketing.EventOnSale, ticketing.EventOnSale, ticketing.EventPaused, ticketing.EventPostponed, ticketing.EventEnded, ticketing.EventDraft}
	events := make([]ticketing.Event, n)
	for i := range events {
		e := storetest.Event(fmt.Sprintf("e%05d", i), 1)
		a, b := rarer(r, len(titles)), rarer(r, len(titles))
		e.Title, e.Summary = text(fmt.Sprintf("%s %d", titles[a], i), chinese[b]), text("Live: "+titles[b], "现场"+chinese[a])
		e.Kind, e.State = ticketing.Kinds[rarer(r, len(ticketing.Kinds))], states[r.IntN(len(states))]
		template := e.Sessions[0]
		e.Sessions = nil
		for j := range 1 + rarer(r, 4) {
			session := template
			session.ID = fmt.Sprintf("%s-s%d", e.ID, j)
			city := rarer(r, len(cities))
			hall := r.IntN(20)
			session.Venue.ID = fmt.Sprintf("%d-%d", city, hall)
			session.Venue.City, session.Venue.Name = text(cities[city], chinCity[city]), text(fmt.Sprintf("Hall %d", hall), fmt.Sprintf("%d号厅", hall))
			session.StartsAt = now.Add(time.Duration(r.IntN(300*24)-20*24) * time.Hour)
			session.EndsAt = session.StartsAt.Add(time.Duration(1+r.IntN(48)) * time.Hour)
			e.Sessions = append(e.Sessions, session)
		}
		events[i] = e
	}
	return events
}

// insert brings in events without ticket types.
func (s *scene) insert(events []ticketing.Event) {
	s.Helper()
	conn := s.connect()
	defer func() { _ = conn.Close(s.Context()) }()
	execute := func(sql string) {
		if _, err := conn.Exec(s.Context(), sql); err != nil {
			s.Fatal(err)
		}
	}
	execute("SET session_replication_role = replica") // no triggers: one statement is faster
	var eventRows, sessionRows, venueRows [][]any
	venues := map[string]bool{}
	for _, e := range events {
		eventRows = append(eventRows, []any{e.ID, e.OrganiserID, string(e.Kind), e.Title, e.Summary, string(e.State), 900, 0, 10})
		for _, session := range e.Sessions {
			sessionRows = append(sessionRows, []any{session.ID, e.ID, session.Venue.ID, session.StartsAt, session.EndsAt})
			if v := session.Venue; !venues[v.ID] {
				venues[v.ID] = true
				venueRows = append(venueRows, []any{v.ID, v.Name, v.City, v.Address, v.TimeZone})
			}
		}
	}
	for _, table := range []struct {
		name    string
		columns []string
		rows    [][]any
	}{
		{"organisers", []string{"id", "name"}, [][]any{{events[0].OrganiserID, events[0].Organiser}}},
		{"venues", []string{"id", "name", "city", "address", "time_zone"}, venueRows},
		{"events", []string{"id", "organiser_id", "kind", "title", "summary", "state", "hold_seconds", "order_fee", "max_per_order"}, eventRows},
		{"sessions", []string{"id", "event_id", "venue_id", "starts_at", "ends_at"}, sessionRows},
	} {
		if _, err := conn.CopyFrom(s.Context(), pgx.Identifier{table.name}, table.columns, pgx.CopyFromRows(table.rows)); err != nil {
			s.Fatal(err)
		}
	}
	execute("INSERT INTO listings (event_id, kind, words, places) SELECT event_id, kind, words, places FROM current_listings")
}

// fetched counts the rows that were read of the tables of the catalogue, and how often one of them was read as a whole.
func (s *scene) fetched() (rows, scans int) {
	s.Helper()
	gorm := s.Gorm().WithContext(s.Context())
	if err := gorm.Exec("SELECT pg_stat_force_next_flush()").Error; err != nil {
		s.Fatal(err)
	}
	err := gorm.Raw(`SELECT sum(idx_tup_fetch)::bigint, sum(seq_scan)::bigint FROM pg_stat_user_tables
		WHERE relname IN ('events', 'sessions', 'venues', 'listings')`).Row().Scan(&rows, &scans)
	if err != nil {
		s.Fatal(err)
	}
	return rows, scans
}

// TestTenThousandEventsAreListedAsOneLookAtAllOfThemWould compares all pages with a filter in memory, and bounds what the
// first one reads.
func TestTenThousandEventsAreListedAsOneLookAtAllOfThemWould(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Microsecond)
	events := largeCatalogue(now.Truncate(time.Hour), 10_000)
	s := &scene{TB: t, url: storetest.Database(t)}
	// One connection, so that what it reads can be told. The plans it made for empty tables have to do for full ones.
	s.Store = must(store.Open(t.Context(), store.Config{URL: s.url, Keyring: storetest.Keyring(), MaxConnections: 1}))(t)
	defer s.Close()
	s.finds(ticketing.EventFilter{})
	s.finds(ticketing.EventFilter{Text: "x", City: "x"})
	s.insert(events)
	texts := slices.Concat([]string{
		"", "", "live", "e", "n", "quay", "LEON", "opera", "夜", "之", "现场爵士", "现场", "交响乐", "莱", "jazz 之夜", "hall", "9", "123", "nothing", "leon łódź",
	}, titles, chinese, chinCity)
	times := []time.Duration{-10 * 24 * time.Hour, -time.Hour, 0, time.Hour, 24 * time.Hour, 30 * 24 * time.Hour, 200 * 24 * time.Hour}
	_, scans := s.fetched()
	most := 0
	rapid.Check(t, func(rt *rapid.T) {
		f := ticketing.EventFilter{
			Now: now, Text: rapid.SampledFrom(texts).Draw(rt, "text"), Kind: rapid.SampledFrom(append([]ticketing.Kind{"", "", ""}, ticketing.Kinds...)).Draw(rt, "kind"),
			City:  rapid.SampledFrom(slices.Concat([]string{"", "", "", "none"}, cities, chinCity)).Draw(rt, "city"),
			Venue: rapid.SampledFrom([]string{"", "", "", "", "0-3", "hall 7", "5号厅"}).Draw(rt, "venue"),
			Limit: 50,
		}
		if rapid.Bool().Draw(rt, "bounded") {
			f.From = now.Truncate(time.Hour).Add(rapid.SampledFrom(times).Draw(rt, "from"))
			f.To = f.From.Add(rapid.SampledFrom(times).Draw(rt, "days"))
		}
		before, _ := s.fetched()
		if _, _, err := s.FindEvents(t.Context(), f); err != nil {
			rt.Fatal(err)
		}
		rows, _ := s.fetched()
		if most = max(most, rows-before); rows-before > 6000 { // of some 45,000
			rt.Errorf("%d rows were read for a page", rows-before)
		}
		want := naive(events, f)
		f.Limit = max(rapid.SampledFrom([]int{1, 7, 100, 1000}).Draw(rt, "limit"), len(want)/20)
		if have := s.paged(f); !slices.EqualFunc(have, want, func(a, b ticketing.ListingKey) bool { return a.EventID == b.EventID && a.StartsAt.Equal(b.StartsAt) }) {
			rt.Errorf("%d found, want %d", len(have), len(want))
		}
	})
	if _, now := s.fetched(); now != scans {
		t.Errorf("tables were read as a whole %d times", now-scans)
	}
	t.Logf("at most %d rows were read for a page", most)

	before, _ := s.fetched()
	found := must(s.Cities(t.Context()))(t)
	if rows, _ := s.fetched(); rows-before > 6000 {
		t.Errorf("%d rows were read for %d cities", rows-before, len(found))
	}
	listed := map[string]string{}
	for _, key := range naive(events, ticketing.EventFilter{Now: now}) {
		for _, e := range events {
			for _, session := range e.Sessions {
				if e.ID == key.EventID && session.EndsAt.After(now) {
					listed[session.Venue.City["en"]] = session.Venue.City["zh-CN"]
				}
			}
		}
	}
	told := map[string]string{}
	for _, city := range found {
		told[city["en"]] = city["zh-CN"]
	}
	if !maps.Equal(listed, told) || len(found) != len(told) {
		t.Errorf("cities %v, want %v", found, listed)
	}
}
