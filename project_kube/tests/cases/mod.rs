//! What is played with a real API server, and again from what was recorded of it. The same must come out.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use project_kube::{FollowUp, JobEnd, JobOutcome, JobSource, KubeError, prepare, start_and_wait};
use tokio_util::sync::CancellationToken;

/// The id of every run in here.
pub(crate) const RUN: &str = "20260102T030405678Z-abcd";

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asking {
    /// The service account of the chart.
    Runs,
    /// A service account without rights.
    Stranger,
    /// Nobody that the server knows.
    Nobody,
}

/// What becomes of the Job, by the hands of the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Its pod waits for its image first.
    Succeeds,
    /// With this exit code.
    Fails(i32),
    /// Nothing happens to it.
    Hangs,
    /// Somebody deletes it.
    IsDeleted,
}

/// One story.
#[derive(Debug, Clone, Copy)]
#[allow(dead_code, reason = "who asks, and what becomes of the Job, is in the recordings")]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) then: &'static str,
    pub(crate) asking: Asking,
    pub(crate) fate: Fate,
    /// Seconds.
    pub(crate) timeout: u64,
    /// Somebody presses Ctrl-C after so many milliseconds.
    pub(crate) stopped_after: Option<u64>,
}

const USUAL: Case = Case {
    name: "success_of_a_template",
    then: "refresh.yaml",
    asking: Asking::Runs,
    fate: Fate::Succeeds,
    timeout: 600,
    stopped_after: None,
};

/// All of them; each has a recording of its name.
pub(crate) const CASES: [Case; 10] = [
    USUAL,
    Case { name: "success_of_a_cron_job", then: "refresh", ..USUAL },
    Case { name: "failure_with_an_exit_code", fate: Fate::Fails(65), ..USUAL },
    Case { name: "deadline", fate: Fate::Hangs, timeout: 3, ..USUAL },
    Case { name: "stopped", fate: Fate::Hangs, stopped_after: Some(1000), ..USUAL },
    Case { name: "deleted_by_somebody", fate: Fate::IsDeleted, ..USUAL },
    Case { name: "unknown_cron_job", then: "refresh-2", ..USUAL },
    Case { name: "invalid_job", then: "invalid.yaml", ..USUAL },
    Case { name: "unknown_field", then: "unknown_field.yaml", ..USUAL },
    Case { name: "no_rights", asking: Asking::Stranger, ..USUAL },
];

/// A token that nobody knows.
pub(crate) const UNKNOWN_TOKEN: Case = Case { name: "unknown_token", asking: Asking::Nobody, ..USUAL };

impl Case {
    pub(crate) fn recording(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(self.name).with_extension("json")
    }

    /// From the first request to what came of it.
    pub(crate) async fn play(&self, kubeconfig: PathBuf) -> std::result::Result<JobOutcome, KubeError> {
        let source = match self.then.strip_suffix(".yaml") {
            Some(_) => {
                let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates");
                JobSource::Template(templates.join(self.then))
            }
            None => JobSource::CronJob(self.then.to_owned()),
        };
        let timeout = Duration::from_secs(self.timeout);
        let follow_up = FollowUp { source, timeout, kubeconfig: Some(kubeconfig), log_lines: 20 };
        let prepared = prepare(&follow_up, RUN).await?;
        let cancel = CancellationToken::new();
        if let Some(milliseconds) = self.stopped_after {
            let cancel = cancel.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                cancel.cancel();
            });
        }
        start_and_wait(&prepared, RUN, &cancel).await
    }

    /// That it came out as it should.
    pub(crate) fn judge(&self, outcome: &std::result::Result<JobOutcome, KubeError>) -> Result<()> {
        let said = outcome.as_ref().map_or_else(ToString::to_string, ToString::to_string);
        let has = |words: &[&str]| words.iter().for_each(|word| assert!(said.contains(word), "{}: {said}", self.name));
        match (self.name, outcome) {
            ("success_of_a_template" | "success_of_a_cron_job", Ok(outcome)) => {
                assert_eq!(outcome.end, JobEnd::Succeeded);
                assert_eq!(outcome.job, "refresh-20260102t030405678z-abcd");
                assert_eq!(outcome.namespace, "shop");
                assert_eq!(outcome.notes, [] as [&str; 0]);
                assert_eq!(outcome.log.as_ref().context("no log")?.text, "reading\n[31mdone[0m");
            }
            ("failure_with_an_exit_code", Ok(outcome)) => {
                let JobEnd::Failed { reason, exit_code, .. } = &outcome.end else { bail!("{outcome:?}") };
                assert_eq!((reason.as_str(), *exit_code), ("BackoffLimitExceeded", Some(65)));
                assert!(outcome.log.as_ref().context("no log")?.pod.starts_with("refresh-20260102t030405678z-abcd-"));
                has(&["in the namespace shop failed: BackoffLimitExceeded", "ended with 65"]);
            }
            ("deadline", Ok(outcome)) => {
                assert_eq!(outcome.end, JobEnd::TimedOut { after: Duration::from_secs(3) });
                has(&["was not done within 3 seconds"]);
                assert_eq!(outcome.notes, [] as [&str; 0], "it is removed");
            }
            ("deleted_by_somebody", Ok(outcome)) => assert_eq!(outcome.end, JobEnd::Deleted),
            ("stopped", Err(KubeError::Stopped(_))) => has(&["was stopped and removed"]),
            ("unknown_cron_job", Err(KubeError::Configuration(_))) => {
                has(&["cannot read the CronJob refresh-2 in the namespace shop", "not found", "(404)"]);
            }
            ("invalid_job", Err(KubeError::Configuration(_))) => has(&["restartPolicy", "(422)"]),
            ("unknown_field", Err(KubeError::Configuration(_))) => has(&["backofLimit", "(400)"]),
            ("no_rights", Err(KubeError::Denied(_))) => has(&["cannot create", "(403)", "the chart's Role"]),
            ("unknown_token", Err(KubeError::Denied(_))) => has(&["(401)", "the token is unknown"]),
            (name, outcome) => bail!("{name}: {outcome:#?}"),
        }
        Ok(())
    }
}
