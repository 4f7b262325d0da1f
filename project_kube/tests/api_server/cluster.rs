//! The API server as the runs find it: a namespace, a CronJob, the chart's Role, and somebody who does what controllers
//! and kubelets would do.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use http::Request;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use project_kube::{JobOutcome, KubeError};
use project_test_servers::kube_api_server::{ADMIN_TOKEN, KubeApiServer};
use project_test_servers::kube_recording::Exchange;
use project_test_servers::kube_stand_in::{Forward, KubeStandIn};
use project_test_servers::kubeconfig;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::time::sleep;

use crate::cases::{Asking, Case, Fate};

const NAMESPACE: &str = "shop";
/// What the pods of a Job have printed; without a kubelet no server can say it.
const LOG: &str = "reading\n\u{1b}[31mdone\u{1b}[0m\n";
const SHORT: Duration = Duration::from_millis(100);

pub(crate) struct Cluster {
    folder: TempDir,
    admin: Client,
    /// Without credentials of its own.
    plain: Client,
    runs: String,
    stranger: String,
    _server: KubeApiServer,
}

impl Cluster {
    pub(crate) async fn start() -> Result<Self> {
        let tools = repository().join("target/tools");
        let server = KubeApiServer::start(&tools)?;
        let folder = tempfile::tempdir()?;
        let (url, authority) = (server.url(), server.authority());
        let admin = client(&kubeconfig::write(folder.path(), &url, Some(&authority), ADMIN_TOKEN, NAMESPACE)?).await?;
        let plain = client(&kubeconfig::write(folder.path(), &url, Some(&authority), "", NAMESPACE)?).await?;
        let mut cluster = Self { folder, admin, plain, runs: String::new(), stranger: String::new(), _server: server };
        cluster.furnish().await?;
        Ok(cluster)
    }

