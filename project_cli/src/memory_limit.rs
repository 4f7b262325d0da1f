//! The memory limit of the control group that this process runs in: a container's, a service's, a batch job's.

use std::fs;
use std::path::{Component, Path, PathBuf};

const GROUPS_OF_THIS_PROCESS: &str = "/proc/self/cgroup";
const CONTROL_GROUPS: &str = "/sys/fs/cgroup";

/// Version 1 writes "no limit" as the largest multiple of a page, which depends on the page; no machine has an exbibyte.
const NO_LIMIT: u64 = 1 << 60;

/// Bytes; nothing when there is no limit or the system does not tell.
pub(crate) fn of_this_process() -> Option<u64> {
    let groups = fs::read_to_string(GROUPS_OF_THIS_PROCESS).ok()?;
    smallest(&groups, |file| fs::read_to_string(Path::new(CONTROL_GROUPS).join(file)).ok())
}

/// A group may use what it and all groups above it allow. Files that do not exist set no limit: inside of a container
/// the names may be those of the host, and only the top folder is there.
fn smallest(groups: &str, read: impl Fn(&Path) -> Option<String>) -> Option<u64> {
    let files = groups.lines().filter_map(limit_files).flatten();
    files.filter_map(|file| read(&file)).filter_map(|text| bytes(&text)).min()
}

/// Where the limits of one line of `/proc/self/cgroup` stand, from the group itself upwards: `0::/path` is version 2,
/// `4:memory:/path` version 1; other controllers limit something else.
fn limit_files(line: &str) -> Option<Vec<PathBuf>> {
    let mut parts = line.splitn(3, ':');
    let (id, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
    let (top, file) = if id == "0" && controllers.is_empty() {
        (Path::new(""), "memory.max")
    } else if controllers.split(',').any(|controller| controller == "memory") {
        (Path::new("memory"), "memory.limit_in_bytes")
    } else {
        return None;
    };
    let path = Path::new(path.trim_start_matches('/'));
    // A group outside of the visible tree is shown as /../name.
    let visible = path.components().all(|component| matches!(component, Component::Normal(_)));
    let group = if visible { path } else { Path::new("") };
    Some(group.ancestors().map(|group| top.join(group).join(file)).collect())
}

/// `max` is no limit, as is a number that no machine reaches.
fn bytes(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|bytes| *bytes < NO_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::{bytes, limit_files, smallest};
    use std::path::{Path, PathBuf};

    type Files<'a> = &'a [(&'a str, &'a str)];

    fn limit(groups: &str, files: Files<'_>) -> Option<u64> {
        smallest(groups, |asked| {
            let found = files.iter().find(|(path, _)| Path::new(path) == asked);
            found.map(|(_, text)| (*text).to_owned())
        })
    }

    #[test]
    fn a_limit_is_a_number_of_bytes() {
        assert_eq!(bytes("536870912\n"), Some(512 << 20));
        assert_eq!(bytes("0\n"), Some(0));
        // The largest multiple of a page of 4 KiB and of 64 KiB.
        for none in ["max\n", "", "-1", "9223372036854771712\n", "9223372036854710272\n", "1152921504606846976"] {
            assert_eq!(bytes(none), None, "{none:?}");
        }
    }

    #[test]
    fn limits_stand_in_the_group_and_above_it() {
        let files = |line: &str| limit_files(line).unwrap();
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(files("0::/"), paths(&["memory.max"]));
        assert_eq!(
            files("0::/system.slice/copy:one.service"),
            paths(&["system.slice/copy:one.service/memory.max", "system.slice/memory.max", "memory.max"])
        );
        assert_eq!(
            files("7:cpu,memory:/docker/4f"),
            paths(&[
                "memory/docker/4f/memory.limit_in_bytes",
                "memory/docker/memory.limit_in_bytes",
                "memory/memory.limit_in_bytes"
            ])
        );
        assert_eq!(files("0::/../../other"), paths(&["memory.max"]), "never out of the tree");
    }

    #[test]
    fn other_controllers_and_broken_lines_have_no_memory_limit() {
        for line in ["3:cpuset:/", "9:name=systemd:/x", "5:memoryx:/", "1:name=memory:/", "0:", "memory", ""] {
            assert_eq!(limit_files(line), None, "{line:?}");
        }
    }

    #[test]
    fn the_smallest_limit_on_the_way_up_wins() {
        let groups = "0::/kubepods/pod7/copy\n";
        let pod = ("kubepods/pod7/memory.max", "268435456\n");
        let copy = |text| ("kubepods/pod7/copy/memory.max", text);
        assert_eq!(limit(groups, &[pod, copy("1073741824\n"), ("memory.max", "max\n")]), Some(256 << 20));
        assert_eq!(limit(groups, &[pod, copy("134217728\n")]), Some(128 << 20));
        assert_eq!(limit(groups, &[pod, copy("max\n")]), Some(256 << 20));
        assert_eq!(limit(groups, &[copy("max\n"), ("other/memory.max", "1\n")]), None);
        assert_eq!(limit(groups, &[]), None);
    }

    #[test]
    fn a_container_that_sees_the_names_of_its_host_finds_its_own_limit() {
        let groups = "11:memory:/docker/4f\n10:cpu,cpuacct:/docker/4f\n0::/docker/4f\n";
        assert_eq!(limit(groups, &[("memory/memory.limit_in_bytes", "100663296\n")]), Some(96 << 20));
        assert_eq!(limit(groups, &[("memory/memory.limit_in_bytes", "9223372036854771712\n")]), None);
    }
}
