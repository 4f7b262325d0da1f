#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use super::memory::DEFAULT_MEMORY;
use super::{
    ConfigError, DEFAULT_FETCH_SIZE, DEFAULT_GZIP_LEVEL, Environment, Invocation, Lake, Location, MessageLevel,
    ProgressMode, QueryConfig, RunConfig, invocation,
};
use crate::args::{USAGE, known_options};
use crate::output::ResultFormat;
use crate::table_names::TableSelector;
use chrono::NaiveDate;
use project_postgres::{ConnectionDefaults, ConnectionSettings, Infinity, NotANumber, PolicyOverrides, TableName};
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

mod dates;
mod files;
mod memory;
mod publishing;

const URI: &str = "postgres://ann:s3cret@localhost/shop";

/// The day of every run here.
const TODAY: NaiveDate = match NaiveDate::from_ymd_opt(2026, 2, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

fn source(uri: &str) -> ConnectionSettings {
    ConnectionSettings::parse(uri, &ConnectionDefaults::default()).unwrap()
}

type Variables<'a> = &'a [(&'a str, &'a str)];

fn invoke_in(
    (terminal, memory_limit): (bool, Option<u64>),
    arguments: &[&str],
    variables: Variables<'_>,
) -> Result<Invocation, ConfigError> {
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| OsString::from(value))
    };
    let environment = Environment { variable: &variable, stderr_is_terminal: terminal, memory_limit, today: TODAY };
    let outcome = invocation(arguments.iter().map(OsString::from), &environment);
    assert!(!format!("{outcome:?}").contains("s3cret"), "{outcome:?}");
    outcome
}

fn invoke_on(terminal: bool, arguments: &[&str], variables: Variables<'_>) -> Result<Invocation, ConfigError> {
    invoke_in((terminal, None), arguments, variables)
}

fn invoke(arguments: &[&str], variables: Variables<'_>) -> Result<Invocation, ConfigError> {
    invoke_on(false, arguments, variables)
}

fn run(arguments: &[&str], variables: Variables<'_>) -> RunConfig {
    match invoke(arguments, variables) {
        Ok(Invocation::Run(run)) => *run,
        other => unreachable!("{arguments:?} {variables:?}: {other:?}"),
    }
}

fn file_of(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    file
}

fn query(arguments: &[&str], variables: Variables<'_>) -> QueryConfig {
    match invoke(arguments, variables) {
        Ok(Invocation::Query(query)) => *query,
        other => unreachable!("{arguments:?} {variables:?}: {other:?}"),
    }
}

fn refusal(exit: u8, arguments: &[&str], variables: Variables<'_>) -> String {
    let error = invoke(arguments, variables).unwrap_err();
    assert_eq!(error.exit, exit, "{arguments:?} {variables:?}: {error}");
    assert!(!error.message.contains('\n'), "{error}");
    error.message
}

#[test]
fn a_run_without_options_has_the_defaults_of_the_help() {
    let run = run(&[URI], &[]);
    assert_eq!(run.source, Some(source(URI)));
    assert_eq!(run.tables, [TableSelector::Name("all".into())]);
    assert_eq!(run.destination, Location::Local(PathBuf::from("lake")));
    assert!(run.publish && run.cataloguing.is_none() && !run.json_report);
    assert_eq!((run.fetch_size.get(), run.gzip_level), (1000, 1));
    assert_eq!((run.memory, run.memory_limit, run.window), (DEFAULT_MEMORY, None, None));
    assert!(USAGE.contains(&format!("({}MiB when not given;", DEFAULT_MEMORY >> 20)));
    assert!(USAGE.contains(&format!("[default: {DEFAULT_FETCH_SIZE}]")));
    assert!(USAGE.contains(&format!("({DEFAULT_GZIP_LEVEL} when not given)")));
    assert!(USAGE.contains("(30m when not given)"));
}

