//! Two runs that publish the same tables at the same time.

use crate::in_place::taken_over;
use crate::runs::{End, Ends, PLACES, Place, Plan, after, faulty_reading, old, publish, reading, readings, young};
use crate::schedule::{Process, every_schedule, follow};
use crate::store::Store;
use crate::world::State;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any};
use proptest::{prop_assert_eq, proptest};

/// So many tables of so many files.
fn tables(count: usize, files: usize) -> Vec<(&'static str, usize)> {
    ["orders", "users"].into_iter().take(count).map(|table| (table, files)).collect()
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

/// A lake with a run, and the two that race.
struct Race {
    place: Place,
    state: State,
    before: Plan,
    plans: [Plan; 2],
}

impl Race {
    fn new(place: Place, count: usize, files: usize) -> Self {
        let before = old(1, &tables(count, 2));
        let plans = [1, 2].map(|second| young(second, &tables(count, files)));
        Self { place, state: after(place, &[&before]), before, plans }
    }

    fn fault(&self, order: &mut dyn FnMut(&mut [Process<'_, Ends>])) -> Option<String> {
        let store = Store::new(self.state.clone());
        let mut processes =
            self.plans.each_ref().map(|plan| Process::new(publish(store.of_another_process(), self.place, plan)));
        order(&mut processes);
        let ends: Vec<Ends> = processes.into_iter().map(Process::finish).collect();
        fault(self.place, &store, &self.before, self.plans.each_ref(), &ends)
    }
}

#[test]
fn of_two_runs_one_wins_each_table_whole_and_the_older_moment_never_replaces_the_newer() {
    let mut cases = 0;
    for place in PLACES {
        for (count, files, preemptions) in [(1, 1, 3), (1, 2, 3), (2, 2, 2)] {
            let race = Race::new(place, count, files);
            every_schedule(2, preemptions, &mut |schedule| {
                let mut whole = false;
                let fault = race.fault(&mut |processes| whole = follow(processes, schedule));
                assert_eq!(fault, None, "{place:?}, {count} tables of {files} files, {schedule:?}");
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
            let fault = Race::new(place, 2, files).fault(&mut |processes| {
                turns.iter().for_each(|turn| _ = processes[usize::from(*turn)].step());
            });
            prop_assert_eq!(fault, None, "{:?}", place);
        }
    }
}
