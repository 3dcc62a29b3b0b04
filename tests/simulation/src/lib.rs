//! A whole deployment as a deterministic simulation: one seed, one world, every invariant judged.
//!
//! In reading order:
//! - [`world`] is the simulation: phones, server and operators at work, what goes wrong, and how it heals; [`plan`] what
//!   happens how often, [`seats`] what cannot happen yet.
//! - [`phone`] is the real Client SDK over its real store ([`fragile`]: until the battery dies), [`server`] the real
//!   server, called in-process; [`line`](mod@line) what is under way between them; [`hostile`] a device that lies; [`time`] the clocks and the dice.
//! - [`model`] is what truly happened; [`transcript`] and [`note`] read log and receipts with eyes of their own;
//!   [`judges`] compare.
//! - [`trace`] tells it, [`tape`] keeps what a phone did for other builds of the client, and [`campaign`] runs many seeds.

pub mod campaign;
pub mod world;

pub mod plan;
pub mod seats;

pub mod cost;
pub mod fragile;
pub mod hostile;
pub mod line;
pub mod phone;
pub mod server;
pub mod time;

pub mod model;
pub mod note;
pub mod transcript;

pub mod judges;

pub mod tape;
pub mod trace;
