//! The throw-away Postgres itself: it starts, it keeps tests apart, and nothing of it stays behind.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use project_test_servers::hot_standby::HotStandby;
use project_test_servers::postgres::{Database, Postgres};

fn is_running(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}

fn database_exists(name: &str) -> Result<bool> {
    let probe = Database::create(Postgres::shared()?)?;
    let rows = probe.query_text(&format!("SELECT 1 FROM pg_database WHERE datname = '{name}'"))?;
    Ok(!rows.is_empty())
}

#[test]
fn databases_of_parallel_tests_do_not_see_each_other_and_are_dropped() -> Result<()> {
    let names = std::thread::scope(|scope| {
        let tests = ["left", "right"].map(|value| {
            scope.spawn(move || -> Result<String> {
                let database = Database::create(Postgres::shared()?)?;
                database.execute("CREATE TABLE t (v text);")?;
                database.execute(&format!("INSERT INTO t VALUES ('{value}');"))?;
                let rows = database.query_text("SELECT v, current_database() FROM t;")?;
                let name = database.name().to_owned();
                assert_eq!(rows, [[Some(value.to_owned()), Some(name.clone())]], "the other test's table or database");
                Ok(name)
            })
        });
        tests.map(std::thread::ScopedJoinHandle::join)
    });
    let [left, right] = names.map(|name| match name {
        Ok(name) => name,
        Err(panic) => std::panic::resume_unwind(panic),
    });
    let (left, right) = (left?, right?);
    assert_ne!(left, right);
    assert!(!database_exists(&left)?);
    assert!(!database_exists(&right)?);
    Ok(())
}

#[test]
fn every_text_value_comes_back_as_it_is() -> Result<()> {
    let database = Database::create(Postgres::shared()?)?;
    let rows = database.query_text(r"SELECT NULL, '', E'a\tb\nc\rd\\N', '\N', 'Zoë 美咲' -- done")?;
    let expected = [None, Some(""), Some("a\tb\nc\rd\\N"), Some("\\N"), Some("Zoë 美咲")];
    assert_eq!(rows, [expected.map(|value| value.map(str::to_owned))]);
    Ok(())
}

