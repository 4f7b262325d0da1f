//! The store fails at every operation that a run asks of it, one after the other, in every way that it can fail.

use super::Scene;
use super::store::{Kind, Store};
use crate::program::Ended;
use anyhow::{Context, Result, ensure};
use project_test_servers::aws_stand_in::Call;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::env;

/// What an object is for, by its key; requests of one operation for different purposes fail one by one.
const PURPOSES: [&str; 6] = ["/_runs/.probe", "/_runs/claims/", "/_runs/live/", "/_runs/2", "/products/", "/events/"];
/// Every file is uploaded in the same way.
const ALIKE: [&str; 3] = ["CreateMultipartUpload", "UploadPart", "HeadObject"];
/// Not needed for a table to be right: the program warns and goes on.
const OPTIONAL: [&str; 1] = ["GetPartitionIndexes"];
/// The program ends with one of these and says what to do.
const CLEAR_FAILURES: [i32; 5] = [65, 69, 75, 77, 78];

/// A request that every run makes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Operation {
    service: String,
    name: String,
    purpose: &'static str,
}

/// A way to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Denied,
    Busy,
    /// It is done, and the answer says that the service broke down.
    AnswerLost,
    Slow,
    /// A bit changes on the way.
    Flipped,
}

impl Operation {
    fn of(call: &Call) -> Self {
        let purposes = PURPOSES.iter().filter(|_| !ALIKE.contains(&call.operation.as_str()));
        let purpose = purposes.copied().find(|purpose| call.name.contains(purpose)).unwrap_or_default();
        Self { service: call.service.clone(), name: call.operation.clone(), purpose }
    }

    /// Whether bytes are sent or fetched that can be damaged.
    fn has_content(&self) -> bool {
        ["PutObject", "UploadPart", "GetObject"].contains(&self.name.as_str())
    }
}

impl Fault {
    fn at(self, operation: &Operation) -> Value {
        let mut fault = json!({
            "service": operation.service, "operation": operation.name, "key_contains": operation.purpose, "times": 1
        });
        let is_s3 = operation.service == "s3";
        let how = match self {
            Self::Denied if is_s3 => json!({"mode": "reject", "status": 403, "code": "AccessDenied"}),
            Self::Denied => json!({"mode": "reject", "status": 400, "code": "AccessDeniedException"}),
            Self::Busy if is_s3 => json!({"mode": "reject", "status": 503, "code": "SlowDown"}),
            Self::Busy => json!({"mode": "reject", "status": 400, "code": "ThrottlingException"}),
            Self::AnswerLost => json!({"mode": "done_then_error"}),
            Self::Slow => json!({"mode": "slow", "seconds": 0.3}),
            Self::Flipped => json!({"mode": "flip"}),
        };
        for (name, value) in how.as_object().into_iter().flatten() {
            fault[name] = value.clone();
        }
        fault
    }

    fn is_answered_as_failure(self) -> bool {
        [Self::Denied, Self::Busy, Self::AnswerLost].contains(&self)
    }

    /// Fails unless a run may end so.
    fn check(self, operation: &Operation, ended: &Ended) -> Result<()> {
        let is_clear = ended.code.is_some_and(|code| CLEAR_FAILURES.contains(&code));
        let allowed = match self {
            Self::Denied if OPTIONAL.contains(&operation.name.as_str()) => ended.code == Some(0),
            Self::Denied => ended.code == Some(77),
            Self::Busy | Self::AnswerLost | Self::Slow => ended.code == Some(0),
            Self::Flipped => ended.code == Some(0) || is_clear,
        };
        ensure!(allowed, "{self:?} must not end so: {ended}");
        Ok(())
    }
}

impl Store {
    fn operations_since(&self, calls: usize) -> Result<BTreeSet<Operation>> {
        let calls = self.calls()?.into_iter().skip(calls).filter(|call| call.service != "athena");
        Ok(calls.map(|call| Operation::of(&call)).collect())
    }
}

impl Scene {
    /// What a run asks for when nothing fails.
    fn operations(&mut self) -> Result<BTreeSet<Operation>> {
        let before = self.store.calls()?.len();
        self.shown = self.source.advance()?;
        self.store.run(&self.source)?.expect(0)?;
        let operations = self.store.operations_since(before)?;
        self.see_exactly()?;
        Ok(operations)
    }

    /// A run with a fault, after which readers see the old or the new rows; the new ones if it says so.
    fn suffer(&mut self, operation: &Operation, fault: Fault) -> Result<Ended> {
        let (new, before) = (self.source.advance()?, self.store.calls()?.len());
        self.store.inject(&json!([fault.at(operation)]))?;
        let ended = self.store.run(&self.source)?;
        self.store.inject(&json!([]))?;
        fault.check(operation, &ended)?;
        let has_failed = |call: &Call| Operation::of(call) == *operation && call.status >= Some(400);
        let has_failed = self.store.calls()?.iter().skip(before).any(has_failed);
        ensure!(has_failed || !fault.is_answered_as_failure(), "the fault has met no request: {ended}");
        if ended.code == Some(0) {
            self.shown = new;
            self.see_exactly().with_context(|| ended.to_string())?;
        } else {
            let versions = [self.shown.clone(), new];
            self.see_one_of(&versions).with_context(|| ended.to_string())?;
            let [_, new] = versions;
            self.shown = new;
        }
        Ok(ended)
    }

    fn suffer_all(&mut self, operation: &Operation, remedied: &[Fault]) -> Result<()> {
        if operation.has_content() && self.suffer(operation, Fault::Flipped)?.code != Some(0) {
            self.run_and_see().context("the run after a failed one")?;
        }
        self.suffer(operation, Fault::Denied)?;
        // These are runs after a failed one at the same time.
        for fault in remedied {
            self.suffer(operation, *fault).with_context(|| format!("{fault:?}"))?;
        }
        Ok(())
    }

    /// Every request of the run takes longer.
    fn suffer_slowness(&mut self, operations: &BTreeSet<Operation>) -> Result<()> {
        let faults: Vec<Value> = operations.iter().map(|operation| Fault::Slow.at(operation)).collect();
        self.store.inject(&json!(faults))?;
        self.shown = self.source.advance()?;
        self.run_and_see()?;
        self.store.inject(&json!([]))
    }
}

/// Every operation is refused, and damaged where it has content. Of the failures that a run gets over by itself each
/// operation meets one, and with `STORE_FAULTS=all` every one.
fn every_operation_fails(kind: Kind) -> Result<()> {
    let all = env::var("STORE_FAULTS").is_ok_and(|faults| faults == "all");
    let mut scene = Scene::open(kind, 0)?;
    let operations = scene.operations()?;
    for (number, operation) in operations.iter().enumerate() {
        let one = [Fault::Busy, Fault::AnswerLost][number % 2];
        let remedied: &[Fault] = if all { &[Fault::Busy, Fault::AnswerLost, Fault::Slow] } else { &[one] };
        scene.suffer_all(operation, remedied).with_context(|| format!("{operation:?}"))?;
    }
    scene.suffer_slowness(&operations).context("all requests slow")?;
    scene.store.check_nothing_is_left_over()?;
    scene.store.program.check_scratch_is_empty()?;
    scene.see_exactly()
}

#[test]
fn with_a_catalog_every_operation_may_fail_once_in_every_way() -> Result<()> {
    every_operation_fails(Kind::Catalog)
}

#[test]
fn with_a_crawler_every_operation_may_fail_once_in_every_way() -> Result<()> {
    every_operation_fails(Kind::Crawler)
}
