//! Where rows come from.
//!
//! A [`Source`] hands out connections of both drivers, all with the same session settings and, once a snapshot is
//! held, the same view of the data. [`Export`] reads a table by COPY BINARY into Parquet without any struct;
//! [`RowQuery`] reads rows into structs; Diesel reads through [`Source::connect_diesel`]. [`value`] decodes single
//! values for all three.

mod beginning;
pub mod catalog;
pub mod catalog_type;
mod column_builder;
mod column_description;
mod connection_settings;
mod copy_decoder;
pub mod date_span;
mod decoding;
mod diesel_connection;
mod export;
mod file_tallies;
mod held_connection;
pub mod load_estimate;
mod moment;
mod nested_builder;
mod part_files;
mod policy;
mod rejects;
mod rows;
mod running_statements;
pub mod server_hazards;
mod session;
mod slices;
mod snapshot;
mod snapshot_facts;
mod source;
mod source_error;
mod sql;
mod sqlstates;
pub mod table_facts;
mod table_plan;
mod target;
mod tls_failure;
pub mod value;
mod verify;
mod worker_threads;

pub use connection_settings::{ConnectionDefaults, ConnectionSettings, InvalidUri};
pub use copy_decoder::CopyDecoder;
pub use decoding::{Decoding, Member};
pub use diesel_connection::{DieselClient, DieselConnection};
pub use export::{ColumnChange, Export, Exported, ReadLimits, Stopped};
pub use part_files::{OPEN_PARTS, Routing};
pub use policy::{
    AnyNumeric, Arrays, Choices, Infinity, InvalidText, NamedPolicy, NotANumber, Policies, PolicyOverrides,
    TableOptions, TimestampUnit,
};
pub use rejects::{Reject, RejectLimit};
pub use rows::{Comparison, RowChunk, RowCursor, RowQuery};
pub use slices::{Slice, whole_table};
pub use snapshot::{HoldError, SnapshotHolder, SnapshotLost};
pub use snapshot_facts::Snapshot;
pub use source::{Source, close};
pub use source_error::{SourceError, SourceErrorKind};
pub use sql::{Predicate, TableName, quote_identifier, quote_literal};
pub use sqlstates::Retry;
pub use table_plan::{ColumnPlan, TablePlan};
pub use target::{Answer, Cancelling, TargetConnection};
pub use verify::ServerProver;
