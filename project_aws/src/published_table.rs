//! What the catalog has to say about a table after the crawl: plain data, filled by whoever wrote the files.

/// A folder of the destination that was published, and what lies in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedTable {
    /// The folder below the destination; it becomes the table.
    pub folder: String,
    /// The columns of the files: name and Glue type, such as `("amount", "decimal(18,2)")`.
    pub columns: Vec<(String, String)>,
    /// The key of the `key=value` folders, if the files lie in such.
    pub partition_key: Option<String>,
    /// The values of the key that were published, as they stand in the folder names, each once.
    pub partitions: Vec<String>,
}
