//! Arrays, enums, domains, composites, and types that nobody has heard of.

use super::source::Source;
use crate::deadline::wait_for;
use anyhow::{Result, ensure};
use serde_json::Value;
use std::time::Duration;

#[test]
fn n22_an_array_is_never_flattened_and_null_is_never_empty() -> Result<()> {
    let source = Source::new(
        "CREATE TABLE plain (id int, list int[], notes text[]);
         INSERT INTO plain VALUES (1, NULL, NULL), (2, '{}', '{}'), (3, '{NULL}', '{NULL}'), (4, '{1,2}', '{\"\",NULL}');
         CREATE TABLE shaped (id int, list int[], notes text[]);
         INSERT INTO shaped VALUES (1, '{{1,2},{3,NULL}}', '{{a},{b}}'), (2, '[0:1]={7,8}', '[5:5]={NULL}'), (3, '{9}', '{}'),
             (4, '{{{1}}}', NULL), (5, '[2:2][3:3]={{5}}', NULL)",
    )?;
    source.run("public.plain", &[])?.expect(0)?;
    let read = source.read("public_plain")?;
    assert_eq!(read.column("list")?, ["NULL", "{}", "{NULL}", "{1,2}"]);
    assert_eq!(read.column("notes")?, ["NULL", "{}", "{NULL}", "{\"\",NULL}"]);
    // Here NULL and the word differ.
    let counts = "SELECT count(list) AS lists, count(cardinality(list)) AS n, sum(cardinality(list)) AS elements FROM public_plain";
    assert_eq!(source.program.query(counts)?, "lists,n,elements\n3,3,3\n");

    let refused = source.run("public.shaped", &[])?.expect(65)?;
    refused.says(&[
        "column \"list\" (integer[])",
        "row 1",
        "several dimensions",
        "--arrays=flatten",
        "--arrays=string",
    ])?;
    let ended = source.run("public.shaped", &["--arrays=flatten"])?.expect(0)?;
    let ended = ended.says(&[
        "column \"list\": 4 values were arrays of several dimensions or with other subscripts, now plain lists",
    ])?;
    assert_eq!(ended.report()?["tasks"][0]["changes"][1]["values"], 2);
    let read = source.read("public_shaped")?;
    assert_eq!(read.column("list")?, ["{1,2,3,NULL}", "{7,8}", "{9}", "{1}", "{5}"]);
    assert_eq!(read.column("notes")?, ["{a,b}", "{NULL}", "{}", "NULL", "NULL"]);
    source.run("public.shaped", &["--arrays=string"])?.expect(0)?;
    let read = source.read("public_shaped")?;
    assert_eq!(read.types(), "list varchar, notes varchar");
    for column in ["list", "notes"] {
        assert_eq!(read.column(column)?, source.printed("shaped", column)?, "{column}");
    }
    Ok(())
}

#[test]
fn n22_an_array_inside_a_composite_obeys_the_policy_too() -> Result<()> {
    let source = Source::new(
        "CREATE TYPE grid AS (n int, cells int[]);
         CREATE TABLE t (id int, grid grid, grids grid[]);
         INSERT INTO t VALUES (1, ROW(1, '{{1,2},{3,4}}'), ARRAY[ROW(2, '{5}')]::grid[]),
             (2, ROW(2, '{6}'), ARRAY[ROW(3, '[0:0]={7}'), NULL]::grid[]), (3, NULL, NULL)",
    )?;
    source.run("public.t", &[])?.expect(65)?.says(&["column \"grid\" (public.grid)", "--arrays=flatten"])?;
    let ended = source.run("public.t", &["--arrays=flatten"])?.expect(0)?;
    ended.says(&["column \"grid\": 1 values were arrays", "column \"grids\": 1 values were arrays"])?;
    let read = source.read("public_t")?;
    assert_eq!(read.column("grid")?, ["(1,\"{1,2,3,4}\")", "(2,{6})", "NULL"]);
    assert_eq!(read.column("grids")?, ["{\"(2,{5})\"}", "{\"(3,{7})\",NULL}", "NULL"]);
    source.run("public.t", &["--arrays=string"])?.expect(0)?;
    let read = source.read("public_t")?;
    assert_eq!(read.types(), "grid row(n integer, cells varchar), grids varchar");
    for column in ["grid", "grids"] {
        assert_eq!(read.column(column)?, source.printed("t", column)?, "{column}");
    }
    Ok(())
}

