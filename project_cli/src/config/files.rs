//! What a run takes in besides the database, what goes back into one, and what follows.

use crate::config::{ConfigError, Lake, Location, lake, location, source, time};
use crate::setting::{Setting, Settings};
use crate::table_names::{self, TableSelector};
use project_insert_data::Mode;
use project_kube::JobSource;
use project_parquet::lake_name;
use project_postgres::{ConnectionSettings, TableName};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Long enough for most reports.
const DEFAULT_THEN_TIMEOUT: Duration = Duration::from_secs(3600);

/// What `--file` begins with when it is no file.
const QUERY: &str = "query:";

/// Files that become a table of the lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extra {
    /// One file, or all below a folder.
    pub(crate) input: Location,
    /// The table's folder in the lake.
    pub(crate) table: String,
    /// The file with the types of its columns.
    pub(crate) schema: Option<PathBuf>,
}

/// Rows that go into a table of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Insertion {
    /// Where they come from.
    pub(crate) rows: InsertedRows,
    /// The table.
    pub(crate) into: TableName,
    /// The columns that tell its rows apart; its primary key when there are none.
    pub(crate) key: Vec<String>,
    /// What becomes of rows that are there.
    pub(crate) mode: Mode,
    /// The database.
    pub(crate) target: ConnectionSettings,
    /// The database that the variables name as the source, whether this run reads it or not.
    pub(crate) usual_source: Option<ConnectionSettings>,
}

impl Insertion {
    /// Refuses a target that is the database that is read: `source`, else the usual one.
    pub(crate) fn spares(&self, source: Option<&ConnectionSettings>) -> Result<(), ConfigError> {
        match source.or(self.usual_source.as_ref()) {
            Some(source) if is_same_database(source, &self.target) => Err(ConfigError::configuration(format!(
                "TARGET_DATABASE_URL names the source itself, {}: the database that is read is never written to; name \
                 another one",
                self.target
            ))),
            _ => Ok(()),
        }
    }
}

/// By host, port and database as they were written. Another name for the same server is not noticed.
fn is_same_database(one: &ConnectionSettings, other: &ConnectionSettings) -> bool {
    let place = |database: &ConnectionSettings| {
        let local = |host: String| match host.trim_matches(['[', ']']) {
            "127.0.0.1" | "::1" => "localhost".to_owned(),
            _ => host,
        };
        let mut hosts: Vec<String> = database.host_names().into_iter().map(local).collect();
        hosts.sort();
        (hosts, database.port(), database.database().to_owned())
    };
    place(one) == place(other)
}

/// Where rows come from that go into a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InsertedRows {
    /// A file.
    File(Location),
    /// What the lake answers.
    Query {
        /// The statement.
        sql: String,
        /// The lake that is asked.
        lake: Lake,
    },
}

impl fmt::Display for InsertedRows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(place) => place.fmt(formatter),
            Self::Query { .. } => formatter.write_str("the query's result"),
        }
    }
}

/// A Job in Kubernetes that is started after the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FollowUp {
    /// What it is made from.
    pub(crate) job: JobSource,
    /// How long it may take.
    pub(crate) timeout: Duration,
}

/// A table from files, if one was asked for.
pub(super) fn extra(settings: &Settings<'_>) -> Result<Option<Extra>, ConfigError> {
    let Some(setting) = settings.get("extra")? else {
        return alone(settings, "extra", &["as", "extra-schema"]).map(|()| None);
    };
    let input = location(&setting)?;
    let table = match settings.get("as")? {
        Some(name) => folder(&name, &name.value)?,
        None => folder(&setting, stem(&setting.value))?,
    };
    Ok(Some(Extra { input, table, schema: settings.value("extra-schema")?.map(PathBuf::from) }))
}

