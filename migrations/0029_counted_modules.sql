-- The overview says how many records wait for a person, in every module with a status that waits. Like settlements they are
-- counted as they change: to count ten thousand rows anew for each module took most of the page's time.
select count_records(name) from unnest(array['tickets', 'incidents', 'servers']) as name;
