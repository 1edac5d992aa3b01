-- What may stand in the columns that every purchase writes several times, said once for each kind of value. PostgreSQL reads all
-- CHECKs of a table anew for every statement that writes a row of it, whatever it writes: they were a sixth of what a purchase costs
-- the database. A domain is read once for a connection, and looked at only where a value is set.

-- +goose Up
CREATE DOMAIN record_id AS text CHECK (VALUE ~ '^[0-9A-Z]{26}$');
CREATE DOMAIN attempt_id AS text CHECK (length(VALUE) BETWEEN 1 AND 64);
CREATE DOMAIN provider_name AS text CHECK (VALUE ~ '^[a-z0-9_-]{1,32}$');
CREATE DOMAIN gateway_reference AS text CHECK (length(VALUE) BETWEEN 1 AND 128);
CREATE DOMAIN carrier_name AS text CHECK (VALUE ~ '^[a-z0-9-]{1,32}$');
CREATE DOMAIN carrier_reference AS text CHECK (length(VALUE) BETWEEN 1 AND 256);
CREATE DOMAIN language_tag AS text CHECK (VALUE <> '');
CREATE DOMAIN currency_code AS text CHECK (VALUE ~ '^[A-Z]{3}$');
CREATE DOMAIN price AS bigint CHECK (VALUE >= 0);
CREATE DOMAIN payment AS bigint CHECK (VALUE > 0);
CREATE DOMAIN basis_points AS bigint CHECK (VALUE BETWEEN 0 AND 10000);
CREATE DOMAIN ordinal AS integer CHECK (VALUE > 0);
CREATE DOMAIN sealed AS bytea CONSTRAINT sealed_begins_with_its_version CHECK (get_byte(VALUE, 0) = 1);
CREATE DOMAIN blind_index AS bytea CHECK (length(VALUE) = 32);
CREATE DOMAIN order_state AS text CHECK (VALUE IN ('PENDING', 'AWAITING_REVIEW', 'PAID', 'REFUSED', 'CANCELLED', 'EXPIRED', 'FAILED',
    'REFUNDING', 'PARTIALLY_REFUNDED', 'REFUNDED', 'EXCHANGED'));
CREATE DOMAIN attempt_state AS text CHECK (VALUE IN ('CREATED', 'PENDING', 'DECLINED', 'CLOSED', 'ACCEPTED', 'REJECTED', 'REFUNDED'));
CREATE DOMAIN reported_state AS text CHECK (VALUE IN ('pending', 'unknown', 'paid', 'declined', 'closed'));
CREATE DOMAIN capture_source AS text CHECK (VALUE IN ('callback', 'query'));
CREATE DOMAIN reject_reason AS text CHECK (VALUE IN ('late', 'double', 'amount', 'stock_lost', 'unknown_order'));
CREATE DOMAIN message_kind AS text CHECK (VALUE ~ '^[a-z_]{1,32}$');
CREATE DOMAIN message_channel AS text CHECK (VALUE IN ('mail', 'sms'));
CREATE DOMAIN message_state AS text CHECK (VALUE IN ('WAITING', 'SENDING', 'SENT', 'DELIVERED', 'UNDELIVERED', 'FAILED', 'UNSURE', 'DROPPED'));
COMMENT ON DOMAIN price IS 'Minor units of a currency.';
COMMENT ON DOMAIN payment IS 'Minor units of a currency that change hands.';
COMMENT ON DOMAIN sealed IS 'Personal data, encrypted: version, key, nonce, ciphertext.';
COMMENT ON DOMAIN blind_index IS 'What sealed data is found by: HMAC-SHA256.';

ALTER TABLE payment_attempts DROP CONSTRAINT payment_attempts_captured, DROP CONSTRAINT payment_attempts_judged,
    DROP CONSTRAINT payment_attempts_orphan, DROP CONSTRAINT payment_attempts_accepted_as_asked;

