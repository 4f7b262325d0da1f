//! Runs that read some dates of a table.

use crate::collection::{collect_later, left_over};
use crate::reader::Files;
use crate::runs::{End, PLACES, Place, Plan, after, faulty_reading, manifest, old, publish, reading, readings, young};
use crate::schedule::{Process, run};
use crate::store::Store;
use project_publish::Window;

const TABLE: &str = "orders";
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";
const DATES: [&str; 4] = ["2020-01-01", "2020-01-02", "2020-01-03", NULL];

fn dated(mut plan: Plan, dates: &[&'static str], window: Option<(&str, &str)>) -> Plan {
    plan.tables = vec![(TABLE, dates.iter().map(|date| Some(*date)).collect())];
    plan.window = window.map(|(from, to)| Window { from: Some(from.into()), to: Some(to.into()) });
    plan
}

/// The table when these were published one after the other.
fn expected(plans: &[&Plan]) -> Files {
    let mut files: Vec<(Option<String>, String)> = Vec::new();
    for plan in plans {
        let in_window = |date: &Option<String>| {
            plan.window.as_ref().is_none_or(|window| date.as_ref().is_some_and(|date| window.contains(date)))
        };
        files.retain(|(date, _)| !in_window(date));
        files.extend(plan.data(Place::Catalog, TABLE).into_iter().map(|file| (file.partition, file.crc32)));
    }
    files.into_iter().map(|(_, content)| content).collect()
}

/// The files of a reading that lie outside of all these windows.
fn outside(reading: &Files, all: &[&Plan], windows: &[&Plan]) -> Files {
    let files = all.iter().flat_map(|plan| plan.data(Place::Catalog, TABLE));
    let inside = |date: &str| windows.iter().any(|plan| plan.window.as_ref().unwrap().contains(date));
    let outside = files.filter(|file| !inside(file.partition.as_ref().unwrap()));
    outside.map(|file| file.crc32).filter(|content| reading.contains(content)).collect()
}

/// Two files of a date, and one of each other.
fn history() -> Plan {
    let dates: Vec<&str> = DATES.into_iter().chain([DATES[1]]).collect();
    dated(old(1, &[]), &dates, None)
}

/// A window inside of the table, one with fewer files than before, one without files, and one at the end.
fn windows() -> [Plan; 4] {
    [
        dated(young(1, &[]), &[DATES[1], DATES[1], DATES[2]], Some((DATES[1], DATES[2]))),
        dated(young(1, &[]), &[DATES[1]], Some((DATES[1], DATES[1]))),
        dated(young(1, &[]), &[], Some((DATES[0], DATES[0]))),
        dated(young(1, &[]), &["2020-01-04"], Some(("2020-01-04", "2020-01-05"))),
    ]
}

#[test]
fn dates_outside_of_the_window_stay_as_they_were_at_every_moment() {
    for place in PLACES {
        for plan in windows() {
            let before = history();
            let store = Store::new(after(place, &[&before]));
            assert_eq!(run(publish(store.of_another_process(), place, &plan))[TABLE], End::Published);
            let whole = [expected(&[&before]), expected(&[&before, &plan])];
            let found = readings(place, &store.log(), TABLE);
            assert_eq!(faulty_reading(place, &found, &whole), None, "{place:?} {:?}", plan.window);
            let untouched = outside(&whole[0], &[&before], &[&plan]);
            for reading in found {
                assert_eq!(outside(&reading, &[&before, &plan], &[&plan]), untouched, "{place:?} {:?}", plan.window);
            }
            assert_eq!(reading(place, &store.state(), TABLE), whole[1]);
            let told = manifest(&store.state(), &plan.id).unwrap();
            let told = told.table(TABLE).unwrap();
            assert_eq!(told.files.len(), whole[1].len());
            assert_eq!(told.rows, 10 * whole[1].len() as u64);
            assert_eq!(told.carried_from.as_ref(), Some(&before.id));
            assert!(told.files.iter().any(|file| file.partition.as_deref() == Some(NULL)), "no rows without a date");
        }
    }
}

#[test]
fn a_run_over_other_dates_repairs_what_one_has_left_that_died() {
    let mut cases = 0;
    for place in PLACES {
        for killed in windows() {
            let before = history();
            let next = dated(young(2, &[]), &["2020-01-06"], Some(("2020-01-05", "2020-01-06")));
            let state = after(place, &[&before]);
            for steps in 0.. {
                let store = Store::new(state.clone());
                let complete = Process::new(publish(store.of_another_process(), place, &killed)).steps(steps) < steps;
                let ends = run(publish(store.of_another_process(), place, &next));
                assert_eq!(ends[TABLE], End::Published, "{place:?} {:?} killed after {steps}", killed.window);
                let whole = [
                    expected(&[&before]),
                    expected(&[&before, &killed]),
                    expected(&[&before, &next]),
                    expected(&[&before, &killed, &next]),
                ];
                let found = readings(place, &store.log(), TABLE);
                assert_eq!(faulty_reading(place, &found, &whole), None, "{place:?} killed after {steps}");
                let now = reading(place, &store.state(), TABLE);
                assert!(whole[2..].contains(&now), "{place:?} {:?} killed after {steps}: {now:?}", killed.window);
                assert!(!complete || now == whole[3]);
                collect_later(&store, place, 1);
                assert_eq!(left_over(place, &store.state()), Vec::<String>::new());
                assert_eq!(reading(place, &store.state(), TABLE), now);
                cases += 1;
                if complete {
                    break;
                }
            }
        }
    }
    println!("{cases} kills of a run over some dates");
}
