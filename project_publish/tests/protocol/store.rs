//! A store in memory. Every operation waits once before it happens, so that whoever polls it decides when it does; an
//! operation on several objects is as many steps.

use crate::world::{State, World};
use anyhow::{Result, bail};
use project_publish::{
    Committed, Created, Duplicate, Facts, Lake, Live, Object, Objects, Release, Replaced, Reveal, Run, carried_key,
};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

/// What goes wrong at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing is done.
    Rejected,
    /// It is done, and the answer does not arrive.
    AnswerLost,
}

/// Files with their future keys.
type Uploads = Vec<(String, Vec<u8>)>;

/// The store as one process sees it.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    world: Arc<Mutex<World>>,
    steps: Arc<AtomicUsize>,
    fault: Option<(usize, Fault)>,
    /// Uploads that have no key yet, by table. They end with the process.
    hidden: Arc<Mutex<BTreeMap<String, Uploads>>>,
}

/// Its next poll is the step.
struct Turn(bool);

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        Poll::Pending
    }
}

impl Store {
    pub(crate) fn new(state: State) -> Self {
        let world = Arc::new(Mutex::new(World::new(state)));
        Self { world, steps: Arc::default(), fault: None, hidden: Arc::default() }
    }

    /// The same store for another process.
    pub(crate) fn of_another_process(&self) -> Self {
        Self { world: Arc::clone(&self.world), steps: Arc::default(), fault: None, hidden: Arc::default() }
    }

    /// With a fault at one of the steps of this process.
    pub(crate) fn with_fault(&self, step: usize, fault: Fault) -> Self {
        Self { fault: Some((step, fault)), ..self.of_another_process() }
    }

    pub(crate) fn state(&self) -> State {
        self.world.lock().unwrap().now.clone()
    }

    /// Every state that it was in.
    pub(crate) fn log(&self) -> Vec<State> {
        self.world.lock().unwrap().log.clone()
    }

    /// How many steps this process has done.
    pub(crate) fn steps(&self) -> usize {
        self.steps.load(Ordering::Relaxed)
    }

    /// Uploads a file to its key.
    pub(crate) async fn upload(&self, key: &str, content: Vec<u8>) -> Result<()> {
        self.step(|world| world.put(key, content)).await?;
        Ok(())
    }

    /// Uploads a file that has no key until its table is revealed.
    pub(crate) async fn upload_hidden(&self, table: &str, key: &str, content: Vec<u8>) -> Result<()> {
        self.step(|_| ()).await?;
        self.hidden.lock().unwrap().entry(table.to_owned()).or_default().push((key.to_owned(), content));
        Ok(())
    }

    async fn step<T>(&self, effect: impl FnOnce(&mut World) -> T) -> Result<T> {
        Turn(false).await;
        let step = self.steps.fetch_add(1, Ordering::Relaxed);
        let fault = self.fault.filter(|(at, _)| *at == step).map(|(_, fault)| fault);
        if fault == Some(Fault::Rejected) {
            bail!("the store has refused step {step}");
        }
        let done = effect(&mut self.world.lock().unwrap());
        if fault == Some(Fault::AnswerLost) {
            bail!("the answer to step {step} was lost");
        }
        Ok(done)
    }
}

impl Objects for Store {
    async fn read(&self, key: &str) -> Result<Option<Object>> {
        self.step(|world| {
            let found = world.now.objects.get(key);
            found.map(|found| Object { content: found.content.to_vec(), version: found.version.to_string() })
        })
        .await
    }

    async fn create(&self, key: &str, content: Vec<u8>) -> Result<Created> {
        self.step(|world| match world.now.content(key) {
            Some(found) if **found == content => Created::Done,
            Some(_) => Created::Exists,
            None => {
                world.put(key, content);
                Created::Done
            }
        })
        .await
    }

    async fn replace(&self, key: &str, content: Vec<u8>, expected: Option<&str>) -> Result<Replaced> {
        self.step(|world| {
            let found = world.now.objects.get(key).map(|found| found.version.to_string());
            if found.as_deref() == expected {
                Replaced::Done(world.put(key, content).to_string())
            } else {
                Replaced::Overtaken
            }
        })
        .await
    }

    async fn folders(&self) -> Result<Vec<String>> {
        self.step(|world| {
            let folders = world.now.objects.keys().filter_map(|key| key.split_once('/'));
            let folders: BTreeSet<String> = folders.map(|(folder, _)| folder.to_owned()).collect();
            folders.into_iter().collect()
        })
        .await
    }

    async fn list(&self, folder: &str) -> Result<Vec<String>> {
        self.step(|world| world.now.keys(&format!("{folder}/")).map(str::to_owned).collect()).await
    }

    async fn facts(&self, key: &str) -> Result<Option<Facts>> {
        self.step(|world| world.now.content(key).map(|content| facts(content))).await
    }

    async fn copy(&self, copies: &[Duplicate]) -> Result<()> {
        for Duplicate { file, to } in copies {
            self.step(|world| {
                let Some(content) = world.now.content(&file.key).map(|content| content.to_vec()) else {
                    bail!("{} is gone", file.key)
                };
                world.put(to, content);
                Ok(())
            })
            .await??;
        }
        Ok(())
    }

    async fn delete(&self, keys: &[String]) -> Result<()> {
        for key in keys {
            self.step(|world| world.remove(key)).await?;
        }
        Ok(())
    }
}

impl Reveal for Store {
    async fn reveal(&self, table: &str) -> Result<Duration> {
        let files = self.hidden.lock().unwrap().remove(table).unwrap_or_default();
        for (key, content) in files {
            self.step(|world| world.put(&key, content)).await?;
        }
        Ok(Duration::ZERO)
    }
}

/// A catalog with one pointer for each table, like Glue.
#[derive(Debug)]
pub(crate) struct CatalogLake {
    store: Store,
    /// Without it a commit replaces whatever is there, which is how the checker is checked.
    compares: bool,
}

impl CatalogLake {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, compares: true }
    }

    pub(crate) fn without_comparison(store: Store) -> Self {
        Self { store, compares: false }
    }
}

impl Lake for CatalogLake {
    type Objects = Store;

    fn objects(&self) -> &Store {
        &self.store
    }

    fn carried_key(&self, run_id: &str, table: &str, key: &str) -> String {
        carried_key(run_id, table, key)
    }

    async fn live(&self, table: &str) -> Result<Option<Live>> {
        self.store.step(|world| live(&world.now, table)).await
    }

    async fn live_runs(&self, _: &[Run]) -> Result<BTreeSet<String>> {
        let tables: Vec<String> =
            self.store.step(|world| world.now.tables.keys().map(ToString::to_string).collect()).await?;
        let mut runs = BTreeSet::new();
        for table in tables {
            runs.extend(self.live(&table).await?.and_then(|live| live.run));
        }
        Ok(runs)
    }

    async fn commit(&self, release: Release<'_>, expected: Option<&Live>) -> Result<Committed> {
        self.store
            .step(|world| {
                if self.compares && live(&world.now, &release.table.table).as_ref() != expected {
                    return Committed::Overtaken;
                }
                world.show(&release.table.table, &release.run.run_id);
                Committed::Done(Duration::ZERO)
            })
            .await
    }
}

fn live(state: &State, table: &str) -> Option<Live> {
    let shown = state.tables.get(table)?;
    Some(Live { run: Some(shown.run.to_string()), version: shown.version.to_string() })
}

/// The checksum of a file is its content here.
pub(crate) fn facts(content: &[u8]) -> Facts {
    Facts { bytes: content.len() as u64, crc32: Some(String::from_utf8_lossy(content).into_owned()) }
}
