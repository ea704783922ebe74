-- Notifications: rules turn events into messages, and each recipient's receipt says what became of theirs.

create table notification_rules (
    id               uuid        primary key,
    project_id       uuid        not null references projects (id),
    version          bigint      not null default 1 check (version >= 1),
    name             text        not null check (char_length(name) between 1 and 100),
    -- Patterns of event types, as streams take them.
    types            text[]      not null check (cardinality(types) between 1 and 20),
    -- [{"pointer": "/toStatus", "operator": "equals", "value": "failed"}]; all of them hold.
    conditions       jsonb       not null check (jsonb_typeof(conditions) = 'array'),
    -- [{"kind": "role", "name": "operator"}, …]; see NotificationAudience in app/src/model/notification.rs.
    audience         jsonb       not null check (jsonb_typeof(audience) = 'array' and jsonb_array_length(audience) > 0),
    -- {"title": …, "body": …, "link": …, "group": …}, with {{/json/pointer}} for what the event says.
    template         jsonb       not null check (jsonb_typeof(template) = 'object'),
    priority         text        not null check (priority in ('low', 'normal', 'high')),
    must_acknowledge boolean     not null,
    -- [{"afterSeconds": 300, "audience": […]}]: who is told next while nobody has acknowledged.
    escalation       jsonb       not null check (jsonb_typeof(escalation) = 'array'),
    -- What the rule may see: what whoever wrote it held.
    permissions      text[]      not null check (cardinality(permissions) <= 100),
    enabled          boolean     not null default true,
    -- Events behind this position are looked at: the stream's head when it was made, or enabled again.
    starts_after     bigint      not null check (starts_after >= 0),
    created_by       text        not null check (char_length(created_by) <= 320),
    created_at       timestamptz not null default now(),
    updated_by       text        not null check (char_length(updated_by) <= 320),
    updated_at       timestamptz not null default now(),
    unique (project_id, id),
    unique (project_id, name),
    constraint notification_rules_escalation
        check (must_acknowledge or jsonb_array_length(escalation) = 0)
);
create index notification_rules_enabled on notification_rules (project_id) where enabled;

-- How far the project's stream was looked through for its rules. Only a project that has an enabled one has a row.
create table notification_cursors (
    project_id uuid   primary key references projects (id),
    position   bigint not null check (position >= 0)
);

-- What a rule made of an event. The text is kept as it was: a rule that is changed later changes no message.
create table notifications (
    id               uuid        primary key,
    project_id       uuid        not null references projects (id),
    -- No foreign key: the rule may be gone, and to delete one must not write all that it has made anew.
    rule_id          uuid        not null,
    rule_name        text        not null,
    event_id         uuid        not null,
    event_type       text        not null check (char_length(event_type) between 1 and 100),
    position         bigint      not null check (position > 0),
    aggregate_type   text        not null,
    aggregate_id     text        not null,
    occurred_at      timestamptz not null,
    title            text        not null check (char_length(title) between 1 and 200),
    body             text        not null check (char_length(body) <= 2000),
    link             text        not null check (char_length(link) <= 500),
    group_key        text        not null check (char_length(group_key) <= 200),
    priority         text        not null check (priority in ('low', 'normal', 'high')),
    must_acknowledge boolean     not null,
    -- To whom the event is addressed, in whole or empty: nobody else is told, by whatever step.
    event_audience   text[]      not null,
    -- As the rule had it, with names in the place of what stands in the event.
    escalation       jsonb       not null check (jsonb_typeof(escalation) = 'array'),
    -- Steps of the escalation that were taken; the first recipients are step 0.
    step             integer     not null default 0 check (step >= 0),
    -- When the next step is due; null: there is none, or somebody has acknowledged.
    escalates_at     timestamptz,
    acknowledged_at  timestamptz,
    acknowledged_by  uuid        references users (id) on delete set null,
    created_at       timestamptz not null default clock_timestamp(),
    unique (project_id, id)
);
-- A rule makes one notification of an event, whatever happens to cursor and jobs.
create unique index notifications_once on notifications (rule_id, event_id);
create index notifications_event on notifications (project_id, event_id);
create index notifications_aggregate on notifications (project_id, aggregate_type, aggregate_id);
-- What is old goes, but for what waits to be acknowledged.
create index notifications_age on notifications (created_at)
    where not must_acknowledge or acknowledged_at is not null;
-- What waits to be acknowledged, and what of it is due to be told to others.
create index notifications_open on notifications (project_id) where must_acknowledge and acknowledged_at is null;
create index notifications_due on notifications (escalates_at) where escalates_at is not null;

