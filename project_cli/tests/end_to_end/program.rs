//! Runs the built binary as a user does: in a folder of its own, with a clean environment, and not for ever.

use crate::deadline::wait_for;
use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;
use std::fmt;
use std::fs::{create_dir, read_dir};
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;
use tempfile::TempDir;

/// Far above what any test needs, on a machine that does other things as well.
const DEADLINE: Duration = Duration::from_secs(120);

/// The binary with a working directory of its own, in which `./lake` and `./scratch` lie.
#[derive(Debug)]
pub(crate) struct Program {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

impl Program {
    /// Without any variable but `PATH`, `HOME` and `TMPDIR`.
    pub(crate) fn new() -> Result<Self> {
        let folder = TempDir::new()?;
        create_dir(folder.path().join("scratch"))?;
        Ok(Self { folder, environment: Vec::new() })
    }

    /// The same with more variables.
    pub(crate) fn with_environment<N: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (N, String)>,
    ) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value));
        self.environment.extend(variables);
        self
    }

    /// A place in the working directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder that runs publish into when they are not told otherwise.
    pub(crate) fn lake(&self) -> PathBuf {
        self.path("lake")
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Ended> {
        self.start(arguments)?.wait(DEADLINE)
    }

    /// Publishes tables into `./lake` and prints the report as JSON.
    pub(crate) fn publish(&self, uri: &str, tables: &str) -> Result<Ended> {
        self.run(&[uri, "--table", tables, "--format=json"])
    }

    /// The answer of `project query` on `./lake` as CSV.
    pub(crate) fn query(&self, sql: &str) -> Result<String> {
        Ok(self.run(&["query", sql, "--format=csv"])?.expect(0)?.stdout)
    }

    /// Starts it.
    pub(crate) fn start(&self, arguments: &[&str]) -> Result<Running> {
        self.start_below(&[], arguments)
    }

    /// Starts it by another program that ends in exec.
    pub(crate) fn start_below(&self, wrapper: &[&str], arguments: &[&str]) -> Result<Running> {
        let binary = env!("CARGO_BIN_EXE_project");
        let words = wrapper.iter().chain([&binary]).chain(arguments);
        let mut words = words.copied();
        let mut command = Command::new(words.next().context("a command")?);
        command
            .args(words)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", self.folder.path())
            .env("TMPDIR", self.path("scratch"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot run {command:?}"))?;
        Ok(Running { stdout: child.stdout.take().map(collect), stderr: child.stderr.take().map(collect), child })
    }

    /// Fails when anything has been left in the folder for unfinished files.
    pub(crate) fn check_scratch_is_empty(&self) -> Result<()> {
        let left: Vec<PathBuf> =
            read_dir(self.path("scratch"))?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        ensure!(left.is_empty(), "left in the scratch folder: {left:?}");
        Ok(())
    }
}

/// The binary while it runs; dropping it kills it.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    stdout: Option<JoinHandle<Result<String>>>,
    stderr: Option<JoinHandle<Result<String>>>,
}

impl Running {
    /// Sends it signals, all of them before it can react to the first.
    pub(crate) fn signal(&self, names: &[&str]) -> Result<()> {
        let pid = self.child.id();
        let kills = names.iter().map(|name| format!("kill -{name} {pid}"));
        // The shell's own kill: small images lack the program.
        let script = kills.collect::<Vec<_>>().join(" && ");
        let status = Command::new("sh").args(["-c", &script]).status()?;
        ensure!(status.success(), "{script}: {status}");
        Ok(())
    }

    /// Kills it at once; it may have ended by itself just before.
    pub(crate) fn kill(mut self) -> Result<Ended> {
        self.child.kill()?;
        self.wait(DEADLINE)
    }

    /// Whether it has not ended yet.
    pub(crate) fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Its arguments, as everybody on the machine sees them.
    pub(crate) fn command_line(&self) -> Result<String> {
        let arguments = std::fs::read_to_string(format!("/proc/{}/cmdline", self.child.id()))?;
        Ok(arguments.replace('\0', " "))
    }

    /// Waits for its end; after the deadline it is killed, which is an error.
    pub(crate) fn wait(mut self, deadline: Duration) -> Result<Ended> {
        let status = wait_for("the end of the program", deadline, || Ok(self.child.try_wait()?));
        if status.is_err() {
            self.child.kill()?;
        }
        let ended = Ended {
            code: status.as_ref().ok().and_then(std::process::ExitStatus::code),
            stdout: text_of(self.stdout.take())?,
            stderr: text_of(self.stderr.take())?,
        };
        status.with_context(|| ended.to_string())?;
        Ok(ended)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail when it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(mut stream: impl Read + Send + 'static) -> JoinHandle<Result<String>> {
    spawn(move || {
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    })
}

fn text_of(collector: Option<JoinHandle<Result<String>>>) -> Result<String> {
    let collector = collector.context("read once")?;
    collector.join().map_err(|_| anyhow!("a reader of the output panicked"))?
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; none after a deadly signal.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Ended {
    /// Fails unless this is the exit code.
    pub(crate) fn expect(self, code: i32) -> Result<Self> {
        ensure!(self.code == Some(code), "expected the exit code {code}: {self}");
        Ok(self)
    }

    /// Fails unless standard error holds each of these texts.
    pub(crate) fn says(self, texts: &[&str]) -> Result<Self> {
        for text in texts {
            ensure!(self.stderr.contains(text), "expected {text:?} on standard error: {self}");
        }
        Ok(self)
    }

    /// Fails if this text stands anywhere in what it printed.
    pub(crate) fn never_says(self, text: &str) -> Result<Self> {
        let said = self.stderr.contains(text) || self.stdout.contains(text);
        ensure!(!said, "{text:?} is in what it printed: {self}");
        Ok(self)
    }

    /// The report, which is all that may stand on standard output.
    pub(crate) fn report(&self) -> Result<Value> {
        serde_json::from_str(&self.stdout).with_context(|| format!("no JSON report on standard output: {self}"))
    }

    /// The tables that the report calls published.
    pub(crate) fn published(&self) -> Result<Vec<String>> {
        let report = self.report()?;
        let tasks = report["tasks"].as_array().context("the report has no tasks")?;
        let published = tasks.iter().filter(|task| task["published"] == true);
        let table = |task: &Value| task["table"].as_str().map(str::to_owned).context("a task has no table");
        published.map(table).collect()
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, stdout, stderr } = self;
        write!(f, "exit code {code:?}\n--- standard output\n{stdout}\n--- standard error\n{stderr}")
    }
}
