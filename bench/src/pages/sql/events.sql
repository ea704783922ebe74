-- The events of some blocks ($1 to $2), in the order of their positions.

insert into domain_events (event_id, recorded_on, sequence, project_id, event_type, aggregate_type, aggregate_id,
                           aggregate_version, occurred_at, payload, metadata, permissions, audience, position, published_at)
select bench_id(at, 'event' || position), (at at time zone 'utc')::date, position,
       current_setting('bench.project')::uuid, event_type, aggregate_type, aggregate_id, version, at, payload,
       jsonb_build_object('actor', actor, 'correlationId', 'req-' || coalesce(correlation, position::text)),
       permissions, audience, position,
       -- The relay needs some milliseconds, and publishes in order.
       at + make_interval(secs => (3 + position % 17) / 1000.0)
from (
    select place.position, place.at, what.event_type, m.aggregate_type, m.permissions,
           case what.module
               when 'balances' then b.name
               when 'comments' then bench_name('cmt', bench_id(place.at, 'comment' || blocks.block))
               when 'deliveries' then 'DLV-' || lpad(place.position::text, 9, '0')
               else r.name end as aggregate_id,
           case what.module when 'balances' then x.version when 'deliveries' then 1 else l.version end as version,
           case what.module
               when 'balances' then jsonb_build_object(
                   'balanceId', b.name, 'account', b.account, 'currency', b.currency, 'balanceMinor', x.balance,
                   'status', 'open', 'createdAt', bench_time(b.created_at), 'deltaMinor', x.delta, 'cause', x.cause,
                   'transactionId', x.transfer)
               when 'comments' then jsonb_build_object(
                   'commentId', bench_name('cmt', bench_id(place.at, 'comment' || blocks.block)),
                   'about', about.name, 'text', 'The customer has called: it can go on.')
               when 'deliveries' then jsonb_build_object(
                   'deliveryId', 'DLV-' || lpad(place.position::text, 9, '0'), 'status', 'scanned',
                   'depot', 'depot-' || place.position % 60, 'weightGrams', 200 + place.position % 9000)
               else r.facts || l.facts || case when l.late then r.late else '{}' end || l.said end as payload,
           case what.who when 'user' then bench_pick(a.people, blocks.block) when 'system' then 'system:checks'
                         else bench_pick(a.keys, place.position) end as actor,
           blocks.block || '-' || l.life as correlation,
           case what.module when 'deliveries' then '{}'::text[] else '{role:staff}' end as audience
    from generate_series($1::bigint, $2::bigint) as blocks (block)
    cross join bench_lines l
    cross join bench_actors a
    -- `offset` keeps it from being worked out once for each use.
    cross join lateral (select position, bench_at(position) as at
                        from (select (blocks.block - 1) * current_setting('bench.block')::bigint + l.line as position) p
                        offset 0) place
    left join bench_records r on r.block = blocks.block and r.life = l.life and l.module <> 'balances'
    left join bench_entries x on x.block = blocks.block and x.line = l.line and l.module = 'balances'
    left join bench_balances b on b.account = x.account and b.currency = x.currency
    left join bench_records about on about.block = blocks.block and l.module = 'comments'
                                 and about.life = (select min(life) from bench_lines where module = 'settlements')
    -- What a record has not come to yet leaves its place to the services.
    cross join lateral (
        select case when l.version > r.version then 'deliveries' else l.module end as module,
               case when l.version > r.version then 'delivery.scanned' else l.event_type end as event_type,
               case when l.version > r.version then 'key' else l.who end as who) what
    join bench_modules m on m.module = what.module
) as made
order by position
