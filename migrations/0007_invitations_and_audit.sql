-- Invitations, and the log of who changed what.

-- A link by which somebody joins a project. Only its digest is kept.
create table invitations (
    id            uuid        primary key,
    project_id    uuid        not null references projects (id),
    email         text        not null check (char_length(email) between 3 and 320),
    roles         text[]      not null check (cardinality(roles) between 1 and 20),
    organizations uuid[]      not null default '{}',
    digest        bytea       not null unique check (octet_length(digest) = 32),
    invited_by    text        not null,
    created_at    timestamptz not null default now(),
    expires_at    timestamptz not null,
    accepted_at   timestamptz
);
-- One open invitation a person and project: a new one takes the old one's place.
create unique index invitations_open on invitations (project_id, lower(email)) where accepted_at is null;

-- Every change that a person or a key made, in the transaction that made it.
create table audit_entries (
    id          uuid        primary key,
    project_id  uuid        not null references projects (id),
    at          timestamptz not null default clock_timestamp(),
    -- user:usr_…, key:key_…, system:…
    actor       text        not null check (char_length(actor) between 1 and 200),
    -- What the actor was called then: people leave, keys are deleted.
    actor_name  text        not null default '' check (char_length(actor_name) <= 320),
    action      text        not null check (char_length(action) <= 100 and action ~ '^[a-z][a-z_]*(\.[a-z][a-z_]*)+$'),
    -- The id of what was changed.
    target      text        not null check (char_length(target) between 1 and 200),
    target_name text        not null default '' check (char_length(target_name) <= 320),
    before      jsonb,
    after       jsonb,
    request_id  text        not null default '' check (char_length(request_id) <= 200)
);
create index audit_entries_newest on audit_entries (project_id, at desc, id desc);
create index audit_entries_by_actor on audit_entries (project_id, actor, at desc, id desc);
create index audit_entries_by_target on audit_entries (project_id, target, at desc, id desc);

-- What was done was done: for the owner of the table as for everybody else.
create function refuse_change_of_history() returns trigger
language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_entries_append_only before update or delete on audit_entries
    for each row execute function refuse_change_of_history();
create trigger audit_entries_never_truncated before truncate on audit_entries
    for each statement execute function refuse_change_of_history();

select keep_to_one_project(name) from unnest(array['invitations', 'audit_entries']) as name;
grant select (id, project_id, email, roles, organizations, invited_by, created_at, expires_at, accepted_at),
      insert, delete on invitations to tidewatch_app;
grant select, insert on audit_entries to tidewatch_app;
