//! What else of the server and of the role can spoil a run.

use crate::program::Program;
use crate::shop::{empty_shop, sample_shop, tiny_shop};
use anyhow::{Result, ensure};
use project_test_servers::postgres::Database;

/// A role of its own on the shared server, gone with the test.
struct Role<'a> {
    database: &'a Database<'a>,
    name: String,
}

impl<'a> Role<'a> {
    /// May read nothing yet.
    fn create(database: &'a Database<'a>) -> Result<Self> {
        let name = format!("reader_of_{}", database.name());
        database.execute(&format!("CREATE ROLE {name} LOGIN"))?;
        Ok(Self { database, name })
    }

    fn uri(&self) -> String {
        format!("postgres://{}@127.0.0.1:{}/{}", self.name, self.database.server().port(), self.database.name())
    }
}

impl Drop for Role<'_> {
    fn drop(&mut self) {
        // The server is thrown away with everything in it.
        let _ = self.database.execute(&format!("DROP OWNED BY {0}; DROP ROLE {0}", self.name));
    }
}

#[test]
fn a_table_whose_rows_are_hidden_from_the_role_is_refused_before_it_is_read() -> Result<()> {
    let database = tiny_shop()?;
    let role = Role::create(&database)?;
    database.execute(&format!(
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {0};
         ALTER TABLE users ENABLE ROW LEVEL SECURITY;
         CREATE POLICY own ON users USING (id = 1);
         ALTER TABLE taxes ENABLE ROW LEVEL SECURITY; ALTER ROLE {0} SET row_security = on",
        role.name
    ))?;
    let (program, says) = (Program::new()?, ["public.users: row security would hide rows", "BYPASSRLS"]);
    program.run(&["check", &role.uri(), "--table=users,products"])?.expect(77)?.says(&says)?;
    let ended = program.publish(&role.uri(), "users,products")?.expect(77)?.says(&says)?;
    assert_eq!(ended.published()?, ["products"]);
    // The owner, and a role that is above all policies, read everything.
    program.run(&["check", &database.uri(), "--table=users"])?.expect(0)?;
    database.execute(&format!("ALTER ROLE {} BYPASSRLS", role.name))?;
    let ended = program.publish(&role.uri(), "users")?.expect(0)?;
    assert_eq!(ended.report()?["tasks"][0]["rows"], 3);
    Ok(())
}

#[test]
fn a_role_that_may_read_some_columns_only_is_refused_or_reads_a_view_of_them() -> Result<()> {
    let database = tiny_shop()?;
    let role = Role::create(&database)?;
    database.execute(&format!(
        "CREATE VIEW buyers AS SELECT id, country, email FROM users;
         GRANT SELECT (id, name, country, created_at, email) ON users TO {0};
         GRANT SELECT ON products TO {0};
         GRANT SELECT (id, country) ON buyers TO {0}",
        role.name
    ))?;
    let program = Program::new()?;
    let whole = "permission denied for public.users as a whole";
    let column = "permission denied for column \"email\" of public.buyers";
    let tables = "users,products,public.buyers";
    program.run(&["check", &role.uri(), "--table", tables])?.expect(77)?.says(&[whole, column])?;
    let ended = program.publish(&role.uri(), tables)?.expect(77)?.says(&[whole, column])?;
    assert_eq!(ended.published()?, ["products"]);
    std::fs::write(program.path("project.toml"), "[tables.\"public.buyers\"]\nexclude = [\"email\"]\n")?;
    program.run(&[&role.uri(), "--table=public.buyers", "--config=project.toml"])?.expect(0)?;
    Ok(())
}

#[test]
fn rows_are_estimated_where_somebody_has_counted_them() -> Result<()> {
    let database = sample_shop()?;
    database.execute(
        "CREATE TABLE fresh AS SELECT generate_series(1, 10) AS id;
         CREATE VIEW seen AS SELECT * FROM fresh;
         CREATE TABLE parts (id int) PARTITION BY LIST (id);
         CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
         CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
         CREATE TABLE parts_3 PARTITION OF parts FOR VALUES IN (3);
         INSERT INTO parts SELECT 1 + id % 2 FROM generate_series(1, 1000) AS id;
         ANALYZE parts_1; ANALYZE parts_2",
    )?;
    let tables = "--table=users,public.fresh,public.seen,public.parts";
    let ended = Program::new()?.run(&["check", &database.uri(), tables])?.expect(0)?.says(&[
        "users reads public.users (about 200 rows, ",
        "public.fresh reads public.fresh (never analysed, ",
        "public.seen reads public.seen (0 B on",
        "public.parts reads public.parts (about 1,000 rows, ",
    ])?;
    database.execute("INSERT INTO parts VALUES (3)")?;
    ensure!(ended.stderr.matches("never analysed").count() == 1, "{ended}");
    let ended = Program::new()?.run(&["check", &database.uri(), "--table=public.parts"])?.expect(0)?;
    ended.says(&["public.parts (never analysed, "])?;
    Ok(())
}

#[test]
fn a_role_that_may_do_more_than_read_is_told_so_once() -> Result<()> {
    let database = empty_shop()?;
    let program = Program::new()?;
    let check = |uri: &str| program.run(&["check", uri, "--table=users,products,events"])?.expect(0);
    let ended = check(&database.uri())?.says(&["advice: postgres is a superuser; a role with nothing but SELECT"])?;
    ensure!(ended.stderr.matches("advice:").count() == 1, "{ended}");
    let role = Role::create(&database)?;
    database.execute(&format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}", role.name))?;
    check(&role.uri())?.never_says("advice:")?;
    database.execute(&format!("GRANT UPDATE (kind) ON events TO {0}; GRANT INSERT ON users TO {0}", role.name))?;
    let told = format!("advice: {} may change rows of public.events and another table", role.name);
    check(&role.uri())?.says(&[&told])?;
    Ok(())
}

#[test]
fn a_timeout_of_the_role_is_no_hazard_because_every_session_turns_it_off() -> Result<()> {
    let database = empty_shop()?;
    let role = Role::create(&database)?;
    database.execute(&format!(
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {0};
         ALTER ROLE {0} SET statement_timeout = '77s';
         ALTER DATABASE {1} SET idle_in_transaction_session_timeout = '77s'",
        role.name,
        database.name()
    ))?;
    let ended = Program::new()?.run(&["check", &role.uri(), "--table=users"])?.expect(0)?;
    ended.never_says("hazard:")?.never_says("77s")?;
    Ok(())
}

#[test]
fn a_table_on_another_server_is_outside_of_the_snapshot() -> Result<()> {
    let database = tiny_shop()?;
    database.execute(
        "CREATE EXTENSION postgres_fdw;
         CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw;
         CREATE FOREIGN TABLE far (id int) SERVER loop;
         CREATE UNLOGGED TABLE quick (id int)",
    )?;
    let ended = Program::new()?.run(&["check", &database.uri(), "--table=public.far,public.quick"])?.expect(0)?;
    let ended = ended.says(&["hazard: public.far lies on another server"])?;
    // On a primary it has its rows.
    ended.never_says("unlogged")?;
    Ok(())
}
