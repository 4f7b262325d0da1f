//! Who is about to show a run, and who is about to remove one.
//!
//! Each says so first, by an object of its own, and then looks whether the other has: so of two at the same time one at
//! least sees the other and leaves the run alone. Whoever dies leaves a claim, which loses its force after a while.

use crate::lake::{Created, Objects};
use crate::run_id::RunId;
use crate::runs::RUNS_FOLDER;
use anyhow::{Result, bail};
use chrono::{DateTime, TimeDelta, Utc};

/// Longer than it takes to show the tables of a run or to remove its files.
const FORCE: TimeDelta = TimeDelta::hours(1);

/// What somebody is about to do with a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Readers are going to see it.
    Show,
    /// Readers saw it until now, and some of them still read it.
    Leave,
    /// Its files go.
    Remove,
}

/// `_runs/claims/<id>.<purpose>.<run>`: nothing has to be read but the list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    made: RunId,
    purpose: Purpose,
    run: String,
}

/// The claims of a lake.
#[derive(Debug)]
pub(crate) struct Claims<'a, O>(&'a O);

impl<'a, O: Objects> Claims<'a, O> {
    pub(crate) fn of(objects: &'a O) -> Self {
        Self(objects)
    }

    pub(crate) async fn make(&self, purpose: Purpose, run: &str) -> Result<Claim> {
        let claim = Claim { made: RunId::now(), purpose, run: run.to_owned() };
        match self.0.create(&claim.key(), Vec::new()).await? {
            Created::Done => Ok(claim),
            Created::Exists => bail!("{} is there already; run it again", claim.key()),
        }
    }

    pub(crate) async fn withdraw(&self, claims: &[Claim]) -> Result<()> {
        let keys: Vec<String> = claims.iter().map(Claim::key).collect();
        if keys.is_empty() { Ok(()) } else { self.0.delete(&keys).await }
    }

    pub(crate) async fn all(&self) -> Result<Vec<Claim>> {
        let keys = self.0.list(&folder()).await?;
        Ok(keys.iter().filter_map(|key| Claim::of_key(key)).collect())
    }

    /// Whether somebody is removing a run at this moment.
    pub(crate) async fn is_removed(&self, run: &str) -> Result<bool> {
        let now = Utc::now();
        let removes = |claim: &Claim| claim.purpose == Purpose::Remove && claim.run == run;
        Ok(self.all().await?.iter().any(|claim| removes(claim) && claim.holds(now, TimeDelta::zero())))
    }
}

impl Claim {
    /// Whether it has its force still; readers get the grace.
    pub(crate) fn holds(&self, now: DateTime<Utc>, grace: TimeDelta) -> bool {
        now - self.made.began() <= grace.max(FORCE)
    }

    /// The run that must stay because of it.
    pub(crate) fn protected(&self) -> Option<&str> {
        (self.purpose != Purpose::Remove).then_some(&self.run)
    }

    fn key(&self) -> String {
        format!("{}/{}.{}.{}", folder(), self.made, self.purpose.name(), self.run)
    }

    pub(crate) fn of_key(key: &str) -> Option<Self> {
        let mut parts = key.strip_prefix(&folder())?.strip_prefix('/')?.splitn(3, '.');
        let (made, purpose, run) = (parts.next()?, parts.next()?, parts.next()?);
        let purpose = Purpose::ALL.into_iter().find(|one| one.name() == purpose)?;
        Some(Self { made: RunId::parse(made)?, purpose, run: run.to_owned() })
    }
}

impl Purpose {
    const ALL: [Self; 3] = [Self::Show, Self::Leave, Self::Remove];

    fn name(self) -> &'static str {
        match self {
            Self::Show => "show",
            Self::Leave => "leave",
            Self::Remove => "remove",
        }
    }
}

fn folder() -> String {
    format!("{RUNS_FOLDER}/claims")
}
