//! `--extra`, `--file` and `--then`.

use super::{URI, Variables, refusal, run, source};
use crate::config::{InsertedRows, Lake, Location};
use crate::table_names::TableSelector;
use project_insert_data::Mode;
use project_kube::JobSource;
use project_postgres::TableName;
use std::path::PathBuf;
use std::time::Duration;

const TARGET: (&str, &str) = ("TARGET_DATABASE_URL", "postgres://writer:s3cret@localhost/reports");

#[test]
fn a_file_is_a_table_of_its_name() {
    for (file, table) in [
        ("prices.csv", "prices"),
        ("/data/Price List.csv.gz", "price_list"),
        ("s3://bucket/daily/prices/", "prices"),
        ("s3://bucket/daily/prices.jsonl", "prices"),
        ("folder", "folder"),
    ] {
        let extra = run(&[&format!("--extra={file}")], &[]).extra.unwrap();
        assert_eq!(extra.table, table, "{file}");
    }
    let extra = run(&["-k", "s3://b/p/", "--as=Rates", "--extra-schema=rates.toml"], &[]).extra.unwrap();
    assert_eq!(extra.input, Location::S3("s3://b/p".into()));
    assert_eq!((extra.table.as_str(), extra.schema), ("rates", Some(PathBuf::from("rates.toml"))));
    for nameless in ["--extra=_prices.csv", "--extra=.csv", "--extra=/"] {
        assert!(refusal(2, &[nameless], &[]).contains("--as="), "{nameless}");
    }
}

#[test]
fn without_a_table_no_task_runs_and_no_database_is_needed() {
    let config = run(&["--extra=prices.csv"], &[]);
    assert_eq!((config.source, config.tables), (None, Vec::new()));
    // Not those of the nightly run of all tasks.
    assert_eq!(config.outputs.selection, "--extra=prices");
    let config = run(&["--file=x.csv", "--into=public.t"], &[TARGET]);
    assert_eq!((config.source, config.tables), (None, Vec::new()));
    assert_eq!(config.outputs.selection, "--file=public.t");
    let config = run(&["--extra=prices.csv", "--table=users"], &[("DATABASE_URL", URI)]);
    assert_eq!((config.source, config.tables), (Some(source(URI)), vec![TableSelector::Name("users".into())]));
    let config = run(&[URI, "--then=nightly"], &[]);
    assert_eq!(config.tables, [TableSelector::Name("all".into())]);
    assert!(refusal(2, &["lits", "--extra=prices.csv"], &[]).contains("did you mean the verb list"));
}

#[test]
fn rows_go_only_into_the_database_that_was_named_for_it() {
    let arguments =
        ["--file=totals.parquet", "--into=Reports.\"Daily.Totals\"", "--key=day, \"a,b\"", "--mode=replace"];
    let insertion = run(&arguments, &[TARGET]).insertion.unwrap();
    assert_eq!(insertion.rows, InsertedRows::File(Location::Local("totals.parquet".into())));
    assert_eq!(insertion.into, TableName::new("Reports", "Daily.Totals"));
    assert_eq!((insertion.key, insertion.mode), (vec!["day".to_owned(), "a,b".to_owned()], Mode::Replace));
    assert_eq!(insertion.target, source(TARGET.1));
    let source_only: Variables<'_> = &[("DATABASE_URL", URI), ("PGPASSWORD", "x")];
    assert!(refusal(78, &arguments, source_only).contains("TARGET_DATABASE_URL"));
    // The password of the source is not that of the target.
    let bare = [("TARGET_DATABASE_URL", "postgres://writer@localhost/reports"), ("PGPASSWORD", "x")];
    assert!(!run(&arguments, &bare).insertion.unwrap().target.has_password());
}

