-- Projects: the tenant. Everything else belongs to exactly one.

create table projects (
    id         uuid        primary key,
    slug       text        not null unique check (slug ~ '^[a-z][a-z0-9-]{0,62}$'),
    name       text        not null check (char_length(name) between 1 and 200),
    created_at timestamptz not null default now()
);
