-- Organizations, memberships, roles of a project's own, and rows that are for some and not for all.

-- A membership is a person in a project; what they are there stands in member_roles.
alter table memberships rename to member_roles;
alter index memberships_user_id rename to member_roles_user_id;

create table memberships (
    project_id  uuid        not null references projects (id),
    user_id     uuid        not null references users (id),
    -- Kept and without effect: the person is out of this project, and of no other.
    disabled_at timestamptz,
    created_at  timestamptz not null default now(),
    primary key (project_id, user_id)
);
create index memberships_user_id on memberships (user_id);
insert into memberships (project_id, user_id, created_at)
    select project_id, user_id, min(created_at) from member_roles group by project_id, user_id;
alter table member_roles
    add foreign key (project_id, user_id) references memberships (project_id, user_id) on delete cascade;

-- Customers inside a project: a landlord, a contractor firm, a merchant.
create table organizations (
    id         uuid        primary key,
    project_id uuid        not null references projects (id),
    name       text        not null check (char_length(name) between 1 and 200),
    created_at timestamptz not null default now(),
    unique (project_id, id)
);
create unique index organizations_name on organizations (project_id, lower(name));

create table organization_members (
    project_id      uuid        not null,
    organization_id uuid        not null,
    user_id         uuid        not null,
    created_at      timestamptz not null default now(),
    primary key (project_id, user_id, organization_id),
    foreign key (project_id, organization_id) references organizations (project_id, id) on delete cascade,
    foreign key (project_id, user_id) references memberships (project_id, user_id) on delete cascade
);
create index organization_members_organization on organization_members (organization_id);

-- Roles of a project's own, beside those that every project has.
create table roles (
    project_id   uuid        not null references projects (id),
    name         text        not null check (name ~ '^[a-z][a-z0-9_]{0,62}$' and name not in
        ('staff', 'admin', 'operator', 'developer', 'viewer', 'ops', 'landlord', 'tenant', 'contractor')),
    title        text        not null check (char_length(title) between 1 and 200),
    permissions  text[]      not null check (cardinality(permissions) between 1 and 100),
    -- Whether it sees what is of the whole project, or only what is addressed to the person or to
    -- one of their organizations.
    project_wide boolean     not null default true,
    created_at   timestamptz not null default now(),
    primary key (project_id, name)
);

-- Whether somebody who holds `held` (null: everything) and goes by `names` may see what needs
-- `needed` and is for `audience`. The twin of `visible` in tidewatch-events, for what is filtered
-- and counted here; that the project is the same is for the query to say. A property test holds the
-- two equal.
create function visible_to(needed text[], audience text[], held text[], names text[]) returns boolean
language sql immutable parallel safe as $$
    select (held is null or needed <@ held) and (audience = '{}' or audience && names)
$$;

-- A settlement can belong to an organization. It and its events are for that one and for the
-- project's staff, which is everyone whose role is project-wide.
alter table settlements
    add column organization_id uuid,
    add column audience text[] not null default '{role:staff}' check (cardinality(audience) > 0),
    add foreign key (project_id, organization_id) references organizations (project_id, id);
update domain_events set audience = '{role:staff}' where aggregate_type = 'Settlement' and audience = '{}';

-- Logins of API users. An access token (JWT) carries the id of its family and counts as long as
-- that is not revoked; a refresh token counts once.
create table token_families (
    id           uuid        primary key,
    project_id   uuid        not null references projects (id),
    user_id      uuid        not null references users (id),
    -- What the client calls itself.
    client       text        not null default '' check (char_length(client) <= 400),
    created_at   timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    expires_at   timestamptz not null,
    revoked_at   timestamptz
);
create index token_families_user_id on token_families (user_id);
create index token_families_expires_at on token_families (expires_at);

create table refresh_tokens (
    digest    bytea       primary key check (octet_length(digest) = 32),
    family_id uuid        not null references token_families (id) on delete cascade,
    used_at   timestamptz
);
create index refresh_tokens_family_id on refresh_tokens (family_id);

-- What a person sees of their sessions: an id that is no secret, and where it was last used from.
alter table sessions
    add column public_id    uuid        not null default gen_random_uuid() unique,
    add column last_seen_at timestamptz not null default now(),
    add column client       text        not null default '' check (char_length(client) <= 400),
    add column address      text        not null default '' check (char_length(address) <= 100);

alter table api_keys
    -- The last characters, by which people tell keys apart.
    add column hint       text not null default '' check (char_length(hint) <= 8),
    add column created_by text not null default '',
    -- The key that takes its place: until it expires, both count.
    add column rotated_to uuid references api_keys (id);

-- Failed logins by account and by address, for the delay that the next one has to wait.
create table login_failures (
    -- Digest of the account's or the client's address.
    key           bytea       primary key check (octet_length(key) = 32),
    failures      integer     not null check (failures > 0),
    last_at       timestamptz not null,
    blocked_until timestamptz not null
);
create index login_failures_last_at on login_failures (last_at);
