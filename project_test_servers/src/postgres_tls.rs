//! TLS for a test's own Postgres, turned on while it runs.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::certificates::Issued;
use crate::postgres::{Database, Postgres};

const PATIENCE: Duration = Duration::from_secs(10);

impl Postgres {
    /// Shows this certificate to every client from now on. `name` is new for each call.
    ///
    /// # Errors
    /// When the server does not take it.
    pub fn turn_tls_on(&self, name: &str, issued: &Issued) -> Result<()> {
        let database = Database::create(self)?;
        // The server writes the files itself: they must belong to its user, whoever that is.
        for (text, ending) in [(&issued.certificate, "crt"), (&issued.key, "key")] {
            database.execute(&format!(
                "COPY (SELECT unnest(string_to_array($pem${text}$pem$, E'\\n')))
                 TO PROGRAM 'umask 077; cat > {name}.{ending}'"
            ))?;
        }
        database.execute(&format!("ALTER SYSTEM SET ssl_cert_file = '{name}.crt'"))?;
        database.execute(&format!("ALTER SYSTEM SET ssl_key_file = '{name}.key'"))?;
        database.execute("ALTER SYSTEM SET ssl = on")?;
        database.execute("SELECT pg_reload_conf()")?;
        let end = Instant::now() + PATIENCE;
        let wanted = vec![vec![Some("on".to_owned()), Some(format!("{name}.crt"))]];
        // A new connection has the settings that its server process has.
        while database.query_text("SELECT current_setting('ssl'), current_setting('ssl_cert_file')")? != wanted {
            ensure!(Instant::now() < end, "the server does not take the certificate {name}");
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}
