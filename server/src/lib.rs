//! The server of Aralau: takes devices' entries in, keeps the one log, answers headquarters.
//!
//! In reading order: [`app`] is the state that handlers share; [`entropy`] lets randomness in, [`keys`]
//! are the signatures; [`store`] the log and its
//! projections; [`query`] reads for headquarters; [`auth`] and [`device_auth`] who asks (tokens have their table there) and
//! [`authorize`] whether they may; [`compress`] and [`message`] take bodies apart; [`http`] is the whole interface; [`serve`] the sockets.

pub mod app;
pub mod auth;
pub mod authorize;
pub mod compress;
pub mod device_auth;
pub mod entropy;
pub mod http;
pub mod keys;
pub mod message;
pub mod query;
pub mod serve;
pub mod store;
