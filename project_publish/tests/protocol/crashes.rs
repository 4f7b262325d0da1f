//! A run that is killed after any of its steps, and the runs after it.

use crate::collection::{collect_later, left_over};
use crate::reader::Files;
use crate::runs::{End, PLACES, Place, Plan, after, faulty_reading, old, publish, reading, readings, young};
use crate::schedule::{Process, run};
use crate::store::Store;
use crate::world::State;

/// Numbers of files: before, of the run that is killed, of the run after it.
const SHAPES: [(usize, usize, usize); 7] =
    [(0, 1, 1), (0, 3, 2), (1, 1, 1), (1, 3, 1), (3, 1, 2), (3, 2, 3), (2, 3, 1)];

const TABLES: [&str; 2] = ["orders", "users"];

fn tables(files: usize) -> Vec<(&'static str, usize)> {
    if files == 0 { Vec::new() } else { vec![(TABLES[0], files), (TABLES[1], 1)] }
}

/// The table in every run that has it; nothing, where the first one has none.
fn wholes(plans: &[&Plan], table: &str) -> Vec<Files> {
    let has = |plan: &&&Plan| plan.tables.iter().any(|(name, _)| *name == table);
    let absent = plans.iter().filter(|plan| !has(plan)).map(|_| Files::new());
    plans.iter().filter(has).map(|plan| plan.files(table)).chain(absent).collect()
}

fn check_readers(place: Place, log: &[State], plans: &[&Plan]) {
    for table in TABLES {
        let faulty = faulty_reading(place, &readings(place, log, table), &wholes(plans, table));
        assert_eq!(faulty, None, "{place:?}: a reader of {table} has got this");
    }
}

/// Runs a last time: the table is that run's, and gc leaves nothing else.
fn check_recovery(place: Place, store: &Store, last: &Plan, plans: &[&Plan]) {
    let ends = run(publish(store.of_another_process(), place, last));
    assert!(ends.values().all(|end| *end == End::Published), "{ends:?}");
    check_readers(place, &store.log(), plans);
    let published = store.log().len() - 1;
    collect_later(store, place, 1);
    assert_eq!(left_over(place, &store.state()), Vec::<String>::new());
    for table in TABLES {
        assert_eq!(readings(place, &store.log()[published..], table), [last.files(table)].into(), "{place:?} {table}");
        assert_eq!(reading(place, &store.state(), table), last.files(table));
    }
}

#[test]
fn a_reader_has_the_old_table_or_the_new_one_wherever_a_run_dies_and_the_next_run_repairs_it() {
    let mut cases = 0;
    for place in PLACES {
        for (before, killed, next) in SHAPES {
            let (before, killed, next) = (old(1, &tables(before)), young(1, &tables(killed)), young(2, &tables(next)));
            let state = after(place, &[&before]);
            for steps in 0.. {
                let store = Store::new(state.clone());
                let mut process = Process::new(publish(store.of_another_process(), place, &killed));
                let complete = process.steps(steps) < steps;
                drop(process);
                check_readers(place, &store.log(), &[&before, &killed]);
                check_recovery(place, &store, &next, &[&before, &killed, &next]);
                cases += 1;
                if complete {
                    break;
                }
            }
        }
    }
    println!("{cases} kills of one run");
}

#[test]
fn two_runs_that_die_one_after_the_other_are_repaired_by_a_third() {
    let mut cases = 0;
    for place in PLACES {
        for (before, killed, next) in [(1, 1, 1), (3, 2, 2), (1, 2, 1)] {
            let before = old(1, &tables(before));
            let (first, second, third) =
                (young(1, &tables(killed)), young(2, &tables(next)), young(3, &tables(killed)));
            let state = after(place, &[&before]);
            let length = 30;
            for (one, two) in (0..length).flat_map(|one| (0..length).map(move |two| (one, two))) {
                let store = Store::new(state.clone());
                let killed_at =
                    |plan, steps| Process::new(publish(store.of_another_process(), place, plan)).steps(steps);
                if killed_at(&first, one) < one || killed_at(&second, two) < two {
                    continue;
                }
                check_recovery(place, &store, &third, &[&before, &first, &second, &third]);
                cases += 1;
            }
        }
    }
    println!("{cases} kills of two runs");
}
