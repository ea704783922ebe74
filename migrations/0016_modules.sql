-- The tables of the modules beside settlements, and what all tables of records have in common.

-- Makes a table of a module's own fields one of records: the head that all records share, the indexes
-- of its lists, the constraints that make a change without its event impossible, and the wall between
-- projects. A new module's migration is its own fields and a call of this.
--
-- `statuses`: all there are. `amount`: the column that lists can be ordered by, or null.
create function make_record_table(name text, aggregate_type text, prefix text, statuses text[], amount text)
returns void language plpgsql as $$
begin
    execute format($ddl$
        alter table %1$I
            add column if not exists id uuid primary key,
            add column if not exists project_id uuid not null references projects (id),
            add column if not exists organization_id uuid,
            add column if not exists audience text[] not null check (cardinality(audience) > 0),
            add column if not exists status text not null,
            add column if not exists version bigint not null check (version > 0),
            -- The person who looks after it; they may have left the project since.
            add column if not exists assignee uuid,
            -- The words by which it is found.
            add column if not exists search tsvector not null,
            add column if not exists created_at timestamptz not null,
            add column if not exists updated_at timestamptz not null,
            add constraint %2$I check (status = any (%3$L::text[])),
            add foreign key (project_id, organization_id) references organizations (project_id, id)
        $ddl$, name, name || '_statuses', statuses);
    execute format('create index if not exists %I on %I (project_id, created_at desc, id desc)', name || '_newest', name);
    execute format('create index if not exists %I on %I (project_id, status, created_at desc, id desc)',
                   name || '_newest_by_status', name);
    execute format('create index %I on %I (project_id, updated_at desc, id desc)', name || '_changed', name);
    execute format('create index %I on %I (project_id, assignee, created_at desc, id desc) where assignee is not null',
                   name || '_assigned', name);
    execute format('create index %I on %I using gin (search)', name || '_search', name);
    if amount is not null then
        execute format('create index %I on %I (project_id, (coalesce(%I, 0)) desc, id desc)', name || '_amount', name, amount);
    end if;
    execute format('drop trigger if exists %I on %I', name || '_next_version', name);
    execute format('create trigger %I before insert or update or delete on %I
                    for each row execute function require_next_version()', name || '_next_version', name);
    execute format('drop trigger if exists %I on %I', name || '_event_of_version', name);
    execute format('create constraint trigger %I after insert or update on %I deferrable initially deferred
                    for each row execute function require_event_of_version(%L, %L)',
                   name || '_event_of_version', name, aggregate_type, prefix);
    if not exists (select from pg_policies where schemaname = current_schema() and tablename = name) then
        perform keep_to_one_project(name);
    end if;
    execute format('grant select, insert, update on %I to tidewatch_app', name);
end
$$;

-- Settlements were there before.
alter table settlements
    drop constraint settlements_project_id_organization_id_fkey,
    add column assignee uuid,
    add column release_requested_by text,
    add column search tsvector;
alter table settlements disable trigger user;
update settlements set search = array_to_tsvector(array_remove(array(
    select distinct left(lower(word), 64) from regexp_split_to_table(reference, '[^[:alnum:]]+') word), ''));
alter table settlements enable trigger user;
alter table settlements alter column search set not null;
select make_record_table('settlements', 'Settlement', 'stl',
    '{created,network_selected,gas_estimated,submitted,confirming,confirmed,settled,failed,held}', 'amount_minor');

create table payments (
    reference      text   not null check (char_length(reference) between 1 and 200),
    amount_minor   bigint not null check (amount_minor > 0),
    currency       text   not null check (currency ~ '^[A-Z]{3}$'),
    method         text   not null,
    order_id       text,
    refunded_minor bigint not null check (refunded_minor between 0 and amount_minor),
    error          text,
    held_in        text   check (held_in in ('cash', 'bank'))
);
select make_record_table('payments', 'Payment', 'pay',
    '{created,authorized,captured,settled,failed,partially_refunded,refunded}', 'amount_minor');
alter table payments add constraint payments_refunded
    check ((status = 'refunded') = (refunded_minor = amount_minor));

create table orders (
    reference     text   not null check (char_length(reference) between 1 and 200),
    total_minor   bigint not null check (total_minor > 0),
    currency      text   not null check (currency ~ '^[A-Z]{3}$'),
    items         bigint not null check (items > 0),
    cancel_reason text
);
select make_record_table('orders', 'Order', 'ord', '{created,paid,fulfilled,completed,cancelled}', 'total_minor');

create table invoices (
    reference    text   not null check (char_length(reference) between 1 and 200),
    amount_minor bigint not null check (amount_minor > 0),
    currency     text   not null check (currency ~ '^[A-Z]{3}$'),
    ticket_id    text
);
select make_record_table('invoices', 'Invoice', 'inv', '{open,paid,void}', 'amount_minor');

create table balances (
    account       text   not null check (account ~ '^[a-z][a-z0-9_]{0,62}$'),
    currency      text   not null check (currency ~ '^[A-Z]{3}$'),
    balance_minor bigint not null
);
select make_record_table('balances', 'Balance', 'bal', '{open}', 'balance_minor');
create unique index balances_account on balances (project_id, account, currency);

-- Double entry: each movement of money is entries that come to zero in their currency.
create table ledger_entries (
    id              uuid        primary key,
    project_id      uuid        not null references projects (id),
    transaction_id  uuid        not null,
    balance_id      uuid        not null references balances (id),
    balance_version bigint      not null check (balance_version > 0),
    currency        text        not null,
    delta_minor     bigint      not null,
    -- What stands on the account afterwards.
    balance_minor   bigint      not null,
    -- The record that it moved for.
    cause           text        not null,
    created_at      timestamptz not null,
    unique (balance_id, balance_version)
);
create index ledger_entries_transaction on ledger_entries (transaction_id);
create index ledger_entries_cause on ledger_entries (project_id, cause);
select keep_to_one_project('ledger_entries');
-- Entries are never changed.
grant select, insert on ledger_entries to tidewatch_app;

create function require_balanced_entries() returns trigger
language plpgsql as $$
begin
    if exists (select from ledger_entries where transaction_id = new.transaction_id
               group by currency having sum(delta_minor) <> 0) then
        raise exception 'the entries of % do not come to zero', new.transaction_id
            using errcode = 'integrity_constraint_violation', constraint = 'ledger_entries_balanced';
    end if;
    return null;
end
$$;
create constraint trigger ledger_entries_balanced after insert or update or delete on ledger_entries
    deferrable initially deferred for each row execute function require_balanced_entries();

-- A balance moves by its entry, and by nothing else.
create function require_entry_of_balance() returns trigger
language plpgsql as $$
begin
    if not exists (select from ledger_entries
                   where balance_id = new.id and balance_version = new.version and balance_minor = new.balance_minor
                     and delta_minor = new.balance_minor - case tg_op when 'UPDATE' then old.balance_minor else 0 end) then
        raise exception 'the balance % moved to % without its entry', new.account, new.balance_minor
            using errcode = 'integrity_constraint_violation', constraint = 'balances_entry';
    end if;
    return null;
end
$$;
create constraint trigger balances_entry after insert or update on balances
    deferrable initially deferred for each row execute function require_entry_of_balance();

create table incidents (
    title       text not null check (char_length(title) between 1 and 200),
    severity    text not null check (severity in ('low', 'medium', 'high', 'critical')),
    description text,
    -- The record that it is about.
    source      text,
    resolution  text
);
select make_record_table('incidents', 'Incident', 'inc', '{open,acknowledged,resolved}', null);
create index incidents_unresolved_of on incidents (project_id, source) where status <> 'resolved';

create table servers (
    name             text   not null check (char_length(name) between 1 and 200),
    kind             text   not null check (kind in ('tcp', 'http')),
    address          text   not null check (char_length(address) between 1 and 500),
    interval_seconds bigint not null check (interval_seconds between 5 and 86400),
    latency_ms       bigint,
    error            text
);
select make_record_table('servers', 'Server', 'srv', '{testing,success,failed,paused}', null);

-- Every check of a server, also those that changed nothing.
create table server_checks (
    project_id uuid        not null references projects (id),
    server_id  uuid        not null references servers (id),
    checked_at timestamptz not null,
    ok         boolean     not null,
    latency_ms bigint,
    error      text,
    primary key (server_id, checked_at)
);
create index server_checks_checked_at on server_checks (checked_at);
select keep_to_one_project('server_checks');
grant select, insert on server_checks to tidewatch_app;

create table automations (
    name        text        not null check (char_length(name) between 1 and 200),
    done        bigint      not null check (done >= 0),
    total       bigint      not null check (total >= 0),
    skipped     bigint      not null check (skipped >= 0),
    note        text,
    error       text,
    started_at  timestamptz not null,
    duration_ms bigint,
    check (total = 0 or done <= total)
);
select make_record_table('automations', 'Automation', 'aut', '{started,completed,failed}', null);

create table logs (
    message text not null check (char_length(message) between 1 and 10000),
    level   text not null,
    source  text
);
select make_record_table('logs', 'Log', 'log', '{debug,info,warn,error}', null);
alter table logs add constraint logs_level check (level = status);

create table tickets (
    title         text   not null check (char_length(title) between 1 and 200),
    description   text,
    contractor_id text,
    quote_minor   bigint check (quote_minor > 0),
    currency      text   check (currency ~ '^[A-Z]{3}$'),
    invoice_id    text,
    cancel_reason text,
    check ((quote_minor is null) = (currency is null))
);
select make_record_table('tickets', 'Ticket', 'tkt', '{created,quoted,approved,done,cancelled}', 'quote_minor');
alter table tickets add constraint tickets_quoted
    check (status not in ('quoted', 'approved', 'done') or quote_minor is not null);

-- What people wrote about records.
create table comments (
    id         uuid        primary key,
    project_id uuid        not null references projects (id),
    version    bigint      not null check (version = 1),
    about      text        not null,
    actor      text        not null,
    text       text        not null check (char_length(text) between 1 and 4000),
    audience   text[]      not null check (cardinality(audience) > 0),
    created_at timestamptz not null
);
create index comments_about on comments (project_id, about, created_at);
create trigger comments_next_version before insert or update or delete on comments
    for each row execute function require_next_version();
create constraint trigger comments_event_of_version after insert on comments
    deferrable initially deferred for each row execute function require_event_of_version('Comment', 'cmt');
select keep_to_one_project('comments');
grant select, insert on comments to tidewatch_app;
