//! S3, Glue and Athena on a loopback port: the handle of `tests/aws_standin.py`, where its behaviour is described.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};
use ureq::http::Request;

use crate::python;

const SCRIPT: &str = "tests/aws_standin.py";
const REGION: &str = "eu-central-1";
/// moto shows objects only to whoever names himself; it checks no signature.
const AUTHORIZATION: &str =
    "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/s3/aws4_request, SignedHeaders=host, Signature=0";
/// Importing moto takes a second or two on an idle machine.
const START_DEADLINE: Duration = Duration::from_secs(60);
const CALL_DEADLINE: Duration = Duration::from_secs(60);
const END_DEADLINE: Duration = Duration::from_secs(5);

const KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A running stand-in, empty at first; dropping it ends it.
#[derive(Debug)]
pub struct AwsStandIn {
    process: Child,
    endpoint: String,
    http: ureq::Agent,
}

/// One call that a client made.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Call {
    /// `s3`, `glue` or `athena`.
    pub service: String,
    /// The API's name of it, such as `PutObject`.
    pub operation: String,
    /// `bucket/key`, or the name of the crawler, table, ..., or the id or text of the query.
    pub name: String,
    /// The HTTP status of the answer; `None` while it is being held or computed.
    pub status: Option<u16>,
    /// When it arrived, in seconds since 1970.
    pub time: f64,
}

impl AwsStandIn {
    /// Starts one and waits until it serves.
    ///
    /// # Errors
    ///
    /// When the test environment is missing, or the stand-in does not get ready in time.
    pub fn start() -> Result<Self> {
        let mut process = python::command(SCRIPT)?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {SCRIPT}"))?;
        let stdout = process.stdout.take();
        // From here on, dropping the handle ends the process.
        let mut stand_in = Self {
            process,
            endpoint: String::new(),
            http: ureq::Agent::config_builder()
                .timeout_global(Some(CALL_DEADLINE))
                .http_status_as_error(false)
                .proxy(None)
                .build()
                .into(),
        };
        stand_in.endpoint = read_endpoint(stdout.context("the stand-in has no standard output")?)?;
        Ok(stand_in)
    }

    /// `http://127.0.0.1:PORT`, for all three services.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The variables that lead the AWS SDK here, for a child process.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.endpoint.clone()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }

    /// Replaces the faults in force by this list (its form: see the script) and releases every held answer.
    ///
    /// # Errors
    ///
    /// When the stand-in does not answer or refuses the list.
    pub fn inject(&self, faults: &Value) -> Result<()> {
        self.control("faults", faults)
    }

    /// How long the crawls that start from now on take, and the message they fail with, if any.
    ///
    /// # Errors
    ///
    /// When the stand-in does not answer.
    pub fn set_crawl(&self, running: Duration, stopping: Duration, fail_with: Option<&str>) -> Result<()> {
        let pace = json!({
            "running_seconds": running.as_secs_f64(),
            "stopping_seconds": stopping.as_secs_f64(),
            "fail_with": fail_with,
        });
        self.control("crawl", &pace)
    }

    /// Makes the crawls that start from now on pass over the folders of this name, such as `dt=2026-01-01`, and succeed all
    /// the same, as AWS does when their files differ too much from the others. `None` ends that.
    ///
    /// # Errors
    ///
    /// When the stand-in does not answer.
    pub fn ignore_partition(&self, folder: Option<&str>) -> Result<()> {
        self.control("crawl", &json!({ "ignore_partition": folder }))
    }

    /// Forgets everything: buckets, catalog, queries, faults and the log.
    ///
    /// # Errors
    ///
    /// When the stand-in does not answer.
    pub fn reset(&self) -> Result<()> {
        self.control("reset", &json!({}))
    }

    /// Every call in order of arrival; what this handle did itself is not in it.
    ///
    /// # Errors
    ///
    /// When the stand-in does not answer.
    pub fn log(&self) -> Result<Vec<Call>> {
        let log = self.call("GET", "/_standin/log", Vec::new())?;
        serde_json::from_slice(&log).context("the log of the stand-in")
    }

