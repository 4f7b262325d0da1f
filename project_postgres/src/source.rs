//! The database as a run sees it: connections by both drivers, all with the same settings and the same snapshot.

use crate::beginning::{begin_by_diesel, begin_by_sqlx};
use crate::connection_settings::{ConnectionSettings, Host, Tls};
use crate::diesel_connection::{DieselConnection, Driver};
use crate::moment::Moment;
use crate::session;
use crate::source_error::{SourceError, SourceErrorKind};
use crate::tls_failure;
use diesel::ConnectionError;
use diesel_async::AsyncPgConnection;
use futures::future::BoxFuture;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, PgConnection, Row};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Connection, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How a connection ended.
pub(crate) type ConnectionEnd = Result<(), tokio_postgres::Error>;

/// Longest wait for a connection to be ready, login included.
pub(crate) const CONNECT_DEADLINE: Duration = Duration::from_secs(20);
/// When a silent connection is probed; a balancer forgets it after some minutes.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// SQLSTATE of a server, or a role, that has as many connections as it may have.
const TOO_MANY: &str = "53300";
const MOST_REPEATS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// Longest silence of the server while something is read, unless somebody says otherwise: the first row of a big sort
/// or of a sparse filter over a huge table may take long.
const READ_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// Where rows come from. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Source {
    settings: Arc<ConnectionSettings>,
    application_name: Arc<str>,
    read_timeout: Duration,
    moment: Option<Arc<Moment>>,
}

impl Source {
    /// A source without a shared snapshot; `run_id` shows in the server's list of sessions.
    pub fn new(settings: ConnectionSettings, run_id: &str) -> Self {
        let application_name = format!("project/{run_id}").into();
        Self { settings: Arc::new(settings), application_name, read_timeout: READ_TIMEOUT, moment: None }
    }

    /// The same source, whose server may be silent for so long while something is read.
    #[must_use]
    pub fn with_read_timeout(self, read_timeout: Option<Duration>) -> Self {
        Self { read_timeout: read_timeout.unwrap_or(READ_TIMEOUT), ..self }
    }

    /// Longest silence of the server while something is read.
    pub(crate) fn read_timeout(&self) -> Duration {
        self.read_timeout
    }

    /// Waits for an answer of the server, but not for ever.
    ///
    /// # Errors
    /// Those of `work`, and [`SourceError`] when there is no answer within the read timeout.
    pub async fn answered<T, E: From<SourceError>>(
        &self,
        doing: &str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let answer = timeout(self.read_timeout, work).await;
        answer.unwrap_or_else(|_| Err(SourceError::silent(doing, self.read_timeout).into()))
    }

    /// The same source, every further connection of which sees the exported snapshot.
    pub(crate) fn at(&self, moment: Moment) -> Self {
        Self { moment: Some(moment.into()), ..self.clone() }
    }

    /// The moment of the run, if it has one.
    pub(crate) fn moment(&self) -> Option<&Moment> {
        self.moment.as_deref()
    }

    /// How the server is reached.
    pub(crate) fn settings(&self) -> &ConnectionSettings {
        &self.settings
    }

    /// A connection inside a read-only transaction that sees the run's one moment.
    ///
    /// # Errors
    /// [`SourceError`] that names host and port, and what to do.
    pub async fn connect(&self) -> Result<PgConnection, SourceError> {
        let connecting = async {
            let mut connection = self.open_sqlx().await?;
            begin_by_sqlx(self, &mut connection).await?;
            Ok(connection)
        };
        timeout(CONNECT_DEADLINE, connecting).await.map_err(|_| self.too_slow())?
    }

