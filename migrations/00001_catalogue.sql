-- What is sold: organisers, venues, events with their sessions, ticket types, prices and stock.

-- +goose Up
CREATE TABLE organisers (
    id   text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_-]{1,64}$'),
    name text NOT NULL CHECK (name <> '')
);

CREATE TABLE venues (
    id        text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_-]{1,64}$'),
    name      jsonb NOT NULL CHECK (name ? 'en' AND name ? 'zh-CN'),
    city      jsonb NOT NULL CHECK (city ? 'en' AND city ? 'zh-CN'),
    address   jsonb NOT NULL CHECK (address ? 'en' AND address ? 'zh-CN'),
    time_zone text NOT NULL CHECK (time_zone <> '')
);

CREATE TABLE event_moves (
    from_state text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
COMMENT ON TABLE event_moves IS 'The legal moves of events.state; a test compares them with package ticketing.';
INSERT INTO event_moves (from_state, to_state) VALUES
    ('DRAFT', 'ON_SALE'), ('DRAFT', 'CANCELLED'),
    ('ON_SALE', 'PAUSED'), ('ON_SALE', 'ENDED'), ('ON_SALE', 'CANCELLED'), ('ON_SALE', 'POSTPONED'),
    ('PAUSED', 'ON_SALE'), ('PAUSED', 'ENDED'), ('PAUSED', 'CANCELLED'), ('PAUSED', 'POSTPONED'),
    ('POSTPONED', 'ON_SALE'), ('POSTPONED', 'CANCELLED');

CREATE TABLE events (
    id            text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_-]{1,64}$'),
    organiser_id  text NOT NULL REFERENCES organisers,
    kind          text NOT NULL CHECK (kind IN ('cinema', 'concert', 'theatre', 'sport', 'journey')),
    title         jsonb NOT NULL CHECK (title ? 'en' AND title ? 'zh-CN'),
    summary       jsonb NOT NULL CHECK (summary ? 'en' AND summary ? 'zh-CN'),
    state         text NOT NULL CHECK (state IN ('DRAFT', 'ON_SALE', 'PAUSED', 'ENDED', 'CANCELLED', 'POSTPONED')),
    hold_seconds  integer NOT NULL CHECK (hold_seconds BETWEEN 1 AND 86400),
    order_fee     bigint NOT NULL CHECK (order_fee >= 0),
    max_per_order integer NOT NULL CHECK (max_per_order > 0),
    revision      bigint NOT NULL DEFAULT 1
);
COMMENT ON COLUMN events.revision IS
    'Grows with every change of the event, its sessions, ticket types, phases or capacities. A hold names the revision it was priced from.';

CREATE TABLE sessions (
    id        text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_-]{1,64}$'),
    event_id  text NOT NULL REFERENCES events,
    venue_id  text NOT NULL REFERENCES venues,
    starts_at timestamptz NOT NULL,
    ends_at   timestamptz NOT NULL CHECK (ends_at > starts_at),
    UNIQUE (id, event_id)
);
CREATE INDEX sessions_event ON sessions (event_id, starts_at);

CREATE TABLE ticket_types (
    id            text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_-]{1,64}$'),
    session_id    text NOT NULL REFERENCES sessions,
    position      integer NOT NULL,
    name          jsonb NOT NULL CHECK (name ? 'en' AND name ? 'zh-CN'),
    currency      text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    base_price    bigint NOT NULL CHECK (base_price >= 0),
    surcharge     bigint NOT NULL CHECK (surcharge >= 0),
    max_per_order integer NOT NULL CHECK (max_per_order > 0),
    sale_from     timestamptz NOT NULL,
    sale_until    timestamptz NOT NULL CHECK (sale_until > sale_from),
    UNIQUE (id, session_id)
);
CREATE INDEX ticket_types_session ON ticket_types (session_id, position);

CREATE TABLE price_phases (
    ticket_type_id text NOT NULL REFERENCES ticket_types ON DELETE CASCADE,
    starts_at      timestamptz NOT NULL,
    ends_at        timestamptz NOT NULL CHECK (ends_at > starts_at),
    name           jsonb NOT NULL CHECK (name ? 'en' AND name ? 'zh-CN'),
    base_price     bigint NOT NULL CHECK (base_price >= 0),
    PRIMARY KEY (ticket_type_id, starts_at)
);

