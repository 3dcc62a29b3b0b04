//! Deterministic CBOR (RFC 8949 §4.2.1): `minicbor` reads and writes, this module refuses what is not in that form.
//!
//! A message is a CBOR sequence whose items are byte strings, each holding one encoded item. The length stands first, so
//! a reader can bound an item before it reads or allocates anything for it.

use minicbor::{Decode, Encode};

/// Containers nested deeper than this are refused: nothing of ours needs more.
const MAX_DEPTH: usize = 16;

/// Why bytes are not one deterministic CBOR item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CborError {
    /// Ended in the middle of an item.
    #[error("the CBOR is cut short")]
    Truncated,
    /// A length or number not in its shortest form, an indefinite length, or unsorted or repeated map keys.
    #[error("the CBOR is not in deterministic form")]
    NotDeterministic,
    /// Containers nested too deep.
    #[error("the CBOR is nested too deep")]
    TooDeep,
    /// Bytes after the item.
    #[error("there are bytes after the CBOR item")]
    Trailing,
    /// An item longer than its reader allows.
    #[error("the CBOR item is too long")]
    TooLong,
    /// Well formed, but not of the expected shape.
    #[error("the CBOR is not of the expected shape")]
    Shape,
}

/// Encodes one value; infallible, since the target is memory.
pub fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    #[expect(
        clippy::expect_used,
        reason = "writing into a Vec cannot fail and our encoders raise no errors of their own"
    )]
    minicbor::encode(value, &mut bytes).expect("encoding into memory");
    bytes
}

/// Decodes exactly one deterministic item.
pub fn decode<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, CborError> {
    check(bytes)?;
    minicbor::decode(bytes).map_err(|_| CborError::Shape)
}

/// Checks that `bytes` are exactly one item in deterministic form.
pub fn check(bytes: &[u8]) -> Result<(), CborError> {
    match skip(bytes, 0)? {
        [] => Ok(()),
        _ => Err(CborError::Trailing),
    }
}

fn skip(bytes: &[u8], depth: usize) -> Result<&[u8], CborError> {
    if depth > MAX_DEPTH {
        return Err(CborError::TooDeep);
    }
    let (major, argument, rest) = head(bytes)?;
    match major {
        0 | 1 => Ok(rest),
        2 | 3 => {
            let length = usize::try_from(argument).map_err(|_| CborError::Truncated)?;
            rest.get(length..).ok_or(CborError::Truncated)
        }
        4 => (0..argument).try_fold(rest, |rest, _| skip(rest, depth + 1)),
        5 => skip_map(rest, argument, depth),
        6 => skip(rest, depth + 1),
        _ => Ok(rest),
    }
}

fn skip_map(mut rest: &[u8], pairs: u64, depth: usize) -> Result<&[u8], CborError> {
    let mut previous: Option<&[u8]> = None;
    for _ in 0..pairs {
        let after = skip(rest, depth + 1)?;
        let key = &rest[..rest.len() - after.len()];
        if previous.is_some_and(|previous| previous >= key) {
            return Err(CborError::NotDeterministic);
        }
        previous = Some(key);
        rest = skip(after, depth + 1)?;
    }
    Ok(rest)
}

