//! The exit codes, a stable interface, and the only place that chooses one.

use crate::config::ConfigError;
use crate::follow_up::JobFailed;
use crate::isolation::Panicked;
use crate::one_moment::TooOld;
use crate::selection::{NotCutByDate, UnknownTask};
use project_aws::{AwsError, AwsErrorKind};
use project_extra_source::ExtraError;
use project_insert_data::{InsertError, InsertErrorKind};
use project_kube::{JobEnd, KubeError};
use project_parquet::RowCountMismatch;
use project_postgres::{SnapshotLost, SourceError, SourceErrorKind, Stopped};
use project_publish::PublishError;
use project_tasks::DataError;
use std::io;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitCode {
    /// Everything that was asked for is done.
    Ok = 0,
    /// The command line cannot be understood.
    Usage = 2,
    /// Data or schema refused.
    Data = 65,
    /// Source or destination not reachable.
    Unreachable = 69,
    /// A task panicked, or something happened that nobody thought of.
    Internal = 70,
    /// The local disk.
    Disk = 74,
    /// Try again.
    Temporary = 75,
    /// Permission or login denied.
    Denied = 77,
    /// A setting is missing or names something that does not exist.
    Configuration = 78,
    /// Stopped by Ctrl-C.
    Interrupted = 130,
    /// Stopped by SIGTERM.
    Terminated = 143,
}

/// With several failures, the first of these that occurred.
const ORDER: [ExitCode; 7] = [
    ExitCode::Internal,
    ExitCode::Data,
    ExitCode::Denied,
    ExitCode::Configuration,
    ExitCode::Disk,
    ExitCode::Unreachable,
    ExitCode::Temporary,
];

impl ExitCode {
    /// The code of one failure: that of the first error in its chain that has a class.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        error.chain().find_map(classify).unwrap_or(Self::Internal)
    }

    /// The code of a run with these failures.
    pub(crate) fn of_all(failures: impl IntoIterator<Item = Self>) -> Self {
        let failures: Vec<Self> = failures.into_iter().collect();
        let first = ORDER.into_iter().find(|code| failures.contains(code));
        first.or(failures.first().copied()).unwrap_or(Self::Ok)
    }

    /// Its number.
    pub(crate) fn number(self) -> u8 {
        self as u8
    }
}

