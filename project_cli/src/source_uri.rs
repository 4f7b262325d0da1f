//! The Postgres URI as it was given: checked for the slips of people before it is taken apart.

use project_postgres::{ConnectionDefaults, ConnectionSettings};

/// Reads a URI. The error is a sentence that says what is wrong and never repeats the text, which may hold a password.
pub(crate) fn parse(text: &str, defaults: &ConnectionDefaults) -> Result<ConnectionSettings, String> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(not_postgres());
    };
    if !["postgres", "postgresql"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err(not_postgres());
    }
    if rest.contains(|character: char| character.is_whitespace() || character.is_control()) {
        return Err(format!("the Postgres URI holds a space or a control character; write {ENCODING}"));
    }
    // Such a character in a password ends the host too early, and the rest would pass for a path or a parameter.
    let authority_ends = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    if rest[authority_ends..].contains(['@', '#']) {
        return Err(format!("the Postgres URI has an unencoded '/', '?', '#' or '@'; write {ENCODING}"));
    }
    ConnectionSettings::parse(text, defaults).map_err(|error| error.to_string())
}

const ENCODING: &str = "special characters in the password percent-encoded (@ is %40, / is %2F, # is %23, ? is %3F)";

fn not_postgres() -> String {
    "the Postgres URI must begin with postgres:// or postgresql://, as in postgres://user@host:5432/database".to_owned()
}

#[cfg(test)]
mod tests {
    use super::parse;
    use project_postgres::ConnectionDefaults;

    fn defaults() -> ConnectionDefaults {
        ConnectionDefaults { user: Some("bob".into()), password: Some("s3cret".into()) }
    }

    #[test]
    fn what_was_read_never_shows_the_password() {
        for text in ["postgres://ann:s3cret@localhost:5433/shop", "postgres://localhost/shop"] {
            let settings = parse(text, &defaults()).unwrap();
            let shown = format!("{settings} {settings:?}");
            assert!(shown.contains("localhost") && !shown.contains("s3c"), "{shown}");
        }
    }

    #[test]
    fn every_usual_form_is_accepted() {
        for text in [
            "postgresql://ann@[::1]:5432/shop",
            "POSTGRES://ann:x@h/shop",
            "postgres:///shop?host=/var/run/postgresql",
            "postgres://ann@%2Fvar%2Frun/shop",
            "postgres://ann:p%40ss%2Fword@db.example/shop?sslmode=verify-full",
            "postgres://ann:p@ss@h/shop",
        ] {
            parse(text, &defaults()).unwrap_or_else(|error| unreachable!("{text}: {error}"));
        }
    }

    #[test]
    fn malformed_ones_are_refused_without_an_echo() {
        for text in [
            "",
            "s3cret",
            "mysql://ann:s3cret@h/db",
            "ann:s3cret@h/db",
            "postgres:/ann:s3cret@h/db",
            "postgres://ann:s3cret@h:port/db",
            "postgres://ann:s3cret@h:99999/db",
            "postgres://ann:s3c ret@h/db",
            "postgres://ann:1/s3cret@h/db",
            "postgres://ann:1?s3cret@h/db",
            "postgres://ann:s3cret#@h/db",
            "postgres://ann:s3cret@h/db#x",
            "postgres://ann:s3cret@h o/db",
            "pöstgres://ann:s3cret@h/db",
            "postgres://ann:s3cret@h/db?sslmod=disable",
        ] {
            let error = parse(text, &defaults()).unwrap_err();
            assert!(error.starts_with("the Postgres URI "), "{text}: {error}");
            assert!(!error.contains("s3c") && !error.contains("ann:"), "{text}: {error}");
        }
    }
}
