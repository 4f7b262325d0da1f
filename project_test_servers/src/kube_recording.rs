//! What a program and an API server of Kubernetes have said to each other, as it is kept for the tests.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A request and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// `GET /apis/...?...`
    pub request: String,
    /// What was sent, as JSON; null when nothing was.
    pub sent: Value,
    /// The status of the answer.
    pub status: u16,
    /// The answer: JSON, or a text.
    pub answer: Value,
    /// No server has answered so: there is none that could (a log needs a kubelet).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_hand: bool,
}

/// Stands for the id of the run, which differs each time, and for the same in lower case.
const RUN: [&str; 2] = ["<RUN>", "<run>"];

/// Reads what was kept.
///
/// # Errors
/// When the file is missing or is no recording.
pub fn read(file: &Path) -> Result<Vec<Exchange>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{}: make kube-test makes it", file.display()))?;
    serde_json::from_str(&text).with_context(|| file.display().to_string())
}

/// Keeps it, without the id of its run and without who has set which field, which is half of every answer.
///
/// # Errors
/// When the file cannot be written.
pub fn write(file: &Path, exchanges: &[Exchange], run: &str) -> Result<()> {
    let mut kept = exchanges.to_vec();
    kept.iter_mut().for_each(|exchange| remove(&mut exchange.answer, "managedFields"));
    std::fs::write(file, without_run(&serde_json::to_string_pretty(&kept)?, run) + "\n")?;
    Ok(())
}

/// Takes a field out wherever it stands.
fn remove(value: &mut Value, field: &str) {
    match value {
        Value::Object(fields) => {
            fields.remove(field);
            fields.values_mut().for_each(|value| remove(value, field));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| remove(value, field)),
        _ => {}
    }
}

/// The same with the id of this run taken out.
#[must_use]
pub fn without_run(text: &str, run: &str) -> String {
    text.replace(run, RUN[0]).replace(&run.to_lowercase(), RUN[1])
}

/// The same with the id of this run put in.
#[must_use]
pub fn with_run(text: &str, run: &str) -> String {
    text.replace(RUN[0], run).replace(RUN[1], &run.to_lowercase())
}

/// The id of the run that has made this Job.
#[must_use]
pub fn run_of(job: &Value) -> Option<String> {
    job["metadata"]["annotations"]["project/run-id"].as_str().map(str::to_owned)
}