/// What goes back into a database, if anything does.
pub(super) fn insertion(settings: &Settings<'_>) -> Result<Option<Insertion>, ConfigError> {
    let Some(setting) = settings.get("file")? else {
        return alone(settings, "file", &["into", "key", "mode"]).map(|()| None);
    };
    let rows = match setting.value.strip_prefix(QUERY) {
        Some(sql) if sql.trim().is_empty() => return Err(setting.wrong("needs the SQL after query:")),
        Some(sql) => InsertedRows::Query { sql: sql.to_owned(), lake: lake(settings)? },
        None => InsertedRows::File(location(&setting)?),
    };
    if settings.switch("no-upload")? && (settings.get("table")?.is_some() || settings.get("extra")?.is_some()) {
        return Err(ConfigError::usage(
            "--file cannot be used together with --no-upload and --table or --extra: what the lake answers would be older \
             than what was read; leave out --no-upload, or run --file alone",
        ));
    }
    let modes = [("insert", Mode::Insert), ("upsert", Mode::Upsert), ("replace", Mode::Replace)];
    Ok(Some(Insertion {
        rows,
        into: into(settings)?,
        key: settings.get("key")?.map_or_else(|| Ok(Vec::new()), |key| columns(&key))?,
        mode: settings.one_of("mode", &modes)?.unwrap_or(Mode::Insert),
        target: source::target(settings)?,
        // A run without tables needs none.
        usual_source: source::source(None, settings).ok(),
    }))
}

/// What is started in the end, if anything is.
pub(super) fn follow_up(settings: &Settings<'_>) -> Result<Option<FollowUp>, ConfigError> {
    let Some(job) = settings.value("then")? else {
        return alone(settings, "then", &["then-timeout"]).map(|()| None);
    };
    if settings.switch("no-upload")? {
        return Err(ConfigError::usage(
            "--then cannot be used together with --no-upload: nothing is published that a Job could follow",
        ));
    }
    let is_file = job.contains('/') || [".yaml", ".yml", ".json"].iter().any(|ending| job.ends_with(ending));
    Ok(Some(FollowUp {
        job: if is_file { JobSource::Template(PathBuf::from(job)) } else { JobSource::CronJob(job) },
        timeout: time(settings, "then-timeout")?.unwrap_or(DEFAULT_THEN_TIMEOUT),
    }))
}

/// Refuses settings that say nothing without another one.
fn alone(settings: &Settings<'_>, needed: &str, others: &[&str]) -> Result<(), ConfigError> {
    for other in others {
        if let Some(setting) = settings.get(other)? {
            return Err(setting.wrong(&format!("says nothing without --{needed}")));
        }
    }
    Ok(())
}

/// The table's name in the lake, made from what was given in `setting`.
fn folder(setting: &Setting, name: &str) -> Result<String, ConfigError> {
    let table = lake_name(name);
    if table.is_empty() || table.starts_with('_') {
        // Readers of a lake take such a folder for hidden.
        return Err(setting.wrong("gives no name for a table, or one that begins with '_'; name it with --as=<table>"));
    }
    Ok(table)
}

/// The last part of a path without its endings, of which `.gz` may be a second one.
fn stem(path: &str) -> &str {
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let name = name.strip_suffix(".gz").unwrap_or(name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

fn into(settings: &Settings<'_>) -> Result<TableName, ConfigError> {
    let missing =
        "--into (or the variable PROJECT_INTO) is missing: it names the table that the rows of --file go into";
    let setting = settings.get("into")?.ok_or_else(|| ConfigError::configuration(missing))?;
    let names =
        table_names::parse(&setting.value).map_err(|error| setting.wrong(&format!("cannot be read: {error}")))?;
    match names.as_slice() {
        [TableSelector::Table { schema, table }] => Ok(TableName::new(schema, table)),
        _ => Err(setting.wrong("must be one table of the target database, written schema.table")),
    }
}

fn columns(setting: &Setting) -> Result<Vec<String>, ConfigError> {
    let names =
        table_names::parse(&setting.value).map_err(|error| setting.wrong(&format!("cannot be read: {error}")))?;
    let column = |name| match name {
        TableSelector::Name(name) => Ok(name),
        _ => Err(setting.wrong("must be columns with commas between them; one with a dot stands in double quotes")),
    };
    names.into_iter().map(column).collect()
}
