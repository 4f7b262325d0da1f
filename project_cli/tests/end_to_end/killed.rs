//! The binary is killed at random moments and its store fails at every operation: whatever happens, readers see the old
//! or the new rows, the next run succeeds, and nothing is left over.
//!
//! The moments come from one seed, which is printed: `KILL_SEED=<seed> cargo test --workspace --test end_to_end --
//! killed` takes the same ones. `KILL_ROUNDS` makes more of them than `make test`; all kinds of lake share them.

#![expect(clippy::print_stdout, reason = "the seed and where the kills landed are for the person who runs the tests")]

mod content;
mod left_over;
mod phase;
mod source;
mod store;
mod store_faults;

use crate::deadline::wait_for;
use crate::differential::random::Random;
use crate::program::{Ended, Running};
use anyhow::{Context, Result, ensure};
use content::{Allowed, Content};
use phase::{Beginning, Phase};
use serde_json::json;
use source::Source;
use std::collections::BTreeMap;
use std::env;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use store::{Kind, Store};

const ROUNDS: u64 = 20;
const PATIENCE: Duration = Duration::from_secs(60);
/// Per cent of the rounds in which the run after the first kill is killed too.
const TWICE: u64 = 20;
/// How much longer every request takes in rounds that are about publishing.
const HELD_BACK: f64 = 0.05;

/// A lake that is published to again and again from a source that changes.
struct Scene {
    store: Store,
    source: Source,
    /// What readers see.
    shown: Content,
}

/// How long a run takes that nobody disturbs.
struct Pace {
    whole: Duration,
    /// From its first claim to its end, with requests held back.
    publishing: Duration,
}

impl Scene {
    /// `small`: tables beside the two that tell most.
    fn open(kind: Kind, small: u32) -> Result<Self> {
        let (store, mut source) = (Store::open(kind)?, Source::new(small)?);
        let shown = source.advance()?;
        let mut scene = Self { store, source, shown };
        scene.run_and_see()?;
        Ok(scene)
    }

    /// A run that nobody disturbs shows exactly what the source has.
    fn run_and_see(&mut self) -> Result<()> {
        self.store.run(&self.source)?.expect(0)?;
        self.see_exactly()
    }

    fn see_exactly(&self) -> Result<()> {
        let seen = self.store.read(&self.source)?;
        ensure!(seen == self.shown, "readers see {seen:?} and not {:?}", self.shown);
        Ok(())
    }

    /// Both ways of reading, whatever the runs after the first version came to.
    fn see_one_of(&self, versions: &[Content]) -> Result<()> {
        let together: &[&str] = if self.store.kind == Kind::Crawler { &["events"] } else { &[] };
        let allowed = Allowed { versions, together };
        self.store.read(&self.source)?.check(allowed)?;
        if self.store.kind == Kind::Crawler {
            self.store.read_objects(&self.source)?.check(allowed).context("in the folders of the tables")?;
        }
        Ok(())
    }

    /// `Some("hold")`: what is asked for is done and the answer takes longer, so that a kill finds the store between two
    /// requests. `Some("slow")`: it is done later, also when nobody waits any more.
    fn hold_back(&self, mode: Option<&str>) -> Result<()> {
        const REQUESTS: [(&str, &str); 7] = [
            ("s3", "PutObject"),
            ("s3", "GetObject"),
            ("s3", "ListObjectsV2"),
            ("s3", "CompleteMultipartUpload"),
            ("s3", "DeleteObjects"),
            ("glue", "UpdateTable"),
            ("glue", "StartCrawler"),
        ];
        let (true, Some(mode)) = (self.store.kind != Kind::Folder, mode) else { return self.store.serve_normally() };
        let faults = REQUESTS.map(|(service, operation)| {
            json!({"service": service, "operation": operation, "mode": mode, "seconds": HELD_BACK, "times": -1})
        });
        self.store.inject(&json!(faults))
    }

    fn pace(&mut self) -> Result<Pace> {
        self.shown = self.source.advance()?;
        let start = Instant::now();
        self.store.run(&self.source)?.expect(0)?;
        let whole = start.elapsed();
        self.shown = self.source.advance()?;
        self.hold_back(Some("hold"))?;
        let mut running = self.store.start(&self.source)?;
        self.wait_for_a_claim(&mut running)?;
        let start = Instant::now();
        running.wait(PATIENCE)?.expect(0)?;
        let publishing = start.elapsed();
        self.hold_back(None)?;
        Ok(Pace { whole, publishing })
    }

    /// Until a run has begun to publish.
    fn wait_for_a_claim(&self, running: &mut Running) -> Result<()> {
        let before = self.store.claims()?.len();
        wait_for("a run that publishes", PATIENCE, || {
            Ok((self.store.claims()?.len() > before || !running.is_running()?).then_some(()))
        })
    }

