//! A reader: it looks up which run a table shows, lists the files, and gets each of them. Between any two of these the
//! store may have gone on.
//!
//! Every choice of moments is covered: each pair of a look-up and a later listing, and for every file each content that
//! it has at the listing or later, whatever the order in which files are fetched. Listings that are alike are read once.

use crate::world::State;
use std::collections::{BTreeMap, BTreeSet};

/// The contents of the files that make up a table.
pub(crate) type Files = BTreeSet<String>;

/// All that readers of a table may have got over these moments without an error. No table is no files.
pub(crate) fn catalog_readings(log: &[State], table: &str) -> BTreeSet<Files> {
    let mut found = BTreeSet::new();
    let mut runs: BTreeMap<&str, usize> = BTreeMap::new();
    for (moment, state) in log.iter().enumerate() {
        match state.tables.get(table) {
            Some(shown) => _ = runs.entry(&shown.run).or_insert(moment),
            None => _ = found.insert(Files::new()),
        }
    }
    for (run, looked_up) in runs {
        found.extend(folder_readings(&log[looked_up..], &format!("run={run}/{table}/")));
    }
    found
}

/// The same for readers that know only the folder.
pub(crate) fn in_place_readings(log: &[State], table: &str) -> BTreeSet<Files> {
    folder_readings(log, &format!("{table}/"))
}

fn folder_readings(log: &[State], folder: &str) -> BTreeSet<Files> {
    // The same listing at an earlier moment meets all that it meets later.
    let mut listings: BTreeMap<Vec<&str>, usize> = BTreeMap::new();
    for (moment, state) in log.iter().enumerate() {
        listings.entry(state.keys(folder).collect()).or_insert(moment);
    }
    listings.into_iter().flat_map(|(keys, listed)| readings_of(&log[listed..], &keys)).collect()
}

/// Every combination of contents; a file that is gone is an error, which is no reading.
fn readings_of(log: &[State], keys: &[&str]) -> BTreeSet<Files> {
    let mut readings = BTreeSet::from([Files::new()]);
    for key in keys {
        let contents: BTreeSet<&[u8]> =
            log.iter().filter_map(|state| state.content(key)).map(|content| content.as_slice()).collect();
        let with = |reading: &Files| {
            let reading = reading.clone();
            contents
                .iter()
                .map(move |content| {
                    let mut reading = reading.clone();
                    reading.insert(String::from_utf8_lossy(content).into_owned());
                    reading
                })
                .collect::<Vec<_>>()
        };
        readings = readings.iter().flat_map(with).collect();
    }
    readings
}
