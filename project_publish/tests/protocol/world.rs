//! What a store holds, and every state that it was ever in.

use std::collections::BTreeMap;
use std::sync::Arc;

/// An object. Cheap to clone, as is everything that the log keeps of every moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) content: Arc<Vec<u8>>,
    pub(crate) version: u64,
}

/// A table of a catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) run: Arc<str>,
    pub(crate) version: u64,
}

/// The store at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) objects: BTreeMap<Arc<str>, Entry>,
    pub(crate) tables: BTreeMap<Arc<str>, Shown>,
}

impl State {
    pub(crate) fn keys<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        let from: Arc<str> = prefix.into();
        self.objects.range(from..).map(|(key, _)| &**key).take_while(move |key| key.starts_with(prefix))
    }

    pub(crate) fn content(&self, key: &str) -> Option<&Arc<Vec<u8>>> {
        self.objects.get(key).map(|entry| &entry.content)
    }
}

/// The store, with all its moments: one before the first mutation, and one after each.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now: State,
    pub(crate) log: Vec<State>,
    versions: u64,
}

impl World {
    pub(crate) fn new(state: State) -> Self {
        let objects = state.objects.values().map(|object| object.version);
        let versions = objects.chain(state.tables.values().map(|table| table.version)).max().unwrap_or_default();
        Self { log: vec![state.clone()], now: state, versions }
    }

    pub(crate) fn put(&mut self, key: &str, content: Vec<u8>) -> u64 {
        let version = self.version();
        self.now.objects.insert(key.into(), Entry { content: Arc::new(content), version });
        self.log.push(self.now.clone());
        version
    }

    pub(crate) fn remove(&mut self, key: &str) {
        if self.now.objects.remove(key).is_some() {
            self.log.push(self.now.clone());
        }
    }

    pub(crate) fn show(&mut self, table: &str, run: &str) {
        let version = self.version();
        self.now.tables.insert(table.into(), Shown { run: run.into(), version });
        self.log.push(self.now.clone());
    }

    fn version(&mut self) -> u64 {
        self.versions += 1;
        self.versions
    }
}
