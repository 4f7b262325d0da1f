//! A lake that cannot be written to.

use crate::lake_folder::{links, listing, runs};
use crate::program::Program;
use crate::shop::{empty_shop, tiny_shop};
use crate::table_read::parts::noise;
use anyhow::{Result, ensure};
use std::fs::{Permissions, create_dir_all, set_permissions, write};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(60);

/// No file may grow above 512 kB. The signal that would kill the program is ignored, so that writing fails as it does on
/// a full disk.
const SMALL_FILES: [&str; 3] = ["sh", "-c", "trap '' XFSZ; ulimit -f 1024; exec \"$0\" \"$@\""];

/// Takes root's right to write everywhere away; for everybody else it changes nothing.
const NO_OVERRIDE: [&str; 2] = ["setpriv", "--bounding-set=-dac_override"];

#[test]
fn a_disk_that_takes_no_more_is_74_and_leaves_the_lake_as_it_was() -> Result<()> {
    let database = empty_shop()?;
    database.execute("CREATE TABLE noise AS SELECT 1 AS id, md5('1') AS a, md5('2') AS b")?;
    let program = Program::new()?;
    program.publish(&database.uri(), "public.noise,users")?.expect(0)?;
    let before = listing(&program.lake())?;
    database.execute(
        "INSERT INTO noise SELECT id, md5(id::text), md5((-id)::text) FROM generate_series(1, 100000) AS id",
    )?;

    let arguments = [&database.uri(), "--table=public.noise", "--format=json"];
    let ended = program.start_below(&SMALL_FILES, &arguments)?.wait(DEADLINE)?.expect(74)?;
    ended.says(&["public.noise", "part-00000.parquet"])?;
    assert_eq!(listing(&program.lake())?, before);

    // The next table still fits.
    let arguments = [&database.uri(), "--table=public.noise,users", "--format=json"];
    let ended = program.start_below(&SMALL_FILES, &arguments)?.wait(DEADLINE)?.expect(74)?;
    assert_eq!(ended.published()?, ["users"]);
    assert_eq!(program.query("SELECT count(*) AS n FROM public_noise")?, "n\n1\n");
    Ok(())
}

#[test]
fn a_disk_that_takes_no_more_stops_all_workers_of_a_table_and_no_other_table() -> Result<()> {
    let database = noise()?;
    for workers in ["--workers=2", "--workers=5"] {
        let program = Program::new()?;
        let arguments = [&database.uri(), "--table=public.noise,public.quiet", workers, "--format=json"];
        let ended = program.start_below(&SMALL_FILES, &arguments)?.wait(DEADLINE)?.expect(74)?;
        let ended = ended.says(&["public.noise  FAILED (74)", "public_noise/part-0000"])?;
        assert_eq!(ended.published()?, ["public_quiet"]);
        let run = program.lake().join(runs(&program.lake())?.concat());
        ensure!(!run.join("public_noise").exists(), "left in the lake: {:?}", listing(&run)?);
    }
    Ok(())
}

#[test]
fn the_typed_writers_meet_a_full_disk_in_the_same_way() -> Result<()> {
    let database = empty_shop()?;
    database.execute(
        "INSERT INTO users SELECT id, md5(id::text), md5((-id)::text), now(), md5((id * 3)::text) FROM generate_series(1, 30000) AS id;
         INSERT INTO products SELECT id, md5(id::text), id, now(), true, id, gen_random_uuid() FROM generate_series(1, 30000) AS id;",
    )?;
    for task in ["users", "products"] {
        let program = Program::new()?;
        let arguments = [&database.uri(), "--table", task];
        let ended = program.start_below(&SMALL_FILES, &arguments)?.wait(DEADLINE)?.expect(74)?;
        ended.says(&[task, "part-00000.parquet"])?;
        let left = listing(&program.lake())?;
        ensure!(left.is_empty(), "{task}: left in the lake: {left:?}");
    }
    Ok(())
}

#[test]
fn a_lake_that_may_not_be_written_to_is_74_and_named() -> Result<()> {
    let database = tiny_shop()?;
    let program = Program::new()?;
    create_dir_all(program.lake())?;
    set_permissions(program.lake(), Permissions::from_mode(0o555))?;
    let arguments = [&database.uri(), "--table=users"];
    let ended = program.start_below(&NO_OVERRIDE, &arguments)?.wait(DEADLINE)?.expect(74)?;
    ended.says(&["lake", "Permission denied"])?;
    Ok(())
}

#[test]
fn a_file_where_the_lake_should_be_is_74_and_named() -> Result<()> {
    let database = tiny_shop()?;
    let program = Program::new()?;
    write(program.lake(), "in the way")?;
    let ended = program.run(&[&database.uri(), "--table=users"])?.expect(74)?;
    ended.says(&["cannot create the lake"])?;
    Ok(())
}

#[test]
fn a_folder_in_the_way_of_a_table_is_78_and_stays_and_the_others_are_published() -> Result<()> {
    let database = tiny_shop()?;
    let program = Program::new()?;
    let mine = program.lake().join("users/mine.txt");
    create_dir_all(program.lake().join("users"))?;
    write(&mine, "mine")?;
    let ended = program.publish(&database.uri(), "combined_orders,users")?.expect(78)?;
    let ended = ended.says(&["lake/users exists and is not a link made by project"])?;
    assert_eq!(ended.published()?, ["combined_orders"]);
    assert_eq!(links(&program.lake())?.len(), 1);
    assert_eq!(std::fs::read_to_string(mine)?, "mine");
    let run = runs(&program.lake())?.concat();
    ensure!(!program.lake().join(run).join("users").exists(), "the refused table was read");
    Ok(())
}