#[test]
fn a_flag_wins_over_its_variable_and_the_variable_over_the_default() {
    let variables: Variables<'_> =
        &[("PROJECT_LIMIT", "50"), ("PROJECT_TABLE", "users"), ("DATABASE_URL", "postgres://env@h/env")];
    assert_eq!(run(&[], variables).fetch_size.get(), 50);
    assert_eq!(run(&[], variables).source, Some(source("postgres://env@h/env")));
    let flags = run(&[URI, "-l", "1000", "-t", "events"], variables);
    assert_eq!(flags.fetch_size.get(), 1000);
    assert_eq!(flags.tables, [TableSelector::Name("events".into())]);
    assert_eq!(flags.source, Some(source(URI)));
    assert_eq!(run(&[URI], &[("PROJECT_LIMIT", "")]).fetch_size.get(), 1000, "an empty variable is none");
}

/// Each option does the same as its variable, and each does something: no name is misspelt anywhere.
#[test]
fn every_option_has_its_variable() {
    let file = file_of("[tables.\"public.users\"]\ninfinity = \"null\"\n");
    for option in known_options() {
        let name = option.trim_start_matches('-');
        let value = match name {
            "help" | "version" => continue,
            "limit" | "rejects" | "workers" | "gzip-level" | "crawler-timeout" | "max-shrink" | "max-snapshot-age"
            | "keep-runs" | "grace" | "attempts" | "retry-delay" | "read-timeout" | "then-timeout" => "7",
            "into" => "public.totals",
            "mode" => "upsert",
            "publish" => "catalog",
            "memory" => "64",
            "from" | "to" => "2026-01-31",
            "upload" => "s3://other",
            "report" => "report.html",
            "pushgateway" => "http://push:9091",
            "athena-output" => "s3://results",
            "format" | "log-format" => "json",
            "infinity" | "nan" => "null",
            "numeric" => "string",
            "invalid-text" => "replace",
            "timestamp-unit" => "micros",
            "arrays" => "flatten",
            "config" => file.path().to_str().unwrap(),
            _ => "x",
        };
        let base: &[&str] = match name {
            athena if athena.starts_with("athena") => &["query", "select 1"],
            "keep-runs" | "grace" => &["gc"],
            "as" | "extra-schema" => &[URI, "--extra=prices.csv"],
            "into" => &[URI, "--file=totals.csv"],
            "file" => &[URI, "--into=public.totals"],
            "key" | "mode" => &[URI, "--file=totals.csv", "--into=public.totals"],
            "then-timeout" => &[URI, "--then=nightly"],
            _ => &[URI],
        };
        let glue: Variables<'_> = &[
            ("PROJECT_UPLOAD", "s3://b"),
            ("PROJECT_GLUE_DATABASE", "d"),
            ("PROJECT_CRAWLER", "c"),
            ("TARGET_DATABASE_URL", URI),
        ];
        let takes_value = USAGE.contains(&format!("{option}=<"));
        let flag = if takes_value { format!("{option}={value}") } else { option.clone() };
        let variable = format!("PROJECT_{}", name.replace('-', "_").to_uppercase());
        let mut with_variable = vec![(variable.as_str(), if takes_value { value } else { "true" })];
        with_variable.extend(glue);

        // Some options are refused without the other of a pair.
        let plain = format!("{:?}", invoke(base, glue));
        let by_flag = format!("{:?}", Ok::<_, ConfigError>(invoke(&[base, &[&flag]].concat(), glue).unwrap()));
        let by_variable = format!("{:?}", Ok::<_, ConfigError>(invoke(base, &with_variable).unwrap()));
        assert_eq!(by_flag, by_variable, "{option}");
        assert_ne!(by_flag, plain, "{option} does nothing");
    }
}

