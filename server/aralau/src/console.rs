//! The console's files, packed by `build.rs`.

use aralau_server::http::console::{Asset, Console};

/// The console of this build, or the page that says why there is none.
pub const CONSOLE: Console = Console::new(include!(concat!(env!("OUT_DIR"), "/console.rs")));
