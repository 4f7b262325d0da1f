//! From Postgres into a folder and back out of it.

use crate::deadline::wait_for;
use crate::independent_reader::read;
use crate::lake_folder::{links, listing, runs};
use crate::program::Program;
use crate::shop::{
    EVERYTHING, TABLES, code_of, combined_orders, events_by_partition, revenue_in_usd, sample_shop, tiny_shop, value,
};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::write;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[test]
fn every_selection_publishes_its_tables_as_links_to_the_folder_of_its_run() -> Result<()> {
    let database = tiny_shop()?;
    for (selection, tables) in [
        ("all", &["combined_orders", "users"][..]),
        ("stream_tasks", &["products"]),
        ("huge_tasks", &["events"]),
        ("users", &["users"]),
        ("public.taxes", &["public_taxes"]),
        ("products, public.orders,huge_tasks,products", &["products", "public_orders", "events"]),
    ] {
        let program = Program::new()?;
        let ended = program.publish(&database.uri(), selection)?.expect(code_of(selection)?)?;
        assert_eq!(ended.published()?, tables, "{selection}");
        let run = runs(&program.lake())?.concat();
        let expected = tables.iter().map(|table| ((*table).to_owned(), PathBuf::from(&run).join(table)));
        let expected: BTreeMap<String, PathBuf> = expected.collect();
        assert_eq!(links(&program.lake())?, expected, "{selection}");
        let report = ended.report()?;
        assert_eq!(format!("run={}", report["run_id"].as_str().context("a run id")?), run);
        check_only_finished_files(&program.lake())?;
        program.check_scratch_is_empty()?;
    }
    Ok(())
}

#[test]
fn without_a_selection_all_is_published_and_the_schema_star_takes_every_table() -> Result<()> {
    let database = tiny_shop()?;
    let program = Program::new()?;
    let ended = program.run(&[&database.uri(), "--format=json"])?.expect(code_of("all")?)?;
    assert_eq!(ended.published()?, ["combined_orders", "users"]);
    let mut tables = program.publish(&database.uri(), "public.*")?.expect(0)?.published()?;
    tables.sort();
    let source = ["currencies", "events", "orders", "products", "taxes", "users"];
    assert_eq!(tables, source.map(|table| format!("public_{table}")));
    Ok(())
}

#[test]
fn two_other_engines_find_the_counts_and_exact_sums_that_sql_finds_on_the_source() -> Result<()> {
    let database = sample_shop()?;
    let program = Program::new()?;
    program.publish(&database.uri(), EVERYTHING)?.expect(0)?;
    for table in &TABLES {
        table.check(&database, &program.lake())?;
    }
    let expected: BTreeMap<String, u64> = events_by_partition(&database)?.into_iter().collect();
    for found in read(&program.lake().join("events"))? {
        assert_eq!(found.partitions, expected);
    }
    Ok(())
}

#[test]
fn query_reads_the_lake_back_as_a_table_as_csv_and_as_json() -> Result<()> {
    let database = sample_shop()?;
    let program = Program::new()?;
    program.publish(&database.uri(), EVERYTHING)?.expect(0)?;
    let (orders, revenue) = (combined_orders(&database)?, revenue_in_usd(&database)?);
    let sql = "SELECT count(*) AS orders, sum(amount_usd) AS usd FROM combined_orders";

    assert_eq!(program.query(sql)?, format!("orders,usd\n{orders},{revenue}\n"));
    let json = program.run(&["query", sql, "--format=json"])?.expect(0)?.stdout;
    // The digits themselves: a number that went through a float would lose cents in larger shops.
    ensure!(json.contains(&format!("\"usd\":{revenue}")), "{json}");
    assert_eq!(serde_json::from_str::<Value>(&json)?[0]["orders"], json!(orders.parse::<u64>()?));
    let table = program.run(&["query", sql])?.expect(0)?.stdout;
    ensure!(table.contains("usd") && table.contains(&revenue), "{table}");

    let by_date = program.query("SELECT dt, count(*) AS rows FROM events GROUP BY dt ORDER BY dt")?;
    let dates = events_by_partition(&database)?.into_iter().map(|(folder, rows)| {
        let date = folder.trim_start_matches("dt=").replace("__HIVE_DEFAULT_PARTITION__", "");
        format!("{date},{rows}")
    });
    let expected: Vec<String> = dates.collect();
    let found: Vec<&str> = by_date.lines().skip(1).collect();
    assert_eq!(found, expected);
    Ok(())
}

