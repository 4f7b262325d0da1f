//! From the staging table into the target: one lock, the statements of the mode, and the proof that every row is
//! accounted for.

use crate::column_match::Matched;
use crate::error::{InsertError, InsertErrorKind, counted};
use crate::session::{numbers, run};
use crate::staging::{list, rows};
use crate::target_table::{TargetColumn, TargetTable, look_up};
use crate::{Inserted, Insertion, Mode};
use project_postgres::{TargetConnection, quote_identifier};

/// What all statements know.
struct Application<'a> {
    connection: &'a TargetConnection,
    table: &'a TargetTable,
    matched: &'a Matched,
    insertion: &'a Insertion,
    rows_read: u64,
    /// What stands after FROM for the rows of the input.
    rows: String,
    doing: String,
}

/// How the rows of both tables relate before anything is changed.
struct Comparison {
    /// Rows of the target.
    target: u64,
    /// Rows of the file whose key is in the target.
    found: u64,
    /// Of those, the ones that are not the same to the last bit.
    differing: u64,
}

/// Applies all rows; the caller commits.
pub(crate) async fn apply(
    connection: &TargetConnection,
    table: &TargetTable,
    matched: &Matched,
    insertion: &Insertion,
    rows_read: u64,
) -> Result<Inserted, InsertError> {
    let doing = format!("cannot {} into {}", insertion.mode, table.name);
    let rows = rows(matched);
    let application = Application { connection, table, matched, insertion, rows_read, rows, doing };
    application.lock().await?;
    let mut done = match (insertion.mode, matched.key.is_empty()) {
        (Mode::Replace, true) => application.replace_all().await?,
        (mode, _) => application.merge(mode).await?,
    };
    done.rows_read = rows_read;
    application.prove(&done).await?;
    done.notes.extend(application.note_on_the_index());
    done.notes.extend(application.note_on_triggers().await?);
    Ok(done)
}

