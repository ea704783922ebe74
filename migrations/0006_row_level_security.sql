-- The second wall. Requests run as the role tidewatch_app, which owns nothing and sees the rows of
-- one project alone: the one that its transaction names in tidewatch.project. A query that forgets
-- its `where project_id = …` shows nothing of another project.
--
-- What has to look across projects (relay, followers, retention, finding out who is asking) runs as
-- the owner.

-- Roles belong to the cluster: another database, or another migration at this very moment, may have
-- made it.
do $$
begin
    if not exists (select from pg_roles where rolname = 'tidewatch_app') then
        begin
            create role tidewatch_app nologin;
        exception
            when duplicate_object or unique_violation then null;
            when insufficient_privilege then
                raise exception 'the role tidewatch_app is missing, and % may not make it', current_user
                    using hint = format('As a superuser: create role tidewatch_app nologin; grant tidewatch_app to %I;', current_user);
        end;
    end if;
    -- From Postgres 16 on, who makes a role may grant it but not take it on.
    if not pg_has_role(current_user, 'tidewatch_app',
                       case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end) then
        execute format('grant tidewatch_app to %I', current_user);
    end if;
end
$$;

-- The project that this transaction is about; null where none is named, which equals nothing.
create function current_project() returns uuid
language sql stable parallel safe as $$
    select nullif(current_setting('tidewatch.project', true), '')::uuid
$$;

-- Puts the wall before a table that has a project_id. Every such table calls it.
create function keep_to_one_project(name text) returns void
language plpgsql as $$
begin
    execute format('alter table %I enable row level security', name);
    execute format('create policy one_project on %I to tidewatch_app
                    using (project_id = (select current_project()))
                    with check (project_id = (select current_project()))', name);
end
$$;

do $$
begin
    execute format('grant usage on schema %I to tidewatch_app', current_schema());
end
$$;
select keep_to_one_project(name)
from unnest(array['member_roles', 'memberships', 'organizations', 'organization_members', 'roles', 'api_keys',
                  'token_families', 'domain_events', 'project_streams', 'settlements']) as name;

alter table projects enable row level security;
create policy one_project on projects to tidewatch_app using (id = (select current_project()));

-- People are in many projects: those in this one can be seen in it.
alter table users enable row level security;
create policy one_project on users for select to tidewatch_app using (
    exists (select from memberships m where m.user_id = users.id and m.project_id = (select current_project())));

-- Each may be asked for what requests need, and for nothing else. Sessions, secrets, digests and
-- the hashes of passwords are not for the application's role at all.
grant select, update (name) on projects to tidewatch_app;
grant select (id, email, name, disabled_at, created_at) on users to tidewatch_app;
grant select, insert, update, delete on memberships, member_roles, organizations, organization_members, roles
    to tidewatch_app;
grant select (id, project_id, name, hint, scopes, expires_at, revoked_at, last_used_at, created_at, created_by,
              rotated_to),
      insert, update (name, expires_at, revoked_at, rotated_to) on api_keys to tidewatch_app;
grant select, insert, update on settlements to tidewatch_app;
grant select, insert on domain_events to tidewatch_app;
grant usage on sequence domain_events_sequence to tidewatch_app;
grant select on project_streams to tidewatch_app;
