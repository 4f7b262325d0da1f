//! Money moves between three tables at full speed while they are read by Diesel, sqlx and several workers. Whatever
//! moment a run shows, there is as much of it as ever.

use super::{MONEY, MONEY_TABLES, Writer, servers};
use crate::program::Program;
use anyhow::{Context, Result, ensure};
use project_test_servers::hot_standby::HotStandby;
use project_test_servers::postgres::Database;
use std::collections::BTreeSet;
use std::env;

/// 100 for each row.
const SUM: &str = "3400000.00";
const TOTALS: &str = "SELECT (SELECT sum(amount) FROM combined_orders) AS orders, \
    (SELECT sum(price) FROM products) AS products, (SELECT sum(amount) FROM public_vault) AS vault, \
    (SELECT sum(amount) FROM combined_orders) + (SELECT sum(price) FROM products) \
    + (SELECT sum(amount) FROM public_vault) AS total";

/// Rounds of each test; `CONSTANT_SUM_ROUNDS` asks for more of them.
fn rounds() -> Result<u32> {
    let name = "CONSTANT_SUM_ROUNDS";
    env::var(name).map_or(Ok(4), |rounds| rounds.parse().with_context(|| format!("{name}={rounds}")))
}

struct Bank {
    servers: &'static HotStandby,
    database: Database<'static>,
    program: Program,
    _writer: Writer,
}

impl Bank {
    fn open() -> Result<Self> {
        let servers = servers()?;
        let (database, program) = (Database::create(servers.primary())?, Program::new()?);
        database.create_shop_tables()?;
        database.execute(MONEY)?;
        servers.wait_until_replayed()?;
        let _writer = Writer::start(&database, &program.path("transfer.sql"))?;
        Ok(Self { servers, database, program, _writer })
    }

    /// The sums of the three tables and of all together, after a run.
    fn sums(&self, uri: &str, more: &[&str]) -> Result<Vec<String>> {
        let arguments = [&[uri, "--table", MONEY_TABLES, "--workers=4"], more].concat();
        self.program.run(&arguments)?.expect(0)?;
        let answer = self.program.query(TOTALS)?;
        let sums = answer.lines().nth(1).context("a row")?;
        Ok(sums.split(',').map(str::to_owned).collect())
    }

    fn check(&self, uri: &str) -> Result<()> {
        let mut seen = BTreeSet::new();
        for round in 1..=rounds()? {
            let sums = self.sums(uri, &[])?;
            ensure!(sums[3] == SUM, "round {round}: {sums:?}");
            seen.insert(sums);
        }
        ensure!(seen.len() > 1, "nothing moved: {seen:?}");
        Ok(())
    }
}

#[test]
fn the_sum_over_three_tables_that_are_written_to_is_constant_on_a_primary() -> Result<()> {
    let bank = Bank::open()?;
    bank.check(&bank.database.uri())
}

#[test]
fn the_sum_over_three_tables_that_are_written_to_is_constant_on_a_hot_standby() -> Result<()> {
    let bank = Bank::open()?;
    bank.check(&bank.servers.standby().uri(bank.database.name()))
}

#[test]
fn without_a_snapshot_the_sum_is_wrong_sooner_or_later_and_the_run_says_so() -> Result<()> {
    let bank = Bank::open()?;
    for _ in 0..30 {
        if bank.sums(&bank.database.uri(), &["--no-snapshot"])?[3] != SUM {
            let uri = bank.database.uri();
            let ended = bank.program.run(&[&uri, "--table=products", "--no-snapshot", "--format=json"])?.expect(0)?;
            let report = ended.report()?;
            ensure!(
                report["snapshot"].is_null() && report["notes"].to_string().contains("--no-snapshot"),
                "{report:#}"
            );
            ended.says(&["WARN", "every connection has seen a moment of its own"])?;
            return Ok(());
        }
    }
    anyhow::bail!("thirty runs without a snapshot have seen one moment each: this test shows nothing")
}
