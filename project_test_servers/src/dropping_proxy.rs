//! A way to a server that breaks: each connection is cut, or falls silent, after so many bytes of the server's answers, or
//! does not lead to the server of the one before.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use anyhow::Result;

use crate::loopback_listener::{Connection, LoopbackListener};

const BUFFER: usize = 16 << 10;

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// How many bytes of the answers come through before.
    pub after: u64,
    /// What the client sees then.
    pub how: Manner,
}

/// What the client sees of a connection that ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It is closed.
    Closed,
    /// Nothing: it stays open, and nothing comes any more.
    Silent,
}

/// The port of each connection, by its number, which counts from 1.
type Lead = Box<dyn Fn(u32) -> u16 + Send + Sync>;

/// How each connection ends, by the same number; `None` is one that holds.
type Plan = Box<dyn Fn(u32) -> Option<Break> + Send + Sync>;

/// A proxy on 127.0.0.1. Dropping it closes every connection and ends its threads.
pub struct DroppingProxy {
    shared: Arc<Shared>,
    listener: LoopbackListener,
}

struct Shared {
    lead: Lead,
    plan: Plan,
    accepted: AtomicU32,
    cut: AtomicU32,
}

impl DroppingProxy {
    /// Leads to `port` on this machine. Of the answers on one connection `allowed` bytes come through, then it is closed.
    ///
    /// # Errors
    /// When no port can be opened.
    pub fn start(port: u16, allowed: u64) -> Result<Self> {
        Self::breaking(port, move |_| Some(Break { after: allowed, how: Manner::Closed }))
    }

    /// Leads to `port` on this machine; `plan` says of each connection, by its number, whether and how it ends.
    ///
    /// # Errors
    /// When no port can be opened.
    pub fn breaking(port: u16, plan: impl Fn(u32) -> Option<Break> + Send + Sync + 'static) -> Result<Self> {
        Self::open(Box::new(move |_| port), Box::new(plan))
    }

    /// Leads each connection to the port that is named for its number; the connection waits until that is known, and the
    /// next one waits with it.
    ///
    /// # Errors
    /// When no port can be opened.
    pub fn leading(lead: impl Fn(u32) -> u16 + Send + Sync + 'static) -> Result<Self> {
        Self::open(Box::new(lead), Box::new(|_| None))
    }

    fn open(lead: Lead, plan: Plan) -> Result<Self> {
        let shared = Arc::new(Shared { lead, plan, accepted: AtomicU32::new(0), cut: AtomicU32::new(0) });
        let leading = Arc::clone(&shared);
        // A client whose server is not there sees its connection closed.
        let listener = LoopbackListener::start(move |client| leading.relays(client))?;
        Ok(Self { shared, listener })
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.listener.address().port()
    }

    /// How many connections were cut or fell silent.
    #[must_use]
    pub fn cut(&self) -> u32 {
        self.shared.cut.load(Ordering::SeqCst)
    }
}

impl Shared {
    /// Both ends of the connection, and a thread for each direction.
    fn relays(self: &Arc<Self>, client: TcpStream) -> Result<Connection> {
        let number = self.accepted.fetch_add(1, Ordering::SeqCst) + 1;
        let server = TcpStream::connect((Ipv4Addr::LOCALHOST, (self.lead)(number)))?;
        let streams = vec![client.try_clone()?, server.try_clone()?];
        let (client_again, server_again) = (client.try_clone()?, server.try_clone()?);
        let shared = Arc::clone(self);
        let ends = (self.plan)(number);
        let threads = vec![
            thread::spawn(move || relay(client, server, None, || {})),
            thread::spawn(move || {
                relay(server_again, client_again, ends, || {
                    shared.cut.fetch_add(1, Ordering::SeqCst);
                });
            }),
        ];
        Ok(Connection { streams, threads })
    }
}

/// Copies until one side closes or enough has passed, and closes both.
fn relay(mut from: TcpStream, mut to: TcpStream, ends: Option<Break>, cutting: impl Fn()) {
    let mut buffer = [0; BUFFER];
    let mut left = ends.map_or(u64::MAX, |ends| ends.after);
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let passing = usize::try_from(left).unwrap_or(usize::MAX).min(count);
        if to.write_all(&buffer[..passing]).is_err() {
            break;
        }
        left -= passing as u64;
        if passing < count {
            cutting();
            if ends.is_some_and(|ends| ends.how == Manner::Silent) {
                // Into the void, until somebody gives up.
                while let Ok(1..) = from.read(&mut buffer) {}
            }
            break;
        }
    }
    // Each fails when the other side was faster.
    drop(from.shutdown(Shutdown::Both));
    drop(to.shutdown(Shutdown::Both));
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read, Write};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::thread;
    use std::time::Duration;

    use super::{Break, DroppingProxy, Manner};

    /// Answers each connection with what it was sent, for as many connections.
    fn echo(connections: usize) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming().take(connections) {
                let mut stream = stream.unwrap();
                thread::spawn(move || std::io::copy(&mut stream.try_clone().unwrap(), &mut stream));
            }
        });
        port
    }

    #[test]
    fn answers_come_through_up_to_the_limit_and_then_the_connection_breaks() {
        let proxy = DroppingProxy::start(echo(2), 5).unwrap();
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).unwrap();
        let mut answer = [0; 4];
        stream.write_all(b"1234").unwrap();
        stream.read_exact(&mut answer).unwrap();
        assert_eq!((&answer, proxy.cut()), (b"1234", 0));
        stream.write_all(b"5678").unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert_eq!((rest.as_slice(), proxy.cut()), (&b"5"[..], 1));

        let mut open = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).unwrap();
        open.write_all(b"1").unwrap();
        open.read_exact(&mut answer[..1]).unwrap();
        let port = proxy.port();
        drop(proxy);
        assert_eq!(open.read(&mut answer).unwrap(), 0, "a connection outlives its proxy");
        // A child that another test is just starting holds a copy of every socket until it becomes its program.
        let refused = |_| {
            thread::sleep(Duration::from_millis(20));
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err()
        };
        assert!((0..100).any(refused), "the port is still open");
    }

    #[test]
    fn only_the_connection_that_is_meant_falls_silent_and_it_stays_open() {
        let silent = |number| (number == 2).then_some(Break { after: 2, how: Manner::Silent });
        let proxy = DroppingProxy::breaking(echo(2), silent).unwrap();
        let mut streams = [0, 1].map(|_| TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).unwrap());
        let mut answer = [0; 4];
        for (stream, expected) in streams.iter_mut().zip([&b"1234"[..], b"12"]) {
            stream.write_all(b"1234").unwrap();
            stream.read_exact(&mut answer[..expected.len()]).unwrap();
            assert_eq!(&answer[..expected.len()], expected);
        }
        streams[1].set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let nothing = streams[1].read(&mut answer).unwrap_err().kind();
        assert!(matches!(nothing, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{nothing}");
        assert_eq!(proxy.cut(), 1);
    }
}
