//! Names of Kubernetes: which there may be, and the one of our Job.

/// The longest name that every part of Kubernetes takes, because a Job's name becomes a label of its pods.
const LONGEST: usize = 63;
/// Of the run's id, so that something of the other name is left.
const LONGEST_ID: usize = 40;

/// `refresh-20260102t030405678z-abcd`: whose Job it is, and of which run.
pub(crate) fn job_name(base: &str, run_id: &str) -> String {
    let id = letters(run_id);
    // The end of an id is what differs.
    let id = id[id.len().saturating_sub(LONGEST_ID)..].trim_start_matches('-');
    let base = letters(base);
    let base = base[..base.len().min(LONGEST - 1 - id.len())].trim_end_matches('-');
    format!("{base}-{id}").trim_matches('-').to_owned()
}

/// Lower-case letters, digits and dashes; everything else becomes a dash.
fn letters(text: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    text.chars().map(letter).collect::<String>().trim_matches('-').to_owned()
}

/// Whether an object can have this name. Others may not become part of an address.
pub(crate) fn is_object_name(name: &str) -> bool {
    let part = |part: &str| {
        let inside = part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        inside && !part.is_empty() && !part.starts_with('-') && !part.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(part)
}

#[cfg(test)]
mod tests {
    use super::{is_object_name, job_name};

    #[test]
    fn a_name_says_whose_job_of_which_run() {
        assert_eq!(job_name("refresh", "20260102T030405678Z-abcd"), "refresh-20260102t030405678z-abcd");
        assert_eq!(job_name("re.fresh-", "1_2"), "re-fresh-1-2");
        assert_eq!(job_name("---", "Z-1"), "z-1");
    }

    #[test]
    fn every_name_is_a_label() {
        let id = "20260102T030405678Z-abcd";
        for base in
            ["", "a", "\u{e4}\u{e4}", "x-", &"b".repeat(38), &format!("{}-{}", "c".repeat(37), "d"), &"e.".repeat(100)]
        {
            for id in [id, &"9".repeat(100), "-", "a"] {
                let name = job_name(base, id);
                assert!(name.len() <= 63 && !name.contains('.'), "{name}");
                assert!(is_object_name(&name) || (base.len() < 5 && id == "-"), "{base:?} and {id:?} became {name:?}");
            }
        }
        assert!(job_name(&"b".repeat(100), id).ends_with("-20260102t030405678z-abcd"));
    }

    #[test]
    fn what_could_lead_elsewhere_is_no_name() {
        for name in ["", ".", "..", "a/b", "a b", "A", "-a", "a-", "a..b", "a?b", "a%2Fb", &"a".repeat(254)] {
            assert!(!is_object_name(name), "{name}");
        }
        assert!(is_object_name("refresh.nightly-2"));
    }
}
