-- Fills the tables of schema.sql with a shop that is the same on every machine: each value is a hash of the row's id and
-- of a salt that names the column, so neither the plan nor the order of the rows can change it.
--
--   psql -v ON_ERROR_STOP=1 [-v users=N] [-v orders=N] [-v products=N] [-v events=N] [-v days=N] -f demo/shop.sql
--
-- It holds what real shops hold: missing values, orders of deleted users, refunds, rates of another table's rows, late events.

\if :{?users}    \else \set users    100000  \endif
\if :{?orders}   \else \set orders   1000000 \endif
\if :{?products} \else \set products 20000   \endif
\if :{?events}   \else \set events   3000000 \endif
\if :{?days}     \else \set days     90      \endif

-- Orders lie in the two years before this moment, events in the :days days before it (UTC).
\set end '''2026-01-01 00:00:00'''

\set QUIET on
SET TimeZone = 'UTC';

-- A number from 0 to n - 1.
CREATE FUNCTION pg_temp.pick(id int8, salt int8, n int8) RETURNS int8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (hashint8extended(id, salt) & 9223372036854775807) % n
$$;

-- True for about one row in n.
CREATE FUNCTION pg_temp.one_in(n int8, id int8, salt int8) RETURNS bool LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT pg_temp.pick(id, salt, n) = 0
$$;

-- Where customers live. A country with more slots has more customers. usd_rate is in units of 0.00000001 US dollars.
CREATE TEMPORARY TABLE markets (slot int PRIMARY KEY, country varchar, currency varchar, usd_rate int8, tax_rate numeric);
INSERT INTO markets
SELECT (row_number() OVER (ORDER BY country, copy) - 1)::int, country, currency, usd_rate, tax_rate
FROM (VALUES
    ('US', 'USD', 100000000, 0.0725, 5), ('DE', 'EUR', 108250000, 0.19,  3), ('GB', 'GBP', 126480000, 0.20,  3),
    ('FR', 'EUR', 108250000, 0.20,   2), ('IT', 'EUR', 108250000, 0.22,  1), ('ES', 'EUR', 108250000, 0.21,  1),
    ('CH', 'CHF', 113070000, 0.081,  1), ('SE', 'SEK',   9431000, 0.25,  1), ('PL', 'PLN',  25170000, 0.23,  1),
    ('CA', 'CAD',  72930000, 0.05,   1), ('JP', 'JPY',    668400, 0.10,  2), ('BR', 'BRL',  18390000, 0.17,  1)
) AS market (country, currency, usd_rate, tax_rate, slots), generate_series(1, slots) AS copy;
ANALYZE markets;
SELECT count(*) AS slots FROM markets \gset

-- TRUNCATE in the transaction of the load spares the write-ahead log where wal_level is minimal.
BEGIN;
TRUNCATE users, products, orders, currencies, taxes, events;
DROP INDEX IF EXISTS events_created_at;
\timing on

\echo -n 'users,' :users 'rows. '
INSERT INTO users
SELECT id,
       CASE WHEN NOT pg_temp.one_in(50, id, 101) THEN first_name || ' ' || last_name END,
       CASE WHEN NOT pg_temp.one_in(50, id, 102) THEN country END,
       timestamp :end - interval '1 second' * (63072000 + pg_temp.pick(id, 103, 94608000)),
       CASE WHEN NOT pg_temp.one_in(33, id, 104) THEN 'user' || id || '@shop.example' END
FROM generate_series(1, :users) AS id
JOIN markets ON slot = pg_temp.pick(id, 105, :slots),
LATERAL (SELECT
    (ARRAY['Ada', 'Zoë', 'Łukasz', 'Grace', 'José', 'Ingrid', 'Noah', 'Amélie', '美咲', 'Björn', 'Mary-Jane', 'Alan'])
        [1 + pg_temp.pick(id, 106, 12)] AS first_name,
    (ARRAY['Smith', 'Müller', 'O''Neill', 'Kowalski', 'García', 'Rossi', 'Dubois', 'Svensson', '田中', 'da Silva', 'Brown'])
        [1 + pg_temp.pick(id, 107, 11)] AS last_name
) AS names;

