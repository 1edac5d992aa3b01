-- Numbered seats: the maps of halls, which seats of a session are taken and by which orders, and which organisers keep back.

-- +goose Up
CREATE TABLE seat_maps (
    id         text NOT NULL CHECK (id ~ '^[A-Za-z0-9_-]{1,64}$'),
    version    integer NOT NULL CHECK (version > 0),
    document   jsonb NOT NULL CHECK (jsonb_typeof(document) = 'object'),
    -- How many seats each category has that has any.
    seats      jsonb NOT NULL CHECK (jsonb_typeof(seats) = 'object'),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id, version)
);
COMMENT ON TABLE seat_maps IS 'Plans of halls as JSON (docs/seat-maps.md). A version never changes: seats were sold by it.';
CREATE TRIGGER seat_maps_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON seat_maps
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

ALTER TABLE sessions
    ADD COLUMN seat_map_id      text,
    ADD COLUMN seat_map_version integer,
    ADD CONSTRAINT sessions_seat_map FOREIGN KEY (seat_map_id, seat_map_version) REFERENCES seat_maps MATCH FULL;

-- +goose StatementBegin
CREATE FUNCTION refuse_new_seat_map() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM orders WHERE session_id = OLD.id) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', TABLE = 'sessions', CONSTRAINT = 'sessions_seat_map_stays',
            MESSAGE = 'a session keeps the seat map by which it was sold';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER sessions_seat_map_stays BEFORE UPDATE OF seat_map_id, seat_map_version ON sessions
    FOR EACH ROW WHEN ((OLD.seat_map_id, OLD.seat_map_version) IS DISTINCT FROM (NEW.seat_map_id, NEW.seat_map_version))
    EXECUTE FUNCTION refuse_new_seat_map();

ALTER TABLE ticket_types
    ADD COLUMN seat_category   text CHECK (seat_category <> ''),
    -- The category has numbered seats, as opposed to areas.
    ADD COLUMN seated          boolean NOT NULL DEFAULT false,
    ADD COLUMN seat_assignment text NOT NULL DEFAULT 'best' CHECK (seat_assignment IN ('best', 'random')),
    ADD CONSTRAINT ticket_types_seated CHECK (NOT seated OR seat_category IS NOT NULL);
-- So that what is free of a ticket type is what is free of its seats.
CREATE UNIQUE INDEX ticket_types_seat_category ON ticket_types (session_id, seat_category) WHERE seat_category IS NOT NULL;

-- Up to 63 seats of one row of a session, a bit each. The seats of a category are taken and given back by whoever has
-- locked the stock of its ticket type; words are locked after stock, in ascending order.
CREATE TABLE seat_words (
    session_id text NOT NULL REFERENCES sessions,
    word       integer NOT NULL CHECK (word >= 0),
    seats      bigint NOT NULL CHECK (seats > 0),
    -- Held, sold or blocked; of these, what is sold and what is blocked.
    taken      bigint NOT NULL DEFAULT 0,
    sold       bigint NOT NULL DEFAULT 0,
    blocked    bigint NOT NULL DEFAULT 0,
    -- The transaction that changed it last, by which readers ask for what is new.
    changed    bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    PRIMARY KEY (session_id, word),
    CONSTRAINT seat_words_exist CHECK (taken & ~seats = 0),
    CONSTRAINT seat_words_add_up CHECK ((sold | blocked) & ~taken = 0 AND sold & blocked = 0)
) WITH (fillfactor = 50);
-- +goose StatementBegin
CREATE FUNCTION note_seat_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER seat_words_changed BEFORE UPDATE ON seat_words FOR EACH ROW EXECUTE FUNCTION note_seat_change();

CREATE TABLE order_seats (
    order_id       text NOT NULL,
    ticket_type_id text NOT NULL,
    session_id     text NOT NULL,
    word           integer NOT NULL,
    bit            integer NOT NULL CHECK (bit BETWEEN 0 AND 62),
    state          text NOT NULL CHECK (state IN ('HELD', 'RELEASED', 'SOLD')),
    ticket_id      text UNIQUE REFERENCES tickets,
    PRIMARY KEY (order_id, word, bit),
    FOREIGN KEY (order_id, ticket_type_id) REFERENCES order_lines,
    -- Its word is not referenced: that would have all of this table searched for every word of a map that is replaced.
    FOREIGN KEY (order_id, session_id) REFERENCES orders (id, session_id),
    CONSTRAINT order_seats_ticket CHECK (ticket_id IS NULL OR state <> 'HELD')
) WITH (fillfactor = 80);
-- The last word: a seat is held by, or sold to, at most one order.
CREATE UNIQUE INDEX order_seats_once ON order_seats (session_id, word, bit) WHERE state <> 'RELEASED';

CREATE TABLE seat_blocks (
    session_id text NOT NULL,
    word       integer NOT NULL,
    bit        integer NOT NULL CHECK (bit BETWEEN 0 AND 62),
    category   text NOT NULL,
    note       text NOT NULL DEFAULT '',
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (session_id, word, bit),
    FOREIGN KEY (session_id, word) REFERENCES seat_words
);
COMMENT ON TABLE seat_blocks IS 'Seats the organiser keeps back.';

ALTER TABLE orders ADD COLUMN refusal_seats jsonb;
COMMENT ON COLUMN orders.refusal_seats IS 'Of seat_taken: which seats were gone, and which to take instead.';

-- +goose Down
ALTER TABLE orders DROP COLUMN refusal_seats;
DROP TABLE seat_blocks, order_seats, seat_words;
DROP INDEX ticket_types_seat_category;
ALTER TABLE ticket_types DROP COLUMN seat_category, DROP COLUMN seated, DROP COLUMN seat_assignment;
DROP TRIGGER sessions_seat_map_stays ON sessions;
ALTER TABLE sessions DROP COLUMN seat_map_id, DROP COLUMN seat_map_version;
DROP TABLE seat_maps;
DROP FUNCTION refuse_new_seat_map, note_seat_change;
