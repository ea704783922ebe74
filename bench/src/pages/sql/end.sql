-- Indexes, keys and triggers as they were.

do $$
declare
    own record;
begin
    for own in select distinct event_object_table as name from information_schema.triggers
               where trigger_schema = current_schema() loop
        execute format('alter table %I enable trigger user', own.name);
    end loop;
    -- Keys stand first, then indexes; foreign keys want the keys.
    for own in select statement from bench_aside order by statement like '% FOREIGN KEY %', number loop
        execute own.statement;
    end loop;
end
$$;
drop table bench_aside, bench_lines, bench_modules, bench_records, bench_entries, bench_balances, bench_actors;
drop aggregate bench_merge(jsonb);
drop function bench_at, bench_id, bench_time, bench_name, bench_pick;
-- Their triggers were off.
select recount_records(tgrelid::regclass::text) from pg_trigger
where tgname = tgrelid::regclass::text || '_counted_new';
