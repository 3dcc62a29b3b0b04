//! The web apps' files, packed by `build.rs`.

use aralau_server::http::web::{Asset, WebApp};

/// The console of this build, or the page that says why there is none.
pub const CONSOLE: WebApp = WebApp::console(include!(concat!(env!("OUT_DIR"), "/console.rs")));

/// The inspectors' app of this build, or the page that says why there is none.
pub const FIELD: WebApp = WebApp::field(include!(concat!(env!("OUT_DIR"), "/field.rs")));
