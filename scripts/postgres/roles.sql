-- Roles and databases of a private cluster. Statements end with an empty line; each must be harmless when
-- run again, since all of them are run again whenever this file changes. :password is the generated one.

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tidewatch') THEN
    CREATE ROLE tidewatch;
  END IF;
END
$$;

-- CREATEDB: each test has a database of its own. CREATEROLE: migrations may add roles.
ALTER ROLE tidewatch LOGIN CREATEDB CREATEROLE PASSWORD :password;

