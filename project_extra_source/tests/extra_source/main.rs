//! Files in, a table out, read back by pyarrow, which shares no code with ours.

mod bad_lines;
mod csv_files;
mod gzip_and_folders;
mod json_files;
mod loader;
mod parquet_files;
mod schema_files;
