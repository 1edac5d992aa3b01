package store_test

import (
	"testing"

	"github.com/boxoffice/boxoffice/store/storetest"
)

// cataloguePlants break the rules of what is told about events.
var cataloguePlants = map[string]string{
	"buyers find exactly the events that are on sale, paused or postponed, by what they are called now": "UPDATE venues SET city = '{\"en\": \"Elsewhere\", \"zh-CN\": \"别处\"}'",
	"the moves of an event follow one another to the state it has":                                      "INSERT INTO event_history (event_id, sequence, from_state, to_state, moved_by, reason) VALUES ('show', 1, 'ON_SALE', 'PAUSED', 'ada', 'x')",
}

func TestWhateverChangesAnEventIsFoundByItsNewNames(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Event("show", 5), storetest.Event("other", 5), storetest.Event("third", 5))
	for _, change := range []string{
		`UPDATE venues SET name = '{"en": "Barn", "zh-CN": "谷仓"}'`,
		`UPDATE venues SET city = '{"en": "Suzhou", "zh-CN": "苏州"}'`,
		"UPDATE organisers SET name = 'Another'",
		`UPDATE events SET title = '{"en": "Title", "zh-CN": "标题"}', summary = '{"en": "Summary", "zh-CN": "简介"}', kind = 'theatre' WHERE id = 'show'`,
		"INSERT INTO organisers VALUES ('second', 'Second')",
		"UPDATE events SET organiser_id = 'second' WHERE id = 'other'",
		`INSERT INTO venues VALUES ('v2', '{"en": "Loft", "zh-CN": "阁楼"}', '{"en": "Wuxi", "zh-CN": "无锡"}', '{"en": "x", "zh-CN": "x"}', 'UTC')`,
		"INSERT INTO sessions (id, event_id, venue_id, starts_at, ends_at) VALUES ('s2', 'show', 'v2', now(), now() + interval '1 day')",
		"UPDATE sessions SET venue_id = 'hall' WHERE id = 's2'",
		"UPDATE sessions SET venue_id = 'v2' WHERE id = 's2'",
		"UPDATE sessions SET event_id = 'other' WHERE id = 's2'",
		"DELETE FROM notices; DELETE FROM sessions WHERE id = 's2'",
		"UPDATE events SET state = 'PAUSED' WHERE id = 'show'",
		"UPDATE events SET state = 'ENDED' WHERE id = 'show'",
		"UPDATE events SET state = 'POSTPONED' WHERE id = 'other'",
		"UPDATE events SET state = 'CANCELLED' WHERE id = 'other'",
		"DELETE FROM stock; DELETE FROM ticket_types; DELETE FROM sessions WHERE event_id = 'third'; DELETE FROM events WHERE id = 'third'",
	} {
		s.execute(change)
		for _, v := range must(s.AuditAfter(t.Context(), 0))(t) {
			t.Errorf("after %s: %v", change, v)
		}
	}
}