#[test]
fn a_failing_statement_is_an_error_with_the_message_of_postgres() -> Result<()> {
    let database = Database::create(Postgres::shared()?)?;
    let error = database.execute("SELECT * FROM nowhere;").err();
    let message = error.map(|e| e.to_string()).unwrap_or_default();
    assert!(message.contains(r#"relation "nowhere" does not exist"#), "{message}");
    Ok(())
}

#[test]
fn only_the_locked_role_is_asked_for_its_password() -> Result<()> {
    let database = Database::create(Postgres::shared()?)?;
    let login = |password: &str| {
        std::process::Command::new(database.server().programs().join("psql"))
            .args(["-X", "-c", "SELECT 1", "-d"])
            .arg(database.uri_with_password(password))
            .output()
    };
    assert!(login("locked")?.status.success());
    let refused = login("guess")?;
    assert!(!refused.status.success());
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(message.contains("password authentication failed"), "{message}");
    Ok(())
}

#[test]
fn the_shop_is_the_same_every_time_and_holds_what_real_shops_hold() -> Result<()> {
    let facts = || -> Result<Vec<Vec<Option<String>>>> {
        let database = Database::create(Postgres::shared()?)?;
        database.load_shop_sample()?;
        let holes = database.query_text(
            "SELECT (SELECT count(*) FROM users) = 200, (SELECT count(*) FROM orders) = 2000,
                    (SELECT count(*) FROM products) = 100, (SELECT count(*) FROM events) = 3000,
                    (SELECT count(DISTINCT (created_at AT TIME ZONE 'UTC')::date) FROM events) = 7,
                    EXISTS (SELECT FROM orders WHERE user_id IS NULL),
                    EXISTS (SELECT FROM orders WHERE user_id NOT IN (SELECT id FROM users)),
                    EXISTS (SELECT FROM orders WHERE amount IS NULL),
                    EXISTS (SELECT FROM orders WHERE amount < 0),
                    EXISTS (SELECT FROM orders WHERE id NOT IN (SELECT type_id FROM currencies WHERE type = 'Order')),
                    EXISTS (SELECT FROM currencies WHERE type = 'Product'),
                    EXISTS (SELECT FROM orders WHERE id NOT IN (SELECT order_id FROM taxes)),
                    EXISTS (SELECT FROM events WHERE created_at IS NULL),
                    NOT EXISTS (SELECT FROM currencies WHERE type = 'Order' GROUP BY type_id HAVING count(*) > 1)",
        )?;
        for row in &holes {
            ensure!(row.iter().all(|value| value.as_deref() == Some("t")), "something is missing in the shop: {row:?}");
        }
        database.query_text(
            "SELECT (SELECT md5(string_agg(o::text, '' ORDER BY id)) FROM orders o),
                    (SELECT md5(string_agg(u::text, '' ORDER BY id)) FROM users u),
                    (SELECT md5(string_agg(c::text, '' ORDER BY id)) FROM currencies c),
                    (SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM taxes t),
                    (SELECT md5(string_agg(p::text, '' ORDER BY id)) FROM products p),
                    (SELECT md5(string_agg(e::text, '' ORDER BY id)) FROM events e)",
        )
    };
    assert_eq!(facts()?, facts()?);
    Ok(())
}

#[test]
fn a_dropped_server_leaves_no_process() -> Result<()> {
    let server = Postgres::start()?;
    let pid = server.pid();
    assert!(is_running(pid));
    server.stop()?;
    assert!(!is_running(pid));
    Ok(())
}

#[test]
fn a_killed_server_cuts_off_its_clients_and_is_gone() -> Result<()> {
    let server = Postgres::start()?;
    let database = Database::create(&server)?;
    std::thread::scope(|scope| -> Result<()> {
        let client = scope.spawn(|| database.execute("SELECT pg_sleep(60);"));
        wait_for_sleeper(&server)?;
        server.kill()?;
        assert!(matches!(client.join(), Ok(Err(_))));
        Ok(())
    })?;
    assert!(database.execute("SELECT 1;").is_err());
    let pid = server.pid();
    drop(database);
    drop(server);
    assert!(!is_running(pid));
    Ok(())
}

fn wait_for_sleeper(server: &Postgres) -> Result<()> {
    let observer = Database::create(server)?;
    let end = Instant::now() + Duration::from_secs(20);
    let sleepers = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    while observer.query_text(sleepers)?.is_empty() {
        ensure!(Instant::now() < end, "the client never began to sleep");
    }
    Ok(())
}

#[test]
fn the_shared_server_cannot_be_killed() -> Result<()> {
    assert!(Postgres::shared()?.kill().is_err());
    Database::create(Postgres::shared()?)?.execute("SELECT 1;")
}

#[test]
fn a_hot_standby_shows_what_its_primary_holds_takes_its_own_settings_and_ends_with_its_handle() -> Result<()> {
    let servers = HotStandby::start(&[("max_standby_streaming_delay", "7s"), ("hot_standby_feedback", "on")])?;
    let pids = [servers.primary(), servers.standby()].map(Postgres::pid);
    let database = Database::create(servers.primary())?;
    for round in 1..=3 {
        database.execute(&format!("CREATE TABLE t_{round} AS SELECT {round} AS id;"))?;
        servers.wait_until_replayed()?;
        let query = format!(
            "SELECT id, pg_is_in_recovery(), current_setting('max_standby_streaming_delay'),
                    current_setting('hot_standby_feedback') FROM t_{round}"
        );
        let rows = servers.standby().query_text(database.name(), &query)?;
        assert_eq!(rows, [[round.to_string().as_str(), "t", "7s", "on"].map(|value| Some(value.to_owned()))]);
    }
    drop(database);
    drop(servers);
    assert!(pids.into_iter().all(|pid| !is_running(pid)));
    Ok(())
}