-- A notification as one recipient has it: an aggregate of its own, whose versions are told of by events.
create table notification_receipts (
    id              uuid        primary key,
    project_id      uuid        not null,
    notification_id uuid        not null,
    user_id         uuid        not null references users (id) on delete cascade,
    -- By which step of the escalation they were told.
    step            integer     not null check (step >= 0),
    version         bigint      not null default 1 check (version >= 1),
    sent_at         timestamptz not null default clock_timestamp(),
    -- Four different times: given to a client of theirs; shown to them; opened; said to be done.
    delivered_at    timestamptz,
    seen_at         timestamptz,
    read_at         timestamptz,
    acknowledged_at timestamptz,
    -- It must be acknowledged and nobody has, neither they nor another recipient: whoever does so ends it for all.
    waits           boolean     not null,
    -- By which way it was acknowledged.
    acknowledged_by_way text    check (acknowledged_by_way in ('page', 'api', 'socketio', 'embed')),
    archived_at     timestamptz,
    -- Muted: it is in the inbox and counts nowhere.
    muted           boolean     not null default false,
    emailed_at      timestamptz,
    pushed_at       timestamptz,
    -- Where the message was told by e-mail: at once, in a digest, or not at all.
    email           text        not null default 'off' check (email in ('off', 'instant', 'digest')),
    -- A person has a message once, by whatever step and audience.
    unique (notification_id, user_id),
    foreign key (project_id, notification_id) references notifications (project_id, id) on delete cascade,
    -- What comes later says that what comes before it has been.
    constraint notification_receipts_order check (
        (seen_at is null or delivered_at is not null)
        and (read_at is null or seen_at is not null)
        and (acknowledged_at is null or seen_at is not null)
        and (acknowledged_at is null) = (acknowledged_by_way is null)
        and not (waits and acknowledged_at is not null))
);
-- The inbox: newest first, ids follow the time.
create index notification_receipts_inbox on notification_receipts (project_id, user_id, id) where archived_at is null;
create index notification_receipts_archive on notification_receipts (project_id, user_id, id) where archived_at is not null;
-- What is unread, and the badge that counts what of it is not muted.
create index notification_receipts_unread on notification_receipts (project_id, user_id, id) include (muted)
    where read_at is null and archived_at is null;
-- What is unread or waits, for bells; and how much waits.
create index notification_receipts_open on notification_receipts (project_id, user_id, id)
    where (read_at is null or waits) and archived_at is null;
create index notification_receipts_waiting on notification_receipts (project_id, user_id)
    where waits and archived_at is null;
-- What a digest tells of.
create index notification_receipts_digest on notification_receipts (project_id, user_id)
    where email = 'digest' and emailed_at is null and read_at is null;

-- What a person wants of an event type: `*` is every type, `settlement.*` all of a kind; the narrowest counts.
create table notification_preferences (
    project_id uuid    not null references projects (id),
    user_id    uuid    not null references users (id) on delete cascade,
    pattern    text    not null check (char_length(pattern) between 1 and 100),
    -- Whether it counts in the bell; it is in the inbox in any case.
    in_app     boolean not null default true,
    email      text    not null default 'digest' check (email in ('off', 'instant', 'digest')),
    push       boolean not null default true,
    primary key (project_id, user_id, pattern)
);

create table notification_settings (
    project_id        uuid        not null references projects (id),
    user_id           uuid        not null references users (id) on delete cascade,
    -- Minutes of the day in the time zone; between them nothing is pushed or mailed unless it must be acknowledged.
    quiet_from        smallint    check (quiet_from between 0 and 1439),
    quiet_until       smallint    check (quiet_until between 0 and 1439),
    -- Where the person is, by its name in the IANA database: how far that is from UTC changes with the seasons.
    time_zone         text        not null default 'UTC' check (char_length(time_zone) between 1 and 100),
    digest            text        not null default 'daily' check (digest in ('off', 'hourly', 'daily', 'weekly')),
    last_digest_at    timestamptz,
    primary key (project_id, user_id),
    check ((quiet_from is null) = (quiet_until is null))
);

-- Where a browser is reached by Web Push (RFC 8030).
create table push_subscriptions (
    id         uuid        primary key,
    project_id uuid        not null references projects (id),
    user_id    uuid        not null references users (id) on delete cascade,
    endpoint   text        not null check (octet_length(endpoint) between 10 and 2000),
    p256dh     text        not null check (octet_length(p256dh) between 80 and 100),
    auth       text        not null check (octet_length(auth) between 20 and 30),
    -- The login that it was subscribed in, as the session has it: whoever signs out there is told there no more.
    -- Null: subscribed by an access token.
    login      uuid,
    created_at timestamptz not null default now(),
    unique (project_id, user_id, endpoint)
);
create index push_subscriptions_login on push_subscriptions (login) where login is not null;

select keep_to_one_project(name)
from unnest(array['notification_rules', 'notification_cursors', 'notifications', 'notification_receipts',
                  'notification_preferences', 'notification_settings', 'push_subscriptions']) as name;
grant select, insert, update, delete on notification_rules, notification_preferences, notification_settings,
    push_subscriptions to tidewatch_app;
grant select, insert, update on notification_cursors to tidewatch_app;
grant select, insert, update (step, escalates_at, acknowledged_at, acknowledged_by) on notifications to tidewatch_app;
grant select, insert, update (version, delivered_at, seen_at, read_at, acknowledged_at, waits, acknowledged_by_way,
                              archived_at, emailed_at, pushed_at)
    on notification_receipts to tidewatch_app;
