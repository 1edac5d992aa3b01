-- Events are found by any part of a word in any language, by place and kind, soonest first. Who moved them from one state
-- to another is kept, and why.

-- +goose Up

-- One spelling of what is meant to be the same: width, case and accents make no difference, whatever the database's locale.
CREATE FUNCTION search_fold(words text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN
    normalize(lower(regexp_replace(normalize(words, NFKD), '[\u0300-\u036F]', '', 'g') COLLATE "und-x-icu"), NFKC);

-- Every character of a folded text and every two that follow each other: what is found by, whether a language puts spaces
-- between its words or not. Nothing spans a space.
CREATE FUNCTION search_grams(folded text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN (
    SELECT coalesce(array_agg(DISTINCT gram COLLATE "C"), '{}')
    FROM unnest(string_to_array(folded, NULL), (string_to_array(folded, NULL))[2:]) AS pair (c, next),
        LATERAL (VALUES (c), (CASE WHEN next COLLATE "C" > ' ' THEN c || next END)) AS g (gram)
    WHERE c COLLATE "C" > ' ' AND gram IS NOT NULL);

CREATE FUNCTION search_words(asked text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN
    array_remove(regexp_split_to_array(search_fold(asked), '[\x01-\x20]+'), '');

-- The grams that every text has in which all asked words occur.
CREATE FUNCTION search_asked(asked text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN (
    SELECT coalesce(array_agg(DISTINCT gram COLLATE "C"), '{}') FROM unnest(search_words(asked)) AS word, unnest(search_grams(word)) AS gram
    WHERE length(gram) = least(length(word), 2));

-- For LIKE ALL: having the grams is not having the words.
CREATE FUNCTION search_patterns(asked text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN (
    SELECT coalesce(array_agg('%' || regexp_replace(word, '([\\%_])', '\\\1', 'g') || '%'), '{}') FROM unnest(search_words(asked)) AS word);

-- By what a venue is asked for: its city in any language, itself by id or name.
CREATE FUNCTION search_places(id text, name jsonb, city jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN (
    SELECT array_agg(DISTINCT place COLLATE "C") FROM (
        SELECT 'city=' || search_fold(value) FROM jsonb_each_text(city)
        UNION ALL SELECT 'venue=' || search_fold(value) FROM jsonb_each_text(name)
        UNION ALL SELECT 'venue=' || search_fold(id)) AS known (place));
CREATE INDEX venues_places ON venues USING gin (search_places(id, name, city));

CREATE VIEW current_listings AS
SELECT e.id AS event_id, e.kind,
    (SELECT search_fold(string_agg(DISTINCT said COLLATE "C", E'\n')) FROM (
        SELECT value FROM jsonb_each_text(e.title) UNION ALL SELECT value FROM jsonb_each_text(e.summary)
        UNION ALL SELECT o.name FROM organisers o WHERE o.id = e.organiser_id
        UNION ALL SELECT t.value FROM venues v, LATERAL (SELECT * FROM jsonb_each_text(v.name) UNION ALL SELECT * FROM jsonb_each_text(v.city)) t
            WHERE v.id IN (SELECT venue_id FROM sessions s WHERE s.event_id = e.id)) AS texts (said)) COLLATE "C" AS words,
    ARRAY(SELECT DISTINCT place COLLATE "C" FROM venues v, unnest(search_places(v.id, v.name, v.city)) AS place
        WHERE v.id IN (SELECT venue_id FROM sessions s WHERE s.event_id = e.id) ORDER BY 1) COLLATE "C" AS places
FROM events e WHERE e.state IN ('ON_SALE', 'PAUSED', 'POSTPONED');
COMMENT ON VIEW current_listings IS 'What buyers find, and by what: words is title, summary, organiser, venues and cities in every language, folded.';

CREATE TABLE listings (
    event_id text PRIMARY KEY REFERENCES events ON DELETE CASCADE,
    kind     text NOT NULL,
    words    text COLLATE "C" NOT NULL,
    places   text[] COLLATE "C" NOT NULL,
    terms    text[] COLLATE "C" NOT NULL GENERATED ALWAYS AS (search_grams(words) || places || ARRAY['kind=' || kind]) STORED
);
COMMENT ON TABLE listings IS 'current_listings, as triggers keep it.';
CREATE INDEX listings_terms ON listings USING gin (terms) WITH (fastupdate = off);

-- +goose StatementBegin
CREATE FUNCTION refresh_listing(event text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    fresh current_listings%ROWTYPE;
BEGIN
    -- One after the other: the last one sees what all have changed.
    PERFORM FROM events WHERE id = event FOR NO KEY UPDATE;
    SELECT * INTO fresh FROM current_listings c WHERE c.event_id = event;
    IF NOT FOUND THEN
        DELETE FROM listings l WHERE l.event_id = event;
    ELSIF NOT EXISTS (SELECT FROM listings l WHERE (l.event_id, l.kind, l.words, l.places) = (event, fresh.kind, fresh.words, fresh.places)) THEN
        INSERT INTO listings (event_id, kind, words, places) VALUES (event, fresh.kind, fresh.words, fresh.places)
        ON CONFLICT (event_id) DO UPDATE SET kind = excluded.kind, words = excluded.words, places = excluded.places;
    END IF;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION refresh_listings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    CASE TG_TABLE_NAME
    WHEN 'events' THEN
        PERFORM refresh_listing(NEW.id);
    WHEN 'sessions' THEN
        IF TG_OP <> 'INSERT' THEN
            PERFORM refresh_listing(OLD.event_id);
        END IF;
        IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND NEW.event_id <> OLD.event_id THEN
            PERFORM refresh_listing(NEW.event_id);
        END IF;
    WHEN 'venues' THEN
        PERFORM refresh_listing(event_id) FROM (SELECT DISTINCT event_id FROM sessions WHERE venue_id = NEW.id ORDER BY event_id) AS here;
    WHEN 'organisers' THEN
        PERFORM refresh_listing(id) FROM events WHERE organiser_id = NEW.id ORDER BY id;
    END CASE;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- Prices and stock, which change more often, are not among what an event is found by.
CREATE TRIGGER events_listing AFTER INSERT OR UPDATE OF organiser_id, kind, title, summary, state ON events
    FOR EACH ROW EXECUTE FUNCTION refresh_listings();
CREATE TRIGGER sessions_listing AFTER INSERT OR DELETE OR UPDATE OF event_id, venue_id ON sessions
    FOR EACH ROW EXECUTE FUNCTION refresh_listings();
CREATE TRIGGER venues_listing AFTER UPDATE OF name, city ON venues FOR EACH ROW EXECUTE FUNCTION refresh_listings();
CREATE TRIGGER organisers_listing AFTER UPDATE OF name ON organisers FOR EACH ROW EXECUTE FUNCTION refresh_listings();
INSERT INTO listings (event_id, kind, words, places) SELECT event_id, kind, words, places FROM current_listings;

-- In the order of a listing; sessions under way, which began long ago, are found apart.
DROP INDEX sessions_start;
CREATE INDEX sessions_start ON sessions (starts_at, event_id);
CREATE INDEX sessions_during ON sessions USING gist (tstzrange(starts_at, ends_at));

CREATE TABLE event_history (
    event_id   text NOT NULL REFERENCES events,
    sequence   integer NOT NULL CHECK (sequence > 0),
    from_state text NOT NULL,
    to_state   text NOT NULL,
    moved_by   text NOT NULL CHECK (moved_by <> ''),
    reason     text NOT NULL,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (event_id, sequence),
    FOREIGN KEY (from_state, to_state) REFERENCES event_moves
);
COMMENT ON TABLE event_history IS 'Every move of an event. Written by a trigger, so that none is missing; who and why come from settings of the transaction.';
CREATE TRIGGER event_history_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_history
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- +goose StatementBegin
CREATE FUNCTION note_event_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO event_history (event_id, sequence, from_state, to_state, moved_by, reason)
    SELECT NEW.id, count(*) + 1, OLD.state, NEW.state,
        coalesce(nullif(current_setting('boxoffice.moved_by', true), ''), 'database user ' || session_user),
        coalesce(current_setting('boxoffice.reason', true), '')
    FROM event_history WHERE event_id = NEW.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER events_history AFTER UPDATE OF state ON events
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION note_event_move();

-- +goose Down
DROP TRIGGER events_history ON events;
DROP TABLE event_history;
DROP FUNCTION note_event_move;
DROP INDEX sessions_start, sessions_during, venues_places;
CREATE INDEX sessions_start ON sessions (starts_at);
DROP TRIGGER events_listing ON events;
DROP TRIGGER sessions_listing ON sessions;
DROP TRIGGER venues_listing ON venues;
DROP TRIGGER organisers_listing ON organisers;
DROP TABLE listings;
DROP FUNCTION refresh_listings, refresh_listing;
DROP VIEW current_listings;
DROP FUNCTION search_places, search_patterns, search_asked, search_words, search_grams, search_fold;
