//! Databases that somebody else designed: pgbench and TPC-H.

use crate::independent_reader::{compare, read};
use crate::program::Program;
use anyhow::{Context, Result, ensure};
use project_test_servers::postgres::{Database, Postgres};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A table, and the columns that are added up.
type Sums = (&'static str, &'static [&'static str]);

const PGBENCH: [Sums; 4] = [
    ("pgbench_accounts", &["aid", "bid", "abalance"]),
    ("pgbench_branches", &["bid", "bbalance"]),
    ("pgbench_tellers", &["tid", "bid", "tbalance"]),
    ("pgbench_history", &["tid", "delta"]),
];

const TPC_H: [Sums; 8] = [
    ("region", &["r_regionkey"]),
    ("nation", &["n_nationkey", "n_regionkey"]),
    ("supplier", &["s_suppkey", "s_acctbal"]),
    ("customer", &["c_custkey", "c_acctbal"]),
    ("part", &["p_partkey", "p_retailprice"]),
    ("partsupp", &["ps_availqty", "ps_supplycost"]),
    ("orders", &["o_orderkey", "o_totalprice"]),
    ("lineitem", &["l_extendedprice", "l_discount"]),
];

/// The tables of the standard, section 1.4, as everybody declares them in Postgres.
const TPC_H_SCHEMA: &str = "
CREATE TABLE region (r_regionkey int, r_name char(25), r_comment varchar(152));
CREATE TABLE nation (n_nationkey int, n_name char(25), n_regionkey int, n_comment varchar(152));
CREATE TABLE supplier (s_suppkey int, s_name char(25), s_address varchar(40), s_nationkey int, s_phone char(15),
    s_acctbal numeric(15,2), s_comment varchar(101));
CREATE TABLE customer (c_custkey int, c_name varchar(25), c_address varchar(40), c_nationkey int, c_phone char(15),
    c_acctbal numeric(15,2), c_mktsegment char(10), c_comment varchar(117));
CREATE TABLE part (p_partkey int, p_name varchar(55), p_mfgr char(25), p_brand char(10), p_type varchar(25), p_size int,
    p_container char(10), p_retailprice numeric(15,2), p_comment varchar(23));
CREATE TABLE partsupp (ps_partkey int, ps_suppkey int, ps_availqty int, ps_supplycost numeric(15,2),
    ps_comment varchar(199));
CREATE TABLE orders (o_orderkey int, o_custkey int, o_orderstatus char(1), o_totalprice numeric(15,2), o_orderdate date,
    o_orderpriority char(15), o_clerk char(15), o_shippriority int, o_comment varchar(79));
CREATE TABLE lineitem (l_orderkey int, l_partkey int, l_suppkey int, l_linenumber int, l_quantity numeric(15,2),
    l_extendedprice numeric(15,2), l_discount numeric(15,2), l_tax numeric(15,2), l_returnflag char(1),
    l_linestatus char(1), l_shipdate date, l_commitdate date, l_receiptdate date, l_shipinstruct char(25),
    l_shipmode char(10), l_comment varchar(44));
";

#[test]
fn a_pgbench_database_is_exported_whole() -> Result<()> {
    let database = Database::create(Postgres::shared()?)?;
    let pgbench = database.server().programs().join("pgbench");
    let mut pgbench = Command::new(pgbench);
    pgbench.env_clear().args(["-i", "-s", "10", "--quiet", &database.uri()]);
    succeed(&mut pgbench)?;
    let program = Program::new()?;
    let tables = PGBENCH.map(|(table, _)| format!("public.{table}")).join(",");
    program.publish(&database.uri(), &tables)?.expect(0)?;
    compare_all(&database, &program, &PGBENCH)?;
    // The empty one has its columns all the same.
    for history in read(&program.lake().join("public_pgbench_history"))? {
        let columns: Vec<&str> = history.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!((history.rows, columns), (0, vec!["tid", "bid", "aid", "delta", "mtime", "filler"]));
    }
    Ok(())
}

#[test]
fn tpc_h_is_exported_whole() -> Result<()> {
    let files = TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
    let generator = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/test-venv/bin/tpchgen-cli");
    let mut generator = Command::new(generator);
    generator.args(["csv", "--scale-factor=0.1", "--output-dir"]).arg(files.path());
    succeed(&mut generator)?;
    let database = Database::create(Postgres::shared()?)?;
    database.execute(TPC_H_SCHEMA)?;
    for (table, _) in TPC_H {
        let file = files.path().join(format!("{table}.csv"));
        database.execute(&format!("\\copy {table} FROM '{}' WITH (FORMAT csv, HEADER)", file.display()))?;
    }
    let lines = database.query_text("SELECT count(*) > 600000 FROM lineitem")?;
    ensure!(lines == [[Some("t".to_owned())]], "the generator made too little");

    let program = Program::new()?;
    let ended = program.publish(&database.uri(), "public.*")?.expect(0)?;
    assert_eq!(ended.published()?.len(), TPC_H.len());
    compare_all(&database, &program, &TPC_H)
}

fn compare_all(database: &Database<'_>, program: &Program, tables: &[Sums]) -> Result<()> {
    for (table, columns) in tables {
        let sums: Vec<(&str, &str)> = columns.iter().map(|column| (*column, *column)).collect();
        compare(database, table, &sums, &program.lake().join(format!("public_{table}")))?;
    }
    Ok(())
}

fn succeed(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {complaint}");
    Ok(())
}
