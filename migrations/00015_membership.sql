-- Membership: an organiser's programme, its members, and the journal of their points.

-- +goose Up
CREATE TABLE programmes (
    id              text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_-]{1,64}$'),
    organiser_id    text NOT NULL CONSTRAINT programmes_organiser UNIQUE REFERENCES organisers,
    name            jsonb NOT NULL CHECK (name ? 'en' AND name ? 'zh-CN'),
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    spend_per_point bigint NOT NULL CHECK (spend_per_point > 0),
    levels          jsonb NOT NULL CHECK (jsonb_typeof(levels) = 'array' AND jsonb_array_length(levels) > 0)
);
COMMENT ON COLUMN programmes.spend_per_point IS 'How many minor units paid for tickets make a point.';
-- What a level is worth is part of what an event costs.
-- +goose StatementBegin
CREATE FUNCTION touch_events_of_programme() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE events SET revision = revision + 1 WHERE organiser_id = NEW.organiser_id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER programmes_insert AFTER INSERT ON programmes
    FOR EACH ROW EXECUTE FUNCTION touch_events_of_programme();
CREATE TRIGGER programmes_update AFTER UPDATE ON programmes
    FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION touch_events_of_programme();

CREATE TABLE members (
    -- The id of the order with which the membership began.
    id           text PRIMARY KEY,
    programme_id text NOT NULL REFERENCES programmes,
    -- Blind indexes: whoever reads the table learns no mail address and cannot use a code.
    mail_index   bytea NOT NULL CHECK (length(mail_index) = 32),
    code_index   bytea NOT NULL CONSTRAINT members_code UNIQUE CHECK (length(code_index) = 32),
    points       bigint NOT NULL DEFAULT 0 CONSTRAINT members_points CHECK (points >= 0),
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT members_mail UNIQUE (programme_id, mail_index)
) WITH (fillfactor = 70);
COMMENT ON COLUMN members.points IS 'The sum of the member''s entries, kept by the database. Who buys as a member locks the row, so that a level does not change meanwhile.';

-- Orders that are to make points: those made with a member code, and those whose buyers want to join.
CREATE TABLE order_members (
    order_id        text PRIMARY KEY REFERENCES orders,
    programme_id    text NOT NULL REFERENCES programmes,
    mail_index      bytea NOT NULL CHECK (length(mail_index) = 32),
    -- Of a buyer who wants to join: the blind index of the code they get if they are no member yet. NULL with a member code.
    joins_code      bytea CHECK (length(joins_code) = 32),
    -- NULL until somebody who wants to join has paid.
    member_id       text REFERENCES members,
    -- What the order was sold by. NULL where it makes no points, as it is in another currency.
    spend_per_point bigint CHECK (spend_per_point > 0),
    level_name      jsonb,
    lead_hours      integer NOT NULL DEFAULT 0 CHECK (lead_hours >= 0),
    extra_tickets   integer NOT NULL DEFAULT 0 CHECK (extra_tickets >= 0),
    discount        bigint NOT NULL DEFAULT 0 CHECK (discount >= 0),
    CHECK (joins_code IS NOT NULL OR member_id IS NOT NULL)
);
CREATE INDEX order_members_member ON order_members (member_id);

CREATE TABLE points_entries (
    order_id  text NOT NULL REFERENCES order_members,
    -- paid, refund:ID or dispute:ID. A step that is repeated makes no points again.
    cause     text NOT NULL CHECK (cause ~ '^(paid|refund:.+|dispute:.+)$'),
    member_id text NOT NULL REFERENCES members,
    points    bigint NOT NULL CHECK (points <> 0 AND (cause = 'paid') = (points > 0)),
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (order_id, cause)
);
CREATE INDEX points_entries_member ON points_entries (member_id);
CREATE TRIGGER points_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON points_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- +goose StatementBegin
CREATE FUNCTION add_points() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE members SET points = points + NEW.points WHERE id = NEW.member_id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER points_entries_sum AFTER INSERT ON points_entries FOR EACH ROW EXECUTE FUNCTION add_points();

-- +goose Down
DROP TABLE points_entries, order_members, members, programmes;
DROP FUNCTION add_points, touch_events_of_programme;
