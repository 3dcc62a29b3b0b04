//! The primitives of Automerge's column format: LEB128 numbers and run-length encoded columns.
//!
//! Reading is bounded: what a column *declares* is summed before anything is expanded, so a few bytes that declare
//! 10⁹ values cost nothing. No column of this profile holds nulls.

use super::ChangeError;

/// Bytes, read from the front.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn take(&mut self, count: u64) -> Result<&'a [u8], ChangeError> {
        let count = usize::try_from(count).map_err(|_| ChangeError::Truncated)?;
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(ChangeError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], ChangeError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(ChangeError::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(super) fn unsigned(&mut self) -> Result<u64, ChangeError> {
        let (bits, _) = self.leb128()?;
        u64::try_from(bits).map_err(|_| ChangeError::Malformed)
    }

    pub(super) fn signed(&mut self) -> Result<i64, ChangeError> {
        let (bits, width) = self.leb128()?;
        let spare = i128::BITS - width;
        let number = (bits as i128) << spare >> spare;
        i64::try_from(number).map_err(|_| ChangeError::Malformed)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, ChangeError> {
        let length = self.unsigned()?;
        std::str::from_utf8(self.take(length)?).map_err(|_| ChangeError::Malformed)
    }

    /// The payload bits and their number. Ten bytes hold 64 bits; that no shorter form exists is left to the
    /// comparison with our own encoder.
    fn leb128(&mut self) -> Result<(u128, u32), ChangeError> {
        let mut bits = 0;
        for width in (0..70).step_by(7) {
            let [byte] = self.array()?;
            bits |= u128::from(byte & 0x7f) << width;
            if byte & 0x80 == 0 {
                return Ok((bits, width + 7));
            }
        }
        Err(ChangeError::Malformed)
    }
}

pub(super) fn write_unsigned(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

pub(super) fn write_signed(out: &mut Vec<u8>, mut number: i64) {
    while !(-0x40..0x40).contains(&number) {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0] & 0x7f);
}

pub(super) fn write_text(out: &mut Vec<u8>, text: &str) {
    write_unsigned(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// The same value a number of times.
pub(super) struct Run<T> {
    pub(super) count: u64,
    pub(super) value: T,
}

/// The runs of a column whose values number at most `most`; more are `excess`.
pub(super) fn read_runs<'a, T>(
    column: &'a [u8],
    most: u64,
    excess: ChangeError,
    mut read: impl FnMut(&mut Reader<'a>) -> Result<T, ChangeError>,
) -> Result<Vec<Run<T>>, ChangeError> {
    let mut reader = Reader::new(column);
    let mut runs = Vec::new();
    let mut total = 0_u64;
    while !reader.is_empty() {
        let header = reader.signed()?;
        total = total.saturating_add(header.unsigned_abs());
        if total > most {
            return Err(excess);
        }
        match header {
            0 => return Err(ChangeError::Malformed),
            1.. => runs.push(Run { count: header.unsigned_abs(), value: read(&mut reader)? }),
            ..0 => {
                for _ in 0..header.unsigned_abs() {
                    runs.push(Run { count: 1, value: read(&mut reader)? });
                }
            }
        }
    }
    Ok(runs)
}

pub(super) fn total<T>(runs: &[Run<T>]) -> u64 {
    runs.iter().map(|run| run.count).sum()
}

/// Exactly `expected` values, expanded only once their number is known.
pub(super) fn read_values<'a, T: Clone>(
    column: &'a [u8],
    expected: u64,
    read: impl FnMut(&mut Reader<'a>) -> Result<T, ChangeError>,
) -> Result<Vec<T>, ChangeError> {
    let runs = read_runs(column, expected, ChangeError::Malformed, read)?;
    if total(&runs) != expected {
        return Err(ChangeError::Malformed);
    }
    Ok(runs.iter().flat_map(|run| (0..run.count).map(|_| run.value.clone())).collect())
}

/// Values as Automerge writes them: two or more equal ones are a run, everything between runs is one literal.
pub(super) fn write_values<T: PartialEq>(out: &mut Vec<u8>, values: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) {
    let groups: Vec<&[T]> = values.chunk_by(|a, b| a == b).collect();
    for stretch in groups.chunk_by(|a, b| a.len() == 1 && b.len() == 1) {
        let lone = stretch[0].len() == 1;
        let count = if lone { stretch.len() } else { stretch[0].len() } as i64;
        write_signed(out, if lone { -count } else { count });
        for group in stretch {
            write(out, &group[0]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_declared_billion_is_refused_without_being_expanded() {
        let mut column = Vec::new();
        write_signed(&mut column, 1_000_000_000);
        write_unsigned(&mut column, 1);
        let runs = read_runs(&column, 5_000, ChangeError::TooManyOps, Reader::unsigned);
        assert_eq!(runs.err(), Some(ChangeError::TooManyOps));
    }

    proptest! {
        #[test]
        fn numbers_read_back(unsigned: u64, signed: i64, shift in 0_u32..64) {
            let (unsigned, signed) = (unsigned >> shift, signed >> shift);
            let mut bytes = Vec::new();
            write_unsigned(&mut bytes, unsigned);
            write_signed(&mut bytes, signed);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.unsigned(), Ok(unsigned));
            prop_assert_eq!(reader.signed(), Ok(signed));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn columns_read_back(values in prop::collection::vec(0_u64..3, 0..40)) {
            let mut column = Vec::new();
            write_values(&mut column, &values, |out, value| write_unsigned(out, *value));
            prop_assert_eq!(read_values(&column, values.len() as u64, Reader::unsigned), Ok(values));
        }
    }
}
