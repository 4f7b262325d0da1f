//! What is peculiar to tables whose files are replaced where they are.

use crate::runs::{End, Place, after, old, publish, reading, young};
use crate::schedule::run;
use crate::store::{Fault, Store};
use crate::world::State;

/// Whether a run has claimed the table while another one, which had not finished, was still at it or dead.
pub(crate) fn taken_over(log: &[State], table: &str) -> bool {
    let key = format!("_runs/live/{table}.json");
    let pointers: Vec<&[u8]> =
        log.iter().filter_map(|state| state.content(&key)).map(|found| found.as_slice()).collect();
    let told = |content: &[u8]| -> serde_json::Value { serde_json::from_slice(content).unwrap() };
    pointers.windows(2).filter(|pair| pair[0] != pair[1]).any(|pair| {
        let (one, next) = (told(pair[0]), told(pair[1]));
        one["complete"] == false && one["run_id"] != next["run_id"]
    })
}

#[test]
fn a_failure_to_delete_old_files_says_what_readers_see_until_they_are_gone() {
    const TABLE: &str = "orders";
    let (before, plan) = (old(1, &[(TABLE, 3)]), young(1, &[(TABLE, 2)]));
    let state = after(Place::InPlace, &[&before]);
    let mut told = 0;
    for step in 0.. {
        let store = Store::new(state.clone());
        let faulty = store.with_fault(step, Fault::Rejected);
        let ends = run(publish(faulty.clone(), Place::InPlace, &plan));
        if faulty.steps() <= step {
            break;
        }
        let End::Failed(text) = &ends[TABLE] else { panic!("{ends:?} at step {step}") };
        if text.starts_with("readers of orders see old and new rows until its old files are gone: ") {
            let seen = reading(Place::InPlace, &store.state(), TABLE);
            assert!(seen.is_superset(&plan.files(TABLE)) && seen != plan.files(TABLE), "{seen:?} at step {step}");
            told += 1;
        }
    }
    assert_eq!(told, before.files(TABLE).len());
}
