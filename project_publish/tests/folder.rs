//! A lake in a real folder: links, locks, hard links, and what a kill leaves.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono::{DateTime, TimeDelta, Utc};
use project_publish::gc::{Keep, collect};
use project_publish::{
    Candidate, Committed, Created, DataFile, FolderLake, Gate, Lake, Manifest, Mode, Objects, Publication,
    PublishError, Release, Run, RunId, Runs, Snapshot, Window, roll_back,
};
use std::fs::{create_dir_all, read_dir, read_link, read_to_string, write};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

const TABLE: &str = "orders";
const FILES: [&str; 2] = ["dt=2026-01-01/part-00000.parquet", "dt=__HIVE_DEFAULT_PARTITION__/part-00000.parquet"];

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

fn id(day: u32) -> RunId {
    RunId::parse(&format!("202001{day:02}T000000000Z-{day:04x}")).unwrap()
}

fn facts(run: &RunId) -> Run {
    let snapshot = Snapshot { taken_at: run.began(), lsn: None, server: None, shared: true };
    Run { run_id: run.to_string(), tool: "project test".into(), mode: Mode::Folder, database: None, snapshot }
}

/// Writes the files of a run; each says which run wrote it.
async fn candidate(lake: &FolderLake, run: &RunId, files: &[&str], window: Option<Window>) -> Candidate {
    let mut written = Vec::new();
    for file in files {
        let key = format!("{}/{TABLE}/{file}", run.folder());
        let path = lake.run_folder(run).join(TABLE).join(file);
        create_dir_all(path.parent().unwrap()).unwrap();
        write(&path, run.as_str()).unwrap();
        let facts = lake.facts(&key).await.unwrap().unwrap();
        let partition = file.split_once('/').map(|(folder, _)| folder.trim_start_matches("dt=").to_owned());
        written.push(DataFile { key, rows: 1, bytes: facts.bytes, crc32: facts.crc32.unwrap(), partition });
    }
    Candidate {
        table: TABLE.into(),
        task: TABLE.into(),
        columns: Vec::new(),
        partition_key: Some("dt".into()),
        condition: None,
        window,
        files: written,
        gated: true,
    }
}

async fn publish(lake: &FolderLake, run: &RunId, files: &[&str], window: Option<Window>) -> anyhow::Result<()> {
    let mut publication = Publication::begin(lake, facts(run), Gate { max_shrink: 50, force: false });
    publication.stage(candidate(lake, run, files, window).await).await?;
    publication.seal().await?;
    publication.commit(TABLE).await.map(|_| ())
}

/// Which run wrote the file that readers see.
fn seen(lake: &Path, file: &str) -> Option<String> {
    read_to_string(lake.join(TABLE).join(file)).ok()
}

/// The names at the top of the lake, hidden ones included.
fn names(lake: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        read_dir(lake).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn later() -> DateTime<Utc> {
    Utc::now() + TimeDelta::days(1)
}

#[test]
fn the_link_leads_to_the_newest_run_and_older_ones_stay() {
    let folder = TempDir::new().unwrap();
    let lake = FolderLake::new(folder.path());
    runtime().block_on(async {
        for day in 1..=2 {
            publish(&lake, &id(day), &FILES, None).await.unwrap();
            assert_eq!(seen(folder.path(), FILES[0]).unwrap(), id(day).as_str());
        }
        assert_eq!(names(folder.path()), ["_runs", TABLE, &id(1).folder(), &id(2).folder()]);
        let older = publish(&lake, &id(1), &FILES, None).await.unwrap_err();
        assert!(matches!(older.downcast_ref(), Some(PublishError::Older { .. })), "{older}");
    });
}

#[test]
fn what_stands_where_the_link_should_be_is_left_alone() {
    for kind in ["folder", "file", "link"] {
        let folder = TempDir::new().unwrap();
        let lake = FolderLake::new(folder.path());
        let place = folder.path().join(TABLE);
        match kind {
            "folder" => create_dir_all(&place).unwrap(),
            "file" => write(&place, "mine").unwrap(),
            _ => symlink("elsewhere", &place).unwrap(),
        }
        let error = runtime().block_on(publish(&lake, &id(1), &FILES, None)).unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(PublishError::Occupied(_))), "{kind}: {error}");
        assert!(place.symlink_metadata().is_ok_and(|found| found.is_symlink() == (kind == "link")), "{kind}");
    }
}

