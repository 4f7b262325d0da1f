//! A table as Athena is to read it, and its form for Glue. No network.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_glue::error::BuildError;
use aws_sdk_glue::types::{Column, SerDeInfo, StorageDescriptor, Table, TableInput};

use crate::error::{AwsError, AwsErrorKind};
use crate::location::S3Url;

const INPUT_FORMAT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat";
const OUTPUT_FORMAT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat";
const SERDE: &str = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";

/// Glue's limit for the value of one parameter.
const LONGEST_VALUE: usize = 512_000;

/// How Hive writes a partition without a value. Its folder may be missing like that of any other value.
const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// A table of Parquet files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDefinition {
    /// Its name in Glue, in lower case.
    pub name: String,
    /// The folder of its files.
    pub location: S3Url,
    /// The columns of the files: name and Glue type, such as `("amount", "decimal(18,2)")`.
    pub columns: Vec<(String, String)>,
    /// How it is cut, if it is.
    pub partition: Option<ProjectedKey>,
    /// What else is to be kept with the table, such as the run that wrote it. By these a table is recognised as ours.
    pub parameters: BTreeMap<String, String>,
}

/// A partition key whose values stand in the table itself (Athena calls it partition projection): nothing is registered,
/// so that one change of the table switches all its partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectedKey {
    /// Its name, such as `dt`.
    pub key: String,
    /// Every value that has files, as it stands in the folder names.
    pub values: Vec<String>,
    /// Where the files of a value lie, such as `s3://lake/run=1/events/dt=${dt}/`.
    pub location_template: String,
}

impl TableDefinition {
    /// What Glue is told.
    pub(crate) fn to_input(&self) -> Result<TableInput, AwsError> {
        let parameters = self.all_parameters()?;
        let built = || -> Result<TableInput, BuildError> {
            let keys = self.partition.iter().map(|partition| column(&partition.key, "string"));
            TableInput::builder()
                .name(&self.name)
                .table_type("EXTERNAL_TABLE")
                .retention(0)
                .storage_descriptor(self.storage()?)
                .set_partition_keys(Some(keys.collect::<Result<_, _>>()?))
                .set_parameters(Some(parameters))
                .build()
        };
        built().map_err(|error| self.refuse(&error.to_string()))
    }

    fn storage(&self) -> Result<StorageDescriptor, BuildError> {
        let columns = self.columns.iter().map(|(name, glue_type)| column(name, glue_type));
        let serde = SerDeInfo::builder().serialization_library(SERDE).parameters("serialization.format", "1").build();
        Ok(StorageDescriptor::builder()
            .set_columns(Some(columns.collect::<Result<_, _>>()?))
            .location(self.location_text())
            .input_format(INPUT_FORMAT)
            .output_format(OUTPUT_FORMAT)
            .compressed(true)
            .number_of_buckets(-1)
            .stored_as_sub_directories(false)
            .serde_info(serde)
            .build())
    }

    /// With the slash that keeps `foo` from meaning `foo_bar` too.
    fn location_text(&self) -> String {
        format!("{}/", self.location)
    }

    fn all_parameters(&self) -> Result<HashMap<String, String>, AwsError> {
        let fixed = [("classification", "parquet"), ("compressionType", "gzip"), ("typeOfData", "file")];
        let mut parameters: HashMap<String, String> =
            self.parameters.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        parameters.extend(fixed.map(|(name, value)| (name.to_owned(), value.to_owned())));
        if let Some(partition) = &self.partition {
            parameters.extend(self.projection(partition)?);
        }
        match parameters.iter().find(|(_, value)| value.len() > LONGEST_VALUE) {
            None => Ok(parameters),
            Some((name, value)) => Err(self.refuse(&format!(
                "its parameter {name} has {} bytes, and Glue keeps {LONGEST_VALUE}; \
                 cut the table into fewer partitions, or publish it by a crawler",
                value.len()
            ))),
        }
    }

    fn projection(&self, partition: &ProjectedKey) -> Result<[(String, String); 4], AwsError> {
        let (key, template) = (&partition.key, &partition.location_template);
        if let Some(value) = partition.values.iter().find(|value| value.contains(',')) {
            return Err(self.refuse(&format!("its partition {key}={value} has a comma, which separates values there")));
        }
        if !template.contains(&format!("${{{key}}}")) {
            return Err(self.refuse(&format!("{template} does not say where the value of {key} stands: ${{{key}}}")));
        }
        // What Athena makes of an empty list is not documented. A table without files has none in this folder either.
        let values = if partition.values.is_empty() { NULL_PARTITION.to_owned() } else { partition.values.join(",") };
        Ok([
            ("projection.enabled".to_owned(), "true".to_owned()),
            (format!("projection.{key}.type"), "enum".to_owned()),
            (format!("projection.{key}.values"), values),
            ("storage.location.template".to_owned(), format!("{}/", template.trim_end_matches('/'))),
        ])
    }

    fn refuse(&self, why: &str) -> AwsError {
        let text = format!("the table {} cannot be put into the Glue catalog: {why}", self.name);
        AwsError::new(AwsErrorKind::Configuration, text)
    }

