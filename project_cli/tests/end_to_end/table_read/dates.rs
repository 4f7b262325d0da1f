//! `--from` and `--to` in a folder: the dates of the window are read again, everything else stays as it was.

use crate::independent_reader::read;
use crate::lake_folder::listing;
use crate::program::Program;
use crate::shop::tiny_shop;
use anyhow::Result;
use project_test_servers::postgres::Database;

pub(crate) const INDEXED: &str = "";
pub(crate) const NOT_INDEXED: &str = "DROP INDEX events_created_at;";
pub(crate) const PARTITIONED: &str = "
DROP TABLE events;
CREATE TABLE events (id int8, user_id int4, kind varchar, payload jsonb, created_at timestamptz)
    PARTITION BY RANGE (created_at);
CREATE TABLE events_early PARTITION OF events FOR VALUES FROM ('2026-01-01Z') TO ('2026-01-03Z');
CREATE TABLE events_late PARTITION OF events FOR VALUES FROM ('2026-01-03Z') TO ('2026-01-06Z');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
";

/// One row on the first of January 2026, two on the second, up to six on the sixth, and two without a date.
pub(crate) const OLD_EVENTS: &str = "
TRUNCATE events;
INSERT INTO events SELECT day * 10 + number, 1, 'old', '{}', timestamptz '2025-12-31 23:00Z' + make_interval(days => day)
    FROM generate_series(1, 6) AS day, generate_series(1, day) AS number;
INSERT INTO events VALUES (1, 1, 'old', '{}', NULL), (2, 1, 'old', '{}', NULL);
";

/// The third has no rows any more; the second and the fourth have one more, at their very ends, as has every other day.
pub(crate) const NEW_EVENTS: &str = "
UPDATE events SET kind = 'new';
DELETE FROM events WHERE created_at >= '2026-01-03Z' AND created_at < '2026-01-04Z';
INSERT INTO events SELECT 100 + day, 1, 'new', '{}', timestamptz '2026-01-01 00:00Z' + make_interval(days => day - 1)
    FROM unnest(ARRAY[1, 5, 6, 7]) AS day;
INSERT INTO events VALUES (102, 1, 'new', '{}', '2026-01-02 00:00Z'), (104, 1, 'new', '{}', '2026-01-04 23:59:59.999999Z'),
    (110, 1, 'new', '{}', NULL);
";

/// What `--from=2026-01-02 --to=2026-01-04` makes of the old events when the source has the new ones.
pub(crate) const WINDOW_REPLACED: &str = "dt,kind,rows
,old,2
2026-01-01,old,1
2026-01-02,new,3
2026-01-04,new,5
2026-01-05,old,5
2026-01-06,old,6
";

/// What then `--from=2026-01-06` and `--to=2026-01-01` make of it.
const OPEN_WINDOWS_REPLACED: &str = "dt,kind,rows
,old,2
2026-01-01,new,2
2026-01-02,new,3
2026-01-04,new,5
2026-01-05,old,5
2026-01-06,new,7
2026-01-07,new,1
";

pub(crate) const BY_DATE_AND_KIND: &str =
    "SELECT dt, kind, count(*) AS rows FROM events GROUP BY dt, kind ORDER BY dt NULLS FIRST, kind";

fn events(shape: &str) -> Result<Database<'static>> {
    let database = tiny_shop()?;
    database.execute(&format!("{shape}{OLD_EVENTS}"))?;
    Ok(database)
}

fn export(program: &Program, database: &Database<'_>, dates: &[&str]) -> Result<()> {
    program.run(&[&[database.uri().as_str(), "--table=events"], dates].concat())?.expect(0)?;
    Ok(())
}

fn a_window_replaces_exactly_its_dates(shape: &str) -> Result<()> {
    let database = events(shape)?;
    let program = Program::new()?;
    export(&program, &database, &[])?;
    database.execute(NEW_EVENTS)?;
    export(&program, &database, &["--from=2026-01-02", "--to=2026-01-04"])?;
    assert_eq!(program.query(BY_DATE_AND_KIND)?, WINDOW_REPLACED);
    export(&program, &database, &["--from=2026-01-06"])?;
    export(&program, &database, &["--to=2026-01-01"])?;
    assert_eq!(program.query(BY_DATE_AND_KIND)?, OPEN_WINDOWS_REPLACED);
    for found in read(&program.lake().join("events"))? {
        assert_eq!((found.rows, found.partitions.len()), (25, 7), "{:?}", found.partitions);
        assert_eq!(found.partitions["dt=__HIVE_DEFAULT_PARTITION__"], 2);
    }
    Ok(())
}

#[test]
fn a_window_by_an_index_replaces_exactly_its_dates() -> Result<()> {
    a_window_replaces_exactly_its_dates(INDEXED)
}

#[test]
fn a_window_without_an_index_replaces_exactly_its_dates() -> Result<()> {
    a_window_replaces_exactly_its_dates(NOT_INDEXED)
}

#[test]
fn a_window_of_a_table_that_is_partitioned_by_the_date_replaces_exactly_its_dates() -> Result<()> {
    a_window_replaces_exactly_its_dates(PARTITIONED)
}

#[test]
fn a_window_in_a_new_lake_holds_its_dates_and_nothing_else() -> Result<()> {
    for shape in [INDEXED, NOT_INDEXED, PARTITIONED] {
        let database = events(shape)?;
        let program = Program::new()?;
        export(&program, &database, &["--from=2026-01-05", "--to=2026-01-05"])?;
        assert_eq!(program.query(BY_DATE_AND_KIND)?, "dt,kind,rows\n2026-01-05,old,5\n", "{shape}");
    }
    Ok(())
}

#[test]
fn a_window_without_rows_changes_nothing_and_does_not_fail() -> Result<()> {
    for shape in [INDEXED, NOT_INDEXED, PARTITIONED] {
        let database = events(shape)?;
        let program = Program::new()?;
        // There is nothing to keep yet, and nothing to publish.
        export(&program, &database, &["--from=2031-01-01", "--to=2031-01-31"])?;
        export(&program, &database, &[])?;
        let before = program.query(BY_DATE_AND_KIND)?;
        let files = listing(&program.lake().join("events"))?;
        export(&program, &database, &["--from=2031-01-01", "--to=2031-01-31"])?;
        export(&program, &database, &["--to=1999-12-31"])?;
        assert_eq!(program.query(BY_DATE_AND_KIND)?, before, "{shape}");
        assert_eq!(listing(&program.lake().join("events"))?, files, "{shape}");
    }
    Ok(())
}

#[test]
fn dates_that_make_no_window_or_are_for_no_task_are_2() -> Result<()> {
    let program = Program::new()?;
    // There is no such server: nothing is asked of it.
    let uri = "postgres://nobody@127.0.0.1:1/nothing";
    let turned = program.run(&[uri, "--table=events", "--from=2026-02-01", "--to=2026-01-31"])?.expect(2)?;
    turned.says(&["--from=2026-02-01 is after --to=2026-01-31"])?;
    program.run(&[uri, "--table=events", "--from=2026-2-1"])?.expect(2)?.says(&["--from"])?;
    for (tables, other) in [
        ("users", "users"),
        ("events,products", "products"),
        ("events,public.events", "public.events"),
        ("public.*", "public.*"),
        ("all", "combined_orders"),
    ] {
        let refused = program.run(&[uri, "--table", tables, "--from=2026-01-01"])?.expect(2)?;
        refused.says(&[&format!(
            "--from and --to are for tasks that are cut by date, and {other} is not; select only huge_tasks"
        )])?;
    }
    Ok(())
}
