//! What stops a run before it has begun: the command line, the URI, the server, the login.

use crate::program::Program;
use crate::shop::tiny_shop;
use anyhow::{Result, ensure};
use std::net::TcpListener;

const CANARY: &str = "c4n4ry-w0rd";

#[test]
fn an_unknown_task_is_2_with_the_nearest_name() -> Result<()> {
    let program = Program::new()?;
    // There is no such server: the name is looked up first.
    let uri = "postgres://nobody@127.0.0.1:1/nothing";
    let ended = program.run(&[uri, "--table=users,combined_order"])?.expect(2)?;
    ended.says(&["there is no task \"combined_order\"", "did you mean \"combined_orders\"?"])?;
    ensure!(!program.lake().exists(), "a lake was created");
    Ok(())
}

#[test]
fn a_malformed_uri_is_2_on_the_command_line_and_78_in_the_environment_and_is_not_repeated() -> Result<()> {
    let malformed = format!("postgres://ann:{CANARY}/x@127.0.0.1:5432/shop");
    for uri in [malformed.as_str(), &format!("mysql://ann:{CANARY}@127.0.0.1/shop")] {
        let given = Program::new()?.run(&[uri])?.expect(2)?;
        given.says(&["the Postgres URI", "<POSTGRES-URI>"])?.never_says(CANARY)?;
        let variable = Program::new()?.with_environment([("DATABASE_URL", uri.to_owned())]);
        variable.run(&[])?.expect(78)?.says(&["DATABASE_URL"])?.never_says(CANARY)?;
    }
    Program::new()?.run(&[])?.expect(78)?.says(&["<POSTGRES-URI>", "DATABASE_URL"])?;
    Ok(())
}

#[test]
fn a_server_that_does_not_answer_is_69_with_host_and_port_and_without_the_password() -> Result<()> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let program = Program::new()?;
    let uri = format!("postgres://ann:{CANARY}@127.0.0.1:{port}/shop");
    let ended = program.run(&[&uri, "-vv"])?.expect(69)?;
    ended.says(&[&format!("127.0.0.1:{port}")])?.never_says(CANARY)?;
    ensure!(!program.lake().exists(), "a lake was created");
    Ok(())
}

#[test]
fn a_wrong_password_is_77_and_never_shown() -> Result<()> {
    let database = tiny_shop()?;
    let port = database.server().port();
    let ended = Program::new()?.run(&[&database.uri_with_password(CANARY), "-vv"])?.expect(77)?;
    ended.says(&["check user and password", &format!("127.0.0.1:{port}")])?.never_says(CANARY)?;
    Ok(())
}

#[test]
fn an_unknown_database_is_refused_by_its_name() -> Result<()> {
    let database = tiny_shop()?;
    let uri = database.server().uri("no_such_database");
    Program::new()?.run(&[&uri])?.expect(65)?.says(&["\"no_such_database\" does not exist"])?;
    Ok(())
}

#[test]
fn a_role_that_may_not_read_a_table_is_77_and_the_others_are_published() -> Result<()> {
    let database = tiny_shop()?;
    database.execute("GRANT SELECT ON users TO locked")?;
    let program = Program::new()?;
    let ended = program.publish(&database.uri_with_password("locked"), "users,products")?.expect(77)?;
    let ended = ended.says(&["permission denied for public.products", "GRANT SELECT"])?;
    assert_eq!(ended.published()?, ["users"]);
    Ok(())
}

#[test]
fn a_password_is_in_no_message_however_verbose_and_wherever_it_comes_from() -> Result<()> {
    let database = tiny_shop()?;
    let (port, name) = (database.server().port(), database.name());
    let role = format!("canary_of_{name}");
    database.execute(&format!(
        "CREATE ROLE {role} LOGIN PASSWORD '{CANARY}'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}; REVOKE SELECT ON taxes FROM {role}"
    ))?;
    let uri = format!("postgres://{role}:{CANARY}@127.0.0.1:{port}/{name}");
    let plain = format!("postgres://{role}@127.0.0.1:{port}/{name}");
    let everything = ["--table=combined_orders,users,products,events,public.orders", "-vv"];
    let ways = [
        (vec![uri.as_str()], vec![]),
        (vec![], vec![("DATABASE_URL", uri.clone())]),
        (vec![plain.as_str()], vec![("PGPASSWORD", CANARY.to_owned())]),
    ];
    for (first, variables) in ways {
        for format in ["--log-format=text", "--log-format=json"] {
            let program = Program::new()?.with_environment(variables.clone());
            let ended = program.run(&[&first, &everything[..], &[format, "--format=json"]].concat())?;
            // combined_orders may not be read, so that a failure is among the messages.
            let ended = ended.expect(77)?.says(&["public.taxes"])?.never_says(CANARY)?;
            assert_eq!(ended.published()?.len(), 4);
        }
    }
    database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
}

#[test]
fn flags_that_are_alone_or_wrong_are_2_and_named() -> Result<()> {
    let uri = "postgres://nobody@127.0.0.1:1/nothing";
    for (flag, says) in [
        ("--as=x", "--as"),
        ("--extra-schema=x.toml", "--extra-schema"),
        ("--limit=0", "--limit"),
        ("--gzip-level=10", "--gzip-level"),
        ("--table=public.", "--table"),
    ] {
        Program::new()?.run(&[uri, flag])?.expect(2)?.says(&[says])?;
    }
    Ok(())
}
