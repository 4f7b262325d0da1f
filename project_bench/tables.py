"""The tables that are copied: their columns, and how their rows are made."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    name: str
    columns: tuple[Column, ...]

    def definition(self) -> str:
        lines = (f"{column.name} {column.type}{'' if column.nullable else ' NOT NULL'}" for column in self.columns)
        return f"CREATE TABLE public.{self.name} ({', '.join(lines)})"


# As the standard declares it, without an index: nothing here reads one.
LINEITEM = Table(
    "lineitem",
    (
        Column("l_orderkey", "integer"),
        Column("l_partkey", "integer"),
        Column("l_suppkey", "integer"),
        Column("l_linenumber", "integer"),
        Column("l_quantity", "numeric(15,2)"),
        Column("l_extendedprice", "numeric(15,2)"),
        Column("l_discount", "numeric(15,2)"),
        Column("l_tax", "numeric(15,2)"),
        Column("l_returnflag", "char(1)"),
        Column("l_linestatus", "char(1)"),
        Column("l_shipdate", "date"),
        Column("l_commitdate", "date"),
        Column("l_receiptdate", "date"),
        Column("l_shipinstruct", "char(25)"),
        Column("l_shipmode", "char(10)"),
        Column("l_comment", "varchar(44)"),
    ),
)

# One column of each kind that shops have and the standard's tables lack.
ORDERS_WIDE = Table(
    "orders_wide",
    (
        Column("id", "bigint"),
        Column("customer_id", "integer", nullable=True),
        Column("amount", "numeric(12,2)"),
        Column("created_at", "timestamptz"),
        Column("local_time", "timestamp"),
        Column("token", "uuid"),
        Column("payload", "jsonb"),
        Column("tags", "text[]", nullable=True),
        Column("paid", "boolean"),
        Column("weight", "double precision"),
        Column("status", "varchar(20)"),
        Column("note", "text", nullable=True),
    ),
)

ORDERS_WIDE_ROWS = 2_000_000


def orders_wide_rows(scale: Decimal) -> int:
    return int(ORDERS_WIDE_ROWS * scale)


def fill_orders_wide(scale: Decimal) -> str:
    """Every value comes from the md5 of the row's id, so the rows are the same on every machine.

    a, b, c and d are numbers of 28 bits. Times have whole milliseconds, because that is what `project` keeps.
    """
    return f"""
INSERT INTO public.orders_wide
SELECT id,
       CASE WHEN a % 10 <> 0 THEN a % 200000 END,
       (b % 10000000 - 500000) * 0.01,
       timestamptz '2020-01-01 00:00:00+00' + interval '1 millisecond' * (a * 701::bigint),
       timestamp '1965-01-01 00:00:00' + interval '1 millisecond' * (b * 7001::bigint),
       md5('token ' || id)::uuid,
       jsonb_build_object('sku', substr(hash, 1, 10), 'quantity', 1 + a % 9, 'price', (b % 100000) * 0.01,
           'gift', c % 7 = 0, 'address', jsonb_build_object('city', cities[1 + d % 6], 'zip', c % 100000)),
       CASE d % 8 WHEN 0 THEN NULL WHEN 1 THEN '{{}}' WHEN 2 THEN ARRAY[cities[1 + a % 6], NULL]
           WHEN 3 THEN ARRAY['a "quoted", word', 'back\\slash', ''] ELSE ARRAY['tag' || b % 50, 'tag' || c % 50] END,
       c % 3 <> 0,
       sqrt(c) / 7,
       (ARRAY['open', 'paid', 'shipped', 'returned', 'cancelled'])[1 + b % 5],
       CASE WHEN d % 5 > 1 THEN 'Ring ' || a % 100 || ' times, then leave it at ' || cities[1 + b % 6] END
FROM generate_series(1, {orders_wide_rows(scale)}) AS id,
LATERAL (SELECT md5(id::text) AS hash, ARRAY['Berlin', 'New York', 'Łódź', 'São Paulo', '東京', 'Oslo'] AS cities
    OFFSET 0) AS text,
LATERAL (SELECT ('x' || substr(hash, 1, 7))::bit(28)::int AS a, ('x' || substr(hash, 8, 7))::bit(28)::int AS b,
    ('x' || substr(hash, 15, 7))::bit(28)::int AS c, ('x' || substr(hash, 22, 7))::bit(28)::int AS d
    OFFSET 0) AS numbers
"""
