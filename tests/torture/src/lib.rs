//! The campaigns: what is tried thousands of times because once proves little.
//!
//! - [`campaign`] is how every campaign is sized, seeded and counted, and [`parts`] which there are, here and elsewhere.
//! - [`kill`] ends servers and phones at any moment; [`line`](mod@line) has phones sync over lines that break and lie.
//! - [`load`] asks for more than the server is made for, [`soak`] for longer; [`crowd`] is who asks; [`rogue`] is one who would
//!   have all of it.
//! - [`ledger`] keeps what was done, and shows its sums in the documentation.
//!
//! Each has a small size that runs as an ordinary test, in `tests/` beside this. `./dev torture` runs all of them longer.

pub mod campaign;
pub mod crowd;
pub mod kill;
pub mod ledger;
pub mod line;
pub mod load;
pub mod parts;
pub mod rogue;
pub mod soak;