-- The hottest rows of the system. Nothing but the primary key is indexed and pages keep room, so
-- that an update stays on its page.
CREATE TABLE stock (
    ticket_type_id text PRIMARY KEY REFERENCES ticket_types,
    capacity       integer NOT NULL CHECK (capacity >= 0),
    free           integer NOT NULL CHECK (free >= 0),
    held           integer NOT NULL DEFAULT 0 CHECK (held >= 0),
    sold           integer NOT NULL DEFAULT 0 CHECK (sold >= 0),
    blocked        integer NOT NULL DEFAULT 0 CHECK (blocked >= 0),
    CONSTRAINT stock_adds_up CHECK (free + held + sold + blocked = capacity)
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- +goose StatementBegin
CREATE FUNCTION refuse_illegal_event_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM event_moves m WHERE m.from_state = OLD.state AND m.to_state = NEW.state) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', TABLE = 'events', CONSTRAINT = 'events_legal_move',
            MESSAGE = format('an event cannot go from %s to %s', OLD.state, NEW.state);
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER events_legal_move BEFORE UPDATE OF state ON events
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION refuse_illegal_event_move();

-- +goose StatementBegin
CREATE FUNCTION count_event_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.revision := OLD.revision + 1;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER events_revision BEFORE UPDATE ON events
    FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION count_event_revision();

-- Each of these touches the event; events_revision does the counting.
-- +goose StatementBegin
CREATE FUNCTION touch_event_of_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE events SET revision = revision + 1 WHERE id = OLD.event_id;
    END IF;
    IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND NEW.event_id <> OLD.event_id THEN
        UPDATE events SET revision = revision + 1 WHERE id = NEW.event_id;
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION touch_event_of_ticket_type() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed text := CASE WHEN TG_OP = 'DELETE' THEN OLD.session_id ELSE NEW.session_id END;
BEGIN
    UPDATE events SET revision = revision + 1 WHERE id = (SELECT event_id FROM sessions WHERE id = changed);
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION touch_event_of_price() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed text := CASE WHEN TG_OP = 'DELETE' THEN OLD.ticket_type_id ELSE NEW.ticket_type_id END;
BEGIN
    UPDATE events SET revision = revision + 1
    WHERE id = (SELECT s.event_id FROM ticket_types t JOIN sessions s ON s.id = t.session_id WHERE t.id = changed);
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION touch_events_of_venue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE events SET revision = revision + 1 WHERE id IN (SELECT event_id FROM sessions WHERE venue_id = NEW.id);
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION touch_events_of_organiser() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE events SET revision = revision + 1 WHERE organiser_id = NEW.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER sessions_insert AFTER INSERT OR DELETE ON sessions
    FOR EACH ROW EXECUTE FUNCTION touch_event_of_session();
CREATE TRIGGER sessions_update AFTER UPDATE ON sessions
    FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION touch_event_of_session();
CREATE TRIGGER ticket_types_insert AFTER INSERT OR DELETE ON ticket_types
    FOR EACH ROW EXECUTE FUNCTION touch_event_of_ticket_type();
CREATE TRIGGER ticket_types_update AFTER UPDATE ON ticket_types
    FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION touch_event_of_ticket_type();
CREATE TRIGGER price_phases_insert AFTER INSERT OR DELETE ON price_phases
    FOR EACH ROW EXECUTE FUNCTION touch_event_of_price();
CREATE TRIGGER price_phases_update AFTER UPDATE ON price_phases
    FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION touch_event_of_price();
CREATE TRIGGER stock_insert AFTER INSERT ON stock
    FOR EACH ROW EXECUTE FUNCTION touch_event_of_price();
-- Only statements that name the column: sales cost nothing.
CREATE TRIGGER stock_capacity AFTER UPDATE OF capacity ON stock
    FOR EACH ROW WHEN (OLD.capacity <> NEW.capacity) EXECUTE FUNCTION touch_event_of_price();
CREATE TRIGGER venues_update AFTER UPDATE ON venues
    FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION touch_events_of_venue();
CREATE TRIGGER organisers_update AFTER UPDATE ON organisers
    FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION touch_events_of_organiser();

-- +goose Down
DROP TABLE stock, price_phases, ticket_types, sessions, events, event_moves, venues, organisers;
DROP FUNCTION refuse_illegal_event_move, count_event_revision, touch_event_of_session, touch_event_of_ticket_type,
    touch_event_of_price, touch_events_of_venue, touch_events_of_organiser;
