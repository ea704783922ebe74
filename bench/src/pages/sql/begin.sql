-- What all later steps go by. Sizes come as settings of the session (bench.*), so that no statement is put together.

-- When the event at a position occurred: from six days ago, midnight, until now, evenly.
create function bench_at(place bigint) returns timestamptz language sql stable parallel safe as $$
    select to_timestamp((current_setting('bench.begin')::bigint
                         + place * current_setting('bench.span')::bigint / current_setting('bench.events')::bigint)
                        / 1000.0)
$$;

-- A UUIDv7 of that time; the rest of it follows from a name, so that each run makes the same.
create function bench_id(at timestamptz, name text) returns uuid language sql immutable parallel safe as $$
    select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0')
            || '7' || substr(md5(name), 1, 3) || '8' || substr(md5(name), 4, 15))::uuid
$$;

create function bench_time(at timestamptz) returns text language sql stable parallel safe as $$
    select to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- One of several, by number.
create function bench_pick(words text[], number bigint) returns text language sql immutable parallel safe as $$
    select words[1 + number % cardinality(words)]
$$;

-- The text of an id, as crockford() writes it: ten times as quick, for there are millions.
create function bench_name(prefix text, id uuid) returns text language plpgsql immutable parallel safe as $$
declare
    letters constant text := '0123456789abcdefghjkmnpqrstvwxyz';
    hex     constant text := replace(id::text, '-', '');
    time    constant bigint := ('x' || substr(hex, 1, 12))::bit(48)::bigint;
    middle  constant bigint := ('x' || substr(hex, 13, 10))::bit(40)::bigint;
    rest    constant bigint := ('x' || substr(hex, 23, 10))::bit(40)::bigint;
    name    text := prefix || '_';
begin
    for shift in reverse 9..0 loop
        name := name || substr(letters, 1 + ((time >> (5 * shift)) & 31)::integer, 1);
    end loop;
    for shift in reverse 7..0 loop
        name := name || substr(letters, 1 + ((middle >> (5 * shift)) & 31)::integer, 1);
    end loop;
    for shift in reverse 7..0 loop
        name := name || substr(letters, 1 + ((rest >> (5 * shift)) & 31)::integer, 1);
    end loop;
    return name;
end
$$;

-- Objects put on top of each other.
create aggregate bench_merge(jsonb) (sfunc = jsonb_concat, stype = jsonb, initcond = '{}');

-- What is loaded has its partitions as if the days had come one by one.
do $$
declare
    day date;
begin
    for day in select generate_series((now() at time zone 'utc')::date - 6, (now() at time zone 'utc')::date,
                                      interval '1 day')::date loop
        execute format('create table if not exists %I partition of domain_events for values from (%L) to (%L)',
                       'domain_events_' || to_char(day, 'YYYYMMDD'), day, day + 1);
    end loop;
end
$$;

-- Triggers hold what this keeps by itself; indexes and keys are made at the end, which is many times quicker.
create unlogged table bench_aside (number integer generated always as identity, statement text not null);
do $$
declare
    tables constant regclass[] := array['domain_events', 'settlements', 'payments', 'orders', 'invoices', 'balances',
        'tickets', 'incidents', 'servers', 'automations', 'logs', 'ledger_entries', 'comments', 'audit_entries',
        'server_checks', 'jobs']::regclass[];
    own record;
begin
    for own in
        select conrelid::regclass as owner, conname, contype, pg_get_constraintdef(oid) as definition
        from pg_constraint
        where (conrelid = any(tables) and contype in ('p', 'u', 'f')) or (confrelid = any(tables) and contype = 'f')
        order by contype <> 'f'
    loop
        insert into bench_aside (statement)
            values (format('alter table %s add constraint %I %s', own.owner, own.conname, own.definition));
        execute format('alter table %s drop constraint %I', own.owner, own.conname);
    end loop;
    for own in select indexrelid::regclass as name, pg_get_indexdef(indexrelid) as definition
               from pg_index where indrelid = any(tables) loop
        insert into bench_aside (statement) values (replace(own.definition, ' ON ONLY ', ' ON '));
        execute format('drop index %s', own.name);
    end loop;
    for own in select unnest(tables) as name loop
        execute format('alter table %s disable trigger user', own.name);
    end loop;
end
$$;
