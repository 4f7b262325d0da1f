//! `--verify`: what was compared is told, and a table that differs from its files is not published.

use crate::program::{Ended, Program};
use crate::shop::{EVERYTHING, sample_shop};
use anyhow::{Context, Result, ensure};
use project_test_servers::postgres::{Database, Postgres};
use serde_json::{Value, json};

/// True for the query that reads, and not for the one that the files are compared with.
const READING: &str = "current_query() LIKE 'COPY%'";

/// A hundred rows with a number, an amount, a text and a moment, and a view that shows them, but not always.
fn fickle(view: &str) -> Result<Database<'static>> {
    let database = Database::create(Postgres::shared()?)?;
    database.execute(&format!(
        "CREATE TABLE honest AS SELECT i AS id, (i * 1.5)::numeric(10,2) AS amount, 'note ' || i AS note,
             timestamp '2026-01-01' + i * interval '1 second' AS at FROM generate_series(1, 100) AS i;
         CREATE VIEW fickle AS {}",
        view.replace("READING", READING)
    ))?;
    Ok(database)
}

fn verify(program: &Program, database: &Database<'_>, tables: &str) -> Result<Ended> {
    program.run(&[&database.uri(), "--table", tables, "--verify", "--format=json"])
}

fn task<'a>(report: &'a Value, table: &str) -> Result<&'a Value> {
    let tasks = report["tasks"].as_array().context("the report has no tasks")?;
    tasks.iter().find(|task| task["table"] == table).with_context(|| format!("{table} is not in the report"))
}

#[test]
fn what_was_compared_is_told_for_each_table() -> Result<()> {
    let (database, program) = (sample_shop()?, Program::new()?);
    let ended = verify(&program, &database, EVERYTHING)?.expect(0)?.says(&[
        "published, verified 5 columns",
        "combined_orders, users, products: counted, not compared by column: their rows are made in Rust",
    ])?;
    let report = ended.report()?;
    assert_eq!(task(&report, "events")?["verified"], json!({"columns": 5, "counted_only": []}));
    assert_eq!(task(&report, "public_currencies")?["verified"]["columns"], 5);
    assert_eq!(task(&report, "users")?["verified"], Value::Null);
    let ended = program.publish(&database.uri(), "public.users,users")?.expect(0)?.never_says("verified ")?;
    assert_eq!(task(&ended.report()?, "public_users")?["verified"], Value::Null);
    Ok(())
}

#[test]
fn a_value_that_arrives_otherwise_stops_its_table_and_no_other() -> Result<()> {
    for (column, changed, figures) in [
        ("amount", "CASE WHEN READING AND id = 50 THEN 4711 ELSE amount END::numeric(10,2)", "max, sum, hash"),
        ("amount", "CASE WHEN READING AND id = 50 THEN -4711 ELSE amount END::numeric(10,2)", "min, sum, hash"),
        ("amount", "CASE WHEN READING AND id = 50 THEN NULL ELSE amount END", "null count, sum, hash"),
        (
            "amount",
            "CASE WHEN READING AND id IN (50, 51) THEN 76.5 - (id - 50) ELSE amount END::numeric(10,2)",
            "sum, hash",
        ),
        ("note", "CASE WHEN READING AND id = 50 THEN 'note 4711' ELSE note END", "hash"),
        ("at", "CASE WHEN READING AND id = 50 THEN at + interval '1 ms' ELSE at END", "hash"),
    ] {
        let columns = ["id", "amount", "note", "at"]
            .map(|name| if name == column { format!("{changed} AS {name}") } else { name.to_owned() });
        let database = fickle(&format!("SELECT {} FROM honest", columns.join(", ")))?;
        let program = Program::new()?;
        let ended = verify(&program, &database, "public.fickle,public.honest")?.expect(65)?;
        let told = format!("public.fickle: its finished files differ from the table: column \"{column}\" (");
        let ended = ended.says(&[&told, &format!(") in {figures}; nothing of it is published")])?;
        assert_eq!(ended.never_says("4711")?.published()?, ["public_honest"]);
        ensure!(!program.lake().join("public_fickle").exists(), "it was published");
        // Without the flag nobody notices.
        program.publish(&database.uri(), "public.fickle")?.expect(0)?;
    }
    Ok(())
}

#[test]
fn a_row_that_does_not_arrive_stops_its_table() -> Result<()> {
    let database = fickle("SELECT * FROM honest WHERE NOT (READING AND id = 50)")?;
    let ended = verify(&Program::new()?, &database, "public.fickle")?.expect(65)?;
    ended
        .says(&["public.fickle: the table has 100 rows and its finished files have 99; nothing of it is published"])?;
    Ok(())
}

#[test]
fn a_stop_while_the_server_computes_ends_its_work() -> Result<()> {
    use crate::deadline::wait_for;
    use std::time::Duration;
    let slow =
        "SELECT id, CASE WHEN READING THEN 1 ELSE (SELECT 1 FROM pg_sleep(100)) END AS one FROM honest WHERE id = 1";
    let (database, program) = (fickle(slow)?, Program::new()?);
    let running = program.start(&[&database.uri(), "--table=public.fickle", "--verify"])?;
    let sleeping = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
    wait_for("the comparison", Duration::from_secs(30), || Ok(database.query_text(sleeping)?.pop()))?;
    running.signal(&["TERM"])?;
    running.wait(Duration::from_secs(10))?.expect(143)?;
    ensure!(database.query_text(sleeping)?.is_empty(), "the server goes on for nobody");
    Ok(())
}
