//! A primary and a hot standby of it, made by `pg_basebackup` and fed by streaming, both for one test alone.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::postgres::Postgres;

const REPLAY_DEADLINE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

/// What a primary needs in order to feed a standby; a throw-away server on its own does without.
const PRIMARY: [&str; 2] = ["--set=wal_level=replica", "--set=max_wal_senders=4"];

/// Both servers. Dropping it ends them, the standby first, and removes their data; so does the end of this process.
#[derive(Debug)]
pub struct HotStandby {
    standby: Postgres,
    primary: Postgres,
}

impl HotStandby {
    /// Starts both and waits until the standby answers. `settings` are the standby's own, for example
    /// `("max_standby_streaming_delay", "1s")`.
    ///
    /// # Errors
    /// When one of them does not start; the message holds its log.
    pub fn start(settings: &[(&str, &str)]) -> Result<Self> {
        let primary = Postgres::start_with(&PRIMARY.map(str::to_owned))?;
        let mut options = vec![format!("--standby-of={}", primary.port())];
        options.extend(settings.iter().map(|(name, value)| format!("--set={name}={value}")));
        let standby = Postgres::start_with(&options)?;
        Ok(Self { standby, primary })
    }

    /// The server that takes writes; make databases here.
    #[must_use]
    pub fn primary(&self) -> &Postgres {
        &self.primary
    }

    /// The server that only reads; every database of the primary appears on it.
    #[must_use]
    pub fn standby(&self) -> &Postgres {
        &self.standby
    }

    /// Waits until the standby shows everything that was committed on the primary before this call.
    ///
    /// # Errors
    /// When it does not catch up in time, for example because a query on the standby holds replay up.
    pub fn wait_until_replayed(&self) -> Result<()> {
        // A commit that waits for the log: those before it, which do not wait, are in the log then as well.
        let flush = "SET synchronous_commit = on;\nSELECT pg_logical_emit_message(true, 'wait', '');\n";
        self.primary.psql("postgres", &[], flush)?;
        let written = self.only_value(&self.primary, "SELECT pg_current_wal_flush_lsn()")?;
        let replayed = format!("SELECT pg_last_wal_replay_lsn() >= '{written}'");
        let end = Instant::now() + REPLAY_DEADLINE;
        while self.only_value(&self.standby, &replayed)? != "t" {
            ensure!(Instant::now() < end, "the standby has not replayed {written} in {REPLAY_DEADLINE:?}");
            sleep(POLL);
        }
        Ok(())
    }

    fn only_value(&self, server: &Postgres, query: &str) -> Result<String> {
        let rows = server.query_text("postgres", query)?;
        rows.into_iter().flatten().next().flatten().with_context(|| format!("no answer to {query}"))
    }
}
