//! Many executions of one target, numbered: the same number and corpus, the same input.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{Target, heap, mutate, passed_count};

/// How much.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Number of the first execution.
    pub first: u64,
    /// Executions, at most.
    pub count: u64,
    /// Time, at most.
    pub time: Option<Duration>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Report {
    /// Executions done.
    pub count: u64,
    /// Numbers of those that panicked.
    pub failed: Vec<u64>,
    /// Checks that something passed.
    pub passed: u64,
    /// The slowest.
    pub slowest: Duration,
    /// Number of the slowest.
    pub slowest_index: u64,
}

/// Where a target's corpus is.
pub fn corpus_folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// A target's committed cases, by name.
pub fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let Ok(folder) = fs::read_dir(corpus_folder(target)) else { return Vec::new() };
    let mut cases: Vec<_> = folder
        .map(|entry| {
            let path = entry.expect("a readable folder").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read(path).expect("a readable case"))
        })
        .collect();
    cases.sort();
    cases
}

/// Runs a target on one input, alone in the process. What it panicked with is told where the panic hook tells it.
pub fn holds(target: Target, input: &[u8]) -> bool {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_ok()
}

/// Runs it; what failed is also kept as files in `artifacts`.
pub fn run(target: Target, size: Size, artifacts: Option<&Path>) -> Report {
    let corpus: Vec<_> = corpus(target.name).into_iter().map(|(_, case)| case).collect();
    let (began, passed) = (Instant::now(), passed_count());
    let mut report =
        Report { count: 0, failed: Vec::new(), passed: 0, slowest: Duration::ZERO, slowest_index: size.first };
    while report.count < size.count && size.time.is_none_or(|time| began.elapsed() < time) {
        let index = size.first + report.count;
        let input = mutate::input(index, &corpus);
        let started = Instant::now();
        if !holds(target, &input) {
            eprintln!("execution {index} of {} failed", target.name);
            report.failed.push(index);
            if let Some(folder) = artifacts {
                fs::create_dir_all(folder).expect("a folder for artifacts");
                fs::write(folder.join(format!("{}-{index}", target.name)), &input).expect("an artifact");
            }
        }
        if started.elapsed() > report.slowest {
            (report.slowest, report.slowest_index) = (started.elapsed(), index);
        }
        report.count += 1;
    }
    report.passed = passed_count() - passed;
    report
}

impl Report {
    /// The campaign's line.
    pub fn line(&self, target: Target, first: u64) -> serde_json::Value {
        serde_json::json!({
            "campaign": format!("fuzz-{}", target.name),
            "first": first,
            "count": self.count,
            "failed": self.failed.len(),
            "passed_checks": self.passed,
            "most_heap_bytes": heap::most(),
            "slowest_ms": self.slowest.as_millis() as u64,
        })
    }
}