impl Application<'_> {
    /// Readers go on; whoever writes waits, another run of this kind as well.
    async fn lock(&self) -> Result<(), InsertError> {
        let sql = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", self.table.name.quoted());
        self.run(&sql).await?;
        if look_up(self.connection, &self.table.name).await? == *self.table {
            return Ok(());
        }
        let message = format!("{}: the table was altered while the rows were copied; run it again", self.doing);
        Err(InsertError::new(InsertErrorKind::Temporary, message))
    }

    async fn merge(&self, mode: Mode) -> Result<Inserted, InsertError> {
        if !self.matched.key_is_unique {
            self.check_target_keys().await?;
        }
        let Comparison { target, found, differing } = self.compare().await?;
        let mut done = Inserted::default();
        if mode == Mode::Replace {
            self.check_shrinking(target, target - found)?;
            done.deleted = self.run(&self.delete_missing()).await?;
        }
        if mode == Mode::Insert {
            (done.unchanged, done.differing) = (found, differing);
        } else {
            done.unchanged = found - differing;
            done.updated = if differing > 0 { self.run(&self.update_differing()).await? } else { 0 };
        }
        if found < self.rows_read {
            done.inserted = self.run(&self.insert_new()).await?;
        }
        Ok(done)
    }

    /// DELETE and not TRUNCATE, which would block readers and make the table empty for those with an older snapshot.
    async fn replace_all(&self) -> Result<Inserted, InsertError> {
        let target = self.count_target().await?;
        if target == self.rows_read && self.is_the_same().await? {
            return Ok(Inserted { unchanged: self.rows_read, ..Inserted::default() });
        }
        self.check_shrinking(target, target.saturating_sub(self.rows_read))?;
        let name = self.table.name.quoted();
        let columns = list(&self.matched.columns);
        let deleted = self.run(&format!("DELETE FROM {name}")).await?;
        let inserted =
            self.run(&format!("INSERT INTO {name} ({columns}) SELECT {columns} FROM {} AS s", self.rows)).await?;
        Ok(Inserted { inserted, deleted, ..Inserted::default() })
    }

    /// Both hold the same rows as often, by the text of each.
    async fn is_the_same(&self) -> Result<bool, InsertError> {
        Ok(self.numbers(&self.count_others("LIMIT 1")).await? == [0])
    }

    /// Counts the rows of the target that are not in the input, or not as often.
    fn count_others(&self, limit: &str) -> String {
        let columns = list(&self.matched.columns);
        let rows =
            |table: &str| format!("SELECT ROW({columns})::pg_catalog.text COLLATE pg_catalog.\"C\" FROM {table}");
        format!(
            "SELECT pg_catalog.count(*) FROM (({} EXCEPT ALL {}) {limit}) AS other",
            rows(&self.table.name.quoted()),
            rows(&format!("{} AS s", self.rows))
        )
    }

    /// Rows of the input that the target does not hold like this.
    async fn count_differing(&self) -> Result<u64, InsertError> {
        if self.matched.key.is_empty() {
            return Ok(self.numbers(&self.count_others("")).await?.first().copied().unwrap_or_default());
        }
        let Comparison { found, differing, .. } = self.compare().await?;
        Ok(self.rows_read - found + differing)
    }

    /// What a lost or cut file must not do.
    fn check_shrinking(&self, target: u64, lost: u64) -> Result<(), InsertError> {
        let Insertion { max_shrink, force, .. } = self.insertion;
        let too_many = u128::from(lost) * 100 > u128::from(target) * u128::from(*max_shrink);
        if *force || target == 0 || !(self.rows_read == 0 || too_many) {
            return Ok(());
        }
        let table = &self.table.name;
        let what = match self.rows_read {
            0 => format!("the input has no rows, and {table} would be empty"),
            _ => {
                format!("{lost} of the {target} rows of {table} would go, more than --max-shrink={max_shrink} per cent")
            }
        };
        Err(InsertError::data(format!(
            "{what}; nothing was written; look at the input, or take --force if that is meant"
        )))
    }

    async fn check_target_keys(&self) -> Result<(), InsertError> {
        let key = list(&self.matched.key);
        let nulls: Vec<String> =
            self.matched.key.iter().map(|column| format!("{} IS NOT NULL", quote_identifier(&column.name))).collect();
        let sql = format!(
            "SELECT pg_catalog.count(*) FROM
             (SELECT FROM {} WHERE {} GROUP BY {key} HAVING pg_catalog.count(*) > 1) AS keys",
            self.table.name.quoted(),
            nulls.join(" AND ")
        );
        match self.numbers(&sql).await?.first() {
            Some(0) | None => Ok(()),
            Some(keys) => Err(InsertError::data(format!(
                "{} has {} ({key}) more than once, so nobody can say which row is meant; nothing was written; \
                 name more columns with --key",
                self.table.name,
                counted(*keys, "key")
            ))),
        }
    }

    async fn compare(&self) -> Result<Comparison, InsertError> {
        let target = self.count_target().await?;
        if target == 0 {
            return Ok(Comparison { target, found: 0, differing: 0 });
        }
        let sql = format!(
            "SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE {}) FROM {} AS s JOIN {} AS t ON {}",
            self.differ(),
            self.rows,
            self.table.name.quoted(),
            self.same_key()
        );
        match self.numbers(&sql).await?[..] {
            [found, differing] if found <= self.rows_read && found <= target => {
                Ok(Comparison { target, found, differing })
            }
            _ => Err(InsertError::data(format!("{}: the key finds more rows than there are", self.doing))),
        }
    }

    async fn count_target(&self) -> Result<u64, InsertError> {
        let sql = format!("SELECT pg_catalog.count(*) FROM {}", self.table.name.quoted());
        Ok(self.numbers(&sql).await?.first().copied().unwrap_or_default())
    }

    fn insert_new(&self) -> String {
        let columns = list(&self.matched.columns);
        let name = self.table.name.quoted();
        format!(
            "INSERT INTO {name} ({columns}) SELECT {columns} FROM {} AS s
             WHERE NOT EXISTS (SELECT FROM {name} AS t WHERE {})",
            self.rows,
            self.same_key()
        )
    }

    /// Only rows that differ: a rerun fires no trigger and leaves no dead row.
    fn update_differing(&self) -> String {
        let set = self.matched.columns.iter().map(|column| {
            let name = quote_identifier(&column.name);
            format!("{name} = s.{name}")
        });
        format!(
            "UPDATE {} AS t SET {} FROM {} AS s WHERE {} AND {}",
            self.table.name.quoted(),
            set.collect::<Vec<_>>().join(", "),
            self.rows,
            self.same_key(),
            self.differ()
        )
    }

    fn delete_missing(&self) -> String {
        let name = self.table.name.quoted();
        format!("DELETE FROM {name} AS t WHERE NOT EXISTS (SELECT FROM {} AS s WHERE {})", self.rows, self.same_key())
    }

    /// By the operator of each type's own indexes, so that an index can help and citext is citext.
    fn same_key(&self) -> String {
        let equal = self.matched.key.iter().map(|column| {
            let name = quote_identifier(&column.name);
            format!("t.{name} OPERATOR({}) s.{name}", column.equality)
        });
        equal.collect::<Vec<_>>().join(" AND ")
    }

    /// To the last bit, for every type: 1.0 and 1.00, 0 and -0, and values of types that know no equality.
    fn differ(&self) -> String {
        let row = |alias: &str| {
            let of = |column: &TargetColumn| format!("{alias}.{}", quote_identifier(&column.name));
            self.matched.columns.iter().map(of).collect::<Vec<_>>().join(", ")
        };
        // Without the casts the operator would be looked up for each column.
        format!("ROW({})::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW({})::pg_catalog.record", row("t"), row("s"))
    }

    /// Every row of the input is accounted for, by what the server says it has done.
    async fn prove(&self, done: &Inserted) -> Result<(), InsertError> {
        let accounted = done.inserted + done.updated + done.unchanged;
        let mut wrong = (accounted != self.rows_read).then(|| {
            format!(
                "the input has {}, of which {} were inserted, {} updated and {} left unchanged",
                counted(self.rows_read, "row"),
                done.inserted,
                done.updated,
                done.unchanged
            )
        });
        if wrong.is_none() && self.insertion.mode == Mode::Replace {
            let target = self.count_target().await?;
            wrong = (target != self.rows_read)
                .then(|| format!("the input has {}, and the table {target}", counted(self.rows_read, "row")));
        }
        match wrong {
            None => Ok(()),
            Some(figures) => Err(InsertError::data(format!(
                "{}: {figures}; a trigger or rule keeps rows away from the table; rolled back",
                self.doing
            ))),
        }
    }

    /// What a BEFORE trigger has made of the rows is its owner's wish, and is told.
    async fn note_on_triggers(&self) -> Result<Option<String>, InsertError> {
        if self.insertion.mode == Mode::Insert || !self.table.may_change_rows {
            return Ok(None);
        }
        let differing = self.count_differing().await?;
        let differ = if differing == 1 { "differs" } else { "differ" };
        Ok((differing > 0).then(|| {
            format!("{} {differ} from the input afterwards: a trigger changes them", counted(differing, "row"))
        }))
    }

    fn note_on_the_index(&self) -> Option<String> {
        let needed = !self.matched.key.is_empty() && !self.matched.key_is_unique;
        needed.then(|| {
            let key = list(&self.matched.key);
            format!(
                "{} has no unique index on the key ({key}), so every run reads the whole table; create one",
                self.table.name
            )
        })
    }

    async fn run(&self, sql: &str) -> Result<u64, InsertError> {
        run(self.connection, sql, &self.doing).await
    }

    async fn numbers(&self, sql: &str) -> Result<Vec<u64>, InsertError> {
        numbers(self.connection, sql, &self.doing).await
    }
}
