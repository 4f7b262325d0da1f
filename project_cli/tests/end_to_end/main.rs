//! The built binary from end to end: real Postgres in, a lake out, read back by others.

mod bad_input;
mod canaries;
mod check;
mod choices;
mod deadline;
mod differential;
mod every_value;
mod golden;
mod independent_reader;
mod lake_folder;
mod local_lake;
mod log_lines;
mod metrics;
mod nasty;
mod one_moment;
mod program;
mod real_input;
mod rejects;
mod report_file;
mod s3_lake;
mod sentry;
mod shop;
mod signals;
mod table_read;
mod tls;
mod verify;
