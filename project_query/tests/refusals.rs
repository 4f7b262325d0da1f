//! What a bad query or a bad lake gets: a sentence that names the thing.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

mod lake_builder;

use std::fs;
use std::ops::ControlFlow;

use lake_builder::{LakeFolder, ids, orders, runtime};
use project_query::{Lake, QueryError, QuerySettings};

fn shop() -> LakeFolder {
    let lake = LakeFolder::new();
    lake.write("orders/a.parquet", &orders(&[(1, Some("a"), Some(10))]));
    lake.write("users/a.parquet", &ids(&[1]));
    lake.write("public_items/a.parquet", &ids(&[1]));
    lake
}

#[test]
fn an_unknown_table_is_answered_with_the_nearest() {
    let lake = shop();
    let error = lake.refusal("select * from oders");
    assert!(matches!(error, QueryError::NotFound(_)), "{error:?}");
    assert!(error.to_string().contains("\"oders\"") && error.to_string().contains("there are: orders, "), "{error}");
    let error = lake.refusal("select * from public.items");
    assert!(error.to_string().contains("there are: public_items, "), "{error}");
    let error = lake.refusal("select * from other.items");
    assert!(error.to_string().contains("\"other.items\""), "{error}");
    // No way out of the lake, and no way in to what is not a table.
    for name in ["\"../orders\"", "\"run=1\"", "\"_runs\"", "'/etc/passwd'"] {
        let error = lake.refusal(&format!("select * from {name}"));
        assert!(matches!(error, QueryError::NotFound(_) | QueryError::Sql(_)), "{name}: {error:?}");
    }
}

#[test]
fn a_name_with_capitals_needs_quotes() {
    let lake = LakeFolder::new();
    lake.write("Orders/a.parquet", &ids(&[1]));
    let error = lake.refusal("select * from Orders");
    assert!(error.to_string().contains("double quotes"), "{error}");
    assert_eq!(lake.rows("select * from \"Orders\"").len(), 1);
}

#[test]
fn bad_sql_is_one_sentence() {
    let lake = shop();
    let cases = [
        ("selec * from orders", "SELEC"),
        ("select * from orders where", "expression"),
        ("select nmae from orders", "name"),
        ("select nosuch(id) from orders", "nosuch"),
        ("select id +", "expression"),
        ("select 1; select 2", "more than one"),
        ("", "empty"),
        (" -- nothing\n", "empty"),
        ("select 1/0", "zero"),
        ("select cast('x' as int)", "x"),
        ("select sum(name) from orders", "sum"),
    ];
    for (sql, word) in cases {
        let error = lake.refusal(sql);
        assert!(matches!(error, QueryError::Sql(_)), "{sql}: {error:?}");
        assert!(error.to_string().to_lowercase().contains(&word.to_lowercase()), "{sql}: {error}");
    }
}

#[test]
fn a_lake_is_only_read() {
    let lake = shop();
    let before = listing(&lake);
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().display();
    for sql in [
        "drop table orders".to_owned(),
        "create table t as select * from orders".to_owned(),
        "create view v as select * from orders".to_owned(),
        "insert into users values (1)".to_owned(),
        "delete from users".to_owned(),
        "update users set id = 1".to_owned(),
        format!("copy orders to '{target}/x.parquet'"),
        format!("copy (select 1) to '{target}/x.csv'"),
        format!("explain analyze copy (select 1) to '{target}/x.csv'"),
        format!("create external table t stored as parquet location '{target}'"),
        "set datafusion.execution.batch_size = 1".to_owned(),
        "begin".to_owned(),
        "prepare p as select 1".to_owned(),
    ] {
        let error = lake.refusal(&sql);
        assert!(matches!(error, QueryError::Sql(_)), "{sql}: {error:?}");
    }
    assert_eq!(listing(&lake), before);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

fn listing(lake: &LakeFolder) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(lake.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_lake_that_is_missing_or_empty_says_how_to_fill_it() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("nowhere"), folder.path().to_owned()] {
        let error = Lake::open(&path).unwrap_err();
        assert!(matches!(error, QueryError::NotFound(_)), "{error:?}");
        let message = error.to_string();
        assert!(message.contains(path.to_str().unwrap()) && message.contains("--upload"), "{message}");
    }
    fs::write(folder.path().join("file"), b"").unwrap();
    let error = Lake::open(&folder.path().join("file")).unwrap_err();
    assert!(error.to_string().contains("not a folder"), "{error}");
}

#[test]
fn files_of_different_schemas_are_refused_by_name() {
    let lake = shop();
    lake.write("orders/b.parquet", &ids(&[1]));
    let error = lake.refusal("select * from orders");
    assert!(matches!(error, QueryError::Disk(_)), "{error:?}");
    let message = error.to_string();
    assert!(message.contains("\"orders\"") && message.contains("b.parquet"), "{message}");
}

#[test]
fn a_column_that_is_also_a_partition_key_is_refused() {
    let lake = LakeFolder::new();
    lake.write("t/id=1/a.parquet", &ids(&[1]));
    let error = lake.refusal("select * from t");
    assert!(error.to_string().contains("partition key"), "{error}");
}

#[test]
fn a_half_file_a_dead_link_and_an_empty_folder_are_disk_errors() {
    let lake = shop();
    let whole = fs::read(lake.path("users/a.parquet")).unwrap();
    fs::create_dir_all(lake.path("half")).unwrap();
    fs::write(lake.path("half/a.parquet"), &whole[..whole.len() / 2]).unwrap();
    fs::create_dir_all(lake.path("none")).unwrap();
    lake.link("gone", "9");
    for (table, word) in [("half", "a.parquet"), ("none", "no Parquet file"), ("gone", "run=9/gone")] {
        let error = lake.refusal(&format!("select * from {table}"));
        assert!(matches!(error, QueryError::Disk(_)), "{table}: {error:?}");
        assert!(error.to_string().contains(word) && error.to_string().contains("again"), "{table}: {error}");
    }
}

#[test]
fn a_file_damaged_in_the_middle_is_a_disk_error() {
    let lake = LakeFolder::new();
    lake.write("n/a.parquet", &ids(&(0..100_000).collect::<Vec<_>>()));
    let mut bytes = fs::read(lake.path("n/a.parquet")).unwrap();
    for byte in &mut bytes[4..200] {
        *byte ^= 0xa5;
    }
    fs::write(lake.path("n/a.parquet"), bytes).unwrap();
    let error = lake.refusal("select sum(id) from n");
    assert!(matches!(error, QueryError::Disk(_)), "{error:?}");
}

#[test]
fn the_callers_own_error_comes_back_unchanged() {
    let lake = shop();
    let outcome = runtime().block_on(lake.open().query(
        "select 1",
        &QuerySettings::default(),
        std::future::pending(),
        &mut |_| -> anyhow::Result<ControlFlow<()>> { anyhow::bail!("the printer is on fire") },
    ));
    let Err(QueryError::Output(error)) = outcome else { unreachable!("{outcome:?}") };
    assert_eq!(error.to_string(), "the printer is on fire");
}
