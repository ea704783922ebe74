-- Moves for many whose job came to an end that is none: called off, or given up. They are looked for again and again,
-- for the automation that tells of such a move has to end as well, whichever way its job did.
create index jobs_bulk_moves_ended on jobs (finished_at)
    where kind = 'records.bulk_move' and state in ('cancelled', 'dead');