#[test]
fn the_target_is_not_the_database_that_is_read() {
    let refused = |uri: Option<&str>, source: &str, target: &str| {
        let variables: Variables<'_> = &[("TARGET_DATABASE_URL", target), ("DATABASE_URL", source)];
        let mut arguments = vec!["--file=x.csv", "--into=a.b"];
        arguments.extend(uri.into_iter().flat_map(|uri| [uri, "--table=users"]));
        let config = run(&arguments, variables);
        let error = config.insertion.unwrap().spares(config.source.as_ref()).err();
        assert!(error.as_ref().is_none_or(|error| error.exit == 78 && !error.to_string().contains("s3cret")));
        error.is_some()
    };
    let (one, other) = ("postgres://u:s3cret@localhost/shop", "postgres://writer:s3cret@localhost/reports");
    for same in [one, "postgres://w@127.0.0.1:5432/shop", "postgres://w@[::1]/shop"] {
        assert!(refused(None, one, same), "{same}");
        // The argument is what is read, and not the variable.
        assert!(refused(Some(one), other, same), "{same}");
        assert!(!refused(Some(other), one, same), "{same}");
    }
    for another in [other, "postgres://u@localhost:5433/shop", "postgres://u@db.example/shop"] {
        assert!(!refused(None, one, another), "{another}");
    }
}

#[test]
fn a_querys_result_comes_from_the_lake_of_the_run() {
    let arguments = ["--file=query:select 1", "--into=public.t", "--upload=./lake"];
    let rows = run(&arguments, &[TARGET]).insertion.unwrap().rows;
    assert_eq!(rows, InsertedRows::Query { sql: "select 1".into(), lake: Lake::Local("./lake".into()) });
    assert!(!run(&["--file=query:select 1", "--into=public.t", "--no-upload"], &[TARGET]).publish);
    assert!(refusal(2, &["--file=query: ", "--into=public.t"], &[TARGET]).contains("SQL"));
    let on_s3 = ["--file=query:select 1", "--into=public.t", "--upload=s3://b/lake"];
    assert!(refusal(78, &on_s3, &[TARGET]).contains("--glue-database"));
}

#[test]
fn wrong_names_of_tables_columns_and_modes() {
    for (arguments, code, says) in [
        (&["--file=x.csv"][..], 78, "--into"),
        (&["--file=x.csv", "--into=t"], 2, "schema.table"),
        (&["--file=x.csv", "--into=a.b,c.d"], 2, "one table"),
        (&["--file=x.csv", "--into=a.*"], 2, "one table"),
        (&["--file=x.csv", "--into=a.b", "--key=a.b"], 2, "columns"),
        (&["--file=x.csv", "--into=a.b", "--key=a,"], 2, "--key"),
        (&["--file=x.csv", "--into=a.b", "--mode=merge"], 2, "insert or upsert or replace"),
        (&["--file=x.csv", "--into=a.b", "--no-upload", "--table=users"], 2, "--no-upload"),
        (&["--file=query:select 1", "--into=a.b", "--no-upload", "--extra=x.csv"], 2, "--no-upload"),
        (&["--as=t"], 2, "says nothing without --extra"),
        (&["--key=a"], 2, "says nothing without --file"),
        (&["--then-timeout=5m"], 2, "says nothing without --then"),
    ] {
        let arguments = [&[URI][..], arguments].concat();
        assert!(refusal(code, &arguments, &[TARGET]).contains(says), "{arguments:?}");
    }
}

#[test]
fn a_job_comes_from_a_file_or_from_a_cron_job() {
    for (then, job) in [
        ("report.yaml", JobSource::Template("report.yaml".into())),
        ("jobs/report", JobSource::Template("jobs/report".into())),
        ("report", JobSource::CronJob("report".into())),
    ] {
        let follow_up = run(&[URI, "--then", then], &[]).follow_up.unwrap();
        assert_eq!((follow_up.job, follow_up.timeout), (job, Duration::from_secs(3600)));
    }
    assert!(refusal(2, &[URI, "--then=report", "--no-upload"], &[]).contains("--no-upload"));
    let follow_up = run(&[URI, "--then=report", "--then-timeout=5m"], &[]).follow_up.unwrap();
    assert_eq!(follow_up.timeout, Duration::from_secs(300));
}
