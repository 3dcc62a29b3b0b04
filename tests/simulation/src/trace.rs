//! What happened, a line a step: the same for the same seed, and readable.

use std::fmt::Display;

use crate::transcript::sha256;

/// See the module.
#[derive(Debug, Default)]
pub struct Trace {
    lines: Vec<String>,
    shown: bool,
}

impl Trace {
    /// Printed as it goes, or only kept.
    pub const fn new(shown: bool) -> Self {
        Self { lines: Vec::new(), shown }
    }

    /// One more line.
    pub fn say(&mut self, at: i64, who: impl Display, what: impl Display) {
        let line = format!("{:>5} {at:>13} {who}: {what}", self.lines.len() + 1);
        if self.shown {
            println!("{line}");
        }
        self.lines.push(line);
    }

    /// All lines.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Names the whole of it.
    pub fn digest(&self) -> String {
        let all = self.lines.join("\n");
        sha256(&[all.as_bytes()])[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
