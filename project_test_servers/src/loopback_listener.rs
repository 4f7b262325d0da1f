//! A port on 127.0.0.1, and the connections to it.

use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result};

/// More than the connections of any test need; a connection beyond it is closed at once.
const MOST_THREADS: usize = 128;

/// Accepts connections. Dropping it closes each of them and ends their threads.
#[derive(Debug)]
pub(crate) struct LoopbackListener {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

/// What belongs to one connection.
pub(crate) struct Connection {
    /// They are closed in the end.
    pub(crate) streams: Vec<TcpStream>,
    /// They end when these are closed.
    pub(crate) threads: Vec<JoinHandle<()>>,
}

impl Connection {
    /// A client that is served by one thread.
    ///
    /// # Errors
    /// When its socket cannot be kept.
    pub(crate) fn served(client: TcpStream, serve: impl FnOnce(TcpStream) + Send + 'static) -> Result<Self> {
        let streams = vec![client.try_clone()?];
        Ok(Self { streams, threads: vec![thread::spawn(move || serve(client))] })
    }
}

impl LoopbackListener {
    /// Opens a port; every client is handed over, the next one when that is done, and closed when it fails.
    ///
    /// # Errors
    /// When no port can be opened.
    pub(crate) fn start(accept: impl FnMut(TcpStream) -> Result<Connection> + Send + 'static) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot open a port on 127.0.0.1")?;
        let address = listener.local_addr()?;
        let ended = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&ended);
        let acceptor = thread::spawn(move || accept_all(&listener, &until, accept));
        Ok(Self { address, ended, acceptor: Some(acceptor) })
    }

    /// `127.0.0.1:PORT`
    #[must_use]
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for LoopbackListener {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts; it fails when that has ended already.
        drop(TcpStream::connect(self.address));
        if let Some(acceptor) = self.acceptor.take() {
            drop(acceptor.join());
        }
    }
}

fn accept_all(
    listener: &TcpListener,
    ended: &AtomicBool,
    mut accept: impl FnMut(TcpStream) -> Result<Connection> + Send + 'static,
) {
    let (mut streams, mut threads) = (Vec::new(), Vec::<JoinHandle<()>>::new());
    for client in listener.incoming() {
        if ended.load(Ordering::SeqCst) {
            break;
        }
        threads.retain(|thread| !thread.is_finished());
        if threads.len() < MOST_THREADS
            && let Ok(client) = client
            && let Ok(connection) = accept(client)
        {
            streams.extend(connection.streams);
            threads.extend(connection.threads);
        }
    }
    for stream in &streams {
        // Fails for those that are closed.
        drop(stream.shutdown(Shutdown::Both));
    }
    threads.into_iter().for_each(|thread| drop(thread.join()));
}