/// Major type, argument and what follows an item's head.
fn head(bytes: &[u8]) -> Result<(u8, u64, &[u8]), CborError> {
    let (&first, rest) = bytes.split_first().ok_or(CborError::Truncated)?;
    let (major, info) = (first >> 5, first & 31);
    let width = match info {
        0..=23 => return Ok((major, u64::from(info), rest)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return Err(CborError::NotDeterministic),
    };
    let (argument, rest) = rest.split_at_checked(width).ok_or(CborError::Truncated)?;
    let argument = argument.iter().fold(0, |sum, &byte| (sum << 8) | u64::from(byte));
    // Major type 7 holds floats and simple values, whose width is their type.
    let smallest = [24, 1 << 8, 1 << 16, 1 << 32][width.trailing_zeros() as usize];
    if major != 7 && argument < smallest {
        return Err(CborError::NotDeterministic);
    }
    Ok((major, argument, rest))
}

/// Appends `item` to a message.
pub fn push_item(message: &mut Vec<u8>, item: &[u8]) {
    message.extend(encode::<&minicbor::bytes::ByteSlice>(&item.into()));
}

/// Takes a message apart while it arrives: bytes in, items out, each bounded before it is awaited.
#[derive(Debug)]
pub struct ItemReader {
    buffer: Vec<u8>,
    max_item_bytes: usize,
}

impl ItemReader {
    /// A reader that refuses items longer than `max_item_bytes`.
    pub fn new(max_item_bytes: usize) -> Self {
        Self { buffer: Vec::new(), max_item_bytes }
    }

    /// Hands over what arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next complete item, or `None` until more arrives.
    pub fn next_item(&mut self) -> Result<Option<Vec<u8>>, CborError> {
        let (length, head_len) = match head(&self.buffer) {
            Ok((2, length, rest)) => (length, self.buffer.len() - rest.len()),
            Ok(_) => return Err(CborError::Shape),
            Err(CborError::Truncated) => return Ok(None),
            Err(error) => return Err(error),
        };
        let length = usize::try_from(length).map_err(|_| CborError::TooLong)?;
        if length > self.max_item_bytes {
            return Err(CborError::TooLong);
        }
        if self.buffer.len() < head_len + length {
            return Ok(None);
        }
        let rest = self.buffer.split_off(head_len + length);
        let mut item = std::mem::replace(&mut self.buffer, rest);
        item.drain(..head_len);
        Ok(Some(item))
    }

    /// Whether everything that arrived has been taken out: false means that the message was cut.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }
}

/// All items of a complete message.
pub fn items(message: &[u8], max_item_bytes: usize) -> Result<Vec<Vec<u8>>, CborError> {
    let mut reader = ItemReader::new(max_item_bytes);
    reader.push(message);
    let mut items = Vec::new();
    while let Some(item) = reader.next_item()? {
        items.push(item);
    }
    if reader.is_empty() { Ok(items) } else { Err(CborError::Truncated) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_shortest_form_with_sorted_unique_keys_passes() {
        let good: &[&[u8]] = &[&[0x17], &[0x18, 0x18], &[0xa2, 1, 2, 2, 3], &[0x82, 1, 0x41, 0], &[0xf6], &[0xf5]];
        for bytes in good {
            assert_eq!(check(bytes), Ok(()), "{bytes:02x?}");
        }
        let refused: &[(&[u8], CborError)] = &[
            (&[0x18, 0x17], CborError::NotDeterministic),
            (&[0x19, 0, 0xff], CborError::NotDeterministic),
            (&[0x9f, 0xff], CborError::NotDeterministic),
            (&[0xa2, 1, 2, 1, 3], CborError::NotDeterministic),
            (&[0xa2, 2, 2, 1, 3], CborError::NotDeterministic),
            (&[0x82, 1], CborError::Truncated),
            (&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], CborError::Truncated),
            (&[1, 1], CborError::Trailing),
            (&[0x81; 40], CborError::TooDeep),
        ];
        for (bytes, error) in refused {
            assert_eq!(check(bytes), Err(*error), "{bytes:02x?}");
        }
    }

    #[test]
    fn items_come_out_whole_however_the_message_is_cut_up() {
        let mut message = Vec::new();
        push_item(&mut message, b"one");
        push_item(&mut message, &[9; 300]);
        let mut reader = ItemReader::new(300);
        let mut seen = Vec::new();
        for byte in &message {
            reader.push(std::slice::from_ref(byte));
            seen.extend(reader.next_item().expect("well formed"));
        }
        assert_eq!(seen, [b"one".to_vec(), vec![9; 300]]);
        assert!(reader.is_empty());
        assert_eq!(items(&message, 299), Err(CborError::TooLong));
        assert_eq!(items(&message[..20], 300), Err(CborError::Truncated));
    }
}
