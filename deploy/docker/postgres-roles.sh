#!/usr/bin/env bash
# postgres-roles.sh: the roles and the database of Tidewatch, made once by the image of Postgres when its volume is empty.
# The role that the program connects with owns the tables and is no superuser; requests run as tidewatch_app, behind
# row-level security (migrations/0006).
set -euo pipefail

# The password is read by psql out of the environment: arguments of a process can be seen by others.
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" --dbname=postgres <<'SQL'
\getenv password TIDEWATCH_DATABASE_PASSWORD
create role tidewatch login password :'password';
create role tidewatch_app nologin;
grant tidewatch_app to tidewatch;
create database tidewatch owner tidewatch;
SQL
