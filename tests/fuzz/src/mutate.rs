//! Inputs from a number: random bytes, or a case of the corpus with a few things changed.

use aralau_tests::chance::Chance;

/// What an execution draws.
#[derive(Debug, Clone)]
pub struct Draw(Chance);

impl Draw {
    /// The stream of one execution.
    pub fn of(index: u64) -> Self {
        let mut chance = Chance::of(index.wrapping_mul(0xd134_2543_de82_ef95) ^ 0x5851_f42d_4c95_7f2d);
        chance.bits();
        Self(chance)
    }

    fn bits(&mut self) -> u64 {
        self.0.bits()
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0.below(limit as u64) as usize
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.bits() as u8).collect()
    }
}

/// Longest random input.
const MAX_RANDOM_BYTES: usize = 1_200;

/// The input of an execution.
pub fn input(index: u64, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut chance = Draw::of(index);
    if corpus.is_empty() || chance.below(3) == 0 {
        let length = chance.below(MAX_RANDOM_BYTES);
        return chance.bytes(length);
    }
    let mut input = corpus[chance.below(corpus.len())].clone();
    for _ in 0..=chance.below(6) {
        mutate(&mut input, corpus, &mut chance);
    }
    input
}

fn mutate(input: &mut Vec<u8>, corpus: &[Vec<u8>], chance: &mut Draw) {
    const ODD: [u8; 10] = [0, 1, 0x17, 0x18, 0x1b, 0x7f, 0x80, 0x9f, 0xf6, 0xff];
    if input.is_empty() {
        *input = chance.bytes(16);
        return;
    }
    let at = chance.below(input.len());
    match chance.below(8) {
        0 => input[at] ^= 1 << chance.below(8),
        1 => input[at] = chance.bits() as u8,
        2 => input[at] = ODD[chance.below(ODD.len())],
        3 => input.insert(at, ODD[chance.below(ODD.len())]),
        4 => drop(input.remove(at)),
        5 => input.truncate(at),
        6 => {
            let length = chance.below(64);
            let bytes = chance.bytes(length);
            input.splice(at..at, bytes);
        }
        _ => {
            let other = &corpus[chance.below(corpus.len())];
            let from = chance.below(other.len() + 1);
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
    }
}
