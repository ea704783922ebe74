#!/usr/bin/env bash
# restore.sh DUMP [DATABASE_URL]: restores a dump of pg_dump's custom format into an empty database, and begins a new history
# there: what readers knew of positions behind the backup means nothing any more, and they are told so instead of being misled.
# Whoever may look at this machine's processes sees the address: leave the password out of it, and put it into ~/.pgpass.
#   JOBS=4               restores with so many sessions, and no longer in one transaction: where it fails, begin anew
#   TIDEWATCH_BIN=       the program, whose `verify` looks at what was restored; otherwise the one on the PATH, if any
# By default DATABASE_URL of the environment. Nobody serves from that database yet, and the old one is no longer served.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=scripts/lib/say.sh
. "$here/lib/say.sh"

dump="${1:-}"
url="${2:-${DATABASE_URL:-}}"
if [ -z "$dump" ] || [ -z "$url" ]; then
  die "usage: restore.sh DUMP [DATABASE_URL]"
fi
for tool in pg_restore psql; do
  have "$tool" || die "$tool is missing: it comes with PostgreSQL's client programs."
done

ask() { psql --dbname="$url" --no-psqlrc --no-align --tuples-only --quiet --set=ON_ERROR_STOP=1 --command="$1"; }

pg_restore --list "$dump" >/dev/null || die "$dump is no dump that this pg_restore can read."
tables="$(ask "select count(*) from pg_class where relkind in ('r', 'p', 'S') and relnamespace = 'public'::regnamespace")" ||
  die "The database cannot be reached."
[ "$tables" -eq 0 ] || die "The database is not empty: restore into a new one."

# A dump has no roles. Requests run as this one, and the policies of the tables name it.
ask "do \$\$
begin
    if not exists (select from pg_roles where rolname = 'tidewatch_app') then
        create role tidewatch_app nologin;
    end if;
    -- From Postgres 16 on, who makes a role may grant it but not take it on.
    if not pg_has_role(current_user, 'tidewatch_app',
                       case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end) then
        execute format('grant tidewatch_app to %I', current_user);
    end if;
end
\$\$" || die "As a superuser: create role tidewatch_app nologin; grant tidewatch_app to $(ask 'select quote_ident(current_user)');"

say "Restoring $dump …"
how=(--single-transaction)
[ -z "${JOBS:-}" ] || how=(--jobs="$JOBS")
pg_restore --no-owner --exit-on-error "${how[@]}" --dbname="$url" "$dump"
streams="$(ask "with changed as (
    update project_streams set epoch = (epoch + 1 + floor(random() * 4294967294)::bigint) % 4294967296 returning 1)
select count(*) from changed")"
# Of the system's own tables, which only a superuser may analyze, it would say so, one by one.
ask "set client_min_messages = error; analyze"
good "Restored; $streams streams begin a new history."

program="${TIDEWATCH_BIN:-$(command -v tidewatch || true)}"
if [ -n "$program" ]; then
  DATABASE_URL="$url" "$program" verify
else
  warn "left out: tidewatch is not on the PATH; look by \`tidewatch verify\` before you serve from it."
fi
