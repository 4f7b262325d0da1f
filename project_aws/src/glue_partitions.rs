//! Looking up the partitions that were published: each must exist, read its folder and have the columns of its files.
//!
//! Athena sees the files of registered partitions only, and reads each by the columns of its partition.

use std::collections::HashMap;

use aws_sdk_glue::types::{Partition, PartitionValueList};

use crate::catalog_check::column_differences;
use crate::classify::sdk_error;
use crate::connection::Aws;
use crate::error::{AwsError, AwsErrorKind};
use crate::location::S3Url;
use crate::published_table::PublishedTable;

/// As many as BatchGetPartition takes. It costs a call for each thousand that was published, however many a table has
/// gathered in the years before; GetPartitions would list those, too.
const PARTITIONS_IN_A_CALL: usize = 1000;

impl Aws {
    /// In words, where the partitions of the Glue table `database.name` differ from those that were published at `root`.
    pub(crate) async fn partition_differences(
        &self,
        (database, name): (&str, &str),
        published: &PublishedTable,
        root: &S3Url,
    ) -> Result<Vec<String>, AwsError> {
        let Some(key) = &published.partition_key else {
            return Ok(Vec::new());
        };
        let mut differences = Vec::new();
        for values in published.partitions.chunks(PARTITIONS_IN_A_CALL) {
            let found = self.partitions(database, name, values).await?;
            let checked = values.iter().flat_map(|value| {
                let folder = format!("{key}={value}");
                match found.get(value) {
                    Some(partition) => partition_faults(&folder, partition, published, root),
                    None => vec![format!("the partition {folder} is missing in Glue")],
                }
            });
            differences.extend(checked);
        }
        Ok(differences)
    }

    /// Those of the partitions that exist, by their value.
    async fn partitions(
        &self,
        database: &str,
        name: &str,
        values: &[String],
    ) -> Result<HashMap<String, Partition>, AwsError> {
        let task = format!("cannot look at the partitions of the Glue table {database}.{name}");
        let mut wanted = values
            .iter()
            .map(|value| PartitionValueList::builder().values(value).build())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| AwsError::new(AwsErrorKind::Data, format!("{task}: {error}")))?;
        let mut found = HashMap::with_capacity(values.len());
        while !wanted.is_empty() {
            let request = self.glue.batch_get_partition().database_name(database).table_name(name);
            let answer = request.set_partitions_to_get(Some(wanted)).send().await;
            let answer = answer.map_err(|error| sdk_error(&task, error))?;
            let partitions = answer.partitions.unwrap_or_default();
            // What does not exist is left out without a word. What Glue did not get round to is in here, and an answer
            // with nothing else would be asked for again for ever.
            wanted = answer.unprocessed_keys.unwrap_or_default();
            if partitions.is_empty() && !wanted.is_empty() {
                let text = format!("{task}: Glue returned none of {}; run it again", wanted.len());
                return Err(AwsError::new(AwsErrorKind::Temporary, text));
            }
            found.extend(partitions.into_iter().filter_map(|partition| {
                let value = partition.values().first().cloned();
                value.map(|value| (value, partition))
            }));
        }
        Ok(found)
    }
}

fn partition_faults(folder: &str, partition: &Partition, published: &PublishedTable, root: &S3Url) -> Vec<String> {
    let Some(storage) = partition.storage_descriptor() else {
        return vec![format!("the partition {folder} reads no folder")];
    };
    let (expected, place) = (format!("{root}/{folder}"), storage.location().unwrap_or("no folder"));
    if place.trim_end_matches('/') != expected {
        return vec![format!("the partition {folder} reads {place} and not {expected}")];
    }
    let columns = storage.columns();
    if columns.is_empty() {
        // It has none of its own and follows its table, which is compared by itself.
        return Vec::new();
    }
    let differences = column_differences(&published.columns, columns);
    let told = differences.iter().map(|text| format!("in the partition {folder}, {text}"));
    told.collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_glue::types::{Column, Partition, StorageDescriptor};

    use super::partition_faults;
    use crate::published_table::PublishedTable;

    fn faults(location: &str, columns: &[(&str, &str)]) -> Vec<String> {
        let columns = columns.iter().map(|&(name, kind)| Column::builder().name(name).r#type(kind).build().unwrap());
        let storage = StorageDescriptor::builder().location(location).set_columns(Some(columns.collect())).build();
        let partition = Partition::builder().storage_descriptor(storage).build();
        let published = PublishedTable {
            folder: "events".to_owned(),
            columns: vec![("id".to_owned(), "bigint".to_owned())],
            partition_key: Some("dt".to_owned()),
            partitions: vec!["2026-01-01".to_owned()],
        };
        let root = "s3://lake/team/events".parse().unwrap();
        partition_faults("dt=2026-01-01", &partition, &published, &root)
    }

    #[test]
    fn a_partition_reads_its_folder_with_the_columns_of_its_files() {
        let place = "s3://lake/team/events/dt=2026-01-01/";
        assert_eq!(faults(place, &[("id", "bigint")]), [""; 0]);
        assert_eq!(faults(place, &[]), [""; 0]);
        assert_eq!(
            faults(place, &[("id", "int")]),
            ["in the partition dt=2026-01-01, column id is bigint in the files and int in Glue"]
        );
        assert_eq!(
            faults("s3://lake/old/events/dt=2026-01-01", &[("id", "bigint")]),
            [
                "the partition dt=2026-01-01 reads s3://lake/old/events/dt=2026-01-01 and not s3://lake/team/events/dt=2026-01-01"
            ]
        );
        let nowhere = Partition::builder().build();
        let published =
            PublishedTable { folder: String::new(), columns: Vec::new(), partition_key: None, partitions: Vec::new() };
        let root = "s3://lake/team/events".parse().unwrap();
        assert_eq!(partition_faults("dt=1", &nowhere, &published, &root), ["the partition dt=1 reads no folder"]);
    }
}
