//! Waiting for the end of a Job.
//!
//! It is asked for every few seconds. A watch would need one more right and have its own ways to end early (closed, 410
//! Gone, a silent connection), each of which ends in asking again; a request that stands for itself has none of them, and
//! the end of a Job may be seen some seconds late.

use crate::api_server::{ApiServer, Call, Refusal};
use crate::error::KubeError;
use crate::outcome::JobEnd;
use crate::pods;
use crate::run_job::{Started, jobs};
use k8s_openapi::List;
use k8s_openapi::api::batch::v1::{Job, JobCondition};
use k8s_openapi::api::core::v1::Pod;
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A Job has its first pod by then, unless a quota or a policy forbids it.
const FIRST_POD: Duration = Duration::from_secs(60);

/// How it ended. Until the deadline the API server may come and go.
pub(crate) async fn wait(server: &ApiServer, job: &Started, timeout: Duration) -> Result<JobEnd, KubeError> {
    let deadline = job.since + timeout;
    let what = format!("look at the Job {} in the namespace {}", job.name, job.namespace);
    let call = Call::get(jobs(&job.namespace, &job.name), what);
    let mut watch = PodWatch::default();
    let mut pause = SHORTEST_PAUSE;
    let mut in_trouble = false;
    while Instant::now() < deadline {
        let asking = server.object_at_once::<Job>(&call);
        match tokio::time::timeout_at(deadline, asking).await {
            Err(_) => break,
            Ok(Ok(found)) => {
                in_trouble = false;
                if let Some(end) = end(&found, job, timeout) {
                    return Ok(end);
                }
                // Whatever keeps the pods from being looked at keeps nobody from waiting.
                drop(tokio::time::timeout_at(deadline, watch.look(server, job, &found)).await);
            }
            Ok(Err(refusal)) if refusal.code() == 404 => return Ok(JobEnd::Deleted),
            Ok(Err(refusal)) if refusal.may_pass() => {
                if !in_trouble {
                    tracing::warn!("{}; waiting for it, and for the Job", KubeError::from(refusal));
                }
                in_trouble = true;
            }
            Ok(Err(refusal)) => return Err(lost(job, refusal)),
        }
        sleep_until((Instant::now() + pause).min(deadline)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Ok(JobEnd::TimedOut { after: timeout })
}

/// What is said when nobody can look at the Job any more.
fn lost(job: &Started, refusal: Refusal) -> KubeError {
    let and = |sentence: String| format!("{sentence}. The Job {} goes on, and nobody here knows how it ends", job.name);
    match KubeError::from(refusal) {
        KubeError::Configuration(sentence) => KubeError::Configuration(and(sentence)),
        KubeError::Denied(sentence) => KubeError::Denied(and(sentence)),
        KubeError::Unreachable(sentence) => KubeError::Unreachable(and(sentence)),
        KubeError::Temporary(sentence) => KubeError::Temporary(and(sentence)),
        stopped @ KubeError::Stopped(_) => stopped,
    }
}

/// Nothing as long as it has not ended.
fn end(found: &Job, job: &Started, timeout: Duration) -> Option<JobEnd> {
    if found.metadata.uid.as_ref() != Some(&job.uid) {
        return Some(JobEnd::Deleted);
    }
    let is = |condition: &&JobCondition, kind: &str| condition.type_ == kind && condition.status == "True";
    let conditions = || found.status.iter().filter_map(|status| status.conditions.as_ref()).flatten();
    if conditions().any(|condition| is(&condition, "Complete")) {
        return Some(JobEnd::Succeeded);
    }
    let failed = conditions().find(|condition| is(condition, "Failed"))?;
    let reason = failed.reason.clone().unwrap_or_default();
    if reason == "DeadlineExceeded" {
        let own = found.spec.as_ref().and_then(|spec| spec.active_deadline_seconds);
        let own = own.and_then(|own| u64::try_from(own).ok()).map(Duration::from_secs);
        return Some(JobEnd::TimedOut { after: own.unwrap_or(timeout) });
    }
    Some(JobEnd::Failed { reason, message: failed.message.clone().unwrap_or_default(), exit_code: None })
}

/// Says once what keeps pods from starting, so that nobody waits for an hour without knowing.
#[derive(Default)]
struct PodWatch {
    told: HashSet<String>,
    /// The right to look at them is missing.
    blind: bool,
}

impl PodWatch {
    async fn look(&mut self, server: &ApiServer, job: &Started, found: &Job) {
        let status = found.status.as_ref();
        if found.spec.as_ref().is_some_and(|spec| spec.suspend == Some(true)) {
            self.tell(job, "suspended", "somebody has suspended it; it begins when that is taken back");
        }
        if self.blind || status.is_some_and(|status| status.ready.unwrap_or(0) > 0) {
            return;
        }
        let call = Call::get(pods::address(&job.namespace, &job.name), "look at the pods".to_owned());
        let pods = match server.object_at_once::<List<Pod>>(&call).await {
            Ok(pods) => pods,
            Err(refusal) => {
                self.blind = refusal.code() == 403;
                return;
            }
        };
        for obstacle in pods::obstacles(&pods) {
            self.tell(job, &obstacle.reason, &format!("the pod {} does not start: {}", obstacle.pod, obstacle.message));
        }
        if pods.items.is_empty() && job.since.elapsed() > FIRST_POD {
            self.tell(job, "no pod", "a quota or a policy may forbid it; kubectl describe job says more");
        }
    }

    fn tell(&mut self, job: &Started, reason: &str, sentence: &str) {
        if self.told.insert(reason.to_owned()) {
            let sentence: String = sentence.chars().filter(|c| !c.is_control()).take(500).collect();
            tracing::warn!("the follow-up {} waits: {reason}, {sentence}", job.name);
        }
    }
}
