//! The server of Aralau: takes devices' entries in, keeps the one log, answers headquarters.
//!
//! In reading order: [`config`] is what an operator may set; [`app`] the state that handlers share; [`keys`] the
//! signatures; [`store`] the log and its projections (the only place with SQL that writes); [`query`] reads for
//! headquarters; [`auth`] who asks and [`authorize`] whether they may; [`http`] the whole interface; [`serve`] the
//! sockets.

pub mod app;
pub mod auth;
pub mod authorize;
pub mod compress;
pub mod device_auth;
pub mod http;
pub mod keys;
pub mod query;
pub mod serve;
pub mod store;
