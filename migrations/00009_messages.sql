-- What buyers are told: an outbox that is written together with the timeline, and what carriers say of it later.

-- +goose Up
CREATE TABLE messages (
    id          text PRIMARY KEY CHECK (id ~ '^[0-9A-Z]{26}$'),
    order_id    text NOT NULL,
    -- The entry of the order's timeline it tells of.
    sequence    integer NOT NULL,
    kind        text NOT NULL CHECK (kind ~ '^[a-z_]{1,32}$'),
    channel     text NOT NULL CHECK (channel IN ('mail', 'sms')),
    -- 0 is the most urgent.
    urgency     smallint NOT NULL CHECK (urgency >= 0),
    state       text NOT NULL DEFAULT 'WAITING' CHECK (state IN ('WAITING', 'SENDING', 'SENT', 'DELIVERED', 'UNDELIVERED', 'FAILED', 'UNSURE', 'DROPPED')),
    tries       integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    -- Not before.
    next_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- When it was last handed to the carrier, and until when whoever does that may be waited for.
    tried_at    timestamptz,
    lease_until timestamptz,
    -- When telling it makes no sense any more.
    expires_at  timestamptz,
    -- Who took it, under which number, as how many SMS.
    carrier     text CHECK (carrier ~ '^[a-z0-9-]{1,32}$'),
    receipt_id  text CHECK (length(receipt_id) BETWEEN 1 AND 256),
    segments    smallint,
    -- The carrier's words on what went wrong last, without the address.
    problem     text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent_at     timestamptz,
    CONSTRAINT messages_once UNIQUE (order_id, sequence, channel),
    FOREIGN KEY (order_id, sequence) REFERENCES order_events (order_id, sequence),
    CONSTRAINT messages_sending CHECK ((state = 'SENDING') = (lease_until IS NOT NULL)),
    CONSTRAINT messages_sent CHECK (state NOT IN ('SENT', 'DELIVERED', 'UNDELIVERED') OR sent_at IS NOT NULL AND carrier IS NOT NULL)
) WITH (fillfactor = 70);
COMMENT ON TABLE messages IS 'The outbox: one row for each thing told by one channel. Where to is in the order.';
CREATE INDEX messages_waiting ON messages (channel, urgency, next_at) WHERE state = 'WAITING';
CREATE INDEX messages_sending ON messages (lease_until) WHERE state = 'SENDING';
CREATE UNIQUE INDEX messages_receipt ON messages (carrier, receipt_id) WHERE receipt_id IS NOT NULL;

CREATE TABLE message_receipts (
    carrier    text NOT NULL,
    receipt_id text NOT NULL CHECK (length(receipt_id) BETWEEN 1 AND 256),
    -- The carrier's own word, and what it means.
    status     text NOT NULL CHECK (length(status) BETWEEN 1 AND 64),
    state      text NOT NULL CHECK (state IN ('SENT', 'DELIVERED', 'UNDELIVERED', 'FAILED')),
    code       text NOT NULL DEFAULT '',
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (carrier, receipt_id, status)
);
COMMENT ON TABLE message_receipts IS 'What carriers said later, in any order; perhaps before their answer reached us.';

CREATE TABLE sms_days (
    phone_index bytea NOT NULL CHECK (length(phone_index) = 32),
    day         date NOT NULL,
    sent        integer NOT NULL CHECK (sent > 0),
    PRIMARY KEY (phone_index, day)
);
COMMENT ON TABLE sms_days IS 'How many SMS were begun to a number on a day (UTC): what bounds the bill of an abuser.';

-- What everybody with a ticket of a session is told. Orders are told by and by, in the order of their ids.
CREATE TABLE notices (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id text NOT NULL REFERENCES sessions,
    kind       text NOT NULL CHECK (kind IN ('session_changed', 'event_cancelled', 'event_postponed', 'reminder')),
    -- The start of the session that is spoken of.
    starts_at  timestamptz NOT NULL,
    -- Reminders are only for orders paid before.
    paid_until timestamptz,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    told_until text NOT NULL DEFAULT '',
    done_at    timestamptz
);
CREATE INDEX notices_open ON notices (id) WHERE done_at IS NULL;
CREATE UNIQUE INDEX notices_remind_once ON notices (session_id, starts_at) WHERE kind = 'reminder';
CREATE INDEX orders_session ON orders (session_id, id);
CREATE INDEX sessions_start ON sessions (starts_at);

-- Whoever changes a session or calls an event off, and by whatever way: those who hold tickets are told.
-- +goose StatementBegin
CREATE FUNCTION notice_session_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Those who were not told of an earlier change yet are told of this one only.
    UPDATE notices SET done_at = clock_timestamp() WHERE session_id = NEW.id AND kind IN ('session_changed', 'reminder') AND done_at IS NULL;
    INSERT INTO notices (session_id, kind, starts_at) VALUES (NEW.id, 'session_changed', NEW.starts_at);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER sessions_notice AFTER UPDATE ON sessions
    FOR EACH ROW WHEN ((OLD.starts_at, OLD.venue_id) IS DISTINCT FROM (NEW.starts_at, NEW.venue_id)) EXECUTE FUNCTION notice_session_change();
-- +goose StatementBegin
CREATE FUNCTION notice_event_called_off() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO notices (session_id, kind, starts_at)
    SELECT id, CASE NEW.state WHEN 'CANCELLED' THEN 'event_cancelled' ELSE 'event_postponed' END, starts_at
    FROM sessions WHERE event_id = NEW.id AND ends_at > clock_timestamp();
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER events_notice AFTER UPDATE OF state ON events
    FOR EACH ROW WHEN (OLD.state <> NEW.state AND NEW.state IN ('CANCELLED', 'POSTPONED')) EXECUTE FUNCTION notice_event_called_off();

ALTER TABLE cases DROP CONSTRAINT cases_kind_check, ADD CONSTRAINT cases_kind_check CHECK (kind IN (
    'bill_long', 'bill_short', 'bill_amount', 'bill_currency', 'bill_fee', 'bill_late', 'bill_duplicate', 'bill_empty',
    'bill_truncated', 'bill_missing', 'refund_failed', 'dispute', 'message_undelivered'));

-- +goose Down
DELETE FROM cases WHERE kind = 'message_undelivered';
ALTER TABLE cases DROP CONSTRAINT cases_kind_check, ADD CONSTRAINT cases_kind_check CHECK (kind IN (
    'bill_long', 'bill_short', 'bill_amount', 'bill_currency', 'bill_fee', 'bill_late', 'bill_duplicate', 'bill_empty',
    'bill_truncated', 'bill_missing', 'refund_failed', 'dispute'));
DROP TRIGGER events_notice ON events;
DROP TRIGGER sessions_notice ON sessions;
DROP INDEX orders_session, sessions_start;
DROP TABLE messages, message_receipts, sms_days, notices;
DROP FUNCTION notice_session_change, notice_event_called_off;
