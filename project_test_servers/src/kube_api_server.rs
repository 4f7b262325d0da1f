//! A real API server of Kubernetes with its etcd, on 127.0.0.1. It has no controllers, no nodes and no kubelets: what those
//! would do is done by the test.

use std::fs::{File, create_dir, read_to_string, write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::certificates::Authority;

/// A token that may do everything.
pub const ADMIN_TOKEN: &str = "admin-of-the-test";
const START: Duration = Duration::from_secs(120);

/// The two programs. Dropping it ends them and removes what they wrote.
#[derive(Debug)]
pub struct KubeApiServer {
    folder: TempDir,
    port: u16,
    processes: Vec<Child>,
}

impl KubeApiServer {
    /// Starts them from the folder that holds `etcd` and `kube-apiserver`, and waits until they are ready.
    ///
    /// # Errors
    /// When one of them is missing or does not start; the message has the end of its log.
    pub fn start(tools: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("project-kube-").tempdir()?;
        let mut server = Self { folder, port: free_port()?, processes: Vec::new() };
        let (clients, peers) = (free_port()?, free_port()?);
        let etcd = server.etcd(tools, clients, peers);
        server.spawn("etcd", etcd)?;
        let api_server = server.api_server(tools, clients)?;
        server.spawn("kube-apiserver", api_server)?;
        server.wait()?;
        Ok(server)
    }

    /// `https://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// Who vouches for it.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    fn etcd(&self, tools: &Path, clients: u16, peers: u16) -> Command {
        let mut command = Command::new(tools.join("etcd"));
        let (clients, peers) = (format!("http://127.0.0.1:{clients}"), format!("http://127.0.0.1:{peers}"));
        command.arg(format!("--data-dir={}", self.folder.path().join("data").display())).args([
            format!("--listen-client-urls={clients}"),
            format!("--advertise-client-urls={clients}"),
            format!("--listen-peer-urls={peers}"),
            format!("--initial-advertise-peer-urls={peers}"),
            format!("--initial-cluster=default={peers}"),
            // What it holds is worth nothing tomorrow.
            "--unsafe-no-fsync".to_owned(),
        ]);
        command
    }

    fn api_server(&self, tools: &Path, etcd: u16) -> Result<Command> {
        let folder = self.folder.path();
        let issued = Authority::create(folder, "authority")?.issue("IP:127.0.0.1", 1)?;
        write(folder.join("tls.pem"), issued.certificate)?;
        write(folder.join("tls.key"), &issued.key)?;
        write(folder.join("tokens.csv"), format!("{ADMIN_TOKEN},admin,1,\"system:masters\"\n"))?;
        create_dir(folder.join("certificates"))?;
        let file = |name: &str| folder.join(name).display().to_string();
        let mut command = Command::new(tools.join("kube-apiserver"));
        command.args([
            format!("--etcd-servers=http://127.0.0.1:{etcd}"),
            "--bind-address=127.0.0.1".to_owned(),
            "--advertise-address=127.0.0.1".to_owned(),
            format!("--secure-port={}", self.port),
            format!("--cert-dir={}", file("certificates")),
            format!("--tls-cert-file={}", file("tls.pem")),
            format!("--tls-private-key-file={}", file("tls.key")),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            format!("--service-account-key-file={}", file("tls.pem")),
            format!("--service-account-signing-key-file={}", file("tls.key")),
            format!("--token-auth-file={}", file("tokens.csv")),
            "--authorization-mode=RBAC".to_owned(),
            "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
        ]);
        Ok(command)
    }

    fn spawn(&mut self, name: &str, mut command: Command) -> Result<()> {
        let log = File::create(self.log(name))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {name}; scripts/install_kube_apiserver.sh builds it"))?;
        self.processes.push(child);
        Ok(())
    }

    fn wait(&mut self) -> Result<()> {
        let end = Instant::now() + START;
        loop {
            for (name, process) in ["etcd", "kube-apiserver"].iter().zip(&mut self.processes) {
                if let Some(status) = process.try_wait()? {
                    let log = read_to_string(self.folder.path().join(format!("{name}.log")))?;
                    let tail: Vec<&str> = log.lines().rev().take(10).collect();
                    bail!("{name} ended with {status}:\n{}", tail.join("\n"));
                }
            }
            // Nothing here speaks TLS as a client.
            let mut ready = Command::new("curl");
            ready.args(["--silent", "--fail", "--cacert"]).arg(self.authority()).arg(format!("{}/readyz", self.url()));
            if ready.stdout(Stdio::null()).status().context("cannot run curl")?.success() {
                return Ok(());
            }
            ensure!(Instant::now() < end, "kube-apiserver is not ready: see {}", self.log("kube-apiserver").display());
            sleep(Duration::from_millis(300));
        }
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.log"))
    }
}

impl Drop for KubeApiServer {
    fn drop(&mut self) {
        for process in self.processes.iter_mut().rev() {
            // Nobody needs what they would still write.
            drop(process.kill());
            drop(process.wait());
        }
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
