//! Refusals that a caller must tell apart; all else is a failure of the store.

use crate::manifest::Mode;
use thiserror::Error;

/// Why something was not published. Nothing has changed when this is returned.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PublishError {
    /// The number of rows fell further than is allowed.
    #[error(
        "{table} has {rows} rows{within} and the published run {previous_run} has {previous_rows}; nothing was published: \
         look at the table, then allow it with --max-shrink=<PERCENT> or --force"
    )]
    Shrunk {
        /// The table's folder.
        table: String,
        /// Rows of the new run.
        rows: u64,
        /// Rows of the run that readers see.
        previous_rows: u64,
        /// That run.
        previous_run: String,
        /// ` in the dates 2026-01-01 to 2026-01-31`, or nothing.
        within: String,
    },
    /// Readers see a newer moment already.
    #[error(
        "{table} shows run {published}, whose snapshot ({published_at}) is newer than the one of this run ({taken_at}); \
         nothing was changed: run it again, or take an older run back with project rollback"
    )]
    Older {
        /// The table's folder.
        table: String,
        /// The run that readers see.
        published: String,
        /// Its moment.
        published_at: String,
        /// The moment of this run.
        taken_at: String,
    },
    /// Another run has published the table since this one looked.
    #[error("another run published {table} at the same time{by}; this one changed nothing of it: run it again")]
    Overtaken {
        /// The table's folder.
        table: String,
        /// ` (run …)`, if that is known.
        by: String,
    },
    /// The place belongs to somebody else.
    #[error(
        "{table} was not made by a run of project that keeps runs (a crawler may have made it); \
         give another --upload or --glue-database, or take it over with --force"
    )]
    Foreign {
        /// The table's folder.
        table: String,
    },
    /// The table shows what something else is read from.
    #[error(
        "{table} shows what {theirs} has written, and this is {ours}; nothing was changed: give the new table another name \
         (--as, if it is that of --extra), or take the old one over with --force"
    )]
    OtherSource {
        /// The table's folder.
        table: String,
        /// The task of the run that readers see.
        theirs: String,
        /// The task of this run.
        ours: String,
    },
    /// Something that no run made stands where a table's link should be.
    #[error("{0} exists and is not a link made by project; move it away, or choose another --upload folder")]
    Occupied(String),
    /// A destination keeps its mode.
    #[error(
        "{place} was published with --publish={found} and not with --publish={asked}; publish there in the same way, \
         choose another --upload, or change the mode of the whole lake with --force"
    )]
    OtherMode {
        /// The destination.
        place: String,
        /// The mode of its newest run.
        found: Mode,
        /// The mode that was asked for.
        asked: Mode,
    },
    /// There is nothing to go back to.
    #[error("{0}")]
    NoSuchRun(String),
    /// The files of a run are not those of its manifest any more.
    #[error("run {run} cannot be shown again: {object} {fault}; choose another run, see project runs")]
    Damaged {
        /// The run.
        run: String,
        /// The key.
        object: String,
        /// What is wrong with it.
        fault: String,
    },
    /// A partition of the published run would have to be carried over and nobody knows its files.
    #[error(
        "{table} shows run {run}, and no manifest in _runs tells its files, so that the dates outside of --from and --to \
         cannot be carried over; publish the whole table once, without --from and --to"
    )]
    NothingToCarry {
        /// The table's folder.
        table: String,
        /// The run that readers see.
        run: String,
    },
}
