//! A way to the server that breaks at a random byte: of one connection, or of every one.

use super::long_tables::{ROWS, create};
use crate::lake_folder::{links, runs};
use crate::program::{Ended, Program};
use anyhow::{Context, Result, ensure};
use project_test_servers::dropping_proxy::{Break, DroppingProxy, Manner};
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(60);
/// As long as rounds are begun.
const BUDGET: Duration = Duration::from_secs(20);
const FEWEST_ROUNDS: u64 = 12;
/// About what the answers on the busiest connection are.
const MOST_BYTES: u64 = 2_000_000;

/// Read by Diesel, through a cursor of sqlx, and by COPY.
const TABLES: [&str; 3] = ["users", "products", "public_wide"];

/// One number after the other from a seed (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// Breaks one connection of the first seven, or every connection, each at another byte.
fn plan(mut random: Random) -> impl Fn(u32) -> Option<Break> + Send + Sync {
    let only = (random.below(2) == 0).then(|| 1 + random.below(7) as u32);
    let seed = random.below(u64::MAX);
    move |number| {
        // A quarter of them early, where one connection still has little to say.
        let mut random = Random(seed.wrapping_add(u64::from(number)));
        let most = if random.below(4) == 0 { 20_000 } else { MOST_BYTES };
        let after = random.below(most);
        only.is_none_or(|only| only == number).then_some(Break { after, how: Manner::Closed })
    }
}

/// Every table is whole or not there, as the report says, and nobody took a broken stream for a short table.
fn check(program: &Program, ended: &Ended) -> Result<bool> {
    ensure!(matches!(ended.code, Some(0 | 69 | 75)), "an exit code that was not foreseen: {ended}");
    let published = if ended.stdout.is_empty() { Vec::new() } else { ended.published()? };
    let visible: Vec<String> = links(&program.lake()).unwrap_or_default().into_keys().collect();
    for table in TABLES {
        let told = published.iter().any(|name| name == table);
        ensure!(
            visible.iter().any(|name| name == table) == told,
            "{table} is visible and not told, or told only: {ended}"
        );
        if told {
            let answer = program.query(&format!("SELECT count(*), count(DISTINCT id) FROM {table}"))?;
            ensure!(answer.lines().last() == Some(&format!("{ROWS},{ROWS}")), "{table} is short: {answer}{ended}");
        }
    }
    if published.is_empty() {
        ensure!(runs(&program.lake()).unwrap_or_default().is_empty(), "files were left: {ended}");
    }
    let whole = published.len() == TABLES.len();
    ensure!(whole == (ended.code == Some(0)), "{ended}");
    Ok(whole)
}

#[test]
fn a_broken_stream_is_never_taken_for_the_end_of_the_data() -> Result<()> {
    let database = create()?;
    let first_seed = RandomState::new().hash_one(0u8);
    let (start, mut rounds, mut whole, mut cut) = (Instant::now(), 0, 0, 0);
    while rounds < FEWEST_ROUNDS || start.elapsed() < BUDGET {
        let seed = first_seed.wrapping_add(rounds);
        let proxy = DroppingProxy::breaking(database.server().port(), plan(Random(seed)))?;
        let uri = format!("postgres://postgres@127.0.0.1:{}/{}", proxy.port(), database.name());
        let program = Program::new()?;
        let retries = ["--attempts=2", "--retry-delay=0", "--workers=2"];
        let tables = "--table=users,products,public.wide";
        let ended =
            program.start(&[&[uri.as_str(), tables, "--format=json"], &retries[..]].concat())?.wait(DEADLINE)?;
        whole += u64::from(check(&program, &ended).with_context(|| format!("the seed {seed}"))?);
        cut += proxy.cut();
        rounds += 1;
    }
    let seen = format!("{rounds} rounds from the seed {first_seed}, {whole} of them whole, {cut} connections cut");
    ensure!(cut > 0 && whole > 0 && whole < rounds, "{seen}");
    Ok(())
}
