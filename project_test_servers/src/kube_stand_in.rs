//! Answers as an API server of Kubernetes once did, and only to the same requests in the same order.

use std::collections::VecDeque;
use std::io::{BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Result, ensure};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use crate::certificates::Issued;
use crate::http_stand_in::{Request, read_request};
use crate::kube_recording::{Exchange, run_of, with_run, without_run};
use crate::loopback_listener::{Connection, LoopbackListener};

/// The token that every request has to bring.
pub const TOKEN: &str = "token-of-the-test";

/// What happens next.
#[derive(Debug, Clone)]
pub enum Step {
    /// This request is answered like this.
    Answered(Exchange),
    /// This request arrives, and its answer gets lost.
    Lost(Exchange),
    /// This request arrives and is never answered.
    Silent(Exchange),
}

/// A stand-in on 127.0.0.1. Dropping it closes every connection and ends its threads.
pub struct KubeStandIn {
    shared: Arc<Shared>,
    listener: LoopbackListener,
}

struct Shared {
    secure: Option<Arc<ServerConfig>>,
    play: Mutex<Play>,
}

/// Takes a request (`GET /...`), its header `Authorization` and its body elsewhere, and brings the answer.
pub type Forward = Box<dyn FnMut(&str, &str, &[u8]) -> (u16, Vec<u8>) + Send>;

#[derive(Default)]
struct Play {
    steps: VecDeque<Step>,
    forward: Option<Forward>,
    recorded: Vec<Exchange>,
    run: Option<String>,
    surprises: Vec<String>,
}

/// What one request gets.
enum Reply {
    Answer(u16, String),
    Lost,
    Silence,
}

impl KubeStandIn {
    /// Starts one that expects these requests; with a certificate it speaks TLS.
    ///
    /// # Errors
    /// When no port can be opened or the certificate cannot be used.
    pub fn start(steps: impl IntoIterator<Item = Step>, certificate: Option<&Issued>) -> Result<Self> {
        let shared = Arc::new(Shared {
            secure: certificate.map(secured).transpose()?.map(Arc::new),
            play: Mutex::new(Play { steps: steps.into_iter().collect(), ..Play::default() }),
        });
        let serving = Arc::clone(&shared);
        let listener = LoopbackListener::start(move |client| {
            let shared = Arc::clone(&serving);
            // A client that breaks off is what some tests are about.
            Connection::served(client, move |client| drop(shared.serve(client)))
        })?;
        Ok(Self { shared, listener })
    }

    /// Starts one that lets another answer, and remembers what was said.
    ///
    /// # Errors
    /// When no port can be opened.
    pub fn forwarding(forward: Forward) -> Result<Self> {
        let stand_in = Self::start([], None)?;
        lock(&stand_in.shared.play).forward = Some(forward);
        Ok(stand_in)
    }

    /// How many requests are still expected.
    #[must_use]
    pub fn remaining(&self) -> usize {
        lock(&self.shared.play).steps.len()
    }

    /// What was said.
    #[must_use]
    pub fn recorded(&self) -> Vec<Exchange> {
        lock(&self.shared.play).recorded.clone()
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.shared.secure.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.listener.address())
    }

    /// Ends it.
    ///
    /// # Errors
    /// When a request came that was not expected, or one did not come that was.
    pub fn finish(self) -> Result<()> {
        let play = lock(&self.shared.play);
        ensure!(play.surprises.is_empty(), "{}", play.surprises.join("\n"));
        ensure!(play.steps.is_empty(), "these requests were not made: {:#?}", play.steps);
        Ok(())
    }
}

impl Shared {
    fn serve(&self, client: TcpStream) -> Result<()> {
        let again = client.try_clone()?;
        let done = match &self.secure {
            Some(secure) => self.converse(StreamOwned::new(ServerConnection::new(Arc::clone(secure))?, client)),
            None => self.converse(client),
        };
        // The one that is kept for the end would hold the connection open.
        drop(again.shutdown(Shutdown::Both));
        done
    }

    fn converse(&self, stream: impl Read + Write) -> Result<()> {
        let mut reader = BufReader::new(stream);
        while let Some(request) = read_request(&mut reader)? {
            match lock(&self.play).reply(&request) {
                Reply::Answer(status, body) => {
                    let kind = if body.starts_with('{') { "application/json" } else { "text/plain" };
                    let length = body.len();
                    let head =
                        format!("HTTP/1.1 {status} .\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
                    reader.get_mut().write_all((head + &body).as_bytes())?;
                    reader.get_mut().flush()?;
                }
                Reply::Lost => return Ok(()),
                Reply::Silence => {}
            }
        }
        Ok(())
    }
}

impl Play {
    fn reply(&mut self, request: &Request) -> Reply {
        let sent: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        // The first Job says which run this is.
        self.run = self.run.take().or_else(|| run_of(&sent));
        if self.forward.is_some() {
            return self.pass_on(request, sent);
        }
        let run = self.run.clone().unwrap_or_else(|| "unknown".to_owned());
        let (reply, expected) = match self.steps.pop_front() {
            Some(Step::Answered(exchange)) => (Reply::Answer(exchange.status, answer(&exchange, &run)), exchange),
            Some(Step::Lost(exchange)) => (Reply::Lost, exchange),
            Some(Step::Silent(exchange)) => (Reply::Silence, exchange),
            None => return self.surprise(format!("a request after the last one: {}", request.line)),
        };
        let line = without_run(&request.line, &run);
        let sent = serde_json::from_str(&without_run(&sent.to_string(), &run)).unwrap_or(Value::Null);
        if (&line, &sent) != (&expected.request, &expected.sent) {
            return self.surprise(format!("expected {expected:#?}\n and there came {line}\n{sent:#}"));
        }
        let bearer = format!("Bearer {TOKEN}");
        let content = (!request.body.is_empty()).then_some("application/json");
        let headers = [request.header("authorization"), request.header("content-type")];
        if headers != [Some(bearer.as_str()), content] {
            return self.surprise(format!("{line} came with the headers {headers:?}"));
        }
        reply
    }

    fn pass_on(&mut self, request: &Request, sent: Value) -> Reply {
        let Some(forward) = &mut self.forward else { return Reply::Lost };
        let (status, body) = forward(&request.line, request.header("authorization").unwrap_or(""), &request.body);
        let body = String::from_utf8_lossy(&body).into_owned();
        let answer = serde_json::from_str(&body).unwrap_or_else(|_| Value::String(body.clone()));
        let exchange = Exchange { request: request.line.clone(), sent, status, answer, by_hand: false };
        self.recorded.push(exchange);
        Reply::Answer(status, body)
    }

    /// 400, which nobody repeats.
    fn surprise(&mut self, what: String) -> Reply {
        self.surprises.push(what);
        Reply::Answer(400, "unexpected".to_owned())
    }
}

fn answer(exchange: &Exchange, run: &str) -> String {
    match &exchange.answer {
        Value::String(text) => with_run(text, run),
        json => with_run(&json.to_string(), run),
    }
}

fn secured(issued: &Issued) -> Result<ServerConfig> {
    let certificate = CertificateDer::from_pem_slice(issued.certificate.as_bytes())?;
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_no_client_auth().with_single_cert(vec![certificate], key)?)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