#[test]
fn n23_a_label_that_an_enum_gets_during_the_run_is_no_obstacle() -> Result<()> {
    let source = Source::new(
        "CREATE TYPE mood AS ENUM ('sad', 'so, \"so\"');
         CREATE TABLE t (id int, mood mood NOT NULL, moods mood[]);
         INSERT INTO t VALUES (1, 'sad', '{sad,NULL}'), (2, 'so, \"so\"', '{}');
         CREATE VIEW gate AS SELECT 1 AS id, pg_sleep(3)::text AS slept",
    )?;
    let running = source.program.start(&[&source.database.uri(), "--table=public.gate,public.t"])?;
    let asleep = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
    wait_for("the run at the gate", Duration::from_secs(30), || Ok(source.database.query_text(asleep)?.pop()))?;
    source
        .database
        .execute("ALTER TYPE mood ADD VALUE 'glad' BEFORE 'sad'; INSERT INTO t VALUES (3, 'glad', '{glad}')")?;
    running.wait(Duration::from_secs(60))?.expect(0)?;
    let read = source.read("public_t")?;
    assert_eq!(read.column("mood")?, ["sad", "so, \"so\""]);
    source.run("public.t", &[])?.expect(0)?;
    let read = source.read("public_t")?;
    assert_eq!(read.types(), "mood varchar, moods array(varchar)");
    assert_eq!(read.column("mood")?, ["sad", "so, \"so\"", "glad"]);
    assert_eq!(read.column("moods")?, ["{sad,NULL}", "{}", "{glad}"]);
    Ok(())
}

#[test]
fn n24_domains_are_what_they_stand_for_and_dropped_attributes_are_gone() -> Result<()> {
    let source = Source::new(
        "CREATE DOMAIN amount AS numeric(12,3) CHECK (value >= 0);
         CREATE DOMAIN fee AS amount;
         CREATE DOMAIN fees AS fee[];
         CREATE TYPE parts AS (a int, gone int, b fee);
         CREATE DOMAIN whole AS parts;
         CREATE TABLE t (id int, fee fee, fees fees, lists fees[], whole whole, wholes whole[]);
         INSERT INTO t VALUES (1, 1.5, '{1.5,NULL}', ARRAY['{1.5}', NULL, '{}']::fees[], ROW(1, 2, 3.5), ARRAY[ROW(1, 2, 3.5)]::whole[]),
             (2, NULL, NULL, NULL, NULL, NULL);
         ALTER TYPE parts DROP ATTRIBUTE gone; ALTER TYPE parts ADD ATTRIBUTE c text;
         INSERT INTO t VALUES (3, 0, '{}', '{}', ROW(4, 5, 'x'), ARRAY[ROW(4, 5, NULL), NULL]::whole[])",
    )?;
    source.run("public.t", &[])?.expect(0)?;
    let read = source.read("public_t")?;
    let (amount, parts) = ("decimal(12,3)", "row(a integer, b decimal(12,3), c varchar)");
    assert_eq!(
        read.types(),
        format!(
            "fee {amount}, fees array({amount}), lists array(array({amount})), whole {parts}, wholes array({parts})"
        )
    );
    for column in ["fee", "fees", "lists", "whole", "wholes"] {
        assert_eq!(read.column(column)?, source.printed("t", column)?, "{column}");
    }
    Ok(())
}

#[test]
fn n25_a_type_that_nobody_has_heard_of_is_text_and_check_says_so() -> Result<()> {
    // A base type that no version of the program can know, and without a binary form.
    let source = Source::new(
        "CREATE TYPE odd;
         CREATE FUNCTION odd_in(cstring) RETURNS odd AS 'textin' LANGUAGE internal IMMUTABLE STRICT;
         CREATE FUNCTION odd_out(odd) RETURNS cstring AS 'textout' LANGUAGE internal IMMUTABLE STRICT;
         CREATE TYPE odd (INPUT = odd_in, OUTPUT = odd_out, LIKE = text);
         CREATE TYPE pair AS (n int, odd odd);
         CREATE TABLE t (id int, odd odd, odds odd[], pair pair, pairs pair[], price money, shape point);
         INSERT INTO t VALUES (1, 'a, \"b\"', '{x,NULL}', (1, 'y'), ARRAY[(1, 'y')]::pair[], -1234.5, '(1,2)'),
             (2, '', '{}', (NULL, NULL), '{}', 0, '(NaN,-0)'), (3, NULL, NULL, NULL, NULL, NULL, NULL)",
    )?;
    source.run("public.t", &[])?.expect(0)?;
    let read = source.read("public_t")?;
    let pair = "row(n integer, odd varchar)";
    let types = format!("odd varchar, odds array(varchar), pair {pair}, pairs varchar, price varchar, shape varchar");
    assert_eq!(read.types(), types);
    for column in ["odd", "odds", "pair", "pairs", "price", "shape"] {
        assert_eq!(read.column(column)?, source.printed("t", column)?, "{column}");
    }
    let checked =
        source.program.run(&["check", &source.database.uri(), "--table=public.t", "--format=json"])?.expect(0)?;
    let checked: Vec<Value> = serde_json::from_str(&checked.stdout)?;
    for column in ["odd", "odds", "pair", "pairs", "price", "shape"] {
        let line =
            checked.iter().find(|line| line["column"] == column).map(|line| line["what is not exact"].to_string());
        ensure!(line.as_ref().is_some_and(|losses| losses.contains("the type is text")), "{column}: {line:?}");
    }
    Ok(())
}
