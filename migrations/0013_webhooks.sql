-- Webhooks: endpoints outside that are told of events.

create table webhook_endpoints (
    id              uuid        primary key,
    project_id      uuid        not null references projects (id),
    url             text        not null check (octet_length(url) between 1 and 2000),
    description     text        not null default '' check (char_length(description) <= 500),
    -- Patterns of event types, as streams take them; none: all that it may see.
    types           text[]      not null default '{}' check (cardinality(types) <= 100),
    -- What it may see, beside what is for the project's staff.
    permissions     text[]      not null check (cardinality(permissions) <= 100),
    -- Events behind this position are sent: the stream's head when it was made, or enabled again.
    starts_after    bigint      not null check (starts_after >= 0),
    -- The first attempt that failed behind the last one that was taken.
    failing_since   timestamptz,
    disabled_at     timestamptz,
    disabled_reason text        check (disabled_reason in ('person', 'gone', 'failing')),
    created_by      text        not null check (char_length(created_by) <= 320),
    created_at      timestamptz not null default now(),
    unique (project_id, id),
    constraint webhook_endpoints_disabled check ((disabled_at is null) = (disabled_reason is null))
);
create index webhook_endpoints_enabled on webhook_endpoints (project_id) where disabled_at is null;

-- What signs. It has to be read to sign, so it is no digest: it is sealed under a key of the server's own, bound
-- to its endpoint (XChaCha20-Poly1305; see server/src/access/seal.rs).
create table webhook_secrets (
    id          uuid        primary key,
    project_id  uuid        not null,
    endpoint_id uuid        not null,
    sealed      bytea       not null check (octet_length(sealed) between 40 and 1000),
    created_at  timestamptz not null default clock_timestamp(),
    -- Once another took its place, it signs until then; null: it is the one.
    expires_at  timestamptz,
    foreign key (project_id, endpoint_id) references webhook_endpoints (project_id, id) on delete cascade
);
create unique index webhook_secrets_current on webhook_secrets (endpoint_id) where expires_at is null;
create index webhook_secrets_endpoint on webhook_secrets (endpoint_id);

-- How far the project's stream was looked through for its endpoints. Only a project that has an enabled one has
-- a row: the others cost nothing.
create table webhook_cursors (
    project_id uuid   primary key references projects (id),
    position   bigint not null check (position >= 0)
);

-- An event on its way to an endpoint. Its id is the webhook-id of every attempt.
create table webhook_deliveries (
    id              uuid        primary key,
    project_id      uuid        not null,
    endpoint_id     uuid        not null,
    event_id        uuid        not null,
    event_type      text        not null check (char_length(event_type) between 1 and 100),
    -- Null: a test, which is in no stream.
    position        bigint      check (position > 0),
    state           text        not null default 'pending'
        check (state in ('pending', 'delivered', 'failed', 'cancelled')),
    attempts        integer     not null default 0 check (attempts >= 0),
    -- Goes up each time that somebody has it sent again: the jobs of the rounds before find that out and end.
    round           integer     not null default 0 check (round >= 0),
    -- Attempts of this round: the schedule goes by them.
    tries           integer     not null default 0 check (tries between 0 and attempts),
    next_attempt_at timestamptz,
    last_status     integer     check (last_status between 100 and 999),
    last_error      text        check (char_length(last_error) <= 2000),
    created_at      timestamptz not null default clock_timestamp(),
    finished_at     timestamptz,
    unique (project_id, id),
    foreign key (project_id, endpoint_id) references webhook_endpoints (project_id, id) on delete cascade,
    constraint webhook_deliveries_finished check (
        (state = 'pending') = (finished_at is null) and (state = 'pending') = (next_attempt_at is not null))
);
-- An event goes to an endpoint once, whatever happens to the cursor.
create unique index webhook_deliveries_event on webhook_deliveries (endpoint_id, event_id);
-- Ids follow the time: newest first, and what went out of date.
create index webhook_deliveries_newest on webhook_deliveries (endpoint_id, id);
create index webhook_deliveries_pending on webhook_deliveries (endpoint_id, next_attempt_at) where state = 'pending';

create table webhook_attempts (
    delivery_id uuid        not null,
    number      integer     not null check (number > 0),
    project_id  uuid        not null,
    at          timestamptz not null default clock_timestamp(),
    duration_ms integer     not null check (duration_ms >= 0),
    status      integer     check (status between 100 and 999),
    error       text        check (char_length(error) <= 2000),
    excerpt     text        not null default '' check (char_length(excerpt) <= 4096),
    primary key (delivery_id, number),
    foreign key (project_id, delivery_id) references webhook_deliveries (project_id, id) on delete cascade
);

select keep_to_one_project(name)
from unnest(array['webhook_endpoints', 'webhook_secrets', 'webhook_cursors', 'webhook_deliveries',
                  'webhook_attempts']) as name;
-- Requests make secrets and let them end; only who sends reads one. Attempts are written by who sends.
grant select, insert, delete,
      update (url, description, types, permissions, starts_after, failing_since, disabled_at, disabled_reason)
    on webhook_endpoints to tidewatch_app;
grant select (id, project_id, endpoint_id, created_at, expires_at), insert, update (expires_at)
    on webhook_secrets to tidewatch_app;
grant select, insert, update on webhook_cursors to tidewatch_app;
grant select, insert, update (state, round, tries, next_attempt_at, last_error, finished_at)
    on webhook_deliveries to tidewatch_app;
grant select on webhook_attempts to tidewatch_app;
