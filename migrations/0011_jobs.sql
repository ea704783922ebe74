-- Jobs: work that is asked for in a transaction and done after its commit, by whichever worker is free.

create table jobs (
    id                  uuid        primary key,
    -- Null: of the system. Requests neither see those nor ask for them.
    project_id          uuid        references projects (id),
    queue               text        not null check (queue ~ '^[a-z][a-z0-9_-]{0,62}$'),
    kind                text        not null
        check (char_length(kind) <= 100 and kind ~ '^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$'),
    -- The program allows 262,144 bytes of JSON; see domain_events.
    payload             jsonb       not null
        constraint jobs_payload_size check (pg_column_size(payload) <= 8 * 262144),
    -- Of one key, one job at a time is unfinished.
    unique_key          text        check (char_length(unique_key) between 1 and 200),
    state               text        not null
        check (state in ('scheduled', 'waiting', 'running', 'completed', 'cancelled', 'dead')),
    -- The higher, the sooner.
    priority            smallint    not null,
    run_at              timestamptz not null,
    -- Runs that count. One that was snoozed or given back does not.
    attempt             integer     not null default 0 check (attempt >= 0),
    max_attempts        integer     not null check (max_attempts between 1 and 1000),
    -- Goes up with each claim and never down: whoever holds a lower number has lost the job. Attempts
    -- cannot tell, since not all of them count.
    lease               bigint      not null default 0 check (lease >= 0),
    leased_by           text        check (char_length(leased_by) between 1 and 200),
    leased_until        timestamptz,
    cancel_requested_at timestamptz,
    -- {done, total, note}
    progress            jsonb,
    -- The last failures, oldest first: {attempt, at, message}.
    errors              jsonb       not null default '[]' check (jsonb_typeof(errors) = 'array'),
    created_at          timestamptz not null default statement_timestamp(),
    started_at          timestamptz,
    finished_at         timestamptz,
    constraint jobs_leased check (
        (state = 'running') = (leased_until is not null) and (leased_until is null) = (leased_by is null)),
    constraint jobs_finished check (
        (state in ('completed', 'cancelled', 'dead')) = (finished_at is not null))
) with (
    -- Heartbeats and progress write no column that an index has: with room left on its page, such a change
    -- stays there and no index hears of it.
    fillfactor = 70,
    -- Each job leaves two dead versions of its row, at the head of the very index that the next claim reads.
    -- The default, a fifth of the table, is far too late once finished jobs have gathered.
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.02,
    autovacuum_vacuum_cost_delay = 0
);

-- Every index but the key is partial: what is finished costs the queue nothing.

-- What can be claimed, in the order in which it is.
create index jobs_waiting on jobs (queue, priority desc, run_at, id) where state = 'waiting';
-- What comes due next.
create index jobs_scheduled on jobs (run_at) where state = 'scheduled';
-- What is leased. Short, since it holds no more than all workers run at one time; `leased_until` is not in
-- it, so that a heartbeat does not change it.
create index jobs_running on jobs (queue) where state = 'running';
create unique index jobs_unique on jobs (queue, kind, unique_key, project_id) nulls not distinct
    where unique_key is not null and state in ('scheduled', 'waiting', 'running');
create index jobs_dead on jobs (id) where state = 'dead';
-- A project's list of its jobs, newest first; those of the system pay nothing for it.
create index jobs_of_project on jobs (project_id, id) where project_id is not null;

-- The failures of a job with one more; of more than 10 the oldest goes.
create function append_job_error(errors jsonb, attempt integer, message text) returns jsonb
language sql volatile as $$
    select case when jsonb_array_length(errors) < 10 then errors else errors - 0 end
        || jsonb_build_object(
               'attempt', attempt,
               'at', to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
               'message', message)
$$;

-- Requests ask for work of their project, see it, cancel it and have it done again. Leases are the workers'.
select keep_to_one_project('jobs');
grant select,
      insert (id, project_id, queue, kind, payload, unique_key, state, priority, run_at, max_attempts),
      update (state, run_at, attempt, cancel_requested_at, progress, finished_at) on jobs to tidewatch_app;