    /// As [`connect`](Self::connect), by Diesel. Blocks; call it on a thread that may, within a Tokio runtime.
    pub fn connect_diesel(&self) -> Result<DieselConnection, SourceError> {
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|_| SourceError::new(SourceErrorKind::Temporary, "Diesel connections need a Tokio runtime"))?;
        let connection = runtime.block_on(async { timeout(CONNECT_DEADLINE, self.open_diesel()).await });
        connection.map_err(|_| self.too_slow())?
    }

    /// A connection with the session settings, outside any transaction: one failed look-up does not spoil the next.
    pub async fn connect_plain(&self) -> Result<PgConnection, SourceError> {
        let connecting = async {
            let mut connection = self.open_sqlx().await?;
            self.apply_settings(&mut connection).await?;
            Ok(connection)
        };
        timeout(CONNECT_DEADLINE, connecting).await.map_err(|_| self.too_slow())?
    }

    async fn open_sqlx(&self) -> Result<PgConnection, SourceError> {
        let connect = || {
            let options = self.sqlx_options();
            async move { options.connect().await }
        };
        let full = |error: &sqlx::Error| {
            error.as_database_error().and_then(|server| server.code()).as_deref() == Some(TOO_MANY)
        };
        patiently(connect, full).await.map_err(|error| self.cannot_connect(&error))
    }

    async fn apply_settings(&self, connection: &mut PgConnection) -> Result<(), SourceError> {
        const DOING: &str = "cannot apply the session settings";
        let failed = |error: sqlx::Error| SourceError::from_sqlx(DOING, &error);
        let rows = match sqlx::raw_sql(AssertSqlSafe(session::settings())).fetch_all(&mut *connection).await {
            Ok(rows) => rows,
            Err(error @ sqlx::Error::Database(_)) => return Err(refused_setting(connection, &error).await),
            Err(error) => return Err(failed(error)),
        };
        // The last row may be the answer about the encoding.
        let pairs = rows.iter().filter(|row| row.len() == 2).map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
        let pairs: Vec<(String, String)> = pairs.collect::<sqlx::Result<_>>().map_err(failed)?;
        match session::not_taken(&pairs) {
            None => Ok(()),
            Some(refused) => {
                let message = format!(
                    "{DOING}: {refused}; something between here and the server undoes it, such as a pooler: connect to the server itself"
                );
                Err(SourceError::new(SourceErrorKind::Denied, message))
            }
        }
    }

    /// Runs statements that return nothing of interest.
    pub(crate) async fn execute(
        &self,
        connection: &mut PgConnection,
        sql: &str,
        doing: &str,
    ) -> Result<(), SourceError> {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await;
        done.map(drop).map_err(|error| SourceError::from_sqlx(doing, &error))
    }

    fn sqlx_options(&self) -> PgConnectOptions {
        let settings = &self.settings;
        // The driver's constructor reads PG* variables; everything that they could change is set here again.
        let options = PgConnectOptions::new_without_pgpass()
            .port(settings.port)
            .username(&settings.user)
            .password(settings.password.as_deref().unwrap_or_default())
            .database(&settings.database)
            .application_name(&self.application_name)
            // Prepared statements by name break behind a transaction pooler, and nothing here runs twice.
            .statement_cache_capacity(0)
            // Statements can hold literals of a row filter.
            .disable_statement_logging();
        let options = match &settings.host {
            Host::Name(name) => options.host(name),
            Host::SocketFolder(folder) => options.socket(folder),
        };
        let options = match &settings.tls {
            Tls::Disabled => options.ssl_mode(PgSslMode::Disable),
            Tls::VerifyFull { root_certificate } => {
                let options = options.ssl_mode(PgSslMode::VerifyFull);
                root_certificate.iter().fold(options, |options, file| options.ssl_root_cert(file))
            }
        };
        match session_options(settings.options.as_deref()) {
            Some(pairs) => options.options(pairs),
            None => options,
        }
    }

    async fn open_diesel(&self) -> Result<DieselConnection, SourceError> {
        let (client, bytes) = self.open_client().await?;
        let driver = Driver::start(bytes);
        let failed = |error: ConnectionError| SourceError::connecting(&self.settings, None, &error.to_string());
        let mut connection = AsyncPgConnection::try_from(client).await.map_err(failed)?;
        begin_by_diesel(self, &mut connection).await?;
        Ok(DieselConnection::new(connection, driver, self.read_timeout))
    }

    /// A client without any settings, and what drives its connection until that ends; for what has to be watched.
    pub(crate) async fn open_client(&self) -> Result<(Client, BoxFuture<'static, ConnectionEnd>), SourceError> {
        Ok(match self.tokio_tls()? {
            None => {
                let (client, driver) = self.open_tokio(NoTls).await?;
                (client, Box::pin(driver))
            }
            Some(tls) => {
                let (client, driver) = self.open_tokio(tls).await?;
                (client, Box::pin(driver))
            }
        })
    }

    async fn open_tokio<T>(&self, tls: T) -> Result<(Client, Connection<Socket, T::Stream>), SourceError>
    where
        T: MakeTlsConnect<Socket> + Clone,
    {
        let connect = || {
            let (config, tls) = (self.tokio_config(), tls.clone());
            async move { config.connect(tls).await }
        };
        let full = |error: &tokio_postgres::Error| error.code().is_some_and(|code| code.code() == TOO_MANY);
        patiently(connect, full).await.map_err(|error| self.cannot_connect_diesel(&error))
    }

    fn tokio_config(&self) -> tokio_postgres::Config {
        let settings = &self.settings;
        let mut config = tokio_postgres::Config::new();
        config
            .port(settings.port)
            .user(&settings.user)
            .dbname(&settings.database)
            .application_name(&*self.application_name)
            .connect_timeout(CONNECT_DEADLINE)
            // A server that is gone without a word shows after some minutes, even when nothing was sent to it.
            .keepalives_idle(KEEPALIVE);
        if let Some(password) = &settings.password {
            config.password(password);
        }
        if let Some(options) = &settings.options {
            config.options(options);
        }
        match &settings.host {
            Host::Name(name) => config.host(name),
            Host::SocketFolder(folder) => config.host_path(folder),
        };
        config.ssl_mode(match &settings.tls {
            Tls::Disabled => tokio_postgres::config::SslMode::Disable,
            Tls::VerifyFull { .. } => tokio_postgres::config::SslMode::Require,
        });
        config
    }

    pub(crate) fn tokio_tls(&self) -> Result<Option<MakeRustlsConnect>, SourceError> {
        match &self.settings.tls {
            Tls::Disabled => Ok(None),
            Tls::VerifyFull { root_certificate } => {
                Ok(Some(MakeRustlsConnect::new(self.client_config(root_certificate.as_deref())?)))
            }
        }
    }

    fn client_config(&self, root_certificate: Option<&Path>) -> Result<ClientConfig, SourceError> {
        let mut roots = RootCertStore::empty();
        match root_certificate {
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(file) => {
                let unusable = |cause: &dyn std::fmt::Display| {
                    SourceError::tls(&self.settings, &format!("sslrootcert {} cannot be used: {cause}", file.display()))
                };
                for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unusable(&error))? {
                    let certificate = certificate.map_err(|error| unusable(&error))?;
                    roots.add(certificate).map_err(|error| unusable(&error))?;
                }
            }
        }
        Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
    }

    pub(crate) fn too_slow(&self) -> SourceError {
        let seconds = CONNECT_DEADLINE.as_secs();
        SourceError::connecting(&self.settings, None, &format!("no connection within {seconds} s"))
    }

    fn cannot_connect(&self, error: &sqlx::Error) -> SourceError {
        if let Some(untrusted) = tls_failure::below(&self.settings, error) {
            return untrusted;
        }
        match error {
            sqlx::Error::Database(database) => {
                let sqlstate = database.code();
                SourceError::connecting(&self.settings, sqlstate.as_deref(), database.message())
            }
            sqlx::Error::Tls(cause) => SourceError::tls(&self.settings, &cause.to_string()),
            sqlx::Error::Io(cause) => SourceError::connecting(&self.settings, None, &cause.to_string()),
            other => SourceError::connecting(&self.settings, None, &other.to_string()),
        }
    }

    fn cannot_connect_diesel(&self, error: &tokio_postgres::Error) -> SourceError {
        if let Some(untrusted) = tls_failure::below(&self.settings, error) {
            return untrusted;
        }
        match error.as_db_error() {
            Some(server) => SourceError::connecting(&self.settings, Some(server.code().code()), server.message()),
            None => SourceError::connecting(&self.settings, None, &error.to_string()),
        }
    }
}

