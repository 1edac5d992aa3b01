-- Which cities have something to choose from, without reading every session.

-- +goose Up
CREATE INDEX sessions_venue ON sessions (venue_id, ends_at);

-- +goose Down
DROP INDEX sessions_venue;