#[test]
fn a_run_without_a_snapshot_has_nothing_that_needs_one() {
    assert!(run(&[URI], &[]).snapshot);
    assert!(!run(&[URI], &[("PROJECT_NO_SNAPSHOT", "1")]).snapshot);
    assert_eq!(
        run(&[URI, "--max-snapshot-age=6h"], &[]).max_snapshot_age,
        Some(std::time::Duration::from_secs(6 * 3600))
    );
    for needing in ["--verify", "--max-snapshot-age=1h"] {
        let message = refusal(2, &[URI, "--no-snapshot", needing], &[]);
        let flag = needing.split('=').next().unwrap();
        assert!(message.contains(&format!("--no-snapshot cannot be used together with {flag}")), "{message}");
    }
}

#[test]
fn destinations() {
    let destination = |upload: &str| run(&[URI, "-n", "-u", upload], &[]).destination;
    assert_eq!(destination("s3://b/p/"), Location::S3("s3://b/p".into()));
    assert_eq!(destination("file:///srv/my%20lake"), Location::Local("/srv/my lake".into()));
    assert_eq!(destination("out/lake"), Location::Local("out/lake".into()));
    for wrong in ["s3://", "s3:///p", "s3:b", "file://lake", "https://b/p", ""] {
        let message = refusal(2, &[URI, "-n", &format!("--upload={wrong}")], &[]);
        assert!(message.contains("--upload"), "{message}");
    }
    assert!(refusal(78, &[URI], &[("PROJECT_UPLOAD", "ftp://x")]).contains("PROJECT_UPLOAD"));
}

#[test]
fn a_query_goes_to_the_folder_or_to_athena() {
    let local = query(&["query", "select 1"], &[]);
    assert_eq!((local.sql.as_str(), local.format), ("select 1", ResultFormat::Table));
    assert_eq!(local.lake, Lake::Local("lake".into()));
    assert!(refusal(78, &["query", "select 1", "-u", "s3://b"], &[]).contains("--glue-database"));
    let athena = query(&["query", "select 1", "-u", "s3://b", "--glue-database=d", "--format=csv"], &[]);
    let Lake::Athena(settings) = athena.lake else { unreachable!("s3:// is Athena's") };
    assert_eq!((settings.database.as_str(), settings.workgroup.as_str(), settings.output), ("d", "primary", None));
    assert!(refusal(2, &["query", "select 1", "--format=xml"], &[]).contains("table or csv or json"));
}

#[test]
fn the_database_is_needed_and_its_password_never_repeated() {
    let message = refusal(78, &[], &[]);
    assert!(message.contains("<POSTGRES-URI>") && message.contains("DATABASE_URL"), "{message}");
    for wrong in ["ann:s3cret@h/db", "mysql://ann:s3cret@h/db", "postgres://ann:s3cret@h:x/db", "s3cret"] {
        assert!(refusal(2, &[wrong], &[]).contains("<POSTGRES-URI>"));
        assert!(refusal(78, &[], &[("DATABASE_URL", wrong)]).contains("DATABASE_URL"));
    }
    assert!(refusal(2, &["lsit"], &[]).contains("did you mean the verb list"));
    let by_variables = [("USER", "bob"), ("PGUSER", "ann"), ("PGPASSWORD", "s3cret")];
    assert_eq!(run(&["postgres://localhost/shop"], &by_variables).source, Some(source(URI)));
    let dsn = ("SENTRY_DSN", "https://s3cret@sentry.example/1");
    let sentry = run(&[URI], &[dsn]).outputs.sentry.unwrap();
    assert!(sentry.dsn.expose().ends_with("/1"));
    assert_eq!(sentry.environment, "production");
    let sentry = run(&[URI], &[dsn, ("SENTRY_ENVIRONMENT", "staging")]).outputs.sentry.unwrap();
    assert_eq!(sentry.environment, "staging");
    assert_eq!(run(&[URI], &[]).outputs.sentry, None);
}

