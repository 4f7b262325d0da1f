//! The binary `project`: wiring, and the one place where the program ends.

mod afterwards;
mod args;
mod bucket;
mod bucket_objects;
mod catalog_lake;
mod check;
mod config;
mod course;
mod crawl;
mod destination;
mod early_upload;
mod error_tracking;
mod exit_code;
mod extra_source;
mod folder_owner;
mod follow_up;
mod http_client;
mod inputs;
mod insert_data;
mod isolation;
mod lake_runs;
mod left_folders;
mod list;
mod log;
mod memory_limit;
mod metrics;
mod one_moment;
mod output;
mod progress;
mod provenance;
mod publishing;
mod query;
mod query_result;
mod reading;
mod report;
mod report_file;
mod retry;
mod run;
mod selection;
mod setting;
mod side_by_side;
mod signals;
mod source_uri;
mod staging;
mod survey;
mod table_names;
mod whole_file;

use crate::config::{CheckConfig, Environment, Invocation, LakeConfig, MessageLevel, Messages, QueryConfig, RunConfig};
use crate::exit_code::ExitCode;
use crate::progress::Progress;
use crate::report::{Failure, RunReport, log_lines};
use crate::selection::Selected;
use crate::signals::{Signals, stoppable};
use anyhow::{Context, Result};
use std::env::args_os;
use std::io::{Write, stderr, stdout};
use std::process;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// Threads that do not notice a stop are left behind after this time.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(5);

fn main() -> process::ExitCode {
    // Two providers are compiled in, so rustls would not choose by itself. It fails only when one is installed already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let invocation = match config::invocation(args_os().skip(1), &Environment::of_this_process()) {
        Ok(invocation) => invocation,
        Err(error) => {
            complain(&error.message);
            return process::ExitCode::from(error.exit);
        }
    };
    let code = execute(invocation).unwrap_or_else(|error| {
        let failure = Failure::new(&error);
        complain(&failure.message);
        failure.code
    });
    process::ExitCode::from(code.number())
}

fn execute(invocation: Invocation) -> Result<ExitCode> {
    match invocation {
        Invocation::Help(text) | Invocation::Version(text) => print(&text),
        Invocation::List(config) => list::list(&config).map(|()| ExitCode::Ok),
        Invocation::Check(config) => check(&config),
        Invocation::Query(config) => query(&config),
        Invocation::Lake(config) => lake(&config),
        Invocation::Run(config) => run(&config),
    }
}

fn check(config: &CheckConfig) -> Result<ExitCode> {
    let selected = selection::select(&config.tables)?;
    asked(&config.messages, async |cancel| stoppable(cancel, check::check(config, selected)).await)
}

fn query(config: &QueryConfig) -> Result<ExitCode> {
    // It stops by itself, because Athena has to be told.
    asked(&config.messages, async |cancel| query::query(config, cancel).await.map(|()| ExitCode::Ok))
}

fn lake(config: &LakeConfig) -> Result<ExitCode> {
    asked(&config.messages, async |cancel| {
        stoppable(cancel, Box::pin(lake_runs::act(config))).await.map(|()| ExitCode::Ok)
    })
}

/// Does what a verb asks for; a signal decides how the program ends.
fn asked(messages: &Messages, work: impl AsyncFnOnce(&CancellationToken) -> Result<ExitCode>) -> Result<ExitCode> {
    start_logging(messages)?;
    let runtime = Runtime::new().context("cannot start the asynchronous runtime")?;
    let (result, stopped) = runtime.block_on(async {
        let signals = Signals::listen().context("cannot listen for signals")?;
        let result = Box::pin(work(&signals.cancel)).await;
        anyhow::Ok((result, signals.received()))
    })?;
    runtime.shutdown_timeout(SHUTDOWN_DEADLINE);
    stopped.map_or(result, Ok)
}

fn run(config: &RunConfig) -> Result<ExitCode> {
    // First of all, so that Sentry hears of a run that never begins.
    let sentry = error_tracking::start(&config.outputs);
    let (sentry, prepared) = match sentry {
        Ok(sentry) => (sentry, prepare(config)),
        Err(error) => (None, Err(error)),
    };
    let Prepared { selected, progress, runtime } = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            // Nobody looks at a night job that never begins, so it is told like any other failure.
            let mut report = run::begin(config);
            report.failure = Some(Failure::new(&error));
            error_tracking::report_failures(&report);
            tell(&mut report, config);
            error_tracking::finish(sentry, false);
            if config.messages.json {
                log_lines::write(&report);
                return Ok(report.exit_code());
            }
            return Err(error);
        }
    };
    let mut report = runtime.block_on(async {
        let signals = Signals::listen().context("cannot listen for signals")?;
        let mut report = Box::pin(run::run(config, selected, &progress, &signals.cancel)).await;
        report.stopped = signals.received();
        anyhow::Ok(report)
    })?;
    runtime.shutdown_timeout(SHUTDOWN_DEADLINE);
    drop(progress);
    error_tracking::report_failures(&report);
    tell(&mut report, config);
    show(&report, config)?;
    error_tracking::finish(sentry, report.stopped.is_some());
    Ok(report.exit_code())
}

/// What a run needs besides its configuration.
struct Prepared {
    selected: Vec<Selected>,
    progress: Progress,
    runtime: Runtime,
}

fn prepare(config: &RunConfig) -> Result<Prepared> {
    let progress = start_logging(&config.messages)?;
    let selected = selection::select(&config.tables)?;
    if config.window.is_some() {
        selection::check_dates(&selected)?;
    }
    isolation::install_panic_hook();
    let runtime = Runtime::new().context("cannot start the asynchronous runtime")?;
    Ok(Prepared { selected, progress, runtime })
}

/// Messages go to standard error from now on, and know how to share it with progress lines.
fn start_logging(messages: &Messages) -> Result<Progress> {
    let progress = Progress::new(messages.progress).context("cannot start the progress display")?;
    log::install(messages, &progress)?;
    Ok(progress)
}

/// Metrics and the report's file. Neither changes the exit code: whatever was published is published.
fn tell(report: &mut RunReport, config: &RunConfig) {
    metrics::tell(report, &config.outputs);
    if let Some(file) = &config.outputs.report {
        report.notes.extend(report_file::write(report, file, &config.outputs.selection));
    }
}

/// The summary on standard error, for people or for programs; the report, if it was asked for, on standard output.
fn show(report: &RunReport, config: &RunConfig) -> Result<()> {
    if config.messages.json {
        log_lines::write(report);
    } else if config.messages.level != MessageLevel::Quiet || !report.is_ok() {
        // A reader that has gone away changes nothing about what was done.
        let _ = writeln!(stderr(), "{report}");
    }
    if config.json_report {
        let json = serde_json::to_string_pretty(report).context("cannot write the report")?;
        print(&format!("{json}\n"))?;
    }
    Ok(())
}

fn print(text: &str) -> Result<ExitCode> {
    stdout().write_all(text.as_bytes()).context("cannot write to standard output")?;
    Ok(ExitCode::Ok)
}

fn complain(message: &str) {
    // Nothing is left to do when even this fails; the exit code still says it.
    let _ = writeln!(stderr(), "project: {message}");
}
