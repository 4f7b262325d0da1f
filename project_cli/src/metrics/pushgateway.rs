//! Metrics for a Pushgateway, one request for each group. POST replaces the metrics of the group that it names and no
//! others, so that a run which fails erases nobody's last success.

use super::figures::{Figure, Label};
use super::text;
use crate::config::Pushgateway;
use crate::http_client;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use std::path::Path;
use std::time::{Duration, Instant};
use ureq::Agent;
use ureq::http::StatusCode;

/// How long a Pushgateway is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For one request, from looking up the name to the end of the answer. One that takes longer ends the push.
    request: Duration,
    /// For all of them: a schema may have hundreds of tables, and a server that is far away and works shall get them.
    all: Duration,
}

pub(super) const PATIENT: Patience = Patience { request: Duration::from_secs(5), all: Duration::from_secs(30) };
/// After a signal the program has seconds to end.
pub(super) const IN_A_HURRY: Patience = Patience { request: Duration::from_secs(1), all: Duration::from_secs(1) };

/// The job that Prometheus sees.
const JOB: &str = "project";

/// Pushes group by group and returns what went wrong.
pub(super) fn push(
    gateway: &Pushgateway,
    root_certificates: Option<&Path>,
    figures: &[Figure],
    patience: Patience,
) -> Option<String> {
    let url = &gateway.url;
    // One client for all requests, which shares a connection between them.
    let agent = match http_client::settings(root_certificates) {
        Ok(settings) => settings.build().new_agent(),
        Err(error) => return Some(format!("the metrics were not pushed to {url}: {error:#}")),
    };
    let groups: Vec<&[Figure]> = figures.chunk_by(|a, b| a.group == b.group).collect();
    let deadline = Instant::now() + patience.all;
    let mut refused: Vec<(&str, StatusCode)> = Vec::new();
    for (at, figures) in groups.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now()).min(patience.request);
        let Some(group) = figures.first().map(|figure| &figure.group) else { continue };
        match post(&agent, gateway, &address(url, group), text::written(figures), left) {
            Ok(status) if status.is_success() => {}
            Ok(status) => refused.push((&group.1, status)),
            Err(error) => {
                let (of, why) = (groups.len(), why(&error, left));
                return Some(format!("the metrics were not pushed to {url} ({at} of {of} groups were): {why}"));
            }
        }
    }
    let (_, status) = refused.first()?;
    let names: Vec<&str> = refused.iter().map(|(name, _)| *name).collect();
    let names = names.join(", ");
    Some(format!("the Pushgateway {url} refused the metrics of {names} with {status}; its own log says why"))
}

fn post(
    agent: &Agent,
    gateway: &Pushgateway,
    address: &str,
    body: String,
    deadline: Duration,
) -> Result<StatusCode, ureq::Error> {
    let mut request = agent.post(address).header("content-type", "text/plain; version=0.0.4; charset=utf-8");
    if let Some(credentials) = &gateway.credentials {
        request = request.header("authorization", format!("Basic {}", BASE64_STANDARD.encode(credentials.expose())));
    }
    let mut answer = request.config().timeout_global(Some(deadline)).build().send(body)?;
    // Read to its end, or the connection could not be used again; of no other interest.
    answer.body_mut().with_config().limit(1 << 16).read_to_vec()?;
    Ok(answer.status())
}

fn why(error: &ureq::Error, deadline: Duration) -> String {
    match error {
        ureq::Error::Timeout(_) => format!("there was no answer within {:.1} s", deadline.as_secs_f64()),
        ureq::Error::HostNotFound => "its name is not known".to_owned(),
        other => other.to_string(),
    }
}

/// Where a group lives.
fn address(url: &str, (name, value): &Label) -> String {
    let is_plain = value.starts_with(|first: char| first.is_ascii_alphanumeric())
        && value.chars().all(|character| character.is_ascii_alphanumeric() || "._-".contains(character));
    if is_plain {
        return format!("{url}/metrics/job/{JOB}/{name}/{value}");
    }
    // The Pushgateway's own way for values that a path cannot hold.
    format!("{url}/metrics/job/{JOB}/{name}@base64/{}", BASE64_URL_SAFE_NO_PAD.encode(value))
}

#[cfg(test)]
mod tests;
