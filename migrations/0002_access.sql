-- People, their memberships and sessions, and API keys.

create table users (
    id            uuid        primary key,
    -- Compared in lower case: addresses that differ in case alone are the same person.
    email         text        not null check (char_length(email) between 3 and 320),
    name          text        not null check (char_length(name) between 1 and 200),
    -- argon2id in PHC string format.
    password_hash text        not null,
    disabled_at   timestamptz,
    created_at    timestamptz not null default now()
);
create unique index users_email_key on users (lower(email));

create table memberships (
    project_id uuid        not null references projects (id),
    user_id    uuid        not null references users (id),
    role       text        not null check (role ~ '^[a-z][a-z0-9_]*$'),
    created_at timestamptz not null default now(),
    primary key (project_id, user_id, role)
);
create index memberships_user_id on memberships (user_id);

-- Sessions of tower-sessions. `id` is a keyed digest of the cookie's value: who reads this
-- table cannot take a session over.
create table sessions (
    id         bytea       primary key check (octet_length(id) = 32),
    user_id    uuid        references users (id),
    data       jsonb       not null,
    expires_at timestamptz not null,
    created_at timestamptz not null default now()
);
create index sessions_expires_at on sessions (expires_at);
create index sessions_user_id on sessions (user_id);

create table api_keys (
    id           uuid        primary key,
    project_id   uuid        not null references projects (id),
    name         text        not null check (char_length(name) between 1 and 200),
    -- HMAC-SHA-256 of the secret under the server's key. The secret itself is shown once, never kept.
    digest       bytea       not null unique check (octet_length(digest) = 32),
    scopes       text[]      not null check (cardinality(scopes) > 0),
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz,
    created_at   timestamptz not null default now()
);
create index api_keys_project_id on api_keys (project_id);

-- Secrets that the server makes for itself once, where the configuration gives none.
create table server_secrets (
    name       text        primary key,
    value      bytea       not null check (octet_length(value) >= 32),
    created_at timestamptz not null default now()
);
