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

-- +goose Down
ALTER TABLE callbacks ADD COLUMN handled_at timestamptz;
CREATE INDEX payment_attempts_owed ON payment_attempts (captured_at)
    WHERE captured_amount IS NOT NULL AND state NOT IN ('ACCEPTED', 'REFUNDED');
CREATE INDEX callbacks_unhandled ON callbacks (attempt_id) WHERE handled_at IS NULL;
ALTER TABLE payment_attempts DROP COLUMN delivered_at, DROP COLUMN pay_form;
