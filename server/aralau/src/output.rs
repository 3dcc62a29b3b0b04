//! What a command says on stdout: lines for a person, or JSON for a script. A reader who has gone ends it quietly.

use std::io::Write as _;

use serde::Serialize;

/// Prints one line; ends the process quietly if nobody reads any more.
pub fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).is_err() {
        std::process::exit(0);
    }
}

/// Prints a value: as JSON on one line, or as `words` puts it.
pub fn show<T: Serialize>(json: bool, value: &T, words: impl FnOnce(&T) -> String) {
    if json {
        line(&serde_json::to_string(value).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}")));
    } else {
        line(&words(value));
    }
}

/// “1 note”, “2 notes”.
pub fn many(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Prints many values, one a line, or a sentence where there are none.
pub fn list<T: Serialize>(json: bool, values: &[T], none: &str, words: impl Fn(&T) -> String) {
    if values.is_empty() && !json {
        line(none);
    }
    for value in values {
        show(json, value, &words);
    }
}
