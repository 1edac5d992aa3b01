-- What gateways say of their days, what of it needs a person, and money that payers dispute.

-- +goose Up
CREATE TABLE cases (
    id          text PRIMARY KEY CHECK (id ~ '^[0-9A-Z]{26}$'),
    kind        text NOT NULL CHECK (kind IN ('bill_long', 'bill_short', 'bill_amount', 'bill_currency', 'bill_fee', 'bill_late',
                    'bill_duplicate', 'bill_empty', 'bill_truncated', 'bill_missing', 'refund_failed', 'dispute')),
    provider    text NOT NULL CHECK (provider ~ '^[a-z0-9_-]{1,32}$'),
    -- The day of the gateway's calendar, for differences with its bill.
    day         date,
    -- What it is about: a movement of the bill as kind:number, the bill itself, a refund, a dispute.
    reference   text NOT NULL CHECK (length(reference) BETWEEN 1 AND 256),
    -- No foreign keys: a bill may speak of what we have never heard of.
    attempt_id  text,
    order_id    text,
    refund_id   text,
    detail      jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(detail) = 'object'),
    state       text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'RESOLVED')),
    opened_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    resolved_at timestamptz,
    -- vanished: it is no longer so; decided: the gateway decided it; person: somebody settled it, and the note says how.
    resolution  text CHECK (resolution IN ('vanished', 'decided', 'person')),
    note        text NOT NULL DEFAULT '',
    -- A difference that is found again opens no second case.
    CONSTRAINT cases_once UNIQUE NULLS NOT DISTINCT (provider, kind, day, reference),
    CONSTRAINT cases_day CHECK ((kind LIKE 'bill\_%') = (day IS NOT NULL)),
    CONSTRAINT cases_resolved CHECK ((state = 'RESOLVED') = (resolved_at IS NOT NULL) AND (state = 'RESOLVED') = (resolution IS NOT NULL)),
    CONSTRAINT cases_person_says_how CHECK (resolution IS DISTINCT FROM 'person' OR note <> '')
);
COMMENT ON TABLE cases IS 'What a person has to look at: one row for each thing, without personal data.';
CREATE INDEX cases_open ON cases (opened_at) WHERE state = 'OPEN';
CREATE INDEX cases_opened ON cases (opened_at);

CREATE TABLE bills (
    provider    text NOT NULL CHECK (provider ~ '^[a-z0-9_-]{1,32}$'),
    day         date NOT NULL,
    -- The midnights of the gateway's calendar.
    begins      timestamptz NOT NULL,
    ends        timestamptz NOT NULL CHECK (ends > begins),
    lines       integer NOT NULL CHECK (lines >= 0),
    -- When the gateway was asked for it.
    taken_at    timestamptz NOT NULL,
    -- NULL until what was taken last has been compared with the ledger.
    compared_at timestamptz,
    PRIMARY KEY (provider, day)
);
COMMENT ON TABLE bills IS 'Complete bills only; of others there is a case.';

CREATE TABLE bill_lines (
    provider     text NOT NULL,
    day          date NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('payment', 'refund', 'dispute', 'dispute_won')),
    -- Our number of the movement; the gateway's own where it does not say ours.
    reference    text NOT NULL CHECK (length(reference) BETWEEN 1 AND 128),
    -- Counts equal lines from 1: a gateway may list a movement twice.
    copy         integer NOT NULL CHECK (copy > 0),
    attempt_id   text,
    gateway_id   text,
    amount       bigint NOT NULL,
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    fee          bigint NOT NULL DEFAULT 0,
    fee_currency text CHECK (fee_currency ~ '^[A-Z]{3}$'),
    at           timestamptz NOT NULL,
    PRIMARY KEY (provider, day, kind, reference, copy),
    FOREIGN KEY (provider, day) REFERENCES bills ON DELETE CASCADE,
    CONSTRAINT bill_lines_fee CHECK (fee = 0 OR fee_currency IS NOT NULL)
);
CREATE INDEX bill_lines_movement ON bill_lines (reference, kind, provider);

