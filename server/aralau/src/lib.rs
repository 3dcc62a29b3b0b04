//! What `aralau` makes of files that people hand it. Pure: bytes in, a plan or a named refusal out.
//!
//! [`tables`] is an operator's own organisation, for `aralau admin load`; [`journal`] the visits that it made before, for
//! `aralau admin import`; [`import`] a table of past inspections, for `aralau demo --from`.

pub mod codes;
pub mod import;
pub mod journal;
pub mod tables;
