//! Files into tables of a real Postgres.

mod concurrency;
mod csv;
mod every_type;
mod fixture;
mod foreign_files;
mod modes;
mod refusals;
mod rights;
