//! Whatever bytes come instead of a COPY stream: rows or an error, never a panic, never more memory than they explain.
//!
//! A few seconds in `make test`; `make fuzz` runs it for longer (`PROPTEST_CASES`), and the same harness under a
//! coverage-guided fuzzer where there is one.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "any_bytes/harness.rs"]
mod harness;

use harness::{COLUMNS, YIELDING, decode, plan, stream};
use project_postgres::{CopyDecoder, Decoding, Policies};
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

#[test]
fn a_stream_that_stops_early_is_not_the_end_of_the_data() {
    let plan = plan(&[Decoding::Int32], Policies::EXACT);
    let bytes = stream(&[vec![Some(vec![0, 0, 0, 7])], vec![None]]);
    let mut decoder = CopyDecoder::new(&plan, 8 << 20);
    decoder.push(&bytes).unwrap();
    decoder.end_of_stream().unwrap();
    assert_eq!(decoder.take_batch().unwrap().num_rows(), 2);
    decoder.push(&bytes[..bytes.len() - 2]).unwrap();
    assert!(decoder.end_of_stream().unwrap_err().to_string().contains("before the end of the data"));
}

#[test]
fn invalid_text_names_column_and_row_but_not_the_value() {
    let plan = plan(&[Decoding::Text], Policies::EXACT);
    let mut decoder = CopyDecoder::new(&plan, 8 << 20);
    decoder.push(&stream(&[vec![Some(b"canary".to_vec())], vec![Some(vec![b'c', 0xff])]])).unwrap();
    let message = decoder.take_batch().unwrap_err().to_string();
    assert!(message.contains("\"c0\"") && message.contains("row 2"), "{message}");
    assert!(!message.contains("canary"), "{message}");
}

proptest! {
    #[test]
    fn a_sound_stream_is_decoded(rows in vec(row(), 0..5)) {
        assert_eq!(decode(&stream(&rows), YIELDING), Ok(rows.len()));
    }

    #[test]
    fn a_damaged_stream_is_rows_or_an_error(rows in vec(row(), 1..5), damages in vec(damage(), 1..6)) {
        let mut bytes = stream(&rows);
        damages.into_iter().for_each(|damage| damage.inflict(&mut bytes));
        let _ = decode(&bytes, YIELDING);
    }

    #[test]
    fn noise_is_an_error(bytes in vec(any::<u8>(), 0..400)) {
        assert!(decode(&bytes, YIELDING).is_err());
    }

    #[test]
    fn any_rows_are_decoded_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        let mut message = stream(&[]);
        message.truncate(19);
        message.extend(bytes);
        let _ = decode(&message, Policies::EXACT);
    }

    #[test]
    fn any_value_is_decoded_or_refused(values in vec(option::of(vec(any::<u8>(), 0..24)), COLUMNS)) {
        let _ = decode(&stream(&[values]), Policies::EXACT);
    }
}
