//! The pods of a Job: what keeps them from starting, and which of them says why the Job failed.

use k8s_openapi::List;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodStatus};

/// Waiting for these is as it should be.
const HARMLESS: [&str; 2] = ["ContainerCreating", "PodInitializing"];

/// Where the pods of a Job are listed.
pub(crate) fn address(namespace: &str, job: &str) -> String {
    // The label is set by Kubernetes, and a Job's name needs no escaping.
    format!("/api/v1/namespaces/{namespace}/pods?labelSelector=batch.kubernetes.io%2Fjob-name%3D{job}&limit=500")
}

/// Why pods do not start, as `ImagePullBackOff (Back-off pulling image "x")`, each with its pod.
pub(crate) fn obstacles(pods: &List<Pod>) -> Vec<Obstacle> {
    pods.items.iter().filter_map(obstacle).collect()
}

/// Why a pod does not start.
pub(crate) struct Obstacle {
    pub(crate) pod: String,
    /// `ImagePullBackOff`, `Unschedulable`.
    pub(crate) reason: String,
    pub(crate) message: String,
}

fn obstacle(pod: &Pod) -> Option<Obstacle> {
    let status = pod.status.as_ref().filter(|status| status.phase.as_deref() == Some("Pending"))?;
    let waiting = containers(status).filter_map(|container| container.state.as_ref()?.waiting.as_ref());
    let waiting = waiting.filter_map(|waiting| Some((waiting.reason.clone()?, waiting.message.clone())));
    let mut waiting = waiting.filter(|(reason, _)| !HARMLESS.contains(&reason.as_str()));
    let (reason, message) = waiting.next().or_else(|| {
        let conditions = status.conditions.iter().flatten();
        let mut unscheduled = conditions.filter(|found| found.type_ == "PodScheduled" && found.status == "False");
        unscheduled.next().and_then(|found| Some((found.reason.clone()?, found.message.clone())))
    })?;
    Some(Obstacle { pod: name(pod), reason, message: message.unwrap_or_default() })
}

/// The pod whose end is the Job's: the newest, of those that failed if there are any.
pub(crate) struct LastPod {
    pub(crate) name: String,
    /// The one that failed, else the first.
    pub(crate) container: Option<String>,
    pub(crate) exit_code: Option<i32>,
}

/// Nothing if the Job has no pods any more.
pub(crate) fn last(pods: &List<Pod>, failed: bool) -> Option<LastPod> {
    let created = |pod: &&Pod| pod.metadata.creation_timestamp.clone();
    let failing = pods.items.iter().filter(|pod| failed && failed_container(pod).is_some());
    let pod = failing.max_by_key(created).or_else(|| pods.items.iter().max_by_key(created))?;
    let failed = failed_container(pod);
    let first = pod.spec.as_ref().and_then(|spec| spec.containers.first());
    Some(LastPod {
        name: name(pod),
        container: failed.as_ref().map(|(name, _)| name.clone()).or(first.map(|container| container.name.clone())),
        exit_code: failed.map(|(_, code)| code),
    })
}

fn failed_container(pod: &Pod) -> Option<(String, i32)> {
    let failed = |container: &ContainerStatus| {
        let ends = [container.state.as_ref(), container.last_state.as_ref()];
        let code = ends.into_iter().flatten().find_map(|state| Some(state.terminated.as_ref()?.exit_code))?;
        (code != 0).then(|| (container.name.clone(), code))
    };
    containers(pod.status.as_ref()?).find_map(failed)
}

/// Those that run before the others come first: when one fails, the others never start.
fn containers(status: &PodStatus) -> impl Iterator<Item = &ContainerStatus> {
    status.init_container_statuses.iter().chain(status.container_statuses.iter()).flatten()
}

fn name(pod: &Pod) -> String {
    pod.metadata.name.clone().unwrap_or_default()
}
