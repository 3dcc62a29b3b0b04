//! What this process has cost so far, from `/proc`.

use anyhow::{Context as _, Result};

/// Of `/proc/self/stat`; ten milliseconds on every Linux.
const TICK_MS: f64 = 10.0;

/// User and system time of all threads, in milliseconds.
pub fn total_ms() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name in brackets may hold spaces; after it come the numbered fields from the third on.
    let fields: Vec<&str> = stat.rsplit_once(") ").context("/proc/self/stat")?.1.split(' ').collect();
    let ticks = |field: usize| fields.get(field - 3).and_then(|text| text.parse::<f64>().ok());
    Ok((ticks(14).context("utime")? + ticks(15).context("stime")?) * TICK_MS)
}

/// The most memory it ever held.
pub fn peak_rss_mb() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
}
