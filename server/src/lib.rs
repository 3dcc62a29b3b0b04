//! The server of Aralau: takes devices' entries in, keeps the one log, answers headquarters.
//!
//! In reading order: [`settings`] is what an operator chooses; [`calendar`] what a day is; [`app`] the state that handlers share; [`entropy`] lets randomness in, [`keys`]
//! are the signatures; [`store`] the log and its
//! projections; [`tables`] an organisation as its operator hands it in; [`query`] reads for headquarters; [`auth`], [`session`] and [`device_auth`] who asks,
//! [`authorize`] whether they may and [`reach`] of which beats; [`compress`] and [`message`] take bodies apart; [`http`] is the whole interface; [`serve`] the sockets.

pub mod app;
pub mod area;
pub mod auth;
pub mod authorize;
pub mod calendar;
pub mod compress;
pub mod device_auth;
pub mod entropy;
pub mod http;
pub mod keys;
pub mod message;
pub mod query;
pub mod reach;
pub mod serve;
pub mod session;
pub mod settings;
pub mod store;
pub mod tables;
