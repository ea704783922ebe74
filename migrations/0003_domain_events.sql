-- The outbox and the published log: one table, partitioned by the day of recording, so that
-- retention drops a partition instead of deleting rows.

-- The text form of an id behind its prefix: 26 characters of Crockford's base 32, as
-- tidewatch-events writes it.
create function crockford(id uuid) returns text
language sql immutable strict parallel safe as $$
    select string_agg(
        substr('0123456789abcdefghjkmnpqrstvwxyz',
               substring(lpad('', 2, '0') || bits, 5 * digit + 1, 5)::bit(5)::integer + 1, 1),
        '' order by digit)
    from (select ('x' || replace(id::text, '-', ''))::bit(128)::text as bits) as source,
         generate_series(0, 25) as digit
$$;

create sequence domain_events_sequence as bigint cache 1;

create table domain_events (
    event_id          uuid        not null,
    -- The UTC day on which the recording transaction began; the partition key.
    recorded_on       date        not null default (now() at time zone 'utc')::date,
    -- Order of insertion. It does not follow the order of commits: only the relay reads by it.
    sequence          bigint      not null default nextval('domain_events_sequence'),
    project_id        uuid        not null,
    event_type        text        not null
        check (char_length(event_type) <= 100 and event_type ~ '^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$'),
    aggregate_type    text        not null
        check (char_length(aggregate_type) <= 100 and aggregate_type ~ '^[A-Z][A-Za-z0-9]*$'),
    aggregate_id      text        not null check (char_length(aggregate_id) between 1 and 200),
    aggregate_version bigint      not null check (aggregate_version > 0),
    -- The years 0 to 9999, which are those that the program can hold and RFC 3339 can write.
    occurred_at       timestamptz not null constraint domain_events_occurred_at_range
        check (occurred_at >= '0001-01-01T00:00:00Z BC' and occurred_at < '10000-01-01T00:00:00Z'),
    -- The program allows 262,144 bytes of JSON. As jsonb the same value takes at most 6 times as
    -- much (an array of single digits), so what the program lets pass is never refused here.
    payload           jsonb       not null
        constraint domain_events_payload_size check (pg_column_size(payload) <= 8 * 262144),
    metadata          jsonb       not null default '{}',
    permissions       text[]      not null default '{}',
    audience          text[]      not null default '{}',
    channels          text[]      not null default '{}',
    high_priority     boolean     not null default false,
    -- Given by the relay once the event is committed; readers know no other order.
    position          bigint      check (position > 0),
    published_at      timestamptz,
    primary key (event_id, recorded_on),
    -- Two writers of one version: the second is refused. The day is here because a unique
    -- constraint of a partitioned table must hold its key; across midnight the aggregate's own
    -- row and its deferred check (see settlements) refuse the second.
    constraint domain_events_aggregate_version_key
        unique (project_id, aggregate_type, aggregate_id, aggregate_version, recorded_on),
    constraint domain_events_published check ((position is null) = (published_at is null))
) partition by range (recorded_on);

-- What the relay has still to publish. Small, whatever the table's size.
create index domain_events_pending on domain_events (sequence) where position is null;
-- The published log.
create unique index domain_events_position on domain_events (project_id, position, recorded_on)
    where position is not null;
-- Readers that start from a time.
create index domain_events_occurred_at on domain_events (project_id, occurred_at);

-- Rows of a day that has no partition: late maintenance must not stop the business.
create table domain_events_default partition of domain_events default;

-- One row a project: how far its stream goes, and how far back.
create table project_streams (
    project_id      uuid   primary key,
    -- Which history the positions count; another one after a restore. See `Epoch` in tidewatch-events.
    epoch           bigint not null default floor(random() * 4294967295)::bigint
        check (epoch between 0 and 4294967295),
    last_position   bigint not null default 0 check (last_position >= 0),
    -- Events at or above it are kept.
    oldest_position bigint not null default 1 check (oldest_position between 1 and last_position + 1)
);

-- Makes the partitions of today and the next `days_ahead` days. Idempotent.
create function ensure_event_partitions(days_ahead integer) returns void
language plpgsql as $$
declare
    day  date;
    name text;
begin
    -- From yesterday on: transactions that began before midnight record under that day.
    for day in select generate_series(
        (now() at time zone 'utc')::date - 1, (now() at time zone 'utc')::date + days_ahead, interval '1 day')::date
    loop
        name := 'domain_events_' || to_char(day, 'YYYYMMDD');
        if to_regclass(name) is null then
            begin
                execute format('create table %I partition of domain_events for values from (%L) to (%L)',
                               name, day, day + 1);
            exception
                when duplicate_table then null;      -- another instance was quicker
                when check_violation then            -- the default partition holds rows of that day already
                    raise warning 'partition % not made: its rows stand in domain_events_default', name;
            end;
        end if;
    end loop;
end
$$;

-- Drops the oldest partition if its every event was published before `cutoff`, moves
-- `oldest_position` on, so that a reader from before is told of the gap, and returns its name; null
-- when there is none to drop. An unpublished event keeps its partition, and every later one, alive.
-- One partition a call, and so a transaction: the next one's long look must not be taken under
-- the locks of this one.
create function drop_event_partition(cutoff timestamptz) returns text
language plpgsql as $$
declare
    part     text;
    keep     boolean;
    projects uuid[];
    lasts    bigint[];
begin
    -- One instance at a time; a second one has nothing to add.
    if not pg_try_advisory_xact_lock(hashtext('tidewatch retention')) then
        return null;
    end if;
    select c.relname into part from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'domain_events'::regclass
      and c.relname ~ '^domain_events_\d{8}$'
      and to_date(right(c.relname, 8), 'YYYYMMDD') < (cutoff at time zone 'utc')::date
    order by c.relname limit 1;
    if part is null then
        return null;
    end if;
    execute format('select exists (select from %I where published_at is null or published_at >= $1)', part)
        into keep using cutoff;
    if keep then
        return null;
    end if;
    execute format(
        'select array_agg(project_id), array_agg(last)
         from (select project_id, max(position) as last from %I group by project_id) gone', part)
        into projects, lasts;
    -- The long looks are over; now nobody may record into it between a last, indexed look and
    -- the drop. Parent first, as every writer locks them, and before any row of project_streams:
    -- the relay takes those while it holds the table.
    lock table only domain_events in access exclusive mode;
    execute format('lock table %I in access exclusive mode', part);
    execute format('select exists (select from %I where position is null)', part) into keep;
    if keep then
        return null;
    end if;
    update project_streams s set oldest_position = greatest(s.oldest_position, gone.last + 1)
    from unnest(projects, lasts) as gone (project_id, last)
    where s.project_id = gone.project_id;
    execute format('drop table %I', part);
    return part;
end
$$;

select ensure_event_partitions(7);
