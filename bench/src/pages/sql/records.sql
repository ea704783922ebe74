-- The records of every block, with what is their own; what is the same in every block stands in bench_lines. In the last
-- hundredth of the blocks records are still on their way.

create unlogged table bench_records as
with born as (
    select block, l.line, l.module, m.one, m.prefix, l.slot, l.life, steps.versions,
           (block - 1) * case l.module when 'settlements' then 100 else 10 end + l.slot as number,
           bench_at((block - 1) * current_setting('bench.block')::bigint + l.line) as created_at,
           block > current_setting('bench.blocks')::bigint - greatest(current_setting('bench.blocks')::bigint / 100, 1)
               and l.module in ('settlements', 'tickets', 'incidents', 'automations') as open
    from generate_series(1, current_setting('bench.blocks')::bigint) block
    cross join bench_lines l
    join bench_modules m using (module)
    join (select life, max(version) as versions from bench_lines where module not in ('balances', 'comments', 'deliveries')
          group by life) steps on steps.life = l.life
    where l.version = 1 and l.module not in ('balances', 'comments', 'deliveries')
),
drawn as materialized (
    select *, bench_id(created_at, module || number) as id,
           case when open then 1 + (number % versions)::integer else versions end as version,
           1000 + abs(hashint8(number)::bigint) % 4000000 as amount,
           bench_pick('{EUR,USD,GBP,CHF,JPY,SEK,PLN,KWD}', slot) as currency
    from born
),
named as materialized (select *, bench_name(prefix, id) as name from drawn)
select block, life, module, id, name, version, created_at, amount, currency,
       jsonb_build_object(one || 'Id', name, 'createdAt', bench_time(created_at)) || case module
           when 'settlements' then jsonb_build_object(
               'reference', 'INV-' || lpad(number::text, 7, '0'), 'amountMinor', amount, 'currency', currency)
           when 'payments' then jsonb_build_object(
               'reference', 'PAY-' || lpad(number::text, 7, '0'), 'amountMinor', amount, 'currency', currency,
               'method', bench_pick('{card,sepa,ideal,wallet}', slot))
           when 'orders' then jsonb_build_object(
               'reference', 'ORD-' || lpad(number::text, 7, '0'), 'totalMinor', amount, 'currency', currency,
               'items', 1 + number % 9)
           when 'invoices' then jsonb_build_object(
               'reference', 'BILL-' || lpad(number::text, 7, '0'), 'amountMinor', amount, 'currency', currency)
           when 'tickets' then jsonb_build_object(
               'title', bench_pick('{The heating is cold,A window does not close,The lift stands still,Water on the stairs}', number)
                        || ', flat ' || number,
               'description', 'Reported by the tenant. Somebody is at home on weekdays after 17:00.')
           when 'incidents' then jsonb_build_object(
               'title', bench_pick('{Payments are slow,Webhooks fail,The ledger waits,Logins are refused}', number)
                        || ' in zone ' || number % 40 || ', case ' || number,
               'severity', bench_pick('{low,medium,high,critical}', number),
               'description', 'More than 5 of 100 requests have failed for three minutes.')
           when 'servers' then jsonb_build_object(
               'name', 'edge-' || number, 'kind', bench_pick('{tcp,http}', number), 'intervalSeconds', 30,
               'address', case number % 2 when 0 then 'edge-' || number || '.example.com:443'
                                          else 'https://edge-' || number || '.example.com/health' end)
           when 'automations' then jsonb_build_object(
               'name', bench_pick('{Nightly reconciliation,Import of statements,Dunning run,Export to the tax office}', number)
                       || ' ' || number,
               'startedAt', bench_time(created_at))
           when 'logs' then jsonb_build_object(
               'message', bench_pick('{request took longer than 500 ms,cache was rebuilt,certificate expires in 20 days,connection to the bank timed out,job was taken over}', number)
                          || ', trace ' || substr(md5(number::text), 1, 16),
               'source', bench_pick('{gateway,ledger,worker,mailer,scheduler}', slot))
       end as facts,
       case module
           when 'settlements' then jsonb_build_object('txHash', '0x' || md5(name) || md5(reverse(name)))
           when 'tickets' then jsonb_build_object('quoteMinor', amount, 'currency', currency)
           when 'payments' then jsonb_build_object(
               'refundedMinor', case slot when 8 then amount else amount / 2 end,
               'refundAmount', case slot when 8 then amount else amount / 2 end)
       end as late
from named;
create index on bench_records (block, life);
analyze bench_records;

-- Money that moved: entries, and what stands on each account behind them.
create unlogged table bench_entries as
select block, l.line, l.account, r.currency, r.name as cause, l.sign * case when l.late then r.amount / 2 else r.amount end as delta,
       sum(l.sign * case when l.late then r.amount / 2 else r.amount end) over moves as balance,
       row_number() over moves as version,
       bench_at((block - 1) * current_setting('bench.block')::bigint + l.line) as at,
       bench_id(r.created_at, 'transfer' || r.name || l.version) as transfer
from bench_lines l join bench_records r on r.life = l.life
where l.module = 'balances'
window moves as (partition by l.account, r.currency order by block, l.line);
create unlogged table bench_balances as
select account, currency, created_at, id, bench_name('bal', id) as name
from (select account, currency, at as created_at, bench_id(at, account || currency) as id
      from bench_entries where version = 1) as first;
create index on bench_entries (block, line);
analyze bench_entries, bench_balances;
