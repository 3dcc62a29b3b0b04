//! The demonstration: a data set of real inspections, relived by simulated phones.

// Until the `demo` command calls it.
#![allow(dead_code)]

pub mod import;
