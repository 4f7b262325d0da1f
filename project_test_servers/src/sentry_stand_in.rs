//! As much of a Sentry as a client sees: it takes envelopes, refuses them, or never answers, and remembers them all.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

pub use crate::http_stand_in::Answer;
use crate::http_stand_in::HttpStandIn;

const ENVELOPES: &str = "POST /api/1/envelope/";

/// What has arrived.
#[derive(Debug, Default)]
pub struct Taken {
    /// Every event, in the order in which they came.
    pub events: Vec<Value>,
    /// All envelopes as they came, for a search.
    pub text: String,
}

/// A stand-in on 127.0.0.1. Dropping it closes every connection and ends its threads.
#[derive(Debug)]
pub struct SentryStandIn(HttpStandIn);

impl SentryStandIn {
    /// Starts one that takes everything.
    ///
    /// # Errors
    /// When no port can be opened.
    pub fn start() -> Result<Self> {
        Ok(Self(HttpStandIn::start()?))
    }

    /// `127.0.0.1:PORT`
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// What a program is given to reach it with this key.
    #[must_use]
    pub fn dsn(&self, key: &str) -> String {
        format!("http://{key}@{}/1", self.address())
    }

    /// Answers in this way from now on.
    pub fn set_answer(&self, answer: Answer) {
        self.0.set_answer(answer);
    }

    /// Everything since the last call.
    ///
    /// # Errors
    /// When something came that is no envelope.
    pub fn take(&self) -> Result<Taken> {
        let mut taken = Taken::default();
        for request in self.0.take_requests() {
            ensure!(request.line == ENVELOPES, "not for envelopes: {}", request.line);
            let envelope = String::from_utf8(request.body)?;
            taken.events.extend(events(&envelope)?);
            taken.text.push_str(&envelope);
        }
        Ok(taken)
    }
}

/// The events of an envelope: a line about it, and then for each item a line about the item and one that it is.
fn events(envelope: &str) -> Result<Vec<Value>> {
    let mut lines = envelope.lines().skip(1).filter(|line| !line.is_empty());
    let mut events = Vec::new();
    while let Some(header) = lines.next() {
        let header: Value = serde_json::from_str(header)?;
        let payload = lines.next().with_context(|| format!("nothing follows {header}"))?;
        if header["type"] == "event" {
            events.push(serde_json::from_str(payload)?);
        }
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::events;
    use anyhow::Result;

    #[test]
    fn only_events_of_an_envelope_are_events() -> Result<()> {
        let envelope = "{}\n{\"type\":\"client_report\"}\n{\"a\":1}\n{\"type\":\"event\",\"length\":7}\n{\"b\":2}\n";
        let events = events(envelope)?;
        assert_eq!(events, [serde_json::json!({"b": 2})]);
        assert!(super::events("{}\n{\"type\":\"event\"}\n").is_err());
        Ok(())
    }
}