-- +goose StatementBegin
DO $$
DECLARE
    change text;
    -- What names a column forbids to change its type.
    naming CONSTANT text[] := ARRAY['TRIGGER orders_legal_start ON orders', 'TRIGGER orders_legal_move ON orders',
        'TRIGGER payment_attempts_legal_change ON payment_attempts', 'VIEW ledger_journal'];
    naming_again CONSTANT text[] := ARRAY(SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid IN ('orders'::regclass, 'payment_attempts'::regclass)
            AND tgname IN ('orders_legal_start', 'orders_legal_move', 'payment_attempts_legal_change'))
        || ('CREATE VIEW ledger_journal AS ' || pg_get_viewdef('ledger_journal'));
BEGIN
    FOREACH change IN ARRAY naming LOOP
        EXECUTE 'DROP ' || change;
    END LOOP;
    FOR change IN
        SELECT format('ALTER TABLE %I %s', v.of, string_agg(
            concat_ws(', ', 'DROP CONSTRAINT ' || quote_ident(k.conname), format('ALTER COLUMN %I TYPE %I', v.name, v.value)), ', '))
        FROM (VALUES
            ('orders', 'id', 'record_id'), ('orders', 'state', 'order_state'), ('orders', 'revision', 'ordinal'), ('orders', 'language', 'language_tag'),
            ('orders', 'buyer_name', 'sealed'), ('orders', 'buyer_email', 'sealed'), ('orders', 'buyer_phone', 'sealed'),
            ('orders', 'email_index', 'blind_index'), ('orders', 'phone_index', 'blind_index'), ('orders', 'access_index', 'blind_index'),
            ('orders', 'currency', 'currency_code'), ('orders', 'order_fee', 'price'), ('orders', 'order_fee_tax', 'price'),
            ('orders', 'tax_basis_points', 'basis_points'),
            ('payment_attempts', 'id', 'attempt_id'), ('payment_attempts', 'state', 'attempt_state'),
            ('payment_attempts', 'provider', 'provider_name'), ('payment_attempts', 'gateway_id', 'gateway_reference'),
            ('payment_attempts', 'amount', 'payment'), ('payment_attempts', 'currency', 'currency_code'),
            ('payment_attempts', 'captured_amount', 'payment'), ('payment_attempts', 'captured_currency', 'currency_code'),
            ('payment_attempts', 'captured_by', 'capture_source'), ('payment_attempts', 'reported', 'reported_state'),
            ('payment_attempts', 'reject_reason', 'reject_reason'),
            ('messages', 'id', 'record_id'), ('messages', 'state', 'message_state'), ('messages', 'kind', 'message_kind'),
            ('messages', 'channel', 'message_channel'), ('messages', 'carrier', 'carrier_name'), ('messages', 'receipt_id', 'carrier_reference'),
            ('callbacks', 'header', 'sealed'), ('callbacks', 'body', 'sealed'),
            ('attendees', 'name', 'sealed'), ('attendees', 'document_number', 'sealed')
        ) AS v (of, name, value)
        JOIN pg_attribute a ON a.attrelid = v.of::regclass AND a.attname = v.name
        LEFT JOIN pg_constraint k ON k.conrelid = a.attrelid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum]
        GROUP BY v.of
    LOOP
        EXECUTE change;
    END LOOP;
    FOREACH change IN ARRAY naming_again LOOP
        EXECUTE change;
    END LOOP;
END $$;
-- +goose StatementEnd

-- The same four rules in fewer words, for these are still read each time.
ALTER TABLE payment_attempts
    ADD CONSTRAINT payment_attempts_captured CHECK ((reported IS NOT DISTINCT FROM 'paid') = (captured_amount IS NOT NULL)
        AND num_nulls(captured_amount, captured_currency, captured_at, captured_by) IN (0, 4)
        AND (captured_amount IS NULL OR gateway_id IS NOT NULL)),
    ADD CONSTRAINT payment_attempts_judged CHECK (reject_reason IS NULL OR captured_amount IS NOT NULL),
    ADD CONSTRAINT payment_attempts_orphan CHECK (order_id IS NOT NULL OR reject_reason IS NOT DISTINCT FROM 'unknown_order'),
    ADD CONSTRAINT payment_attempts_accepted_as_asked CHECK (state <> 'ACCEPTED'
        OR captured_amount IS NOT DISTINCT FROM amount AND captured_currency IS NOT DISTINCT FROM currency);

