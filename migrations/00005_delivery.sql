-- A payment is delivered when the workflow that takes care of the money is known to know of it. To
-- have judged it is not enough: the verdict may be stored while the workflow's own memory of it is lost.
-- And some gateways lead the payer to their page by a form instead of a link.

-- +goose Up
ALTER TABLE payment_attempts
    ADD COLUMN delivered_at timestamptz CHECK (delivered_at IS NULL OR captured_amount IS NOT NULL),
    ADD COLUMN pay_form jsonb CHECK (jsonb_typeof(pay_form) = 'object');
COMMENT ON COLUMN payment_attempts.delivered_at IS 'When a workflow last acknowledged that it knows of the captured money.';
UPDATE payment_attempts SET delivered_at = updated_at WHERE state IN ('ACCEPTED', 'REFUNDED');
CREATE INDEX payment_attempts_undelivered ON payment_attempts (captured_at)
    WHERE captured_amount IS NOT NULL AND (delivered_at IS NULL OR state NOT IN ('ACCEPTED', 'REFUNDED'));
DROP INDEX payment_attempts_owed;
ALTER TABLE callbacks DROP COLUMN handled_at;

-- Look only at what could be refused.
DROP TRIGGER payment_attempts_legal_change ON payment_attempts;
CREATE TRIGGER payment_attempts_legal_change BEFORE UPDATE ON payment_attempts FOR EACH ROW
    WHEN (OLD.state <> NEW.state OR OLD.captured_amount IS NOT NULL
        AND (OLD.captured_amount, OLD.captured_currency, OLD.gateway_id, OLD.reported)
            IS DISTINCT FROM (NEW.captured_amount, NEW.captured_currency, NEW.gateway_id, NEW.reported))
    EXECUTE FUNCTION refuse_illegal_attempt_change();

-- The entries of a transfer are written by one statement: look at them together, not one by one. That
-- the transfer balances is still looked at when the transaction commits.
DROP TRIGGER ledger_entries_balanced ON ledger_entries;
-- +goose StatementBegin
CREATE FUNCTION refuse_unbalanced_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM written GROUP BY transfer_id, currency HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', TABLE = 'ledger_entries', CONSTRAINT = 'ledger_balanced',
            MESSAGE = 'the entries of a ledger transfer do not sum to zero';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER ledger_entries_balanced AFTER INSERT ON ledger_entries REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_unbalanced_entries();

-- +goose Down
DROP TRIGGER ledger_entries_balanced ON ledger_entries;
DROP FUNCTION refuse_unbalanced_entries;
CREATE CONSTRAINT TRIGGER ledger_entries_balanced AFTER INSERT ON ledger_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_unbalanced_transfer();
DROP TRIGGER payment_attempts_legal_change ON payment_attempts;
CREATE TRIGGER payment_attempts_legal_change BEFORE UPDATE ON payment_attempts
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_attempt_change();
ALTER TABLE callbacks ADD COLUMN handled_at timestamptz;
CREATE INDEX payment_attempts_owed ON payment_attempts (captured_at)
    WHERE captured_amount IS NOT NULL AND state NOT IN ('ACCEPTED', 'REFUNDED');
CREATE INDEX callbacks_unhandled ON callbacks (attempt_id) WHERE handled_at IS NULL;
ALTER TABLE payment_attempts DROP COLUMN delivered_at, DROP COLUMN pay_form;
