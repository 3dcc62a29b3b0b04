//! Devices that lie, door by door, each with its named outcome, while the others work on.
//!
//! Everything that was measured to crash Automerge 0.12 is here under its own name, with the check that stops it:
//!
//! | Automerge | case | stopped by |
//! |---|---|---|
//! | does not verify the checksum | `no_flipped_bit_of_a_change…` | frames carry no checksum; `digest::change_hash` is computed from the body |
//! | hangs in 74 bytes that declare 10⁹ ops | "a billion declared ops" | `change::column::read_runs` |
//! | takes 481 MB for a deflated chunk of 97 KB | "a deflated chunk of a hundred megabytes" | `Change::from_body`: size, and no container |
//! | accepts a `start_op` near 2³², which breaks the next edit | "a start_op near 2^32" | `ChangeParts::check_counters` |
//! | panics on a first change with sequence 2 | "sequence 2 first" | `Document::check` |
//! | panics on an op on a missing object | "an op on an object that is not the root" | `change::decode`: columns |
//! | panics on an actor index out of range | "a predecessor by an actor that is not in the table" | `change::decode` |
//! | overflows its stack on 300 nested maps | "three hundred nested maps" | `change::decode`: columns |
//! | refuses the whole batch of an equivocation | "the same number for two changes" | `Document::check` |
//! | applies non-canonical encodings, and cannot load what it saved | "one run written as two" | `Change::from_body`: compared with our encoder |
//! | panics after sequence 2 without sequence 1 in its past | "a second change that leaves out the first" | `Document::check` |
//! | panics, in one order, on a predecessor outside of the past | "a predecessor outside of the past" | `Document::check_put` |
//! | cannot load what it saved after a predecessor that is no op | "a predecessor that is no op" | `Document::check_put` |
//! | carries extra bytes | "extra bytes", "a message", "a time" | `change::decode` |
//!
//! Its sync protocol, which ten bytes crash, is spoken by no part of this system.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the answer")]

mod bodies;
mod changes;
mod documents;
mod frames;
mod poison;
mod requests;
mod streams;

/// What the server may ever hold in memory here, in debug builds too: far below what any of these ask for.
const MAX_MEMORY_MIB: u64 = 200;
