-- The ledger: double entry, append-only. Assets are positive: what a gateway holds for us. What
-- we owe or have earned is negative. The entries of a transfer sum to zero per currency.

-- +goose Up
CREATE TABLE ledger_transfers (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind      text NOT NULL CHECK (kind IN ('payment_accepted', 'payment_rejected', 'payment_retaken', 'refund_settled')),
    reference text NOT NULL CHECK (reference <> ''),
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- A step that is repeated books once.
    CONSTRAINT ledger_transfers_once UNIQUE (kind, reference)
);
COMMENT ON COLUMN ledger_transfers.reference IS 'The attempt of a payment, the id of a refund.';

CREATE TABLE ledger_entries (
    transfer_id bigint NOT NULL REFERENCES ledger_transfers,
    account     text NOT NULL CHECK (account ~ '^(gateway:[a-z0-9_-]+|organiser:[A-Za-z0-9_-]+:sales|fees|suspense)$'),
    currency    text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount      bigint NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (transfer_id, account, currency)
);
CREATE INDEX ledger_entries_account ON ledger_entries (account, currency);

CREATE TRIGGER ledger_transfers_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transfers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- +goose StatementBegin
CREATE FUNCTION refuse_unbalanced_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    transfer bigint;
BEGIN
    -- Not one CASE: it would read a column of the other table's row.
    IF TG_TABLE_NAME = 'ledger_transfers' THEN
        transfer := NEW.id;
    ELSE
        transfer := NEW.transfer_id;
    END IF;
    IF NOT EXISTS (SELECT FROM ledger_entries WHERE transfer_id = transfer)
        OR EXISTS (SELECT FROM ledger_entries WHERE transfer_id = transfer GROUP BY currency HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', TABLE = 'ledger_entries', CONSTRAINT = 'ledger_balanced',
            MESSAGE = format('ledger transfer %s does not sum to zero', transfer);
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER ledger_transfers_balanced AFTER INSERT ON ledger_transfers
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_unbalanced_transfer();
CREATE CONSTRAINT TRIGGER ledger_entries_balanced AFTER INSERT ON ledger_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_unbalanced_transfer();

-- +goose Down
DROP TABLE ledger_entries, ledger_transfers;
DROP FUNCTION refuse_unbalanced_transfer;
