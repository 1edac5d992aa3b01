-- Attempts to pay, what gateways told us of them, and money on its way back.

-- +goose Up
CREATE TABLE attempt_moves (
    from_state text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
COMMENT ON TABLE attempt_moves IS 'The legal moves of payment_attempts.state. Nothing leads back from money.';
INSERT INTO attempt_moves (from_state, to_state) VALUES
    ('CREATED', 'PENDING'), ('CREATED', 'DECLINED'), ('CREATED', 'CLOSED'), ('CREATED', 'ACCEPTED'), ('CREATED', 'REJECTED'),
    ('PENDING', 'DECLINED'), ('PENDING', 'CLOSED'), ('PENDING', 'ACCEPTED'), ('PENDING', 'REJECTED'),
    ('DECLINED', 'ACCEPTED'), ('DECLINED', 'REJECTED'),
    ('CLOSED', 'ACCEPTED'), ('CLOSED', 'REJECTED'),
    ('REJECTED', 'ACCEPTED'), ('REJECTED', 'REFUNDED');

CREATE TABLE payment_attempts (
    id                text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    -- NULL only for money that no order asked for.
    order_id          text REFERENCES orders,
    provider          text NOT NULL CHECK (provider ~ '^[a-z0-9_-]{1,32}$'),
    gateway_id        text CHECK (length(gateway_id) BETWEEN 1 AND 128),
    method            text NOT NULL,
    state             text NOT NULL CHECK (state IN ('CREATED', 'PENDING', 'DECLINED', 'CLOSED', 'ACCEPTED', 'REJECTED', 'REFUNDED')),
    amount            bigint NOT NULL CHECK (amount > 0),
    currency          text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    -- What the gateway says, and what it took.
    reported          text CHECK (reported IN ('pending', 'unknown', 'paid', 'declined', 'closed')),
    captured_amount   bigint CHECK (captured_amount > 0),
    captured_currency text CHECK (captured_currency ~ '^[A-Z]{3}$'),
    captured_at       timestamptz,
    captured_by       text CHECK (captured_by IN ('callback', 'query')),
    reject_reason     text CHECK (reject_reason IN ('late', 'double', 'amount', 'stock_lost', 'unknown_order')),
    pay_url           text NOT NULL DEFAULT '',
    qr                text NOT NULL DEFAULT '',
    expires_at        timestamptz NOT NULL,
    -- When to ask the gateway next, and how often that was done.
    ask_at            timestamptz NOT NULL DEFAULT now() + interval '5 seconds',
    asked             integer NOT NULL DEFAULT 0,
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- In this order: an index that led with the provider would tempt the planner to read by it.
    CONSTRAINT payment_attempts_gateway_id UNIQUE (gateway_id, provider),
    CONSTRAINT payment_attempts_captured CHECK (
        (coalesce(reported, '') = 'paid') = (captured_amount IS NOT NULL)
        AND (captured_amount IS NULL) = (captured_currency IS NULL)
        AND (captured_amount IS NULL) = (captured_at IS NULL)
        AND (captured_amount IS NULL) = (captured_by IS NULL)
        AND (captured_amount IS NULL OR gateway_id IS NOT NULL)),
    CONSTRAINT payment_attempts_judged CHECK (state NOT IN ('ACCEPTED', 'REJECTED', 'REFUNDED') OR captured_amount IS NOT NULL),
    CONSTRAINT payment_attempts_rejected_says_why CHECK ((state IN ('REJECTED', 'REFUNDED')) = (reject_reason IS NOT NULL)),
    CONSTRAINT payment_attempts_orphan CHECK (order_id IS NOT NULL OR state IN ('REJECTED', 'REFUNDED') AND reject_reason = 'unknown_order'),
    CONSTRAINT payment_attempts_accepted_as_asked CHECK (state <> 'ACCEPTED' OR captured_amount = amount AND captured_currency = currency)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX payment_attempts_one_accepted ON payment_attempts (order_id) WHERE state = 'ACCEPTED';
CREATE INDEX payment_attempts_order ON payment_attempts (order_id, created_at);
CREATE INDEX payment_attempts_to_ask ON payment_attempts (ask_at) WHERE state IN ('CREATED', 'PENDING') AND captured_amount IS NULL;
CREATE INDEX payment_attempts_owed ON payment_attempts (captured_at)
    WHERE captured_amount IS NOT NULL AND state NOT IN ('ACCEPTED', 'REFUNDED');

-- +goose StatementBegin
CREATE FUNCTION refuse_illegal_attempt_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> NEW.state AND NOT EXISTS
        (SELECT FROM attempt_moves m WHERE m.from_state = OLD.state AND m.to_state = NEW.state) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', TABLE = 'payment_attempts', CONSTRAINT = 'payment_attempts_legal_move',
            MESSAGE = format('an attempt cannot go from %s to %s', OLD.state, NEW.state);
    END IF;
    IF OLD.captured_amount IS NOT NULL AND
        (OLD.captured_amount, OLD.captured_currency, OLD.gateway_id, OLD.reported)
        IS DISTINCT FROM (NEW.captured_amount, NEW.captured_currency, NEW.gateway_id, NEW.reported) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', TABLE = 'payment_attempts', CONSTRAINT = 'payment_attempts_capture_stays',
            MESSAGE = 'captured money is never taken back or changed';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER payment_attempts_legal_change BEFORE UPDATE ON payment_attempts
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_attempt_change();

CREATE TABLE callbacks (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider    text NOT NULL,
    event_id    text NOT NULL CHECK (length(event_id) BETWEEN 1 AND 256),
    kind        text NOT NULL CHECK (kind IN ('payment', 'refund')),
    -- No foreign keys: what a gateway says is kept even if it is about nothing we know.
    attempt_id  text,
    refund_id   text,
    header      bytea NOT NULL CONSTRAINT callbacks_header_sealed CHECK (get_byte(header, 0) = 1),
    body        bytea NOT NULL CONSTRAINT callbacks_body_sealed CHECK (get_byte(body, 0) = 1),
    deliveries  integer NOT NULL DEFAULT 1 CHECK (deliveries > 0),
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    handled_at  timestamptz,
    CONSTRAINT callbacks_event UNIQUE (provider, event_id)
);
COMMENT ON TABLE callbacks IS 'The inbox: every verified message of a gateway, once, as it came.';
CREATE INDEX callbacks_unhandled ON callbacks (attempt_id) WHERE handled_at IS NULL;

-- One row per provider, reason and hour, so that a flood of forgeries cannot fill the disk.
CREATE TABLE refused_callbacks (
    provider text NOT NULL CHECK (length(provider) <= 64),
    reason   text NOT NULL CHECK (length(reason) <= 64),
    hour     timestamptz NOT NULL,
    count    bigint NOT NULL DEFAULT 1 CHECK (count > 0),
    last_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (provider, reason, hour)
);

CREATE TABLE refunds (
    id         text PRIMARY KEY CHECK (id ~ '^[0-9A-Z]{8,32}$'),
    attempt_id text NOT NULL REFERENCES payment_attempts,
    order_id   text REFERENCES orders,
    amount     bigint NOT NULL CHECK (amount > 0),
    currency   text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    state      text NOT NULL CHECK (state IN ('PENDING', 'SUCCEEDED', 'FAILED')),
    reason     text NOT NULL,
    failure    text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    settled_at timestamptz,
    CONSTRAINT refunds_settled CHECK ((state = 'SUCCEEDED') = (settled_at IS NOT NULL))
);
CREATE INDEX refunds_attempt ON refunds (attempt_id);
CREATE INDEX refunds_order ON refunds (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX refunds_open ON refunds (created_at) WHERE state <> 'SUCCEEDED';

-- The bound is checked under a lock on the attempt: two refunds at once cannot both fit in the
-- same money. A failed refund gives its share free; succeeding after all takes it again.
-- +goose StatementBegin
CREATE FUNCTION refuse_refund_beyond_capture() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    captured payment_attempts%ROWTYPE;
    others   bigint;
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'SUCCEEDED' AND NEW.state <> 'SUCCEEDED' THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', TABLE = 'refunds', CONSTRAINT = 'refunds_final',
            MESSAGE = 'a refund that succeeded stays so';
    END IF;
    SELECT * INTO captured FROM payment_attempts WHERE id = NEW.attempt_id FOR UPDATE;
    SELECT coalesce(sum(amount), 0) INTO others FROM refunds
        WHERE attempt_id = NEW.attempt_id AND id <> NEW.id AND state <> 'FAILED';
    IF NEW.state <> 'FAILED' AND (captured.captured_currency IS DISTINCT FROM NEW.currency
        OR others + NEW.amount > coalesce(captured.captured_amount, 0)) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', TABLE = 'refunds', CONSTRAINT = 'refunds_within_captured',
            MESSAGE = 'refunds of an attempt cannot exceed what it captured';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER refunds_within_captured BEFORE INSERT OR UPDATE ON refunds
    FOR EACH ROW EXECUTE FUNCTION refuse_refund_beyond_capture();

-- +goose Down
DROP TABLE refunds, refused_callbacks, callbacks, payment_attempts, attempt_moves;
DROP FUNCTION refuse_illegal_attempt_change, refuse_refund_beyond_capture;
