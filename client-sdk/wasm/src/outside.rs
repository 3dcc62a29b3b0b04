//! A browser's clocks.

use aralau_client_sdk::{
    Millis, Seams,
    seams::{Clock, Entropy as _, SystemEntropy},
};
use aralau_sync_core::time::Monotonic;
use js_sys::{Date, Function, Reflect, global};
use wasm_bindgen::{JsCast as _, JsValue};

/// `Date.now()` and `performance.now()`. The latter may stand still while a phone sleeps, and is this worker's own.
struct BrowserClock {
    session: u64,
    performance: JsValue,
    now: Function,
}

pub(crate) fn seams() -> Result<Seams, JsValue> {
    let performance = Reflect::get(&global(), &"performance".into())?;
    let now = Reflect::get(&performance, &"now".into())?.dyn_into()?;
    let mut session = [0; 8];
    SystemEntropy.fill(&mut session);
    let clock = BrowserClock { session: u64::from_le_bytes(session), performance, now };
    Ok(Seams { clock: Box::new(clock), entropy: Box::new(SystemEntropy) })
}

impl Clock for BrowserClock {
    fn now(&self) -> Millis {
        // Whole milliseconds, far from where a float could not tell them apart.
        Millis(Date::now() as i64)
    }

    fn monotonic(&self) -> Monotonic {
        let ms = self.now.call0(&self.performance).ok().and_then(|ms| ms.as_f64()).unwrap_or_default();
        Monotonic { session: self.session, ms: ms as u64, counts_sleep: false }
    }

    /// A worker waits by its own timers: sessions tell it for how long.
    fn sleep(&self, _: u64) {}
}