#[test]
fn of_many_that_switch_at_the_same_time_one_does() {
    let folder = TempDir::new().unwrap();
    let lake = FolderLake::new(folder.path());
    runtime().block_on(publish(&lake, &id(1), &FILES, None)).unwrap();
    let switch = |day: u32| {
        let lake = lake.clone();
        move || {
            runtime().block_on(async {
                let (run, table) = (facts(&id(day)), candidate(&lake, &id(day), &FILES, None).await);
                let mut publication = Publication::begin(&lake, run.clone(), Gate { max_shrink: 50, force: false });
                publication.stage(table).await.unwrap();
                let table = publication.tables().next().unwrap().clone();
                let expected = project_publish::Live {
                    run: Some(id(1).to_string()),
                    version: format!("{}/{TABLE}", id(1).folder()),
                };
                lake.commit(Release { run: &run, table: &table }, Some(&expected)).await.unwrap()
            })
        }
    };
    let threads: Vec<_> = (2..10).map(|day| std::thread::spawn(switch(day))).collect();
    let outcomes: Vec<Committed> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let done: Vec<usize> = (0..outcomes.len()).filter(|at| matches!(outcomes[*at], Committed::Done(_))).collect();
    assert_eq!(done.len(), 1, "{outcomes:?}");
    assert_eq!(seen(folder.path(), FILES[0]).unwrap(), id(u32::try_from(done[0]).unwrap() + 2).as_str());
    assert!(!names(folder.path()).iter().any(|name| name.starts_with('.')), "{:?}", names(folder.path()));
}

#[test]
fn dates_that_were_not_read_are_the_same_files_under_further_names() {
    let folder = TempDir::new().unwrap();
    let lake = FolderLake::new(folder.path());
    runtime().block_on(async {
        publish(&lake, &id(1), &FILES, None).await.unwrap();
        let window = Window { from: Some("2026-01-01".into()), to: Some("2026-01-01".into()) };
        publish(&lake, &id(2), &FILES[..1], Some(window)).await.unwrap();
        assert_eq!(seen(folder.path(), FILES[0]).unwrap(), id(2).as_str());
        assert_eq!(seen(folder.path(), FILES[1]).unwrap(), id(1).as_str());
        let inode = |day| lake.run_folder(&id(day)).join(TABLE).join(FILES[1]).metadata().unwrap().ino();
        assert_eq!(inode(1), inode(2), "nothing was copied");
        // The first run goes, and what the second has of it stays.
        let keep = Keep { runs: 1, grace: TimeDelta::zero() };
        assert_eq!(collect(&lake, keep, later()).await.unwrap().runs, [id(1).to_string()]);
        assert_eq!(seen(folder.path(), FILES[1]).unwrap(), id(1).as_str());
    });
}

#[test]
fn a_kill_between_link_and_rename_leaves_a_hidden_link_that_the_next_switch_replaces() {
    let folder = TempDir::new().unwrap();
    let lake = FolderLake::new(folder.path());
    runtime().block_on(async {
        publish(&lake, &id(1), &FILES, None).await.unwrap();
        candidate(&lake, &id(2), &FILES, None).await;
        // As the second run leaves it; nothing else tells that it was about to be shown.
        symlink(format!("{}/{TABLE}", id(2).folder()), folder.path().join(format!(".{TABLE}.link"))).unwrap();
        assert_eq!(seen(folder.path(), FILES[0]).unwrap(), id(1).as_str());
        let keep = Keep { runs: 1, grace: TimeDelta::zero() };
        assert_eq!(collect(&lake, keep, later()).await.unwrap().dead, [id(2).to_string()], "it protects no run");
        publish(&lake, &id(3), &FILES, None).await.unwrap();
        assert_eq!(names(folder.path()), ["_runs", TABLE, &id(1).folder(), &id(3).folder()]);
    });
}

