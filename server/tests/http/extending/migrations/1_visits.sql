-- Visits: a column for each field in snake_case, and what all tables of records have in common.
create table visits (
    reference text   not null check (char_length(reference) between 1 and 200),
    items     bigint not null check (items > 0)
);
-- Id, status, version, words and times; indexes, the wall between projects, no change without its event. Behind the
-- statuses: the column with the amount that lists can be ordered by.
select make_record_table('visits', 'Visit', 'vis', '{waiting,underway,done,cancelled}', null);
-- How many stand where: for the chart, and for what waits on the overview.
select count_records('visits');
