//! What a reader finds in the tables: of which rounds the rows are, and whether they are all of them.

use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;

/// The number of rows and the sum of their ids, by date.
type Dates = BTreeMap<String, (u64, u64)>;
type Rounds = BTreeMap<u32, Dates>;

/// By table and by the round in which the source had these rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content(BTreeMap<String, Rounds>);

/// What readers may see of tables that are being replaced.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed<'a> {
    /// What was shown before, and what each run since then would have shown.
    pub(super) versions: &'a [Content],
    /// Tables of several files that are replaced in place: rows of several versions, and all of one at least.
    pub(super) together: &'a [&'a str],
}

impl Content {
    /// Rows of table, date, round, count and sum.
    pub(super) fn of_rows<'a>(rows: impl IntoIterator<Item = Vec<&'a str>>) -> Result<Self> {
        let mut content: BTreeMap<String, Rounds> = BTreeMap::new();
        for row in rows {
            let [table, date, round, count, sum] = row.as_slice() else { anyhow::bail!("not five fields: {row:?}") };
            let dates = content.entry((*table).to_owned()).or_default().entry(round.parse()?).or_default();
            dates.insert((*date).to_owned(), (count.parse()?, sum.parse()?));
        }
        Ok(Self(content))
    }

    /// The same, as `project query --format=csv` prints it.
    pub(super) fn of_csv(csv: &str) -> Result<Self> {
        let rows = csv.lines().skip(1).map(|line| line.split(',').map(|field| field.trim_matches('"')).collect());
        Self::of_rows(rows).with_context(|| csv.to_owned())
    }

    /// Fails unless every table is one of the versions.
    pub(super) fn check(&self, allowed: Allowed<'_>) -> Result<()> {
        let tables = allowed.versions.iter().flat_map(|version| version.0.keys());
        for table in tables.chain(self.0.keys()) {
            let of_table = |content: &Self| content.0.get(table).cloned().unwrap_or_default();
            let versions: Vec<Rounds> = allowed.versions.iter().map(of_table).collect();
            let seen = of_table(self);
            let is_together = allowed.together.contains(&table.as_str()) && holds_one(&seen, &versions);
            let is_right = versions.contains(&seen) || is_together;
            ensure!(is_right, "{table} shows {seen:?} and should show one of {versions:?}");
        }
        Ok(())
    }
}

/// All rows of one version, and none of any that is not among them.
fn holds_one(seen: &Rounds, versions: &[Rounds]) -> bool {
    let holds = |whole: &Rounds| whole.iter().all(|(round, dates)| seen.get(round) == Some(dates));
    seen.keys().all(|round| versions.iter().any(|version| version.contains_key(round))) && versions.iter().any(holds)
}

#[cfg(test)]
mod tests {
    use super::{Allowed, Content};

    fn content(rows: &[&str]) -> Content {
        Content::of_rows(rows.iter().map(|row| row.split(' ').collect())).unwrap()
    }

    #[test]
    fn half_a_table_is_never_allowed_and_both_only_where_files_are_replaced_in_place() {
        let versions = [content(&["t a 1 5 9", "t b 1 6 9"]), content(&["t a 2 5 9", "t b 2 6 9"])];
        let check =
            |rows: &[&str], together: &[&str]| content(rows).check(Allowed { versions: &versions, together }).is_ok();
        for whole in [&["t a 1 5 9", "t b 1 6 9"], &["t a 2 5 9", "t b 2 6 9"]] {
            assert!(check(whole, &[]) && check(whole, &["t"]));
        }
        for torn in [&["t a 1 5 9"][..], &["t a 1 5 9", "t b 2 6 9"], &["t a 2 4 9", "t b 2 6 9"], &[]] {
            assert!(!check(torn, &[]) && !check(torn, &["t"]), "{torn:?}");
        }
        let both = ["t a 1 5 9", "t b 1 6 9", "t a 2 5 9"];
        assert!(!check(&both, &[]) && check(&both, &["t"]) && !check(&both, &["u"]));
        assert!(!check(&[&both[..], &["t a 3 1 1"]].concat(), &["t"]));
    }
}
