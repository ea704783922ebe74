-- Events that services publish through the API.

-- Answers that were given under an idempotency key, so that the same request is carried out once.
create table idempotency_keys (
    project_id  uuid        not null references projects (id),
    -- Whose key it is: two publishers may draw the same one.
    actor       text        not null check (char_length(actor) between 1 and 200),
    key         text        not null check (char_length(key) between 1 and 255),
    -- SHA-256 of what was asked: another request under the same key is refused.
    fingerprint bytea       not null check (octet_length(fingerprint) = 32),
    answer      jsonb       not null,
    created_at  timestamptz not null default now(),
    primary key (project_id, actor, key)
);
create index idempotency_keys_created_at on idempotency_keys (created_at);

-- How far the aggregates have come that services keep and publish events of: the versions of those
-- that say none are counted here.
create table published_aggregates (
    project_id     uuid   not null references projects (id),
    aggregate_type text   not null check (char_length(aggregate_type) <= 100),
    aggregate_id   text   not null check (char_length(aggregate_id) between 1 and 200),
    version        bigint not null check (version >= 0),
    primary key (project_id, aggregate_type, aggregate_id)
);

select keep_to_one_project(name) from unnest(array['idempotency_keys', 'published_aggregates']) as name;
grant select, insert on idempotency_keys to tidewatch_app;
grant select, insert, update on published_aggregates to tidewatch_app;
