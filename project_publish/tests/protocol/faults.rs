//! One operation fails: it was not done, or it was done and nobody heard of it.

use crate::runs::{End, PLACES, after, faulty_reading, old, publish, reading, readings, young};
use crate::schedule::run;
use crate::store::{Fault, Store};

#[test]
fn a_failed_operation_is_an_error_or_harmless_and_the_next_run_repairs_it() {
    let mut cases = 0;
    for place in PLACES {
        for (files, next_files) in [(1, 1), (3, 2), (1, 2), (2, 1)] {
            let tables = |files| [("orders", files), ("users", 1)];
            let (before, plan, next) = (old(1, &tables(2)), young(1, &tables(files)), young(2, &tables(next_files)));
            let state = after(place, &[&before]);
            for fault in [Fault::Rejected, Fault::AnswerLost] {
                for step in 0.. {
                    let store = Store::new(state.clone());
                    let faulty = store.with_fault(step, fault);
                    let ends = run(publish(faulty.clone(), place, &plan));
                    let met = faulty.steps() > step;
                    let failed = ends.values().any(|end| matches!(end, End::Failed(_)));
                    assert!(failed || !met, "{place:?}: {fault:?} at step {step} was not noticed: {ends:?}");
                    for (table, _) in tables(files) {
                        let whole = [before.files(table), plan.files(table)];
                        assert_eq!(faulty_reading(place, &readings(place, &store.log(), table), &whole), None);
                        if ends[table] == End::Published {
                            assert_eq!(reading(place, &store.state(), table), plan.files(table), "{place:?} {step}");
                        }
                    }
                    let ends = run(publish(store.of_another_process(), place, &next));
                    for (table, end) in ends {
                        assert_eq!(end, End::Published, "{place:?}: after {fault:?} at step {step}");
                        assert_eq!(reading(place, &store.state(), table), next.files(table));
                    }
                    cases += 1;
                    if !met {
                        break;
                    }
                }
            }
        }
    }
    println!("{cases} faults");
}
