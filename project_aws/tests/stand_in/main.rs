//! The real AWS clients over HTTP, against the stand-in for S3, Glue and Athena.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod athena;
mod busy;
mod catalog;
mod catalog_table_faults;
mod catalog_tables;
mod connection;
mod copies;
mod crawler;
mod fixture;
mod listings;
mod lying_store;
mod s3;
mod s3_faults;
mod small_objects;
mod staged;
mod upload_new;
