//! What the program is told to do, complete and checked: command line, then environment, then default, and beside them
//! the file that `--config` names.
//!
//! This is the only file that reads the environment (the AWS SDK reads its own variables).

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use chrono::{NaiveDate, Utc};
use project_postgres::Choices;

use crate::args::{self, Args, CommandLine, Verb};
use crate::memory_limit;
use crate::output::ResultFormat;
use crate::setting::{Setting, Settings};
use crate::table_names::{self, TableSelector};
use project_aws::AwsSettings;

mod dates;
mod files;
mod invocation;
mod memory;
mod outputs;
mod password_file;
mod policies;
mod project_file;
mod publishing;
mod retries;
mod service_file;
mod source;
mod sql_condition;

pub(crate) use self::files::{Extra, FollowUp, InsertedRows, Insertion};
#[cfg(test)]
pub(crate) use self::invocation::SecretText;
pub(crate) use self::invocation::{
    AthenaSettings, Cataloguing, CheckConfig, CrawlerSettings, Invocation, Lake, LakeAction, LakeConfig, ListConfig,
    Location, MessageLevel, Messages, ProgressMode, QueryConfig, RunConfig,
};
pub(crate) use self::outputs::{Outputs, Pushgateway, ReportFile, Sentry};
pub(crate) use self::retries::Retries;

/// Measured on TPC-H lineitem, client CPU time of the whole run: level 1 150.4 MB in 4.2 s, level 2 148.5 MB in 4.4 s,
/// level 4 146.5 MB in 5.5 s, level 6 144.7 MB in 8.3 s.
pub(crate) const DEFAULT_GZIP_LEVEL: u32 = 1;

/// Rows per request to the database, as the help text says.
pub(crate) const DEFAULT_FETCH_SIZE: u32 = 1000;

/// A crawl of a few hundred new partitions takes minutes; one that takes longer than this is stuck.
pub(crate) const DEFAULT_CRAWLER_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// More connections than this are a slip of the fingers; the server has other guests.
const MAX_WORKERS: u32 = 256;

const DEFAULT_LAKE: &str = "lake";
const DEFAULT_WORKGROUP: &str = "primary";

/// What is outside of the command line: variables, whether somebody watches, and what the system grants.
pub(crate) struct Environment<'a> {
    /// The value of a variable.
    pub(crate) variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// Whether standard error is a terminal.
    pub(crate) stderr_is_terminal: bool,
    /// Bytes of memory that the control group of this process may use, if it has a limit.
    pub(crate) memory_limit: Option<u64>,
    /// The day of the start, in UTC.
    pub(crate) today: NaiveDate,
}

impl Environment<'_> {
    /// The environment of this process.
    pub(crate) fn of_this_process() -> Environment<'static> {
        Environment {
            variable: &|name| env::var_os(name),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            memory_limit: memory_limit::of_this_process(),
            today: Utc::now().date_naive(),
        }
    }
}

/// A configuration that cannot be used, with the exit code that says who has to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigError {
    /// 2 when the command line is wrong, 78 when a variable is wrong or something is missing.
    pub(crate) exit: u8,
    /// One sentence that names the flag or the variable.
    pub(crate) message: String,
}

impl ConfigError {
    /// The command line is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: 2, message: message.into() }
    }

    /// A variable is wrong, or a setting is missing.
    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self { exit: 78, message: message.into() }
    }
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}

/// Reads the command line (without the program's name) and the environment.
pub(crate) fn invocation(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &Environment<'_>,
) -> Result<Invocation, ConfigError> {
    let args = match args::parse(arguments).map_err(|error| ConfigError::usage(error.to_string()))? {
        CommandLine::Help => return Ok(Invocation::Help(args::USAGE.to_owned())),
        CommandLine::Version => return Ok(Invocation::Version(args::VERSION.to_owned())),
        CommandLine::Args(args) => args,
    };
    let settings = Settings::new(&args, environment.variable);
    let messages = messages(&settings, environment)?;
    Ok(match &args.verb {
        Some(Verb::List) => Invocation::List(ListConfig { format: result_format(&settings)?, messages }),
        Some(Verb::Check) => Invocation::Check(Box::new(check(&args, &settings, messages)?)),
        Some(Verb::Query(sql)) => Invocation::Query(Box::new(query(sql, &settings, messages)?)),
        Some(verb @ (Verb::Runs | Verb::RollBack | Verb::Gc)) => {
            Invocation::Lake(Box::new(publishing::lake(verb, &settings, messages)?))
        }
        None => Invocation::Run(Box::new(run(&args, &settings, environment, messages)?)),
    })
}

fn check(args: &Args, settings: &Settings<'_>, messages: Messages) -> Result<CheckConfig, ConfigError> {
    Ok(CheckConfig {
        source: source::source(args.uri.as_deref(), settings)?,
        tables: tables(settings)?,
        choices: choices(settings)?,
        format: result_format(settings)?,
        messages,
    })
}

