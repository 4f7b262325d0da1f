//! Any bytes as a COPY stream of a table with a column of every kind: rows or an error.
#![no_main]

#[path = "../../project_postgres/tests/any_bytes/harness.rs"]
#[allow(dead_code, reason = "the seeds are written by the property test's generators")]
mod harness;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // The header is not what goes wrong: every input begins after it.
    let mut stream = harness::stream(&[]);
    stream.truncate(19);
    stream.extend_from_slice(bytes);
    let _ = harness::decode(&stream, harness::YIELDING);
});
