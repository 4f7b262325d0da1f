//! gc and rollback: killed after any step, and at the same time as each other, as a run and as readers.

use crate::reader::Files;
use crate::runs::{
    End, PLACES, Place, Plan, STARTED, after, faulty_reading, manifest, old, publish, reading, readings, young,
};
use crate::schedule::{Process, every_schedule, follow, run};
use crate::store::{CatalogLake, Store};
use crate::world::State;
use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use project_publish::gc::{Collected, Keep, collect};
use project_publish::{InPlaceLake, RunId, roll_back};
use std::collections::BTreeSet;

const TABLE: &str = "orders";

/// Longer than the runs and the queries of these tests.
const GRACE: TimeDelta = TimeDelta::minutes(30);

pub(crate) async fn gc(store: Store, place: Place, keep: Keep, now: DateTime<Utc>) -> Result<Collected> {
    match place {
        Place::Catalog => collect(&CatalogLake::new(store), keep, now).await,
        Place::InPlace => collect(&InPlaceLake::new(store), keep, now).await,
    }
}

/// Collects when nobody is at work any more.
pub(crate) fn collect_later(store: &Store, place: Place, runs: usize) {
    let keep = Keep { runs, grace: TimeDelta::zero() };
    run(gc(store.of_another_process(), place, keep, *STARTED + TimeDelta::days(2))).unwrap();
}

/// What a collection should not have left, and what it should have: nothing, if all is well.
pub(crate) fn left_over(place: Place, state: &State) -> Vec<String> {
    let mut faults: Vec<String> = state.keys("_runs/claims/").map(|key| format!("{key} is left")).collect();
    let ids: Vec<&str> = state.keys("_runs/").filter_map(|key| run_in(key.split_once('/')?.1)).collect();
    let manifests: Vec<_> = ids.iter().filter_map(|id| manifest(state, id)).collect();
    if place == Place::InPlace {
        return faults;
    }
    let named: BTreeSet<&str> =
        manifests.iter().flat_map(|one| &one.tables).flat_map(|table| &table.files).map(|file| &*file.key).collect();
    let there: BTreeSet<&str> = state.keys("run=").collect();
    faults.extend(there.difference(&named).map(|key| format!("{key} is in no manifest")));
    faults.extend(named.difference(&there).map(|key| format!("{key} is gone and in a manifest")));
    for shown in state.tables.values().filter(|shown| !ids.contains(&&*shown.run)) {
        faults.push(format!("{} is shown and has no manifest", shown.run));
    }
    faults
}

fn run_in(name: &str) -> Option<&str> {
    name.strip_suffix(".json").filter(|id| RunId::parse(id).is_some())
}

/// Four runs of which the third is shown, and one that died before it was sealed.
fn history() -> (Vec<Plan>, State) {
    let plans: Vec<Plan> = (1..=4).map(|day| old(day, &[(TABLE, 2)])).collect();
    let mut state = after(Place::Catalog, &plans.iter().collect::<Vec<_>>());
    take_back(&mut state, &plans[2]);
    let store = Store::new(state);
    let dead = old(5, &[(TABLE, 2)]);
    Process::new(publish(store.of_another_process(), Place::Catalog, &dead)).steps(2);
    (plans, store.state())
}

/// As a rollback of long ago has left it.
fn take_back(state: &mut State, to: &Plan) {
    state.tables.get_mut(TABLE).unwrap().run = to.id.as_str().into();
}

fn wholes(plans: &[Plan]) -> Vec<Files> {
    plans.iter().map(|plan| plan.files(TABLE)).collect()
}

#[test]
fn a_collection_may_die_anywhere_and_the_next_one_completes_it() {
    let (plans, state) = history();
    let keep = Keep { runs: 1, grace: TimeDelta::zero() };
    for steps in 0.. {
        let store = Store::new(state.clone());
        let complete =
            Process::new(gc(store.of_another_process(), Place::Catalog, keep, *STARTED)).steps(steps) < steps;
        collect_later(&store, Place::Catalog, 1);
        assert_eq!(left_over(Place::Catalog, &store.state()), Vec::<String>::new());
        assert_eq!(readings(Place::Catalog, &store.log(), TABLE), [plans[2].files(TABLE)].into());
        let kept = [&plans[2], &plans[3]];
        let there: Vec<&Plan> = plans.iter().filter(|plan| manifest(&store.state(), &plan.id).is_some()).collect();
        assert_eq!(there.iter().map(|plan| &plan.id).collect::<Vec<_>>(), kept.map(|plan| &plan.id));
        if complete {
            println!("{steps} kills of a collection");
            break;
        }
    }
}

