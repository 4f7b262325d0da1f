//! Runs of the program as the checker knows them: what they write, how they publish it, and what came of it.

use crate::reader::{Files, catalog_readings, in_place_readings};
use crate::schedule::run;
use crate::store::{CatalogLake, Store, facts};
use crate::world::State;
use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use project_publish::{
    Candidate, DataFile, Gate, InPlaceLake, Lake, Manifest, Mode, Publication, PublishError, Run, Snapshot, Window,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

/// The moment of the test, for everything that is young.
pub(crate) static STARTED: LazyLock<DateTime<Utc>> = LazyLock::new(Utc::now);

/// How files become visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Catalog,
    InPlace,
}

pub(crate) const PLACES: [Place; 2] = [Place::Catalog, Place::InPlace];

/// A run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) id: String,
    pub(crate) taken_at: DateTime<Utc>,
    pub(crate) window: Option<Window>,
    /// For each table the partition of each of its files.
    pub(crate) tables: Vec<(&'static str, Vec<Option<&'static str>>)>,
}

/// What came of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    Published,
    Overtaken,
    Older,
    Failed(String),
}

pub(crate) type Ends = BTreeMap<&'static str, End>;

/// A run of long ago, with so many files in each table.
pub(crate) fn old(day: u32, tables: &[(&'static str, usize)]) -> Plan {
    let taken_at = format!("2020-01-{day:02}T00:00:00Z").parse().unwrap();
    plan(taken_at, day, tables)
}

/// A run of this minute.
pub(crate) fn young(second: u32, tables: &[(&'static str, usize)]) -> Plan {
    plan(*STARTED - TimeDelta::minutes(1) + TimeDelta::seconds(second.into()), second, tables)
}

fn plan(taken_at: DateTime<Utc>, salt: u32, tables: &[(&'static str, usize)]) -> Plan {
    let id = format!("{}-{salt:04x}", taken_at.format("%Y%m%dT%H%M%S%3fZ"));
    let tables = tables.iter().map(|(table, files)| (*table, vec![None; *files])).collect();
    Plan { id, taken_at, window: None, tables }
}

impl Plan {
    /// The contents of a table's files.
    pub(crate) fn files(&self, table: &str) -> Files {
        let (_, partitions) = self.tables.iter().find(|(name, _)| *name == table).unwrap();
        (0..partitions.len()).map(|number| self.content(table, number)).collect()
    }

    fn content(&self, table: &str, number: usize) -> String {
        format!("{table} {number} of {}", self.id)
    }

    /// A table of one file has one key in place, which is replaced at once. The names of several tell the run, because
    /// they cannot be replaced at once.
    fn key(&self, place: Place, table: &str, partitions: &[Option<&str>], number: usize) -> String {
        let folder = partitions[number].map(|date| format!("dt={date}/")).unwrap_or_default();
        match place {
            Place::Catalog => format!("run={}/{table}/{folder}part-{number:05}.parquet", self.id),
            Place::InPlace if *partitions == [None] => format!("{table}/{folder}part-{number:05}.parquet"),
            Place::InPlace => format!("{table}/{folder}part-{number:05}-{}.parquet", self.id),
        }
    }

    pub(crate) fn data(&self, place: Place, table: &str) -> Vec<DataFile> {
        let (_, partitions) = self.tables.iter().find(|(name, _)| *name == table).unwrap();
        let file = |number: usize| {
            let facts = facts(self.content(table, number).as_bytes());
            DataFile {
                key: self.key(place, table, partitions, number),
                rows: 10,
                bytes: facts.bytes,
                crc32: facts.crc32.unwrap(),
                partition: partitions[number].map(str::to_owned),
            }
        };
        (0..partitions.len()).map(file).collect()
    }

    pub(crate) fn run(&self, place: Place) -> Run {
        let mode = if place == Place::Catalog { Mode::Catalog } else { Mode::Crawler };
        let snapshot = Snapshot { taken_at: self.taken_at, lsn: None, server: None, shared: true };
        Run { run_id: self.id.clone(), tool: "project test".into(), mode, database: None, snapshot }
    }

    pub(crate) fn candidate(&self, place: Place, table: &str) -> Candidate {
        Candidate {
            table: table.to_owned(),
            task: table.to_owned(),
            columns: Vec::new(),
            partition_key: None,
            condition: None,
            window: self.window.clone(),
            files: self.data(place, table),
            gated: false,
        }
    }
}

/// Takes a run from its first upload to its last commit, as the program does.
pub(crate) async fn publish(store: Store, place: Place, plan: &Plan) -> Ends {
    let uploaded = upload(&store, place, plan).await;
    if let Err(error) = uploaded {
        return plan.tables.iter().map(|(table, _)| (*table, end(Err(&error)))).collect();
    }
    match place {
        Place::Catalog => show(&CatalogLake::new(store), place, plan).await,
        Place::InPlace => show(&InPlaceLake::new(store), place, plan).await,
    }
}

/// The files of a run, where nobody sees them yet.
pub(crate) async fn upload(store: &Store, place: Place, plan: &Plan) -> Result<()> {
    for (table, _) in &plan.tables {
        for file in plan.data(place, table) {
            let content = file.crc32.clone().into_bytes();
            match place {
                Place::Catalog => store.upload(&file.key, content).await?,
                Place::InPlace => store.upload_hidden(table, &file.key, content).await?,
            }
        }
    }
    Ok(())
}

/// Its tables, through the protocol.
pub(crate) async fn show<L: Lake>(lake: &L, place: Place, plan: &Plan) -> Ends {
    let mut publication = Publication::begin(lake, plan.run(place), Gate { max_shrink: 100, force: false });
    let mut ends = Ends::new();
    for (table, _) in &plan.tables {
        if let Err(error) = publication.stage(plan.candidate(place, table)).await {
            ends.insert(table, end(Err(&error)));
        }
    }
    let sealed = publication.seal().await;
    for (table, _) in &plan.tables {
        if !ends.contains_key(table) {
            let outcome = match &sealed {
                Ok(()) => end(publication.commit(table).await.as_ref().map(|_| ())),
                Err(error) => end(Err(error)),
            };
            ends.insert(table, outcome);
        }
    }
    ends
}

fn end(outcome: Result<(), &anyhow::Error>) -> End {
    let Err(error) = outcome else { return End::Published };
    match error.downcast_ref() {
        Some(PublishError::Overtaken { .. }) => End::Overtaken,
        Some(PublishError::Older { .. }) => End::Older,
        _ => End::Failed(format!("{error:#}")),
    }
}

/// The store after these runs, one after the other, all of them long ago.
pub(crate) fn after(place: Place, plans: &[&Plan]) -> State {
    let store = Store::new(State::default());
    for plan in plans {
        let ends = run(publish(store.of_another_process(), place, plan));
        assert!(ends.values().all(|end| *end == End::Published), "{ends:?}");
    }
    let mut state = store.state();
    state.objects.retain(|key, _| !key.starts_with("_runs/claims/"));
    for plan in plans {
        let manifest = state.objects.get_mut(manifest_key(&plan.id).as_str()).unwrap();
        let mut told: Manifest = serde_json::from_slice(&manifest.content).unwrap();
        told.written_at = told.run.snapshot.taken_at;
        manifest.content = Arc::new(serde_json::to_vec(&told).unwrap());
    }
    state
}

pub(crate) fn manifest_key(run: &str) -> String {
    format!("_runs/{run}.json")
}

/// The manifest of a run, if it has one.
pub(crate) fn manifest(state: &State, run: &str) -> Option<Manifest> {
    state.content(&manifest_key(run)).map(|content| serde_json::from_slice(content).unwrap())
}

/// What readers may have got over these moments.
pub(crate) fn readings(place: Place, log: &[State], table: &str) -> BTreeSet<Files> {
    match place {
        Place::Catalog => catalog_readings(log, table),
        Place::InPlace => in_place_readings(log, table),
    }
}

/// What a reader gets now.
pub(crate) fn reading(place: Place, state: &State, table: &str) -> Files {
    let mut readings = readings(place, std::slice::from_ref(state), table);
    assert_eq!(readings.len(), 1, "{table} has a file that is gone, or several contents at once");
    readings.pop_first().unwrap()
}

/// Whether each reading is one of the whole tables; in place and with several files it may hold more than one of them.
pub(crate) fn faulty_reading(place: Place, readings: &BTreeSet<Files>, whole: &[Files]) -> Option<Files> {
    let one_file_each = whole.iter().all(|files| files.len() <= 1);
    let allowed = |reading: &&Files| match place {
        Place::InPlace if !one_file_each => whole.iter().any(|files| reading.is_superset(files)),
        _ => whole.contains(reading),
    };
    readings.iter().find(|reading| !allowed(reading)).cloned()
}
