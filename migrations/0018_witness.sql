-- The witness: what it found each time that it compared the tables with the events.

create table witness_runs (
    id            uuid        primary key,
    project_id    uuid        not null references projects (id),
    -- The record that tells how far it is.
    automation_id uuid        references automations (id),
    started_at    timestamptz not null,
    finished_at   timestamptz,
    -- `failed`: it could not look.
    outcome       text        check (outcome in ('clean', 'drift', 'failed')),
    report        jsonb,
    constraint witness_runs_finished check ((finished_at is null) = (outcome is null)),
    constraint witness_runs_reported check ((outcome is null) = (report is null))
);
create index witness_runs_newest on witness_runs (project_id, started_at desc, id desc);
select keep_to_one_project('witness_runs');
grant select, insert, update, delete on witness_runs to tidewatch_app;

-- Which incidents the witness opened, and about what: an id, or a currency. Those alone it resolves.
create table witness_incidents (
    incident_id uuid primary key references incidents (id),
    project_id  uuid not null references projects (id),
    about       text not null
);
create index witness_incidents_of_project on witness_incidents (project_id);
select keep_to_one_project('witness_incidents');
grant select, insert on witness_incidents to tidewatch_app;

-- An entry that is deleted, or moved to another movement, leaves the others of its movement alone: `new` alone says
-- nothing of those.
create or replace function require_balanced_entries() returns trigger
language plpgsql as $$
begin
    if exists (select from ledger_entries where transaction_id in (new.transaction_id, old.transaction_id)
               group by transaction_id, currency having sum(delta_minor) <> 0) then
        raise exception 'the entries of % do not come to zero', coalesce(new.transaction_id, old.transaction_id)
            using errcode = 'integrity_constraint_violation', constraint = 'ledger_entries_balanced';
    end if;
    return null;
end
$$;
