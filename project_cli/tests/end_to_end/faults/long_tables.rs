//! Tables with many times the bytes that a run reads of the catalog.

use crate::shop::empty_shop;
use anyhow::Result;
use project_test_servers::postgres::Database;

/// Rows of each of them, about two megabytes.
pub(crate) const ROWS: u64 = 20_000;

/// `users`, `products` and `public.wide`: read by Diesel, through a cursor of sqlx, and by COPY.
pub(crate) fn create() -> Result<Database<'static>> {
    let database = empty_shop()?;
    database.execute(&format!(
        "INSERT INTO users
             SELECT id, 'user ' || id, 'DE', '2026-01-01', repeat('x', 50) FROM generate_series(1, {ROWS}) AS id;
         INSERT INTO products
             SELECT id, repeat('y', 50), id, '2026-01-03', true, 1.25, gen_random_uuid()
             FROM generate_series(1, {ROWS}) AS id;
         CREATE TABLE wide AS SELECT id, repeat('z', 60) AS text FROM generate_series(1, {ROWS}) AS id"
    ))?;
    Ok(database)
}
