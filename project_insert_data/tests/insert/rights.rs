//! What a role lacks is told before anything is written, and what it has is enough.

use crate::fixture::{Fixture, insertion};
use anyhow::{Context, Result, ensure};
use project_insert_data::{InsertErrorKind, Mode};
use project_test_servers::hot_standby::HotStandby;
use project_test_servers::postgres::Database;
use tokio_util::sync::CancellationToken;

#[test]
fn each_mode_needs_its_rights_and_no_more() -> Result<()> {
    let fixture = Fixture::new("CREATE TABLE t (id int PRIMARY KEY, name text)")?;
    let role = format!("writer_{}", fixture.database.name());
    fixture.database.execute(&format!("CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA public TO {role}"))?;
    let uri = fixture.database.uri().replace("postgres@", &format!("{role}@"));
    for mode in [Mode::Insert, Mode::Upsert, Mode::Replace] {
        let insertion = insertion(mode, fixture.csv("a.csv", "id,name\n1,a\n")?);
        // What the message says is what helps.
        for _ in 0..3 {
            let Err(error) = fixture.run_as(&uri, &insertion, &CancellationToken::new()) else { break };
            let message = error.to_string();
            ensure!(error.kind() == InsertErrorKind::Denied, "{message}");
            let (_, grant) = message.split_once("let its owner run: ").context(message.clone())?;
            fixture.database.execute(grant)?;
        }
        fixture.run_as(&uri, &insertion, &CancellationToken::new())?;
    }
    fixture.database.execute(&format!("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC", fixture.database.name()))?;
    let insertion = insertion(Mode::Insert, fixture.csv("a.csv", "id,name\n2,a\n")?);
    let error = fixture.run_as(&uri, &insertion, &CancellationToken::new()).unwrap_err();
    ensure!(error.to_string().contains("GRANT TEMPORARY ON DATABASE"), "{error}");
    fixture.database.execute("ALTER TABLE t ENABLE ROW LEVEL SECURITY")?;
    let error = fixture.run_as(&uri, &insertion, &CancellationToken::new()).unwrap_err();
    ensure!(error.kind() == InsertErrorKind::Denied && error.to_string().contains("row security"), "{error}");
    fixture.database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))?;
    Ok(())
}

#[test]
fn a_role_that_only_reads_by_default_can_still_write() -> Result<()> {
    let fixture = Fixture::new("CREATE TABLE t (id int PRIMARY KEY)")?;
    fixture.database.execute(&format!(
        "ALTER DATABASE {0} SET default_transaction_read_only = on; ALTER DATABASE {0} SET default_transaction_isolation = 'serializable'",
        fixture.database.name()
    ))?;
    let file = fixture.csv("a.csv", "id\n1\n")?;
    assert_eq!(fixture.insert(Mode::Insert, file)?.inserted, 1);
    Ok(())
}

#[test]
fn a_standby_is_refused_with_a_sentence() -> Result<()> {
    let servers = HotStandby::start(&[])?;
    let database = Database::create(servers.primary())?;
    database.execute("CREATE TABLE t (id int PRIMARY KEY)")?;
    servers.wait_until_replayed()?;
    let fixture = Fixture::new("SELECT 1")?;
    let insertion = insertion(Mode::Insert, fixture.csv("a.csv", "id\n1\n")?);
    let uri = servers.standby().uri(database.name());
    let error = fixture.run_as(&uri, &insertion, &CancellationToken::new()).unwrap_err();
    ensure!(error.kind() == InsertErrorKind::Configuration && error.to_string().contains("standby"), "{error}");
    Ok(())
}
