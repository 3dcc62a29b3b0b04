//! What `aralau` makes of files that people hand it. Pure: bytes in, a plan or a named refusal out.
//!
//! [`journal`] are the visits that an operator's organisation made before, for `aralau admin import`; [`import`] is a table of past
//! inspections, for `aralau demo --from`. Both read their files by the server's [`tables`], as does `aralau admin load`.

pub mod codes;
pub mod import;
pub mod journal;

pub use aralau_server::tables;
