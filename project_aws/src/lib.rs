//! How files are published and queried: S3, the Glue crawler, Athena.
//!
//! [`Aws`] is the one door. It uploads finished files and proves that they arrived ([`Aws::upload`]), or does so in two
//! steps, so that many files become visible together ([`Aws::stage`], [`Aws::make_visible`]); it removes what they
//! replace ([`Aws::remove_stale`]), has Glue crawl them ([`Aws::crawl`]) and runs SQL over the result ([`Aws::query`]).
//! It never sees a row: a file is bytes, a query's answer is text.
//!
//! Every failure is an [`AwsError`]: a sentence for the person at the keyboard, and an [`AwsErrorKind`] for the program.
//! Every wait ends at a deadline or when its cancellation token is cancelled.

mod athena;
mod athena_answer;
mod bucket;
mod catalog_check;
mod checksum;
mod classify;
mod confirm;
mod connection;
mod crawl_wait;
mod crawler;
mod crawler_setup;
mod error;
mod file_range;
mod glue_partitions;
mod glue_tables;
mod location;
mod multipart;
mod part_plan;
mod published_table;
mod service_codes;
mod staged;
mod stale;
mod upload;
mod waiting;

pub use athena::AthenaSettings;
pub use athena_answer::{Column, QueryAnswer, Row};
pub use connection::{Aws, AwsSettings};
pub use crawler::{CrawlOutcome, CrawlerSettings};
pub use error::{AwsError, AwsErrorKind};
pub use location::S3Url;
pub use published_table::PublishedTable;
pub use staged::{MadeVisible, StagedFile};
pub use upload::{LocalFile, Uploaded};
