//! Sentences for the page. A browser would break a line behind the dashes of a flag.

/// Part of a sentence.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    /// Stays in one line.
    pub(super) is_flag: bool,
}

/// Longer ones may have to be broken to fit on a phone.
const LONGEST: usize = 30;

pub(super) fn prose(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    for word in text.split_inclusive(char::is_whitespace) {
        let end = word.trim_end_matches(|last: char| last.is_whitespace() || ".,;:)".contains(last)).len();
        let start = word.find("--").filter(|start| word[..*start].chars().all(|first| first == '('));
        match start.filter(|start| (3..=LONGEST).contains(&end.saturating_sub(*start))) {
            Some(start) => {
                pieces.push(Piece { text: &word[..start], is_flag: false });
                pieces.push(Piece { text: &word[start..end], is_flag: true });
                pieces.push(Piece { text: &word[end..], is_flag: false });
            }
            None => pieces.push(Piece { text: word, is_flag: false }),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::prose;
    use proptest::prelude::{any, proptest};

    #[test]
    fn flags_are_found_without_what_stands_around_them() {
        let text = "choose (--nan, or --numeric=string). -- a--b --";
        let flags: Vec<&str> = prose(text).into_iter().filter(|piece| piece.is_flag).map(|piece| piece.text).collect();
        assert_eq!(flags, ["--nan", "--numeric=string"]);
        let long = format!("--table={}", "x".repeat(40));
        assert!(prose(&long).iter().all(|piece| !piece.is_flag));
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in any::<String>()) {
            assert_eq!(prose(&text).iter().map(|piece| piece.text).collect::<String>(), text);
        }

        #[test]
        fn nothing_is_lost_around_dashes(text in "[-( a).;,ü\n]{0,12}") {
            assert_eq!(prose(&text).iter().map(|piece| piece.text).collect::<String>(), text);
        }
    }
}
