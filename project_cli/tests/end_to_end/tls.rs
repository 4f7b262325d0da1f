//! Postgres behind TLS with an authority of its own, as RDS has one: who is let in, and who is refused.

use crate::program::Program;
use anyhow::{Result, ensure};
use project_test_servers::certificates::Authority;
use project_test_servers::postgres::{Database, Postgres};
use std::path::Path;
use tempfile::TempDir;

/// Tables that say how their reader is connected: `users` is read by Diesel, `products` and the last by sqlx.
const HOW: &str = "(SELECT concat('tls ', ssl) FROM pg_stat_ssl WHERE pid = pg_backend_pid())";
const TABLES: &str = "users,products,public.how";

fn shop(server: &Postgres) -> Result<Database<'_>> {
    let database = Database::create(server)?;
    database.execute(&format!(
        "CREATE VIEW users AS SELECT 1 AS id, {HOW}::varchar AS name, 'DE'::varchar AS country,
             '2026-01-01'::timestamp AS created_at, NULL::varchar AS email;
         CREATE VIEW products AS SELECT 1 AS id, {HOW}::varchar AS name, 2 AS quantity, '2026-01-01'::timestamp AS created_at,
             true AS approved, 1.5::numeric AS price, NULL::uuid AS uuid;
         CREATE VIEW how AS SELECT {HOW} AS name"
    ))?;
    Ok(database)
}

fn uri(database: &Database<'_>, host: &str, parameters: &str) -> String {
    format!("postgres://postgres@{host}:{}/{}{parameters}", database.server().port(), database.name())
}

fn verified(root: &Path) -> String {
    format!("?sslmode=verify-full&sslrootcert={}", root.display())
}

#[test]
fn both_drivers_verify_a_server_by_an_authority_of_its_own() -> Result<()> {
    let (folder, server) = (TempDir::new()?, Postgres::start()?);
    let database = shop(&server)?;
    let authority = Authority::create(folder.path(), "ours")?;
    server.turn_tls_on("ours", &authority.issue("DNS:localhost", 1)?)?;
    let program = Program::new()?;
    // Plain text stays possible on this machine, so that the views are seen to tell the difference.
    for (uri, how) in [
        (uri(&database, "localhost", &verified(&authority.certificate())), "tls t"),
        (uri(&database, "localhost", "?sslmode=disable"), "tls f"),
    ] {
        program.run(&[&uri, "--table", TABLES])?.expect(0)?;
        for table in ["users", "products", "public_how"] {
            assert_eq!(program.query(&format!("SELECT name FROM {table}"))?, format!("name\n{how}\n"), "{uri}");
        }
    }
    Ok(())
}

#[test]
fn a_server_that_cannot_prove_who_it_is_is_refused_with_the_reason() -> Result<()> {
    let (folder, server) = (TempDir::new()?, Postgres::start()?);
    let database = shop(&server)?;
    let (ours, other) = (Authority::create(folder.path(), "ours")?, Authority::create(folder.path(), "other")?);
    let by = |authority: &Authority| verified(&authority.certificate());
    let refused = |uri: &str, words: &[&str]| -> Result<()> {
        let program = Program::new()?;
        program.run(&[uri, "--table", TABLES])?.expect(69)?.says(words)?.never_says("starts over")?;
        ensure!(!program.lake().exists(), "a lake was created");
        Ok(())
    };
    // A server without TLS: where it is asked for, and where nobody asks but the server is not on this machine.
    refused(&uri(&database, "localhost", &by(&ours)), &["does not support TLS", "sslmode"])?;
    refused(&uri(&database, "0.0.0.0", ""), &["does not support TLS", "sslmode"])?;

    server.turn_tls_on("ours", &ours.issue("DNS:localhost", 1)?)?;
    refused(&uri(&database, "localhost", &by(&other)), &["TLS failed", "UnknownIssuer", "sslrootcert"])?;
    // Without sslrootcert the public authorities count.
    refused(&uri(&database, "localhost", "?sslmode=verify-full"), &["TLS failed", "UnknownIssuer", "sslrootcert"])?;
    refused(&uri(&database, "127.0.0.1", &by(&ours)), &["TLS failed", "not valid for name", "connect by a name"])?;
    for (file, what) in [("/nowhere/ca.pem", "cannot be read"), ("/dev/null", "holds no certificate")] {
        let uri = uri(&database, "localhost", &verified(Path::new(file)));
        Program::new()?.run(&[&uri, "--table", TABLES])?.expect(78)?.says(&[file, what])?;
    }

    server.turn_tls_on("expired", &ours.issue("DNS:localhost", -1)?)?;
    refused(&uri(&database, "localhost", &by(&ours)), &["TLS failed", "renew the server's certificate"])?;
    server.turn_tls_on("again", &ours.issue("DNS:localhost", 1)?)?;
    Program::new()?.run(&[&uri(&database, "localhost", &by(&ours)), "--table", TABLES])?.expect(0)?;
    Ok(())
}
