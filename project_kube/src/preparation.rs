//! What can be known before the Job is started: that it could be, by these credentials, on that server.

use crate::api_server::{ApiServer, Call, Refusal};
use crate::error::KubeError;
use crate::follow_up::{FollowUp, JobSource};
use crate::job_name::is_object_name;
use crate::manifest::{Ours, from_cron_job, from_template};
use crate::run_job::jobs;
use crate::template;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// A follow-up that has been seen to be possible.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub(crate) origin: Origin,
    pub(crate) namespace: String,
    pub(crate) timeout: Duration,
    pub(crate) log_lines: usize,
    pub(crate) kubeconfig: Option<PathBuf>,
}

#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// As it was read; the file may change until then, and nobody would have looked at it.
    Template(Value),
    /// It is read again when the Job is started, as it is by then.
    CronJob(String),
}

/// Reads the template or the CronJob and rehearses on the server everything that needs a right. Nothing is changed there.
///
/// # Errors
/// What would keep the Job from being started, looked at or removed.
pub async fn prepare(follow_up: &FollowUp, run_id: &str) -> Result<Prepared, KubeError> {
    let origin = match &follow_up.source {
        JobSource::Template(path) => Origin::Template(template::read(path)?),
        JobSource::CronJob(name) if is_object_name(name) => Origin::CronJob(name.clone()),
        JobSource::CronJob(name) => {
            return Err(KubeError::Configuration(format!(
                "--then: {name:?} is no CronJob's name, which has lower-case letters, digits and dashes, and no file, which \
                 ends in .yaml, .yml or .json or has a / in it"
            )));
        }
    };
    let server = ApiServer::connect(follow_up.kubeconfig.as_deref()).await?;
    let namespace = namespace(&origin, &server)?;
    let FollowUp { timeout, log_lines, kubeconfig, .. } = follow_up.clone();
    let prepared = Prepared { origin, namespace, timeout, log_lines, kubeconfig };
    rehearse(&prepared, &server, run_id).await?;
    Ok(prepared)
}

fn namespace(origin: &Origin, server: &ApiServer) -> Result<String, KubeError> {
    let named = match origin {
        Origin::Template(job) => job["metadata"]["namespace"].as_str(),
        Origin::CronJob(_) => None,
    };
    let namespace = named.unwrap_or_else(|| server.default_namespace());
    if is_object_name(namespace) && !namespace.contains('.') {
        return Ok(namespace.to_owned());
    }
    Err(KubeError::Configuration(format!("--then: {namespace:?} is no name of a namespace")))
}

impl Prepared {
    /// The Job of this run.
    pub(crate) async fn manifest(&self, server: &ApiServer, run_id: &str) -> Result<Value, KubeError> {
        let ours = Ours { run_id, timeout: self.timeout };
        match &self.origin {
            Origin::Template(template) => Ok(from_template(template, &ours)),
            Origin::CronJob(name) => {
                let namespace = &self.namespace;
                let address = format!("/apis/batch/v1/namespaces/{namespace}/cronjobs/{name}");
                let what = format!("read the CronJob {name} in the namespace {namespace}");
                let cron_job: Value = server.object(&Call::get(address, what)).await?;
                from_cron_job(&cron_job, &ours)
            }
        }
    }
}

/// A dry run shows that the Job is valid, that policies let it through, and the right to create. The rights to look at it
/// and to remove it show by asking for one that is not there: whoever may not is told so before.
async fn rehearse(prepared: &Prepared, server: &ApiServer, run_id: &str) -> Result<(), KubeError> {
    let job = prepared.manifest(server, run_id).await?;
    let (namespace, name) = (&prepared.namespace, job["metadata"]["name"].as_str().unwrap_or_default());
    let address = format!("{}?fieldManager=project&fieldValidation=Strict&dryRun=All", jobs(namespace, ""));
    let what = format!("create a Job in the namespace {namespace}");
    match server.object::<Value>(&Call::post(address, &job, what)).await {
        Err(refusal) if refusal.code() == 400 && refusal.message().contains("does not support dry run") => {
            tracing::warn!(
                "a webhook of the cluster takes no rehearsals: whether it lets the follow-up through shows at the end"
            );
        }
        rehearsed => drop(rehearsed?),
    }
    let what = format!("look at Jobs in the namespace {namespace}");
    absent(server.object::<Value>(&Call::get(jobs(namespace, name), what)).await)?;
    let what = format!("delete Jobs in the namespace {namespace}");
    let address = format!("{}?dryRun=All", jobs(namespace, name));
    let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "dryRun": ["All"]});
    absent(server.object::<Value>(&Call::delete(address, &options, what)).await)
}

fn absent(answer: Result<Value, Refusal>) -> Result<(), KubeError> {
    match answer {
        Err(refusal) if refusal.code() == 404 => Ok(()),
        answer => answer.map(drop).map_err(KubeError::from),
    }
}