\echo -n 'products,' :products 'rows. '
INSERT INTO products
SELECT id,
       CASE WHEN NOT pg_temp.one_in(100, id, 201) THEN
           (ARRAY['Red', 'Small', 'Quiet', 'Solid', 'Light', 'Blue', 'Warm'])[1 + pg_temp.pick(id, 202, 7)] || ' ' ||
           (ARRAY['chair', 'lamp', 'kettle', 'radio', 'desk', 'clock', 'coat', 'bicycle'])[1 + pg_temp.pick(id, 203, 8)] || ' ' || id
       END,
       CASE WHEN NOT pg_temp.one_in(50, id, 204) THEN pg_temp.pick(id, 205, 1000) END,
       timestamp :end - interval '1 second' * pg_temp.pick(id, 206, 94608000),
       CASE WHEN NOT pg_temp.one_in(40, id, 207) THEN NOT pg_temp.one_in(10, id, 208) END,
       CASE WHEN NOT pg_temp.one_in(50, id, 209) THEN (199 + pg_temp.pick(id, 210, 50000)) * 0.01 END,
       CASE WHEN NOT pg_temp.one_in(50, id, 211) THEN md5('product ' || id)::uuid END
FROM generate_series(1, :products) AS id;

\echo -n 'orders,' :orders 'rows. '
INSERT INTO orders
SELECT id,
       CASE
           WHEN pg_temp.one_in(100, id, 301) THEN NULL
           -- A user who is gone.
           WHEN pg_temp.one_in(400, id, 302) THEN :users + 1 + pg_temp.pick(id, 303, 1000)
           ELSE 1 + pg_temp.pick(id, 304, :users)
       END,
       CASE
           WHEN pg_temp.one_in(200, id, 305) THEN NULL
           -- A refund.
           WHEN pg_temp.one_in(80, id, 306) THEN pg_temp.pick(id, 307, 20000) * -0.01
           WHEN pg_temp.one_in(40, id, 308) THEN (50000 + pg_temp.pick(id, 307, 250000)) * 0.01
           ELSE (499 + pg_temp.pick(id, 307, 20000)) * 0.01
       END,
       NOT pg_temp.one_in(20, id, 309),
       timestamp :end - interval '1 second' * (1 + ((:orders - id) * 63072000::int8 + pg_temp.pick(id, 310, 63072000)) / :orders),
       md5('order ' || id)::uuid
FROM generate_series(1, :orders) AS id;

-- At most one rate for an order. Rates move a little from order to order; some are round numbers. With 1.125 an amount in
-- dollars often ends in exactly half a cent, which shows how it is rounded.
\echo -n 'currencies, for most orders and products. '
INSERT INTO currencies
SELECT id, 'Order', id, currency,
       CASE
           WHEN currency = 'USD' THEN 1
           WHEN currency = 'EUR' AND pg_temp.one_in(25, id, 401) THEN 1.125
           WHEN pg_temp.one_in(5, id, 402) THEN round(usd_rate * 0.00000001, 4)
           ELSE (usd_rate + pg_temp.pick(id, 403, usd_rate / 20)) * 0.00000001
       END
FROM orders
JOIN markets ON slot = pg_temp.pick(coalesce(user_id, id), 105, :slots)
WHERE NOT pg_temp.one_in(10, id, 404)
UNION ALL
SELECT :orders + id, 'Product', id, currency, usd_rate * 0.00000001
FROM products
JOIN markets ON slot = pg_temp.pick(id, 405, :slots);

\echo -n 'taxes, for most orders. '
INSERT INTO taxes
SELECT id, id, tax_rate
FROM orders
JOIN markets ON slot = pg_temp.pick(coalesce(user_id, id), 105, :slots)
WHERE NOT pg_temp.one_in(5, id, 501);

\echo -n 'events,' :events 'rows over' :days 'days. '
INSERT INTO events
SELECT id,
       CASE WHEN NOT pg_temp.one_in(20, id, 601) THEN 1 + pg_temp.pick(id, 602, :users) END,
       (ARRAY['view', 'view', 'view', 'view', 'search', 'search', 'cart', 'purchase', 'login', 'logout'])[1 + pg_temp.pick(id, 603, 10)],
       CASE WHEN NOT pg_temp.one_in(30, id, 604) THEN
           ('{"page": ' || pg_temp.pick(id, 605, :products) || ', "ms": ' || pg_temp.pick(id, 606, 5000) || '}')::jsonb
       END,
       CASE
           WHEN pg_temp.one_in(1000, id, 607) THEN NULL
           -- It arrived late: an older moment among newer ones.
           WHEN pg_temp.one_in(100, id, 608) THEN timestamptz :end - interval '1 millisecond' * (1 + pg_temp.pick(id, 609, :days * 86400000::int8))
           ELSE timestamptz :end
               - interval '1 millisecond' * (1 + ((:events - id) * (:days * 86400000::int8) + pg_temp.pick(id, 609, :days * 86400000::int8)) / :events)
       END
FROM generate_series(1::int8, :events) AS id;

\echo -n 'the index on events. '
CREATE INDEX events_created_at ON events (created_at);
\timing off
COMMIT;
\timing on

\echo -n 'statistics. '
VACUUM (ANALYZE) users, products, orders, currencies, taxes, events;
\timing off
