//! Tables of every type, with their edge values, are the same to the server and in the files that are read back.

use crate::task_run::{Finished, run_changed};
use anyhow::Result;
use project_partition_dates::DateWindow;
use project_postgres::{
    AnyNumeric, Arrays, Choices, Infinity, InvalidText, NotANumber, PolicyOverrides, TableName, TableOptions,
    TimestampUnit,
};
use project_tasks::tasks::table::TableTask;
use project_tasks::{REGISTRY, Task, Verified};
use project_test_servers::postgres::{Database, Postgres};
use std::collections::BTreeMap;
use std::sync::Arc;

const TYPES: &str = r#"
    CREATE EXTENSION hstore;
    CREATE TYPE mood AS ENUM ('fine', 'so "so"', 'ärger');
    CREATE DOMAIN price AS numeric(12,3);
    CREATE DOMAIN feeling AS mood;
    CREATE DOMAIN code AS char(4);
    CREATE DOMAIN numbers AS int[];
    CREATE DOMAIN span AS daterange;
    CREATE TYPE pair AS (a int, "B b" text, at timestamptz, amount numeric, cost money, few int[]);
    CREATE TYPE holder AS (one pair, many pair[], code code);
    CREATE TYPE "twice" AS ("Id" int, "id" int);
    CREATE TYPE textrange AS RANGE (subtype = text);
"#;