    async fn furnish(&mut self) -> Result<()> {
        let core = format!("/api/v1/namespaces/{NAMESPACE}");
        let named = |kind: &str, name: &str| json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}});
        self.post("/api/v1/namespaces", &named("Namespace", NAMESPACE)).await?;
        // Pods need it, and its controller is not there.
        self.post(&format!("{core}/serviceaccounts"), &named("ServiceAccount", "default")).await?;
        let template: Value = serde_saphyr::from_str(&std::fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates/refresh.yaml"),
        )?)?;
        let cron_job = json!({
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": "refresh"},
            "spec": {
                "schedule": "0 0 1 1 *",
                "suspend": true,
                "jobTemplate": {"metadata": {"labels": {"team": "reports"}}, "spec": template["spec"]},
            },
        });
        self.post(&format!("/apis/batch/v1/namespaces/{NAMESPACE}/cronjobs"), &cron_job).await?;
        self.runs = self.rights_of_the_chart().await?;
        self.stranger = self.token("default").await?;
        Ok(())
    }

    /// Gives the chart's service account the chart's Role, and has a token for it.
    async fn rights_of_the_chart(&self) -> Result<String> {
        // The second is a mistake: nobody has made this CronJob.
        let entries = ["refresh", "refresh-2"]
            .map(|then| json!({"name": then, "schedule": "@daily", "table": "all", "then": then}));
        let entry = format!("cronjobs={}", json!(entries));
        let mut helm = Command::new(repository().join("target/tools/helm"));
        helm.args(["template", "nightly", "--kube-version=1.31", "--namespace", NAMESPACE, "--set-json", &entry])
            .arg(repository().join("helm"));
        let rendered = helm.output().context("no helm: scripts/install_operations_tools.sh builds it")?;
        ensure!(rendered.status.success(), "{}", String::from_utf8_lossy(&rendered.stderr));
        let manifests: Vec<Value> = serde_saphyr::from_multiple(std::str::from_utf8(&rendered.stdout)?)?;
        let rights = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}");
        let mut account = None;
        for manifest in manifests {
            let path = match manifest["kind"].as_str() {
                Some("ServiceAccount") => {
                    account = manifest["metadata"]["name"].as_str().map(str::to_owned);
                    format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts")
                }
                Some("Role") => format!("{rights}/roles"),
                Some("RoleBinding") => format!("{rights}/rolebindings"),
                _ => continue,
            };
            self.post(&path, &manifest).await?;
        }
        self.token(&account.context("the chart has no service account")?).await
    }

    async fn token(&self, account: &str) -> Result<String> {
        let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
        let path = format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{account}/token");
        let granted = self.post(&path, &request).await?;
        granted["status"]["token"].as_str().map(str::to_owned).context("no token")
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let request =
            Request::post(path).header("content-type", "application/json").body(body.to_string().into_bytes())?;
        self.admin.request(request).await.with_context(|| path.to_owned())
    }

    /// Plays the case through something that remembers what was said.
    pub(crate) async fn play(&self, case: &Case) -> Result<(Result<JobOutcome, KubeError>, Vec<Exchange>)> {
        let recorder = KubeStandIn::forwarding(self.forward())?;
        let token = match case.asking {
            Asking::Runs => &self.runs,
            Asking::Stranger => &self.stranger,
            Asking::Nobody => "a-token-that-nobody-knows",
        };
        let file = kubeconfig::write(self.folder.path(), &recorder.url(), None, token, NAMESPACE)?;
        let hand = Hand { client: self.admin.clone() };
        let outcome = tokio::select! {
            outcome = case.play(file) => outcome,
            Err(error) = hand.play(case.fate) => return Err(error),
        };
        let mut recorded = recorder.recorded();
        for exchange in recorded.iter_mut().filter(|exchange| exchange.request.contains("/log?")) {
            (exchange.status, exchange.answer, exchange.by_hand) = (200, LOG.into(), true);
        }
        Ok((outcome, recorded))
    }

    /// Everything goes to the server as it came, but for the log: no kubelet has one.
    fn forward(&self) -> Forward {
        let (client, runtime) = (self.plain.clone(), Handle::current());
        Box::new(move |line, authorization, body| {
            if line.contains("/log?") {
                return (200, LOG.into());
            }
            let answer = runtime.block_on(pass_on(&client, line, authorization, body));
            answer.unwrap_or_else(|error| (599, format!("{error:#}").into_bytes()))
        })
    }

    /// Those that are not on their way out.
    pub(crate) async fn jobs_left(&self) -> Result<u32> {
        let jobs: Api<Job> = Api::namespaced(self.admin.clone(), NAMESPACE);
        let left = jobs.list(&ListParams::default()).await?;
        Ok(u32::try_from(left.iter().filter(|job| job.metadata.deletion_timestamp.is_none()).count())?)
    }

    /// Removes what a case has left. No controller takes finalizers away.
    pub(crate) async fn clear(&self) -> Result<()> {
        let jobs: Api<Job> = Api::namespaced(self.admin.clone(), NAMESPACE);
        for job in jobs.list(&ListParams::default()).await? {
            let name = job.metadata.name.unwrap_or_default();
            let free = json!({"metadata": {"finalizers": null}});
            jobs.delete(&name, &DeleteParams::background()).await?;
            drop(jobs.patch(&name, &PatchParams::default(), &Patch::Merge(free)).await);
        }
        let pods: Api<Pod> = Api::namespaced(self.admin.clone(), NAMESPACE);
        pods.delete_collection(&DeleteParams::default().grace_period(0), &ListParams::default()).await?;
        Ok(())
    }
}

async fn pass_on(client: &Client, line: &str, authorization: &str, body: &[u8]) -> Result<(u16, Vec<u8>)> {
    let (method, path) = line.split_once(' ').context("no path")?;
    let request = Request::builder().method(method).uri(path).header("authorization", authorization);
    let request = request.header("content-type", "application/json").body(Body::from(body.to_vec()))?;
    let answer = client.send(request).await?;
    Ok((answer.status().as_u16(), answer.into_body().collect_bytes().await?.to_vec()))
}

