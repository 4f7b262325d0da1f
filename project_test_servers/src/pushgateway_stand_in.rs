//! As much of a Pushgateway as a client sees: it takes metrics, refuses them, or never answers, and remembers them all.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result};

/// How requests are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// With this status.
    Status(u16),
    /// Not at all; the connection stays open.
    Never,
}

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
pub struct PushgatewayStandIn {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    ended: AtomicBool,
    answer: Mutex<Answer>,
    pushes: Mutex<Vec<Push>>,
    open: Mutex<Vec<TcpStream>>,
}

impl PushgatewayStandIn {
    /// Starts one that takes everything.
    ///
    /// # Errors
    /// When no port can be opened.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot open a port for the Pushgateway")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            ended: AtomicBool::new(false),
            answer: Mutex::new(Answer::Status(200)),
            pushes: Mutex::default(),
            open: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        let acceptor = thread::spawn(move || accepting.accept(&listener));
        Ok(Self { address, shared, acceptor: Some(acceptor) })
    }

    /// `127.0.0.1:PORT`
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers in this way from now on.
    pub fn set_answer(&self, answer: Answer) {
        *lock(&self.shared.answer) = answer;
    }

    /// Every request since the last call, in their order.
    #[must_use]
    pub fn take_pushes(&self) -> Vec<Push> {
        std::mem::take(&mut lock(&self.shared.pushes))
    }
}

impl Drop for PushgatewayStandIn {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts; it fails when that has ended already.
        drop(TcpStream::connect(self.address));
        if let Some(acceptor) = self.acceptor.take() {
            drop(acceptor.join());
        }
    }
}

impl Shared {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        let mut clients: Vec<JoinHandle<()>> = Vec::new();
        for client in listener.incoming() {
            if self.ended.load(Ordering::SeqCst) {
                break;
            }
            if let Ok(client) = client
                && let Ok(again) = client.try_clone()
            {
                lock(&self.open).push(again);
                let shared = Arc::clone(self);
                // A client that breaks off is what some tests are about.
                clients.push(thread::spawn(move || drop(shared.serve(&client))));
            }
        }
        for stream in lock(&self.open).iter() {
            // Fails for those that are closed.
            drop(stream.shutdown(Shutdown::Both));
        }
        clients.into_iter().for_each(|client| drop(client.join()));
    }

    fn serve(&self, mut client: &TcpStream) -> Result<()> {
        let mut reader = BufReader::new(client);
        while let Some(push) = read_push(&mut reader)? {
            lock(&self.pushes).push(push);
            let answer = *lock(&self.answer);
            if let Answer::Status(status) = answer {
                write!(client, "HTTP/1.1 {status} Whatever\r\nContent-Length: 5\r\n\r\nwhy?\n")?;
            }
        }
        Ok(())
    }
}

/// The next request on a connection, if there is one.
fn read_push(reader: &mut impl BufRead) -> Result<Option<Push>> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let header = |name: &str| {
        let headers = head.iter().filter_map(|line| line.split_once(": "));
        headers.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).next()
    };
    let mut body = vec![0; header("content-length").context("no length")?.parse()?];
    reader.read_exact(&mut body)?;
    let request = head.first().context("no request")?.trim_end_matches(" HTTP/1.1").to_owned();
    Ok(Some(Push { request, authorization: header("authorization"), body: String::from_utf8(body)? }))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
