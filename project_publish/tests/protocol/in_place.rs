//! What is peculiar to tables whose files are replaced where they are.

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
