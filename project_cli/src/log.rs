//! Where the messages of all crates go: standard error, filtered, as lines for people or JSON for machines.

use std::fmt;
use std::io::{self, Write};

use chrono::Utc;
use indicatif::MultiProgress;
use tracing::Dispatch;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::Registry;

use crate::config::{MessageLevel, Messages};
use crate::log::json_lines::JsonLines;
use crate::progress::Progress;

mod json_lines;

pub(crate) use self::json_lines::name_run;

/// Sends the messages of the whole program to standard error. Called once.
pub(crate) fn install(messages: &Messages, progress: &Progress) -> anyhow::Result<()> {
    let writer = StandardError { bars: progress.bars() };
    tracing::dispatcher::set_global_default(dispatch(messages, writer))?;
    Ok(())
}

fn dispatch<W>(messages: &Messages, writer: W) -> Dispatch
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_timer(UtcSeconds)
        .with_ansi(messages.color)
        .with_target(matches!(messages.level, MessageLevel::Debug | MessageLevel::Trace));
    let layer: Box<dyn Layer<Registry> + Send + Sync> = if messages.json {
        Box::new(layer.event_format(JsonLines).with_filter(filter(messages.level)))
    } else {
        Box::new(layer.with_filter(filter(messages.level)))
    };
    Dispatch::new(tracing_subscriber::registry().with(layer))
}

/// How much each crate may say. Ours all begin with "project".
fn filter(level: MessageLevel) -> Targets {
    let (ours, others) = match level {
        MessageLevel::Quiet => (LevelFilter::ERROR, LevelFilter::ERROR),
        MessageLevel::Normal => (LevelFilter::INFO, LevelFilter::WARN),
        MessageLevel::Debug => (LevelFilter::DEBUG, LevelFilter::WARN),
        MessageLevel::Trace => (LevelFilter::TRACE, LevelFilter::INFO),
    };
    Targets::new()
        .with_default(others)
        .with_target("project", ours)
        // The AWS crates tell of every request they sign.
        .with_target("aws", LevelFilter::WARN)
        // It repeats answers of the API server, and calls each an error that is then asked for again.
        .with_target("kube", LevelFilter::OFF)
        // It repeats unknown parameters of the URI with their values, and one may be a password.
        .with_target("sqlx_postgres::options", LevelFilter::OFF)
        // These repeat SQL and what the server says of it, and with it values of rows.
        .with_target("sqlx::query", LevelFilter::OFF)
        .with_target("sqlx::postgres::notice", LevelFilter::OFF)
}

/// Seconds are enough for people, and UTC is what the tables hold.
struct UtcSeconds;

impl FormatTime for UtcSeconds {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{}", Utc::now().format("%Y-%m-%dT%H:%M:%SZ"))
    }
}

/// Standard error, with the progress lines out of the way while a message is written.
struct StandardError {
    bars: Option<MultiProgress>,
}

impl<'a> MakeWriter<'a> for StandardError {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Write for &StandardError {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        // A message arrives whole, in one call.
        let write = || io::stderr().lock().write_all(buffer);
        match &self.bars {
            Some(bars) => bars.suspend(write)?,
            None => write()?,
        }
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Messages caught in memory, for the tests of every module.
#[cfg(test)]
pub(crate) mod testing {
    use super::dispatch;
    use crate::config::Messages;
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex, PoisonError};
    use tracing::Dispatch;
    use tracing_subscriber::fmt::MakeWriter;

    #[derive(Clone, Default)]
    pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Captured {
        pub(crate) fn subscriber(&self, messages: &Messages) -> Dispatch {
            dispatch(messages, self.clone())
        }

        pub(crate) fn text(&self) -> String {
            let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            String::from_utf8_lossy(&bytes).into_owned()
        }
    }

    impl Write for Captured {
        fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(buffer);
            Ok(buffer.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Captured {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::Captured;
    use crate::config::{MessageLevel, Messages, ProgressMode};

    fn emit_everything() {
        tracing::error!(target: "project_tasks::users", "our error");
        tracing::info!(target: "project_tasks::users", rows = 5, "our info");
        tracing::debug!(target: "project_postgres", "our debug");
        tracing::trace!(target: "project", "our trace");
        tracing::warn!(target: "hyper::client", "their warning");
        tracing::info!(target: "datafusion", "their info");
        tracing::info!(target: "aws_config::profile", "aws info");
        tracing::warn!(target: "sqlx_postgres::options::parse", value = "s3cret", "ignoring parameter");
        tracing::warn!(target: "sqlx::query", "select 's3cret'");
        tracing::error!(target: "sqlx::postgres::notice", "row s3cret");
    }

    fn lines(level: MessageLevel, json: bool) -> Vec<String> {
        let captured = Captured::default();
        let messages = Messages { level, json, color: false, progress: ProgressMode::Lines };
        tracing::dispatcher::with_default(&captured.subscriber(&messages), emit_everything);
        let text = captured.text();
        assert!(!text.contains("s3cret") && !text.contains("aws info"), "{text}");
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn each_level_says_more() {
        let counts =
            [(MessageLevel::Quiet, 1), (MessageLevel::Normal, 3), (MessageLevel::Debug, 4), (MessageLevel::Trace, 6)];
        for (level, count) in counts {
            let lines = lines(level, false);
            assert_eq!(lines.len(), count, "{level:?}: {lines:?}");
        }
    }

    #[test]
    fn lines_for_people_are_short() {
        let lines = lines(MessageLevel::Normal, false);
        assert!(lines[1].contains("Z  INFO our info rows=5"), "{}", lines[1]);
        assert!(!lines[1].contains("project_tasks") && !lines[1].contains('\u{1b}'), "{}", lines[1]);
    }

    #[test]
    fn json_is_one_object_to_a_line() {
        let lines = lines(MessageLevel::Normal, true);
        let object: serde_json::Value = serde_json::from_str(&lines[1]).unwrap();
        assert_eq!(object["message"], "our info");
        assert_eq!(object["rows"], 5);
        assert_eq!(object["level"], "INFO");
        assert_eq!(object["target"], "project_tasks::users");
    }
}
