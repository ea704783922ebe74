-- Versions of people in a project, by which their events are ordered. They outlive the membership: who
-- comes back goes on where they left.
create table user_versions (
    project_id uuid   not null references projects (id),
    user_id    uuid   not null references users (id),
    version    bigint not null check (version > 0),
    primary key (project_id, user_id)
);
select keep_to_one_project('user_versions');
grant select, insert, update on user_versions to tidewatch_app;
