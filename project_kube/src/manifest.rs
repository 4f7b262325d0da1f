//! The Job as it is sent: what the template or the CronJob says, and what makes it ours and lets it end.

use crate::error::KubeError;
use crate::job_name::job_name;
use crate::template;
use serde_json::{Value, json};
use std::time::Duration;

/// Says which run a Job belongs to.
pub(crate) const RUN_ID: &str = "project/run-id";
/// A finished Job, its pods and their logs go after a day.
const TIME_TO_LIVE: u64 = 24 * 60 * 60;
/// A Job that goes at once would be gone before its end is seen.
const SHORTEST_TIME_TO_LIVE: u64 = 60;

/// Whose Job it is.
pub(crate) struct Ours<'a> {
    pub(crate) run_id: &'a str,
    pub(crate) timeout: Duration,
}

/// The Job of a template. Fields that this program does not know are sent as they are; the server knows them.
pub(crate) fn from_template(template: &Value, ours: &Ours<'_>) -> Value {
    let mut job = template.clone();
    let name = job_name(template::name(template).unwrap_or("job"), ours.run_id);
    if let Some(metadata) = job["metadata"].as_object_mut() {
        metadata.remove("generateName");
    }
    job["metadata"]["name"] = name.into();
    make_ours(&mut job, ours);
    job
}

/// The Job that a CronJob would make, as `kubectl create job --from` makes it.
pub(crate) fn from_cron_job(cron_job: &Value, ours: &Ours<'_>) -> Result<Value, KubeError> {
    let name = cron_job["metadata"]["name"].as_str().unwrap_or_default();
    let template = &cron_job["spec"]["jobTemplate"];
    if template["spec"]["suspend"] == Value::Bool(true) {
        return Err(KubeError::Configuration(format!(
            "--then: the CronJob {name} makes Jobs with suspend: true (in its jobTemplate), which never begin"
        )));
    }
    let mut job = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name(name, ours.run_id),
            "labels": template["metadata"]["labels"],
            "annotations": template["metadata"]["annotations"],
            // Without blockOwnerDeletion, which would need one more right.
            "ownerReferences": [{
                "apiVersion": "batch/v1",
                "kind": "CronJob",
                "name": name,
                "uid": cron_job["metadata"]["uid"],
                "controller": true,
            }],
        },
        "spec": template["spec"],
    });
    job["metadata"]["annotations"]["cronjob.kubernetes.io/instantiate"] = "manual".into();
    make_ours(&mut job, ours);
    Ok(job)
}

/// Marks it, and lets nothing be left behind, also when nobody is there any more to remove it.
fn make_ours(job: &mut Value, ours: &Ours<'_>) {
    let metadata = &mut job["metadata"];
    metadata["labels"]["app.kubernetes.io/created-by"] = "project".into();
    metadata["annotations"][RUN_ID] = ours.run_id.into();
    let spec = &mut job["spec"];
    let longest = ours.timeout.as_secs().max(1);
    let own = spec["activeDeadlineSeconds"].as_u64();
    // What is no whole number is left for the server to refuse.
    if spec["activeDeadlineSeconds"].is_null() || own.is_some_and(|own| own > longest) {
        spec["activeDeadlineSeconds"] = longest.into();
    }
    let own = spec["ttlSecondsAfterFinished"].as_u64();
    if spec["ttlSecondsAfterFinished"].is_null() {
        spec["ttlSecondsAfterFinished"] = TIME_TO_LIVE.into();
    } else if own.is_some_and(|own| own < SHORTEST_TIME_TO_LIVE) {
        spec["ttlSecondsAfterFinished"] = SHORTEST_TIME_TO_LIVE.into();
    }
}
