//! What `aralau` makes of files that people hand it. Pure: bytes in, a plan or a named refusal out.
//!
//! [`tables`] is an operator's own organisation, for `aralau admin load`; [`import`] a table of past inspections, for
//! `aralau demo --from`.

pub mod import;
pub mod tables;
