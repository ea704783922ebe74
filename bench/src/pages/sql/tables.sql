-- The rows of all modules: what the last event of each says.

do $$
declare
    listed record;
    names  text;
    told   text;
begin
    for listed in select * from bench_modules where module not in ('balances', 'comments', 'deliveries') loop
        -- A field's name in events is its column's in camel case.
        select string_agg(quote_ident(attname), ', '),
               string_agg(format('(facts ->> %L)::%s',
                   lower(left(attname, 1)) || substr(replace(initcap(replace(attname, '_', ' ')), ' ', ''), 2),
                   format_type(atttypid, atttypmod)), ', ')
        into names, told
        from pg_attribute
        where attrelid = listed.module::regclass and attnum > 0 and not attisdropped
          and attname not in ('id', 'project_id', 'organization_id', 'audience', 'status', 'version', 'assignee', 'search',
                              'created_at', 'updated_at');
        execute format($sql$
            insert into %1$I (id, project_id, audience, status, version, search, created_at, updated_at, %2$s)
            select id, current_setting('bench.project')::uuid, '{role:staff}', facts ->> 'status', version,
                   array_to_tsvector(array_remove(array(
                       select distinct left(lower(word), 64) from regexp_split_to_table(concat_ws(' ',
                           facts ->> 'reference', facts ->> 'title', facts ->> 'name', facts ->> 'message', facts ->> 'description',
                           facts ->> 'address', facts ->> 'source', facts ->> 'note', facts ->> 'cancelReason', facts ->> 'resolution',
                           case when %3$L <> 'settlements' then facts ->> 'error' end), '[^[:alnum:]]+') word), ''))
                       || value_words(facts, array['currency', 'network', 'method', 'severity', 'kind']),
                   created_at, updated_at, %4$s
            from (select r.id, r.version, r.created_at, r.facts || l.facts || case when l.late then r.late else '{}' end as facts,
                         bench_at((r.block - 1) * current_setting('bench.block')::bigint + l.line) as updated_at
                  from bench_records r join bench_lines l on l.life = r.life and l.version = r.version and l.module = r.module
                  where r.module = %3$L
                  order by r.block, l.line) as ended
            $sql$, listed.module, names, listed.module, told);
    end loop;
end
$$;

insert into balances (id, project_id, audience, status, version, search, created_at, updated_at, account, currency, balance_minor)
select b.id, current_setting('bench.project')::uuid, '{role:staff}', 'open', x.version, array_to_tsvector(array[b.account]) || value_words(to_jsonb(b), array['currency']),
       b.created_at, x.at, b.account, b.currency, x.balance
from bench_balances b
join (select distinct on (account, currency) * from bench_entries order by account, currency, version desc) x
    using (account, currency);

insert into ledger_entries (id, project_id, transaction_id, balance_id, balance_version, currency, delta_minor,
                            balance_minor, cause, created_at)
select bench_id(x.at, 'entry' || x.block || '-' || x.line), current_setting('bench.project')::uuid, x.transfer, b.id,
       x.version, x.currency, x.delta, x.balance, x.cause, x.at
from bench_entries x join bench_balances b using (account, currency)
order by x.block, x.line;

insert into comments (id, project_id, version, about, actor, text, audience, created_at)
select bench_id(occurred_at, 'comment' || 1 + (position - 1) / current_setting('bench.block')::bigint), project_id, 1,
       payload ->> 'about', metadata ->> 'actor', payload ->> 'text', audience, occurred_at
from domain_events where event_type = 'comment.created';

insert into server_checks (project_id, server_id, checked_at, ok, latency_ms, error)
select project_id, id, updated_at + make_interval(secs => n * interval_seconds), status <> 'failed', latency_ms, error
from servers, generate_series(0, 4) n where status <> 'paused';

-- What people did.
insert into audit_entries (id, project_id, at, actor, actor_name, action, target, target_name, before, after, request_id)
select bench_id(occurred_at, 'audit' || position), project_id, occurred_at, metadata ->> 'actor',
       coalesce(a.names[array_position(a.people, metadata ->> 'actor')], ''),
       split_part(event_type, '.', 1) || '.' || coalesce(payload ->> 'toStatus', 'create'), aggregate_id,
       coalesce(payload ->> 'reference', payload ->> 'title', payload ->> 'name', aggregate_id),
       case when payload ? 'fromStatus' then payload || jsonb_build_object('status', payload -> 'fromStatus') end, payload,
       metadata ->> 'correlationId'
from domain_events, bench_actors a
where metadata ->> 'actor' like 'user:%'
order by position;

-- As whoever leads: nobody else gives positions meanwhile.
select set_config('tidewatch.relay_term', term::text, false) from relay_leadership;
update project_streams set last_position = current_setting('bench.events')::bigint, oldest_position = 1
where project_id = current_setting('bench.project')::uuid;
insert into project_streams (project_id, last_position)
select current_setting('bench.project')::uuid, current_setting('bench.events')::bigint
where not exists (select from project_streams where project_id = current_setting('bench.project')::uuid);
select setval('domain_events_sequence', current_setting('bench.events')::bigint);
