-- Records found by their words, by the index that there is for that.
--
-- Behind row-level security `search @@ …` reaches no index, for the operator is not known to leak nothing, and every
-- search read the whole table. This runs as the owner, tells ids alone, and those of the transaction's project alone:
-- whoever asks reads the records themselves, behind the wall.
--
-- The ids of those that have one of the words: the first that no more than `most` have, or null where there is none.
-- One word, not all: the index puts together everything that each of them has, and `inv` stands in every reference. A
-- word that 2 of 100 of the newest have is passed over for the same reason; a page of those is full soon without it.
create function records_with_word(name text, words tsquery[], most integer) returns uuid[]
language plpgsql stable security definer set search_path from current as $$
declare
    word  tsquery;
    seen  bigint;
    found uuid[];
begin
    foreach word in array words loop
        execute format('select count(*) from (
                            select search from %I where project_id = current_project()
                            order by created_at desc, id desc limit 2000) newest
                        where search @@ $1', name)
            into seen using word;
        continue when seen >= 40;
        execute format('select array_agg(id) from (
                            select id from %I where project_id = current_project() and search @@ $1 limit $2) few', name)
            into found using word, most + 1;
        if coalesce(cardinality(found), 0) <= most then
            return coalesce(found, '{}');
        end if;
    end loop;
    return null;
end
$$;
revoke execute on function records_with_word(text, tsquery[], integer) from public;
grant execute on function records_with_word(text, tsquery[], integer) to tidewatch_app;
