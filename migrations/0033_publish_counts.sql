-- What each publisher published at each instance within the last minute: a limit holds over all of them.
-- Unlogged: after a crash of Postgres nobody is owed anything.
create unlogged table publish_counts (
    instance_id uuid        not null references instances (id) on delete cascade,
    -- As events write it: 'user:…', 'key:…'.
    actor       text        not null check (char_length(actor) <= 320),
    -- Since the row is there; it only grows.
    taken       bigint      not null check (taken > 0),
    told_at     timestamptz not null default now(),
    primary key (instance_id, actor)
);
