//! A throw-away Postgres for tests, and in it a database of its own for each test.
//!
//! `scripts/throwaway_postgres.sh` runs the server for as long as its standard input stays open. This process holds the other
//! end of that pipe, so the server ends with the process, however that ends.
//!
//! SQL goes through `psql`, never through the drivers that are under test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};

use crate::copy_text::parse_row;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const STOP_DEADLINE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);

/// The sizes of [`Database::load_shop_sample`], as psql variables of `demo/shop.sql`.
const SMALL_SHOP: [&str; 5] = ["users=200", "orders=2000", "products=100", "events=3000", "days=7"];

/// How a server ends before it starts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// It tells its clients that it goes, and cuts them off.
    Fast,
    /// It goes as it would after a crash, and repairs its data at the start.
    Immediate,
}

/// A running server on 127.0.0.1 that nobody else uses. Dropping it ends it and removes its data.
#[derive(Debug)]
pub struct Postgres {
    script: Child,
    /// Open as long as the server shall run.
    stdin: Option<ChildStdin>,
    programs: PathBuf,
    port: u16,
    pid: u32,
    databases: AtomicU32,
    shared: bool,
}

impl Postgres {
    /// The one server of this test process, started by the first caller.
    ///
    /// # Errors
    /// When it cannot be started; every caller then gets the same message.
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Result<Postgres, String>> = OnceLock::new();
        let start = || {
            let mut server = Self::start().map_err(|error| format!("{error:#}"))?;
            server.shared = true;
            Ok(server)
        };
        SHARED.get_or_init(start).as_ref().map_err(|message| anyhow!("{message}"))
    }

    /// A server for one test alone: one that it stops, kills or overloads.
    ///
    /// # Errors
    /// When the server's programs are not installed or it does not start; the message holds the server's log.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// The same with options of the script that runs it.
    pub(crate) fn start_with(options: &[String]) -> Result<Self> {
        let programs = programs()?;
        let script_path = script("throwaway_postgres.sh");
        let mut script = Command::new(&script_path)
            .args(options)
            .arg(new_data_directory())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", script_path.display()))?;
        let stdin = script.stdin.take();
        match read_ready_line(&mut script) {
            Ok((port, pid)) => {
                Ok(Self { script, stdin, programs, port, pid, databases: AtomicU32::new(0), shared: false })
            }
            Err(error) => {
                drop(stdin);
                let mut log = String::new();
                if let Some(mut stderr) = script.stderr.take() {
                    stderr.read_to_string(&mut log)?;
                }
                wait_with_deadline(&mut script, STOP_DEADLINE)?;
                Err(error.context(format!("the test Postgres did not start: {log}")))
            }
        }
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id of the server.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The directory of `psql`, `pgbench` and the other programs of this server's version.
    #[must_use]
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// The URI of a database on this server, for the superuser.
    #[must_use]
    pub fn uri(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Ends the server in good order and removes its data.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    /// Cuts all connections at once, as a crash of the server does. Returns when it is gone.
    ///
    /// # Errors
    /// On the shared server, which other tests are using; when the server survives it.
    pub fn kill(&self) -> Result<()> {
        ensure!(!self.shared, "only a server from Postgres::start() may be killed");
        // The shell's own kill: small images lack the program.
        let status = Command::new("sh")
            .args(["-c", r#"kill -QUIT "$0""#, &self.pid.to_string()])
            .status()
            .context("cannot run sh")?;
        ensure!(status.success(), "kill -QUIT {} failed", self.pid);
        let end = Instant::now() + STOP_DEADLINE;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
            ensure!(Instant::now() < end, "Postgres {} survives", self.pid);
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// Restarts it with its data on the same port. Returns at once; for some moments nobody answers there.
    ///
    /// # Errors
    /// On the shared server, which other tests are using.
    pub fn restart(&self, how: Shutdown) -> Result<()> {
        ensure!(!self.shared, "only a server from Postgres::start() may be restarted");
        let signal = match how {
            Shutdown::Fast => "USR1",
            Shutdown::Immediate => "USR2",
        };
        let kill = format!("kill -{signal} {}", self.script.id());
        let status = Command::new("sh").args(["-c", &kill]).status().context("cannot run sh")?;
        ensure!(status.success(), "{kill} failed");
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        drop(self.stdin.take());
        wait_with_deadline(&mut self.script, STOP_DEADLINE)?;
        Ok(())
    }

    /// The rows of one query in a database, every value in Postgres' own text form.
    ///
    /// # Errors
    /// When the query fails.
    pub fn query_text(&self, database: &str, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
        let query = sql.trim().trim_end_matches(';');
        let copy = format!("COPY (\n{query}\n) TO STDOUT;\n");
        let output = self.psql(database, &[], &copy)?;
        output.lines().map(parse_row).collect()
    }

    /// Runs `psql` with this input and returns what it prints.
    pub(crate) fn psql(&self, database: &str, arguments: &[&str], input: &str) -> Result<String> {
        let mut psql = Command::new(self.programs.join("psql"))
            // The settings of whoever runs the tests (PGSSLMODE, PGOPTIONS, ...) must not change what the tests see.
            .env_clear()
            .env("PGCONNECT_TIMEOUT", "10")
            .env("PGOPTIONS", "-c statement_timeout=120s")
            .env("PGCLIENTENCODING", "UTF8")
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d"])
            .arg(self.uri(database))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run psql")?;
        let stdin = psql.stdin.take();
        let output = std::thread::scope(|scope| {
            // A thread of its own: psql prints while it reads, and neither pipe may fill up.
            scope.spawn(move || {
                // When psql stops early, its exit status says so.
                stdin.map(|mut stdin| stdin.write_all(input.as_bytes()))
            });
            psql.wait_with_output()
        })?;
        ensure!(
            output.status.success(),
            "psql failed in {database}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        String::from_utf8(output.stdout).context("psql printed something that is not UTF-8")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The script removes everything by itself; there is nobody to tell if it is slow.
        drop(self.end());
    }
}

/// A database that belongs to one test. Dropping it drops it on the server, open connections or not.
#[derive(Debug)]
pub struct Database<'server> {
    server: &'server Postgres,
    name: String,
}

impl<'server> Database<'server> {
    /// Creates an empty database with a name of its own.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn create(server: &'server Postgres) -> Result<Self> {
        Self::create_as(server, "")
    }

    /// The same for a database that takes any bytes for text.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn create_sql_ascii(server: &'server Postgres) -> Result<Self> {
        Self::create_as(server, "TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    }

    /// The same for a database that keeps text in LATIN1.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn create_latin1(server: &'server Postgres) -> Result<Self> {
        Self::create_as(server, "TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    }

    fn create_as(server: &'server Postgres, options: &str) -> Result<Self> {
        let number = server.databases.fetch_add(1, Ordering::Relaxed) + 1;
        let name = format!("test_{number}");
        server.psql("postgres", &[], &format!("CREATE DATABASE {name} {options};"))?;
        Ok(Self { server, name })
    }

    /// The server that it lives on.
    #[must_use]
    pub fn server(&self) -> &'server Postgres {
        self.server
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URI for the superuser, who needs no password.
    #[must_use]
    pub fn uri(&self) -> String {
        self.server.uri(&self.name)
    }

    /// Its URI for the role `locked`, the only one that is asked for a password (which is `locked`).
    #[must_use]
    pub fn uri_with_password(&self, password: &str) -> String {
        format!("postgres://locked:{password}@127.0.0.1:{}/{}", self.server.port, self.name)
    }

    /// Runs statements, each in a transaction of its own unless they say otherwise.
    ///
    /// # Errors
    /// When one fails; those after it have not run.
    pub fn execute(&self, sql: &str) -> Result<()> {
        self.server.psql(&self.name, &[], sql)?;
        Ok(())
    }

    /// The rows of one query, every value in Postgres' own text form.
    ///
    /// # Errors
    /// When the query fails.
    pub fn query_text(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
        self.server.query_text(&self.name, sql)
    }

    /// Creates the tables of the sample shop, without rows.
    ///
    /// # Errors
    /// When they exist already.
    pub fn create_shop_tables(&self) -> Result<()> {
        self.run_demo_file("schema.sql", &[])
    }

    /// Creates the tables of the sample shop and fills them with a small one: 200 users, 2,000 orders, 100 products and 3,000
    /// events over the 7 days before 2026-01-01.
    ///
    /// # Errors
    /// When the tables exist already.
    pub fn load_shop_sample(&self) -> Result<()> {
        self.create_shop_tables()?;
        self.run_demo_file("shop.sql", &SMALL_SHOP)
    }

    fn run_demo_file(&self, file: &str, variables: &[&str]) -> Result<()> {
        let path = format!("{REPOSITORY}/demo/{file}");
        let mut arguments: Vec<&str> = variables.iter().flat_map(|v| ["-v", v]).collect();
        arguments.extend(["-f", &path]);
        self.server.psql(&self.name, &arguments, "")?;
        Ok(())
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE);", self.name);
        // A test may have killed the server; then the database is gone with it.
        drop(self.server.psql("postgres", &[], &sql));
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(REPOSITORY).join("scripts").join(name)
}

/// Where the server's programs are. Installs them if need be, as `make test` has done already.
fn programs() -> Result<PathBuf> {
    let path = script("install_postgres.sh");
    let output = Command::new(&path)
        .arg("--bindir")
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {}", path.display()))?;
    ensure!(output.status.success(), "no Postgres for the tests: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()))
}

fn new_data_directory() -> PathBuf {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("project-postgres-{}-{number}", std::process::id()))
}

/// Reads `ready 127.0.0.1:PORT PID`. The script has deadlines of its own, so the line or the end of its output always comes.
fn read_ready_line(script: &mut Child) -> Result<(u16, u32)> {
    let stdout = script.stdout.take().context("the script has no output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    line.trim()
        .strip_prefix("ready 127.0.0.1:")
        .and_then(|rest| rest.split_once(' '))
        .and_then(|(port, pid)| Some((port.parse().ok()?, pid.parse().ok()?)))
        .with_context(|| format!("expected a line with its address, got {line:?}"))
}

fn wait_with_deadline(child: &mut Child, deadline: Duration) -> Result<ExitStatus> {
    let end = Instant::now() + deadline;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() > end {
            bail!("process {} has not ended in {deadline:?}", child.id());
        }
        std::thread::sleep(POLL);
    }
}
