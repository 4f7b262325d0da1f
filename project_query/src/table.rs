//! One table of the lake as the engine sees it: a fixed list of files with one schema.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, ScalarValue, project_schema};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::object_store::path::Path as StorePath;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use crate::error::QueryError;
use crate::footer;
use crate::partition_filter;
use crate::table_files::{self, TableFile};

/// A table whose files were listed once; what happens to its link later does not concern it.
pub(crate) struct LakeTable {
    keys: SchemaRef,
    schema: TableSchema,
    files: Vec<TableFile>,
}

impl LakeTable {
    /// Lists the files in the folder of a table and reads their footers. Blocks on the disk.
    pub(crate) fn open(name: &str, folder: &Path) -> Result<Self, QueryError> {
        let listed = table_files::list(name, folder)?;
        let columns = footer::common_schema(name, &listed.files)?;
        if let Some(key) = listed.keys.iter().find(|key| columns.column_with_name(key).is_some()) {
            return Err(QueryError::Disk(format!(
                "the files of the table \"{name}\" have a column \"{key}\", which is a partition key too; run its task again"
            )));
        }
        let keys: Vec<FieldRef> =
            listed.keys.iter().map(|key| Arc::new(Field::new(key, DataType::Utf8, true))).collect();
        Ok(Self {
            keys: Arc::new(Schema::new(keys.clone())),
            schema: TableSchema::builder(Arc::new(columns)).with_table_partition_cols(keys).build(),
            files: listed.files,
        })
    }

    fn surviving_files(&self, filters: &[Expr]) -> Result<Vec<PartitionedFile>> {
        let partitions: Vec<&[Option<String>]> = self.files.iter().map(|file| file.partition.as_slice()).collect();
        let surviving = partition_filter::surviving(&self.keys, &partitions, filters);
        let files = self.files.iter().zip(surviving);
        files.filter(|(_, survives)| *survives).map(|(file, _)| partitioned_file(file)).collect()
    }
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = self.surviving_files(filters)?;
        if files.is_empty() {
            let schema = project_schema(self.schema.table_schema(), projection)?;
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let groups = FileGroup::new(files).split_files(state.config().target_partitions());
        let source = ParquetSource::new(self.schema.clone());
        let scan = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
            .with_file_groups(groups)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
}

fn partitioned_file(file: &TableFile) -> Result<PartitionedFile> {
    let mut partitioned = PartitionedFile::new(String::new(), file.bytes);
    // From an absolute path, because a path as plain text would lose characters that a URL cannot hold.
    partitioned.object_meta.location = StorePath::from_absolute_path(&file.path)
        .map_err(|error| datafusion::error::DataFusionError::External(Box::new(error)))?;
    let values = file.partition.iter().cloned().map(ScalarValue::Utf8);
    Ok(partitioned.with_partition_values(values.collect()))
}

impl fmt::Debug for LakeTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LakeTable").field("files", &self.files.len()).finish_non_exhaustive()
    }
}