#[test]
fn without_upload_links_stay_where_they_are() -> Result<()> {
    let database = tiny_shop()?;
    let program = Program::new()?;
    program.publish(&database.uri(), "users")?.expect(0)?;
    let before = links(&program.lake())?;
    database.execute("DELETE FROM users WHERE id = 1")?;
    let ended = program
        .run(&[&database.uri(), "--table=users,products", "--no-upload"])?
        .expect(0)?
        .says(&["--no-upload: the files are in"])?;
    assert_eq!(ended.stdout, "");
    assert_eq!(links(&program.lake())?, before);
    let unpublished = runs(&program.lake())?.pop().context("the folder of the second run")?;
    for (table, rows) in [("users", 2), ("products", 3)] {
        for found in read(&program.lake().join(&unpublished).join(table))? {
            assert_eq!(found.rows, rows, "{table}");
        }
    }
    assert_eq!(program.query("SELECT count(*) AS n FROM users")?, "n\n3\n");
    Ok(())
}

#[test]
fn a_table_of_another_source_is_taken_over_only_by_force() -> Result<()> {
    let (database, program) = (tiny_shop()?, Program::new()?);
    program.publish(&database.uri(), "users")?.expect(0)?;
    let first = links(&program.lake())?;
    write(program.path("users.csv"), "id\n1\n2\n3\n")?;
    program.run(&["--extra=users.csv"])?.expect(78)?.says(&[
        "users shows what users has written",
        "--extra",
        "--force",
    ])?;
    assert_eq!(links(&program.lake())?, first);
    program.run(&["--extra=users.csv", "--force"])?.expect(0)?;
    program.run(&["--extra=users.csv"])?.expect(0)?;
    program.publish(&database.uri(), "users")?.expect(78)?.says(&["users shows what --extra has written"])?;
    Ok(())
}

#[test]
fn a_second_run_shows_the_new_rows_and_leaves_other_tables_alone() -> Result<()> {
    let database = tiny_shop()?;
    let program = Program::new()?;
    program.publish(&database.uri(), "combined_orders,users,events")?.expect(0)?;
    let first = links(&program.lake())?;
    database.execute("DELETE FROM events; INSERT INTO events VALUES (9, NULL, NULL, NULL, '2026-02-02Z')")?;
    let fewer = program.publish(&database.uri(), "events")?.expect(65)?;
    fewer.says(&["events has 1 rows and the published run", "--max-shrink=<PERCENT>"])?;
    assert_eq!(links(&program.lake())?, first);
    program.run(&[&database.uri(), "--table=events", "--max-shrink=90"])?.expect(0)?;
    let second = links(&program.lake())?;
    assert_eq!(second["users"], first["users"]);
    assert_ne!(second["events"], first["events"]);
    assert_eq!(program.query("SELECT dt, id FROM events")?, "dt,id\n2026-02-02,9\n");
    assert_eq!(runs(&program.lake())?.len(), 2);
    Ok(())
}

#[test]
fn all_tables_of_a_run_show_one_moment() -> Result<()> {
    let database = tiny_shop()?;
    database.execute(
        "INSERT INTO taxes SELECT id, id, 0.1 FROM orders;
         CREATE VIEW gate AS SELECT 1 AS id FROM pg_sleep(2)",
    )?;
    let program = Program::new()?;
    let tables = "--table=public.taxes,public.gate,public.orders,combined_orders,products";
    let running = program.start(&[&database.uri(), tables])?;
    wait_for("the read between the two tables", Duration::from_secs(60), || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
        Ok((value(&database, sql)? == "1").then_some(()))
    })?;
    database.execute("DELETE FROM taxes; DELETE FROM orders; DELETE FROM products")?;
    running.wait(Duration::from_secs(60))?.expect(0)?;
    // By COPY, by Diesel and by a cursor.
    for table in ["public_taxes", "public_orders", "combined_orders", "products"] {
        assert_eq!(program.query(&format!("SELECT count(*) AS n FROM {table}"))?, "n\n3\n", "{table}");
    }
    Ok(())
}

