-- Who attends, where tickets are sold to named people: one person per session.

-- +goose Up
ALTER TABLE events
    ADD COLUMN real_names              text NOT NULL DEFAULT 'none' CHECK (real_names IN ('none', 'optional', 'required')),
    ADD COLUMN attendee_change_seconds bigint NOT NULL DEFAULT 0 CHECK (attendee_change_seconds >= 0);
COMMENT ON COLUMN events.attendee_change_seconds IS 'How long before a session begins its attendees can last be changed.';

CREATE TABLE attendees (
    order_id        text NOT NULL,
    -- Which of the order's tickets, line by line, counted from 1.
    position        integer NOT NULL CHECK (position > 0),
    ticket_type_id  text NOT NULL,
    ticket_id       text CONSTRAINT attendees_ticket UNIQUE REFERENCES tickets,
    document_type   text NOT NULL CHECK (document_type IN ('resident_id', 'passport', 'hk_macao_permit', 'taiwan_permit', 'permanent_resident_id')),
    -- Personal data, sealed by package encryption, whose first byte is always 1.
    name            bytea NOT NULL CONSTRAINT attendees_name_sealed CHECK (get_byte(name, 0) = 1),
    document_number bytea NOT NULL CONSTRAINT attendees_document_number_sealed CHECK (get_byte(document_number, 0) = 1),
    person_index    bytea NOT NULL CHECK (length(person_index) = 32),
    -- While the order holds its stock, and while the ticket has not gone back.
    live            boolean NOT NULL DEFAULT true,
    PRIMARY KEY (order_id, position),
    FOREIGN KEY (order_id, ticket_type_id) REFERENCES order_lines
) WITH (fillfactor = 70);
-- The last word on one person per session.
CREATE UNIQUE INDEX attendees_one_per_session ON attendees (person_index) WHERE live;
COMMENT ON COLUMN attendees.person_index IS
    'The blind index of the session with the document: the same person has another one in another session.';

-- +goose Down
DROP TABLE attendees;
ALTER TABLE events DROP COLUMN real_names, DROP COLUMN attendee_change_seconds;
