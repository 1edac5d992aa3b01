-- Prices by quantity, fees per ticket and taxes; vouchers; presales with a code; what one buyer may have over all their orders.

-- +goose Up
ALTER TABLE events
    ADD COLUMN ticket_fee       bigint NOT NULL DEFAULT 0 CHECK (ticket_fee >= 0),
    ADD COLUMN tax_basis_points bigint NOT NULL DEFAULT 0 CHECK (tax_basis_points BETWEEN 0 AND 10000),
    ADD COLUMN tax_included     boolean NOT NULL DEFAULT false,
    ADD COLUMN max_per_buyer    integer NOT NULL DEFAULT 0 CHECK (max_per_buyer >= 0);
ALTER TABLE ticket_types ADD COLUMN max_per_buyer integer NOT NULL DEFAULT 0 CHECK (max_per_buyer >= 0);

-- Several phases may begin together: those with room come one after the other.
ALTER TABLE price_phases
    ADD COLUMN position integer NOT NULL DEFAULT 1 CHECK (position > 0),
    -- A phase by quantity has an id, for it is counted, and a limit.
    ADD COLUMN id       text CHECK (id ~ '^[A-Za-z0-9_-]{1,64}$'),
    ADD COLUMN most     integer CHECK (most > 0),
    ADD CONSTRAINT price_phases_limit CHECK ((id IS NULL) = (most IS NULL)),
    ADD CONSTRAINT price_phases_id UNIQUE (ticket_type_id, id);
UPDATE price_phases p SET position = o.position
FROM (SELECT ticket_type_id, starts_at, row_number() OVER (PARTITION BY ticket_type_id ORDER BY starts_at) AS position FROM price_phases) o
WHERE p.ticket_type_id = o.ticket_type_id AND p.starts_at = o.starts_at;
ALTER TABLE price_phases DROP CONSTRAINT price_phases_pkey, ADD PRIMARY KEY (ticket_type_id, position);

-- What is taken of a phase by quantity. Whoever changes it has locked the stock of the ticket type. Not in price_phases, whose
-- changes are changes of the catalogue.
CREATE TABLE phase_stock (
    ticket_type_id text NOT NULL REFERENCES ticket_types,
    phase          text NOT NULL,
    most           integer NOT NULL,
    taken          integer NOT NULL DEFAULT 0,
    PRIMARY KEY (ticket_type_id, phase),
    CONSTRAINT phase_stock_limit CHECK (taken BETWEEN 0 AND most)
) WITH (fillfactor = 50);

CREATE TABLE presales (
    ticket_type_id text NOT NULL REFERENCES ticket_types ON DELETE CASCADE,
    -- The blind index of the code that opens it: who reads the table cannot use it.
    code_index     bytea NOT NULL CHECK (length(code_index) = 32),
    starts_at      timestamptz NOT NULL,
    ends_at        timestamptz NOT NULL CHECK (ends_at > starts_at),
    PRIMARY KEY (ticket_type_id, code_index)
);
CREATE INDEX presales_code ON presales (code_index);
CREATE TRIGGER presales_change AFTER INSERT OR UPDATE OR DELETE ON presales
    FOR EACH ROW EXECUTE FUNCTION touch_event_of_price();

