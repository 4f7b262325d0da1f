//! When a run did what: its stages on one clock, which starts with the run.

use crate::report::milliseconds;
use chrono::{DateTime, SecondsFormat, Utc};
use project_postgres::Snapshot;
use serde::{Serialize, Serializer};
use std::time::Instant;

/// The course of a run as far as it belongs to no single task.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Course {
    /// When it began.
    #[serde(serialize_with = "to_the_millisecond")]
    pub(crate) started_at: DateTime<Utc>,
    /// The moment that all tables show.
    #[serde(serialize_with = "to_the_millisecond_if_any")]
    pub(crate) snapshot_at: Option<DateTime<Utc>>,
    /// Which moment that is for the server.
    pub(crate) snapshot: Option<TakenSnapshot>,
    /// How long the snapshot was held: until nothing was read any more.
    pub(crate) snapshot_age_ms: Option<u64>,
    /// The crawl, if there was one.
    pub(crate) crawling: Option<Stage>,
    #[serde(skip)]
    pub(crate) clock: Clock,
    #[serde(skip)]
    held_since: Option<Instant>,
}

/// The snapshot as the server describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct TakenSnapshot {
    pub(crate) id: String,
    /// Its place in the server's log, where the server tells it.
    pub(crate) lsn: Option<String>,
    /// By the server's clock.
    #[serde(serialize_with = "to_the_millisecond")]
    pub(crate) taken_at: DateTime<Utc>,
    /// Whether it was taken on a standby.
    pub(crate) standby: bool,
    /// When the last transaction that the standby had replayed was committed on the primary.
    #[serde(serialize_with = "to_the_millisecond_if_any")]
    pub(crate) replayed_at: Option<DateTime<Utc>>,
    /// Of the primary and all its standbys, where the server tells it.
    pub(crate) system_identifier: Option<String>,
}

impl From<&Snapshot> for TakenSnapshot {
    fn from(snapshot: &Snapshot) -> Self {
        let Snapshot { id, lsn, taken_at, standby, replayed_at, system_identifier } = snapshot.clone();
        Self { id, lsn, taken_at, standby, replayed_at, system_identifier }
    }
}

impl TakenSnapshot {
    /// Where in the log, for people.
    pub(crate) fn place(&self) -> String {
        let server = if self.standby { "standby" } else { "primary" };
        match &self.lsn {
            Some(lsn) => format!("at {lsn} in the log of the {server}"),
            None => format!("on a {server} that does not tell its place in the log"),
        }
    }
}

/// A stage of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Stage {
    /// Counted from the start of the run.
    pub(crate) start_ms: u64,
    pub(crate) duration_ms: u64,
}

/// Began with the run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Course {
    /// The run begins.
    pub(crate) fn begin() -> Self {
        Self {
            started_at: Utc::now(),
            snapshot_at: None,
            snapshot: None,
            snapshot_age_ms: None,
            crawling: None,
            clock: Clock(Instant::now()),
            held_since: None,
        }
    }

    /// The view of all data is frozen from now on.
    pub(crate) fn snapshot_taken(&mut self, snapshot: &Snapshot) {
        (self.snapshot_at, self.held_since) = (Some(Utc::now()), Some(Instant::now()));
        self.snapshot = Some(snapshot.into());
    }

    /// The moment as a manifest says it.
    pub(crate) fn moment(&self) -> project_publish::Snapshot {
        let lsn = self.snapshot.as_ref().and_then(|snapshot| snapshot.lsn.clone());
        let server = self.snapshot.as_ref().and_then(|snapshot| snapshot.system_identifier.clone());
        let taken_at = self.snapshot.as_ref().map(|snapshot| snapshot.taken_at).or(self.snapshot_at);
        let taken_at = taken_at.unwrap_or(self.started_at);
        project_publish::Snapshot { taken_at, lsn, server, shared: self.snapshot.is_some() }
    }

    /// The snapshot is lost, and there will be another one.
    pub(crate) fn start_over(&mut self) {
        *self = Self { started_at: self.started_at, clock: self.clock, ..Self::begin() };
    }

    /// Nobody needs the snapshot any more.
    pub(crate) fn reading_ended(&mut self) {
        self.snapshot_age_ms = self.held_since.map(|taken| milliseconds(taken.elapsed()));
    }
}

impl Clock {
    /// The stage that began at `start` and ends now.
    pub(crate) fn stage(self, start: Instant) -> Stage {
        let start_ms = milliseconds(start.saturating_duration_since(self.0));
        Stage { start_ms, duration_ms: milliseconds(start.elapsed()) }
    }
}

impl Stage {
    /// When it was over.
    pub(crate) fn end_ms(self) -> u64 {
        self.start_ms.saturating_add(self.duration_ms)
    }

    /// This stage and what went before it, as one.
    pub(crate) fn after(self, earlier: Option<Self>) -> Self {
        let start_ms = earlier.map_or(self.start_ms, |earlier| earlier.start_ms.min(self.start_ms));
        Self { start_ms, duration_ms: self.end_ms().saturating_sub(start_ms) }
    }
}

/// `2026-01-31T23:59:59.999Z`.
pub(crate) fn moment(time: &DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn to_the_millisecond<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&moment(time))
}

fn to_the_millisecond_if_any<S: Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    time.as_ref().map(moment).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::{Course, Stage};
    use chrono::Utc;
    use project_postgres::Snapshot;
    use std::time::{Duration, Instant};

    #[test]
    fn stages_are_counted_from_the_start_of_the_run() {
        let course = Course::begin();
        let before = Instant::now().checked_sub(Duration::from_secs(9)).unwrap();
        assert_eq!(course.clock.stage(before).start_ms, 0);
        assert!(course.clock.stage(before).duration_ms >= 9000);
    }

    #[test]
    fn a_table_that_is_published_in_two_steps_has_one_stage() {
        let first = Stage { start_ms: 10, duration_ms: 5 };
        let second = Stage { start_ms: 20, duration_ms: 7 };
        assert_eq!(second.after(Some(first)), Stage { start_ms: 10, duration_ms: 17 });
        assert_eq!(second.after(None), second);
    }

    #[test]
    fn a_snapshot_that_was_never_taken_has_no_age() {
        let mut course = Course::begin();
        course.reading_ended();
        assert_eq!((course.snapshot_at, course.snapshot_age_ms), (None, None));
        let snapshot = Snapshot {
            id: "00000003-0000001B-1".into(),
            lsn: Some("0/3000148".into()),
            taken_at: Utc::now(),
            standby: true,
            replayed_at: None,
            system_identifier: None,
        };
        course.snapshot_taken(&snapshot);
        course.reading_ended();
        assert!(course.snapshot_at.is_some() && course.snapshot_age_ms.is_some());
        let json = serde_json::to_value(&course).unwrap();
        assert_eq!(json["snapshot"]["lsn"], "0/3000148");
        assert_eq!(json["snapshot"]["replayed_at"], serde_json::Value::Null);
        assert_eq!(course.snapshot.unwrap().place(), "at 0/3000148 in the log of the standby");
        assert_eq!(json["started_at"].as_str().unwrap().len(), "2026-01-31T23:59:59.999Z".len());
    }
}
