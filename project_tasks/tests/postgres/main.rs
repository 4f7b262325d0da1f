//! Tasks against a real Postgres, their files read by the Parquet reader.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod combined_orders;
mod empty_schema;
mod events;
mod expectations;
mod one_pass;
mod products;
mod row_counts;
mod same_schema;
mod source_tables;
mod task_run;
mod verify;
mod verify_changed_files;
mod verify_encodings;
pub mod writing_a_task;