CREATE TABLE vouchers (
    id             text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_-]{1,64}$'),
    code_index     bytea NOT NULL CONSTRAINT vouchers_code UNIQUE CHECK (length(code_index) = 32),
    name           jsonb NOT NULL CHECK (name ? 'en' AND name ? 'zh-CN'),
    kind           text NOT NULL CHECK (kind IN ('price', 'percent', 'fixed')),
    value          bigint NOT NULL CHECK (value >= 0 AND (kind <> 'percent' OR value <= 10000)),
    currency       text CHECK (currency ~ '^[A-Z]{3}$'),
    organiser_id   text NOT NULL REFERENCES organisers,
    event_id       text REFERENCES events,
    session_id     text REFERENCES sessions,
    ticket_type_id text REFERENCES ticket_types,
    starts_at      timestamptz NOT NULL,
    ends_at        timestamptz NOT NULL CHECK (ends_at > starts_at),
    minimum_spend  bigint NOT NULL DEFAULT 0 CHECK (minimum_spend >= 0),
    max_uses       integer CHECK (max_uses > 0),
    max_per_buyer  integer CHECK (max_per_buyer > 0),
    stackable      boolean NOT NULL DEFAULT false,
    uses           integer NOT NULL DEFAULT 0,
    revision       bigint NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The last word on the last use.
    CONSTRAINT vouchers_uses CHECK (uses >= 0 AND (max_uses IS NULL OR uses <= max_uses)),
    CONSTRAINT vouchers_amount CHECK (currency IS NOT NULL OR kind = 'percent' AND minimum_spend = 0)
) WITH (fillfactor = 50);
COMMENT ON COLUMN vouchers.code_index IS 'The blind index of the code: a dump of the database does not tell it.';
COMMENT ON COLUMN vouchers.uses IS 'Orders that hold or have bought with it. A refund does not give a use back.';
-- +goose StatementBegin
CREATE FUNCTION count_voucher_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.revision := OLD.revision + 1;
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- Being used is no change of the terms.
CREATE TRIGGER vouchers_revision BEFORE UPDATE ON vouchers FOR EACH ROW
    WHEN ((OLD.name, OLD.kind, OLD.value, OLD.currency, OLD.organiser_id, OLD.event_id, OLD.session_id, OLD.ticket_type_id, OLD.starts_at,
        OLD.ends_at, OLD.minimum_spend, OLD.max_uses, OLD.max_per_buyer, OLD.stackable) IS DISTINCT FROM
        (NEW.name, NEW.kind, NEW.value, NEW.currency, NEW.organiser_id, NEW.event_id, NEW.session_id, NEW.ticket_type_id, NEW.starts_at,
        NEW.ends_at, NEW.minimum_spend, NEW.max_uses, NEW.max_per_buyer, NEW.stackable))
    EXECUTE FUNCTION count_voucher_revision();

-- How much one buyer has of something that is limited per buyer, counted for the mail address and for the phone number apart.
CREATE TABLE buyer_counts (
    -- event:ID, type:ID or voucher:ID.
    subject text NOT NULL CHECK (subject ~ '^(event|type|voucher):'),
    -- The blind index of a normalised mail address or of a phone number.
    buyer   bytea NOT NULL CHECK (length(buyer) = 32),
    taken   integer NOT NULL,
    -- The limit by which the last one was taken.
    most    integer NOT NULL,
    PRIMARY KEY (subject, buyer),
    CONSTRAINT buyer_counts_limit CHECK (taken BETWEEN 0 AND most)
) WITH (fillfactor = 70);

ALTER TABLE orders
    ADD COLUMN order_fee_tax    bigint NOT NULL DEFAULT 0 CHECK (order_fee_tax >= 0),
    ADD COLUMN tax_basis_points bigint NOT NULL DEFAULT 0 CHECK (tax_basis_points BETWEEN 0 AND 10000),
    ADD COLUMN tax_included     boolean NOT NULL DEFAULT false,
    ADD COLUMN order_fee_charge bigint NOT NULL DEFAULT 0,
    ADD COLUMN access_index     bytea CHECK (length(access_index) = 32),
    -- Something besides stock and seats is taken for it: room in a phase by quantity, vouchers, or counts of its buyer.
    ADD COLUMN counted          boolean NOT NULL DEFAULT false,
    ADD COLUMN refusal_left     integer;
UPDATE orders SET order_fee_charge = order_fee;
ALTER TABLE orders ADD CONSTRAINT orders_order_fee_charge CHECK (order_fee_charge = order_fee + CASE WHEN tax_included THEN 0 ELSE order_fee_tax END);
COMMENT ON COLUMN orders.order_fee_charge IS 'What is charged for the order besides its lines.';
COMMENT ON COLUMN orders.access_index IS 'The blind index of the access code it was made with.';
COMMENT ON COLUMN orders.refusal_left IS 'Of limit_exceeded: how many tickets the buyer may still have.';