-- +goose Down
ALTER TABLE payment_attempts DROP CONSTRAINT payment_attempts_captured, DROP CONSTRAINT payment_attempts_judged,
    DROP CONSTRAINT payment_attempts_orphan, DROP CONSTRAINT payment_attempts_accepted_as_asked;

-- Every column gets its plain type back, and what its domain says as a CHECK of its own.
-- +goose StatementBegin
DO $$
DECLARE
    change text;
    -- What names a column forbids to change its type.
    naming CONSTANT text[] := ARRAY['TRIGGER orders_legal_start ON orders', 'TRIGGER orders_legal_move ON orders',
        'TRIGGER payment_attempts_legal_change ON payment_attempts', 'VIEW ledger_journal'];
    naming_again CONSTANT text[] := ARRAY(SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid IN ('orders'::regclass, 'payment_attempts'::regclass)
            AND tgname IN ('orders_legal_start', 'orders_legal_move', 'payment_attempts_legal_change'))
        || ('CREATE VIEW ledger_journal AS ' || pg_get_viewdef('ledger_journal'));
BEGIN
    FOREACH change IN ARRAY naming LOOP
        EXECUTE 'DROP ' || change;
    END LOOP;
    FOR change IN
        SELECT format('ALTER TABLE %I %s', c.relname, string_agg(
            format('ALTER COLUMN %I TYPE %s, ADD CONSTRAINT %I %s', a.attname, format_type(d.typbasetype, NULL),
                c.relname || '_' || a.attname || '_check', replace(pg_get_constraintdef(k.oid), 'VALUE', quote_ident(a.attname))), ', '))
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
        JOIN pg_type d ON d.oid = a.atttypid AND d.typtype = 'd' AND d.typnamespace = current_schema()::regnamespace
        JOIN pg_constraint k ON k.contypid = d.oid
        WHERE NOT a.attisdropped
        GROUP BY c.relname
    LOOP
        EXECUTE change;
    END LOOP;
    FOREACH change IN ARRAY naming_again LOOP
        EXECUTE change;
    END LOOP;
END $$;
-- +goose StatementEnd

ALTER TABLE payment_attempts
    ADD CONSTRAINT payment_attempts_captured CHECK (
        (coalesce(reported, '') = 'paid') = (captured_amount IS NOT NULL)
        AND (captured_amount IS NULL) = (captured_currency IS NULL)
        AND (captured_amount IS NULL) = (captured_at IS NULL)
        AND (captured_amount IS NULL) = (captured_by IS NULL)
        AND (captured_amount IS NULL OR gateway_id IS NOT NULL)),
    ADD CONSTRAINT payment_attempts_judged CHECK (state NOT IN ('ACCEPTED', 'REJECTED', 'REFUNDED') OR captured_amount IS NOT NULL),
    ADD CONSTRAINT payment_attempts_orphan CHECK (order_id IS NOT NULL OR state IN ('REJECTED', 'REFUNDED') AND reject_reason = 'unknown_order'),
    ADD CONSTRAINT payment_attempts_accepted_as_asked CHECK (state <> 'ACCEPTED' OR captured_amount = amount AND captured_currency = currency);
DROP DOMAIN record_id, attempt_id, provider_name, gateway_reference, carrier_name, carrier_reference, language_tag, currency_code,
    price, payment, basis_points, ordinal, sealed, blind_index, order_state, attempt_state, reported_state, capture_source, reject_reason,
    message_kind, message_channel, message_state;
