//! The snapshot, its locks and its server, as the source hands them out.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use project_postgres::{
    ConnectionDefaults, ConnectionSettings, HoldError, Retry, Source, SourceErrorKind, TableName, close,
};
use project_test_servers::postgres::{Database, Postgres};
use std::time::Duration;
use tokio::time::timeout;

fn source(database: &Database<'_>) -> Source {
    Source::new(ConnectionSettings::parse(&database.uri(), &ConnectionDefaults::default()).unwrap(), "test")
}

fn table(name: &str) -> TableName {
    TableName::new("public", name)
}

fn database(sql: &str) -> Database<'static> {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    database.execute(sql).unwrap();
    database
}

async fn rows(source: &Source, name: &str) -> String {
    let mut connection = source.connect().await.unwrap();
    let sql = format!("SELECT count(*) FROM {}", table(name).quoted());
    let row = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
    close(connection).await;
    sqlx::Row::get::<i64, _>(&row, 0).to_string()
}

#[test]
fn a_table_that_somebody_has_taken_or_that_is_gone_is_left_out_and_the_others_are_held() {
    let database = database("CREATE TABLE a AS SELECT 1; CREATE TABLE taken AS SELECT 1; CREATE TABLE b AS SELECT 1");
    let source = source(&database);
    let holds =
        "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'taken'::regclass AND granted";
    std::thread::scope(|scope| {
        scope.spawn(|| database.execute("BEGIN; LOCK TABLE taken; SELECT pg_sleep(4); COMMIT").unwrap());
        while database.query_text(holds).unwrap() != [[Some("1".to_owned())]] {}
        let groups =
            [vec![table("a")], vec![], vec![table("a"), table("taken")], vec![table("gone")], vec![table("b")]];
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let whole = [table("a"), table("gone")];
            let refused = source.hold_snapshot(&whole, &[]).await.err().unwrap();
            assert!(
                matches!(&refused, HoldError::Lock(error) if error.kind() == SourceErrorKind::Missing),
                "{refused}"
            );
            let (source, holder, refusals) = source.hold_snapshot_of(&groups, &[]).await.unwrap();
            let kinds: Vec<_> = refusals.iter().map(|refusal| refusal.as_ref().map(|error| error.kind())).collect();
            let expected = [None, None, Some(SourceErrorKind::Temporary), Some(SourceErrorKind::Missing), None];
            assert_eq!(kinds, expected, "{refusals:?}");
            for name in ["a", "b"] {
                let truncate = format!("SET lock_timeout = '50ms'; TRUNCATE {name}");
                assert!(database.execute(&truncate).unwrap_err().to_string().contains("lock timeout"));
                assert_eq!(rows(&source, name).await, "1");
            }
            drop(holder);
        });
    });
    database.execute("TRUNCATE a, b").unwrap();
}

/// A table that is truncated after the view was frozen looks empty, whatever else the view shows.
#[test]
fn the_view_is_frozen_when_the_last_table_is_locked_and_not_before() {
    let database = database("CREATE TABLE a AS SELECT 1 AS id; CREATE TABLE b AS SELECT 2 AS id");
    let source = source(&database);
    let moves = "BEGIN; LOCK TABLE a; INSERT INTO b SELECT id FROM a; TRUNCATE a; SELECT pg_sleep(2); COMMIT";
    let moving = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
    std::thread::scope(|scope| {
        scope.spawn(|| database.execute(moves).unwrap());
        while database.query_text(moving).unwrap() != [[Some("1".to_owned())]] {}
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let (source, _holder) = source.hold_snapshot(&[table("b"), table("a")], &[]).await.unwrap();
            assert_eq!([rows(&source, "a").await, rows(&source, "b").await], ["0", "2"]);
        });
    });
}

#[tokio::test]
async fn the_loss_of_a_snapshot_is_known_at_once_and_readers_are_told_why() {
    let database = database("CREATE TABLE a AS SELECT 1");
    let (source, holder) = source(&database).hold_snapshot(&[table("a")], &[]).await.unwrap();
    assert_eq!(holder.lost(), None);
    assert_eq!(rows(&source, "a").await, "1");
    database
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'project/test'",
        )
        .unwrap();
    let lost = timeout(Duration::from_secs(5), holder.until_lost()).await.unwrap();
    assert!(lost.to_string().contains("terminating connection due to administrator command; "), "{lost}");
    assert_eq!((holder.lost(), lost.kind()), (Some(lost.clone()), SourceErrorKind::Unreachable));
    // The server tells us before it has ended the transaction.
    let sessions =
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'project/test'";
    while !database.query_text(sessions).unwrap().is_empty() {}
    let error = source.connect().await.unwrap_err();
    assert!(error.to_string().contains("the run's snapshot is gone"), "{error}");
    assert_eq!(error.retry(), Retry::StartOver);
    let diesel = tokio::task::spawn_blocking(move || source.connect_diesel().err()).await.unwrap().unwrap();
    assert_eq!(diesel.to_string(), error.to_string());
}

#[tokio::test]
async fn a_setting_that_the_server_refuses_is_named() {
    let database = database("REVOKE EXECUTE ON FUNCTION set_config(text, text, bool) FROM PUBLIC");
    let role = format!("bound_in_{}", database.name());
    database.execute(&format!("CREATE ROLE {role} LOGIN")).unwrap();
    let uri = format!("postgres://{role}@127.0.0.1:{}/{}", database.server().port(), database.name());
    let source = Source::new(ConnectionSettings::parse(&uri, &ConnectionDefaults::default()).unwrap(), "test");
    let error = source.connect_plain().await.unwrap_err().to_string();
    database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).unwrap();
    assert!(error.contains("set_config"), "{error}");
    assert!(error.contains("lock_timeout"), "{error}");
}

#[tokio::test]
async fn every_session_has_the_settings_whatever_its_role_says() {
    let database = database("SELECT 1");
    let role = format!("hurried_in_{}", database.name());
    database
        .execute(&format!(
            "CREATE ROLE {role} LOGIN;
             ALTER ROLE {role} SET statement_timeout = '1s'; ALTER ROLE {role} SET lock_timeout = '1s';
             ALTER ROLE {role} SET idle_in_transaction_session_timeout = '1s';
             ALTER ROLE {role} SET DateStyle = 'SQL, DMY'; ALTER ROLE {role} SET TimeZone = 'Asia/Tokyo';
             ALTER ROLE {role} SET search_path = pg_temp"
        ))
        .unwrap();
    let uri = format!("postgres://{role}@127.0.0.1:{}/{}", database.server().port(), database.name());
    let source = Source::new(ConnectionSettings::parse(&uri, &ConnectionDefaults::default()).unwrap(), "test");
    let (source, holder) = source.hold_snapshot(&[], &[]).await.unwrap();
    // Longer than the role may idle or wait.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let mut connection = source.connect().await.unwrap();
    sqlx::raw_sql("SELECT pg_sleep(1.2)").execute(&mut connection).await.unwrap();
    let names =
        ["lock_timeout", "row_security", "synchronize_seqscans", "TimeZone", "search_path", "transaction_read_only"];
    let mut values = Vec::new();
    for name in names {
        let row = sqlx::raw_sql(sqlx::AssertSqlSafe(format!("SHOW {name}"))).fetch_one(&mut connection).await.unwrap();
        values.push(sqlx::Row::get::<String, _>(&row, 0));
    }
    assert_eq!(values, ["30s", "off", "off", "UTC", "", "on"]);
    assert_eq!(holder.lost(), None);
    close(connection).await;
    drop(holder);
    database.execute(&format!("DROP ROLE {role}")).unwrap();
}
