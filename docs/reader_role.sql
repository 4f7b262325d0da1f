-- A role that can read what `project` reads and can write nothing. Run it as a superuser, or as the owner of the tables
-- with the right to create roles; run it once for each schema, and again whenever you like.
--
--   psql -X -v ON_ERROR_STOP=1 [-v role=project_reader] [-v schema=public] [-v owner=...] -f docs/reader_role.sql "$ADMIN_URI"
--
-- `owner` is the role that creates the tables: those of tomorrow are readable, too (who runs this when not given). The
-- password is yours to set afterwards, where no history keeps it: \password project_reader

\if :{?role}   \else \set role project_reader \endif
\if :{?schema} \else \set schema public       \endif
\if :{?owner}  \else \set owner :USER         \endif
\set QUIET on

BEGIN;

-- A run takes --workers connections and two more.
SELECT format('CREATE ROLE %I LOGIN CONNECTION LIMIT 20', :'role')
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = :'role') \gexec

-- Not the lock, only a second one: what the role may do is decided by the grants below.
ALTER ROLE :"role" SET default_transaction_read_only = on;

GRANT CONNECT ON DATABASE :"DBNAME" TO :"role";
GRANT USAGE ON SCHEMA :"schema" TO :"role";
GRANT SELECT ON ALL TABLES IN SCHEMA :"schema" TO :"role";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA :"schema" GRANT SELECT ON TABLES TO :"role";

COMMIT;

-- What everybody has, this role has as well.
SELECT pg_catalog.has_schema_privilege(:'role', :'schema', 'CREATE') AS may_create \gset
\if :may_create
    \warn WARNING: everybody may create tables in this schema, and so may this role (the default before Postgres 15). To end that:
    \warn '  REVOKE CREATE ON SCHEMA' :"schema" 'FROM PUBLIC;'
\endif
