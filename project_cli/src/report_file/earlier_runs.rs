//! The runs that an earlier report knows. A report is the only memory that there is: no folder of history to keep.

use super::document::{FORMAT, RunDigest};
use serde::Deserialize;
use std::fs::read_to_string;
use std::path::Path;
use tracing::warn;

/// Around the JSON in a page.
pub(super) const JSON_BEGINS: &str = "<script type=\"application/json\" id=\"project-report\">";
const JSON_ENDS: &str = "</script>";

/// What of a document is read back.
#[derive(Deserialize)]
struct Document {
    format: u32,
    runs: Vec<RunDigest>,
}

/// The runs in the report that is there; none when there is none. One that cannot be read is no reason to write none.
pub(super) fn read(path: &Path) -> Vec<RunDigest> {
    let Ok(text) = read_to_string(path) else { return Vec::new() };
    let runs = parse(&text);
    if runs.is_none() {
        let file = path.display();
        warn!("{file} is no report that this version can read; it is replaced, and there is nothing to compare with");
    }
    runs.unwrap_or_default()
}

fn parse(text: &str) -> Option<Vec<RunDigest>> {
    let json = match text.split_once(JSON_BEGINS) {
        // The JSON in a page holds no "<".
        Some((_, rest)) => rest.split_once(JSON_ENDS)?.0,
        None => text,
    };
    let document: Document = serde_json::from_str(json).ok()?;
    (document.format == FORMAT).then_some(document.runs)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn what_is_no_report_is_not_understood() {
        assert_eq!(parse("{\"format\": 1, \"runs\": []}"), Some(Vec::new()));
        let page = "<p><script type=\"application/json\" id=\"project-report\">{\"format\": 1, \"runs\": []}</script>";
        assert_eq!(parse(page), Some(Vec::new()));
        for text in [
            "",
            "<html></html>",
            "{}",
            "{\"format\": 2, \"runs\": []}",
            "<script type=\"application/json\" id=\"project-report\">{",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
