//! The checker finds what it is made for: the same model of a reader over protocols that are wrong on purpose.

use crate::collection::{collect_later, left_over};
use crate::publishers;
use crate::runs::{End, Ends, Place, Plan, after, faulty_reading, manifest_key, old, readings, show, upload, young};
use crate::schedule::{Process, every_schedule, follow, run};
use crate::store::{CatalogLake, Store};
use crate::world::State;
use project_publish::{Committed, Lake, Objects, Release, Reveal, TableManifest, roll_back};

const TABLE: &str = "orders";
const TABLES: [(&str, usize); 1] = [(TABLE, 2)];

/// The table's manifest as a run would write it.
fn told(place: Place, plan: &Plan) -> TableManifest {
    let files = plan.data(place, TABLE);
    TableManifest {
        table: TABLE.into(),
        task: TABLE.into(),
        rows: 0,
        bytes: 0,
        columns: Vec::new(),
        partition_key: None,
        condition: None,
        window: None,
        carried_from: None,
        replaces: None,
        files,
    }
}

fn is_seen_by_readers(place: Place, store: &Store, plans: &[&Plan]) -> bool {
    let whole: Vec<_> = plans.iter().map(|plan| plan.files(TABLE)).collect();
    faulty_reading(place, &readings(place, &store.log(), TABLE), &whole).is_some()
}

#[test]
fn a_commit_before_the_data_is_complete_is_seen() {
    let (before, plan) = (old(1, &TABLES), young(1, &TABLES));
    let store = Store::new(after(Place::Catalog, &[&before]));
    let lake = CatalogLake::new(store.of_another_process());
    run(async {
        let expected = lake.live(TABLE).await.unwrap();
        let (facts, table) = (plan.run(Place::Catalog), told(Place::Catalog, &plan));
        let release = Release { run: &facts, table: &table };
        assert!(matches!(lake.commit(release, expected.as_ref()).await.unwrap(), Committed::Done(_)));
        upload(lake.objects(), Place::Catalog, &plan).await.unwrap();
    });
    assert!(is_seen_by_readers(Place::Catalog, &store, &[&before, &plan]));
}

#[test]
fn a_deletion_of_the_old_files_before_the_new_ones_are_visible_is_seen() {
    let (before, plan) = (old(1, &TABLES), young(1, &TABLES));
    let store = Store::new(after(Place::InPlace, &[&before]));
    let process = store.of_another_process();
    run(async {
        upload(&process, Place::InPlace, &plan).await.unwrap();
        let keys = process.list(TABLE).await.unwrap();
        process.delete(&keys).await.unwrap();
        process.reveal(TABLE).await.unwrap();
    });
    assert!(is_seen_by_readers(Place::InPlace, &store, &[&before, &plan]));
}

#[test]
fn several_files_that_are_replaced_under_their_own_names_are_seen() {
    let (before, plan) = (old(1, &TABLES), young(1, &TABLES));
    let store = Store::new(State::default());
    run(async {
        for (number, plan) in [&before, &plan, &before, &plan].into_iter().enumerate() {
            let file = &plan.data(Place::InPlace, TABLE)[number % 2];
            store.upload(&format!("{TABLE}/part-{:05}.parquet", number % 2), file.crc32.clone().into()).await.unwrap();
        }
    });
    assert!(is_seen_by_readers(Place::InPlace, &store, &[&before, &plan]));
}

#[test]
fn a_commit_without_comparison_is_seen() {
    let (before, plans) = (old(1, &TABLES), [1, 2].map(|second| young(second, &TABLES)));
    let state = after(Place::Catalog, &[&before]);
    let mut seen = 0;
    every_schedule(2, 1, &mut |schedule| {
        let store = Store::new(state.clone());
        let careless = async |plan: &Plan| -> Ends {
            let store = store.of_another_process();
            upload(&store, Place::Catalog, plan).await.unwrap();
            show(&CatalogLake::without_comparison(store), Place::Catalog, plan).await
        };
        let mut processes = plans.each_ref().map(|plan| Process::new(careless(plan)));
        let whole = follow(&mut processes, schedule);
        let ends: Vec<Ends> = processes.into_iter().map(Process::finish).collect();
        seen += usize::from(publishers::fault(Place::Catalog, &store, &before, plans.each_ref(), &ends).is_some());
        whole
    });
    assert!(seen > 0);
}