    /// Creates a bucket.
    ///
    /// # Errors
    ///
    /// When the stand-in does not answer or refuses it.
    pub fn create_bucket(&self, name: &str) -> Result<()> {
        let body = format!(
            "<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        );
        self.call("PUT", &format!("/{name}"), body.into_bytes())?;
        Ok(())
    }

    /// Stores an object.
    ///
    /// # Errors
    ///
    /// When the stand-in does not answer or refuses it.
    pub fn put_object(&self, bucket: &str, key: &str, body: &[u8]) -> Result<()> {
        self.call("PUT", &object_path(bucket, key), body.to_vec())?;
        Ok(())
    }

    /// Deletes an object.
    ///
    /// # Errors
    ///
    /// When the stand-in does not answer or refuses it.
    pub fn delete_object(&self, bucket: &str, key: &str) -> Result<()> {
        self.call("DELETE", &object_path(bucket, key), Vec::new())?;
        Ok(())
    }

    /// Reads an object.
    ///
    /// # Errors
    ///
    /// When there is none, or the stand-in does not answer.
    pub fn get_object(&self, bucket: &str, key: &str) -> Result<Vec<u8>> {
        self.call("GET", &object_path(bucket, key), Vec::new())
    }

    /// The keys of a bucket that start with `prefix`, sorted.
    ///
    /// # Errors
    ///
    /// When there is no such bucket, or the stand-in does not answer.
    pub fn list_keys(&self, bucket: &str, prefix: &str) -> Result<Vec<String>> {
        let keys = self.call("GET", &format!("/_standin/keys/{bucket}"), Vec::new())?;
        let mut keys: Vec<String> = serde_json::from_slice(&keys).context("a list of keys")?;
        keys.retain(|key| key.starts_with(prefix));
        Ok(keys)
    }

    /// The keys of the multipart uploads that were begun and neither completed nor aborted.
    ///
    /// # Errors
    ///
    /// When there is no such bucket, or the stand-in does not answer.
    pub fn list_pending_uploads(&self, bucket: &str) -> Result<Vec<String>> {
        let keys = self.call("GET", &format!("/_standin/uploads/{bucket}"), Vec::new())?;
        serde_json::from_slice(&keys).context("a list of uploads")
    }

    /// A call of Glue, such as `CreateDatabase`, and its answer.
    ///
    /// # Errors
    ///
    /// When the stand-in does not answer or refuses it.
    pub fn glue(&self, operation: &str, parameters: &Value) -> Result<Value> {
        let request = Request::post(&self.endpoint)
            .header("x-standin-setup", "yes")
            .header("authorization", AUTHORIZATION.replace("/s3/", "/glue/"))
            .header("x-amz-target", format!("AWSGlue.{operation}"))
            .body(parameters.to_string().into_bytes())?;
        let answer = self.answer(operation, request)?;
        serde_json::from_slice(&answer).with_context(|| format!("the answer to {operation}"))
    }

    fn control(&self, what: &str, value: &Value) -> Result<()> {
        self.call("POST", &format!("/_standin/{what}"), value.to_string().into_bytes())?;
        Ok(())
    }

    fn call(&self, method: &str, path: &str, body: Vec<u8>) -> Result<Vec<u8>> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.endpoint))
            .header("x-standin-setup", "yes")
            .header("authorization", AUTHORIZATION)
            .body(body)?;
        self.answer(&format!("{method} {path}"), request)
    }

    fn answer(&self, what: &str, request: Request<Vec<u8>>) -> Result<Vec<u8>> {
        let mut response = self.http.run(request).with_context(|| format!("the stand-in did not answer {what}"))?;
        let status = response.status();
        let answer = response.body_mut().with_config().limit(u64::MAX).read_to_vec()?;
        let text = String::from_utf8_lossy(&answer);
        ensure!(status.is_success(), "the stand-in answered {what} with {status}: {text}");
        Ok(answer)
    }
}

impl Drop for AwsStandIn {
    fn drop(&mut self) {
        // The end of its standard input ends it, also when this process is killed.
        drop(self.process.stdin.take());
        let deadline = Instant::now() + END_DEADLINE;
        while matches!(self.process.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        // Both fail when it has ended, which is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn object_path(bucket: &str, key: &str) -> String {
    format!("/{bucket}/{}", utf8_percent_encode(key, KEY))
}

/// Waits for the line `ready http://...`; the thread ends with the process.
fn read_endpoint(stdout: ChildStdout) -> Result<String> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        // Nobody listens any more when the deadline has passed.
        let _ = sender.send(read.map(|_| line));
    });
    let line = receiver
        .recv_timeout(START_DEADLINE)
        .with_context(|| format!("{SCRIPT} was not ready within {START_DEADLINE:?}"))??;
    line.trim_end()
        .strip_prefix("ready ")
        .map(str::to_owned)
        .with_context(|| format!("{SCRIPT} ended before it was ready; its standard error says why"))
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::time::Duration;

    use serde_json::json;

    use super::AwsStandIn;

    #[test]
    fn objects_faults_and_log_go_through_the_handle_and_dropping_it_ends_the_server() {
        let stand_in = AwsStandIn::start().unwrap();
        stand_in.create_bucket("lake").unwrap();
        let key = "events/dt=2026-01-01/a b+c%20ü.parquet";
        stand_in.put_object("lake", key, b"data").unwrap();
        assert_eq!(stand_in.get_object("lake", key).unwrap(), b"data");
        assert_eq!(stand_in.list_keys("lake", "events/").unwrap(), [key]);
        assert!(stand_in.list_keys("lake", "orders/").unwrap().is_empty());
        assert!(stand_in.list_pending_uploads("lake").unwrap().is_empty());
        assert!(stand_in.log().unwrap().is_empty(), "the handle's own calls are not logged");
        let missing = stand_in.list_keys("no-such-bucket", "").unwrap_err();
        assert!(missing.to_string().contains("404"), "{missing}");

        stand_in
            .inject(&json!([{"service": "s3", "operation": "PutObject", "mode": "reject", "status": 403}]))
            .unwrap();
        let put = || ureq::put(format!("{}/lake/k", stand_in.endpoint())).send("x");
        assert!(matches!(put().unwrap_err(), ureq::Error::StatusCode(403)));
        assert_eq!(put().unwrap().status(), 200);
        let log = stand_in.log().unwrap();
        let statuses: Vec<_> = log.iter().map(|call| (call.name.as_str(), call.status)).collect();
        assert_eq!(statuses, [("lake/k", Some(403)), ("lake/k", Some(200))]);

        stand_in.set_crawl(Duration::from_millis(10), Duration::ZERO, Some("no rights")).unwrap();
        stand_in.reset().unwrap();
        assert!(stand_in.log().unwrap().is_empty());
        let address = stand_in.endpoint().trim_start_matches("http://").to_owned();
        drop(stand_in);
        assert!(TcpStream::connect(address).is_err(), "the port is still open");
    }
}
