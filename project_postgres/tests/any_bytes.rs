//! Whatever bytes come instead of a COPY stream: rows or an error, never a panic, never more memory than they explain.
//!
//! A few seconds in `make test`; `make fuzz` runs it for longer (`PROPTEST_CASES`), and the same harness under a
//! coverage-guided fuzzer where there is one.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "any_bytes/harness.rs"]
mod harness;

use harness::{COLUMNS, decode, stream};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{any, prop_oneof, proptest};
use proptest::sample::Index;
use proptest::strategy::{Just, Strategy};

/// A value that is well formed for a column of that number.
fn value(column: usize) -> impl Strategy<Value = Vec<u8>> {
    (Just(column), any::<i64>(), "[a-zé]{0,12}")
        .prop_map(|(column, number, text)| harness::value(column, number, &text))
}

fn row() -> impl Strategy<Value = Vec<Option<Vec<u8>>>> {
    (0..COLUMNS).map(|column| option::weighted(0.9, value(column))).collect::<Vec<_>>()
}

/// What may happen to a stream on its way.
#[derive(Debug, Clone)]
enum Damage {
    Set(Index, u8),
    Cut(Index),
    Insert(Index, Vec<u8>),
}

impl Damage {
    fn inflict(self, bytes: &mut Vec<u8>) {
        match self {
            Self::Set(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            Self::Cut(at) => bytes.truncate(at.index(bytes.len()) + 1),
            Self::Insert(at, more) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, more);
            }
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => (any::<Index>(), vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
    ]
}

proptest! {
    #[test]
    fn a_sound_stream_is_decoded(rows in vec(row(), 0..5)) {
        assert_eq!(decode(&stream(&rows)), Ok(rows.len()));
    }

    #[test]
    fn a_damaged_stream_is_rows_or_an_error(rows in vec(row(), 1..5), damages in vec(damage(), 1..6)) {
        let mut bytes = stream(&rows);
        damages.into_iter().for_each(|damage| damage.inflict(&mut bytes));
        let _ = decode(&bytes);
    }

    #[test]
    fn noise_is_an_error(bytes in vec(any::<u8>(), 0..400)) {
        assert!(decode(&bytes).is_err());
    }
}
