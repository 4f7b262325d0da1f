//! What bad input gets: a sentence that names the thing, the right exit code, and nothing half-written in the lake.

mod connection;
mod data;
mod disk;
mod lost_connection;
mod surroundings;
mod wide_rows;
