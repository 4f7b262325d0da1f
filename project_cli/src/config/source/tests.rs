#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use super::source;
use crate::args::Args;
use crate::config::ConfigError;
use crate::setting::Settings;
use project_postgres::{ConnectionDefaults, ConnectionSettings};
use std::ffi::OsString;
use std::fs::{Permissions, set_permissions, write};
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

fn parsed(uri: &str) -> ConnectionSettings {
    ConnectionSettings::parse(uri, &ConnectionDefaults::default()).unwrap()
}

fn found(argument: Option<&str>, variables: &[(&str, &str)]) -> Result<ConnectionSettings, ConfigError> {
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| OsString::from(value))
    };
    source(argument, &Settings::new(&Args::default(), &variable))
}

fn home() -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().to_str().unwrap().to_owned();
    (folder, path)
}

fn file(folder: &TempDir, name: &str, mode: u32, text: &str) -> String {
    let path = folder.path().join(name);
    write(&path, text).unwrap();
    set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_first_place_that_names_a_database_counts() {
    let (folder, home) = home();
    let uri_file = file(&folder, "uri", 0o444, "postgres://ann:s3cret@file.example/shop\n");
    let services = file(&folder, ".pg_service.conf", 0o600, "[shop]\nhost=service.example\nuser=ann\n");
    let all = [("PGSERVICE", "shop"), ("HOME", &home), ("DATABASE_URL", "postgres://ann@variable.example/shop")];
    let argument = "postgres://ann@argument.example/shop";
    assert_eq!(found(Some(argument), &all).unwrap(), parsed(argument));
    assert_eq!(found(None, &all).unwrap(), parsed("postgres://ann@variable.example/shop"));
    let without = [("PGSERVICE", "shop"), ("HOME", home.as_str()), ("DATABASE_URL_FILE", &uri_file)];
    assert_eq!(found(None, &without).unwrap(), parsed("postgres://ann:s3cret@file.example/shop"));
    assert_eq!(found(None, &without[..2]).unwrap(), parsed("postgres://ann@service.example"));
    let elsewhere = [("PGSERVICE", "shop"), ("PGSERVICEFILE", services.as_str()), ("PGPASSWORD", "s3cret")];
    assert_eq!(found(None, &elsewhere).unwrap(), parsed("postgres://ann:s3cret@service.example"));
}

#[test]
fn a_password_comes_from_the_uri_the_variable_or_a_file_in_this_order() {
    let (folder, home) = home();
    let mine = file(&folder, "mine", 0o600, "db.example:*:*:*:from PGPASSFILE\n");
    file(&folder, ".pgpass", 0o600, "*:*:*:*:from home\n");
    let variables = [("PGPASSWORD", "from PGPASSWORD"), ("PGPASSFILE", &mine), ("HOME", &home)];
    let plain = parsed("postgres://ann@db.example/shop");
    let with = |password: &str| plain.clone().with_password(password.into());
    let uri = Some("postgres://ann@db.example/shop");
    assert_eq!(found(Some("postgres://ann:own@db.example/shop"), &variables).unwrap(), with("own"));
    assert_eq!(found(uri, &variables).unwrap(), with("from PGPASSWORD"));
    assert_eq!(found(uri, &variables[1..]).unwrap(), with("from PGPASSFILE"));
    assert_eq!(found(uri, &variables[2..]).unwrap(), with("from home"));
    assert_eq!(found(uri, &[]).unwrap(), plain);
    set_permissions(folder.path().join(".pgpass"), Permissions::from_mode(0o644)).unwrap();
    assert_eq!(found(uri, &variables[2..]).unwrap(), plain, "as psql does, with a file that others may read");
}

#[test]
fn a_file_that_cannot_be_used_is_named_and_not_shown() {
    let (folder, home) = home();
    let open = file(&folder, "open", 0o644, "*:*:*:*:s3cret\n");
    let wrong = file(&folder, "wrong", 0o600, "mysql://ann:s3cret@h/shop\n");
    let services =
        file(&folder, "services", 0o600, "[shop]\npasword=s3cret\n[tls]\nuser=ann\nsslmode=require\npassword=s3cret\n");
    let missing = folder.path().join("missing");
    let missing = missing.to_str().unwrap();
    let uri = Some("postgres://ann@db.example/shop");
    for (argument, variables, words) in [
        (uri, vec![("PGPASSFILE", open.as_str())], vec![open.as_str(), "chmod 600"]),
        (uri, vec![("PGPASSFILE", missing)], vec!["PGPASSFILE", missing]),
        (None, vec![("DATABASE_URL_FILE", missing)], vec!["DATABASE_URL_FILE", missing]),
        (None, vec![("DATABASE_URL_FILE", &wrong)], vec!["DATABASE_URL_FILE", &wrong, "postgres://"]),
        (None, vec![("DATABASE_URL_FILE", &wrong), ("DATABASE_URL", "postgres://ann:s3cret@h")], vec!["leave one"]),
        (None, vec![("PGSERVICE", "shop"), ("PGSERVICEFILE", &services)], vec!["\"pasword\"", "line 2"]),
        (None, vec![("PGSERVICE", "shops"), ("PGSERVICEFILE", &services)], vec!["\"shops\"", "does not exist"]),
        (None, vec![("PGSERVICE", "tls"), ("PGSERVICEFILE", &services)], vec!["\"tls\"", "verify-full"]),
        (None, vec![("PGSERVICE", "shop"), ("HOME", &home)], vec![".pg_service.conf"]),
        (None, vec![("PGSERVICE", "shop")], vec!["PGSERVICEFILE"]),
        (None, vec![], vec!["<POSTGRES-URI>", "DATABASE_URL", "DATABASE_URL_FILE", "PGSERVICE"]),
    ] {
        let error = found(argument, &variables).unwrap_err();
        assert_eq!(error.exit, 78, "{error}");
        for word in words {
            assert!(error.message.contains(word), "{word}: {error}");
        }
        assert!(!error.message.contains("s3cret"), "{error}");
    }
}
