//! How files are published and queried: S3, the Glue crawler, Athena.
//!
//! [`Aws`] is the one door. It uploads finished files and proves that they arrived, in two steps, so that many files
//! become visible together ([`Aws::stage`], [`Aws::make_visible`]); it deletes what they replace
//! ([`Aws::delete_objects_below`]), has Glue crawl them ([`Aws::crawl`]) and runs SQL over the result ([`Aws::query`]).
//! It never sees a row: a file is bytes, a query's answer is text.
//!
//! Where each run has a prefix of its own, files go to keys that must not exist ([`Aws::upload_new`],
//! [`Aws::copy_object`]), manifests and pointers are created and replaced only as they were read
//! ([`Aws::create_object`], [`Aws::replace_object`]), and a table is switched in one step
//! ([`Aws::update_catalog_table`]).
//!
//! Every failure is an [`AwsError`]: a sentence for the person at the keyboard, and an [`AwsErrorKind`] for the program.
//! Every wait ends at a deadline or when its cancellation token is cancelled.

mod abandoned;
mod athena;
mod athena_answer;
mod bucket;
mod catalog_check;
mod catalog_table;
mod checksum;
mod classify;
mod condition;
mod conditional_object;
mod conditional_probe;
mod confirm;
mod connection;
mod copying;
mod crawl_wait;
mod crawler;
mod crawler_setup;
mod deletion;
mod download;
mod error;
mod file_range;
mod glue_partitions;
mod glue_tables;
mod listing;
mod location;
mod multipart;
mod object_facts;
mod part_plan;
mod partition_index;
mod published_table;
mod service_codes;
mod staged;
mod stored_object;
mod table_definition;
mod upload;
mod upload_new;
mod waiting;

pub use abandoned::AbandonedUpload;
pub use athena::AthenaSettings;
pub use athena_answer::{Column, QueryAnswer, Row};
pub use catalog_table::{CatalogTable, Switched};
pub use conditional_object::{Created, Replaced};
pub use connection::{Aws, AwsSettings};
pub use crawler::{CrawlOutcome, CrawlerSettings};
pub use error::{AwsError, AwsErrorKind};
pub use listing::ListedObject;
pub use location::S3Url;
pub use object_facts::ObjectFacts;
pub use published_table::PublishedTable;
pub use staged::{MadeVisible, StagedFile};
pub use stored_object::StoredObject;
pub use table_definition::{ProjectedKey, TableDefinition};
pub use upload::{LocalFile, Uploaded};
