//! Every way the program can be told what to do, with all that it needs to do it.

use project_aws::AwsSettings;
use project_publish::Gate;
use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use project_partition_dates::DateWindow;
use project_postgres::{Choices, ConnectionSettings};

use crate::config::files::{Extra, FollowUp, Insertion};
use crate::config::outputs::Outputs;
use crate::config::retries::Retries;
use crate::output::ResultFormat;
use crate::table_names::TableSelector;

/// What the program is asked to do.
#[derive(Debug)]
pub(crate) enum Invocation {
    /// Print this text.
    Help(String),
    /// Print this text.
    Version(String),
    /// Print the tasks.
    List(ListConfig),
    /// Show what a run would read and write.
    Check(Box<CheckConfig>),
    /// Query a lake.
    Query(Box<QueryConfig>),
    /// Look after the runs of a lake.
    Lake(Box<LakeConfig>),
    /// Read tables and publish them.
    Run(Box<RunConfig>),
}

/// `project list`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ListConfig {
    /// How the list is printed.
    pub(crate) format: ResultFormat,
    /// What is told meanwhile.
    pub(crate) messages: Messages,
}

/// `project query`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct QueryConfig {
    /// The statement.
    pub(crate) sql: String,
    /// The lake it is about.
    pub(crate) lake: Lake,
    /// How the rows are printed.
    pub(crate) format: ResultFormat,
    /// What is told meanwhile.
    pub(crate) messages: Messages,
}

/// The lake that is queried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lake {
    /// A folder, for the embedded engine.
    Local(PathBuf),
    /// A Glue database, for Athena.
    Athena(AthenaSettings),
}

/// What a query in Athena needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AthenaSettings {
    /// Region and form of addresses.
    pub(crate) aws: AwsSettings,
    /// The Glue database that names without a database are looked up in.
    pub(crate) database: String,
    /// The workgroup.
    pub(crate) workgroup: String,
    /// Where results go, when the workgroup does not say it.
    pub(crate) output: Option<String>,
}

/// A look at what a run would do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CheckConfig {
    /// The database.
    pub(crate) source: ConnectionSettings,
    /// What would be read, as it was asked for.
    pub(crate) tables: Vec<TableSelector>,
    /// Columns, rows and policies.
    pub(crate) choices: Choices,
    /// How the columns are printed.
    pub(crate) format: ResultFormat,
    /// What is told meanwhile.
    pub(crate) messages: Messages,
}

/// A run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RunConfig {
    /// The database; there is none when no table is read.
    pub(crate) source: Option<ConnectionSettings>,
    /// What is read, as it was asked for.
    pub(crate) tables: Vec<TableSelector>,
    /// The files that become a table.
    pub(crate) extra: Option<Extra>,
    /// The rows that go into a database in the end.
    pub(crate) insertion: Option<Insertion>,
    /// The Job that is started in the end.
    pub(crate) follow_up: Option<FollowUp>,
    /// The dates of tasks that are cut by date; all of them when there is none.
    pub(crate) window: Option<DateWindow>,
    /// How many rows of a table may be put aside that the lake cannot hold.
    pub(crate) rejects: Option<u64>,
    /// Columns, rows and policies.
    pub(crate) choices: Arc<Choices>,
    /// Whether finished files are compared with the table, column by column, before anything is published.
    pub(crate) verify: bool,
    /// Whether all tables show one moment; `--no-snapshot` says no.
    pub(crate) snapshot: bool,
    /// After this reading stops, so that the server can clean up again.
    pub(crate) max_snapshot_age: Option<Duration>,
    /// Where it goes.
    pub(crate) destination: Location,
    /// Whether anything is published; `--no-upload` says no.
    pub(crate) publish: bool,
    /// Rows per request to the database.
    pub(crate) fetch_size: NonZeroU32,
    /// Connections that read at the same time.
    pub(crate) workers: usize,
    /// Bytes for reading, encoding and row groups of all workers together.
    pub(crate) memory: u64,
    /// Bytes that the control group of this process may use, if it has a limit.
    pub(crate) memory_limit: Option<u64>,
    /// What is done about a snapshot that was lost.
    pub(crate) retries: Retries,
    /// Longest silence of the database while it is read, if somebody has said it.
    pub(crate) read_timeout: Option<Duration>,
    /// GZIP level, 1 to 9.
    pub(crate) gzip_level: u32,
    /// Where unfinished files lie.
    pub(crate) scratch: PathBuf,
    /// How tables of an S3 destination that is published to become known to Glue.
    pub(crate) cataloguing: Option<Cataloguing>,
    /// What may be published in place of what is there.
    pub(crate) gate: Gate,
    /// Region and form of addresses.
    pub(crate) aws: AwsSettings,
    /// Whether the report is printed as JSON to standard output.
    pub(crate) json_report: bool,
    /// Who else is told what came of it.
    pub(crate) outputs: Outputs,
    /// What is told meanwhile.
    pub(crate) messages: Messages,
}

/// A text that does not show itself.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SecretText(String);

impl SecretText {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for the code that needs it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// A place for files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// `s3://bucket/prefix`, without a slash at its end.
    S3(String),
    /// A folder.
    Local(PathBuf),
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3(url) => formatter.write_str(url),
            Self::Local(folder) => folder.display().fmt(formatter),
        }
    }
}

/// `project runs`, `project rollback` and `project gc`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LakeConfig {
    /// What is done.
    pub(crate) action: LakeAction,
    /// The lake.
    pub(crate) destination: Location,
    /// Region and form of addresses.
    pub(crate) aws: AwsSettings,
    /// The Glue database, when it is not the one that the manifests name.
    pub(crate) database: Option<String>,
    /// How the list is printed.
    pub(crate) format: ResultFormat,
    /// What is told meanwhile.
    pub(crate) messages: Messages,
}

/// What is done with the runs of a lake.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LakeAction {
    /// List them.
    Runs,
    /// Show an earlier one.
    RollBack {
        /// The table's folder.
        table: String,
        /// The run; the one before when there is none.
        to: Option<String>,
    },
    /// Remove what nobody needs.
    Gc {
        /// Runs of each table that stay.
        keep_runs: usize,
        /// Younger runs stay whatever they are.
        grace: Duration,
    },
}

/// How tables in a bucket become known to Glue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cataloguing {
    /// Each table's files are replaced, and a crawler looks at them.
    Crawler(CrawlerSettings),
    /// Each table of this database is switched to the files of the run.
    Catalog {
        /// The Glue database.
        database: String,
    },
}

/// The crawler and what is expected of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CrawlerSettings {
    /// The Glue database of the tables.
    pub(crate) database: String,
    /// Its name.
    pub(crate) name: String,
    /// The role it gets when it has to be created.
    pub(crate) role: Option<String>,
    /// How long it is waited for; `None` only starts it.
    pub(crate) wait: Option<Duration>,
}

/// What is told on standard error, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Messages {
    /// How much.
    pub(crate) level: MessageLevel,
    /// Lines for people or JSON for machines.
    pub(crate) json: bool,
    /// Whether lines may be coloured.
    pub(crate) color: bool,
    /// How the progress of tasks is shown.
    pub(crate) progress: ProgressMode,
}

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MessageLevel {
    /// Errors only.
    Quiet,
    /// What a run does.
    Normal,
    /// `-v`.
    Debug,
    /// `-vv`.
    Trace,
}

/// How the progress of tasks is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProgressMode {
    /// A line for each task, redrawn in place.
    Bars,
    /// A line now and then.
    Lines,
    /// Not at all.
    Silent,
}