/// Ends a session. Dropping the connection ends it as well, but later and less politely.
pub async fn close(connection: PgConnection) {
    // The server ends an abandoned session by itself; a slow goodbye is not worth failing for.
    let _ = timeout(Duration::from_secs(5), connection.close()).await;
}

/// Connects; a server that is full is asked again for a short while, because it counts a session that has just ended a
/// moment longer, and a role may be allowed no more than a run needs.
async fn patiently<T, E, F>(connect: impl Fn() -> F, full: impl Fn(&E) -> bool) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    for _ in 0..MOST_REPEATS {
        match connect().await {
            Err(error) if full(&error) => sleep(PAUSE).await,
            done => return done,
        }
    }
    connect().await
}

/// The refusal of all settings together, with the name of the first that is refused alone.
async fn refused_setting(connection: &mut PgConnection, error: &sqlx::Error) -> SourceError {
    for (name, setting) in session::one_by_one() {
        if let Err(refusal @ sqlx::Error::Database(_)) =
            sqlx::raw_sql(AssertSqlSafe(setting)).execute(&mut *connection).await
        {
            let message = refusal.as_database_error().map(|server| server.message()).unwrap_or_default();
            let message = format!(
                "the server refuses the setting {name}, which every session needs: {message}; allow it to this role, or run as another"
            );
            return SourceError::new(SourceErrorKind::Denied, message);
        }
    }
    SourceError::from_sqlx("cannot apply the session settings", error)
}

/// `-c key=value` and `--key=value` pairs of the URI's `options`, in the form that sqlx takes.
fn session_options(options: Option<&str>) -> Option<Vec<(String, String)>> {
    let words = options?.split_whitespace().filter(|word| *word != "-c");
    let pairs = words.filter_map(|word| word.trim_start_matches("--").trim_start_matches("-c").split_once('='));
    Some(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
}
