//! What a query on a lake gives: exact values, partitions, one run of each table.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

mod lake_builder;

use std::fs;
use std::future::{pending, ready};
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use lake_builder::{LakeFolder, ids, orders, query_with, row, runtime};
use project_query::{ColumnKind, QueryError, QuerySettings};

#[test]
fn values_come_back_exactly() {
    let lake = LakeFolder::new();
    let columns: [(&str, ArrayRef); 7] = [
        ("day", Arc::new(Date32Array::from(vec![Some(20484), None]))),
        ("at", Arc::new(TimestampMillisecondArray::from(vec![Some(1_769_860_800_000), None]))),
        ("moment", Arc::new(TimestampMillisecondArray::from(vec![Some(1_769_860_800_250), None]).with_timezone("UTC"))),
        ("big", Arc::new(Int64Array::from(vec![Some(i64::MAX), None]))),
        ("ratio", Arc::new(Float64Array::from(vec![Some(0.1), None]))),
        ("active", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("name", Arc::new(StringArray::from(vec![Some(""), None]))),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap();
    lake.write("values/a.parquet", &batch);
    let rows = lake.rows("select * from \"values\"");
    let exact = [
        "2026-01-31",
        "2026-01-31 12:00:00",
        "2026-01-31 12:00:00.250+00:00",
        "9223372036854775807",
        "0.1",
        "true",
        "",
    ];
    assert_eq!(rows, [row(exact), vec![None; 7]]);
}

#[test]
fn decimals_stay_exact_through_sums_and_literals() {
    let lake = LakeFolder::new();
    let batch = orders(&[(1, Some("a"), Some(10)), (2, Some("b"), Some(20)), (3, None, None)]);
    lake.write("orders/a.parquet", &batch);
    assert_eq!(lake.rows("select sum(amount) from orders"), [row(["0.30"])]);
    assert_eq!(lake.rows("select id from orders where amount = 0.1"), [row(["1"])]);
    assert_eq!(lake.rows("select amount * 1.005 from orders where id = 2"), [row(["0.20100"])]);
    assert_eq!(lake.rows("select 0.1 + 0.2"), [row(["0.3"])]);
}

#[test]
fn reports_have_the_functions_they_need() {
    let lake = LakeFolder::new();
    lake.write("n/a.parquet", &ids(&[1]));
    for (expression, expected) in [
        ("round(12.345, 2)", "12.35"),
        ("abs(-3)", "3"),
        ("date_trunc('month', timestamp '2026-01-31 12:00:00')", "2026-01-01 00:00:00"),
        ("to_char(timestamp '2026-01-31 12:00:00', '%Y-%m')", "2026-01"),
        ("extract(year from date '2026-01-31')", "2026"),
        ("coalesce(null, 'x') || upper('y')", "xY"),
        ("'abc' ~ '^a'", "true"),
        ("cast(1 as decimal(18,2)) / 3", "0.333333"),
        ("count(*) filter (where id = 1)", "1"),
    ] {
        let rows = lake.rows(&format!("select {expression} from n"));
        assert_eq!(rows, [row([expected])], "{expression}");
    }
}

#[test]
fn columns_know_their_kind_even_when_there_are_no_rows() {
    let lake = LakeFolder::new();
    lake.write("orders/a.parquet", &orders(&[]));
    assert_eq!(lake.rows("select count(*) from orders"), [row(["0"])]);
    let (mut pages, mut kinds) = (0, Vec::new());
    let sql = "select id, name, amount, id > 1 as big from orders";
    runtime()
        .block_on(lake.open().query(sql, &QuerySettings::default(), pending(), &mut |page| {
            pages += 1;
            assert!(page.rows.is_empty());
            kinds = page.columns.iter().map(|column| column.kind).collect();
            Ok(ControlFlow::Continue(()))
        }))
        .unwrap();
    assert_eq!(pages, 1);
    assert_eq!(kinds, [ColumnKind::Number, ColumnKind::Text, ColumnKind::Number, ColumnKind::Boolean]);
}

#[test]
fn partitions_are_columns_and_narrow_the_files() {
    let lake = LakeFolder::new();
    for (day, id) in [("2026-01-30", 1), ("2026-01-31", 2), ("__HIVE_DEFAULT_PARTITION__", 3)] {
        lake.write(&format!("run=1/events/dt={day}/part-0.parquet"), &ids(&[id]));
    }
    lake.link("events", "1");
    assert_eq!(
        lake.rows("select id, dt from events order by id"),
        [row(["1", "2026-01-30"]), row(["2", "2026-01-31"]), vec![Some("3".into()), None]]
    );
    assert_eq!(lake.rows("select id from events where dt is null"), [row(["3"])]);
    assert_eq!(lake.rows("select id from events where dt >= '2026-01-31'"), [row(["2"])]);
    assert_eq!(lake.rows("select id from events where dt = '1999-01-01'"), Vec::<lake_builder::Row>::new());
    assert_eq!(lake.rows("select id from events where dt > (select min(dt) from events)"), [row(["2"])]);
    assert_eq!(lake.rows("select dt, count(*) from events where id < 3 group by dt order by dt").len(), 2);
    assert_eq!(lake.rows("select id from events where dt = '2026-01-30' or id = 3 order by id").len(), 2);

    // The file of a day that the filter excludes is not even in the plan.
    let plan = format!("{:?}", lake.rows("explain select id from events where dt = '2026-01-31'"));
    assert!(plan.contains("dt=2026-01-31") && !plan.contains("dt=2026-01-30"), "{plan}");
}

#[test]
fn file_names_may_hold_any_character() {
    let lake = LakeFolder::new();
    lake.write("public_order details/k=50% #1?/part é ü~.parquet", &ids(&[7]));
    assert_eq!(lake.rows("select id, k from \"public_order details\""), [row(["7", "50% #1?"])]);
}

#[test]
fn a_query_sees_one_run_though_the_link_is_switched_meanwhile() {
    let lake = LakeFolder::new();
    let first: Vec<i32> = vec![1; 50_000];
    for part in 0..8 {
        lake.write(&format!("run=1/orders/part-{part}.parquet"), &ids(&first));
        lake.write(&format!("run=2/orders/part-{part}.parquet"), &ids(&[2]));
    }
    lake.link("orders", "1");
    let (mut seen, mut switched) = (0, false);
    runtime()
        .block_on(lake.open().query("select id from orders", &QuerySettings::default(), pending(), &mut |page| {
            if !switched {
                lake.link("orders", "2");
                switched = true;
            }
            assert!(page.rows.iter().all(|row| row[0].as_deref() == Some("1")));
            seen += page.rows.len();
            Ok(ControlFlow::Continue(()))
        }))
        .unwrap();
    assert_eq!(seen, 400_000);
    assert_eq!(lake.rows("select count(*) from orders"), [row(["8"])]);
    // The same name twice in one statement is one run.
    assert_eq!(lake.rows("select count(*) from orders a join public.orders b on a.id = b.id"), [row(["64"])]);
}

#[test]
fn only_tables_that_the_statement_names_are_opened() {
    let lake = LakeFolder::new();
    lake.write("orders/a.parquet", &ids(&[1]));
    fs::create_dir_all(lake.path("broken")).unwrap();
    fs::write(lake.path("broken/a.parquet"), b"PAR1 half").unwrap();
    assert_eq!(lake.rows("select id from orders"), [row(["1"])]);
    assert_eq!(lake.rows("with broken as (select 5 as id) select id from broken"), [row(["5"])]);
    assert_eq!(lake.rows("show tables").len(), 2 + information_schema_views(&lake));
}

fn information_schema_views(lake: &LakeFolder) -> usize {
    let rows = lake.rows("show tables");
    rows.iter().filter(|row| row[1].as_deref() == Some("information_schema")).count()
}

#[test]
fn the_lake_lists_its_tables_only() {
    let lake = LakeFolder::new();
    for path in ["run=1/orders", "run=1/users", "_runs", ".git", "direct"] {
        fs::create_dir_all(lake.path(path)).unwrap();
    }
    fs::write(lake.path("README.md"), b"text").unwrap();
    lake.link("orders", "1");
    lake.link("users", "1");
    assert_eq!(lake.open().tables().unwrap(), ["direct", "orders", "users"]);
}

#[test]
fn a_reader_that_has_enough_ends_the_query() {
    let lake = LakeFolder::new();
    for part in 0..4 {
        lake.write(&format!("orders/{part}.parquet"), &ids(&vec![1; 50_000]));
    }
    let mut pages = 0;
    runtime()
        .block_on(lake.open().query("select id from orders", &QuerySettings::default(), pending(), &mut |_| {
            pages += 1;
            Ok(ControlFlow::Break(()))
        }))
        .unwrap();
    assert_eq!(pages, 1);
}

#[test]
fn cancelling_ends_a_query_that_would_run_for_hours() {
    let lake = LakeFolder::new();
    lake.write("n/a.parquet", &ids(&(0..10_000).collect::<Vec<_>>()));
    let sql = "select count(*) from n a, n b, n c, n d where a.id + b.id + c.id + d.id = 1";
    let started = std::time::Instant::now();
    let runtime = runtime();
    let outcome = runtime.block_on(async {
        let cancel = tokio::time::sleep(std::time::Duration::from_millis(300));
        lake.open().query(sql, &QuerySettings::default(), cancel, &mut |_| Ok(ControlFlow::Continue(()))).await
    });
    assert!(matches!(outcome, Err(QueryError::Cancelled)), "{outcome:?}");
    runtime.shutdown_timeout(std::time::Duration::from_secs(20));
    assert!(started.elapsed().as_secs() < 20, "the engine's threads must end too: {:?}", started.elapsed());

    let lake = lake.open();
    let stopped = self::runtime()
        .block_on(lake.query("select 1", &QuerySettings::default(), ready(()), &mut |_| Ok(ControlFlow::Continue(()))));
    assert!(matches!(stopped, Err(QueryError::Cancelled)));
}

#[test]
fn memory_has_a_bound_and_nothing_is_spilled() {
    let lake = LakeFolder::new();
    lake.write("n/a.parquet", &ids(&(0..200_000).collect::<Vec<_>>()));
    let settings = QuerySettings { memory_limit: 1 << 20 };
    let error = query_with(&lake.open(), "select id, count(*) from n group by id order by id", &settings).unwrap_err();
    assert!(matches!(error, QueryError::Memory(_)), "{error:?}");
    assert!(!error.to_string().contains('\n'), "{error}");
    let (_, rows) = query_with(&lake.open(), "select count(*) from n", &settings).unwrap();
    assert_eq!(rows, [row(["200000"])]);
}