#[test]
fn a_run_prints_nothing_but_the_report_that_was_asked_for() -> Result<()> {
    let database = tiny_shop()?;
    let program = Program::new()?;
    let quiet = program.run(&[&database.uri(), "--table=users", "--quiet"])?.expect(0)?;
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let plain = program.run(&[&database.uri(), "--table=users", "-vv"])?.expect(0)?;
    assert_eq!(plain.stdout, "");
    let plain = plain.says(&["done: 1 of 1 table published to lake, 3 rows"])?;
    // Load times are at trace level.
    let loaded = plain.stderr.lines().find(|line| line.contains("loaded"));
    ensure!(loaded.is_some_and(|line| line.contains("public.users") && line.contains("duration_ms")), "{plain}");

    let ended = program.publish(&database.uri(), "users,public.taxes")?.expect(0)?;
    let report = ended.report()?;
    let rows: Vec<&Value> = report["tasks"].as_array().context("tasks")?.iter().map(|task| &task["rows"]).collect();
    assert_eq!(rows, [&json!(3), &json!(0)]);
    assert_eq!(report["failure"], Value::Null);
    Ok(())
}

#[test]
fn a_terminal_shows_the_progress_of_each_task_in_place() -> Result<()> {
    let database = tiny_shop()?;
    let program = Program::new()?.with_environment([("TERM", "xterm".to_owned())]);
    // `script` gives the program a terminal and copies what it shows.
    let terminal = ["sh", "-c", "exec script --quiet --return --command \"$0 $*\" /dev/null"];
    let running = program.start_below(&terminal, &[&database.uri(), "--table=combined_orders,users"])?;
    let shown = running.wait(Duration::from_secs(60))?.expect(0)?.stdout;
    for text in ["\u{1b}[", "users", "3 rows", "rows/s", "done: 2 of 2 tables published"] {
        ensure!(shown.contains(text), "{text:?} was not shown: {shown:?}");
    }
    Ok(())
}

#[test]
fn list_shows_every_task_with_its_group() -> Result<()> {
    let program = Program::new()?;
    let json = program.run(&["list", "--format=json"])?.expect(0)?.stdout;
    let tasks: Vec<BTreeMap<String, String>> = serde_json::from_str(&json)?;
    let shown: Vec<(&str, &str)> = tasks.iter().map(|task| (task["task"].as_str(), task["group"].as_str())).collect();
    for task in [("combined_orders", "all"), ("users", "all"), ("products", "stream_tasks"), ("events", "huge_tasks")] {
        ensure!(shown.contains(&task), "{task:?} is not among {shown:?}");
    }
    let table = program.run(&["list"])?.expect(0)?.stdout;
    for task in &tasks {
        let line = table.lines().find(|line| line.contains(&task["task"]));
        let whole = line.is_some_and(|line| line.contains(&task["group"]) && line.contains(&task["about"]));
        ensure!(whole && !task["about"].is_empty(), "{task:?} is not one line of\n{table}");
    }
    Ok(())
}

#[test]
fn small_requests_to_the_database_lose_no_row_and_the_uri_may_stand_in_the_environment() -> Result<()> {
    let database = sample_shop()?;
    let program = Program::new()?.with_environment([("DATABASE_URL", database.uri())]);
    program.run(&["-t", "products", "-l", "7"])?.expect(0)?;
    let products = value(&database, "SELECT count(*) FROM products")?;
    assert_eq!(program.query("SELECT count(*) AS n FROM products")?, format!("n\n{products}\n"));
    Ok(())
}

/// Fails when there is a file that is not a finished part, or an empty folder.
fn check_only_finished_files(lake: &Path) -> Result<()> {
    for (path, what) in listing(lake)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let finished = name.starts_with("part-") && name.ends_with(".parquet") || path.starts_with("_runs");
        ensure!(finished || !what.starts_with("file"), "{}: {what}", path.display());
    }
    Ok(())
}
