-- Durable subscriptions: how far a consumer has acknowledged the events that it asked for.

create table subscriptions (
    project_id         uuid        not null references projects (id),
    -- Whose namespace the name is in: 'project' for its API keys, which come and go, or a person's
    -- user:usr_….
    owner              text        not null check (char_length(owner) between 1 and 200),
    name               text        not null check (name ~ '^[a-z][a-z0-9_.-]{0,99}$'),
    -- types, resourceTypes, resourceId, channels, as the consumer wrote them.
    filter             jsonb       not null,
    -- For so long a delivered event is not delivered again.
    visibility_seconds integer     not null check (visibility_seconds between 1 and 3600),
    -- Everything up to here is done.
    acknowledged       bigint      not null check (acknowledged >= 0),
    -- Everything up to here was delivered.
    delivered          bigint      not null,
    -- From then on what was delivered and not acknowledged is delivered again; null: nothing is.
    visible_again_at   timestamptz,
    created_at         timestamptz not null default now(),
    primary key (project_id, owner, name),
    constraint subscriptions_delivered check (delivered >= acknowledged)
);

select keep_to_one_project('subscriptions');
grant select, insert, update, delete on subscriptions to tidewatch_app;
