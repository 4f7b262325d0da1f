use super::{URI, Variables, invoke_in, run};
use crate::config::{ConfigError, Invocation};

#[test]
fn memory_stays_within_the_limit_of_the_control_group() {
    const MIB: u64 = 1 << 20;
    let limited = |mib: u64, arguments: &[&str], variables: Variables<'_>| {
        let limit = Some(mib * MIB);
        let Invocation::Run(run) = invoke_in((false, limit), arguments, variables)? else { unreachable!("a run") };
        assert_eq!(run.memory_limit, limit);
        Ok::<u64, ConfigError>(run.memory / MIB)
    };
    assert_eq!(run(&[URI, "--memory=1G"], &[]).memory, 1024 * MIB, "no limit, no bound");
    assert_eq!(run(&[URI, "--memory=32MiB"], &[("PROJECT_MEMORY", "64")]).memory, 32 * MIB);
    assert_eq!(limited(200, &[URI], &[]), Ok(120));
    assert_eq!(limited(1000, &[URI], &[]), Ok(192));
    assert_eq!(limited(200, &[URI, "--memory=200M"], &[]), Ok(200), "who asks may use it up");
    assert_eq!(limited(40, &[URI, "--memory=32"], &[]), Ok(32));
    let flag = limited(512, &[URI, "--memory=1G"], &[]).unwrap_err();
    assert!(flag.exit == 78 && flag.message.contains("--memory=1G is more than the 512 MiB"), "{flag}");
    let variable = limited(512, &[URI], &[("PROJECT_MEMORY", "513")]).unwrap_err();
    assert!(variable.exit == 78 && variable.message.contains("PROJECT_MEMORY=513 is more than the 512"), "{variable}");
    let small = limited(40, &[URI], &[]).unwrap_err();
    assert!(small.exit == 78 && small.message.contains("40 MiB"), "{small}");
    assert_eq!(limited(512, &[URI, "--memory=31M"], &[]).unwrap_err().exit, 2);
    for other in [&["list"][..], &["query", "select 1"]] {
        assert!(invoke_in((false, Some(MIB)), other, &[]).is_ok(), "{other:?} reads no tables");
    }
}
