//! The database, and the password for it, from wherever somebody keeps them: the argument, a variable, or a file.

use crate::config::{ConfigError, password_file, service_file};
use crate::setting::Settings;
use crate::source_uri;
use crate::table_names::nearest;
use project_postgres::{ConnectionDefaults, ConnectionSettings};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::fs::read_to_string;
use std::path::{Path, PathBuf};

const NO_DATABASE: &str = "there is no database to read: give its URI as the argument <POSTGRES-URI>, in the variable \
                           DATABASE_URL or in the file that DATABASE_URL_FILE names, or name a service in PGSERVICE";

const NO_TARGET: &str = "there is no database that --file could write to: give its URI in the variable \
                         TARGET_DATABASE_URL or in the file that TARGET_DATABASE_URL_FILE names; the database that is \
                         read is never written to";

/// The first that was given of the argument, `DATABASE_URL`, `DATABASE_URL_FILE` and `PGSERVICE`.
pub(super) fn source(argument: Option<&str>, settings: &Settings<'_>) -> Result<ConnectionSettings, ConfigError> {
    let defaults = ConnectionDefaults {
        user: first_of(settings, &["PGUSER", "USER"])?,
        password: settings.variable("PGPASSWORD")?,
    };
    let source = match argument {
        Some(uri) => of_argument(uri, &defaults)?,
        None => match of_variables(settings, ["DATABASE_URL", "DATABASE_URL_FILE"], &defaults)? {
            Some(source) => source,
            None => of_service(settings, &defaults)?,
        },
    };
    complete(source, settings)
}

/// The database that results go back into. Nothing of the source's settings says where that is, nor its password.
pub(super) fn target(settings: &Settings<'_>) -> Result<ConnectionSettings, ConfigError> {
    let defaults = ConnectionDefaults { user: first_of(settings, &["USER"])?, password: None };
    let target = of_variables(settings, ["TARGET_DATABASE_URL", "TARGET_DATABASE_URL_FILE"], &defaults)?;
    complete(target.ok_or_else(|| ConfigError::configuration(NO_TARGET))?, settings)
}

/// With a password from a file, if it has none of its own.
fn complete(database: ConnectionSettings, settings: &Settings<'_>) -> Result<ConnectionSettings, ConfigError> {
    if let Some(file) = database.root_certificate() {
        holds_certificates(file)?;
    }
    if database.has_password() {
        return Ok(database);
    }
    Ok(match password(settings, &database)? {
        Some(password) => database.with_password(password),
        None => database,
    })
}

fn of_argument(uri: &str, defaults: &ConnectionDefaults) -> Result<ConnectionSettings, ConfigError> {
    source_uri::parse(uri, defaults).map_err(|what| {
        // A mistyped verb arrives here as the URI; a verb is short and holds no password.
        let verb = nearest(uri, crate::args::VERBS).filter(|_| !uri.contains(':'));
        let hint = verb.map(|verb| format!("; or did you mean the verb {verb}?"));
        ConfigError::usage(format!("{what} (the argument <POSTGRES-URI>){}", hint.unwrap_or_default()))
    })
}

/// From the variable that holds the URI, or the one that names a file with it.
fn of_variables(
    settings: &Settings<'_>,
    [uri_name, file_name]: [&str; 2],
    defaults: &ConnectionDefaults,
) -> Result<Option<ConnectionSettings>, ConfigError> {
    let (uri, file) = (settings.variable(uri_name)?, settings.variable(file_name)?);
    let parse = |uri: &str, from: String| {
        source_uri::parse(uri, defaults).map_err(|what| ConfigError::configuration(format!("{what} ({from})")))
    };
    match (uri, file) {
        (Some(_), Some(_)) => Err(ConfigError::configuration(format!(
            "the variables {uri_name} and {file_name} both name the database; leave one of them out"
        ))),
        (Some(uri), None) => parse(&uri, format!("the variable {uri_name}")).map(Some),
        (None, Some(file)) => {
            // Editors and shells end a file with a line break.
            let uri = read(file_name, Path::new(&file))?;
            parse(uri.trim(), format!("the file {file_name}={file}")).map(Some)
        }
        (None, None) => Ok(None),
    }
}

fn of_service(settings: &Settings<'_>, defaults: &ConnectionDefaults) -> Result<ConnectionSettings, ConfigError> {
    let service = settings.variable("PGSERVICE")?.ok_or_else(|| ConfigError::configuration(NO_DATABASE))?;
    let file = match settings.variable("PGSERVICEFILE")? {
        Some(file) => PathBuf::from(file),
        None => in_home(settings, ".pg_service.conf")?.ok_or_else(|| {
            ConfigError::configuration("PGSERVICE names a service, and neither PGSERVICEFILE nor HOME says where it is")
        })?,
    };
    let place = format!("the service \"{service}\" in {}", file.display());
    let uri = service_file::uri(&read("PGSERVICE", &file)?, &service)
        .map_err(|what| ConfigError::configuration(format!("{place} {what}")))?;
    ConnectionSettings::parse(&uri, defaults)
        .map_err(|error| ConfigError::configuration(format!("{error} ({place}, as a URI)")))
}

/// From `PGPASSFILE`, or from the file in the home directory that every program of Postgres looks into.
fn password(settings: &Settings<'_>, source: &ConnectionSettings) -> Result<Option<String>, ConfigError> {
    if let Some(file) = settings.variable("PGPASSFILE")? {
        return password_file::read(Path::new(&file), source)
            .map_err(|what| ConfigError::configuration(format!("the variable PGPASSFILE={file} {what}")));
    }
    // A home without the file, or with one that the programs of Postgres would pass over as well.
    Ok(in_home(settings, ".pgpass")?.and_then(|file| password_file::read(&file, source).ok().flatten()))
}

/// The drivers would only say that some file does not exist.
fn holds_certificates(file: &Path) -> Result<(), ConfigError> {
    let wrong = |what: String| ConfigError::configuration(format!("sslrootcert={} {what}", file.display()));
    let certificates =
        CertificateDer::pem_file_iter(file).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    match certificates.collect::<Result<Vec<_>, _>>() {
        Ok(certificates) if !certificates.is_empty() => Ok(()),
        Ok(_) => Err(wrong("holds no certificate".to_owned())),
        Err(error) => Err(wrong(format!("cannot be read: {error}"))),
    }
}

fn in_home(settings: &Settings<'_>, name: &str) -> Result<Option<PathBuf>, ConfigError> {
    Ok(settings.variable("HOME")?.map(|home| Path::new(&home).join(name)))
}

fn read(variable: &str, file: &Path) -> Result<String, ConfigError> {
    read_to_string(file).map_err(|error| {
        ConfigError::configuration(format!("the file {} ({variable}) cannot be read: {error}", file.display()))
    })
}

fn first_of(settings: &Settings<'_>, names: &[&str]) -> Result<Option<String>, ConfigError> {
    for name in names {
        if let Some(value) = settings.variable(name)? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