    /// Kills a run and sometimes the next one too, looks, runs it again, looks.
    fn round(&mut self, is_publishing: bool, pace: &Pace, random: &mut Random) -> Result<Vec<Phase>> {
        let (mut versions, mut phases) = (vec![self.shown.clone()], Vec::new());
        let kills = if random.chance(TWICE) { 2 } else { 1 };
        for _ in 0..kills {
            versions.push(self.source.advance()?);
            phases.push(self.kill_and_see(&versions, is_publishing, pace, random)?);
            self.source.wait_until_no_session_is_left()?;
        }
        self.shown = versions.pop().context("a version")?;
        self.run_and_see().with_context(|| format!("the run after {phases:?}"))?;
        Ok(phases)
    }

    fn kill_and_see(
        &self,
        versions: &[Content],
        is_publishing: bool,
        pace: &Pace,
        random: &mut Random,
    ) -> Result<Phase> {
        let beginning = Beginning::of(&self.store)?;
        let mode = if random.chance(75) { "hold" } else { "slow" };
        self.hold_back(is_publishing.then_some(mode))?;
        let ended = self.kill(is_publishing, pace, random)?;
        // At once: requests of the dead run may still be under way.
        self.see_one_of(versions).with_context(|| format!("at once; {ended}"))?;
        self.hold_back(None)?;
        self.store.settle()?;
        let phase = if ended.code.is_some() { Phase::Ended } else { beginning.phase(&self.store)? };
        self.see_one_of(versions).with_context(|| format!("killed {phase}; {ended}"))?;
        if ended.code.is_some() {
            ended.expect(0)?;
        }
        Ok(phase)
    }

    fn kill(&self, is_publishing: bool, pace: &Pace, random: &mut Random) -> Result<Ended> {
        // After the last commit nothing can be torn any more.
        let longest = if is_publishing { pace.publishing * 3 / 4 } else { pace.whole };
        let moment = Duration::from_micros(random.below(longest.as_micros() as u64));
        let start = Instant::now();
        let mut running = self.store.start(&self.source)?;
        if is_publishing {
            self.wait_for_a_claim(&mut running)?;
            sleep(moment);
        } else {
            sleep(moment.saturating_sub(start.elapsed()));
        }
        running.kill()
    }
}

/// One third of the rounds: a quarter of them anywhere in a run, the others while it publishes.
fn killed_again_and_again(kind: Kind, small: u32, share: u64) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64;
    let seed = setting("KILL_SEED", now)?;
    let rounds = (setting("KILL_ROUNDS", ROUNDS)? + share) / 3;
    println!("{kind:?}: {rounds} rounds, KILL_SEED={seed}");
    let again = || format!("KILL_SEED={seed} repeats the moments");
    let mut random = Random::new(seed.wrapping_add(share));
    let mut scene = Scene::open(kind, small)?;
    let pace = scene.pace().with_context(again)?;
    let mut landed: BTreeMap<Phase, u32> = BTreeMap::new();
    for round in 0..rounds {
        let phases = scene.round(round % 4 > 0, &pace, &mut random);
        for phase in phases.with_context(|| format!("{kind:?}, round {round}; {}", again()))? {
            *landed.entry(phase).or_default() += 1;
        }
    }
    for (phase, count) in &landed {
        println!("{kind:?}: {count} killed {phase}");
    }
    let publishing = [Phase::Manifest, Phase::Commit, Phase::CleanUp];
    ensure!(
        publishing.iter().any(|phase| landed.contains_key(phase)),
        "none was killed while it published; {}",
        again()
    );
    scene.store.check_nothing_is_left_over().with_context(again)?;
    scene.store.program.check_scratch_is_empty().with_context(again)?;
    scene.see_exactly()
}

fn setting(name: &str, default: u64) -> Result<u64> {
    env::var(name).map_or(Ok(default), |value| value.parse().with_context(|| format!("{name}={value}")))
}

#[test]
fn a_folder_shows_old_or_new_after_a_kill_at_any_moment() -> Result<()> {
    // Nothing holds a folder back, so more tables make its publishing longer.
    killed_again_and_again(Kind::Folder, 12, 0)
}

#[test]
fn the_tables_of_a_catalog_show_old_or_new_after_a_kill_at_any_moment() -> Result<()> {
    killed_again_and_again(Kind::Catalog, 0, 1)
}

#[test]
fn the_tables_of_a_crawler_show_all_of_the_old_or_of_the_new_after_a_kill_at_any_moment() -> Result<()> {
    killed_again_and_again(Kind::Crawler, 0, 2)
}
