//! Passwords by server, as libpq keeps them: `host:port:database:user:password`, the first line that fits.

use project_postgres::ConnectionSettings;
use std::fs::{metadata, read_to_string};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The password for this server, if the file has one. The error completes a sentence that begins with the file.
pub(super) fn read(file: &Path, source: &ConnectionSettings) -> Result<Option<String>, String> {
    let cannot = |error: std::io::Error| format!("cannot be read: {error}");
    let metadata = metadata(file).map_err(cannot)?;
    // As with libpq, /dev/null is the way to say that there is none.
    if !metadata.is_file() {
        return Ok(None);
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(
            "may be read by others than its owner, so that its passwords are not used; run chmod 600 on it".into()
        );
    }
    let text = read_to_string(file).map_err(cannot)?;
    Ok(text.lines().find_map(|line| password_of(line, source)))
}

/// The password of a line that fits.
fn password_of(line: &str, source: &ConnectionSettings) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let port = source.port().to_string();
    let mut rest = line;
    for wanted in [source.host_names(), vec![port], vec![source.database().to_owned()], vec![source.user().to_owned()]]
    {
        let (field, after) = field(rest)?;
        // Only a star that stands alone and unescaped fits everything.
        let is_star = rest.starts_with("*:");
        if !is_star && !wanted.contains(&field) {
            return None;
        }
        rest = after;
    }
    Some(unescaped(rest))
}

/// The first field, without its escapes, and what follows its colon.
fn field(text: &str) -> Option<(String, &str)> {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ':' => return Some((unescaped(&text[..at]), &text[at + 1..])),
            _ => {}
        }
    }
    None
}

fn unescaped(text: &str) -> String {
    let mut characters = text.chars();
    let mut plain = String::new();
    while let Some(character) = characters.next() {
        plain.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    plain
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

    use super::{password_of, read};
    use project_postgres::{ConnectionDefaults, ConnectionSettings};
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    fn source(uri: &str) -> ConnectionSettings {
        ConnectionSettings::parse(uri, &ConnectionDefaults::default()).unwrap()
    }

    #[test]
    fn a_line_fits_as_in_libpq() {
        let shop = "postgres://ann@db.example:5432/shop";
        for (line, uri, password) in [
            ("db.example:5432:shop:ann:secret", shop, Some("secret")),
            ("*:*:*:*:secret", shop, Some("secret")),
            ("db.example:*:shop:*:a:b", shop, Some("a:b")),
            (r"db.example:5432:shop:ann:a\:b\\c", shop, Some(r"a:b\c")),
            ("db.example:5432:shop:ann:", shop, Some("")),
            (r"db.example:5432:a\:b:ann:secret", "postgres://ann@db.example/a%3Ab", Some("secret")),
            (r"\*:5432:shop:ann:secret", shop, None),
            ("*x:5432:shop:ann:secret", shop, None),
            ("db.example:5433:shop:ann:secret", shop, None),
            ("db.example:5432:shops:ann:secret", shop, None),
            ("db.example:5432:shop:bob:secret", shop, None),
            ("DB.example:5432:shop:ann:secret", shop, None),
            ("# db.example:5432:shop:ann:secret", shop, None),
            ("db.example:5432:shop:ann", shop, None),
            ("", shop, None),
            (r"::1:5432:shop:ann:secret", "postgres://ann@[::1]/shop", None),
            (r"\:\:1:5432:shop:ann:secret", "postgres://ann@[::1]/shop", Some("secret")),
            ("localhost:5432:shop:ann:secret", "postgres:///shop?host=/var/run/postgresql&port=5432", None),
            ("localhost:5432:shop:ann:secret", "postgres://ann@%2Fvar%2Frun%2Fpostgresql/shop", Some("secret")),
            ("/sockets:5432:shop:ann:secret", "postgres://ann@%2Fsockets/shop", Some("secret")),
        ] {
            let defaults = ConnectionDefaults { user: Some("carl".into()), password: None };
            let source = ConnectionSettings::parse(uri, &defaults).unwrap();
            assert_eq!(password_of(line, &source).as_deref(), password, "{line} for {uri}");
        }
    }

    #[test]
    fn the_first_line_that_fits_counts_and_only_a_file_for_its_owner_alone() {
        let file = tempfile::NamedTempFile::new().unwrap();
        write(file.path(), "# ours\nother:*:*:*:wrong\n*:*:shop:*:right\n*:*:*:*:too late\n").unwrap();
        let source = source("postgres://ann@db.example/shop");
        for (mode, readable) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)] {
            set_permissions(file.path(), Permissions::from_mode(mode)).unwrap();
            let found = read(file.path(), &source);
            if readable {
                assert_eq!(found, Ok(Some("right".into())), "{mode:o}");
            } else {
                let error = found.unwrap_err();
                assert!(error.contains("chmod 600") && !error.contains("right"), "{error}");
            }
        }
        assert_eq!(read(Path::new("/dev/null"), &source), Ok(None));
        assert!(read(Path::new("/nowhere"), &source).unwrap_err().contains("cannot be read"));
    }
}
