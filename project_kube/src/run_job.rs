//! One Job from its creation to its end, and its removal when nobody waits for it any more.

use crate::api_server::{ApiServer, Call, Refusal};
use crate::error::KubeError;
use crate::log_tail;
use crate::manifest::RUN_ID;
use crate::outcome::{JobEnd, JobOutcome, LogTail};
use crate::pods;
use crate::preparation::Prepared;
use crate::waiting::wait;
use k8s_openapi::List;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// A request to create it that is on its way when the run is stopped gets this long to come back.
const CREATION_AFTER_STOP: Duration = Duration::from_secs(3);
/// With the time above less than the 10 seconds that a stopped run has.
const REMOVAL_TIMEOUT: Duration = Duration::from_secs(6);
/// For the pods and the log after the end; a note is as good as they are.
const LOOKING_BACK: Duration = Duration::from_secs(30);

/// A Job that exists.
pub(crate) struct Started {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) since: Instant,
}

/// Where the Jobs of a namespace are, or one of them.
pub(crate) fn jobs(namespace: &str, name: &str) -> String {
    let slash = if name.is_empty() { "" } else { "/" };
    format!("/apis/batch/v1/namespaces/{namespace}/jobs{slash}{name}")
}

/// Creates the Job and waits for its end. A Job that is not done in time, or when the token is cancelled, is removed.
///
/// # Errors
/// When it cannot be created or looked at, or when the token is cancelled. How the Job ended is no error.
pub async fn start_and_wait(
    prepared: &Prepared,
    run_id: &str,
    cancel: &CancellationToken,
) -> Result<JobOutcome, KubeError> {
    let stopped = || KubeError::Stopped("--then: stopped before the Job was started".to_owned());
    let ready = async {
        // Again, because tokens live shorter than runs.
        let server = ApiServer::connect(prepared.kubeconfig.as_deref()).await?;
        let manifest = prepared.manifest(&server, run_id).await?;
        Ok::<_, KubeError>((server, manifest))
    };
    let (server, manifest) = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(stopped()),
        ready = ready => ready?,
    };
    let job = create_unless_stopped(&server, prepared, &manifest, run_id, cancel).await?;
    tracing::info!("started the Job {} in the namespace {}", job.name, job.namespace);
    let end = tokio::select! {
        biased;
        () = cancel.cancelled() => {
            let left = remove(&server, &job).await.map_or_else(|left| format!("; {left}"), |()| " and removed".to_owned());
            return Err(KubeError::Stopped(format!("--then: the Job {} was stopped{left}", job.name)));
        }
        end = wait(&server, &job, prepared.timeout) => end?,
    };
    Ok(look_back(&server, prepared, job, end, cancel).await)
}

async fn create_unless_stopped(
    server: &ApiServer,
    prepared: &Prepared,
    manifest: &Value,
    run_id: &str,
    cancel: &CancellationToken,
) -> Result<Started, KubeError> {
    let mut creating = Box::pin(create(server, &prepared.namespace, manifest, run_id));
    tokio::select! {
        biased;
        created = &mut creating => return created,
        () = cancel.cancelled() => {}
    }
    // The request may have arrived. Its answer says what there is to remove.
    let left = match timeout(CREATION_AFTER_STOP, creating).await {
        Ok(Ok(job)) => remove(server, &job).await.err(),
        Ok(Err(_)) => None,
        Err(_) => Some("it may have been created, and then ends at its own deadline".to_owned()),
    };
    let left = left.map(|left| format!("; {left}")).unwrap_or_default();
    Err(KubeError::Stopped(format!("--then: stopped while the Job was being created{left}")))
}

