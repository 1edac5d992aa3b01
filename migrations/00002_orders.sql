-- Orders, what they hold, their timeline and their tickets.

-- +goose Up
CREATE TABLE order_moves (
    from_state text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
COMMENT ON TABLE order_moves IS 'The legal moves of orders.state; a test compares them with package ticketing.';
INSERT INTO order_moves (from_state, to_state) VALUES
    ('PENDING', 'AWAITING_REVIEW'), ('PENDING', 'PAID'), ('PENDING', 'CANCELLED'), ('PENDING', 'EXPIRED'), ('PENDING', 'FAILED'),
    ('AWAITING_REVIEW', 'PENDING'), ('AWAITING_REVIEW', 'PAID'), ('AWAITING_REVIEW', 'CANCELLED'), ('AWAITING_REVIEW', 'EXPIRED'),
    ('AWAITING_REVIEW', 'FAILED'),
    ('PAID', 'REFUNDING'), ('PAID', 'EXCHANGED'),
    ('CANCELLED', 'PAID'), ('EXPIRED', 'PAID'),
    ('REFUNDING', 'PAID'), ('REFUNDING', 'PARTIALLY_REFUNDED'), ('REFUNDING', 'REFUNDED'),
    ('PARTIALLY_REFUNDED', 'REFUNDING');

CREATE TABLE orders (
    id              text PRIMARY KEY CHECK (id ~ '^[0-9A-Z]{26}$'),
    session_id      text,
    event_id        text,
    state           text NOT NULL CHECK (state IN ('PENDING', 'AWAITING_REVIEW', 'PAID', 'REFUSED', 'CANCELLED', 'EXPIRED',
                        'FAILED', 'REFUNDING', 'PARTIALLY_REFUNDED', 'REFUNDED', 'EXCHANGED')),
    -- Personal data, sealed by package encryption, whose first byte is always 1.
    buyer_name      bytea NOT NULL CONSTRAINT orders_buyer_name_sealed CHECK (get_byte(buyer_name, 0) = 1),
    buyer_email     bytea NOT NULL CONSTRAINT orders_buyer_email_sealed CHECK (get_byte(buyer_email, 0) = 1),
    buyer_phone     bytea CONSTRAINT orders_buyer_phone_sealed CHECK (get_byte(buyer_phone, 0) = 1),
    email_index     bytea NOT NULL CHECK (length(email_index) = 32),
    phone_index     bytea CHECK (length(phone_index) = 32),
    language        text NOT NULL CHECK (language <> ''),
    currency        text CHECK (currency ~ '^[A-Z]{3}$'),
    order_fee       bigint NOT NULL CHECK (order_fee >= 0),
    total           bigint NOT NULL CHECK (total >= order_fee),
    fingerprint     text NOT NULL,
    pay_by          timestamptz NOT NULL,
    refusal_code    text,
    refusal_message text,
    refusal_field   text,
    revision        integer NOT NULL DEFAULT 1 CHECK (revision > 0),
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (session_id, event_id) REFERENCES sessions (id, event_id),
    UNIQUE (id, session_id),
    CONSTRAINT orders_refused_says_why CHECK ((state = 'REFUSED') = (refusal_code IS NOT NULL)),
    CONSTRAINT orders_sell_something CHECK (state = 'REFUSED' OR session_id IS NOT NULL AND event_id IS NOT NULL AND currency IS NOT NULL)
) WITH (fillfactor = 70);
CREATE INDEX orders_email ON orders (email_index);
CREATE INDEX orders_created ON orders (created_at);

-- +goose StatementBegin
CREATE FUNCTION refuse_illegal_order_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', TABLE = 'orders', CONSTRAINT = 'orders_legal_move',
            MESSAGE = format('an order cannot begin as %s', NEW.state);
    END IF;
    IF NOT EXISTS (SELECT FROM order_moves m WHERE m.from_state = OLD.state AND m.to_state = NEW.state) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', TABLE = 'orders', CONSTRAINT = 'orders_legal_move',
            MESSAGE = format('an order cannot go from %s to %s', OLD.state, NEW.state);
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER orders_legal_start BEFORE INSERT ON orders
    FOR EACH ROW WHEN (NEW.state NOT IN ('PENDING', 'AWAITING_REVIEW', 'REFUSED')) EXECUTE FUNCTION refuse_illegal_order_move();
CREATE TRIGGER orders_legal_move BEFORE UPDATE OF state ON orders
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION refuse_illegal_order_move();

CREATE TABLE order_lines (
    order_id       text NOT NULL,
    ticket_type_id text NOT NULL,
    session_id     text NOT NULL,
    position       integer NOT NULL,
    quantity       integer NOT NULL CHECK (quantity > 0),
    base_price     bigint NOT NULL CHECK (base_price >= 0),
    surcharge      bigint NOT NULL CHECK (surcharge >= 0),
    amount         bigint NOT NULL CHECK (amount = (base_price + surcharge) * quantity),
    PRIMARY KEY (order_id, ticket_type_id),
    -- An order buys tickets of its own session only.
    FOREIGN KEY (order_id, session_id) REFERENCES orders (id, session_id),
    FOREIGN KEY (ticket_type_id, session_id) REFERENCES ticket_types (id, session_id)
);

CREATE TABLE holds (
    order_id       text NOT NULL,
    ticket_type_id text NOT NULL,
    quantity       integer NOT NULL CHECK (quantity > 0),
    state          text NOT NULL CHECK (state IN ('HELD', 'RELEASED', 'SOLD')),
    expires_at     timestamptz NOT NULL,
    PRIMARY KEY (order_id, ticket_type_id),
    FOREIGN KEY (order_id, ticket_type_id) REFERENCES order_lines
) WITH (fillfactor = 80);
CREATE INDEX holds_open ON holds (order_id) WHERE state = 'HELD';

CREATE TABLE order_events (
    order_id text NOT NULL REFERENCES orders,
    sequence integer NOT NULL CHECK (sequence > 0),
    kind     text NOT NULL CHECK (kind <> ''),
    state    text NOT NULL,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    detail   jsonb,
    PRIMARY KEY (order_id, sequence)
);
COMMENT ON TABLE order_events IS 'The timeline buyers see: append-only, without personal data.';

CREATE TABLE tickets (
    id             text PRIMARY KEY,
    order_id       text NOT NULL,
    ticket_type_id text NOT NULL,
    state          text NOT NULL CHECK (state IN ('VALID', 'VOID')),
    code           text NOT NULL UNIQUE CHECK (length(code) >= 26),
    issued_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (order_id, ticket_type_id) REFERENCES order_lines
);
CREATE INDEX tickets_order ON tickets (order_id);

-- +goose StatementBegin
CREATE FUNCTION refuse_ticket_of_unpaid_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM orders WHERE id = NEW.order_id AND state = 'PAID') THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', TABLE = 'tickets', CONSTRAINT = 'tickets_of_paid_orders',
            MESSAGE = 'a ticket is issued for a paid order only';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER tickets_of_paid_orders BEFORE INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION refuse_ticket_of_unpaid_order();

-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_TABLE_NAME || '_append_only',
        MESSAGE = format('%s is append-only', TG_TABLE_NAME);
END $$;
-- +goose StatementEnd
CREATE TRIGGER order_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON order_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- +goose Down
DROP TABLE tickets, order_events, holds, order_lines, orders, order_moves;
DROP FUNCTION refuse_illegal_order_move, refuse_ticket_of_unpaid_order, refuse_change;
