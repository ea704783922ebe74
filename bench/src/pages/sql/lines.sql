-- The log repeats one block of lines: the lives of 100 settlements, of 10 records of each other module, the entries of
-- balances that those lead to, a comment, and events of services that Tidewatch keeps no records of. Each block is
-- about records of its own, so that all of it is made line by line, in the order of positions.

create unlogged table bench_lines as
with lives (module, first, last, steps) as (values
    -- Of a life: event type, status, who, what it changes, what its event says beside, from and to which account.
    -- `late` is what bench_records has for a record: its transaction's hash, its quote, its refund.
    ('settlements', 1, 40, jsonb '[
        ["settlement.created", "created", "key", {"confirmations": 0, "required": 0}],
        ["settlement.network_selected", "network_selected", "key", {"network": "sepa", "required": 1}, {"score": 97, "reasoning": "the cheapest for this corridor"}],
        ["settlement.gas_estimated", "gas_estimated", "key", {"gasEstimate": 35}],
        ["settlement.status_changed", "submitted", "key", {}],
        ["settlement.status_changed", "confirmed", "key", {"confirmations": 1}],
        ["settlement.settled", "settled", "key", {"gasActual": 33, "late": true}]]'),
    ('settlements', 41, 86, '[
        ["settlement.created", "created", "key", {"confirmations": 0, "required": 0}],
        ["settlement.network_selected", "network_selected", "key", {"network": "polygon", "required": 20}, {"score": 88, "reasoning": "the quickest of those with room"}],
        ["settlement.gas_estimated", "gas_estimated", "key", {"gasEstimate": 41000}],
        ["settlement.status_changed", "submitted", "key", {}],
        ["settlement.status_changed", "confirming", "key", {"confirmations": 7}],
        ["settlement.status_changed", "confirmed", "key", {"confirmations": 20}],
        ["settlement.settled", "settled", "key", {"gasActual": 40112, "late": true}]]'),
    ('settlements', 87, 94, '[
        ["settlement.created", "created", "key", {"confirmations": 0, "required": 0}],
        ["settlement.network_selected", "network_selected", "key", {"network": "ethereum", "required": 12}, {"score": 71, "reasoning": "asked for by the customer"}],
        ["settlement.gas_estimated", "gas_estimated", "key", {"gasEstimate": 210000}],
        ["settlement.failed", "failed", "key", {"error": "the network refused the transfer: insufficient funds for gas"}]]'),
    ('settlements', 95, 98, '[
        ["settlement.created", "created", "key", {"confirmations": 0, "required": 0}],
        ["settlement.status_changed", "held", "user", {"heldFrom": "created", "holdReason": "the amount is unusual for this customer"}, {"reason": "the amount is unusual for this customer"}],
        ["settlement.status_changed", "created", "user", {"heldFrom": null, "holdReason": null}],
        ["settlement.network_selected", "network_selected", "key", {"network": "base", "required": 10}, {"score": 90, "reasoning": "the cheapest for this corridor"}],
        ["settlement.gas_estimated", "gas_estimated", "key", {"gasEstimate": 21000}],
        ["settlement.status_changed", "submitted", "key", {}],
        ["settlement.status_changed", "confirmed", "key", {"confirmations": 10}],
        ["settlement.settled", "settled", "key", {"gasActual": 21000, "late": true}]]'),
    ('settlements', 99, 100, '[
        ["settlement.created", "created", "key", {"confirmations": 0, "required": 0}],
        ["settlement.network_selected", "network_selected", "key", {"network": "solana", "required": 32}, {"score": 64, "reasoning": "the only one with room"}],
        ["settlement.status_changed", "held", "user", {"heldFrom": "network_selected", "holdReason": "waits for a document"}, {"reason": "waits for a document"}]]'),
    ('payments', 1, 6, '[
        ["payment.created", "created", "key", {"refundedMinor": 0}],
        ["payment.status_changed", "authorized", "key", {}],
        ["payment.received", "captured", "key", {"heldIn": "cash"}, {}, "unearned", "cash"],
        ["payment.status_changed", "settled", "key", {"heldIn": "bank"}, {}, "cash", "bank"]]'),
    ('payments', 7, 7, '[
        ["payment.created", "created", "key", {"refundedMinor": 0}],
        ["payment.status_changed", "authorized", "key", {}],
        ["payment.status_changed", "failed", "key", {"error": "the card was declined by its issuer"}, {"reason": "the card was declined by its issuer"}]]'),
    ('payments', 8, 8, '[
        ["payment.created", "created", "key", {"refundedMinor": 0}],
        ["payment.status_changed", "authorized", "key", {}],
        ["payment.received", "captured", "key", {"heldIn": "cash"}, {}, "unearned", "cash"],
        ["payment.refunded", "refunded", "user", {"late": true}, {}, "cash", "unearned"]]'),
    ('payments', 9, 9, '[
        ["payment.created", "created", "key", {"refundedMinor": 0}],
        ["payment.status_changed", "authorized", "key", {}],
        ["payment.received", "captured", "key", {"heldIn": "cash"}, {}, "unearned", "cash"],
        ["payment.status_changed", "settled", "key", {"heldIn": "bank"}, {}, "cash", "bank"],
        ["payment.refunded", "partially_refunded", "user", {"late": true}, {}, "bank", "unearned"]]'),
    ('payments', 10, 10, '[
        ["payment.created", "created", "key", {"refundedMinor": 0}],
        ["payment.status_changed", "authorized", "key", {}],
        ["payment.received", "captured", "key", {"heldIn": "cash"}, {}, "unearned", "cash"]]'),
    ('orders', 1, 6, '[
        ["order.created", "created", "key", {}],
        ["order.status_changed", "paid", "key", {}],
        ["order.status_changed", "fulfilled", "user", {}],
        ["order.status_changed", "completed", "key", {}, {}, "revenue", "unearned"]]'),
    ('orders', 7, 7, '[
        ["order.created", "created", "key", {}],
        ["order.status_changed", "cancelled", "user", {"cancelReason": "ordered twice"}, {"reason": "ordered twice"}]]'),
    ('orders', 8, 9, '[
        ["order.created", "created", "key", {}],
        ["order.status_changed", "paid", "key", {}],
        ["order.status_changed", "fulfilled", "user", {}]]'),
    ('orders', 10, 10, '[
        ["order.created", "created", "key", {}],
        ["order.status_changed", "paid", "key", {}]]'),
    ('invoices', 1, 7, '[
        ["invoice.created", "open", "key", {}, {}, "services", "receivable"],
        ["invoice.status_changed", "paid", "key", {}, {}, "receivable", "bank"]]'),
    ('invoices', 8, 8, '[
        ["invoice.created", "open", "key", {}, {}, "services", "receivable"],
        ["invoice.status_changed", "void", "user", {}, {}, "receivable", "services"]]'),
    ('invoices', 9, 10, '[
        ["invoice.created", "open", "key", {}, {}, "services", "receivable"]]'),
    ('tickets', 1, 5, '[
        ["ticket.created", "created", "key", {}],
        ["ticket.status_changed", "quoted", "key", {"late": true}],
        ["ticket.status_changed", "approved", "user", {}],
        ["ticket.status_changed", "done", "key", {}]]'),
    ('tickets', 6, 7, '[
        ["ticket.created", "created", "key", {}],
        ["ticket.status_changed", "cancelled", "user", {"cancelReason": "it works again"}, {"reason": "it works again"}]]'),
    ('tickets', 8, 9, '[
        ["ticket.created", "created", "key", {}],
        ["ticket.status_changed", "quoted", "key", {"late": true}]]'),
    ('tickets', 10, 10, '[
        ["ticket.created", "created", "key", {}]]'),
    ('incidents', 1, 7, '[
        ["incident.created", "open", "key", {}],
        ["incident.status_changed", "acknowledged", "user", {}],
        ["incident.status_changed", "resolved", "user", {"resolution": "a deployment was taken back"}]]'),
    ('incidents', 8, 8, '[
        ["incident.created", "open", "key", {}],
        ["incident.status_changed", "acknowledged", "user", {}]]'),
    ('incidents', 9, 10, '[
        ["incident.created", "open", "key", {}]]'),
    ('servers', 1, 7, '[
        ["server.created", "testing", "key", {}],
        ["server.status_changed", "success", "system", {"latencyMs": 12}]]'),
    ('servers', 8, 9, '[
        ["server.created", "testing", "key", {}],
        ["server.status_changed", "success", "system", {"latencyMs": 48}],
        ["server.status_changed", "failed", "system", {"latencyMs": null, "error": "connection refused"}, {"reason": "connection refused"}]]'),
    ('servers', 10, 10, '[
        ["server.created", "testing", "key", {}],
        ["server.status_changed", "paused", "user", {}]]'),
    ('automations', 1, 7, '[
        ["automation.started", "started", "key", {"done": 0, "total": 300, "skipped": 0}],
        ["automation.progressed", "started", "key", {"done": 75}],
        ["automation.progressed", "started", "key", {"done": 150, "skipped": 2}],
        ["automation.progressed", "started", "key", {"done": 225}],
        ["automation.completed", "completed", "key", {"done": 300, "durationMs": 9600, "note": "all of it"}]]'),
    ('automations', 8, 8, '[
        ["automation.started", "started", "key", {"done": 0, "total": 300, "skipped": 0}],
        ["automation.progressed", "started", "key", {"done": 75}],
        ["automation.failed", "failed", "key", {"error": "the bank did not answer", "durationMs": 4800}]]'),
    ('automations', 9, 10, '[
        ["automation.started", "started", "key", {"done": 0, "total": 300, "skipped": 0}],
        ["automation.progressed", "started", "key", {"done": 75}]]'),
    ('logs', 1, 6, '[["log.added", "info", "key", {"level": "info"}]]'),
    ('logs', 7, 7, '[["log.added", "debug", "key", {"level": "debug"}]]'),
    ('logs', 8, 9, '[["log.added", "warn", "key", {"level": "warn"}]]'),
    ('logs', 10, 10, '[["log.added", "error", "key", {"level": "error"}]]')
),
steps as (
    select module, slot, version::integer, step,
           -- Where a life's steps stand among those of the others.
           (dense_rank() over (order by module, slot)) as life
    from lives, generate_series(first, last) slot, jsonb_array_elements(steps) with ordinality as of (step, version)
),
told as (
    select module, slot, life::integer, version, (life * 37) % 600 + version * 40.0 as place,
           step ->> 0 as event_type, step ->> 1 as status, step ->> 2 as who, step ->> 5 as from_account,
           step ->> 6 as to_account, coalesce(step -> 4, '{}') as said,
           lag(step ->> 1) over of_life as from_status,
           bench_merge(step -> 3) over of_life as facts
    from steps
    window of_life as (partition by life order by version)
),
lines as (
    select module, slot, life, version, place, event_type, status, who, null as account, 0 as sign,
           facts ? 'late' as late, jsonb_strip_nulls(facts - 'late') || jsonb_build_object('status', status) as facts,
           said || case when from_status <> status
                        then jsonb_build_object('fromStatus', from_status, 'toStatus', status) else '{}' end as said
    from told
    union all
    select 'balances', slot, life, version, place + case when side.account = least(from_account, to_account) then 0.3 else 0.6 end,
           'balance.updated', 'open', who, side.account, side.sign, status = 'partially_refunded', '{"status": "open"}', '{}'
    from told, lateral (values (from_account, -1), (to_account, 1)) as side (account, sign)
    where from_account is not null
    union all
    select 'comments', 1, null, 1, 990, 'comment.created', null, 'user', null, 0, false, '{}', '{}'
)
select row_number() over (order by place, life)::integer as line, all_lines.*
from (select * from lines
      union all
      select 'deliveries', number::integer, null, 1, number * 990.0 / services + 0.1, 'delivery.scanned', 'scanned', 'key', null,
             0, false, '{"status": "scanned"}', '{}'
      from (select current_setting('bench.block')::bigint - (select count(*) from lines) as services) as room,
           generate_series(1, services) number) as all_lines;

-- What the lines of a module have in common.
create unlogged table bench_modules (module, one, aggregate_type, prefix, permissions) as values
    ('settlements', 'settlement', 'Settlement', 'stl', '{settlements.read}'::text[]),
    ('payments', 'payment', 'Payment', 'pay', '{payments.read}'),
    ('orders', 'order', 'Order', 'ord', '{orders.read}'),
    ('invoices', 'invoice', 'Invoice', 'inv', '{payments.read}'),
    ('balances', 'balance', 'Balance', 'bal', '{balances.read}'),
    ('tickets', 'ticket', 'Ticket', 'tkt', '{tickets.read}'),
    ('incidents', 'incident', 'Incident', 'inc', '{incidents.read}'),
    ('servers', 'server', 'Server', 'srv', '{servers.read}'),
    ('automations', 'automation', 'Automation', 'aut', '{automations.read}'),
    ('logs', 'log', 'Log', 'log', '{logs.read}'),
    ('comments', 'comment', 'Comment', 'cmt', '{events.read,settlements.read}'),
    ('deliveries', 'delivery', 'Delivery', 'dlv', '{events.read}');
analyze bench_lines, bench_modules;
