//! Tables of any types with any rows, and what two readers find of them in the lake.
//!
//! Everything is made from one seed, which a failure names: `DIFFERENTIAL_SEED=<seed> cargo test --workspace --test
//! end_to_end -- differential` repeats it. `DIFFERENTIAL_CASES` makes more or fewer tables than `make test`.

mod kind;
pub(crate) mod random;
mod scalar;

use crate::every_value::{ENGINES, Expected, KEY, compare_tables};
use crate::golden::TYPES;
use crate::program::Program;
use anyhow::{Context, Result};
use kind::{Kind, NewTypes, identifier, odd_name};
use project_test_servers::postgres::{Database, Postgres};
use random::Random;
use std::env;

const SEED: u64 = 20_261_121;
const CASES: u64 = 12;

/// A table.
struct Case {
    /// As `--table` wants it.
    selection: String,
    /// All that makes it.
    sql: String,
    /// What the lake must show.
    query: String,
}

#[test]
fn any_rows_of_any_types_are_read_as_postgres_prints_them() -> Result<()> {
    let (seed, cases) = (setting("DIFFERENTIAL_SEED", SEED)?, setting("DIFFERENTIAL_CASES", CASES)?);
    let database = Database::create(Postgres::shared()?)?;
    database.execute(&format!("ALTER DATABASE {} SET TimeZone = 'UTC'; {TYPES}", database.name()))?;
    for (first, flags) in [
        (0, &["--timestamp-unit=millis", "--workers=3"][..]),
        (1, &["--timestamp-unit=micros", "--workers=1", "--memory=32MiB"]),
    ] {
        let made = (first..cases).step_by(2).map(|case| Case::random(seed.wrapping_add(case), case, first == 0));
        let made: Vec<Case> = made.collect();
        check(&database, &made, flags).with_context(|| format!("DIFFERENTIAL_SEED={seed} repeats it"))?;
    }
    Ok(())
}

fn setting(name: &str, default: u64) -> Result<u64> {
    env::var(name).map_or(Ok(default), |value| value.parse().with_context(|| format!("{name}={value}")))
}

fn check(database: &Database<'_>, cases: &[Case], flags: &[&str]) -> Result<()> {
    for case in cases {
        database.execute(&case.sql).with_context(|| case.sql.clone())?;
    }
    let selection = cases.iter().map(|case| case.selection.as_str()).collect::<Vec<_>>().join(",");
    let program = Program::new()?;
    let uri = database.uri();
    let ended = program.run(&[&[uri.as_str(), "--format=json", "--table", &selection], flags].concat())?.expect(0)?;
    let expected =
        ended.published()?.into_iter().zip(cases).map(|(table, case)| Expected { table, query: case.query.clone() });
    let expected: Vec<Expected> = expected.collect();
    assert_eq!(expected.len(), cases.len(), "{ended}");
    for engine in ENGINES {
        compare_tables(database, &program.lake(), engine, &expected)?;
    }
    Ok(())
}

impl Case {
    fn random(seed: u64, number: u64, millis: bool) -> Self {
        let mut random = Random::new(seed);
        let schema = identifier(&format!("s{number} {}", odd_name(&mut random, 0)));
        let table = format!("{schema}.{}", identifier(&odd_name(&mut random, 0)));
        let mut types = NewTypes { schema: schema.clone(), sql: Vec::new() };
        let count = random.below(10) + 1;
        let columns = (0..count).map(|_| {
            let required = random.chance(30);
            (Kind::of_column(&mut random, &mut types, millis), required)
        });
        let columns: Vec<(Kind, bool)> = columns.collect();
        let names = (0..columns.len()).map(|at| identifier(&odd_name(&mut random, at)));
        let names: Vec<String> = names.collect();
        // The key stands anywhere.
        let place = random.below(count + 1) as usize;
        let with_key = |mut parts: Vec<String>, key: String| {
            parts.insert(place, key);
            parts.join(", ")
        };

        let declared = names.iter().zip(&columns).map(|(name, (kind, required))| {
            format!("{name} {}{}", kind.sql_type(), if *required { " NOT NULL" } else { "" })
        });
        let declared = with_key(declared.collect(), format!("{KEY} int NOT NULL"));
        let mut sql = format!("CREATE SCHEMA {schema};\n");
        types.sql.iter().for_each(|statement| sql.extend([statement, ";\n"]));
        sql += &format!("CREATE TABLE {table} ({declared});\n");
        let rows = random.pick(&[0, 1, 20, 60, 60]);
        for row in 0..rows {
            let value = |(kind, required): &(Kind, bool)| {
                if *required { kind.value(&mut random) } else { kind.value_or_null(&mut random) }
            };
            let values = with_key(columns.iter().map(value).collect(), row.to_string());
            sql += &format!("INSERT INTO {table} VALUES ({values});\n");
        }
        let shown = names.iter().zip(&columns).map(|(name, (kind, _))| kind.shown(name));
        let shown = with_key(shown.collect(), KEY.to_owned());
        Self { query: format!("SELECT {shown} FROM {table} ORDER BY {KEY}"), selection: table, sql }
    }
}
