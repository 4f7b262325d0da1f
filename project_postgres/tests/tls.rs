//! Each driver on its own against a server with TLS: neither may be laxer than the other.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use project_postgres::{ConnectionDefaults, ConnectionSettings, Source, SourceErrorKind};
use project_test_servers::certificates::Authority;
use project_test_servers::postgres::Postgres;
use std::path::Path;
use tempfile::TempDir;

fn source(server: &Postgres, host: &str, root: &Path) -> Source {
    let port = server.port();
    let uri = format!("postgres://postgres@{host}:{port}/postgres?sslmode=verify-full&sslrootcert={}", root.display());
    Source::new(ConnectionSettings::parse(&uri, &ConnectionDefaults::default()).unwrap(), "test")
}

/// What sqlx and Diesel say of it.
async fn refusals(source: Source) -> [(SourceErrorKind, String); 2] {
    let by_sqlx = source.connect_plain().await.map(drop).unwrap_err();
    let by_diesel = tokio::task::spawn_blocking(move || source.connect_diesel().map(drop)).await.unwrap().unwrap_err();
    [by_sqlx, by_diesel].map(|error| (error.kind(), error.to_string()))
}

#[tokio::test(flavor = "multi_thread")]
async fn both_drivers_refuse_the_same_servers_and_say_why() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().unwrap();
    let (folder, server) = (TempDir::new().unwrap(), Postgres::start().unwrap());
    let ours = Authority::create(folder.path(), "ours").unwrap();
    let other = Authority::create(folder.path(), "other").unwrap();
    let mut cases = vec![refusals(source(&server, "localhost", &ours.certificate())).await];
    server.turn_tls_on("ours", &ours.issue("DNS:localhost", 1).unwrap()).unwrap();
    for (host, authority) in [("localhost", &other), ("127.0.0.1", &ours)] {
        cases.push(refusals(source(&server, host, &authority.certificate())).await);
    }
    server.turn_tls_on("expired", &ours.issue("DNS:localhost", -1).unwrap()).unwrap();
    cases.push(refusals(source(&server, "localhost", &ours.certificate())).await);
    let words = [
        ["does not support TLS", "sslmode"],
        ["UnknownIssuer", "sslrootcert"],
        ["not valid for name", "connect by a name"],
        ["TLS failed", "renew the server's certificate"],
    ];
    for (case, [reason, remedy]) in cases.iter().zip(words) {
        for (kind, message) in case {
            assert_eq!(*kind, SourceErrorKind::Unreachable, "{message}");
            assert!(message.contains(reason) && message.contains(remedy), "{reason}: {message}");
        }
    }
    server.turn_tls_on("again", &ours.issue("DNS:localhost", 1).unwrap()).unwrap();
    let good = source(&server, "localhost", &ours.certificate());
    good.connect_plain().await.unwrap();
    tokio::task::spawn_blocking(move || good.connect_diesel().map(drop)).await.unwrap().unwrap();
}
