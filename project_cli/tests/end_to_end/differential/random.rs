//! Chance that can be repeated.

/// SplitMix64: the same seed gives the same numbers on every machine.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// From 0 up to, not including, `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    pub(crate) fn between(&mut self, first: i64, last: i64) -> i64 {
        first + (self.bits() % (last.abs_diff(first) + 1)) as i64
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// Decimal digits.
    pub(crate) fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + self.below(10) as u8)).collect()
    }

    /// Up to `longest` characters, among them all that mean something to somebody.
    pub(crate) fn text(&mut self, longest: u64) -> String {
        const WHOLE: [&str; 5] = ["NULL", "\\N", "\\.", " ", "null"];
        const CHARACTERS: [char; 32] = [
            'a',
            'B',
            '7',
            ' ',
            '\'',
            '"',
            '\\',
            ',',
            ';',
            '(',
            ')',
            '[',
            ']',
            '{',
            '}',
            '=',
            '>',
            '<',
            '/',
            '%',
            '$',
            ':',
            '\t',
            '\n',
            '\r',
            '\u{1}',
            '\u{85}',
            'é',
            '\u{301}',
            '漢',
            '\u{feff}',
            '\u{1f600}',
        ];
        if longest > 3 && self.chance(10) {
            return self.pick(&WHOLE).to_owned();
        }
        let length = self.below(longest + 1);
        (0..length).map(|_| self.pick(&CHARACTERS)).collect()
    }
}
