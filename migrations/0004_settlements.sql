-- Settlements, and the constraint that makes a change without its event impossible.

create table settlements (
    id            uuid        primary key,
    project_id    uuid        not null references projects (id),
    reference     text        not null check (char_length(reference) between 1 and 200),
    amount_minor  bigint      not null check (amount_minor > 0),
    currency      text        not null check (currency ~ '^[A-Z]{3}$'),
    network       text        check (network ~ '^[a-z][a-z0-9_-]{0,39}$'),
    status        text        not null check (status in
        ('created', 'network_selected', 'gas_estimated', 'submitted', 'confirming', 'confirmed',
         'settled', 'failed', 'held')),
    -- Where a held settlement goes on when it is released.
    held_from     text,
    hold_reason   text        check (char_length(hold_reason) <= 1000),
    confirmations integer     not null default 0 check (confirmations >= 0),
    required      integer     not null default 0 check (required >= 0),
    gas_estimate  bigint      check (gas_estimate >= 0),
    gas_actual    bigint      check (gas_actual >= 0),
    tx_hash       text        check (char_length(tx_hash) between 1 and 200),
    error         text        check (char_length(error) <= 1000),
    version       bigint      not null check (version > 0),
    created_at    timestamptz not null,
    updated_at    timestamptz not null,
    constraint settlements_held_from check ((status = 'held') = (held_from is not null)),
    constraint settlements_network check (network is not null or status in ('created', 'failed', 'held')),
    constraint settlements_settled check (status <> 'settled' or tx_hash is not null),
    constraint settlements_failed check (status <> 'failed' or error is not null)
);

-- Keyset paging, newest first, with and without a status.
create index settlements_newest on settlements (project_id, created_at desc, id desc);
create index settlements_newest_by_status on settlements (project_id, status, created_at desc, id desc);

-- A row's version must be that of an event recorded in the same transaction. Deferred to the
-- commit, so that row and event may be written in either order. Shared by all modules: the
-- aggregate's type is the trigger's argument, the id's prefix its second.
create function require_event_of_version() returns trigger
language plpgsql as $$
begin
    if not exists (
        select from domain_events
        where project_id = new.project_id
          and aggregate_type = tg_argv[0]
          and aggregate_id = tg_argv[1] || '_' || crockford(new.id)
          and aggregate_version = new.version
          -- Events of this transaction carry its day: one partition is looked at.
          and recorded_on = (now() at time zone 'utc')::date
    ) then
        raise exception '% % was changed to version % without its event', tg_argv[0], new.id, new.version
            using errcode = 'integrity_constraint_violation', constraint = tg_table_name || '_event_of_version';
    end if;
    return null;
end
$$;

-- Versions go up by one with each change, and aggregates are never deleted: both would be
-- changes that no event tells of.
create function require_next_version() returns trigger
language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception '% % cannot be deleted: no event would tell of it', tg_table_name, old.id
            using errcode = 'integrity_constraint_violation', constraint = tg_table_name || '_never_deleted';
    elsif tg_op = 'INSERT' and new.version <> 1 or tg_op = 'UPDATE' and new.version <> old.version + 1 then
        raise exception '% %: version % is not the next one', tg_table_name, new.id, new.version
            using errcode = 'integrity_constraint_violation', constraint = tg_table_name || '_next_version';
    end if;
    return new;
end
$$;

create trigger settlements_next_version
    before insert or update or delete on settlements
    for each row execute function require_next_version();

create constraint trigger settlements_event_of_version
    after insert or update on settlements
    deferrable initially deferred
    for each row execute function require_event_of_version('Settlement', 'stl');

-- What needs a person, longest waiting first: small beside the settled ones.
create index settlements_unsettled on settlements (project_id, updated_at, id) where status <> 'settled';
