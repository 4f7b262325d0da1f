//! Somebody else at a server.

use anyhow::{Context, Result};
use project_test_servers::postgres::{Database, Postgres};
use std::io::Write;
use std::process::{Child, Command, Stdio};

/// Dropping it ends the session and with it what it holds.
pub(crate) struct OtherSession(Child);

impl OtherSession {
    /// Begins with this SQL and does nothing more.
    pub(crate) fn start(database: &Database<'_>, sql: &str) -> Result<Self> {
        Self::start_on(database.server(), database.name(), sql)
    }

    /// The same on another server that has this database.
    pub(crate) fn start_on(server: &Postgres, database: &str, sql: &str) -> Result<Self> {
        let mut psql = Command::new(server.programs().join("psql"));
        psql.args(["-Xq", "-d", &server.uri(database)]).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut session = Self(psql.spawn().context("cannot run psql")?);
        writeln!(session.0.stdin.as_mut().context("the input of psql")?, "{sql};")?;
        Ok(session)
    }
}

impl Drop for OtherSession {
    fn drop(&mut self) {
        // The end of its input ends it in good order, so that the server knows of it at once.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
