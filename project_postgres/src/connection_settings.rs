//! A Postgres URI, parsed once and handed to both drivers.
//!
//! The drivers' own parsers differ from each other, take misspelt parameters in silence and log unknown ones with
//! their values, so neither of them sees the URI.

use percent_encoding::percent_decode_str;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use thiserror::Error;
use url::Url;

/// Where a server is and how to log in. `Debug` and `Display` never show the password.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectionSettings {
    pub(crate) host: Host,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: Option<String>,
    pub(crate) database: String,
    pub(crate) tls: Tls,
    pub(crate) options: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    Name(String),
    SocketFolder(PathBuf),
}

/// How the connection is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tls {
    /// Plain text.
    Disabled,
    /// Encrypted, the server's certificate and name checked.
    VerifyFull { root_certificate: Option<PathBuf> },
}

/// What a URI leaves open, from the environment.
#[derive(Clone, Default)]
pub struct ConnectionDefaults {
    /// `PGUSER`, or the name of the person at the keyboard.
    pub user: Option<String>,
    /// `PGPASSWORD`.
    pub password: Option<String>,
}

/// What is wrong with a URI; the sentence never repeats its text, which may hold a password.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("the Postgres URI {0}")]
pub struct InvalidUri(String);

impl ConnectionSettings {
    /// Reads `postgres://user:password@host:port/database?sslmode=...`.
    ///
    /// Without `sslmode` a server on this machine is reached in plain text and any other with `verify-full`.
    pub fn parse(uri: &str, defaults: &ConnectionDefaults) -> Result<Self, InvalidUri> {
        let url = Url::parse(uri).map_err(|error| {
            InvalidUri(format!("cannot be read ({error}); write postgres://user:password@host:5432/database"))
        })?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(InvalidUri("must begin with postgres:// or postgresql://".into()));
        }
        let parameters = Parameters::parse(&url)?;
        let host =
            parameters.host.map_or_else(|| host(url.host_str().unwrap_or_default()), |host_text| host(&host_text))?;
        let user = decode(url.username(), "user name")?;
        let user = Some(user).filter(|user| !user.is_empty()).or_else(|| defaults.user.clone());
        let user = user.ok_or_else(|| InvalidUri("names no user; write postgres://user@host/database".into()))?;
        let password = url.password().map(|password| decode(password, "password")).transpose()?;
        let database = decode(url.path().trim_start_matches('/'), "database name")?;
        Ok(Self {
            tls: tls(parameters.sslmode.as_deref(), parameters.root_certificate, &host)?,
            host,
            port: parameters.port.or(url.port()).unwrap_or(5432),
            password: password.or_else(|| defaults.password.clone()),
            database: if database.is_empty() { user.clone() } else { database },
            user,
            options: parameters.options,
        })
    }
}

/// What a caller looks at who completes or checks them.
impl ConnectionSettings {
    /// Whether a password is known.
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// The same with a password.
    #[must_use]
    pub fn with_password(self, password: String) -> Self {
        Self { password: Some(password), ..self }
    }

    /// The names that stand for the server: its own, and `localhost` for the usual folders of sockets.
    pub fn host_names(&self) -> Vec<String> {
        let mut names = vec![self.host.to_string()];
        if let Host::SocketFolder(folder) = &self.host
            && ["/tmp", "/run/postgresql", "/var/run/postgresql"].iter().any(|usual| folder == Path::new(usual))
        {
            names.push("localhost".to_owned());
        }
        names
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The name of the database.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The file with the authority of the server, if one was named.
    pub fn root_certificate(&self) -> Option<&Path> {
        match &self.tls {
            Tls::VerifyFull { root_certificate } => root_certificate.as_deref(),
            Tls::Disabled => None,
        }
    }

    /// The role.
    pub fn user(&self) -> &str {
        &self.user
    }
}

#[derive(Default)]
struct Parameters {
    host: Option<String>,
    port: Option<u16>,
    sslmode: Option<String>,
    root_certificate: Option<PathBuf>,
    options: Option<String>,
}

impl Parameters {
    fn parse(url: &Url) -> Result<Self, InvalidUri> {
        let mut parameters = Self::default();
        for (key, value) in url.query_pairs() {
            match key.as_ref() {
                "host" => parameters.host = Some(value.into_owned()),
                "port" => {
                    let port = value.parse().map_err(|_| InvalidUri("has a port that is not a number".into()))?;
                    parameters.port = Some(port);
                }
                "sslmode" => parameters.sslmode = Some(value.into_owned()),
                "sslrootcert" => parameters.root_certificate = Some(PathBuf::from(value.as_ref())),
                "options" => parameters.options = Some(value.into_owned()),
                // The program sets these itself on every connection.
                "application_name" | "connect_timeout" | "client_encoding" => {}
                unknown => {
                    return Err(InvalidUri(format!(
                        "has the parameter \"{unknown}\", which is not known; use sslmode, sslrootcert, options, host or port"
                    )));
                }
            }
        }
        Ok(parameters)
    }
}

fn decode(text: &str, part: &str) -> Result<String, InvalidUri> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(|text| text.into_owned()).map_err(|_| InvalidUri(format!("has a {part} that is not UTF-8")))
}

