//! A disk that fails on command, under SQLite and under the server's own files.
//!
//! [`Disk`] is a disk in memory. SQLite reaches it as a file system of its own ([`Disk::vfs`]), the server's store through
//! its seam (`aralau_server::store::Disk`). It counts every [`Operation`], fails the one that it is told to ([`Plan`]),
//! and knows for each byte and each name whether it has reached the medium: when the power is cut, what has not is kept,
//! dropped or torn by a seeded choice. `README.md` says what is assumed.
//!
//! Read [`fault`], `medium`, `lock`, then `vfs`, where SQLite comes in.

pub mod campaign;
mod disk;
pub mod fault;
mod files;
mod lock;
mod medium;
mod state;
mod vfs;

pub use disk::Disk;
pub use fault::{Failure, Operation, Plan};
