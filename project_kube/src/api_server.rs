//! Requests to the API server: each with a deadline, repeated where that may help, and what their failures mean.

use crate::credentials::{connect, innermost, of_login};
use crate::error::KubeError;
use http::{Method, Request};
use kube::Client;
use kube::client::{AuthError, Body};
use kube::core::Status;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::error::Error;
use std::path::Path;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// From the first byte sent to the last one received.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// Before each repetition.
const PAUSES: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(3)];
/// However much longer the server asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// An API server and what we do there.
pub(crate) struct ApiServer {
    client: Client,
    default_namespace: String,
}

/// One request. It is repeated as it is, so it has to be harmless when it is done twice.
pub(crate) struct Call<'a> {
    method: Method,
    address: String,
    body: Option<&'a Value>,
    /// `read the CronJob refresh in the namespace shop`, for whoever reads that it failed.
    what: String,
}

/// Why a request came to nothing.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The server's answer.
    Answer { code: u16, message: String, later: Duration, what: String },
    /// There was none.
    Silence(KubeError),
    /// There was no request: the server is another than it should be, or the login failed.
    Turned(KubeError),
}

impl<'a> Call<'a> {
    pub(crate) fn get(address: String, what: String) -> Self {
        Self { method: Method::GET, address, body: None, what }
    }

    pub(crate) fn post(address: String, body: &'a Value, what: String) -> Self {
        Self { method: Method::POST, address, body: Some(body), what }
    }

    pub(crate) fn delete(address: String, body: &'a Value, what: String) -> Self {
        Self { method: Method::DELETE, address, body: Some(body), what }
    }
}

impl ApiServer {
    pub(crate) async fn connect(kubeconfig: Option<&Path>) -> Result<Self, KubeError> {
        let (client, default_namespace) = connect(kubeconfig).await?;
        Ok(Self { client, default_namespace })
    }

    /// That of the service account or of the kubeconfig's context.
    pub(crate) fn default_namespace(&self) -> &str {
        &self.default_namespace
    }

    /// The answer, after repetitions if need be.
    pub(crate) async fn object<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, Refusal> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let refusal = match self.object_at_once(call).await {
                Err(refusal) if refusal.may_pass() => refusal,
                done => return done,
            };
            let Some(pause) = pauses.next() else { return Err(refusal) };
            tracing::debug!("cannot {}, trying again", call.what);
            sleep(pause.max(refusal.later())).await;
        }
    }

    /// The answer to one request.
    pub(crate) async fn object_at_once<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, Refusal> {
        let bytes = self.bytes(call).await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            // Only where it is wrong: what it holds may be anything.
            let place = format!("line {}, column {}", error.line(), error.column());
            Refusal::Turned(KubeError::Unreachable(format!(
                "--then: cannot {}: what answers is no API server of Kubernetes ({place})",
                call.what
            )))
        })
    }

    /// What the server sends, as it is.
    pub(crate) async fn bytes(&self, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
        timeout(REQUEST_TIMEOUT, self.exchange(call)).await.unwrap_or_else(|_| {
            Err(Refusal::Silence(KubeError::Temporary(format!(
                "--then: cannot {}: the API server sent no answer for {REQUEST_TIMEOUT:?}",
                call.what
            ))))
        })
    }

    async fn exchange(&self, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
        let body = call.body.map(ToString::to_string).unwrap_or_default();
        let mut request = Request::builder().method(&call.method).uri(&call.address);
        if call.body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let request = request.header("accept", "application/json, */*").body(Body::from(body.into_bytes()));
        let request = request.map_err(|error| Refusal::Turned(KubeError::Configuration(error.to_string())))?;
        let silence = |error: kube::Error| unanswered(&call.what, &error);
        let response = self.client.send(request).await.map_err(silence)?;
        let code = response.status();
        let bytes = response.into_body().collect_bytes().await.map_err(silence)?;
        if code.is_success() { Ok(bytes.to_vec()) } else { Err(Refusal::answer(code.as_u16(), &bytes, &call.what)) }
    }
}

impl Refusal {
    fn answer(code: u16, body: &[u8], what: &str) -> Self {
        let status = serde_json::from_slice::<Status>(body).ok();
        let asked =
            status.as_ref().and_then(|status| status.details.as_ref()).map_or(0, |more| more.retry_after_seconds);
        let later = Duration::from_secs(asked.into()).min(LONGEST_PAUSE);
        Self::Answer {
            code,
            message: status.map(|status| status.message).unwrap_or_default(),
            later,
            what: what.to_owned(),
        }
    }

    /// The code of the answer; 0 when there was none.
    pub(crate) fn code(&self) -> u16 {
        if let Self::Answer { code, .. } = self { *code } else { 0 }
    }

    /// What the server said.
    pub(crate) fn message(&self) -> &str {
        if let Self::Answer { message, .. } = self { message } else { "" }
    }

    /// Whether the same request may succeed later.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Answer { code, .. } => matches!(code, 408 | 429 | 500..),
            Self::Silence(_) => true,
            Self::Turned(_) => false,
        }
    }

    fn later(&self) -> Duration {
        if let Self::Answer { later, .. } = self { *later } else { Duration::ZERO }
    }
}

impl From<Refusal> for KubeError {
    fn from(refusal: Refusal) -> Self {
        let (code, message, what) = match refusal {
            Refusal::Answer { code, message, what, .. } => (code, message, what),
            Refusal::Silence(error) | Refusal::Turned(error) => return error,
        };
        let message = if message.is_empty() { "the API server did not say why".to_owned() } else { message };
        let sentence = format!("--then: cannot {what}: {message} ({code})");
        match code {
            401 => Self::Denied(format!("{sentence}; the token is unknown or too old")),
            403 => Self::Denied(format!("{sentence}; the rights that --then needs are in the chart's Role")),
            408 | 409 | 429 | 500.. => Self::Temporary(sentence),
            _ => Self::Configuration(sentence),
        }
    }
}

/// A request without an answer: no connection, a certificate that is not trusted, a login that failed.
fn unanswered(what: &str, error: &kube::Error) -> Refusal {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<AuthError>() {
            return Refusal::Turned(of_login(error));
        }
        cause = error.source();
    }
    let cause = innermost(error);
    let unreachable =
        KubeError::Unreachable(format!("--then: cannot {what}: no connection to the API server: {cause}"));
    // It is the same certificate the next time.
    if cause.contains("certificate") { Refusal::Turned(unreachable) } else { Refusal::Silence(unreachable) }
}
