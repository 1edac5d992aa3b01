package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/ticketing"
)

// What is rare is found by what is asked for, what is common in the order of time: up to maxHits events that have it are
// looked at one by one; when there are more, many a session has it and the first page is near. Either way what is read has
// to do with the page, not with how much there is on sale.
const (
	maxHits = 500
	// The sessions of one look along the calendar: at first, and at most.
	firstStride = 200
	lastStride  = 4000
)

// never is later than any session starts.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// hitsSQL turns what is asked for into patterns that every listing's words match, the venues of the place (NULL: anywhere), and
// the events that have it all, or more of them than are wanted. $1 text, $2 city, $3 venue, $4 kind, $5 how many.
const hitsSQL = `
WITH asked AS MATERIALIZED (
    SELECT search_asked($1) AS grams, search_patterns($1) AS patterns,
        array_remove(ARRAY['city=' || search_fold(nullif($2, '')), 'venue=' || search_fold(nullif($3, ''))], NULL) AS place
)
SELECT patterns,
    CASE WHEN place <> '{}' THEN ARRAY(SELECT v.id FROM venues v WHERE search_places(v.id, v.name, v.city) @> place) END,
    ARRAY(SELECT event_id FROM listings
        WHERE terms @> (grams || place || array_remove(ARRAY['kind=' || nullif($4, '')], NULL)) AND words LIKE ALL (patterns)
        LIMIT $5)
FROM asked`

// fitsSQL says whether session %s fits, but for what its event is: $1 now, $2 from, $3 to, $4 venues.
const fitsSQL = `%[1]s.ends_at > $1 AND %[1]s.starts_at >= $2 AND %[1]s.starts_at < $3 AND ($4::text[] IS NULL OR %[1]s.venue_id = ANY($4))`

// firstSQL selects the first session of event n.event_id that fits.
var firstSQL = `SELECT s.id, s.starts_at FROM sessions s WHERE s.event_id = n.event_id AND ` + fmt.Sprintf(fitsSQL, "s") + ` ORDER BY s.starts_at, s.id LIMIT 1`

// rareSQL lists events $5 by their first session that fits, after ($6, $7), $8 at most.
var rareSQL = `
SELECT first.starts_at, n.event_id FROM unnest($5::text[]) AS n (event_id), LATERAL (` + firstSQL + `) AS first
WHERE (first.starts_at, n.event_id) > ($6, $7) ORDER BY first.starts_at, n.event_id LIMIT $8`

// showsSQL says of sessions n whether their event is listed by them: $5 kind, $6 patterns. Its subqueries cannot be turned into
// joins, which would read more than is asked of these sessions.
var showsSQL = `
SELECT n.starts_at, n.event_id, (` + fmt.Sprintf(fitsSQL, "n") + `
    AND (SELECT ($5 = '' OR l.kind = $5) AND l.words LIKE ALL ($6) FROM listings l WHERE l.event_id = n.event_id)
    AND n.id = (SELECT id FROM (` + firstSQL + `) AS first)) IS TRUE AS shows
FROM n ORDER BY n.starts_at, n.event_id`

// underWaySQL looks at the sessions that have begun and are not over, upcomingSQL at the next $9 of the calendar; both after ($7, $8).
// A look ends with every session of its last key, so that the next one misses none.
var (
	underWaySQL = `WITH n AS MATERIALIZED (SELECT id, starts_at, ends_at, event_id, venue_id FROM sessions
	WHERE tstzrange(starts_at, ends_at) @> $1::timestamptz AND (starts_at, event_id) > ($7, $8))` + showsSQL
	upcomingSQL = `WITH n AS MATERIALIZED (SELECT id, starts_at, ends_at, event_id, venue_id FROM sessions
	WHERE (starts_at, event_id) > ($7, $8) ORDER BY starts_at, event_id FETCH FIRST $9 ROWS WITH TIES)` + showsSQL
)

// FindEvents finds events that buyers may choose from, those on sale, paused or postponed with a session that fits,
// soonest first. more says that there are others after them.
func (s *Store) FindEvents(ctx context.Context, f ticketing.EventFilter) (found []ticketing.ListingKey, more bool, err error) {
	if f.To.IsZero() {
		f.To = never
	}
	err = s.retry(ctx, "find events", func(ctx context.Context) (err error) {
		found, err = s.findEvents(ctx, f)
		return err
	})
	if more = len(found) > f.Limit; more {
		found = found[:f.Limit]
	}
	for i := range found {
		found[i].StartsAt = found[i].StartsAt.UTC()
	}
	return found, more, err
}

// findEvents finds one event more than asked for, if there is one.
func (s *Store) findEvents(ctx context.Context, f ticketing.EventFilter) (found []ticketing.ListingKey, err error) {
	var patterns, venues, hits []string
	if f.Text+f.City+f.Venue+string(f.Kind) == "" {
		patterns = []string{}
	} else if err := s.pool.QueryRow(ctx, hitsSQL, f.Text, f.City, f.Venue, f.Kind, maxHits+1).Scan(&patterns, &venues, &hits); err != nil {
		return nil, err
	} else if len(hits) <= maxHits {
		rows, err := s.pool.Query(ctx, rareSQL, f.Now, f.From, f.To, venues, hits, f.After.StartsAt, f.After.EventID, f.Limit+1)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, pgx.RowToStructByPos[ticketing.ListingKey])
	}
	look := func(sql string, after ticketing.ListingKey, stride ...any) (seen int, last ticketing.ListingKey, err error) {
		rows, err := s.pool.Query(ctx, sql, append([]any{f.Now, f.From, f.To, venues, f.Kind, patterns, after.StartsAt, after.EventID}, stride...)...)
		if err != nil {
			return 0, last, err
		}
		var shows bool
		_, err = pgx.ForEachRow(rows, []any{&last.StartsAt, &last.EventID, &shows}, func() error {
			if seen++; shows {
				found = append(found, last)
			}
			return nil
		})
		return seen, last, err
	}
	at := f.After
	if !at.StartsAt.After(f.Now) {
		if _, _, err := look(underWaySQL, at); err != nil {
			return nil, err
		}
		at = ticketing.ListingKey{StartsAt: f.Now.Add(time.Microsecond)} // what begins now is under way
	}
	if f.From.After(at.StartsAt) {
		at = ticketing.ListingKey{StartsAt: f.From}
	}
	for stride := firstStride; len(found) <= f.Limit; stride = min(2*stride, lastStride) {
		seen, last, err := look(upcomingSQL, at, stride)
		if err != nil || seen < stride || !last.StartsAt.Before(f.To) {
			return found, err
		}
		at = last
	}
	return found, nil
}
