-- Bundles: ticket types that are sold as one and admit as several, whose stock they take all or nothing.

-- +goose Up
ALTER TABLE ticket_types ADD CONSTRAINT ticket_types_component UNIQUE (id, currency, seated);

CREATE TABLE bundle_components (
    bundle_id    text NOT NULL,
    -- A ticket type of any session of the organiser, sold in the same currency and without numbered seats.
    component_id text NOT NULL,
    quantity     integer NOT NULL CHECK (quantity BETWEEN 1 AND 100),
    currency     text NOT NULL,
    seated       boolean NOT NULL DEFAULT false CONSTRAINT bundle_components_unseated CHECK (NOT seated),
    PRIMARY KEY (bundle_id, component_id),
    CONSTRAINT bundle_components_bundle FOREIGN KEY (bundle_id, currency, seated) REFERENCES ticket_types (id, currency, seated) ON DELETE CASCADE,
    CONSTRAINT bundle_components_component FOREIGN KEY (component_id, currency, seated) REFERENCES ticket_types (id, currency, seated)
);
CREATE INDEX bundle_components_component_id ON bundle_components (component_id);
COMMENT ON TABLE bundle_components IS 'What one bundle contains. A ticket type with components is a bundle; its own stock is how many of it are sold at most.';

CREATE VIEW bundle_contents AS
SELECT c.bundle_id, c.component_id, c.quantity, t.session_id, s.event_id, t.base_price + t.surcharge AS price, t.max_per_buyer,
    e.max_per_buyer AS max_of_event
FROM bundle_components c
JOIN ticket_types t ON t.id = c.component_id
JOIN sessions s ON s.id = t.session_id
JOIN events e ON e.id = s.event_id;
COMMENT ON VIEW bundle_contents IS 'The components of bundles with what their price and their limits depend on.';

-- +goose StatementBegin
CREATE FUNCTION refuse_unlike_component() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.bundle_id = NEW.component_id OR EXISTS (SELECT FROM bundle_components WHERE bundle_id = NEW.component_id OR component_id = NEW.bundle_id) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', TABLE = 'bundle_components', CONSTRAINT = 'bundle_components_flat',
            MESSAGE = 'a bundle does not contain bundles';
    END IF;
    IF (SELECT count(DISTINCT e.organiser_id) FROM ticket_types t JOIN sessions s ON s.id = t.session_id JOIN events e ON e.id = s.event_id
        WHERE t.id IN (NEW.bundle_id, NEW.component_id)) > 1 THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', TABLE = 'bundle_components', CONSTRAINT = 'bundle_components_organiser',
            MESSAGE = 'a bundle contains tickets of one organiser';
    END IF;
    IF EXISTS (SELECT FROM ticket_types t JOIN sessions s ON s.id = t.session_id JOIN events e ON e.id = s.event_id
        WHERE t.id IN (NEW.bundle_id, NEW.component_id) AND e.real_names = 'required') THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', TABLE = 'bundle_components', CONSTRAINT = 'bundle_components_names',
            MESSAGE = 'tickets in a bundle are not sold to named people';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER bundle_components_alike BEFORE INSERT OR UPDATE ON bundle_components FOR EACH ROW EXECUTE FUNCTION refuse_unlike_component();

-- +goose StatementBegin
CREATE FUNCTION refuse_names_of_bundles() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM sessions s JOIN ticket_types t ON t.session_id = s.id
        JOIN bundle_components c ON t.id IN (c.bundle_id, c.component_id) WHERE s.event_id = NEW.id) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', TABLE = 'events', CONSTRAINT = 'bundle_components_names',
            MESSAGE = 'tickets in a bundle are not sold to named people';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER events_names_of_bundles BEFORE UPDATE OF real_names ON events
    FOR EACH ROW WHEN (OLD.real_names <> NEW.real_names AND NEW.real_names = 'required') EXECUTE FUNCTION refuse_names_of_bundles();

