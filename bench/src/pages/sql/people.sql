-- Who did it all: people and API keys, beside those of the demo.

insert into users (id, email, name, password_hash, created_at)
select bench_id(bench_at(0), 'person' || n), format('person%s@demo.tidewatch.local', n),
       bench_pick('{Ada,Grace,Edsger,Barbara,Alan,Radia,Donald,Frances}', n) || ' '
           || bench_pick('{Lovelace,Hopper,Dijkstra,Liskov,Turing,Perlman,Knuth,Allen,Hamilton}', n / 3),
       '$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
       bench_at(0)
from generate_series(1, 200) n;
insert into memberships (project_id, user_id, created_at)
select current_setting('bench.project')::uuid, id, created_at from users where email like 'person%';
insert into member_roles (project_id, user_id, role, created_at)
select project_id, user_id, 'operator', created_at from memberships
where user_id in (select id from users where email like 'person%');

insert into api_keys (id, project_id, name, digest, scopes, hint, created_by, created_at, last_used_at)
select bench_id(bench_at(0), 'key' || n), current_setting('bench.project')::uuid, 'service ' || n,
       sha256(convert_to('bench' || n, 'utf8')), '{settlements.act,payments.act,events.publish}',
       lpad(n::text, 4, '0'), 'tidewatch seed', bench_at(0), now()
from generate_series(1, 100) n;

create unlogged table bench_actors as
select (select array_agg('user:usr_' || crockford(id) order by id) from users where email like 'person%') as people,
       (select array_agg(name order by id) from users where email like 'person%') as names,
       (select array_agg('key:key_' || crockford(id) order by id) from api_keys where name like 'service %') as keys;
