package store_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/unicode/norm"

	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// finds returns the ids of the events a filter finds, all on one page.
func (s *scene) finds(f ticketing.EventFilter) []string {
	s.Helper()
	if f.Now.IsZero() {
		f.Now = time.Now()
	}
	f.Limit = 1000
	found, more, err := s.FindEvents(s.Context(), f)
	if err != nil || more {
		s.Fatalf("%+v: more %v, %v", f, more, err)
	}
	ids := []string{}
	for _, k := range found {
		ids = append(ids, k.EventID)
	}
	return ids
}

// named is an event at a venue called like its city, n days from now.
func named(id, title, chinese, city, chineseCity string, days int) ticketing.Event {
	e := storetest.Event(id, 5)
	e.Title = ticketing.Text{"en": title, "zh-CN": chinese}
	e.Summary = ticketing.Text{"en": "An evening.", "zh-CN": "一晚。"}
	at := time.Now().Add(time.Duration(days) * 24 * time.Hour).UTC().Truncate(time.Second)
	e.Sessions[0].StartsAt, e.Sessions[0].EndsAt = at, at.Add(2*time.Hour)
	v := &e.Sessions[0].Venue
	v.ID, v.Name, v.City = "at-"+id, ticketing.Text{"en": city + " Opera", "zh-CN": chineseCity + "大剧院"}, ticketing.Text{"en": city, "zh-CN": chineseCity}
	return e
}

func TestEventsAreFoundByAnyPartOfAWordInBothLanguages(t *testing.T) {
	t.Parallel()
	s := newScene(t,
		named("swan", "Swan Lake, a ballet", "天鹅湖 芭蕾舞剧", "Shanghai", "上海", 1),
		named("carmen", "Carmen: ¡L’Opéra Éternel!", "卡门", "Beijing", "北京", 2),
		named("sale", "100% Jazz_Night \\ live", "爵士之夜", "Xi’an", "西安", 3),
		named("wide", "ＦＵＬＬ ｗｉｄｔｈ", "东方明珠之夜：上海交响乐", "Zürich", "苏黎世", 4),
		named("greek", "ΑΝΤΙΓΟΝΗ", "安提戈涅", "Łódź", "罗兹", 5),
	)
	all := []string{"swan", "carmen", "sale", "wide", "greek"}
	for text, want := range map[string][]string{
		"":                                all,
		"  \u3000 ":                       all,
		"swan":                            {"swan"},
		"SWAN":                            {"swan"},
		"ballet swan":                     {"swan"}, // in any order
		"wan ake":                         {"swan"}, // inside of words
		"s":                               {"swan"},
		"swan carmen":                     {}, // every word
		"swanlake":                        {}, // nothing spans a space
		"opera eternel":                   {"carmen"},
		"ÉTERNEL":                         {"carmen"},
		"e\u0301ternel":                   {"carmen"}, // taken apart
		"full width":                      {"wide"},
		"ｓｗａｎ":                            {"swan"},
		"zurich":                          {"wide"},
		"ZÜRICH":                          {"wide"},
		"łódź":                            {"greek"},
		"ŁODZ":                            {"greek"},
		"αντιγόνη":                        {"greek"},
		"湖":                               {"swan"},
		"天鹅":                              {"swan"},
		"天鹅湖":                             {"swan"},
		"鹅湖 芭蕾":                           {"swan"},
		"天鹅湖　芭蕾":                          {"swan"},
		"天湖":                              {},
		"之夜":                              {"sale", "wide"},
		"上海":                              {"swan", "wide"}, // a city, and a title
		"夜":                               {"sale", "wide"},
		"东方明珠之夜":                          {"wide"},
		"东方明珠的夜":                          {},
		"jazz 爵士":                         {"sale"}, // languages mixed
		"100%":                            {"sale"},
		"1_0":                             {},
		"%":                               {"sale"},
		"_":                               {"sale"},
		"\\":                              {"sale"},
		"quay hall":                       all, // the organiser
		"beijing opera":                   {"carmen"},
		"大剧院":                             all,
		"'; DROP TABLE events; --":        {},
		"nothing of all this is anywhere": {},
	} {
		if found := s.finds(ticketing.EventFilter{Text: text}); !slices.Equal(found, want) {
			t.Errorf("%q finds %v, want %v", text, found, want)
		}
	}
	for _, c := range []struct {
		city, venue string
		want        []string
	}{
		{"shanghai", "", []string{"swan"}},
		{"上海", "", []string{"swan"}},
		{"ZURICH", "", []string{"wide"}},
		{"shang", "", []string{}}, // a whole name
		{"", "at-carmen", []string{"carmen"}},
		{"", "北京大剧院", []string{"carmen"}},
		{"Beijing", "beijing opera", []string{"carmen"}},
		{"Beijing", "Shanghai Opera", []string{}},
		{"Shanghai Opera", "", []string{}},
	} {
		if found := s.finds(ticketing.EventFilter{City: c.city, Venue: c.venue}); !slices.Equal(found, c.want) {
			t.Errorf("in %q at %q there are %v, want %v", c.city, c.venue, found, c.want)
		}
	}
}

