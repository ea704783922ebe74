-- An API key acts for a person: the one who made it, or for whom the key that made it acts. Null: it cannot be told,
-- since the key was made at a terminal, before this column was there, or by somebody whose account is gone. What was
-- written down of older keys is a name that anybody could give a key, and so tells nothing.
alter table api_keys add column person_id uuid references users (id) on delete set null;
create index api_keys_person on api_keys (person_id) where person_id is not null;
grant select (person_id) on api_keys to tidewatch_app;
