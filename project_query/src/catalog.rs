//! The tables of a lake for the engine's planner: each is opened when a statement first names it, and only then.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::TableType;
use tokio::sync::Mutex;

use crate::error::QueryError;
use crate::lake::Lake;
use crate::table::LakeTable;

/// The lake as it was when each of its tables was first named.
#[derive(Debug)]
pub(crate) struct LakeCatalog {
    lake: Lake,
    /// A table named twice in one statement is the same run both times.
    opened: Mutex<HashMap<String, Arc<LakeTable>>>,
}

impl LakeCatalog {
    pub(crate) fn new(lake: Lake) -> Self {
        Self { lake, opened: Mutex::default() }
    }

    async fn open(&self, name: &str) -> Result<Arc<LakeTable>, QueryError> {
        let mut opened = self.opened.lock().await;
        if let Some(table) = opened.get(name) {
            return Ok(Arc::clone(table));
        }
        let (lake, wanted) = (self.lake.clone(), name.to_owned());
        let opening = tokio::task::spawn_blocking(move || {
            let folder = lake.resolve(&wanted)?;
            tracing::debug!(table = wanted, folder = %folder.display(), "table resolved");
            LakeTable::open(&wanted, &folder)
        });
        let table = opening
            .await
            .map_err(|error| QueryError::Internal(format!("opening the table \"{name}\" failed: {error}")))??;
        let table = Arc::new(table);
        opened.insert(name.to_owned(), Arc::clone(&table));
        Ok(table)
    }
}

#[async_trait]
impl SchemaProvider for LakeCatalog {
    fn table_names(&self) -> Vec<String> {
        // Only "show tables" asks; a lake that cannot be read was refused before.
        self.lake.tables().unwrap_or_default()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        // The planner also asks for the names of table functions.
        if !self.lake.has(name) {
            return Ok(None);
        }
        match self.open(name).await {
            Ok(table) => Ok(Some(table)),
            Err(error) => Err(DataFusionError::External(Box::new(error))),
        }
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        Ok(self.lake.has(name).then_some(TableType::Base))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.lake.has(name)
    }
}
