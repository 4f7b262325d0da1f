//! The database as a run sees it: connections by both drivers, all with the same settings and the same snapshot.

use crate::connection_settings::{ConnectionSettings, Host, Tls};
use crate::session;
use crate::source_error::{SourceError, SourceErrorKind};
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::NoTls;
use tokio_postgres_rustls::MakeRustlsConnect;

/// A synchronous Diesel connection; use it on a thread that may block.
pub type DieselConnection = AsyncConnectionWrapper<AsyncPgConnection>;

/// Longest wait for a connection to be ready, login included.
const CONNECT_DEADLINE: Duration = Duration::from_secs(20);

/// Where rows come from. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Source {
    settings: Arc<ConnectionSettings>,
    application_name: Arc<str>,
    snapshot: Option<Arc<str>>,
}

impl Source {
    /// A source without a shared snapshot; `run_id` shows in the server's list of sessions.
    pub fn new(settings: ConnectionSettings, run_id: &str) -> Self {
        Self { settings: Arc::new(settings), application_name: format!("project/{run_id}").into(), snapshot: None }
    }

    /// The same source, every further connection of which sees the exported snapshot.
    pub(crate) fn with_snapshot(&self, snapshot: &str) -> Self {
        Self { snapshot: Some(snapshot.into()), ..self.clone() }
    }

    /// A connection inside a read-only transaction that sees the run's one moment.
    ///
    /// # Errors
    /// [`SourceError`] that names host and port, and what to do.
    pub async fn connect(&self) -> Result<PgConnection, SourceError> {
        let mut connection = self.connect_plain().await?;
        let begin = session::begin(self.snapshot.as_deref());
        self.execute(&mut connection, &begin, "cannot begin the read-only transaction").await?;
        Ok(connection)
    }

    /// As [`connect`](Self::connect), by Diesel. Blocks; call it on a thread that may, within a Tokio runtime.
    pub fn connect_diesel(&self) -> Result<DieselConnection, SourceError> {
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|_| SourceError::new(SourceErrorKind::Temporary, "Diesel connections need a Tokio runtime"))?;
        let connection = runtime.block_on(async { timeout(CONNECT_DEADLINE, self.open_diesel()).await });
        let connection = connection.map_err(|_| self.too_slow())??;
        Ok(DieselConnection::from(connection))
    }

    /// A connection with the session settings, outside any transaction: one failed look-up does not spoil the next.
    pub async fn connect_plain(&self) -> Result<PgConnection, SourceError> {
        let connecting = async {
            let mut connection = self.sqlx_options().connect().await.map_err(|error| self.cannot_connect(&error))?;
            self.execute(&mut connection, &session::settings(), "cannot apply the session settings").await?;
            Ok(connection)
        };
        timeout(CONNECT_DEADLINE, connecting).await.map_err(|_| self.too_slow())?
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

    async fn open_diesel(&self) -> Result<AsyncPgConnection, SourceError> {
        let settings = &self.settings;
        let mut config = tokio_postgres::Config::new();
        config
            .port(settings.port)
            .user(&settings.user)
            .dbname(&settings.database)
            .application_name(&*self.application_name)
            .connect_timeout(CONNECT_DEADLINE);
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
        let connection = match &settings.tls {
            Tls::Disabled => {
                config.ssl_mode(tokio_postgres::config::SslMode::Disable);
                let (client, driver) =
                    config.connect(NoTls).await.map_err(|error| self.cannot_connect_diesel(&error))?;
                AsyncPgConnection::try_from_client_and_connection(client, driver).await
            }
            Tls::VerifyFull { root_certificate } => {
                config.ssl_mode(tokio_postgres::config::SslMode::Require);
                let tls = MakeRustlsConnect::new(self.client_config(root_certificate.as_deref())?);
                let (client, driver) = config.connect(tls).await.map_err(|error| self.cannot_connect_diesel(&error))?;
                AsyncPgConnection::try_from_client_and_connection(client, driver).await
            }
        };
        let mut connection = connection.map_err(|error| SourceError::connecting(settings, None, &error.to_string()))?;
        for sql in [session::settings(), session::begin(self.snapshot.as_deref())] {
            let done = connection.batch_execute(&sql).await;
            done.map_err(|error| SourceError::from_diesel("cannot begin the read-only transaction", &error))?;
        }
        Ok(connection)
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

    fn too_slow(&self) -> SourceError {
        let seconds = CONNECT_DEADLINE.as_secs();
        SourceError::connecting(&self.settings, None, &format!("no connection within {seconds} s"))
    }

    fn cannot_connect(&self, error: &sqlx::Error) -> SourceError {
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
        match error.as_db_error() {
            Some(server) => SourceError::connecting(&self.settings, Some(server.code().code()), server.message()),
            None => SourceError::connecting(&self.settings, None, &error.to_string()),
        }
    }
}

/// `-c key=value` and `--key=value` pairs of the URI's `options`, in the form that sqlx takes.
fn session_options(options: Option<&str>) -> Option<Vec<(String, String)>> {
    let words = options?.split_whitespace().filter(|word| *word != "-c");
    let pairs = words.filter_map(|word| word.trim_start_matches("--").trim_start_matches("-c").split_once('='));
    Some(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
}