/// What somebody has chosen of columns, rows and policies.
fn choices(settings: &Settings<'_>) -> Result<Choices, ConfigError> {
    let file = settings.get("config")?;
    Ok(Choices {
        policies: policies::policies(|name| settings.get(name))?,
        tables: file.map_or_else(|| Ok(BTreeMap::new()), |file| project_file::read(&file))?,
    })
}

fn query(sql: &str, settings: &Settings<'_>, messages: Messages) -> Result<QueryConfig, ConfigError> {
    Ok(QueryConfig { sql: sql.to_owned(), lake: lake(settings)?, format: result_format(settings)?, messages })
}

/// The lake of `--upload`, as something that can be asked.
fn lake(settings: &Settings<'_>) -> Result<Lake, ConfigError> {
    Ok(match destination(settings)? {
        Location::Local(folder) => Lake::Local(folder),
        Location::S3(_) => Lake::Athena(AthenaSettings {
            aws: aws(settings)?,
            database: settings.needed("glue-database", "a query on s3:// asks Athena")?,
            workgroup: settings.value("athena-workgroup")?.unwrap_or_else(|| DEFAULT_WORKGROUP.to_owned()),
            output: settings.get("athena-output")?.map(|output| s3_url(&output)).transpose()?,
        }),
    })
}

fn run(
    args: &Args,
    settings: &Settings<'_>,
    environment: &Environment<'_>,
    messages: Messages,
) -> Result<RunConfig, ConfigError> {
    let destination = destination(settings)?;
    let publish = !settings.switch("no-upload")?;
    let (extra, insertion) = (files::extra(settings)?, files::insertion(settings)?);
    let tables = match settings.get("table")? {
        None if extra.is_some() || insertion.is_some() => Vec::new(),
        _ => tables(settings)?,
    };
    let outputs = outputs::outputs(settings, extra.as_ref(), insertion.as_ref())?;
    let publishes = publish && (extra.is_some() || !tables.is_empty());
    Ok(RunConfig {
        source: match &args.uri {
            None if tables.is_empty() => None,
            uri => Some(source::source(uri.as_deref(), settings)?),
        },
        tables,
        extra,
        insertion,
        follow_up: files::follow_up(settings)?,
        window: dates::window(settings, environment.today)?,
        rejects: rejects(settings)?,
        choices: Arc::new(choices(settings)?),
        verify: settings.switch("verify")?,
        cataloguing: match &destination {
            Location::S3(_) if publishes => Some(publishing::cataloguing(settings)?),
            _ => None,
        },
        gate: publishing::gate(settings)?,
        snapshot: snapshot(settings)?,
        max_snapshot_age: time(settings, "max-snapshot-age")?,
        destination,
        publish,
        fetch_size: settings.number("limit", 1, u32::MAX)?.and_then(NonZeroU32::new).unwrap_or(FETCH_SIZE),
        workers: match settings.number("workers", 1, MAX_WORKERS)? {
            Some(workers) => usize::try_from(workers).unwrap_or(1),
            None => available_parallelism().map_or(1, NonZeroUsize::get),
        },
        memory: memory::memory(settings, environment.memory_limit)?,
        memory_limit: environment.memory_limit,
        retries: retries::retries(settings)?,
        read_timeout: time(settings, "read-timeout")?,
        gzip_level: settings.number("gzip-level", 1, 9)?.unwrap_or(DEFAULT_GZIP_LEVEL),
        scratch: settings.value("scratch")?.map_or_else(env::temp_dir, PathBuf::from),
        aws: aws(settings)?,
        json_report: json_report(settings)?,
        outputs,
        messages,
    })
}

/// A window replaces some dates of a table, and nobody could say which of its rejects belong to them.
fn rejects(settings: &Settings<'_>) -> Result<Option<u64>, ConfigError> {
    let Some(setting) = settings.get("rejects")? else { return Ok(None) };
    if settings.get("from")?.or(settings.get("to")?).is_some() {
        return Err(
            setting.wrong("cannot be used together with --from or --to: the table of rejects belongs to whole tables")
        );
    }
    settings.number("rejects", 0, MOST_REJECTS).map(|most| most.map(u64::from))
}

/// They are kept in memory until the table is read.
const MOST_REJECTS: u32 = 1_000_000;

const FETCH_SIZE: NonZeroU32 = match NonZeroU32::new(DEFAULT_FETCH_SIZE) {
    Some(size) => size,
    None => NonZeroU32::MIN,
};

fn tables(settings: &Settings<'_>) -> Result<Vec<TableSelector>, ConfigError> {
    let Some(setting) = settings.get("table")? else {
        return Ok(vec![TableSelector::Name("all".into())]);
    };
    table_names::parse(&setting.value).map_err(|error| setting.wrong(&format!("cannot be read: {error}")))
}

