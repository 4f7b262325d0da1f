#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

use super::{finish, report_failures, start};
use crate::config::{Outputs, SecretText, Sentry};
use crate::isolation::{install_panic_hook, isolate};
use crate::report::{Failure, RunReport, TaskReport};
use project_publish::RunId;
use project_test_servers::sentry_stand_in::SentryStandIn;
use std::panic::{set_hook, take_hook};

fn outputs(dsn: String) -> Outputs {
    let sentry = Sentry { dsn: SecretText::new(dsn), environment: "staging".into() };
    let (metrics_file, pushgateway, report, root_certificates) = (None, None, None, None);
    Outputs { selection: "all".into(), metrics_file, pushgateway, report, sentry: Some(sentry), root_certificates }
}

/// No input of the tasks here makes one panic, so that this is shown where a panic of theirs would arrive.
#[tokio::test]
async fn a_panicking_task_is_an_event_with_its_place_and_without_its_message() {
    let stand_in = SentryStandIn::start().unwrap();
    let client = start(&outputs(stand_in.dsn("key"))).unwrap();
    let mut report = RunReport::begin(RunId::now(), "./lake".into());
    let mut task = TaskReport::new("combined_orders", "combined_orders");
    task.reading = Some(report.course.clock.stage(std::time::Instant::now()));
    // Other tests of this process want to see theirs.
    let hook = take_hook();
    install_panic_hook();
    let failed = isolate("combined_orders", async { panic!("the row {}", "canary") });
    let failed: Result<(), anyhow::Error> = failed.await;
    set_hook(hook);
    task.failure = Some(Failure::new(&failed.unwrap_err()));
    report.tasks.push(task);
    report_failures(&report);
    finish(client, false);

    let taken = stand_in.take().unwrap();
    assert!(!taken.text.contains("canary"), "{}", taken.text);
    let [event] = taken.events.as_slice() else { panic!("{:?}", taken.events) };
    let message = event["message"].as_str().unwrap();
    assert!(message.contains("the task combined_orders panicked at") && message.contains("tests.rs:"), "{message}");
    for (tag, value) in
        [("task", "combined_orders"), ("stage", "reading"), ("exit_code", "70"), ("run_id", report.run_id.as_str())]
    {
        assert_eq!(event["tags"][tag], value);
    }
    assert_eq!(event["environment"], "staging");
}

#[test]
fn what_is_no_dsn_is_refused_without_an_echo() {
    for dsn in ["s3cret", "https://sentry.example/1", "https://s3cret@sentry.example", "ftp://s3cret@h/1"] {
        let error = start(&outputs(dsn.into())).map(drop).unwrap_err().to_string();
        assert!(error.contains("SENTRY_DSN") && !error.contains("s3cret") && !error.contains("example/"), "{error}");
    }
}