fn host(text: &str) -> Result<Host, InvalidUri> {
    let text = decode(text, "host")?;
    if text.starts_with('/') {
        return Ok(Host::SocketFolder(PathBuf::from(text)));
    }
    if text.contains(',') {
        return Err(InvalidUri(
            "names several hosts; name the one to read from, because a snapshot lives on one server".into(),
        ));
    }
    let name = text.trim_start_matches('[').trim_end_matches(']');
    Ok(Host::Name(if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }))
}

fn tls(mode: Option<&str>, root_certificate: Option<PathBuf>, host: &Host) -> Result<Tls, InvalidUri> {
    match mode {
        None if host.is_local() => Ok(Tls::Disabled),
        None | Some("verify-full") => Ok(Tls::VerifyFull { root_certificate }),
        Some("disable") => Ok(Tls::Disabled),
        Some("allow" | "prefer" | "require" | "verify-ca") => Err(InvalidUri(
            "has an sslmode that does not check who answers; use sslmode=verify-full, with sslrootcert=<file> for a \
             server with its own authority, or sslmode=disable"
                .into(),
        )),
        Some(_) => Err(InvalidUri("has an unknown sslmode; use verify-full or disable".into())),
    }
}

impl Host {
    fn is_local(&self) -> bool {
        match self {
            Self::SocketFolder(_) => true,
            Self::Name(name) => name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::SocketFolder(folder) => write!(f, "{}", folder.display()),
        }
    }
}

/// Host, port and database: what a message may say.
impl fmt::Display for ConnectionSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} (database \"{}\")", self.host, self.port, self.database)
    }
}

impl fmt::Debug for ConnectionSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectionSettings({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::{ConnectionDefaults, ConnectionSettings, Host, Tls};
    use std::path::PathBuf;

    fn parse(uri: &str) -> Result<ConnectionSettings, String> {
        ConnectionSettings::parse(uri, &ConnectionDefaults::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn parts_are_decoded() {
        let settings = parse("postgres://a%40b:p%2Fw@db.example:6543/my%20db?sslmode=disable").unwrap();
        assert_eq!((settings.user.as_str(), settings.password.as_deref()), ("a@b", Some("p/w")));
        assert_eq!((settings.port, settings.database.as_str()), (6543, "my db"));
        assert_eq!(settings.host, Host::Name("db.example".into()));
        assert_eq!(format!("{settings:?}"), "ConnectionSettings(db.example:6543 (database \"my db\"))");
    }

    #[test]
    fn only_local_servers_are_reached_in_plain_text() {
        for local in ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "%2Frun%2Fpostgresql"] {
            assert_eq!(parse(&format!("postgresql://u@{local}/d")).unwrap().tls, Tls::Disabled, "{local}");
        }
        let remote = parse("postgres://u@10.0.0.1/d?sslrootcert=/ca.pem").unwrap().tls;
        assert_eq!(remote, Tls::VerifyFull { root_certificate: Some(PathBuf::from("/ca.pem")) });
    }

    #[test]
    fn what_is_wrong_is_named_and_the_password_is_not() {
        for (uri, word) in [
            ("mysql://u:canary@h/d", "postgres://"),
            ("postgres://u:canary@h:port/d", "cannot be read"),
            ("postgres://u:canary@h/d?sslmode=require", "verify-full"),
            ("postgres://u:canary@h/d?sslmode=requird", "unknown sslmode"),
            ("postgres://u:canary@h/d?pasword=canary", "pasword"),
            ("postgres://h/d", "names no user"),
            ("postgres://u:canary@a,b/d", "several hosts"),
            ("", "cannot be read"),
        ] {
            let message = parse(uri).unwrap_err();
            assert!(message.contains(word), "{uri}: {message}");
            assert!(!message.contains("canary"), "{message}");
        }
    }
}
