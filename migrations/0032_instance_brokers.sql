-- What carries events to an instance beside the log, and whether that is heard: told with each sign of life.
alter table instances
    add column broker text,
    add column broker_heard boolean not null default false;
