-- What stands around records and events: jobs, webhooks, who was given what, and what the witness found.

insert into jobs (id, project_id, queue, kind, payload, state, priority, run_at, attempt, max_attempts, lease, errors,
                  created_at, started_at, finished_at)
select bench_id(at, 'job' || n), current_setting('bench.project')::uuid, 'default', 'server.check',
       jsonb_build_object('serverId', bench_name('srv', bench_id(at, 'server' || n))),
       case when n % 1000 = 0 then 'dead' else 'completed' end, 0, at, 1, 25, 1,
       case when n % 1000 = 0 then jsonb_build_array(jsonb_build_object(
           'attempt', 1, 'at', bench_time(at), 'message', 'the server is no longer watched')) else '[]' end,
       at, at, at + interval '40 ms'
from (select n, now() - make_interval(secs => 0.4 * (current_setting('bench.others')::bigint - n)) as at
      from generate_series(1, current_setting('bench.others')::bigint) n) as done;

insert into webhook_endpoints (id, project_id, url, description, types, permissions, starts_after, created_by, created_at)
select bench_id(bench_at(0), 'endpoint' || n), current_setting('bench.project')::uuid,
       format('https://hooks.example.com/%s', n), 'Accounting, receiver ' || n, '{settlement.settled}',
       '{events.read,settlements.read}', 0, 'tidewatch seed', bench_at(0)
from generate_series(1, 5) n;
insert into webhook_secrets (id, project_id, endpoint_id, sealed)
select gen_random_uuid(), project_id, id, sha256(id::text::bytea) || sha256(url::bytea) from webhook_endpoints;
insert into webhook_cursors (project_id, position)
values (current_setting('bench.project')::uuid, current_setting('bench.events')::bigint);
insert into webhook_deliveries (id, project_id, endpoint_id, event_id, event_type, position, state, attempts, tries,
                                last_status, created_at, finished_at)
select bench_id(e.published_at, 'delivery' || e.position || w.url), e.project_id, w.id, e.event_id, e.event_type, e.position,
       case when e.position % 500 = 0 then 'failed' else 'delivered' end, 1, 1,
       case when e.position % 500 = 0 then 410 else 204 end, e.published_at, e.published_at + interval '80 ms'
from domain_events e cross join webhook_endpoints w
where e.project_id = current_setting('bench.project')::uuid and e.event_type = 'settlement.settled'
  and e.position > current_setting('bench.events')::bigint - 2 * current_setting('bench.others')::bigint;
insert into webhook_attempts (delivery_id, number, project_id, at, duration_ms, status)
select id, 1, project_id, created_at, 80, last_status from webhook_deliveries;

-- 40 readers, each connected again every hundredth of the log.
insert into delivery_spans (project_id, id, kind, after, upto, filter, subject, actor, actor_name, via, instance, since)
select current_setting('bench.project')::uuid, bench_id(bench_at(part.after), 'span' || reader || '-' || part.after), 'given',
       part.after, part.upto, '{"types": [], "resourceTypes": [], "resourceId": null, "channels": []}',
       jsonb_build_object('projectId', current_setting('bench.project_name'), 'identities', jsonb_build_array('role:staff'),
                          'permissions', 'all'),
       a.people[reader], a.names[reader], 'sse', 'bench', bench_at(part.after)
from bench_actors a, generate_series(1, 40) reader,
     lateral (select current_setting('bench.events')::bigint * n / 100 as after,
                     current_setting('bench.events')::bigint * (n + 1) / 100 as upto
              from generate_series(0, 99) n) as part;

insert into witness_runs (id, project_id, started_at, finished_at, outcome, report)
select bench_id(at, 'run' || n), current_setting('bench.project')::uuid, at, at + interval '70 s', 'clean', jsonb_build_object(
    'asOf', bench_time(at), 'position', to_jsonb(1 + current_setting('bench.events')::bigint * n / 200), 'oldestPosition', 1,
    'durationMs', 70000, 'records', 1900000, 'events', 9300000, 'driftCount', 0,
    'modules', (select jsonb_agg(jsonb_build_object(
        'module', module, 'title', initcap(module), 'records', 100000, 'events', 300000, 'beyondRetention', 0,
        'driftCount', 0, 'drifts', '[]'::jsonb, 'totals', jsonb_build_array(jsonb_build_object(
            'currency', 'EUR', 'tableMinor', 1248050, 'eventsMinor', 1248050)))) from bench_modules
        where module not in ('comments', 'deliveries')),
    'money', jsonb_build_array(jsonb_build_object('currency', 'EUR', 'accounts', 6, 'debitMinor', 1248050, 'sumMinor', 0)))
from (select n, bench_at(current_setting('bench.events')::bigint * n / 150) as at from generate_series(0, 149) n) as hours;