CREATE TABLE disputes (
    -- The provider, a slash, and the gateway's own id.
    id           text PRIMARY KEY CHECK (length(id) BETWEEN 3 AND 200),
    provider     text NOT NULL CHECK (provider ~ '^[a-z0-9_-]{1,32}$'),
    -- NULL for money no attempt of ours asked for.
    attempt_id   text REFERENCES payment_attempts,
    order_id     text REFERENCES orders,
    gateway_id   text,
    amount       bigint NOT NULL CHECK (amount > 0),
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    fee          bigint NOT NULL DEFAULT 0 CHECK (fee >= 0),
    fee_currency text CHECK (fee_currency ~ '^[A-Z]{3}$'),
    reason       text NOT NULL DEFAULT '',
    state        text NOT NULL CHECK (state IN ('OPEN', 'WON', 'LOST')),
    opened_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    decided_at   timestamptz,
    CONSTRAINT disputes_begin CHECK (starts_with(id, provider || '/')),
    CONSTRAINT disputes_decided CHECK ((state = 'OPEN') = (decided_at IS NULL)),
    CONSTRAINT disputes_fee CHECK (fee = 0 OR fee_currency IS NOT NULL)
);
CREATE INDEX disputes_order ON disputes (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX disputes_attempt ON disputes (attempt_id) WHERE attempt_id IS NOT NULL;

-- +goose StatementBegin
CREATE FUNCTION refuse_dispute_undecided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', TABLE = 'disputes', CONSTRAINT = 'disputes_final',
        MESSAGE = 'a dispute that was decided stays so';
END $$;
-- +goose StatementEnd
CREATE TRIGGER disputes_final BEFORE UPDATE OF state ON disputes
    FOR EACH ROW WHEN (OLD.state <> 'OPEN' AND NEW.state <> OLD.state) EXECUTE FUNCTION refuse_dispute_undecided();

-- A ticket whose payment is disputed neither admits nor goes back until that is decided.
ALTER TABLE tickets DROP CONSTRAINT tickets_state_check, ADD CONSTRAINT tickets_state_check CHECK (state IN ('VALID', 'FROZEN', 'VOID'));
ALTER TABLE callbacks DROP CONSTRAINT callbacks_kind_check,
    ADD CONSTRAINT callbacks_kind_check CHECK (kind IN ('payment', 'refund', 'dispute', 'other'));

-- Which transfers are a movement of money at a gateway, and which kind of it.
CREATE TABLE movement_kinds (
    transfer_kind text PRIMARY KEY,
    movement_kind text NOT NULL
);
INSERT INTO movement_kinds (transfer_kind, movement_kind) VALUES
    ('payment_accepted', 'payment'), ('payment_rejected', 'payment'), ('refund_settled', 'refund'),
    ('dispute_opened', 'dispute'), ('dispute_won', 'dispute_won');
-- Transfers are only ever appended, so this costs next to nothing.
CREATE INDEX ledger_transfers_at ON ledger_transfers USING brin (at) WITH (autosummarize = on);

-- What gateways keep, what is withheld because of disputes, and what was lost by them: added to what the ledger books already.
-- +goose StatementBegin
DO $$
DECLARE
    kinds    text := (SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conname = 'ledger_transfers_kind_check');
    accounts text := (SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conname = 'ledger_entries_account_check');
BEGIN
    EXECUTE format('ALTER TABLE ledger_transfers DROP CONSTRAINT ledger_transfers_kind_check,
        ADD CONSTRAINT ledger_transfers_kind_check CHECK (%s OR kind IN
            (''gateway_fee'', ''dispute_opened'', ''dispute_won'', ''dispute_lost''))', kinds);
    EXECUTE format('ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_account_check,
        ADD CONSTRAINT ledger_entries_account_check CHECK (%s OR account IN (''gateway_fees'', ''disputes'', ''disputes_lost''))', accounts);
END $$;
-- +goose StatementEnd

-- +goose Down
DROP INDEX ledger_transfers_at;
DROP TABLE movement_kinds, disputes, bill_lines, bills, cases;
DROP FUNCTION refuse_dispute_undecided;
ALTER TABLE tickets DROP CONSTRAINT tickets_state_check, ADD CONSTRAINT tickets_state_check CHECK (state IN ('VALID', 'VOID'));
ALTER TABLE callbacks DROP CONSTRAINT callbacks_kind_check, ADD CONSTRAINT callbacks_kind_check CHECK (kind IN ('payment', 'refund'));
