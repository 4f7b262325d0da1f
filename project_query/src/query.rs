//! One query, from its text to its last page.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;

use datafusion::catalog::CatalogProvider;
use datafusion::catalog::memory::MemoryCatalogProvider;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::context::{SQLOptions, SessionContext};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::SessionConfig;
use futures::StreamExt;

use crate::catalog::LakeCatalog;
use crate::engine_error::translate;
use crate::error::QueryError;
use crate::lake::Lake;
use crate::page::{Page, columns, rows};

/// The memory that a query may use when nothing else is said: 1 GiB.
pub const DEFAULT_MEMORY_LIMIT: usize = 1 << 30;

/// How the engine calls the lake and the one schema in it, so that `public.orders` is the table `orders`.
pub(crate) const CATALOG: &str = "lake";
pub(crate) const SCHEMA: &str = "public";

/// The bounds of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuerySettings {
    /// Bytes that sorts, joins and groups may hold together. Beyond it the query ends with an error, because the
    /// engine never writes to the disk.
    pub memory_limit: usize,
}

impl Default for QuerySettings {
    fn default() -> Self {
        Self { memory_limit: DEFAULT_MEMORY_LIMIT }
    }
}

impl Lake {
    /// Runs one SELECT (or EXPLAIN, DESCRIBE, SHOW TABLES) and hands its rows to `on_page`, a page at a time.
    ///
    /// `on_page` is called at least once, so that the columns of an empty result are known; `Break` ends the query
    /// early and is a success. When `cancel` completes first, the query ends with [`QueryError::Cancelled`].
    pub async fn query(
        &self,
        sql: &str,
        settings: &QuerySettings,
        cancel: impl Future<Output = ()> + Send,
        on_page: &mut (dyn FnMut(Page) -> anyhow::Result<ControlFlow<()>> + Send),
    ) -> Result<(), QueryError> {
        let session = session(self, settings).map_err(|error| translate(error, self))?;
        let mut cancel = pin!(cancel);
        let stream = tokio::select! {
            biased;
            () = &mut cancel => return Err(QueryError::Cancelled),
            started = Box::pin(start(&session, sql)) => started.map_err(|error| translate(error, self))?,
        };
        let columns = columns(&stream.schema());
        let mut stream = stream.fuse();
        let mut pages = 0_u64;
        loop {
            let batch = tokio::select! {
                biased;
                () = &mut cancel => return Err(QueryError::Cancelled),
                batch = stream.next() => batch,
            };
            let rows = match batch {
                Some(Ok(batch)) if batch.num_rows() == 0 => continue,
                Some(batch) => {
                    let rows = batch.and_then(|batch| rows(&batch).map_err(DataFusionError::from));
                    rows.map_err(|error| translate(error, self))?
                }
                None if pages == 0 => Vec::new(),
                None => return Ok(()),
            };
            pages += 1;
            let page = Page { columns: Arc::clone(&columns), rows };
            if on_page(page).map_err(QueryError::Output)?.is_break() {
                return Ok(());
            }
        }
    }
}

pub(crate) fn session(lake: &Lake, settings: &QuerySettings) -> Result<SessionContext, DataFusionError> {
    let runtime = RuntimeEnvBuilder::new()
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(settings.memory_limit)))
        .build_arc()?;
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(CATALOG, SCHEMA)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(true);
    // As in Postgres and Athena, 0.1 is the exact decimal and not the nearest binary fraction.
    config.options_mut().sql_parser.parse_float_as_decimal = true;
    let session = SessionContext::new_with_config_rt(config, runtime);
    let catalog = MemoryCatalogProvider::new();
    catalog.register_schema(SCHEMA, Arc::new(LakeCatalog::new(lake.clone())))?;
    session.register_catalog(CATALOG, Arc::new(catalog));
    Ok(session)
}

pub(crate) async fn start(session: &SessionContext, sql: &str) -> Result<SendableRecordBatchStream, DataFusionError> {
    let only_queries = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    let frame = session.sql_with_options(sql, only_queries).await?;
    frame.execute_stream().await
}
