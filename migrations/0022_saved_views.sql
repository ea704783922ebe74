-- Saved views: what somebody looks at often, by a name of their own.

create table saved_views (
    id         uuid        primary key,
    project_id uuid        not null references projects (id),
    user_id    uuid        not null references users (id) on delete cascade,
    -- The page, and what its address asks for behind the question mark.
    path       text        not null check (path ~ '^/[a-z][a-z0-9_-]{0,99}$'),
    query      text        not null check (char_length(query) <= 2000),
    name       text        not null check (char_length(name) between 1 and 60),
    created_at timestamptz not null default now(),
    unique (user_id, project_id, path, name)
);
select keep_to_one_project('saved_views');
grant select, insert, update, delete on saved_views to tidewatch_app;
