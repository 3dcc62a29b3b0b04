//! What a process has cost so far, from Linux' `/proc`.

use std::fs;

/// Of `/proc/<id>/stat`; ten milliseconds on every Linux.
const TICK_MS: f64 = 10.0;

/// User and system time of all its threads, in milliseconds.
pub fn cpu_ms(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("Linux");
    // The name in brackets may hold spaces; after it come the numbered fields from the third on.
    let fields: Vec<&str> = stat.rsplit_once(") ").expect("a name").1.split(' ').collect();
    let ticks = |field: usize| fields[field - 3].parse::<f64>().expect("ticks");
    (ticks(14) + ticks(15)) * TICK_MS
}

/// The most memory it ever held, in MiB.
pub fn peak_memory_mib(process: u32) -> u64 {
    memory_kib(process, "VmHWM:") / 1024
}

/// The memory it holds now, in MiB.
pub fn memory_mib(process: u32) -> u64 {
    memory_kib(process, "VmRSS:") / 1024
}

fn memory_kib(process: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("it says so");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
