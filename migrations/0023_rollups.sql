-- Sums over the published log by steps of time, so that charts and the numbers of a day are read out of a few rows,
-- however long the log is.
--
-- Nothing is paid for them when an event is recorded or published: who keeps them goes through the log behind the relay
-- (server/src/rollups.rs). They reach up to a position; whoever reads them adds the events behind it, in the same
-- snapshot, and so is exact at any moment.

-- Up to which position the sums of a project go.
create table rollup_cursors (
    project_id uuid   primary key references projects (id),
    position   bigint not null default 0 check (position >= 0)
);

-- Who may see what was summed up: events of the same needs and audience are counted together.
--
-- Each event is counted twice: once for the project's staff, to whom all that is addressed to it is one class, however
-- many organizations it concerns, and once for everybody else.
create table rollup_classes (
    project_id  uuid    not null references projects (id),
    id          uuid    not null,
    for_staff   boolean not null,
    permissions text[]  not null,
    audience    text[]  not null,
    primary key (project_id, id)
);

create table event_rollups (
    project_id uuid        not null,
    -- The step: how wide it is, in seconds, and when it begins. Steps begin at multiples of their width since 1970.
    width      integer     not null,
    from_time  timestamptz not null,
    class_id   uuid        not null,
    -- How long events waited for their publication: see lag_class.
    lag_class  smallint    not null,
    events     bigint      not null,
    created    bigint      not null,
    settled    bigint      not null,
    failed     bigint      not null,
    lag_max_ms bigint      not null,
    primary key (project_id, width, from_time, class_id, lag_class),
    foreign key (project_id, class_id) references rollup_classes (project_id, id)
);

-- What was settled.
create table volume_rollups (
    project_id   uuid        not null,
    width        integer     not null,
    from_time    timestamptz not null,
    class_id     uuid        not null,
    currency     text        not null,
    -- Empty where the event names none.
    network      text        not null,
    -- Not a bigint: who publishes such events by themselves names any amount, and a sum must not fail.
    amount_minor numeric     not null,
    primary key (project_id, width, from_time, class_id, currency, network),
    foreign key (project_id, class_id) references rollup_classes (project_id, id)
);

-- How long an event waited between its recording and its publication, in milliseconds. When it was recorded stands in
-- its id, a UUIDv7: `occurred_at` is what its publisher says. The clocks of who records and of Postgres differ.
create function publication_lag_ms(event_id uuid, published_at timestamptz) returns bigint
language sql stable parallel safe as $$
    select greatest((extract(epoch from published_at) * 1000)::bigint
                    - ('x' || left(replace(event_id::text, '-', ''), 12))::bit(48)::bigint, 0)
$$;

-- Times by their size: each class is at most a ninth wider than where it begins, as in an HDR histogram. Up to 7 ms
-- each has its own; from there on eight to a doubling. `LagClass` of the program knows where they end.
create function lag_class(ms bigint) returns smallint
language sql immutable parallel safe as $$
    select (case when ms < 8 then greatest(ms, 0) else floor(8 * ln(ms::float8) / ln(2::float8)) - 16 end)::smallint
$$;

-- What an event says was settled: a row, or none. Whoever publishes an event of this type by themselves may leave out
-- what ours have, or say something else there.
create function settled_volume(event_type text, payload jsonb)
returns table (currency text, network text, amount_minor numeric)
language sql immutable parallel safe as $$
    select payload ->> 'currency',
           case when payload ->> 'network' ~ '^[a-z][a-z0-9_-]{0,39}$' then payload ->> 'network' else '' end,
           -- Once more here: put into a query, this may be reckoned before the row is refused.
           case when payload ->> 'amountMinor' ~ '^[0-9]{1,15}$' then (payload ->> 'amountMinor')::numeric end
    where event_type = 'settlement.settled' and payload ->> 'currency' ~ '^[A-Z]{3}$'
      and payload ->> 'amountMinor' ~ '^[0-9]{1,15}$'
$$;

-- How many records of a kind stand where, by whom they are for. Counted as they change: each change of a row leaves a
-- line, which waits for nobody, and who keeps the sums adds the lines up. Whoever reads adds what is left of them.
create table record_counts (
    project_id uuid   not null references projects (id),
    name       text   not null,
    status     text   not null,
    -- Names this audience in the key: an audience may be longer than an index takes.
    class_id   uuid   not null,
    audience   text[] not null,
    count      bigint not null,
    primary key (project_id, name, status, class_id)
);
create table record_count_changes (
    project_id uuid   not null,
    name       text   not null,
    status     text   not null,
    audience   text[] not null,
    change     bigint not null
);
create index record_count_changes_of on record_count_changes (project_id, name);
-- Rows come and go all the time: what is dead goes soon, or readers pass it each time.
alter table record_count_changes set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

create function note_record_counts() returns trigger
language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into record_count_changes (project_id, name, status, audience, change)
        select project_id, tg_table_name, status, audience, count(*) from new_rows group by project_id, status, audience;
    else
        insert into record_count_changes (project_id, name, status, audience, change)
        select project_id, tg_table_name, status, audience, sum(change)
        from (select project_id, status, audience, -1 as change from old_rows
              union all select project_id, status, audience, 1 from new_rows) moved
        group by project_id, status, audience having sum(change) <> 0;
    end if;
    return null;
end
$$;

-- Counts all records of a kind anew, for a table that was filled with its triggers off. Nobody may change it meanwhile.
create function recount_records(name text) returns void
language plpgsql as $$
begin
    execute format('lock table %I in share mode', name);
    delete from record_count_changes c where c.name = recount_records.name;
    delete from record_counts c where c.name = recount_records.name;
    execute format('insert into record_counts (project_id, name, status, class_id, audience, count)
                    select project_id, %L, status, md5(audience::text)::uuid, audience, count(*) from %I
                    group by project_id, status, audience', name, name);
end
$$;

-- From now on the records of a kind are counted.
create function count_records(name text) returns void
language plpgsql as $$
begin
    execute format('create trigger %I after insert on %I referencing new table as new_rows
                    for each statement execute function note_record_counts()', name || '_counted_new', name);
    execute format('create trigger %I after update on %I referencing old table as old_rows new table as new_rows
                    for each statement execute function note_record_counts()', name || '_counted_moved', name);
    perform recount_records(name);
end
$$;

-- The overview says of all settlements where they stand; lists count up to a limit and estimate behind it.
select count_records('settlements');

select keep_to_one_project(name)
from unnest(array['rollup_cursors', 'rollup_classes', 'event_rollups', 'volume_rollups', 'record_counts',
                  'record_count_changes']) as name;
grant select on rollup_cursors, rollup_classes, event_rollups, volume_rollups, record_counts to tidewatch_app;
grant select, insert on record_count_changes to tidewatch_app;
