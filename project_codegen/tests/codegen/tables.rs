//! The tables that tasks are made of.

use project_test_servers::postgres::{Database, Postgres};

/// A plain one, one with every type and hostile names, one that only casts can read, and some that are hard by themselves.
const TABLES: &str = r#"
CREATE EXTENSION hstore;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE place AS (x int, y int);
CREATE DOMAIN price AS numeric(10,3);
CREATE TABLE invoices (id bigint PRIMARY KEY, customer text NOT NULL, amount numeric(12,2), created_at timestamptz NOT NULL, note varchar(40));
INSERT INTO invoices SELECT i, 'c' || i, i * 1.25, '2026-01-01 00:00:00Z'::timestamptz + i * interval '7 hours',
    CASE WHEN i % 3 = 0 THEN NULL ELSE 'n' END FROM generate_series(1, 500) i;
CREATE TABLE every_type (
    "type" int2 NOT NULL, "self" int4, "r#async" int8, async bool, "Order Id" float4 NOT NULL, "order_id" float8, "we""ird\" text,
    été varchar(3), "2nd" char(4) NOT NULL, "a.b" name, "a__b" int, b bytea, d date, ts timestamp NOT NULL, tz timestamptz, u uuid,
    j json NOT NULL, jb jsonb, o oid, n numeric, n2 numeric(30,5) NOT NULL, n3 numeric(18,6) NOT NULL, n4 numeric(50,2), t time,
    i interval, m mood NOT NULL);
INSERT INTO every_type VALUES
    (1, 2, 3, true, 1.5, 2.5, 'w', 'é', 'ab', 'nm', 7, '\x6162', '2026-01-02', '2026-01-02 03:04:05.678', '2026-01-02 03:04:05.678Z',
     '550e8400-e29b-41d4-a716-44665544000f', '{"a": 1}', '[1]', 4000000000, 1.5, 2.25, 3.125, 4.5, '12:34', '1 day', 'ok'),
    (2, NULL, NULL, NULL, 1.5, NULL, NULL, NULL, 'ab', NULL, NULL, NULL, NULL, '2026-01-02 03:04:05', NULL, NULL, '{}', NULL, NULL,
     NULL, -1, -0.000001, NULL, NULL, NULL, 'sad');
CREATE TABLE "Odd Things" (a int[], p place, r int4range, h hstore, mo money, ip inet NOT NULL, x xml, bits bit(3) NOT NULL, dom price,
    doubled int GENERATED ALWAYS AS (2) STORED, "table" int, odd_things int, "columns" int, "type" text, "r#fn" int,
    PRIMARY KEY (ip, bits));
INSERT INTO "Odd Things" (a, p, r, h, mo, ip, x, bits, dom, "table", odd_things, columns, type, "r#fn")
    VALUES ('{1,NULL}', '(1,2)', '[1,5)', 'a=>1', 12.5, '10.0.0.1', '<a/>', '101', 1.125, 1, 2, 3, 't', 4);
CREATE TABLE parted (id int NOT NULL, at date NOT NULL, dt text) PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO parted VALUES (1, '2026-02-03', 'x'), (2, '2026-02-04', NULL);
CREATE VIEW result AS SELECT m, id FROM invoices CROSS JOIN (VALUES ('ok'::mood)) AS moods(m);
CREATE TABLE diesel (m mood);
CREATE SCHEMA "Sales EU";
CREATE TABLE "Sales EU"."it's $x `q`" (id int PRIMARY KEY, async text);
INSERT INTO "Sales EU"."it's $x `q`" VALUES (1, 'a');
CREATE TABLE two_dates (id int PRIMARY KEY, at timestamp, at2 date);
CREATE TABLE no_date (id int PRIMARY KEY);
CREATE TABLE empty_table ();
CREATE TABLE users (id int PRIMARY KEY);
DO $$ BEGIN EXECUTE 'CREATE TABLE wide (' || (SELECT string_agg('c' || i || ' int', ', ') FROM generate_series(1, 40) i) || ')'; END $$;
"#;

/// A database with them.
pub(crate) fn database() -> Database<'static> {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    database.execute(TABLES).unwrap();
    database
}
