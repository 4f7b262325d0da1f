#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use super::super::figures::{Figure, METRICS, SELECTION, TASK};
use super::{Patience, address, push};
use crate::config::{Pushgateway, SecretText};
use project_test_servers::pushgateway_stand_in::{Answer, PushgatewayStandIn};
use std::net::TcpListener;
use std::time::{Duration, Instant};

const PATIENCE: Patience = Patience { request: Duration::from_millis(300), all: Duration::from_secs(20) };

fn figure(metric: usize, label: &str, value: &str) -> Figure {
    let group = (label.to_owned(), value.to_owned());
    Figure { metric: METRICS[metric], group, labels: Vec::new(), value: "1".into() }
}

fn figures() -> Vec<Figure> {
    vec![figure(0, TASK, "users"), figure(2, TASK, "users"), figure(0, TASK, "orders"), figure(9, SELECTION, "all")]
}

fn gateway(url: String) -> Pushgateway {
    Pushgateway { url, credentials: None }
}

#[test]
fn each_group_is_one_request_with_its_own_key() {
    let stand_in = PushgatewayStandIn::start().unwrap();
    let mut gateway = gateway(format!("http://{}/below", stand_in.address()));
    gateway.credentials = Some(SecretText::new("ann:s3cret".into()));
    assert_eq!(push(&gateway, None, &figures(), PATIENCE), None);
    let pushes = stand_in.take_pushes();
    let requests: Vec<&str> = pushes.iter().map(|push| push.request.as_str()).collect();
    let expected = [
        "POST /below/metrics/job/project/task/users",
        "POST /below/metrics/job/project/task/orders",
        "POST /below/metrics/job/project/selection/all",
    ];
    assert_eq!(requests, expected);
    assert!(pushes[0].body.contains("project_task_rows{task=\"users\"} 1\n"), "{}", pushes[0].body);
    assert!(!pushes[0].body.contains("orders") && !pushes[1].body.contains("users"));
    // What curl makes of this user and password.
    assert!(pushes.iter().all(|push| push.authorization.as_deref() == Some("Basic YW5uOnMzY3JldA==")));
}

#[test]
fn a_value_that_a_path_cannot_hold_is_written_in_base64() {
    let address = |value: &str| address("http://push", &(TASK.to_owned(), value.to_owned()));
    assert_eq!(address("public.users_2-b"), "http://push/metrics/job/project/task/public.users_2-b");
    for (value, encoded) in [("a/b", "YS9i"), ("..", "Li4"), ("ü?>", "w7w_Pg"), ("a b", "YSBi")] {
        assert_eq!(address(value), format!("http://push/metrics/job/project/task@base64/{encoded}"));
    }
}

#[test]
fn what_one_group_is_refused_the_others_still_get() {
    let stand_in = PushgatewayStandIn::start().unwrap();
    for status in [500, 400, 404, 302] {
        stand_in.set_answer(Answer::Status(status));
        let problem = push(&gateway(format!("http://{}", stand_in.address())), None, &figures(), PATIENCE).unwrap();
        assert!(problem.contains(&status.to_string()) && problem.contains("users, orders, all"), "{problem}");
        assert_eq!(stand_in.take_pushes().len(), 3);
    }
}

#[test]
fn a_server_that_never_answers_is_asked_once_and_not_for_long() {
    let stand_in = PushgatewayStandIn::start().unwrap();
    stand_in.set_answer(Answer::Never);
    let start = Instant::now();
    let problem = push(&gateway(format!("http://{}", stand_in.address())), None, &figures(), PATIENCE).unwrap();
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert!(problem.contains("(0 of 3 groups were): there was no answer within 0.3 s"), "{problem}");
    assert_eq!(stand_in.take_pushes().len(), 1);
}

#[test]
fn all_requests_together_have_an_end() {
    let stand_in = PushgatewayStandIn::start().unwrap();
    let patience = Patience { all: Duration::ZERO, ..PATIENCE };
    let problem = push(&gateway(format!("http://{}", stand_in.address())), None, &figures(), patience).unwrap();
    assert!(problem.contains("(0 of 3 groups were)"), "{problem}");
}

#[test]
fn nobody_there_is_told_with_the_address() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (url, why) in [(format!("http://{free}"), "refused"), ("http://pushgateway.invalid".into(), "")] {
        let problem = push(&gateway(url.clone()), None, &figures(), PATIENCE).unwrap();
        assert!(problem.contains(&format!("not pushed to {url} (0 of 3")), "{problem}");
        assert!(problem.to_lowercase().contains(why), "{problem}");
    }
}
