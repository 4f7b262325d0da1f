//! As much of a Pushgateway as a client sees: it takes metrics, refuses them, or never answers, and remembers them all.

use std::net::SocketAddr;

use anyhow::Result;

pub use crate::http_stand_in::Answer;
use crate::http_stand_in::{HttpStandIn, Request};

/// A request that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// `POST`, and the path.
    pub request: String,
    /// The header `Authorization`, if there was one.
    pub authorization: Option<String>,
    /// The metrics.
    pub body: String,
}

/// A stand-in on 127.0.0.1. Dropping it closes every connection and ends its threads.
#[derive(Debug)]
pub struct PushgatewayStandIn(HttpStandIn);

impl PushgatewayStandIn {
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

    /// Answers in this way from now on.
    pub fn set_answer(&self, answer: Answer) {
        self.0.set_answer(answer);
    }

    /// Every request since the last call, in their order.
    #[must_use]
    pub fn take_pushes(&self) -> Vec<Push> {
        self.0.take_requests().into_iter().map(Push::from).collect()
    }
}

impl From<Request> for Push {
    fn from(request: Request) -> Self {
        let authorization = request.header("authorization").map(str::to_owned);
        // Metrics are text; whatever is not shows as such in the test that looks at it.
        Self { request: request.line, authorization, body: String::from_utf8_lossy(&request.body).into_owned() }
    }
}