#[test]
fn a_rollback_may_die_anywhere_and_shows_one_run_or_the_other() {
    let (plans, state) = history();
    for steps in 0.. {
        let store = Store::new(state.clone());
        let lake = CatalogLake::new(store.of_another_process());
        let complete = Process::new(roll_back(&lake, TABLE, Some(&plans[0].id))).steps(steps) < steps;
        let whole = [plans[2].files(TABLE), plans[0].files(TABLE)];
        assert_eq!(faulty_reading(Place::Catalog, &readings(Place::Catalog, &store.log(), TABLE), &whole), None);
        let repeated = run(roll_back(&lake, TABLE, Some(&plans[0].id))).unwrap();
        assert_eq!(repeated.to.run.run_id, plans[0].id);
        assert_eq!(reading(Place::Catalog, &store.state(), TABLE), whole[1]);
        collect_later(&store, Place::Catalog, 1);
        assert_eq!(left_over(Place::Catalog, &store.state()), Vec::<String>::new());
        assert_eq!(reading(Place::Catalog, &store.state(), TABLE), whole[1]);
        if complete {
            println!("{steps} kills of a rollback");
            break;
        }
    }
}

/// Whoever works at the same time as a collection.
#[derive(Debug, Clone, Copy)]
enum Other {
    Rollback(usize),
    Run,
}

async fn work(store: Store, plans: &[Plan], other: Other) -> Result<usize, String> {
    match other {
        Other::Rollback(to) => {
            let done = roll_back(&CatalogLake::new(store), TABLE, Some(&plans[to].id)).await;
            done.map(|_| to).map_err(|error| error.to_string())
        }
        Other::Run => match &publish(store, Place::Catalog, &plans[4]).await[TABLE] {
            End::Published => Ok(4),
            end => Err(format!("{end:?}")),
        },
    }
}

async fn collect_now(store: Store) -> Result<usize, String> {
    let keep = Keep { runs: 1, grace: GRACE };
    let done = gc(store, Place::Catalog, keep, Utc::now()).await;
    done.map(|_| usize::MAX).map_err(|error| error.to_string())
}

/// Readers have one whole run at every moment; at the end the table is what the last one to succeed says, or as before.
fn check_with_collection(state: &State, plans: &[Plan], others: &[Other], preemptions: usize) -> usize {
    let mut cases = 0;
    every_schedule(others.len() + 1, preemptions, &mut |schedule| {
        let store = Store::new(state.clone());
        let mut processes = vec![Process::new(collect_now(store.of_another_process()))];
        processes.extend(others.iter().map(|other| Process::new(work(store.of_another_process(), plans, *other))));
        let whole = follow(&mut processes, schedule);
        let ends: Vec<Result<usize, String>> = processes.into_iter().map(Process::finish).collect();
        let context = format!("{others:?} {schedule:?} {ends:?}");
        let found = readings(Place::Catalog, &store.log(), TABLE);
        assert_eq!(faulty_reading(Place::Catalog, &found, &wholes(plans)), None, "{context}");
        assert_eq!(ends[0], Ok(usize::MAX), "{context}");
        let won: Vec<usize> = ends[1..].iter().filter_map(|end| end.clone().ok()).collect();
        let now = reading(Place::Catalog, &store.state(), TABLE);
        let allowed = if won.is_empty() { vec![2] } else { won };
        assert!(allowed.iter().any(|run| now == plans[*run].files(TABLE)), "{context}: {now:?}");
        let shown = &store.state().tables[TABLE].run.to_string();
        assert!(manifest(&store.state(), shown).is_some(), "{context}: what is shown has no manifest");
        collect_later(&store, Place::Catalog, 1);
        assert_eq!(left_over(Place::Catalog, &store.state()), Vec::<String>::new(), "{context}");
        assert_eq!(reading(Place::Catalog, &store.state(), TABLE), now, "{context}");
        cases += 1;
        whole
    });
    cases
}

fn with_a_young_run() -> (Vec<Plan>, State) {
    let (mut plans, state) = history();
    plans.push(young(1, &[(TABLE, 2)]));
    (plans, state)
}

