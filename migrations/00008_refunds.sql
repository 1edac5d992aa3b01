-- Tickets that go back: what organisers keep of their price, which refund took a ticket back, and what is owed until the
-- gateway has given it back.

-- +goose Up
ALTER TABLE events ADD COLUMN refund_policy jsonb CHECK (jsonb_typeof(refund_policy) = 'array');
COMMENT ON COLUMN events.refund_policy IS
    'The ladder, earliest step first: [{"before_seconds", "fee_basis_points"}]. NULL: nobody has said, so tickets do not go back.';
ALTER TABLE sessions ADD COLUMN changed_at timestamptz;
COMMENT ON COLUMN sessions.changed_at IS 'When its time or venue last changed: whoever paid before gives tickets back for free.';

-- +goose StatementBegin
CREATE FUNCTION note_session_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_at := clock_timestamp();
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER sessions_changed BEFORE UPDATE ON sessions
    FOR EACH ROW WHEN ((OLD.starts_at, OLD.venue_id) IS DISTINCT FROM (NEW.starts_at, NEW.venue_id)) EXECUTE FUNCTION note_session_change();

-- +goose StatementBegin
CREATE FUNCTION refuse_new_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM orders WHERE event_id = OLD.id) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', TABLE = 'events', CONSTRAINT = 'events_terms_stay',
            MESSAGE = 'the terms under which tickets were sold stay';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER events_terms_stay BEFORE UPDATE OF refund_policy ON events
    FOR EACH ROW WHEN (OLD.refund_policy IS NOT NULL AND OLD.refund_policy IS DISTINCT FROM NEW.refund_policy)
    EXECUTE FUNCTION refuse_new_terms();

ALTER TABLE refunds
    -- The gateway's own id of the refund, once it is known.
    ADD COLUMN gateway_id  text CHECK (length(gateway_id) BETWEEN 1 AND 128),
    -- What is kept of the price paid for the tickets, and what of the amount gives the order's fee back.
    ADD COLUMN fee         bigint NOT NULL DEFAULT 0 CHECK (fee >= 0),
    ADD COLUMN order_fee   bigint NOT NULL DEFAULT 0 CHECK (order_fee BETWEEN 0 AND amount),
    -- The buyer's intent, and what was asked with it; NULL for money that did not pay its order.
    ADD COLUMN request     text CONSTRAINT refunds_request UNIQUE,
    ADD COLUMN fingerprint text,
    -- When the gateway first said that it has it, but is not done.
    ADD COLUMN sent_at     timestamptz,
    ADD CONSTRAINT refunds_of_tickets CHECK ((reason IN ('requested', 'event')) = (request IS NOT NULL)
        AND (request IS NULL) = (fingerprint IS NULL) AND (request IS NOT NULL OR fee = 0 AND order_fee = 0));

ALTER TABLE tickets ADD COLUMN refund_id text REFERENCES refunds,
    ADD CONSTRAINT tickets_refunded CHECK (refund_id IS NULL OR state = 'VOID');
-- +goose StatementBegin
CREATE FUNCTION refuse_void_ticket_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', TABLE = 'tickets', CONSTRAINT = 'tickets_void_stay',
        MESSAGE = 'a void ticket stays as it is';
END $$;
-- +goose StatementEnd
CREATE TRIGGER tickets_void_stay BEFORE UPDATE ON tickets
    FOR EACH ROW WHEN (OLD.state = 'VOID' AND OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION refuse_void_ticket_change();

-- What is sold for an order is its quantity less what was given back of it.
ALTER TABLE holds ADD COLUMN returned integer NOT NULL DEFAULT 0,
    ADD CONSTRAINT holds_returned CHECK (returned BETWEEN 0 AND quantity AND (returned = 0 OR state <> 'HELD'));

-- A refund that failed is still owed: its tickets are void, so there is no way back to PAID.
DELETE FROM order_moves WHERE from_state = 'REFUNDING' AND to_state = 'PAID';

-- Added to what the ledger books already.
-- +goose StatementBegin
DO $$
DECLARE
    kinds    text := (SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conname = 'ledger_transfers_kind_check');
    accounts text := (SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conname = 'ledger_entries_account_check');
BEGIN
    EXECUTE format('ALTER TABLE ledger_transfers DROP CONSTRAINT ledger_transfers_kind_check,
        ADD CONSTRAINT ledger_transfers_kind_check CHECK (%s OR kind = ''refund_requested'')', kinds);
    EXECUTE format('ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_account_check,
        ADD CONSTRAINT ledger_entries_account_check CHECK (%s OR account IN (''refunds_due'', ''refund_fees''))', accounts);
END $$;
-- +goose StatementEnd

CREATE VIEW ledger_journal AS
SELECT t.id AS transfer_id, t.at, t.kind, coalesce(r.order_id, d.order_id, a.order_id) AS order_id,
    a.id AS attempt_id, r.id AS refund_id,
    CASE WHEN m.about = 'payment' THEN a.gateway_id WHEN m.about = 'refund' THEN r.gateway_id
        ELSE substr(d.id, length(d.provider) + 2) END AS gateway_number,
    e.account, greatest(e.amount, 0) AS debit, greatest(-e.amount, 0) AS credit, e.currency
FROM ledger_transfers t
JOIN ledger_entries e ON e.transfer_id = t.id
CROSS JOIN LATERAL (SELECT
    split_part(CASE WHEN t.kind = 'gateway_fee' THEN split_part(t.reference, '/', 2) ELSE t.kind END, '_', 1) AS about,
    -- A fee names its movement: provider/kind/reference.
    CASE WHEN t.kind = 'gateway_fee' THEN regexp_replace(t.reference, '^[^/]*/[^/]*/', '') ELSE t.reference END AS reference) m
LEFT JOIN refunds r ON m.about = 'refund' AND r.id = m.reference
LEFT JOIN disputes d ON m.about = 'dispute' AND d.id = m.reference
LEFT JOIN payment_attempts a ON a.id = CASE WHEN m.about = 'payment' THEN m.reference ELSE coalesce(r.attempt_id, d.attempt_id) END;
COMMENT ON VIEW ledger_journal IS
    'Every entry of the ledger with what it is about: order, attempt, refund, and the gateway''s own number of the movement.';

-- +goose Down
DROP VIEW ledger_journal;
INSERT INTO order_moves (from_state, to_state) VALUES ('REFUNDING', 'PAID');
ALTER TABLE holds DROP COLUMN returned;
DROP TRIGGER tickets_void_stay ON tickets;
ALTER TABLE tickets DROP COLUMN refund_id;
ALTER TABLE refunds DROP COLUMN gateway_id, DROP COLUMN fee, DROP COLUMN order_fee, DROP COLUMN request, DROP COLUMN fingerprint, DROP COLUMN sent_at;
DROP TRIGGER events_terms_stay ON events;
DROP TRIGGER sessions_changed ON sessions;
ALTER TABLE sessions DROP COLUMN changed_at;
ALTER TABLE events DROP COLUMN refund_policy;
DROP FUNCTION note_session_change, refuse_new_terms, refuse_void_ticket_change;
