-- What was given to whom, and who has acknowledged what.
--
-- Not a row an event and reader, which would be as many as the events times the readers: a row says that somebody
-- was given everything between two positions that they had asked for and might see. That is enough to tell of any
-- event who was given it.

create table delivery_spans (
    project_id   uuid        not null references projects (id),
    -- The subscription that it was given to; of an acknowledgement, an id of its own.
    id           uuid        not null,
    kind         text        not null check (kind in ('given', 'acknowledged')),
    -- Of the positions behind `after` up to `upto` …
    after        bigint      not null check (after >= 0),
    upto         bigint      not null,
    -- … all that matched what was asked for and was visible to this subject.
    filter       jsonb       not null,
    subject      jsonb       not null,
    -- Who, by which transport (or, of an acknowledgement, by which durable subscription), on which instance.
    actor        text        not null,
    actor_name   text        not null,
    via          text        not null,
    instance     text        not null,
    -- The connection was opened, or the acknowledgement made. What was published later was given as it came.
    since        timestamptz not null,
    primary key (project_id, id, after),
    constraint delivery_spans_hold_something check (upto > after)
);
create index delivery_spans_cover on delivery_spans using gist (int8range(after, upto, '(]'));
-- Retention goes by the end of a span.
create index delivery_spans_upto on delivery_spans (project_id, upto);
select keep_to_one_project('delivery_spans');
-- Requests read them, and acknowledge.
grant select, insert on delivery_spans to tidewatch_app;
