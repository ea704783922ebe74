-- A fence around positions (https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html): who begins to lead
-- takes the next term, and positions are given in the present term alone. The leader's lock belongs to the session that
-- publishes, so that two can hold it only where something between the relay and Postgres shares sessions out (a pooler of
-- transactions) or an operator ended the wrong one; then the earlier one is refused here, and nothing is given twice.

create table relay_leadership (
    is_only boolean primary key default true check (is_only),
    -- How often somebody began to lead.
    term bigint not null default 0 check (term >= 0),
    -- Who did last, and since when.
    leader text,
    since timestamptz
);

insert into relay_leadership default values;

create function require_relay_term() returns trigger
    language plpgsql
as $$
declare
    held bigint := coalesce(nullif(current_setting('tidewatch.relay_term', true), '')::bigint, 0);
    present bigint;
begin
    -- Shared until the transaction ends: whoever takes over waits for what is being published.
    select term into present from relay_leadership for share;
    if held <> present then
        raise exception 'positions are given in term % and this session leads in term %', present, held
            using errcode = 'TWF01', hint = 'Another relay has taken over.';
    end if;
    return null;
end
$$;

create trigger project_streams_begin_in_term after insert on project_streams
    for each row when (new.last_position > 0) execute function require_relay_term();
create trigger project_streams_advance_in_term after update of last_position on project_streams
    for each row when (new.last_position > old.last_position) execute function require_relay_term();
