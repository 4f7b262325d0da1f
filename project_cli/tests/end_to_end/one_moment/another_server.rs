//! An address behind which there are several servers: the run says so, and reads from none that has another moment.

use super::servers;
use crate::program::Program;
use anyhow::{Result, ensure};
use project_test_servers::dropping_proxy::DroppingProxy;
use project_test_servers::postgres::Database;

#[test]
fn an_address_that_leads_to_several_servers_is_told_as_such() -> Result<()> {
    let servers = servers()?;
    let database = Database::create(servers.primary())?;
    database.create_shop_tables()?;
    database.execute("CREATE TABLE t AS SELECT 1 AS id")?;
    servers.wait_until_replayed()?;
    let ports = [servers.primary().port(), servers.standby().port()];
    let balanced = move |connection: u32| ports[connection as usize % 2];
    // By Diesel, by sqlx into structs, and by columns.
    for table in ["users", "products", "public.t"] {
        let (program, proxy) = (Program::new()?, DroppingProxy::leading(balanced)?);
        let uri = format!("postgres://postgres@127.0.0.1:{}/{}", proxy.port(), database.name());
        let ended = program.run(&[&uri, "--table", table])?.expect(75)?;
        let ended =
            ended.says(&["another server", "balanced reader endpoint", "pooler", "failover", "--no-snapshot"])?;
        // The next attempt would be led there as well.
        ended.never_says("starts over")?;
        ensure!(!program.lake().join(table.replace('.', "_")).exists(), "{table} was published");
        // Who does not need one moment may read there.
        program.run(&[&uri, "--table", table, "--no-snapshot"])?.expect(0)?;
    }
    Ok(())
}
