//! The figures that are compared.

use std::fmt;

/// Of all rows of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableProof {
    /// How many there are.
    pub rows: u64,
    /// The columns, in the order of the file.
    pub columns: Vec<ColumnProof>,
}

/// Of all values of a column.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ColumnProof {
    /// How many are NULL.
    pub nulls: u64,
    /// The least: of numbers the number, else the hash of the canonical text that comes first by its bytes.
    pub min: Option<String>,
    /// The greatest, in the same way.
    pub max: Option<String>,
    /// The exact sum of integers or decimals.
    pub sum: Option<String>,
    /// The sum of the hashes of all values.
    pub hash: i128,
}

impl ColumnProof {
    /// What differs, as a message names it.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let figures = [
            ("null count", self.nulls == other.nulls),
            ("min", self.min == other.min),
            ("max", self.max == other.max),
            ("sum", self.sum == other.sum),
            ("hash", self.hash == other.hash),
        ];
        figures.into_iter().filter(|(_, equal)| !equal).map(|(name, _)| name).collect()
    }
}

/// Shows no figure that is a row's value.
impl fmt::Debug for ColumnProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ColumnProof").field("nulls", &self.nulls).field("hash", &self.hash).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::ColumnProof;

    #[test]
    fn every_figure_counts_and_none_is_shown() {
        let text = |text: &str| Some(text.to_owned());
        let proof = ColumnProof { nulls: 1, min: text("-7"), max: text("71"), sum: text("64"), hash: 5 };
        assert_eq!(proof.differences(&proof), [""; 0]);
        for (other, expected) in [
            (ColumnProof { nulls: 2, ..proof.clone() }, "null count"),
            (ColumnProof { min: None, ..proof.clone() }, "min"),
            (ColumnProof { max: text("72"), ..proof.clone() }, "max"),
            (ColumnProof { sum: text("65"), ..proof.clone() }, "sum"),
            (ColumnProof { hash: 6, ..proof.clone() }, "hash"),
        ] {
            assert_eq!(proof.differences(&other), [expected]);
        }
        assert!(!format!("{proof:?}").contains('7'));
    }
}