#[test]
fn wrong_values_name_the_flag_or_the_variable() {
    for (flag, value) in [
        ("limit", "0"),
        ("limit", "many"),
        ("limit", "-1"),
        ("workers", "0"),
        ("gzip-level", "10"),
        ("memory", "31"),
        ("rejects", "-1"),
        ("memory", "256MB"),
        ("from", "2026-1-5"),
        ("to", "2026-02-30"),
        ("to", "tomorrow"),
        ("format", "csv"),
        ("log-format", "xml"),
        ("table", "a..b"),
        ("infinity", "zero"),
        ("nan", "clamp"),
        ("numeric", "Decimal"),
        ("invalid-text", "null"),
        ("numeric", "decimal(39,2)"),
        ("timestamp-unit", "nanos"),
        ("arrays", "null"),
        ("report", "report.pdf"),
        ("report", "html"),
        ("report", "reports/"),
    ] {
        let message = refusal(2, &[URI, &format!("--{flag}={value}")], &[]);
        assert!(message.contains(&format!("--{flag}={value}")), "{message}");
        let variable = format!("PROJECT_{}", flag.replace('-', "_").to_uppercase());
        let message = refusal(78, &[URI], &[(&variable, value)]);
        assert!(message.contains(&format!("{variable}={value}")), "{message}");
    }
    assert!(refusal(78, &[URI], &[("PROJECT_NO_UPLOAD", "maybe")]).contains("true or false"));
    assert!(refusal(78, &[URI], &[("PROJECT_VERBOSE", "loud")]).contains("PROJECT_VERBOSE"));
    let variable = |name: &str| (name == "PROJECT_TABLE").then(|| OsString::from_vec(vec![0xff]));
    let environment = Environment { variable: &variable, stderr_is_terminal: false, memory_limit: None, today: TODAY };
    let error = invocation([OsString::from(URI)], &environment).unwrap_err();
    assert!(error.exit == 78 && error.message.contains("PROJECT_TABLE is not valid UTF-8"), "{error}");
}

#[test]
fn policies_of_flags_stand_beside_those_of_the_file() {
    assert_eq!(run(&[URI], &[]).choices.policies, PolicyOverrides::default());
    assert!(run(&[URI], &[]).choices.tables.is_empty());
    let file = file_of("[tables.\"public.users\"]\ninfinity = \"null\"\n");
    let config = format!("--config={}", file.path().display());
    let both = run(&[URI, &config, "--infinity=error", "--nan=string"], &[("PROJECT_NAN", "null")]);
    assert_eq!(
        (both.choices.policies.infinity, both.choices.policies.not_a_number),
        (Some(Infinity::Error), Some(NotANumber::Text))
    );
    let of_users = &both.choices.tables[&TableName::new("public", "users")];
    assert_eq!((of_users.policies.infinity, of_users.policies.not_a_number), (Some(Infinity::Null), None));
    assert!(refusal(2, &[URI, "--nan=clamp"], &[]).ends_with("--nan=clamp must be null or error or string"));
}

#[test]
fn a_file_that_cannot_be_used_is_configuration_wherever_it_was_named() {
    let (folder, no_text) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
    fs::write(no_text.path(), [0xff, 0xfe]).unwrap();
    let missing = folder.path().join("project.toml");
    for path in [missing.as_path(), folder.path(), no_text.path()] {
        let path = path.to_str().unwrap();
        let message = refusal(78, &[URI, "--config", path], &[]);
        assert!(message.contains(&format!("--config={path} cannot be read: ")), "{message}");
        let message = refusal(78, &[URI], &[("PROJECT_CONFIG", path)]);
        assert!(message.contains(&format!("PROJECT_CONFIG={path} cannot be read: ")), "{message}");
    }
    let wrong = file_of("[tables.\"public.users\"]\nlimit = 3\n");
    let path = wrong.path().to_str().unwrap();
    for message in [refusal(78, &[URI, "--config", path], &[]), refusal(78, &[URI], &[("PROJECT_CONFIG", path)])] {
        assert!(message.starts_with(&format!("{path}, line 2, [tables.\"public.users\"]: ")), "{message}");
    }
    assert!(invoke(&["list"], &[("PROJECT_CONFIG", path)]).is_ok(), "list reads no tables");
}

