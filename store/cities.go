package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/ticketing"
)

// Cities lists the cities that have a session to choose from which is not over by the database's clock, by their English names.
func (s *Store) Cities(ctx context.Context) ([]ticketing.Text, error) {
	// Subqueries that cannot be turned into joins: one look at a venue finds a session or none, however many there are.
	return list(ctx, s, "list the cities", pgx.RowTo[ticketing.Text], `SELECT DISTINCT ON (city->>'en', city) city FROM venues v
		WHERE (SELECT true FROM sessions s WHERE s.venue_id = v.id AND s.ends_at > now()
			AND (SELECT true FROM listings l WHERE l.event_id = s.event_id) LIMIT 1)
		ORDER BY city->>'en', city`)
}
