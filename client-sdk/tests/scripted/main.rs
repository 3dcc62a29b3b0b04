//! Devices against a scripted server: every fault of line, server and store that a sync has to survive.

mod certificate;
mod chaos;
mod drafts;
mod outlines;
mod restores;
mod roll;
mod round;
mod server;
mod sessions;
mod sync;
mod trust;
mod vector;
