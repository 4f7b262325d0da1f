//! Who we are to which API server: a kubeconfig, or the service account of a pod.

use crate::error::KubeError;
use kube::client::AuthError;
use kube::config::{ExecInteractiveMode, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use std::error::Error;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

/// For a connection; one that takes longer will not come.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);
/// For a plugin that asks a cloud for a token.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(60);

/// A way to the API server, and the namespace that the credentials name.
pub(crate) async fn connect(kubeconfig: Option<&Path>) -> Result<(Client, String), KubeError> {
    // Files are read here, and plugins run, which may ask a cloud and take their time.
    let runtime = tokio::runtime::Handle::current();
    let kubeconfig = kubeconfig.map(Path::to_owned);
    let connecting = tokio::task::spawn_blocking(move || runtime.block_on(client(kubeconfig.as_deref())));
    let done = tokio::time::timeout(LOGIN_TIMEOUT, connecting).await;
    let silent = || KubeError::Temporary(format!("--then: the credential plugin said nothing for {LOGIN_TIMEOUT:?}"));
    let ended = |error| KubeError::Configuration(format!("--then: the credentials could not be read: {error}"));
    done.map_err(|_| silent())?.map_err(ended)?
}

async fn client(kubeconfig: Option<&Path>) -> Result<(Client, String), KubeError> {
    let mut config = config(kubeconfig).await?;
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    // Requests are repeated by us, where their meaning is known.
    config.default_retry = false;
    let namespace = config.default_namespace.trim().to_owned();
    let client = Client::try_from(config).map_err(|error| match &error {
        kube::Error::Auth(error) => of_login(error),
        error => no_credentials(innermost(error)),
    })?;
    Ok((client, namespace))
}

/// KUBECONFIG, else `~/.kube/config`, else the service account. What is there and cannot be read is a mistake that is
/// told; the next in line would lead to another cluster.
async fn config(kubeconfig: Option<&Path>) -> Result<Config, KubeError> {
    let mut found = match kubeconfig.map_or_else(Kubeconfig::read, Kubeconfig::read_from) {
        Ok(found) => found,
        Err(error) if kubeconfig.is_none() && is_absent(&error) => {
            return Config::incluster().map_err(|in_cluster| {
                no_credentials(format!(
                    "there is no kubeconfig (KUBECONFIG, ~/.kube/config), and this is no pod with a service account: {in_cluster}"
                ))
            });
        }
        Err(error) => return Err(broken(&error)),
    };
    for user in found.auth_infos.iter_mut().filter_map(|user| user.auth_info.as_mut()) {
        // Nobody is there to answer a plugin that asks.
        if let Some(exec) = &mut user.exec {
            exec.interactive_mode = Some(ExecInteractiveMode::Never);
        }
    }
    if found.clusters.iter().filter_map(|cluster| cluster.cluster.as_ref()).any(|cluster| cluster.proxy_url.is_some()) {
        return Err(no_credentials(
            "the kubeconfig has a proxy-url, and --then reaches the API server without a proxy",
        ));
    }
    let mut config =
        Config::from_custom_kubeconfig(found, &KubeConfigOptions::default()).await.map_err(|e| broken(&e))?;
    // HTTPS_PROXY is for what lies outside.
    config.proxy_url = None;
    Ok(config)
}

/// Only the default place may be empty; what KUBECONFIG names has to be there.
fn is_absent(error: &KubeconfigError) -> bool {
    let at_default = Kubeconfig::from_env().is_ok_and(|named| named.is_none());
    match error {
        KubeconfigError::FindPath => true,
        KubeconfigError::ReadConfig(cause, _) => at_default && cause.kind() == ErrorKind::NotFound,
        _ => false,
    }
}

fn broken(error: &KubeconfigError) -> KubeError {
    no_credentials(match error {
        // Its own words show lines of the file, and those hold tokens.
        KubeconfigError::Parse(error) => match error.location() {
            Some(place) => {
                format!("the kubeconfig cannot be understood, line {}, column {}", place.line(), place.column())
            }
            None => "the kubeconfig cannot be understood".to_owned(),
        },
        error => format!("the kubeconfig cannot be used: {error}"),
    })
}

fn no_credentials(why: impl std::fmt::Display) -> KubeError {
    KubeError::Configuration(format!("--then: no credentials for Kubernetes: {why}"))
}

/// A plugin's output and its command line hold tokens and are never repeated.
pub(crate) fn of_login(error: &AuthError) -> KubeError {
    match error {
        AuthError::AuthExecRun { out, .. } => KubeError::Denied(format!(
            "--then: the credential plugin of the kubeconfig failed with {}; run kubectl get jobs to see what it says",
            out.status
        )),
        AuthError::AuthExecStart(error) => {
            no_credentials(format!("the credential plugin of the kubeconfig cannot be started: {error}"))
        }
        AuthError::AuthExecParse(_) => no_credentials("the credential plugin of the kubeconfig printed no credentials"),
        error => no_credentials(error),
    }
}

/// What really happened, below all that says "it failed".
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
