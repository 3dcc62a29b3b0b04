//! The documents, the merge, the streams and the sync protocol of Aralau, pure: no IO, no clock, no randomness.
//!
//! In reading order:
//! [`id`] and [`time`] name things; [`digest`] hashes them;
//! [`vocabulary`] holds the code lists;
//! [`change`] is one edit (its bytes, limits and local checks), [`document`] the changes of one document and the checks
//! that need its past, [`reading`] the value with every conflict.

pub mod id;
pub mod time;

pub mod digest;

pub mod change;
pub mod document;
pub mod reading;

pub mod vocabulary;