/// Types with values of them, as literals; NULL comes by itself.
const COLUMNS: &[(&str, &[&str])] = &[
    ("bool", &["true", "false"]),
    ("int2", &["-32768", "32767", "0"]),
    ("int4", &["-2147483648", "2147483647", "-1"]),
    ("int8", &["-9223372036854775808", "9223372036854775807", "9007199254740993"]),
    ("oid", &["0", "4294967295"]),
    ("float4", &["NaN", "Infinity", "-Infinity", "-0", "1e-45", "0.1", "3.4e38"]),
    ("float8", &["NaN", "Infinity", "-Infinity", "-0", "0", "5e-324", "0.1"]),
    ("numeric(15,2)", &["0", "-0.01", "9999999999999.99", "NaN", "1", "-0.5"]),
    ("numeric(9,4)", &["0.0001", "-99999.9999"]),
    ("numeric(18,0)", &["999999999999999999", "-1"]),
    ("numeric(5,-2)", &["12300", "-9999900"]),
    ("numeric(3,5)", &["0.00123", "-0.00999"]),
    ("numeric(38,0)", &["99999999999999999999999999999999999999", "-7", "88888888888888888888888888888888888888"]),
    ("numeric(45,3)", &["123456789012345678901234567890123456789012.345", "NaN"]),
    (
        "numeric",
        &[
            "1.5",
            "1e-18",
            "1.00000001",
            "-0.5",
            "NaN",
            "Infinity",
            "-Infinity",
            "12345678901234567890",
            "2.50000000000000000000000",
        ],
    ),
    (
        "date",
        &[
            "infinity",
            "-infinity",
            "0044-03-15 BC",
            "0001-01-01",
            "9999-12-31",
            "10000-01-01",
            "1582-10-10",
            "2026-01-31",
        ],
    ),
    ("timestamp", MOMENTS),
    ("timestamptz", MOMENTS),
    ("time", &["00:00", "24:00", "12:34:56.789", "23:59:59.999999"]),
    ("timetz", &["24:00-15:59", "00:00+05:30", "12:00:00.1+02"]),
    ("interval", &["1 mon -1 day", "0", "-1 year 2 days 03:04:05.6"]),
    ("uuid", &["00000000-0000-0000-0000-000000000000", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"]),
    ("text", &["", "NULL", "\\N", "ä€𝄞", "two\nlines", "a\"b\\c", "a longer text than twelve bytes"]),
    ("varchar(5)", &["", "ab   "]),
    ("char(5)", &["ab", "", "a b", "äöüßé"]),
    ("name", &["n"]),
    ("\"char\"", &["c", ""]),
    ("json", &["{\"b\":1, \"b\":2}", "null"]),
    ("jsonb", &["{\"b\": 1.10, \"a\": null}", "null"]),
    ("bytea", &["\\x", "\\x00ff5c"]),
    ("mood", &["fine", "so \"so\"", "ärger"]),
    ("feeling", &["ärger"]),
    ("price", &["0.001", "-1"]),
    ("code", &["x"]),
    ("numbers", &["{1,NULL}"]),
    ("span", &["[2026-01-01,infinity]", "empty"]),
    ("money", &["12.34", "-5"]),
    ("inet", &["10.0.0.1/8", "::1"]),
    ("macaddr", &["08:00:2b:01:02:03"]),
    ("bit(5)", &["10101"]),
    ("tsvector", &["a fat cat"]),
    ("point", &["(1,2.5)"]),
    ("\"twice\"", &["(1,2)", "(,)"]),
    ("int4[]", &["{}", "{1,NULL,-3}", "{NULL}"]),
    ("text[]", &["{}", "{\"\",NULL,\"a:b\",-,\"1:-\"}"]),
    ("numeric[]", &["{1.5,NaN,NULL,Infinity}"]),
    ("numeric(5,2)[]", &["{1.5,-0.01}"]),
    ("date[]", &["{infinity,2026-01-01,NULL}"]),
    ("timestamptz[]", &["{-infinity,2026-01-01 00:00:00.123456Z}"]),
    ("bool[]", &["{t,f,NULL}"]),
    ("float8[]", &["{NaN,-0}"]),
    ("bytea[]", &["{\"\\\\x00ff\",NULL}"]),
    ("uuid[]", &["{00000000-0000-0000-0000-000000000000}"]),
    ("jsonb[]", &["{\"{\\\"a\\\": [1]}\"}"]),
    ("money[]", &["{1.5,NULL}"]),
    ("mood[]", &["{fine,NULL,\"so \\\"so\\\"\"}"]),
    ("char(3)[]", &["{a,\"b c\"}"]),
    ("interval[]", &["{1 day,NULL}"]),
    ("time[]", &["{24:00}"]),
    ("pair", &["(1,x,infinity,1.5,12.34,\"{1,NULL}\")", "(,,,,,)", "(2,,2026-01-01,NaN,,{})"]),
    ("pair[]", &["{}", "{NULL,\"(,,,,,)\",\"(1,\\\"\\\",,2,,)\"}"]),
    ("holder", &["(\"(1,x,,,,)\",\"{\"\"(2,,,3.25,,{7})\"\",NULL}\",ab)", "(,,)"]),
    ("int4range", &["empty", "[1,5)", "(,5)", "[1,)", "(,)"]),
    ("numrange", &["[1.5,2.5]", "(1,NaN)"]),
    ("daterange", &["[2026-01-01,infinity]", "(-infinity,2026-01-01)"]),
    ("tstzrange", &["[2026-01-01 00:00:00.9999Z,infinity)"]),
    ("textrange", &["[a,\"b,c\")"]),
    ("int4range[]", &["{NULL,\"[1,3)\",empty}"]),
    ("int4multirange", &["{}", "{[1,3),[5,7)}"]),
    ("datemultirange", &["{[2026-01-01,2026-02-01),[2027-01-01,)}"]),
    ("hstore", &["", "bb=>NULL, a=>1", "\"q\\\"u\"=>\"b\\\\s\", \"ä\"=>\"€, =>\""]),
    ("hstore[]", &["{NULL,\"a=>1\"}"]),
];

const MOMENTS: &[&str] = &[
    "infinity",
    "-infinity",
    "0044-03-15 12:00 BC",
    "0001-01-01 00:00",
    "0999-12-31 23:59:59.9",
    "9999-12-31 23:59:59.999999",
    "294276-12-31 23:59:59.999999",
    "1969-12-31 23:59:59.9999",
    "2026-01-01 00:00:00.1",
    "2026-01-01 00:00:00.120",
    "2026-01-01 00:00:00.123456",
];

/// A row for each value of the column that has most; the others begin again, with a NULL in between.
fn every_type(database: &Database<'_>) -> Result<()> {
    let definitions: Vec<String> =
        COLUMNS.iter().enumerate().map(|(position, (of, _))| format!("c{position} {of}")).collect();
    database.execute(&format!("{TYPES} CREATE TABLE everything ({})", definitions.join(", ")))?;
    let most = COLUMNS.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    for row in 0..=most {
        let values: Vec<String> = COLUMNS
            .iter()
            .map(|(_, values)| {
                let value = values.get(row % (values.len() + 1));
                value.map_or_else(|| "NULL".to_owned(), |value| format!("'{}'", value.replace('\'', "''")))
            })
            .collect();
        database.execute(&format!("INSERT INTO everything VALUES ({})", values.join(", ")))?;
    }
    Ok(())
}

fn table(name: &str) -> Task {
    Task::Table(Arc::new(TableTask::new(TableName::new("public", name))))
}

fn verified(database: &Database<'_>, task: &Task, choices: Choices) -> Result<Finished> {
    run_changed(&database.uri(), task, |context| {
        context.verify = true;
        context.choices = Arc::new(choices);
    })
}

fn policies(policies: PolicyOverrides) -> Choices {
    Choices { policies, ..Choices::default() }
}

fn columns(columns: usize) -> Option<Verified> {
    Some(Verified { columns, counted_only: Vec::new() })
}

#[test]
fn every_type_is_the_same_on_both_sides_whatever_the_policies() {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    every_type(&database).unwrap();
    let none = PolicyOverrides::default();
    for chosen in [
        none,
        PolicyOverrides { infinity: Some(Infinity::Null), ..none },
        PolicyOverrides { not_a_number: Some(NotANumber::Text), ..none },
        PolicyOverrides { any_numeric: Some(AnyNumeric::Text), ..none },
        PolicyOverrides { timestamp_unit: Some(TimestampUnit::Micros), ..none },
        PolicyOverrides { invalid_text: Some(InvalidText::Binary), ..none },
        PolicyOverrides { invalid_text: Some(InvalidText::Replace), ..none },
        PolicyOverrides { arrays: Some(Arrays::Flatten), ..none },
        PolicyOverrides { arrays: Some(Arrays::Text), ..none },
    ] {
        let finished = verified(&database, &table("everything"), policies(chosen));
        let finished = finished.unwrap_or_else(|error| panic!("{chosen:?}: {error:#}"));
        let Some(found) = finished.written.verified else { panic!("{chosen:?}: nothing was compared") };
        // Replacing is counted with all other changes of a column, so that one with both cannot be compared.
        let counted = found.counted_only.len();
        assert_eq!(found.columns + counted, COLUMNS.len(), "{chosen:?}");
        assert!(counted == 0 || chosen.invalid_text == Some(InvalidText::Replace), "{chosen:?}");
    }
}

#[test]
fn arrays_of_any_shape_are_compared_as_they_were_written() {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    database
        .execute(
            "CREATE TABLE shapes (a int[], b text[]);
             INSERT INTO shapes VALUES ('{{1,2},{3,NULL}}', '[0:1]={x,y}'), ('[5:5]={7}', '{{{a}},{{b}}}'), (NULL, '{}')",
        )
        .unwrap();
    for arrays in [Arrays::Flatten, Arrays::Text] {
        let chosen = policies(PolicyOverrides { arrays: Some(arrays), ..PolicyOverrides::default() });
        let finished = verified(&database, &table("shapes"), chosen).unwrap();
        assert_eq!(finished.written.verified, columns(2), "{arrays:?}");
    }
}

#[test]
fn only_the_rows_and_columns_that_were_chosen_are_compared() {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    database.load_shop_sample().unwrap();
    let options = TableOptions {
        exclude: vec!["email".into()],
        filter: Some("country = 'US' OR name LIKE 'A%'".into()),
        ..TableOptions::default()
    };
    let tables = BTreeMap::from([(TableName::new("public", "users"), options)]);
    let finished = verified(&database, &table("users"), Choices { tables, ..Choices::default() }).unwrap();
    assert!((1..200).contains(&finished.written.rows()));
    assert_eq!(finished.written.verified, columns(4));
}

#[test]
fn a_table_without_rows_is_compared_too() {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    database.create_shop_tables().unwrap();
    let events = REGISTRY.iter().find(|task| task.name() == "events").unwrap();
    for task in [&table("users"), events] {
        assert_eq!(verified(&database, task, Choices::default()).unwrap().written.verified, columns(5), "{task:?}");
    }
    let window = DateWindow::new("2026-01-01".parse().ok(), "2026-01-02".parse().ok()).unwrap();
    let finished = run_changed(&database.uri(), events, |context| {
        (context.verify, context.window) = (true, Some(window));
    });
    let written = finished.unwrap().written;
    assert_eq!((written.files.len(), written.verified), (0, columns(5)));
}

#[test]
fn dates_are_compared_as_a_whole_and_in_a_window_with_an_index_and_without() {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    database.load_shop_sample().unwrap();
    database.execute("INSERT INTO events VALUES (1000000, 1, 'k', '{}', NULL)").unwrap();
    let events = REGISTRY.iter().find(|task| task.name() == "events").unwrap();
    let last_three = DateWindow::new("2025-12-29".parse().ok(), "2025-12-31".parse().ok()).unwrap();
    for index in [true, false] {
        if !index {
            database
                .execute(
                    "DO $$ DECLARE index regclass; BEGIN
                         FOR index IN SELECT indexrelid FROM pg_index WHERE indrelid = 'events'::regclass AND NOT indisprimary
                         LOOP EXECUTE 'DROP INDEX ' || index; END LOOP; END $$",
                )
                .unwrap();
        }
        for window in [None, Some(last_three)] {
            let finished =
                run_changed(&database.uri(), events, |context| (context.verify, context.window) = (true, window));
            let written = finished.unwrap().written;
            let all: u64 =
                database.query_text("SELECT count(*) FROM events").unwrap()[0][0].as_ref().unwrap().parse().unwrap();
            assert!(written.rows() > 0 && (written.rows() == all) == window.is_none());
            assert_eq!(written.verified, columns(5), "{index} {window:?}");
        }
    }
}

#[test]
fn whoever_does_not_ask_gets_no_comparison() {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    database.create_shop_tables().unwrap();
    assert_eq!(crate::task_run::run(&database, &table("users")).unwrap().written.verified, None);
}