ALTER TABLE order_lines
    ADD COLUMN phase        text,
    ADD COLUMN discount     bigint NOT NULL DEFAULT 0,
    ADD COLUMN fee          bigint NOT NULL DEFAULT 0 CHECK (fee >= 0 AND fee % quantity = 0),
    ADD COLUMN tax          bigint NOT NULL DEFAULT 0 CHECK (tax >= 0),
    ADD COLUMN tax_included boolean NOT NULL DEFAULT false,
    ADD COLUMN charge       bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT order_lines_discount CHECK (discount BETWEEN 0 AND amount);
UPDATE order_lines SET charge = amount;
ALTER TABLE order_lines ADD CONSTRAINT order_lines_charge CHECK (charge = amount - discount + fee + CASE WHEN tax_included THEN 0 ELSE tax END);
COMMENT ON COLUMN order_lines.charge IS 'What is charged for the line; its tickets share it.';

-- Which counts the lines of an order are in.
CREATE TABLE order_counts (
    order_id       text NOT NULL,
    ticket_type_id text NOT NULL,
    subject        text NOT NULL,
    buyer          bytea NOT NULL,
    PRIMARY KEY (order_id, ticket_type_id, subject, buyer),
    FOREIGN KEY (order_id, ticket_type_id) REFERENCES order_lines,
    FOREIGN KEY (subject, buyer) REFERENCES buyer_counts
);
CREATE INDEX order_counts_subject ON order_counts (subject, buyer);

CREATE TABLE order_vouchers (
    order_id   text NOT NULL REFERENCES orders,
    voucher_id text NOT NULL REFERENCES vouchers,
    position   integer NOT NULL CHECK (position > 0),
    discount   bigint NOT NULL CHECK (discount > 0),
    -- For whom it is counted, where it is limited per buyer.
    buyers     bytea[] NOT NULL,
    PRIMARY KEY (order_id, voucher_id)
);
CREATE INDEX order_vouchers_voucher ON order_vouchers (voucher_id);

-- What was paid for a ticket: its share of its line.
ALTER TABLE tickets ADD COLUMN paid bigint CHECK (paid >= 0);
ALTER TABLE tickets DISABLE TRIGGER tickets_void_stay;
UPDATE tickets t SET paid = l.base_price + l.surcharge FROM order_lines l WHERE l.order_id = t.order_id AND l.ticket_type_id = t.ticket_type_id;
ALTER TABLE tickets ENABLE TRIGGER tickets_void_stay;
ALTER TABLE tickets ALTER COLUMN paid SET NOT NULL;

-- +goose Down
ALTER TABLE tickets DROP COLUMN paid;
DROP TABLE order_vouchers, order_counts;
ALTER TABLE order_lines DROP COLUMN phase, DROP COLUMN charge, DROP COLUMN discount, DROP COLUMN fee, DROP COLUMN tax, DROP COLUMN tax_included;
ALTER TABLE orders DROP COLUMN order_fee_charge, DROP COLUMN order_fee_tax, DROP COLUMN tax_basis_points, DROP COLUMN tax_included, DROP COLUMN access_index,
    DROP COLUMN counted, DROP COLUMN refusal_left;
DROP TABLE buyer_counts, vouchers, presales, phase_stock;
DROP FUNCTION count_voucher_revision;
DELETE FROM price_phases p USING price_phases q
    WHERE q.ticket_type_id = p.ticket_type_id AND q.starts_at = p.starts_at AND q.position < p.position;
ALTER TABLE price_phases DROP CONSTRAINT price_phases_pkey, DROP COLUMN position, DROP COLUMN id, DROP COLUMN most,
    ADD PRIMARY KEY (ticket_type_id, starts_at);
ALTER TABLE ticket_types DROP COLUMN max_per_buyer;
ALTER TABLE events DROP COLUMN ticket_fee, DROP COLUMN tax_basis_points, DROP COLUMN tax_included, DROP COLUMN max_per_buyer;
