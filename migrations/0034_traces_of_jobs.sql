-- A job goes on with the trace that it was enqueued in (W3C Trace Context). Null: in none.
alter table jobs add column traceparent text check (char_length(traceparent) between 1 and 200);
grant insert (traceparent) on jobs to tidewatch_app;
