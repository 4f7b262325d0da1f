//! The decimal digits of an exact number, for the two forms in which the server reads one.

use arrow::datatypes::i256;

/// `unscaled / 10^scale`.
pub(crate) struct Digits {
    negative: bool,
    magnitude: Magnitude,
    scale: u32,
}

enum Magnitude {
    /// Almost every number.
    Short(u128),
    /// Digits without leading zeros.
    Long(String),
}

/// Decimal digits in a digit of the server's.
const GROUP: u32 = 4;

impl Digits {
    pub(crate) fn of(unscaled: i128, scale: u32) -> Self {
        Self { negative: unscaled < 0, magnitude: Magnitude::Short(unscaled.unsigned_abs()), scale }
    }

    pub(crate) fn of_wide(unscaled: i256, scale: u32) -> Self {
        if let Some(short) = unscaled.to_i128() {
            return Self::of(short, scale);
        }
        let text = unscaled.to_string();
        let digits = text.trim_start_matches('-').to_owned();
        Self { negative: text.starts_with('-'), magnitude: Magnitude::Long(digits), scale }
    }

    fn text(&self) -> String {
        match &self.magnitude {
            Magnitude::Short(magnitude) => magnitude.to_string(),
            Magnitude::Long(digits) => digits.clone(),
        }
    }

    /// Whether it is not exact with so many decimals.
    pub(crate) fn has_more_decimals_than(&self, scale: i32) -> bool {
        i64::from(self.scale) > i64::from(scale) && self.decimals() > scale
    }

    /// How many decimals the value needs; below zero when it ends in zeros before the point.
    fn decimals(&self) -> i32 {
        let zeros = match &self.magnitude {
            Magnitude::Short(0) => return i32::MIN,
            Magnitude::Short(magnitude) => {
                let mut rest = *magnitude;
                let mut zeros = 0;
                while rest % 10 == 0 {
                    rest /= 10;
                    zeros += 1;
                }
                zeros
            }
            Magnitude::Long(digits) => i32::try_from(digits.len() - digits.trim_end_matches('0').len()).unwrap_or(0),
        };
        i32::try_from(self.scale).unwrap_or(i32::MAX) - zeros
    }

    /// How many digits stand before the point, a zero not counted; below zero when zeros follow the point.
    pub(crate) fn integer_digits(&self) -> i32 {
        let all = match &self.magnitude {
            Magnitude::Short(0) => return i32::MIN,
            Magnitude::Short(magnitude) => magnitude.ilog10() + 1,
            Magnitude::Long(digits) => u32::try_from(digits.len()).unwrap_or(u32::MAX),
        };
        i32::try_from(i64::from(all) - i64::from(self.scale)).unwrap_or(i32::MAX)
    }

    /// As a person writes it.
    pub(crate) fn write_text(&self, out: &mut String) {
        let digits = self.text();
        let scale = usize::try_from(self.scale).unwrap_or(usize::MAX);
        if self.negative {
            out.push('-');
        }
        let point = digits.len().saturating_sub(scale);
        out.push_str(if point == 0 { "0" } else { &digits[..point] });
        if scale > 0 {
            out.push('.');
            out.extend(std::iter::repeat_n('0', scale.saturating_sub(digits.len())));
            out.push_str(&digits[point..]);
        }
    }

    /// As the server sends it: count of groups, weight of the first, sign, decimals to show, groups of four digits.
    pub(crate) fn write_binary(&self, out: &mut Vec<u8>) {
        let (groups, below_point) = self.groups();
        let groups = groups.as_slice();
        let first = groups.iter().position(|group| *group != 0).unwrap_or(groups.len());
        let last = groups.iter().rposition(|group| *group != 0).map_or(first, |last| last + 1);
        let kept = &groups[first..last];
        let weight = groups.len() as i64 - below_point as i64 - first as i64 - 1;
        let weight = if kept.is_empty() { 0 } else { weight as i16 };
        let sign: u16 = if self.negative && !kept.is_empty() { 0x4000 } else { 0 };
        for word in [kept.len() as u16, weight as u16, sign, self.scale as u16] {
            out.extend_from_slice(&word.to_be_bytes());
        }
        kept.iter().for_each(|group| out.extend_from_slice(&group.to_be_bytes()));
    }

