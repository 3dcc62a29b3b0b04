//! What is under way between phones and server. Nothing here is lost, doubled or late by itself: the world does that.

use std::collections::BTreeMap;

use aralau_client_sdk::{HttpRequest, HttpResponse};

use crate::phone::PhoneNo;

/// A request that has left its phone.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Names it.
    pub number: u64,
    /// Whose.
    pub from: PhoneNo,
    /// What.
    pub request: HttpRequest,
}

/// An answer that has left the server.
#[derive(Debug, Clone)]
pub struct Answered {
    /// To which request.
    pub number: u64,
    /// Whose.
    pub to: PhoneNo,
    /// What.
    pub response: HttpResponse,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Line {
    /// On their way up, in order of sending.
    pub requests: Vec<Sent>,
    /// On their way down.
    pub answers: Vec<Answered>,
    /// The last answer that reached each phone.
    pub earlier: BTreeMap<PhoneNo, HttpResponse>,
    sent: u64,
}

impl Line {
    /// A request leaves; its number.
    pub fn send(&mut self, from: PhoneNo, request: HttpRequest) -> u64 {
        self.sent += 1;
        self.requests.push(Sent { number: self.sent, from, request });
        self.sent
    }

    /// Nothing is under way any more.
    pub fn clear(&mut self) {
        self.requests.clear();
        self.answers.clear();
    }
}

/// Where a zstd stream's blocks begin and end: what a broken line leaves of a request is the same for the same seed,
/// although signatures, and with them lengths, are not.
pub fn block_ends(body: &[u8]) -> Vec<usize> {
    const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    let Some(&descriptor) = body.strip_prefix(&MAGIC).and_then(|rest| rest.first()) else { return Vec::new() };
    let single_segment = descriptor & 0x20 != 0;
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let content_size = [usize::from(single_segment), 2, 4, 8][usize::from(descriptor >> 6)];
    let mut at = 5 + usize::from(!single_segment) + dictionary + content_size;
    let mut ends = vec![at];
    while let Some(head) = body.get(at..at + 3) {
        let head = usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16;
        let size = if head >> 1 & 3 == 1 { 1 } else { head >> 3 };
        at += 3 + size;
        ends.push(at.min(body.len()));
        if head & 1 == 1 {
            break;
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn each_flush_ends_a_block_and_the_last_one_ends_the_stream() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        let mut flushed = Vec::new();
        for n in 0..5u8 {
            encoder.write_all(&[n; 100]).unwrap();
            encoder.flush().unwrap();
            flushed.push(encoder.get_ref().len());
        }
        let body = encoder.finish().unwrap();
        let ends = block_ends(&body);
        assert!(flushed.iter().all(|flush| ends.contains(flush)), "{flushed:?} {ends:?}");
        assert_eq!(ends.last(), Some(&body.len()));
    }
}
