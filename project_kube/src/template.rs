//! The file that holds a Job: read, bounded, and seen to be one Job before anything else is done with it.

use crate::error::KubeError;
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// What etcd keeps of one object; a longer file is something else.
const LONGEST: u64 = 1_500_000;

/// Reads it. What it holds is never repeated in an error: there may be secrets among its variables.
pub(crate) fn read(path: &Path) -> Result<Value, KubeError> {
    let shown = path.display();
    let wrong = |what: &str| KubeError::Configuration(format!("--then: {shown} {what}"));
    let text = text(path).map_err(|what| wrong(&what))?;
    let documents =
        if path.extension().is_some_and(|end| end == "json") {
            let document = serde_json::from_str(&text);
            vec![document.map_err(|error| {
                wrong(&format!("is not JSON: see line {}, column {}", error.line(), error.column()))
            })?]
        } else {
            documents(&text).map_err(|what| wrong(&what))?
        };
    let [job] = <[Value; 1]>::try_from(documents).map_err(|documents| {
        wrong(&format!("holds {} documents; a follow-up is one Job, so leave one of them", documents.len()))
    })?;
    check(&job).map_err(|what| wrong(&what))?;
    Ok(job)
}

fn text(path: &Path) -> Result<String, String> {
    let unreadable = |error| format!("cannot be read: {error}");
    let metadata = path.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err("is no file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LONGEST {
        return Err(format!("is longer than {LONGEST} bytes, which is more than Kubernetes keeps of an object"));
    }
    String::from_utf8(bytes).map_err(|error| format!("is not UTF-8, from byte {} on", error.utf8_error().valid_up_to()))
}

/// Every document of a YAML file that is not empty. The parser bounds what aliases may grow to.
fn documents(text: &str) -> Result<Vec<Value>, String> {
    // Its errors show the lines around the place, and those may hold anything.
    let options = serde_saphyr::options! { with_snippet: false };
    let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
        let place = error.location().map(|place| format!(": see line {}, column {}", place.line(), place.column()));
        format!("is not YAML that can be read{}", place.unwrap_or_default())
    })?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

/// That it is one Job, with what is needed to start and to find it. All else is the server's to judge.
fn check(job: &Value) -> Result<(), String> {
    let kind = job["kind"].as_str().unwrap_or_default();
    let version = job["apiVersion"].as_str().unwrap_or_default();
    if (version, kind) != ("batch/v1", "Job") {
        let hint =
            if kind == "CronJob" { "; for the Job of a CronJob give its name, as in --then=refresh" } else { "" };
        return Err(format!(
            "has kind {kind:?} and apiVersion {version:?}, and a follow-up is a Job of batch/v1{hint}"
        ));
    }
    if !job["spec"].is_object() {
        return Err("has no spec".to_owned());
    }
    let metadata = &job["metadata"];
    // All else that is wrong in there is the server's to refuse; these get something added.
    for (field, value) in [("labels", &metadata["labels"]), ("annotations", &metadata["annotations"])] {
        if !value.is_null() && !value.is_object() {
            return Err(format!("has metadata.{field} that are no fields with values"));
        }
    }
    if name(job).is_none() {
        return Err("has no metadata.name, from which the Job gets its own".to_owned());
    }
    if job["spec"]["suspend"] == Value::Bool(true) {
        return Err("says suspend: true, so that its Job would never begin; take the line out".to_owned());
    }
    Ok(())
}

/// What the Job's name is made from.
pub(crate) fn name(job: &Value) -> Option<&str> {
    let metadata = &job["metadata"];
    let given = |field: &str| metadata[field].as_str().filter(|name| !name.is_empty());
    given("name").or_else(|| given("generateName"))
}
