-- +goose Up
-- The console's people: who may sign in, who is signed in, what they did.

CREATE TABLE users (
    id          text PRIMARY KEY,
    email       text NOT NULL CONSTRAINT users_email_once UNIQUE CONSTRAINT users_email_lower CHECK (email = lower(email)),
    name        text NOT NULL,
    role        text NOT NULL CONSTRAINT users_role CHECK (role IN ('viewer', 'operator', 'admin')),
    password    text,                     -- argon2id; null: signs in through OpenID Connect alone
    lang        text NOT NULL DEFAULT '', -- '' follows the browser
    theme       text NOT NULL DEFAULT '', -- '' follows the system
    zone        text NOT NULL DEFAULT '', -- IANA's name; '' follows the hub's setting
    keys        boolean NOT NULL DEFAULT true, -- one-letter keys on
    disabled_at timestamptz,
    seen_at     timestamptz,
    created_at  timestamptz NOT NULL
);

CREATE TABLE sessions (
    id         text PRIMARY KEY,
    hash       bytea NOT NULL UNIQUE, -- SHA-256 of the cookie, which has 256 random bits
    user_id    text NOT NULL REFERENCES users,
    address    text NOT NULL,
    agent      text NOT NULL,
    created_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL, -- however busy it is
    ended_at   timestamptz           -- signed out or revoked
);
CREATE INDEX sessions_by_user ON sessions (user_id, id DESC);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- A browser in which a person signed in before. It has a count of failures of
-- its own, so that strangers who guess cannot lock that person out.
CREATE TABLE devices (
    hash    bytea PRIMARY KEY, -- SHA-256 of the cookie
    user_id text NOT NULL REFERENCES users,
    seen_at timestamptz NOT NULL
);
CREATE INDEX devices_by_user ON devices (user_id);

-- Failures to sign in, by account, device and address. Here, not in memory:
-- several hubs count together.
CREATE TABLE sign_in_tries (
    subject      text PRIMARY KEY,
    failures     int NOT NULL,
    last_at      timestamptz NOT NULL,
    locked_until timestamptz NOT NULL
);
CREATE INDEX sign_in_tries_by_age ON sign_in_tries (last_at);

-- Who did what, on what, why, from where. Written before it is done; how it
-- ended is filled in once, and nothing else ever changes.
CREATE TABLE audit (
    id         text PRIMARY KEY,
    at         timestamptz NOT NULL,
    user_id    text,          -- null: nobody that the hub knows
    who        text NOT NULL, -- as it was called then
    action     text NOT NULL, -- a noun and a verb, as order.refund
    object     text NOT NULL, -- the id that it was done to, or ''
    why        text NOT NULL,
    outcome    text NOT NULL CONSTRAINT audit_outcome CHECK (outcome IN ('begun', 'done', 'failed', 'refused')),
    address    text NOT NULL,
    request_id text NOT NULL,
    data       jsonb NOT NULL
);
CREATE INDEX audit_by_who ON audit (who, id DESC);
CREATE INDEX audit_by_action ON audit (action, id DESC);
CREATE INDEX audit_by_object ON audit (object, id DESC);

-- +goose StatementBegin
CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.outcome = 'begun' AND NEW.outcome IN ('done', 'failed', 'refused')
        AND to_jsonb(NEW) - 'outcome' - 'data' = to_jsonb(OLD) - 'outcome' - 'data' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit is only ever added to';
END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_stays();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit EXECUTE FUNCTION audit_stays();

-- Saved views: a name for a list's filter.
CREATE TABLE views (
    id         text PRIMARY KEY,
    user_id    text NOT NULL REFERENCES users,
    screen     text NOT NULL,
    name       text NOT NULL,
    query      text NOT NULL,
    shared     boolean NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT views_name_once UNIQUE (user_id, screen, name)
);

-- +goose Down
DROP TABLE views, audit, sign_in_tries, devices, sessions, users;
DROP FUNCTION audit_stays;
