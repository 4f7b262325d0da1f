//! The sample shop, and what SQL on it says that the lake must hold.

use crate::independent_reader::compare;
use crate::program::Program;
use anyhow::{Context, Result};
use project_test_servers::postgres::{Database, Postgres};
use std::collections::BTreeMap;
use std::path::Path;

/// A table of the lake, where its rows come from, and each column that is added up with its expression in SQL.
#[derive(Debug)]
pub(crate) struct ShopTable {
    pub(crate) name: &'static str,
    from: &'static str,
    sums: &'static [(&'static str, &'static str)],
}

/// Every task of the shop, and one table by its name. Groups may hold tasks of other tables as well.
pub(crate) const TABLES: [ShopTable; 5] = [
    ShopTable {
        name: "combined_orders",
        from: COMBINED_ORDERS,
        sums: &[
            ("order_id", "orders.id"),
            ("conversion_rate", "round(coalesce(conversion_rate, 1), 8)"),
            ("amount", "round(amount, 2)"),
            ("amount_usd", AMOUNT_USD),
            ("amount_with_tax", "round(amount * (1 + coalesce(rate, 0)), 2)"),
        ],
    },
    ShopTable { name: "users", from: "users", sums: &[("id", "id")] },
    ShopTable {
        name: "products",
        from: "products",
        sums: &[("id", "id"), ("quantity", "quantity"), ("price", "round(price, 2)")],
    },
    ShopTable { name: "events", from: "events", sums: &[("id", "id"), ("user_id", "user_id")] },
    ShopTable {
        name: "public_currencies",
        from: "currencies",
        sums: &[("id", "id"), ("type_id", "type_id"), ("conversion_rate", "conversion_rate")],
    },
];

/// `--table` for all of [`TABLES`].
pub(crate) const EVERYTHING: &str = "combined_orders,users,products,events,public.currencies";

/// How a run of the selection ends on the shop: a group may hold tasks whose tables it has not.
pub(crate) fn code_of(selection: &str) -> Result<i32> {
    let list = Program::new()?.run(&["list", "--format=json"])?.expect(0)?.stdout;
    let tasks: Vec<BTreeMap<String, String>> = serde_json::from_str(&list)?;
    let groups: Vec<&str> = selection.split(',').map(str::trim).collect();
    let selected = tasks.iter().filter(|task| groups.contains(&task["group"].as_str()));
    let only_the_shop = selected.into_iter().all(|task| TABLES.iter().any(|table| table.name == task["task"]));
    Ok(if only_the_shop { 0 } else { 65 })
}

const COMBINED_ORDERS: &str = "orders \
     LEFT JOIN currencies ON currencies.type = 'Order' AND currencies.type_id = orders.id \
     LEFT JOIN taxes ON taxes.order_id = orders.id \
     WHERE active AND orders.user_id IS NOT NULL";

const AMOUNT_USD: &str = "round(amount * coalesce(conversion_rate, 1), 2)";

/// A database with the sample shop.
pub(crate) fn sample_shop() -> Result<Database<'static>> {
    let database = Database::create(Postgres::shared()?)?;
    database.load_shop_sample()?;
    Ok(database)
}

/// A database with the tables of the shop and no rows.
pub(crate) fn empty_shop() -> Result<Database<'static>> {
    let database = Database::create(Postgres::shared()?)?;
    database.create_shop_tables()?;
    Ok(database)
}

/// A database with the tables of the shop and some rows that tests bend.
pub(crate) fn tiny_shop() -> Result<Database<'static>> {
    let database = empty_shop()?;
    database.execute(
        "INSERT INTO users SELECT id, 'user ' || id, 'DE', '2026-01-01', NULL FROM generate_series(1, 3) AS id;
         INSERT INTO orders SELECT id, id, id + 0.5, true, '2026-01-02', gen_random_uuid() FROM generate_series(1, 3) AS id;
         INSERT INTO products SELECT id, 'product', id, '2026-01-03', true, id + 0.25, NULL FROM generate_series(1, 3) AS id;
         INSERT INTO events SELECT id, id, 'view', '{}', '2026-01-04 12:00Z' FROM generate_series(1, 3) AS id;",
    )?;
    Ok(database)
}

/// The one value of a query.
pub(crate) fn value(database: &Database<'_>, sql: &str) -> Result<String> {
    let rows = database.query_text(sql)?;
    let first = rows.into_iter().next().and_then(|row| row.into_iter().next());
    first.flatten().with_context(|| format!("no value: {sql}"))
}

/// The exact revenue in US dollars, by SQL on the source.
pub(crate) fn revenue_in_usd(database: &Database<'_>) -> Result<String> {
    value(database, &format!("SELECT sum({AMOUNT_USD}) FROM {COMBINED_ORDERS}"))
}

/// How many rows `combined_orders` must have.
pub(crate) fn combined_orders(database: &Database<'_>) -> Result<String> {
    value(database, &format!("SELECT count(*) FROM {COMBINED_ORDERS}"))
}

/// Rows of `events` by partition folder.
pub(crate) fn events_by_partition(database: &Database<'_>) -> Result<Vec<(String, u64)>> {
    let rows = database.query_text(
        "SELECT 'dt=' || coalesce(to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), '__HIVE_DEFAULT_PARTITION__'), count(*)
         FROM events GROUP BY 1 ORDER BY min(created_at)",
    )?;
    rows.into_iter()
        .map(|row| match row.as_slice() {
            [Some(folder), Some(rows)] => Ok((folder.clone(), rows.parse()?)),
            other => anyhow::bail!("not a folder and a count: {other:?}"),
        })
        .collect()
}

impl ShopTable {
    /// Fails unless every reader finds in the lake what SQL says.
    pub(crate) fn check(&self, database: &Database<'_>, lake: &Path) -> Result<()> {
        compare(database, self.from, self.sums, &lake.join(self.name))
    }
}
