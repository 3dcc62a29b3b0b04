//! The documents, the merge, the streams and the sync protocol of Aralau, pure: no IO, no clock, no randomness.
//!
//! In reading order:
//! - [`id`] and [`time`] name things; [`digest`] hashes them; [`cbor`] is how they travel.
//! - [`vocabulary`] holds the code lists, [`collation`] the order in which people read names and addresses.
//! - [`change`] is one edit (its bytes, limits and local checks), [`document`] the changes of one document and the checks
//!   that need its past, [`reading`] the value with every conflict, [`visit`] what the fields mean, [`names`]
//!   what they are called.
//! - [`stream`] is a replica's signed chain of entries, [`frame`] a run of it on its way to the server.
//! - [`log`] is what the server decided, row by row, [`merkle`] the tree over it, [`proof`] what shows a part of it to who
//!   has its root, [`receipt`] the signed root, [`epoch`] a span of it, [`directory`] the scope that says who is who,
//!   [`introduction`] and [`notice`] what the server says of it in writing.
//! - [`sync`] is the one request and answer; [`reconcile`] plans what becomes of each arriving entry.

pub mod id;
pub mod time;

pub mod cbor;
mod code;
pub mod digest;

pub mod collation;
pub mod vocabulary;

pub mod change;
pub mod document;
pub mod names;
pub mod reading;
pub mod visit;

pub mod fold;
pub mod frame;
pub mod stream;

pub mod directory;
pub mod epoch;
pub mod introduction;
mod links;
pub mod log;
pub mod merkle;
pub mod notice;
pub mod proof;
pub mod receipt;
mod word;

pub mod reason;
pub mod reconcile;
pub mod rights;
pub mod sync;

pub mod auth;
