//! As much of an HTTP server as a client sees that only posts: it takes requests, refuses them, or never answers, and
//! remembers them all.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use flate2::read::GzDecoder;

use crate::loopback_listener::{Connection, LoopbackListener};

/// How requests are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// With this status; 429 asks to come back after a minute.
    Status(u16),
    /// Not at all; the connection stays open.
    Never,
}

/// A request that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// `POST`, and the path.
    pub(crate) line: String,
    /// Every header, as it came.
    pub(crate) headers: Vec<(String, String)>,
    /// What was sent, uncompressed.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The value of a header, if there is one.
    #[must_use]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        value(&self.headers, name)
    }
}

/// A server on 127.0.0.1. Dropping it closes every connection and ends its threads.
#[derive(Debug)]
pub(crate) struct HttpStandIn {
    shared: Arc<Shared>,
    listener: LoopbackListener,
}

#[derive(Debug)]
struct Shared {
    answer: Mutex<Answer>,
    requests: Mutex<Vec<Request>>,
}

impl HttpStandIn {
    /// Starts one that takes everything.
    ///
    /// # Errors
    /// When no port can be opened.
    pub(crate) fn start() -> Result<Self> {
        let shared = Arc::new(Shared { answer: Mutex::new(Answer::Status(200)), requests: Mutex::default() });
        let serving = Arc::clone(&shared);
        let listener = LoopbackListener::start(move |client| {
            let shared = Arc::clone(&serving);
            // A client that breaks off is what some tests are about.
            Connection::served(client, move |client| drop(shared.serve(&client)))
        })?;
        Ok(Self { shared, listener })
    }

    /// `127.0.0.1:PORT`
    #[must_use]
    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Answers in this way from now on.
    pub(crate) fn set_answer(&self, answer: Answer) {
        *lock(&self.shared.answer) = answer;
    }

    /// Every request since the last call, in their order.
    #[must_use]
    pub(crate) fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut lock(&self.shared.requests))
    }
}

impl Shared {
    fn serve(&self, mut client: &TcpStream) -> Result<()> {
        let mut reader = BufReader::new(client);
        while let Some(request) = read_request(&mut reader)? {
            lock(&self.requests).push(request);
            let answer = *lock(&self.answer);
            if let Answer::Status(status) = answer {
                let later = if status == 429 { "Retry-After: 60\r\n" } else { "" };
                write!(client, "HTTP/1.1 {status} Whatever\r\n{later}Content-Length: 5\r\n\r\nwhy?\n")?;
            }
        }
        Ok(())
    }
}

/// The next request on a connection, if there is one.
pub(crate) fn read_request(reader: &mut impl BufRead) -> Result<Option<Request>> {
    let first = read_line(reader)?;
    if first.is_empty() {
        return Ok(None);
    }
    let mut headers = Vec::new();
    loop {
        match read_line(reader)?.as_str() {
            "" => break,
            line => {
                let (name, value) = line.split_once(':').context("a header without a value")?;
                headers.push((name.to_owned(), value.trim().to_owned()));
            }
        }
    }
    let sent = if value(&headers, "transfer-encoding") == Some("chunked") {
        read_chunks(reader)?
    } else {
        // Who sends nothing gives no length either.
        let mut body = vec![0; value(&headers, "content-length").unwrap_or("0").parse()?];
        reader.read_exact(&mut body)?;
        body
    };
    let body = if value(&headers, "content-encoding") == Some("gzip") { unpack(&sent)? } else { sent };
    Ok(Some(Request { line: first.trim_end_matches(" HTTP/1.1").to_owned(), headers, body }))
}

fn read_line(reader: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

fn read_chunks(reader: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let length = usize::from_str_radix(&read_line(reader)?, 16)?;
        let mut chunk = vec![0; length];
        reader.read_exact(&mut chunk)?;
        read_line(reader)?;
        if length == 0 {
            return Ok(body);
        }
        body.append(&mut chunk);
    }
}

fn unpack(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}

fn value<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
