//! One moment for the whole run, on a primary and on a hot standby, and a guest that the server hardly notices.

use anyhow::{Context, Result, anyhow};
use project_test_servers::hot_standby::HotStandby;
use project_test_servers::postgres::Database;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

mod another_server;
mod changes;
mod constant_sum;
mod end_of_the_moment;
mod guest;
mod place_in_log;
mod provenance;

/// A primary with its standby, for all tests here. What they read is cancelled by nobody.
fn servers() -> Result<&'static HotStandby> {
    static SERVERS: OnceLock<Result<HotStandby, String>> = OnceLock::new();
    const SETTINGS: [(&str, &str); 2] = [("hot_standby_feedback", "on"), ("max_standby_streaming_delay", "-1")];
    let start = || HotStandby::start(&SETTINGS).map_err(|error| format!("{error:#}"));
    SERVERS.get_or_init(start).as_ref().map_err(|message| anyhow!("{message}"))
}

/// Three tables that three kinds of task read, each row of which is worth 100: `combined_orders` by Diesel, `products`
/// by sqlx, and `vault` by columns. The last has a block for every few rows, so that several workers share it.
const MONEY: &str = "
INSERT INTO orders SELECT id, id, 100, true, '2026-01-02', gen_random_uuid() FROM generate_series(1, 2000) AS id;
INSERT INTO products SELECT id, 'product', id, '2026-01-03', true, 100, NULL FROM generate_series(1, 2000) AS id;
CREATE TABLE vault (id int4 PRIMARY KEY, amount numeric(18,2) NOT NULL, wide text NOT NULL) WITH (fillfactor = 10);
INSERT INTO vault SELECT id, 100, repeat('-', 200) FROM generate_series(1, 30000) AS id;
ANALYZE";

/// Moves money from table to table, each time in one transaction.
const TRANSFER: &str = r"
\set a random(1, 2000)
\set b random(1, 2000)
\set c random(1, 30000)
\set first random(-50, 50)
\set second random(-50, 50)
BEGIN;
UPDATE orders SET amount = amount + :first WHERE id = :a;
UPDATE products SET price = price - :first + :second WHERE id = :b;
UPDATE vault SET amount = amount - :second WHERE id = :c;
COMMIT;";

/// `--table` for the three.
const MONEY_TABLES: &str = "combined_orders,products,public.vault";

/// Transfers without a pause, until this is dropped.
struct Writer(Child);

impl Writer {
    fn start(database: &Database<'_>, script: &std::path::Path) -> Result<Self> {
        std::fs::write(script, TRANSFER)?;
        let pgbench = Command::new(database.server().programs().join("pgbench"))
            .args(["--no-vacuum", "--client=2", "--time=600", "--file"])
            .arg(script)
            .arg(database.uri())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        pgbench.map(Self).context("cannot run pgbench")
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Both fail when it has ended, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
