//! The world that the end-to-end tests live in: the real binary in real processes, real phones, real lines that break.
//!
//! - [`process`] starts `aralau`: one command, or a server that can be killed and brought back.
//! - [`world`] is an organisation in a fresh folder with a running server; [`headquarters`] asks it what it holds.
//! - [`phone`] is an inspector's device, by the command line or by the Client SDK.
//! - [`relay`] is a line that cuts and stalls; [`rogue`] a device that signs whatever it likes, and [`forge`] its tools.
//! - [`chance`] is randomness from a seed that is printed; [`cost`] what a process has taken of the machine.

pub mod chance;
pub mod cost;
pub mod forge;
pub mod headquarters;
pub mod phone;
pub mod process;
pub mod relay;
pub mod rogue;
pub mod world;