fn classify(error: &(dyn std::error::Error + 'static)) -> Option<ExitCode> {
    let lost = error.downcast_ref::<SnapshotLost>().map(SnapshotLost::kind);
    if let Some(kind) = error.downcast_ref::<SourceError>().map(SourceError::kind).or(lost) {
        return Some(match kind {
            SourceErrorKind::Unreachable => ExitCode::Unreachable,
            SourceErrorKind::Denied => ExitCode::Denied,
            SourceErrorKind::Missing | SourceErrorKind::Data => ExitCode::Data,
            SourceErrorKind::Temporary => ExitCode::Temporary,
        });
    }
    if let Some(error) = error.downcast_ref::<InsertError>() {
        return Some(of_inserting(error));
    }
    if let Some(error) = error.downcast_ref::<AwsError>() {
        return Some(match error.kind() {
            AwsErrorKind::Unreachable => ExitCode::Unreachable,
            AwsErrorKind::Temporary | AwsErrorKind::Interrupted => ExitCode::Temporary,
            AwsErrorKind::Denied => ExitCode::Denied,
            AwsErrorKind::Configuration => ExitCode::Configuration,
            AwsErrorKind::Data => ExitCode::Data,
            AwsErrorKind::LocalDisk => ExitCode::Disk,
        });
    }
    if error.is::<DataError>() || error.is::<RowCountMismatch>() {
        return Some(ExitCode::Data);
    }
    if let Some(error) = error.downcast_ref::<ExtraError>() {
        return Some(match error {
            ExtraError::Data(_) => ExitCode::Data,
            ExtraError::Schema(_) => ExitCode::Configuration,
            ExtraError::Stopped => ExitCode::Temporary,
        });
    }
    if error.is::<UnknownTask>() || error.is::<NotCutByDate>() {
        return Some(ExitCode::Usage);
    }
    if let Some(error) = error.downcast_ref::<PublishError>() {
        return Some(of_publishing(error));
    }
    if let Some(error) = error.downcast_ref::<ConfigError>() {
        return Some(if error.exit == ExitCode::Usage.number() { ExitCode::Usage } else { ExitCode::Configuration });
    }
    if let Some(error) = error.downcast_ref::<KubeError>() {
        return Some(match error {
            KubeError::Configuration(_) => ExitCode::Configuration,
            KubeError::Denied(_) => ExitCode::Denied,
            KubeError::Unreachable(_) => ExitCode::Unreachable,
            KubeError::Temporary(_) | KubeError::Stopped(_) => ExitCode::Temporary,
        });
    }
    if let Some(error) = error.downcast_ref::<JobFailed>() {
        return Some(of_job(error.end()));
    }
    #[cfg(feature = "local-query")]
    if let Some(error) = error.downcast_ref::<project_query::QueryError>() {
        return Some(of_query(error));
    }
    #[cfg(not(feature = "local-query"))]
    if error.is::<crate::query::WithoutEngine>() {
        return Some(ExitCode::Configuration);
    }
    if error.is::<Stopped>() || error.is::<TooOld>() {
        return Some(ExitCode::Temporary);
    }
    if error.is::<Panicked>() {
        return Some(ExitCode::Internal);
    }
    error.is::<io::Error>().then_some(ExitCode::Disk)
}

fn of_inserting(error: &InsertError) -> ExitCode {
    match error.kind() {
        InsertErrorKind::Data => ExitCode::Data,
        InsertErrorKind::Denied => ExitCode::Denied,
        InsertErrorKind::Configuration => ExitCode::Configuration,
        InsertErrorKind::Disk => ExitCode::Disk,
        InsertErrorKind::Unreachable => ExitCode::Unreachable,
        InsertErrorKind::Temporary | InsertErrorKind::Stopped => ExitCode::Temporary,
        InsertErrorKind::Internal => ExitCode::Internal,
    }
}

fn of_publishing(error: &PublishError) -> ExitCode {
    match error {
        PublishError::Shrunk { .. } | PublishError::NoSuchRun(_) | PublishError::Damaged { .. } => ExitCode::Data,
        PublishError::NothingToCarry { .. } => ExitCode::Data,
        PublishError::Older { .. } | PublishError::Overtaken { .. } => ExitCode::Temporary,
        PublishError::Foreign { .. }
        | PublishError::OtherSource { .. }
        | PublishError::Occupied(_)
        | PublishError::OtherMode { .. } => ExitCode::Configuration,
    }
}

/// A Job that ends with one of our codes means what it says; what others mean, only they know.
fn of_job(end: &JobEnd) -> ExitCode {
    match end {
        JobEnd::Succeeded => ExitCode::Ok,
        JobEnd::Failed { exit_code, .. } => {
            ORDER.into_iter().find(|known| *exit_code == Some(known.number().into())).unwrap_or(ExitCode::Internal)
        }
        JobEnd::TimedOut { .. } | JobEnd::Deleted => ExitCode::Temporary,
    }
}

#[cfg(feature = "local-query")]
fn of_query(error: &project_query::QueryError) -> ExitCode {
    use project_query::QueryError;
    match error {
        QueryError::Sql(_) | QueryError::NotFound(_) | QueryError::Memory(_) => ExitCode::Data,
        QueryError::Disk(_) => ExitCode::Disk,
        QueryError::Cancelled => ExitCode::Temporary,
        QueryError::Output(cause) => ExitCode::of(cause),
        QueryError::Internal(_) => ExitCode::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::{ExitCode, of_job};
    use crate::isolation::Panicked;
    use anyhow::Context;
    use project_kube::{JobEnd, KubeError};
    use project_postgres::{SourceError, SourceErrorKind};
    use project_tasks::DataError;
    use std::io;
    use std::time::Duration;

    #[test]
    fn the_cause_decides_through_any_context() {
        let disk: anyhow::Result<()> = Err(io::Error::from(io::ErrorKind::StorageFull).into());
        let disk = disk.context("cannot write a file").map_err(|error| ExitCode::of(&error));
        assert_eq!(disk, Err(ExitCode::Disk));
        let denied = SourceError::new(SourceErrorKind::Denied, "no");
        assert_eq!(ExitCode::of(&anyhow::Error::new(denied).context("task x")), ExitCode::Denied);
        assert_eq!(ExitCode::of(&DataError("order 1".into()).into()), ExitCode::Data);
        assert_eq!(ExitCode::of(&anyhow::anyhow!("nobody thought of this")), ExitCode::Internal);
        assert_eq!(ExitCode::of(&Panicked::new("x").into()), ExitCode::Internal);
    }

    #[test]
    fn a_job_that_ends_with_a_code_of_ours_means_it() {
        let failed = |exit_code| of_job(&JobEnd::Failed { reason: String::new(), message: String::new(), exit_code });
        for (number, code) in [(65, ExitCode::Data), (69, ExitCode::Unreachable), (77, ExitCode::Denied)] {
            assert_eq!(failed(Some(number)), code);
        }
        for other in [None, Some(1), Some(2), Some(137), Some(-1), Some(321)] {
            assert_eq!(failed(other), ExitCode::Internal);
        }
        assert_eq!(of_job(&JobEnd::TimedOut { after: Duration::ZERO }), ExitCode::Temporary);
        assert_eq!(ExitCode::of(&KubeError::Denied(String::new()).into()), ExitCode::Denied);
    }

    #[test]
    fn several_failures_have_one_code() {
        let code = |failures: &[ExitCode]| ExitCode::of_all(failures.iter().copied());
        assert_eq!(code(&[]), ExitCode::Ok);
        assert_eq!(code(&[ExitCode::Temporary, ExitCode::Data]), ExitCode::Data);
        assert_eq!(code(&[ExitCode::Data, ExitCode::Internal, ExitCode::Denied]), ExitCode::Internal);
    }
}