#[test]
fn a_rollback_during_a_collection_shows_a_whole_run_or_changes_nothing() {
    let (plans, state) = with_a_young_run();
    let cases = [0, 1, 3].map(|to| check_with_collection(&state, &plans, &[Other::Rollback(to)], 2));
    println!("{} schedules of a collection and a rollback", cases.iter().sum::<usize>());
}

#[test]
fn a_run_inside_of_the_grace_is_safe_from_a_collection_and_so_are_the_readers_of_the_run_that_it_replaces() {
    let (plans, state) = with_a_young_run();
    let cases = check_with_collection(&state, &plans, &[Other::Run], 2);
    println!("{cases} schedules of a collection and a run");
}

#[test]
fn a_run_and_a_rollback_during_a_collection() {
    let (plans, state) = with_a_young_run();
    let cases = check_with_collection(&state, &plans, &[Other::Run, Other::Rollback(0)], 2);
    println!("{cases} schedules of a collection, a run and a rollback");
}

#[test]
fn a_run_that_takes_longer_than_the_grace_is_published_whole_or_not_at_all() {
    let (plans, state) = with_a_young_run();
    let (keep, later) = (Keep { runs: 0, grace: TimeDelta::zero() }, *STARTED + TimeDelta::minutes(10));
    let (mut cases, mut removed) = (0, 0);
    every_schedule(2, 2, &mut |schedule| {
        let store = Store::new(state.clone());
        let collect = async |store: Store| {
            gc(store, Place::Catalog, keep, later).await.map(|_| usize::MAX).map_err(|error| error.to_string())
        };
        let mut processes = [
            Process::new(work(store.of_another_process(), &plans, Other::Run)),
            Process::new(Box::pin(collect(store.of_another_process()))),
        ];
        let whole = follow(&mut processes, schedule);
        let [run, collected] = processes.map(Process::finish);
        collected.unwrap();
        let now = reading(Place::Catalog, &store.state(), TABLE);
        assert_eq!(now, plans[if run.is_ok() { 4 } else { 2 }].files(TABLE), "{schedule:?} {run:?}");
        removed += usize::from(run.is_err_and(|error| error.contains("project gc has removed")));
        collect_later(&store, Place::Catalog, 1);
        assert_eq!(left_over(Place::Catalog, &store.state()), Vec::<String>::new(), "{schedule:?}");
        assert_eq!(reading(Place::Catalog, &store.state(), TABLE), now, "{schedule:?}");
        cases += 1;
        whole
    });
    assert!(removed > 0, "no collection came in between");
    println!("{cases} schedules of a run and a hasty collection, which removed it in {removed}");
}

#[test]
fn a_killed_collection_and_a_rollback_and_a_collection_again() {
    let (plans, state) = with_a_young_run();
    let mut cases = 0;
    every_schedule(2, 2, &mut |schedule| {
        let store = Store::new(state.clone());
        let mut processes = [
            Process::new(collect_now(store.of_another_process())),
            Process::new(work(store.of_another_process(), &plans, Other::Rollback(0))),
        ];
        // The parts are done, and whoever is in between dies there.
        let whole = schedule.iter().all(|(process, count)| processes[*process].steps(*count) == *count);
        drop(processes);
        let before = [plans[0].files(TABLE), plans[2].files(TABLE)];
        let found = readings(Place::Catalog, &store.log(), TABLE);
        assert_eq!(faulty_reading(Place::Catalog, &found, &before), None, "{schedule:?}");
        let now = reading(Place::Catalog, &store.state(), TABLE);
        collect_later(&store, Place::Catalog, 1);
        assert_eq!(left_over(Place::Catalog, &store.state()), Vec::<String>::new(), "{schedule:?}");
        assert_eq!(reading(Place::Catalog, &store.state(), TABLE), now, "{schedule:?}");
        cases += 1;
        whole
    });
    println!("{cases} kills of a collection and a rollback");
}

#[test]
fn a_lake_in_place_loses_only_manifests() {
    for place in PLACES {
        let plans: Vec<Plan> = (1..=4).map(|day| old(day, &[(TABLE, 2)])).collect();
        let store = Store::new(after(place, &plans.iter().collect::<Vec<_>>()));
        let kept = |state: &State| plans.iter().filter(|plan| manifest(state, &plan.id).is_some()).count();
        collect_later(&store, place, 3);
        assert_eq!(kept(&store.state()), 3);
        collect_later(&store, place, 0);
        assert_eq!(kept(&store.state()), 1, "what is shown stays");
        assert_eq!(reading(place, &store.state(), TABLE), plans[3].files(TABLE));
    }
}