    /// Whether a table of the catalog reads these files and says that it is ours. Types are not compared: whoever set
    /// all our parameters, the run among them, has set the rest in the same request.
    pub(crate) fn is(&self, table: &Table) -> bool {
        let Ok(ours) = self.all_parameters() else { return false };
        let theirs = table.parameters();
        let place = table.storage_descriptor().and_then(|storage| storage.location());
        place == Some(&self.location_text())
            && ours.iter().all(|(name, value)| theirs.and_then(|theirs| theirs.get(name)) == Some(value))
    }
}

fn column(name: &str, glue_type: &str) -> Result<Column, BuildError> {
    Column::builder().name(name).r#type(glue_type).build()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aws_sdk_glue::types::{StorageDescriptor, Table};

    use super::{LONGEST_VALUE, ProjectedKey, TableDefinition};

    fn events(values: &[&str]) -> TableDefinition {
        TableDefinition {
            name: "events".to_owned(),
            location: "s3://lake/run=1/events".parse().unwrap(),
            columns: vec![("id".to_owned(), "bigint".to_owned())],
            partition: Some(ProjectedKey {
                key: "dt".to_owned(),
                values: values.iter().map(|&value| value.to_owned()).collect(),
                location_template: "s3://lake/run=1/events/dt=${dt}".to_owned(),
            }),
            parameters: BTreeMap::from([("project.run".to_owned(), "1".to_owned())]),
        }
    }

    #[test]
    fn glue_is_told_everything_that_athena_needs() {
        let input = events(&["2026-01-01", "__HIVE_DEFAULT_PARTITION__"]).to_input().unwrap();
        let storage = input.storage_descriptor().unwrap();
        assert_eq!(storage.location(), Some("s3://lake/run=1/events/"));
        assert!(storage.serde_info().unwrap().serialization_library().unwrap().ends_with("ParquetHiveSerDe"));
        assert_eq!(input.partition_keys()[0].name(), "dt");
        let parameters: BTreeMap<&str, &str> =
            input.parameters().unwrap().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected = [
            ("classification", "parquet"),
            ("compressionType", "gzip"),
            ("project.run", "1"),
            ("projection.dt.type", "enum"),
            ("projection.dt.values", "2026-01-01,__HIVE_DEFAULT_PARTITION__"),
            ("projection.enabled", "true"),
            ("storage.location.template", "s3://lake/run=1/events/dt=${dt}/"),
            ("typeOfData", "file"),
        ];
        assert_eq!(parameters, BTreeMap::from(expected));
    }

    #[test]
    fn a_table_that_is_not_cut_has_no_projection_and_one_without_values_has_one_that_is_empty() {
        let uncut = TableDefinition { partition: None, ..events(&[]) }.to_input().unwrap();
        assert!(uncut.partition_keys().is_empty());
        assert!(
            !uncut.parameters().unwrap().keys().any(|name| name.contains("projection") || name.contains("storage"))
        );
        let empty = events(&[]).to_input().unwrap();
        assert_eq!(empty.parameters().unwrap()["projection.dt.values"], "__HIVE_DEFAULT_PARTITION__");
    }

    #[test]
    fn what_glue_or_athena_would_misread_is_refused_with_the_reason() {
        let long = "x".repeat(LONGEST_VALUE);
        let mut elsewhere = events(&["a"]);
        elsewhere.partition.as_mut().unwrap().location_template = "s3://lake/events/".to_owned();
        for (definition, reason) in [
            (events(&["a,b"]), "its partition dt=a,b has a comma"),
            (events(&[&long, "b"]), "its parameter projection.dt.values has 512002 bytes, and Glue keeps 512000"),
            (elsewhere, "does not say where the value of dt stands: ${dt}"),
        ] {
            let error = definition.to_input().unwrap_err();
            assert!(error.to_string().starts_with("the table events cannot be put into the Glue catalog: "), "{error}");
            assert!(error.to_string().contains(reason), "{error}");
        }
        assert!(events(&[&long]).to_input().is_ok());
    }

    #[test]
    fn a_table_is_ours_by_its_place_and_by_all_our_parameters() {
        let ours = events(&["2026-01-01"]);
        let table = |location: &str, change: &dyn Fn(&mut BTreeMap<String, String>)| {
            let mut parameters: BTreeMap<_, _> = ours.all_parameters().unwrap().into_iter().collect();
            change(&mut parameters);
            Table::builder()
                .name("events")
                .storage_descriptor(StorageDescriptor::builder().location(location).build())
                .set_parameters(Some(parameters.into_iter().collect()))
                .build()
                .unwrap()
        };
        let here = "s3://lake/run=1/events/";
        assert!(ours.is(&table(here, &|_| {})));
        assert!(ours.is(&table(here, &|all| drop(all.insert("comment".to_owned(), "theirs".to_owned())))));
        assert!(!ours.is(&table("s3://lake/run=2/events/", &|_| {})));
        assert!(!ours.is(&table(here, &|all| drop(all.insert("project.run".to_owned(), "2".to_owned())))));
        assert!(!ours.is(&table(here, &|all| drop(all.remove("projection.dt.values")))));
    }
}
