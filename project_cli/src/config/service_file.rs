//! Services by name, as libpq keeps them: `[name]`, and below it `host=...` and the like, a line each.

use url::form_urlencoded::Serializer;

/// The URI of a service. The error completes a sentence that begins with the service and its file.
pub(super) fn uri(text: &str, service: &str) -> Result<String, String> {
    let header = format!("[{service}]");
    let lines = text.lines().map(str::trim).enumerate();
    let mut lines = lines.skip_while(|(_, line)| *line != header);
    lines.next().ok_or("does not exist")?;
    let mut found = Service::default();
    for (at, line) in lines.take_while(|(_, line)| !line.starts_with('[')) {
        if !line.is_empty() && !line.starts_with('#') {
            found.take(line).map_err(|what| format!("{what} (line {})", at + 1))?;
        }
    }
    Ok(found.uri())
}

#[derive(Default)]
struct Service {
    user: String,
    password: String,
    database: String,
    parameters: Vec<(String, String)>,
}

impl Service {
    /// The value of a line stays out of every message.
    fn take(&mut self, line: &str) -> Result<(), String> {
        let (key, value) = line.split_once('=').ok_or("has a line that is not key=value")?;
        match key {
            "user" => self.user = value.to_owned(),
            "password" => self.password = value.to_owned(),
            "dbname" => self.database = value.to_owned(),
            "host" | "port" | "sslmode" | "sslrootcert" | "options" | "application_name" | "connect_timeout"
            | "client_encoding" => self.parameters.push((key.to_owned(), value.to_owned())),
            _ => {
                return Err(format!(
                    "has the key \"{key}\", which is not known; use host, port, dbname, user, password, sslmode, sslrootcert or options"
                ));
            }
        }
        Ok(())
    }

    fn uri(&self) -> String {
        let encoded =
            |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let password = if self.password.is_empty() { String::new() } else { format!(":{}", encoded(&self.password)) };
        let parameters = Serializer::new(String::new()).extend_pairs(&self.parameters).finish();
        // An address of any kind fits into the parameter; this host only makes room for the user.
        format!("postgres://{}{password}@localhost/{}?{parameters}", encoded(&self.user), encoded(&self.database))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

    use super::uri;
    use project_postgres::{ConnectionDefaults, ConnectionSettings};

    const FILE: &str = "# ours\n[other]\nhost=wrong\n\n[shop]\n# the replica\nhost=db.example\nport=6543\ndbname=my shop\n\
                        user=a@b\npassword=s3cret/?#@=\nsslmode=verify-full\nsslrootcert=/etc/my ca.pem\n[last]\nuser=ann\n";

    #[test]
    fn a_service_is_what_stands_below_its_name() {
        let parse = |uri: &str| ConnectionSettings::parse(uri, &ConnectionDefaults::default()).unwrap();
        let expected = "postgres://a%40b:s3cret%2F%3F%23%40%3D@db.example:6543/my%20shop?sslmode=verify-full&sslrootcert=/etc/my%20ca.pem";
        assert_eq!(parse(&uri(FILE, "shop").unwrap()), parse(expected));
        assert_eq!(parse(&uri(FILE, "last").unwrap()), parse("postgres://ann@localhost"));
        assert_eq!(parse(&uri("[a]\nuser=b\nhost=/sockets", "a").unwrap()), parse("postgres://b@%2Fsockets"));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line_and_its_value_is_not() {
        assert_eq!(uri(FILE, "shops").unwrap_err(), "does not exist");
        for (line, what) in
            [("pasword=s3cret", "the key \"pasword\""), ("s3cret", "not key=value"), ("service=s3cret", "\"service\"")]
        {
            let error = uri(&format!("[shop]\n\n{line}\n"), "shop").unwrap_err();
            assert!(error.contains(what) && error.ends_with("(line 3)") && !error.contains("s3cret"), "{error}");
        }
    }
}