    /// Groups of four digits, and how many of them stand below the point.
    fn groups(&self) -> (Groups, usize) {
        let missing = (GROUP - self.scale % GROUP) % GROUP;
        let below_point = ((self.scale + missing) / GROUP) as usize;
        let lifted = match &self.magnitude {
            Magnitude::Short(magnitude) => magnitude.checked_mul(10u128.pow(missing)),
            Magnitude::Long(_) => None,
        };
        let mut groups = Groups { digits: [0; MOST_GROUPS], start: MOST_GROUPS };
        match lifted {
            Some(value) => {
                let mut high = value;
                while high > u128::from(u64::MAX) {
                    groups.push((high % 10_000) as u16);
                    high /= 10_000;
                }
                // Division of 64 bits is several times faster.
                let mut low = high as u64;
                while low > 0 {
                    groups.push((low % 10_000) as u16);
                    low /= 10_000;
                }
            }
            None => {
                let digits = self.text() + &"0".repeat(missing as usize);
                for group in digits.as_bytes().rchunks(GROUP as usize) {
                    groups.push(group.iter().fold(0, |group, digit| group * 10 + u16::from(digit - b'0')));
                }
            }
        }
        while groups.as_slice().len() < below_point {
            groups.push(0);
        }
        (groups, below_point)
    }
}

/// An Arrow decimal has at most 77 digits, and at most 127 of its decimals are zeros before them.
const MOST_GROUPS: usize = 64;

/// Filled from the lowest group.
struct Groups {
    digits: [u16; MOST_GROUPS],
    start: usize,
}

impl Groups {
    fn push(&mut self, group: u16) {
        self.start -= 1;
        self.digits[self.start] = group;
    }

    /// The highest first.
    fn as_slice(&self) -> &[u16] {
        &self.digits[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::Digits;
    use arrow::datatypes::i256;

    fn text(digits: &Digits) -> String {
        let mut text = String::new();
        digits.write_text(&mut text);
        text
    }

    fn words(digits: &Digits) -> Vec<u16> {
        let mut bytes = Vec::new();
        digits.write_binary(&mut bytes);
        bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
    }

    #[test]
    fn both_forms_of_some_numbers() {
        for (unscaled, scale, expected, wire) in [
            (0, 0, "0", vec![0, 0, 0, 0]),
            (0, 2, "0.00", vec![0, 0, 0, 2]),
            (-5, 3, "-0.005", vec![1, 0xFFFF, 0x4000, 3, 50]),
            (1234, 2, "12.34", vec![2, 0, 0, 2, 12, 3400]),
            (100_000_001, 8, "1.00000001", vec![3, 0, 0, 8, 1, 0, 1]),
            (100_020_000, 0, "100020000", vec![2, 2, 0, 0, 1, 2]),
            (1, 10, "0.0000000001", vec![1, 0xFFFD, 0, 10, 100]),
        ] {
            let digits = Digits::of(unscaled, scale);
            assert_eq!((text(&digits).as_str(), words(&digits)), (expected, wire), "{unscaled} at {scale}");
        }
    }

    #[test]
    fn a_number_beyond_128_bits_takes_the_long_way_to_the_same_form() {
        let power = |exponent| i256::from_i128(10).checked_pow(exponent).unwrap();
        let digits = Digits::of_wide(-power(60), 58);
        assert_eq!(text(&digits), format!("-100.{}", "0".repeat(58)));
        assert_eq!(words(&digits), [1, 0, 0x4000, 58, 100]);
        assert_eq!((digits.decimals(), digits.integer_digits()), (-2, 3));
        assert_eq!((Digits::of(12_300, 3).decimals(), Digits::of(12_300, 3).integer_digits()), (1, 2));
    }
}