#[test]
fn messages_follow_the_terminal() {
    let messages =
        |terminal, arguments: &[&str], variables: Variables<'_>| match invoke_on(terminal, arguments, variables) {
            Ok(Invocation::List(list)) => list.messages,
            other => unreachable!("{other:?}"),
        };
    let plain = messages(false, &["list"], &[]);
    assert_eq!((plain.level, plain.color, plain.progress), (MessageLevel::Normal, false, ProgressMode::Lines));
    let terminal = messages(true, &["list", "-vv"], &[]);
    assert_eq!((terminal.level, terminal.color, terminal.progress), (MessageLevel::Trace, true, ProgressMode::Bars));
    let no_color = messages(true, &["list"], &[("NO_COLOR", "1")]);
    assert_eq!((no_color.color, no_color.progress), (false, ProgressMode::Bars));
    assert!(messages(true, &["list"], &[("NO_COLOR", "")]).color);
    let dumb = messages(true, &["list"], &[("TERM", "dumb")]);
    assert_eq!((dumb.color, dumb.progress), (false, ProgressMode::Lines));
    let json = messages(true, &["list", "--log-format=json"], &[]);
    assert!(json.json && !json.color && json.progress == ProgressMode::Lines);
    let quiet = messages(true, &["list", "--quiet"], &[("PROJECT_VERBOSE", "2")]);
    assert_eq!((quiet.level, quiet.progress), (MessageLevel::Quiet, ProgressMode::Silent));
}

/// The program reads the environment in one file, this module's, and the developer's tool in one of its own.
#[test]
fn nothing_else_reads_the_environment() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut sources = Vec::new();
    for member in fs::read_dir(workspace).unwrap() {
        let member = member.unwrap().path();
        let name = member.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with("project_") && name != "project_test_servers" {
            collect_sources(&member.join("src"), &mut sources);
        }
    }
    assert!(sources.len() > 20, "the search finds the sources: {}", sources.len());
    let mut readers: Vec<PathBuf> = sources
        .into_iter()
        .filter(|path| {
            let text = fs::read_to_string(path).unwrap();
            ["env::var", "env::vars"]
                .iter()
                .any(|call| text.contains(&format!("{call}(")) || text.contains(&format!("{call}_os(")))
        })
        .map(|path| path.strip_prefix(workspace).unwrap().to_owned())
        .collect();
    readers.sort();
    assert_eq!(readers, ["project_cli/src/config.rs", "project_codegen/src/arguments.rs"].map(Path::new));
}

fn collect_sources(folder: &Path, sources: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_sources(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(path);
        }
    }
}

#[test]
fn rejects_belong_to_whole_tables() {
    assert_eq!(run(&[URI, "--rejects=0"], &[]).rejects, Some(0));
    assert_eq!(run(&[URI], &[]).rejects, None);
    let message = refusal(2, &[URI, "--rejects=10", "--from=2026-01-01", "--table=huge_tasks"], &[]);
    assert!(message.contains("--rejects=10 cannot be used together with --from"), "{message}");
}

#[test]
fn a_pushgateway_is_an_address_whose_password_is_never_repeated() {
    let outputs = run(&[URI, "-t", "users,events", "--pushgateway=http://ann:s3cret@push:9091/"], &[]).outputs;
    assert_eq!(
        (outputs.selection.as_str(), outputs.pushgateway.unwrap().url.as_str()),
        ("users,events", "http://push:9091")
    );
    assert_eq!(run(&[URI], &[]).outputs.selection, "all");
    for wrong in ["ftp://ann:s3cret@push", "ann:s3cret@push:9091", "http://ann:s3cret@push?x=1"] {
        let message = refusal(2, &[URI, "--pushgateway", wrong], &[]);
        assert!(message.contains("--pushgateway must be an address like http://"), "{message}");
        assert!(
            refusal(78, &[URI], &[("PROJECT_PUSHGATEWAY", wrong)]).contains("the variable PROJECT_PUSHGATEWAY must")
        );
    }
}
