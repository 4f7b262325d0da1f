//! Rows that are wider than the memory setting allows.

use crate::program::{Ended, Program};
use crate::shop::tiny_shop;
use anyhow::{Context, Result, ensure};
use project_test_servers::postgres::Database;
use project_test_servers::python::interpreter;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(60);
/// A row may have 8 MiB.
const LITTLE_MEMORY: [&str; 2] = ["--memory=32MiB", "--workers=1"];
/// The binary of the tests takes half of it before it has read anything.
const MOST_MEMORY_KIB: u64 = 120_000;

/// Runs a program and prints the most memory that it ever had; it dies with this one.
const PEAK: &str = "
import resource, subprocess, sys
code = subprocess.call(['setpriv', '--pdeathsig', 'KILL', *sys.argv[1:]])
print('peak memory', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, 'KiB', file=sys.stderr)
sys.exit(code)
";

/// A row of 20 MB among others: text that compresses well and text that does not, JSON, bytes, and a view.
const WIDE_TABLES: &str = "
CREATE TABLE fine AS SELECT id, 'x' AS value FROM generate_series(1, 1000) AS id;
CREATE TABLE even AS SELECT id, CASE id WHEN 500 THEN repeat('x', 20000000) ELSE 'x' END AS value FROM fine;
CREATE TABLE random AS SELECT id, CASE id WHEN 500 THEN
        (SELECT string_agg(encode(sha512(n::text::bytea), 'hex'), '') FROM generate_series(1, 156250) AS n)
    END AS value FROM fine;
CREATE TABLE json AS SELECT id, to_jsonb(value) AS value FROM random;
CREATE TABLE bytes AS SELECT id, convert_to(value, 'UTF8') AS value FROM random;
CREATE VIEW view_of_random AS SELECT * FROM random;
CREATE TABLE leaves (id int, value text) PARTITION BY LIST (id);
CREATE TABLE leaf PARTITION OF leaves FOR VALUES IN (500);
CREATE TABLE other_leaf PARTITION OF leaves DEFAULT;
INSERT INTO leaves SELECT * FROM even;
CREATE TABLE parent (id int, value text);
CREATE TABLE child () INHERITS (parent);
INSERT INTO child SELECT * FROM even;
";

const TABLES: [&str; 7] = [
    "public.even",
    "public.random",
    "public.json",
    "public.bytes",
    "public.view_of_random",
    "public.leaves",
    "public.parent",
];

fn wide_tables() -> Result<Database<'static>> {
    let database = tiny_shop()?;
    database.execute(WIDE_TABLES)?;
    Ok(database)
}

/// What came of it, and the most memory that it had.
fn run_and_measure(program: &Program, arguments: &[&str]) -> Result<(Ended, u64)> {
    let python = interpreter()?;
    let wrapper = [python.to_str().context("a path in UTF-8")?, "-c", PEAK];
    let ended = program.start_below(&wrapper, arguments)?.wait(DEADLINE)?;
    let peak = ended.stderr.lines().find_map(|line| line.strip_prefix("peak memory ")?.strip_suffix(" KiB"));
    let peak = peak.with_context(|| ended.to_string())?.parse()?;
    Ok((ended, peak))
}

#[test]
fn a_row_that_is_wider_than_allowed_is_65_with_column_and_remedy_and_takes_no_memory() -> Result<()> {
    let database = wide_tables()?;
    let program = Program::new()?;
    let tables = format!("--table={},public.fine", TABLES.join(","));
    let uri = database.uri();
    let arguments = [&[uri.as_str(), &tables, "--format=json"], &LITTLE_MEMORY[..]].concat();
    let (ended, peak) = run_and_measure(&program, &arguments)?;
    let mut ended = ended.expect(65)?;
    for table in TABLES {
        let relation = if table == "public.leaves" { "public.leaf" } else { table };
        ended = ended.says(&[&format!(
            "{table}, all of {relation}: a row takes 20 MiB, most of it in column \"value\", and 8 MiB are allowed; \
             raise --memory, lower --workers, or read a view without it"
        )])?;
    }
    assert_eq!(ended.published()?, ["public_fine"]);
    ensure!(peak < MOST_MEMORY_KIB, "it took {peak} KiB");
    Ok(())
}

#[test]
fn the_same_row_is_read_when_there_is_memory_for_it() -> Result<()> {
    let database = wide_tables()?;
    let program = Program::new()?;
    let tables = format!("--table={}", TABLES.join(","));
    program.run(&[&database.uri(), &tables, "--memory=256MiB", "--workers=1"])?.expect(0)?;
    for table in TABLES {
        let table = table.replace('.', "_");
        let length = if table == "public_json" { "20000002" } else { "20000000" };
        // The engine has no length of bytes.
        let value = if table == "public_bytes" { "arrow_cast(value, 'Utf8')" } else { "value" };
        let sql = format!("SELECT count(*) AS n, max(octet_length({value})) AS most FROM {table}");
        assert_eq!(program.query(&sql)?, format!("n,most\n1000,{length}\n"), "{table}");
    }
    Ok(())
}

#[test]
fn a_wide_row_that_a_view_leaves_out_is_no_obstacle() -> Result<()> {
    let database = wide_tables()?;
    database.execute(
        "CREATE VIEW joined AS SELECT id, value FROM even JOIN (SELECT id FROM fine WHERE id < 500) AS wanted USING (id);
         CREATE VIEW short AS SELECT id, value FROM even WHERE length(value) < 1000;
         CREATE VIEW cut AS SELECT id, left(value, 1000) AS value FROM even",
    )?;
    let program = Program::new()?;
    let tables = "--table=public.joined,public.short,public.cut";
    program.run(&[&[database.uri().as_str(), tables], &LITTLE_MEMORY[..]].concat())?.expect(0)?;
    for (table, rows) in [("public_joined", 499), ("public_short", 999), ("public_cut", 1000)] {
        assert_eq!(program.query(&format!("SELECT count(*) AS n FROM {table}"))?, format!("n\n{rows}\n"));
    }
    Ok(())
}

#[test]
fn the_date_of_a_row_that_is_too_wide_is_named_and_a_window_without_it_is_read() -> Result<()> {
    let database = tiny_shop()?;
    database.execute(
        "INSERT INTO events SELECT 9, 1, 'wide', to_jsonb(repeat('x', 20000000)), '2026-01-07 12:00Z';
         INSERT INTO events VALUES (10, 1, 'narrow', '{}', '2026-01-08 12:00Z')",
    )?;
    let uri = database.uri();
    let message = "a row takes 20 MiB, most of it in column \"payload\"";
    let narrow = "--from=2026-01-08";
    for (place, before) in [("dt=2026-01-07: ", ""), ("all of public.events: ", "DROP INDEX events_created_at")] {
        database.execute(before)?;
        let program = Program::new()?;
        let arguments = [&[uri.as_str(), "--table=events"], &LITTLE_MEMORY[..]].concat();
        program.run(&arguments)?.expect(65)?.says(&[&format!("public.events, {place}{message}")])?;
        program.run(&[&arguments[..], &[narrow]].concat())?.expect(0)?;
        assert_eq!(program.query("SELECT dt, kind FROM events")?, "dt,kind\n2026-01-08,narrow\n");
    }
    Ok(())
}
