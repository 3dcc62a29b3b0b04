//! What happens to the two stores when their disks fail: the same day at the same office, over and over, with another
//! disk operation failing each time.
//!
//! [`office`] is a server and three phones in one process, joined by a [`line`](mod@line) without a network; [`script`] is their
//! day. [`model`] notes what was acknowledged, from the outside, and judges what is found. [`course`] runs the day under
//! one failure, [`copied`] puts a copy made in the middle of writing in the database's place, [`run`] does it many times.

pub mod copied;
pub mod course;
pub mod line;
pub mod model;
pub mod office;
pub mod run;
pub mod script;
