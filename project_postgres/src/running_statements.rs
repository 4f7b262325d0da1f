//! Ending our own statements at the server, for readers that cannot be told to stop.

use crate::source::Source;
use crate::source_error::SourceError;

/// The statements of every session of this run; a role may always cancel its own.
const CANCEL: &str = "SELECT pg_catalog.pg_cancel_backend(pid) FROM pg_catalog.pg_stat_activity \
     WHERE application_name = pg_catalog.current_setting('application_name') AND usename = current_user \
     AND state = 'active' AND pid <> pg_catalog.pg_backend_pid()";

impl Source {
    /// Ends what the server is doing for this run at this moment; the readers then fail.
    ///
    /// # Errors
    /// [`SourceError`] when the server cannot be reached.
    pub async fn cancel_statements(&self) -> Result<(), SourceError> {
        let mut connection = self.connect_plain().await?;
        self.execute(&mut connection, CANCEL, "cannot cancel our statements").await
    }
}