// naive finds what FindEvents finds by looking at everything.
func naive(events []ticketing.Event, f ticketing.EventFilter) []ticketing.ListingKey {
	folded := func(s string) string {
		return norm.NFKC.String(strings.ToLower(runes.Remove(runes.In(unicode.Mn)).String(norm.NFKD.String(s))))
	}
	called := func(name string, texts ...ticketing.Text) bool {
		return slices.ContainsFunc(texts, func(t ticketing.Text) bool {
			return folded(name) == folded(t["en"]) || folded(name) == folded(t["zh-CN"])
		})
	}
	keys := []ticketing.ListingKey{}
	for _, e := range events {
		if !slices.Contains([]ticketing.EventState{ticketing.EventOnSale, ticketing.EventPaused, ticketing.EventPostponed}, e.State) || f.Kind != "" && e.Kind != f.Kind {
			continue
		}
		said := []string{e.Title["en"], e.Title["zh-CN"], e.Summary["en"], e.Summary["zh-CN"], e.Organiser}
		first := ticketing.ListingKey{EventID: e.ID}
		for _, session := range e.Sessions {
			v := session.Venue
			said = append(said, v.Name["en"], v.Name["zh-CN"], v.City["en"], v.City["zh-CN"])
			if session.EndsAt.After(f.Now) && !session.StartsAt.Before(f.From) && (f.To.IsZero() || session.StartsAt.Before(f.To)) &&
				(f.City == "" || called(f.City, v.City)) && (f.Venue == "" || called(f.Venue, v.Name, ticketing.Text{"en": v.ID})) &&
				(first.StartsAt.IsZero() || session.StartsAt.Before(first.StartsAt)) {
				first.StartsAt = session.StartsAt
			}
		}
		text := folded(strings.Join(said, "\n"))
		if !first.StartsAt.IsZero() && !slices.ContainsFunc(strings.Fields(folded(f.Text)), func(word string) bool { return !strings.Contains(text, word) }) {
			keys = append(keys, first)
		}
	}
	slices.SortFunc(keys, func(a, b ticketing.ListingKey) int {
		return cmp.Or(a.StartsAt.Compare(b.StartsAt), cmp.Compare(a.EventID, b.EventID))
	})
	return keys
}

// paged reads all pages of a listing.
func (s *scene) paged(f ticketing.EventFilter) []ticketing.ListingKey {
	s.Helper()
	all := []ticketing.ListingKey{}
	for {
		page, more, err := s.FindEvents(s.Context(), f)
		if err != nil || len(page) > f.Limit || more && len(page) < f.Limit {
			s.Fatalf("%+v: a page of %d, more %v, %v", f, len(page), more, err)
		}
		all = append(all, page...)
		if !more {
			return all
		}
		f.After = page[len(page)-1]
	}
}
