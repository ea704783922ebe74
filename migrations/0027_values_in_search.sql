-- Lists that are narrowed by a field's value find what few records have by the index of words: `=currency=KWD` stands
-- among a record's words, and no text that is searched for begins so. An index for each such field would be one more
-- that every move enters anew.

-- The values of a row's fields as such words: `fields` are the columns by which its list can be narrowed.
create function value_words(facts jsonb, fields text[]) returns tsvector
language sql immutable parallel safe as $$
    select array_to_tsvector(coalesce(array_agg('=' || field || '=' || left(facts ->> field, 64)), '{}'))
    from unnest(fields) field where facts ->> field is not null
$$;

do $$
declare
    own record;
begin
    for own in select * from (values
        ('settlements', array['currency', 'network']), ('payments', array['currency', 'method']),
        ('orders', array['currency']), ('invoices', array['currency']), ('balances', array['currency']),
        ('incidents', array['severity']), ('servers', array['kind'])) narrowed (name, fields)
    loop
        execute format('alter table %I disable trigger user', own.name);
        execute format('update %I t set search = search || value_words(to_jsonb(t), %L)', own.name, own.fields);
        execute format('alter table %I enable trigger user', own.name);
    end loop;
end
$$;