-- A bundle is priced and bounded by its own event: what changes of its components there changes it too.
-- +goose StatementBegin
CREATE FUNCTION touch_event_of_bundle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE events SET revision = revision + 1 WHERE id IN (
        SELECT s.event_id FROM ticket_types t JOIN sessions s ON s.id = t.session_id
        WHERE t.id = CASE WHEN TG_OP = 'DELETE' THEN OLD.bundle_id ELSE NEW.bundle_id END);
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION touch_bundles_of_ticket_type() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE events SET revision = revision + 1 WHERE id IN (
        SELECT s.event_id FROM bundle_components c JOIN ticket_types t ON t.id = c.bundle_id JOIN sessions s ON s.id = t.session_id
        WHERE c.component_id = NEW.id);
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION touch_bundles_of_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE events SET revision = revision + 1 WHERE id <> NEW.id AND id IN (
        SELECT s.event_id FROM bundle_components c JOIN ticket_types t ON t.id = c.bundle_id JOIN sessions s ON s.id = t.session_id
        JOIN ticket_types y ON y.id = c.component_id JOIN sessions z ON z.id = y.session_id WHERE z.event_id = NEW.id);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER bundle_components_insert AFTER INSERT OR DELETE ON bundle_components
    FOR EACH ROW EXECUTE FUNCTION touch_event_of_bundle();
CREATE TRIGGER bundle_components_update AFTER UPDATE ON bundle_components
    FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION touch_event_of_bundle();
CREATE TRIGGER ticket_types_bundles AFTER UPDATE ON ticket_types
    FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION touch_bundles_of_ticket_type();
CREATE TRIGGER events_bundles AFTER UPDATE OF max_per_buyer ON events
    FOR EACH ROW WHEN (OLD.max_per_buyer <> NEW.max_per_buyer) EXECUTE FUNCTION touch_bundles_of_event();

-- What the bundles of an order contain: as when it was held, whatever becomes of the bundle. Stock of the component is held, sold
-- or given back in the state of the bundle's hold.
CREATE TABLE order_components (
    order_id     text NOT NULL,
    bundle_id    text NOT NULL,
    component_id text NOT NULL REFERENCES ticket_types,
    -- Of one bundle.
    quantity     integer NOT NULL CHECK (quantity > 0),
    -- What one costs by itself; what was paid for the bundle is shared by it.
    price        bigint NOT NULL CHECK (price >= 0),
    PRIMARY KEY (order_id, bundle_id, component_id),
    FOREIGN KEY (order_id, bundle_id) REFERENCES order_lines
);
CREATE INDEX order_components_component ON order_components (component_id, order_id);

ALTER TABLE tickets
    -- Of a bundle's ticket: what it admits to, and which of the line's bundles it is of.
    ADD COLUMN component_id text,
    ADD COLUMN bundle       integer CHECK (bundle > 0),
    ADD CONSTRAINT tickets_bundle CHECK ((component_id IS NULL) = (bundle IS NULL)),
    ADD CONSTRAINT tickets_component FOREIGN KEY (order_id, ticket_type_id, component_id) REFERENCES order_components;

-- How many tickets of the subject one of the line counts as.
ALTER TABLE order_counts ADD COLUMN times integer NOT NULL DEFAULT 1 CHECK (times > 0);

-- +goose Down
ALTER TABLE order_counts DROP COLUMN times;
ALTER TABLE tickets DROP COLUMN component_id, DROP COLUMN bundle;
DROP TABLE order_components;
DROP TRIGGER events_bundles ON events;
DROP TRIGGER events_names_of_bundles ON events;
DROP TRIGGER ticket_types_bundles ON ticket_types;
DROP VIEW bundle_contents;
DROP TABLE bundle_components;
DROP FUNCTION refuse_unlike_component, refuse_names_of_bundles, touch_event_of_bundle, touch_bundles_of_ticket_type, touch_bundles_of_event;
ALTER TABLE ticket_types DROP CONSTRAINT ticket_types_component;
