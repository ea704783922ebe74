-- Events are looked up by time among the published ones alone. An index over those leaves recording, which
-- business transactions wait for, and each event enters it once instead of twice.
drop index domain_events_occurred_at;
create index domain_events_occurred_at on domain_events (project_id, occurred_at) where position is not null;
