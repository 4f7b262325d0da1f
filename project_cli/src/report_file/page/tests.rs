#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use super::written;
use crate::course::Stage;
use crate::exit_code::ExitCode;
use crate::report::{Change, Failure, RunReport, TaskReport};
use crate::report_file::document::{ReportDocument, RunDigest};
use crate::report_file::earlier_runs;
use project_publish::RunId;
use project_tasks::DataError;
use std::fs::write;

const HOSTILE: &str = "<script>alert('x')</script>&amp;\"--></style>";

fn report() -> RunReport {
    let mut report = RunReport::begin(RunId::parse("20261121T074357485Z-02c9").unwrap(), "./lake".into());
    report.duration_ms = 5_000;
    report.tasks = ["users", "public.orders"].map(|task| TaskReport::new(task, &task.replace('.', "_"))).into();
    for task in &mut report.tasks {
        (task.rows, task.bytes, task.uncompressed_bytes, task.files) = (1_000, 2_000, 6_400, 1);
        (task.duration_ms, task.published) = (500, true);
        task.reading = Some(Stage { start_ms: 100, duration_ms: 500 });
    }
    report
}

fn page(report: &RunReport, earlier: Vec<RunDigest>) -> String {
    written(&ReportDocument::new(report, "users,public.orders", earlier)).unwrap()
}

fn failure() -> Failure {
    Failure::new(&DataError("order 7: the amount does not fit; use --numeric=string".into()).into())
}

#[test]
fn whatever_a_name_or_a_message_holds_stays_text() {
    let mut report = report();
    report.destination = HOSTILE.into();
    report.notes.push(HOSTILE.into());
    report.tasks[0].task = HOSTILE.into();
    report.tasks[0].table = HOSTILE.into();
    report.tasks[0].rejected = 1;
    let change = Change { column: HOSTILE.into(), policy: HOSTILE.into(), change: HOSTILE.into(), values: 1 };
    report.tasks[0].changes.push(change);
    report.tasks[1].failure = Some(Failure::new(&DataError(HOSTILE.into()).into()));
    let document = ReportDocument::new(&report, HOSTILE, Vec::new());
    let page = written(&document).unwrap();
    // The page's own element, which holds the JSON and runs nothing.
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(
        (page.matches("</script").count(), page.matches("</style").count(), page.matches("<!--").count()),
        (1, 1, 0)
    );
    assert!(page.contains("&#60;script&#62;alert("), "the name is not shown");
    for inside in page.split(HOSTILE) {
        assert_eq!(inside.len(), page.len(), "it stands there as it is");
    }
}

#[test]
fn a_failure_stands_first_with_what_to_do_about_it() {
    let mut report = report();
    report.tasks[1].failure = Some(failure());
    report.tasks[1].published = false;
    let page = page(&report, Vec::new());
    let place = |text: &str| page.find(text).unwrap_or_else(|| unreachable!("{text} is missing"));
    let order = ["1 of 2 tables failed", "--numeric=string</span>", "What to do.", "id=\"timeline\"", "id=\"tables\""]
        .map(place);
    assert!(order.is_sorted(), "{order:?}");
    for text in ["65: data or schema refused", "--table=</span>public.orders", "failed (65)", "failed, exit code 65"] {
        place(text);
    }
}

#[test]
fn a_page_knows_the_runs_that_it_replaces_and_so_does_the_json() {
    let folder = tempfile::tempdir().unwrap();
    let (path, first) = (folder.path().join("report.html"), report());
    assert!(!page(&first, Vec::new()).contains("id=\"runs\""), "there is nothing to compare with");
    let json = serde_json::to_string(&ReportDocument::new(&first, "all", Vec::new())).unwrap();
    for earlier in [page(&first, Vec::new()), json] {
        write(&path, earlier).unwrap();
        let mut second = report();
        second.tasks[0].rows = 1_020;
        let page = page(&second, earlier_runs::read(&path));
        for text in
            ["+20 (+2.0 %)", "unchanged", "rows of the last 2 runs: 1,000, 1,020", "5.0 s the run before", "this run"]
        {
            assert!(page.contains(text), "{text}");
        }
    }
}

#[test]
fn what_is_not_known_is_a_dash_and_no_number() {
    let mut report = report();
    report.tasks = vec![TaskReport::new("users", "users")];
    report.failure = Some(Failure { code: ExitCode::Unreachable, ..failure() });
    let page = page(&report, Vec::new());
    assert!(page.contains("The whole run") && page.contains("none was taken") && !page.contains("id=\"timeline\""));
    assert!(page.contains("data-label=\"Rows/s\" class=\"number\">\u{2013}<"), "a rate of nothing");
}

#[test]
fn nothing_in_the_page_leads_out_of_it() {
    let page = page(&report(), Vec::new());
    for text in ["http://", "https://", "@import", "url(", " src=", "<a "] {
        assert!(!page.contains(text), "{text}");
    }
    assert!(page.contains("default-src 'none'"));
}