/// Creates it once, however often it is asked for: one that exists and has our run's id is ours.
async fn create(server: &ApiServer, namespace: &str, manifest: &Value, run_id: &str) -> Result<Started, KubeError> {
    let since = Instant::now();
    let name = manifest["metadata"]["name"].as_str().unwrap_or_default();
    let address = format!("{}?fieldManager=project&fieldValidation=Strict", jobs(namespace, ""));
    let what = format!("create the Job {name} in the namespace {namespace}");
    let created: Job = match server.object(&Call::post(address, manifest, what)).await {
        Err(refusal) if refusal.code() == 409 => existing(server, namespace, name, run_id, refusal).await?,
        created => created?,
    };
    let uid = created.metadata.uid.unwrap_or_default();
    Ok(Started { namespace: namespace.to_owned(), name: name.to_owned(), uid, since })
}

async fn existing(
    server: &ApiServer,
    namespace: &str,
    name: &str,
    run_id: &str,
    refusal: Refusal,
) -> Result<Job, KubeError> {
    let what = format!("look at the Job {name} in the namespace {namespace}");
    let found: Job = server.object(&Call::get(jobs(namespace, name), what)).await?;
    let annotations = found.metadata.annotations.as_ref();
    let ours = annotations.and_then(|all| all.get(RUN_ID)).is_some_and(|id| id == run_id);
    if ours { Ok(found) } else { Err(refusal.into()) }
}

/// Removes it and its pods, if it is still the one that we made. The sentence says what is left behind.
async fn remove(server: &ApiServer, job: &Started) -> Result<(), String> {
    let options = json!({
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": "Background",
        "preconditions": {"uid": job.uid},
    });
    let what = format!("delete the Job {} in the namespace {}", job.name, job.namespace);
    let call = Call::delete(jobs(&job.namespace, &job.name), &options, what);
    let left = |why: String| format!("the Job {} could not be removed and ends at its own deadline: {why}", job.name);
    match timeout(REMOVAL_TIMEOUT, server.object::<Value>(&call)).await {
        Ok(Ok(_)) => Ok(()),
        // Gone, or another by now.
        Ok(Err(refusal)) if matches!(refusal.code(), 404 | 409) => Ok(()),
        Ok(Err(refusal)) => Err(left(KubeError::from(refusal).to_string())),
        Err(_) => Err(left("the API server did not answer in time".to_owned())),
    }
}

/// What there is to know after the end. Nothing of it can fail any more.
async fn look_back(
    server: &ApiServer,
    prepared: &Prepared,
    job: Started,
    mut end: JobEnd,
    cancel: &CancellationToken,
) -> JobOutcome {
    let duration = job.since.elapsed();
    let mut notes = Vec::new();
    let mut log = None;
    if end != JobEnd::Deleted {
        let looking = timeout(LOOKING_BACK, last_words(server, prepared, &job, &mut end));
        tokio::select! {
            biased;
            () = cancel.cancelled() => notes.push("stopped before its log was read".to_owned()),
            words = looking => match words {
                Ok(Ok(tail)) => log = tail,
                Ok(Err(note)) => notes.push(note),
                Err(_) => notes.push("its log did not come in time".to_owned()),
            },
        }
    }
    if matches!(end, JobEnd::TimedOut { .. }) {
        notes.extend(remove(server, &job).await.err());
    }
    JobOutcome { namespace: job.namespace, job: job.name, end, log, notes, duration }
}

/// The tail of the log, and the exit code for the end.
async fn last_words(
    server: &ApiServer,
    prepared: &Prepared,
    job: &Started,
    end: &mut JobEnd,
) -> Result<Option<LogTail>, String> {
    let what = format!("list the pods of the Job {}", job.name);
    let call = Call::get(pods::address(&job.namespace, &job.name), what);
    let note = |refusal: Refusal| KubeError::from(refusal).to_string();
    let pods: List<Pod> = server.object(&call).await.map_err(note)?;
    let Some(pod) = pods::last(&pods, *end != JobEnd::Succeeded) else { return Ok(None) };
    if let JobEnd::Failed { exit_code, .. } = end {
        *exit_code = pod.exit_code;
    }
    let tail = log_tail::read(server, &job.namespace, &pod, prepared.log_lines).await;
    tail.map(Some).map_err(note)
}
