//! The tool against a real Postgres, on copies of this workspace.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod check;
mod created_tasks;
mod print_schema;
mod refusals;
mod tables;
mod workspace_copy;