#[test]
fn a_publisher_that_does_not_look_which_moment_is_the_newer_is_seen() {
    let (before, plans) = (old(1, &TABLES), [1, 2].map(|second| young(second, &TABLES)));
    let store = Store::new(after(Place::Catalog, &[&before]));
    let careless = async |plan: &Plan| -> Ends {
        let lake = CatalogLake::new(store.of_another_process());
        upload(lake.objects(), Place::Catalog, plan).await.unwrap();
        let (facts, table) = (plan.run(Place::Catalog), told(Place::Catalog, plan));
        let expected = lake.live(TABLE).await.unwrap();
        let done = lake.commit(Release { run: &facts, table: &table }, expected.as_ref()).await.unwrap();
        let end = if matches!(done, Committed::Done(_)) { End::Published } else { End::Overtaken };
        Ends::from([(TABLE, end)])
    };
    let newer = run(careless(&plans[1]));
    let ends = [run(careless(&plans[0])), newer];
    assert!(publishers::fault(Place::Catalog, &store, &before, plans.each_ref(), &ends).is_some());
}

/// Removes one run, in an order and with looks of its own choice.
async fn remove(lake: &CatalogLake, plan: &Plan, looks_again: bool, manifest_first: bool) {
    let objects = lake.objects();
    let known = [plan.run(Place::Catalog)];
    let is_live = async || lake.live_runs(&known).await.unwrap().contains(&plan.id);
    if is_live().await {
        return;
    }
    let (manifest, data) = ([manifest_key(&plan.id)], objects.list(&format!("run={}", plan.id)).await.unwrap());
    if manifest_first {
        objects.delete(&manifest).await.unwrap();
    }
    if looks_again && is_live().await {
        return;
    }
    objects.delete(&data).await.unwrap();
    objects.delete(&manifest).await.unwrap();
}

/// Whether a reader sees it when a rollback comes in between.
fn removal_is_seen(looks_again: bool, manifest_first: bool) -> bool {
    let plans = [1, 2].map(|day| old(day, &TABLES));
    let state = after(Place::Catalog, &plans.each_ref());
    let mut seen = false;
    every_schedule(2, 2, &mut |schedule| {
        let store = Store::new(state.clone());
        let lakes = [0, 1].map(|_| CatalogLake::new(store.of_another_process()));
        let back = async { _ = roll_back(&lakes[1], TABLE, Some(&plans[0].id)).await };
        let mut processes: [Process<'_, ()>; 2] =
            [Process::new(remove(&lakes[0], &plans[0], looks_again, manifest_first)), Process::new(back)];
        let whole = follow(&mut processes, schedule);
        drop(processes);
        seen |= is_seen_by_readers(Place::Catalog, &store, &[&plans[0], &plans[1]]);
        whole
    });
    seen
}

#[test]
fn a_collection_that_claims_nothing_is_seen_however_often_it_looks() {
    for (looks_again, manifest_first) in [(false, false), (false, true), (true, false), (true, true)] {
        assert!(removal_is_seen(looks_again, manifest_first), "{looks_again} {manifest_first}");
    }
}

#[test]
fn a_collection_that_removes_data_before_the_manifest_leaves_a_manifest_without_data_when_it_dies() {
    let plans = [1, 2].map(|day| old(day, &TABLES));
    let names_what_is_gone = |manifest_first: bool| {
        (1..20).any(|steps| {
            let store = Store::new(after(Place::Catalog, &plans.each_ref()));
            let lake = CatalogLake::new(store.of_another_process());
            Process::new(remove(&lake, &plans[0], true, manifest_first)).steps(steps);
            left_over(Place::Catalog, &store.state()).iter().any(|fault| fault.ends_with("is gone and in a manifest"))
        })
    };
    assert!(names_what_is_gone(false) && !names_what_is_gone(true));
}

#[test]
fn a_collection_without_grace_is_seen_by_whoever_still_reads_the_run_before() {
    let plans = [old(1, &TABLES), old(2, &TABLES)];
    let store = Store::new(after(Place::Catalog, &plans.each_ref()));
    // After this only the second run is shown, and somebody has looked the first one up a moment ago.
    let mut log = vec![after(Place::Catalog, &[&plans[0]])];
    collect_later(&store, Place::Catalog, 1);
    log.extend(store.log());
    let whole = plans.each_ref().map(|plan| plan.files(TABLE));
    assert!(faulty_reading(Place::Catalog, &readings(Place::Catalog, &log, TABLE), &whole).is_some());
}
