//! The writer properties of every file.

use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use std::sync::Arc;

/// How files are compressed and cut into row groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriterSettings {
    /// GZIP level, 1 (fast) to 9 (small).
    pub gzip_level: u32,
    /// A row group holds at most this many rows. Groups of 5,000 rows cost a third more bytes than these.
    pub row_group_rows: usize,
    /// A row group is closed when the writer holds this many bytes in memory, whatever its rows.
    pub row_group_bytes: usize,
    /// Files that are smaller than this together become one.
    pub small_file_bytes: u64,
    /// What every footer says beside the schema: keys and values.
    pub key_values: Arc<[(String, String)]>,
}

impl WriterSettings {
    /// Row groups of at most a million rows and 64 MiB of memory, at the given GZIP level.
    pub fn new(gzip_level: u32) -> Self {
        Self {
            gzip_level,
            row_group_rows: 1 << 20,
            row_group_bytes: 64 << 20,
            small_file_bytes: 32 << 20,
            key_values: Arc::default(),
        }
    }

    /// The properties that parquet-rs takes, which only puts finished columns into a file and writes the footer.
    pub(crate) fn file_props(&self) -> WriterPropertiesPtr {
        let key_value = |(key, value): &(String, String)| KeyValue::new(key.clone(), value.clone());
        let key_values: Vec<KeyValue> = self.key_values.iter().map(key_value).collect();
        let props = WriterProperties::builder()
            .set_key_value_metadata((!key_values.is_empty()).then_some(key_values))
            .set_created_by(concat!("project ", env!("CARGO_PKG_VERSION")).to_owned())
            // With this, lists are written as Athena and Spark expect them: the child is called "element".
            .set_coerce_types(true)
            .build();
        Arc::new(props)
    }
}