#[test]
fn a_collection_leaves_what_is_shown_and_no_folder_of_any_other_run() {
    let folder = TempDir::new().unwrap();
    let lake = FolderLake::new(folder.path());
    runtime().block_on(async {
        for day in 1..=3 {
            publish(&lake, &id(day), &FILES, None).await.unwrap();
        }
        roll_back(&lake, TABLE, Some(id(1).as_str())).await.unwrap();
        // Two that died: before their first file, and in the middle of it.
        create_dir_all(lake.run_folder(&id(4)).join(TABLE)).unwrap();
        create_dir_all(lake.run_folder(&id(5)).join(TABLE)).unwrap();
        write(lake.run_folder(&id(5)).join(TABLE).join(".part-00000.parquet.partial"), "half").unwrap();
        let foreign = folder.path().join("run=mine");
        create_dir_all(&foreign).unwrap();
        let keep = Keep { runs: 1, grace: TimeDelta::zero() };
        let collected = collect(&lake, keep, later()).await.unwrap();
        assert_eq!(
            (collected.runs, collected.dead),
            (vec![id(2).to_string()], vec![id(4).to_string(), id(5).to_string()])
        );
        assert_eq!((collected.objects, collected.kept), (3, 2));
        assert_eq!(names(folder.path()), ["_runs", TABLE, &id(1).folder(), &id(3).folder(), "run=mine"]);
        let left = lake.list("_runs").await.unwrap();
        let manifests = [1, 3].map(|day| format!("_runs/{}.json", id(day)));
        assert_eq!(left.iter().filter(|key| !key.ends_with(".lock")).collect::<Vec<_>>(), manifests.each_ref());
    });
}

#[test]
fn a_collection_removes_what_a_kill_left_beside_the_manifests_and_nothing_younger_or_foreign() {
    let folder = TempDir::new().unwrap();
    let lake = FolderLake::new(folder.path());
    runtime().block_on(async {
        publish(&lake, &id(1), &FILES, None).await.unwrap();
        let young = RunId::now();
        let stay = [format!("_runs/.{young}.partial"), format!("_runs/.probe-{young}"), "_runs/.notes".to_owned()];
        let go = [
            format!("_runs/.{}.partial", id(2)),
            format!("_runs/claims/.{}.partial", id(3)),
            format!("_runs/.probe-{}", id(4)),
        ];
        for key in go.iter().chain(&stay) {
            write(folder.path().join(key), "half").unwrap();
        }
        collect(&lake, Keep { runs: 1, grace: TimeDelta::hours(2) }, Utc::now()).await.unwrap();
        let left = lake.list("_runs").await.unwrap();
        assert_eq!(go.iter().find(|key| left.contains(key)), None);
        assert_eq!(stay.iter().find(|key| !left.contains(key)), None);
    });
}

#[test]
fn a_rollback_shows_the_run_before_and_refuses_a_damaged_one() {
    let folder = TempDir::new().unwrap();
    let lake = FolderLake::new(folder.path());
    runtime().block_on(async {
        for day in 1..=3 {
            publish(&lake, &id(day), &FILES, None).await.unwrap();
        }
        assert_eq!(roll_back(&lake, TABLE, None).await.unwrap().to.run.run_id, id(2).as_str());
        write(lake.run_folder(&id(1)).join(TABLE).join(FILES[0]), "other, and as long as that").unwrap();
        let error = roll_back(&lake, TABLE, None).await.unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(PublishError::Damaged { .. })), "{error}");
        assert_eq!(seen(folder.path(), FILES[0]).unwrap(), id(2).as_str());
        let target = read_link(folder.path().join(TABLE)).unwrap();
        assert_eq!(target, Path::new(&format!("{}/{TABLE}", id(2).folder())), "the link can be moved with the lake");
    });
}

#[test]
fn an_object_is_created_once_and_the_same_again_is_no_conflict() {
    let folder = TempDir::new().unwrap();
    let lake = FolderLake::new(folder.path());
    runtime().block_on(async {
        assert_eq!(lake.create("_runs/a", b"one".to_vec()).await.unwrap(), Created::Done);
        assert_eq!(lake.create("_runs/a", b"one".to_vec()).await.unwrap(), Created::Done);
        assert_eq!(lake.create("_runs/a", b"two".to_vec()).await.unwrap(), Created::Exists);
        assert_eq!(lake.list("_runs").await.unwrap(), ["_runs/a"], "nothing temporary is left");
        assert!(Runs::of(&lake).all().await.unwrap().is_empty());
        let manifest: Option<Manifest> = Runs::of(&lake).find(id(1).as_str()).await.unwrap();
        assert!(manifest.is_none());
    });
}
