//! Two runs that publish the same tables at the same time.

use crate::in_place::taken_over;
use crate::runs::{End, Ends, PLACES, Place, Plan, after, faulty_reading, old, publish, reading, readings, young};
use crate::schedule::{Process, every_schedule, follow};
use crate::store::Store;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any};
use proptest::{prop_assert_eq, proptest};

const TABLES: [&str; 2] = ["orders", "users"];

fn tables(files: usize) -> Vec<(&'static str, usize)> {
    TABLES.map(|table| (table, files)).into()
}

/// What does not hold of a table after two runs, of which the first has the older snapshot.
pub(crate) fn fault(place: Place, store: &Store, before: &Plan, plans: [&Plan; 2], ends: &[Ends]) -> Option<String> {
    let (log, now) = (store.log(), store.state());
    for (table, partitions) in &plans[0].tables {
        let [whole, older, newer] = [before, plans[0], plans[1]].map(|plan| plan.files(table));
        let whole = [whole, older.clone(), newer.clone()];
        if let Some(reading) = faulty_reading(place, &readings(place, &log, table), &whole) {
            return Some(format!("a reader of {table} has got {reading:?}"));
        }
        if place == Place::InPlace && partitions.len() == 1 && taken_over(&log, table) {
            continue;
        }
        // Both may win, the newer one after the older. One does at least, and a loser knows why.
        let expected = match (&ends[0][table], &ends[1][table]) {
            (End::Published | End::Overtaken | End::Older, End::Published) => newer,
            (End::Published, End::Overtaken) => older,
            ends => return Some(format!("{table} has ended as {ends:?}")),
        };
        let now = reading(place, &now, table);
        if now != expected {
            return Some(format!("{table} is {now:?} after {ends:?}"));
        }
        for (plan, ends) in plans.iter().zip(ends) {
            let shown = |run: &str| log.iter().any(|state| state.tables.get(*table).is_some_and(|is| &*is.run == run));
            if ends[table] != End::Published && shown(&plan.id) {
                return Some(format!("{table} was changed by a run that ended as {:?}", ends[table]));
            }
        }
    }
    None
}

fn after_race(place: Place, files: usize, order: &mut dyn FnMut(&mut [Process<'_, Ends>])) -> Option<String> {
    let (before, older, newer) = (old(1, &tables(2)), young(1, &tables(files)), young(2, &tables(files)));
    let store = Store::new(after(place, &[&before]));
    let mut processes = [&older, &newer].map(|plan| Process::new(publish(store.of_another_process(), place, plan)));
    order(&mut processes);
    let ends: Vec<Ends> = processes.into_iter().map(Process::finish).collect();
    fault(place, &store, &before, [&older, &newer], &ends)
}

#[test]
fn of_two_runs_one_wins_each_table_whole_and_the_older_moment_never_replaces_the_newer() {
    let mut cases = 0;
    for place in PLACES {
        for files in [1, 2] {
            every_schedule(2, 3, &mut |schedule| {
                let mut whole = false;
                let fault = after_race(place, files, &mut |processes| whole = follow(processes, schedule));
                assert_eq!(fault, None, "{place:?}, {files} files, {schedule:?}");
                cases += 1;
                whole
            });
        }
    }
    println!("{cases} schedules of two runs");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_same_in_any_order(turns in vec(any::<bool>(), 60), files in 1_usize..4) {
        for place in PLACES {
            let fault = after_race(place, files, &mut |processes| {
                turns.iter().for_each(|turn| _ = processes[usize::from(*turn)].step());
            });
            prop_assert_eq!(fault, None, "{:?}", place);
        }
    }
}
