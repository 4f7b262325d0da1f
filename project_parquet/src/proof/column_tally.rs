//! The figures of some rows, which add up to those of a table.

use super::canonical_text::{TextForm, Values, append_decimal};
use super::table_proof::{ColumnProof, TableProof};
use super::text_hash::hash_text;
use anyhow::{Result, ensure};
use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, Field, Schema, i256};
use std::fmt;

/// Of some rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableTally {
    pub(super) rows: u64,
    pub(super) columns: Vec<ColumnTally>,
}

impl TableTally {
    /// Of no rows.
    pub fn empty(schema: &Schema) -> Self {
        Self { rows: 0, columns: schema.fields().iter().map(|field| ColumnTally::empty(field)).collect() }
    }

    /// Takes in that of other rows.
    ///
    /// # Errors
    /// When those have other columns: they are not of the same table.
    pub fn add(&mut self, other: Self) -> Result<()> {
        let same = self.columns.len() == other.columns.len();
        let same = same && self.columns.iter().zip(&other.columns).all(|(one, other)| one.is_like(other));
        ensure!(same, "files of one table have different columns");
        self.rows += other.rows;
        self.columns.iter_mut().zip(other.columns).for_each(|(one, other)| one.add(other));
        Ok(())
    }

    /// The figures to compare.
    pub fn proof(&self) -> TableProof {
        TableProof { rows: self.rows, columns: self.columns.iter().map(ColumnTally::proof).collect() }
    }
}

/// Of some values of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ColumnTally {
    name: String,
    nulls: u64,
    hash: i128,
    range: Range,
}

/// What a column's values lie between.
#[derive(Clone, PartialEq, Eq)]
enum Range {
    Numbers { scale: usize, ends: Option<(i128, i128)>, sum: i256 },
    Texts(Option<(Vec<u8>, Vec<u8>)>),
}

/// Shows no value.
impl fmt::Debug for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if let Self::Numbers { .. } = self { "Numbers" } else { "Texts" })
    }
}

impl Range {
    fn of(data_type: &DataType) -> Self {
        let scale = match data_type {
            DataType::Int16 | DataType::Int32 | DataType::Int64 => 0,
            DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) => *scale,
            _ => return Self::Texts(None),
        };
        // No column of ours has a negative one.
        Self::Numbers { scale: usize::try_from(scale).unwrap_or(0), ends: None, sum: i256::ZERO }
    }

    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Numbers { scale, .. }, Self::Numbers { scale: other, .. }) => scale == other,
            (Self::Texts(_), Self::Texts(_)) => true,
            _ => false,
        }
    }

    fn take(&mut self, number: Option<i128>, text: &[u8]) {
        match self {
            Self::Numbers { ends, sum, .. } => {
                let Some(number) = number else { return };
                *sum = sum.wrapping_add(i256::from_i128(number));
                let (least, greatest) = ends.get_or_insert((number, number));
                (*least, *greatest) = ((*least).min(number), (*greatest).max(number));
            }
            Self::Texts(ends) => {
                let (least, greatest) = ends.get_or_insert_with(|| (text.to_vec(), text.to_vec()));
                if text < least.as_slice() {
                    text.clone_into(least);
                }
                if text > greatest.as_slice() {
                    text.clone_into(greatest);
                }
            }
        }
    }

    fn add(&mut self, other: Self) {
        match (self, other) {
            (Self::Numbers { ends, sum, .. }, Self::Numbers { ends: more, sum: more_sum, .. }) => {
                *sum = sum.wrapping_add(more_sum);
                *ends = wider(*ends, more);
            }
            (Self::Texts(ends), Self::Texts(more)) => *ends = wider(ends.take(), more),
            // Tallies that are not alike are not added.
            _ => {}
        }
    }

    /// Least, greatest and sum.
    fn shown(&self) -> [Option<String>; 3] {
        match self {
            Self::Numbers { ends: None, .. } | Self::Texts(None) => [None, None, None],
            Self::Numbers { scale, ends: Some((least, greatest)), sum } => {
                [decimal(least, *scale), decimal(greatest, *scale), decimal(sum, *scale)].map(Some)
            }
            Self::Texts(Some((least, greatest))) => {
                [Some(hash_text(least).to_string()), Some(hash_text(greatest).to_string()), None]
            }
        }
    }
}

fn wider<T: Ord>(one: Option<(T, T)>, other: Option<(T, T)>) -> Option<(T, T)> {
    match (one, other) {
        (Some((least, greatest)), Some((other_least, other_greatest))) => {
            Some((least.min(other_least), greatest.max(other_greatest)))
        }
        (one, other) => one.or(other),
    }
}

fn decimal(unscaled: impl fmt::Display, scale: usize) -> String {
    let mut text = Vec::new();
    append_decimal(&mut text, unscaled, scale);
    String::from_utf8_lossy(&text).into_owned()
}

impl ColumnTally {
    pub(super) fn empty(field: &Field) -> Self {
        Self { name: field.name().clone(), nulls: 0, hash: 0, range: Range::of(field.data_type()) }
    }

    /// Takes in all values of an array.
    pub(super) fn take(&mut self, array: &ArrayRef, form: TextForm) -> Result<()> {
        let values = Values::of(array, form)?;
        let mut text = Vec::new();
        for row in 0..array.len() {
            if values.is_null(row) {
                self.nulls += 1;
                continue;
            }
            text.clear();
            values.append(row, &mut text);
            self.hash += i128::from(hash_text(&text));
            self.range.take(values.number(row), &text);
        }
        Ok(())
    }

    fn is_like(&self, other: &Self) -> bool {
        self.name == other.name && self.range.is_like(&other.range)
    }

    fn add(&mut self, other: Self) {
        self.nulls += other.nulls;
        self.hash += other.hash;
        self.range.add(other.range);
    }

    fn proof(&self) -> ColumnProof {
        let [min, max, sum] = self.range.shown();
        ColumnProof { nulls: self.nulls, min, max, sum, hash: self.hash }
    }
}