fn destination(settings: &Settings<'_>) -> Result<Location, ConfigError> {
    settings
        .get("upload")?
        .map_or_else(|| Ok(Location::Local(PathBuf::from(DEFAULT_LAKE))), |setting| location(&setting))
}

fn location(setting: &Setting) -> Result<Location, ConfigError> {
    if setting.value.starts_with("s3:") {
        return s3_url(setting).map(Location::S3);
    }
    if let Some(folder) = setting.value.strip_prefix("file://") {
        if !folder.starts_with('/') {
            return Err(setting.wrong("must name an absolute path after file://, as in file:///srv/lake"));
        }
        let url = url::Url::parse(&setting.value).ok().and_then(|url| url.to_file_path().ok());
        return url.map(Location::Local).ok_or_else(|| setting.wrong("is not a file:// URL"));
    }
    if setting.value.contains("://") {
        return Err(setting.wrong("must be s3://bucket/prefix, file:///path or a path"));
    }
    Ok(Location::Local(PathBuf::from(&setting.value)))
}

fn s3_url(setting: &Setting) -> Result<String, ConfigError> {
    let bucket = setting.value.strip_prefix("s3://").and_then(|rest| rest.split('/').next());
    match bucket {
        Some(bucket) if !bucket.is_empty() => Ok(setting.value.trim_end_matches('/').to_owned()),
        _ => Err(setting.wrong("must be s3://bucket or s3://bucket/prefix")),
    }
}

/// What is compared must be of one moment.
fn snapshot(settings: &Settings<'_>) -> Result<bool, ConfigError> {
    let without = settings.switch("no-snapshot")?;
    for needing in ["verify", "max-snapshot-age"] {
        let given = if needing == "verify" { settings.switch(needing)? } else { settings.get(needing)?.is_some() };
        if without && given {
            return Err(ConfigError::usage(format!(
                "--no-snapshot cannot be used together with --{needing}, which needs a snapshot"
            )));
        }
    }
    Ok(!without)
}

fn time(settings: &Settings<'_>, flag: &str) -> Result<Option<Duration>, ConfigError> {
    let wrong = |setting: &Setting| setting.wrong("must be a time above zero like 600 (seconds), 90s, 10m, 1h or 7d");
    let time = |setting: Setting| duration(&setting.value).ok_or_else(|| wrong(&setting));
    settings.get(flag)?.map(time).transpose()
}

/// Seconds, or a number with a unit.
fn duration(text: &str) -> Option<Duration> {
    let (number, seconds) = match text.char_indices().next_back()? {
        (at, 's') => (&text[..at], 1),
        (at, 'm') => (&text[..at], 60),
        (at, 'h') => (&text[..at], 3600),
        (at, 'd') => (&text[..at], 86_400),
        _ => (text, 1),
    };
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u32 = digits.then(|| number.parse().ok()).flatten()?;
    (number > 0).then(|| Duration::from_secs(u64::from(number) * seconds))
}

fn aws(settings: &Settings<'_>) -> Result<AwsSettings, ConfigError> {
    Ok(AwsSettings { region: settings.value("region")?, s3_path_style: settings.switch("s3-path-style")? })
}

fn result_format(settings: &Settings<'_>) -> Result<ResultFormat, ConfigError> {
    let formats = [("table", ResultFormat::Table), ("csv", ResultFormat::Csv), ("json", ResultFormat::Json)];
    Ok(settings.one_of("format", &formats)?.unwrap_or(ResultFormat::Table))
}

fn json_report(settings: &Settings<'_>) -> Result<bool, ConfigError> {
    Ok(settings.one_of("format", &[("json", true)])?.unwrap_or(false))
}

fn messages(settings: &Settings<'_>, environment: &Environment<'_>) -> Result<Messages, ConfigError> {
    let json = settings.one_of("log-format", &[("text", false), ("json", true)])?.unwrap_or(false);
    let level = match (settings.switch("quiet")?, settings.verbosity()?) {
        (true, _) => MessageLevel::Quiet,
        (false, 0) => MessageLevel::Normal,
        (false, 1) => MessageLevel::Debug,
        (false, _) => MessageLevel::Trace,
    };
    let dumb = settings.variable("TERM")?.is_some_and(|term| term == "dumb");
    let drawable = environment.stderr_is_terminal && !dumb && !json;
    Ok(Messages {
        level,
        json,
        // NO_COLOR counts when it is not empty, as no-color.org says; an empty variable is none here anyway.
        color: drawable && settings.variable("NO_COLOR")?.is_none(),
        progress: match level {
            MessageLevel::Quiet => ProgressMode::Silent,
            _ if drawable => ProgressMode::Bars,
            _ => ProgressMode::Lines,
        },
    })
}

#[cfg(test)]
mod tests;
