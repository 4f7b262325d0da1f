-- The source tables of the sample shop, as the tasks expect them.

CREATE TABLE users (
    id         int4 PRIMARY KEY,
    name       varchar,
    country    varchar,
    created_at timestamp,
    email      varchar
);

CREATE TABLE products (
    id         int4 PRIMARY KEY,
    name       varchar,
    quantity   int4,
    created_at timestamp,
    approved   bool,
    price      numeric,
    uuid       uuid
);

CREATE TABLE orders (
    id         int4 PRIMARY KEY,
    user_id    int4,
    amount     numeric,
    active     bool NOT NULL,
    created_at timestamp,
    uuid       uuid NOT NULL
);

CREATE TABLE currencies (
    id              int4 PRIMARY KEY,
    type            varchar,
    type_id         int4,
    currency        varchar,
    conversion_rate numeric
);

CREATE TABLE taxes (
    id       int4 PRIMARY KEY,
    order_id int4,
    rate     numeric
);

CREATE TABLE events (
    id         int8 PRIMARY KEY,
    user_id    int4,
    kind       varchar,
    payload    jsonb,
    created_at timestamptz
);

CREATE INDEX events_created_at ON events (created_at);
