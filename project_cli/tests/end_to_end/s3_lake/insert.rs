//! Results of Athena, and files in S3, go back into Postgres.

use super::{Aws, BUCKET, CATALOG, LAKE, ROLE};
use crate::program::Program;
use crate::shop::{tiny_shop, value};
use anyhow::{Context, Result};
use project_test_servers::postgres::{Database, Postgres};

/// The binary that is led to the stand-in and knows the database to write to.
fn with_target(aws: &Aws, database: &Database<'_>) -> Result<Program> {
    let target = [("TARGET_DATABASE_URL".to_owned(), database.uri())];
    Ok(Program::new()?.with_environment(aws.server()?.environment()).with_environment(target))
}

#[test]
fn an_object_and_a_prefix_go_into_a_table() -> Result<()> {
    let aws = Aws::turn()?;
    let target = Database::create(Postgres::shared()?)?;
    target.execute("CREATE TABLE t (id int PRIMARY KEY, name text)")?;
    let program = with_target(&aws, &target)?;
    aws.server()?.put_object(BUCKET, "in/a.csv", b"id,name\n1,a\n")?;
    aws.server()?.put_object(BUCKET, "in/b.csv", b"id,name\n2,b\n")?;
    for (place, rows) in [("s3://lake/in/a.csv", "1"), ("s3://lake/in", "2")] {
        program.run(&["--file", place, "--into=public.t", "--s3-path-style", "--scratch=scratch"])?.expect(0)?;
        assert_eq!(value(&target, "SELECT count(*) FROM t")?, rows);
        program.check_scratch_is_empty()?;
    }
    let missing = ["--file=s3://lake/nothing.csv", "--into=public.t", "--s3-path-style"];
    program.run(&missing)?.expect(78)?.says(&["s3://lake/nothing.csv"])?;
    Ok(())
}

#[test]
fn the_answer_of_athena_goes_into_a_table() -> Result<()> {
    let shop = tiny_shop()?;
    shop.execute("UPDATE users SET name = '' WHERE id = 1; UPDATE users SET email = 'a\"b,c' WHERE id = 2")?;
    let aws = Aws::turn()?;
    aws.publish(&shop.uri(), "users", &[ROLE])?.expect(0)?;
    let target = Database::create(Postgres::shared()?)?;
    target.execute("CREATE TABLE people (id bigint PRIMARY KEY, name text, email text, created_at timestamp)")?;
    let program = with_target(&aws, &target)?;
    let more =
        [LAKE, "--athena-output=s3://lake/answers", "--into=public.people", "--scratch=scratch", "--format=json"];
    let run = |sql: &str| program.run(&[&["--file", sql], &more[..], &CATALOG[..2]].concat());
    let ended = run("query:SELECT id, name, email, created_at FROM users")?.expect(0)?;
    let step = ended.report()?["steps"][0]["insertion"]["inserted"].as_u64().context("figures")?;
    assert_eq!(step, 3);
    let rows = "SELECT id, name, email, created_at FROM people ORDER BY id";
    let expected =
        shop.query_text("SELECT id, name, email, date_trunc('milliseconds', created_at) FROM users ORDER BY id")?;
    assert_eq!(target.query_text(rows)?, expected);
    run("query:SELECT name AS id FROM users WHERE id = 2")?.expect(65)?.says(&["column \"id\""])?;
    run("query:SELECT nmae FROM users")?.expect(65)?;
    program.check_scratch_is_empty()
}
