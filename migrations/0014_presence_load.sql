-- How busy each connection is, as its instance tells while somebody looks.

alter table connections
    add column rate    real,
    add column waiting bigint check (waiting >= 0),
    -- Neither is in an index: a change that finds room on its page touches none.
    set (fillfactor = 70);

-- Somebody looks at the connections of a project. As short-lived as what it asks for, so not logged either.
create unlogged table presence_watches (
    project_id uuid        primary key references projects (id),
    until      timestamptz not null
);

select keep_to_one_project('presence_watches');
grant select, insert, update on presence_watches to tidewatch_app;