/// Does what the Job controller and a kubelet would do.
struct Hand {
    client: Client,
}

impl Hand {
    async fn play(self, fate: Fate) -> Result<()> {
        if fate == Fate::Hangs { Ok(()) } else { self.carry_out(fate).await }
    }

    async fn carry_out(&self, fate: Fate) -> Result<()> {
        let jobs: Api<Job> = Api::namespaced(self.client.clone(), NAMESPACE);
        let job = loop {
            if let Some(job) = jobs.list(&ListParams::default()).await?.items.pop() {
                break job.metadata.name.context("no name")?;
            }
            sleep(SHORT).await;
        };
        sleep(SHORT).await;
        if fate == Fate::IsDeleted {
            jobs.delete(&job, &DeleteParams::background()).await?;
            return Ok(());
        }
        let pod = self.pod(&job).await?;
        let waiting = json!({"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}});
        self.pod_is(&pod, "Pending", waiting).await?;
        sleep(SHORT * 5).await;
        self.job_is(&job, json!({"startTime": NOW, "active": 1, "ready": 1})).await?;
        self.pod_is(&pod, "Running", json!({"running": {"startedAt": NOW}})).await?;
        sleep(SHORT * 5).await;
        let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": NOW});
        let (code, phase, status) = match fate {
            Fate::Fails(code) => {
                let why = ("BackoffLimitExceeded", "Job has reached the specified backoff limit");
                let conditions = ["FailureTarget", "Failed"].map(|kind| condition(kind, why.0, why.1));
                (code, "Failed", json!({"active": 0, "ready": 0, "failed": 1, "conditions": conditions}))
            }
            _ => {
                let why = ("CompletionsReached", "Reached expected number of succeeded pods");
                let conditions = ["SuccessCriteriaMet", "Complete"].map(|kind| condition(kind, why.0, why.1));
                let done = json!({
                    "active": 0, "ready": 0, "succeeded": 1, "completionTime": LATER, "conditions": conditions,
                });
                (0, "Succeeded", done)
            }
        };
        self.pod_is(&pod, phase, json!({"terminated": {"exitCode": code, "startedAt": NOW, "finishedAt": LATER}}))
            .await?;
        self.job_is(&job, status).await
    }

    /// Creates one as the controller does: with its label.
    async fn pod(&self, job: &str) -> Result<String> {
        let pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"generateName": format!("{job}-"), "labels": {"batch.kubernetes.io/job-name": job}},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "refresh", "image": "registry.example/refresh:1"}]},
        });
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), NAMESPACE);
        let pod = pods.create(&PostParams::default(), &serde_json::from_value(pod)?).await?;
        pod.metadata.name.context("no name")
    }

    async fn pod_is(&self, pod: &str, phase: &str, state: Value) -> Result<()> {
        let container = json!({
            "name": "refresh", "image": "x", "imageID": "", "ready": false, "restartCount": 0, "state": state,
        });
        let status = json!({"status": {"phase": phase, "containerStatuses": [container]}});
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), NAMESPACE);
        pods.patch_status(pod, &PatchParams::default(), &Patch::Merge(status)).await?;
        Ok(())
    }

    async fn job_is(&self, job: &str, status: Value) -> Result<()> {
        let jobs: Api<Job> = Api::namespaced(self.client.clone(), NAMESPACE);
        jobs.patch_status(job, &PatchParams::default(), &Patch::Merge(json!({"status": status}))).await?;
        Ok(())
    }
}

const NOW: &str = "2026-01-02T03:04:06Z";
const LATER: &str = "2026-01-02T03:05:06Z";

async fn client(file: &Path) -> Result<Client> {
    let found = Kubeconfig::read_from(file)?;
    Ok(Client::try_from(Config::from_custom_kubeconfig(found, &KubeConfigOptions::default()).await?)?)
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
