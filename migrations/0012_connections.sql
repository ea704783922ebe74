-- Who is connected, on which instance. Each instance keeps its own rows; all of it can be lost without
-- loss, so it is not logged: after a crash of Postgres every instance writes its rows anew.

create unlogged table instances (
    id      uuid        primary key,
    name    text        not null,
    -- An instance that was not seen for 5 s is dead, and its rows are deleted by the others.
    seen_at timestamptz not null default now()
);

create unlogged table connections (
    id           uuid        primary key,
    instance_id  uuid        not null references instances (id) on delete cascade,
    project_id   uuid        not null references projects (id),
    kind         text        not null check (kind in ('sse', 'poll', 'socketio')),
    actor        text        not null,
    actor_name   text        not null,
    address      text,
    client       text        not null,
    connected_at timestamptz not null,
    channels     text[]      not null default '{}',
    -- The API keys on whose word it is connected or in a private channel.
    keys         uuid[]      not null default '{}',
    -- Somebody has asked its instance to end it.
    end_asked_at timestamptz
);
create index connections_newest on connections (project_id, connected_at desc, id desc);
create index connections_instance_id on connections (instance_id);
create index connections_end_asked on connections (instance_id) where end_asked_at is not null;

select keep_to_one_project('connections');
grant select, update (end_asked_at) on connections to tidewatch_app;
grant select (id, name) on instances to tidewatch_app;
