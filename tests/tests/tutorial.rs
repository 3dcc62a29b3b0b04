//! The tutorial and the evaluator's hour, block by block, as they are pasted into a shell.

use std::{
    net::{SocketAddr, TcpListener},
    process::{Command, Stdio},
};

use aralau_tests::process::{Run, binary, finish};

const TUTORIAL: &str = include_str!("../../docs/tutorial/first-visit.md");
const EVALUATION: &str = include_str!("../../docs/how-to/evaluate.md");
/// Where `serve` listens unless it is told.
const PORT: &str = "127.0.0.1:8470";
const END: &str = "== ended with ";

fn blocks(page: &'static str) -> Vec<&'static str> {
    let blocks = page.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().expect("a block ends")).collect()
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Pastes the blocks into one shell, each of which has to end with 0 unless `is_failing` says 1. They leave nothing in the
/// folder `left`.
fn paste(blocks: &[&str], is_failing: impl Fn(&str) -> bool, left: &str) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let mut script = String::new();
    for block in blocks {
        script += &format!("{block}ended=$?; echo; echo \"{END}$ended\"\n");
    }
    let listen = free().to_string();
    let path = folder.path().join("page.sh");
    std::fs::write(&path, script.replace(PORT, &listen)).unwrap();
    let mut bash = Command::new("bash");
    // In place of the alias: a shell that only reads has none.
    let beside = binary().parent().unwrap().display();
    let path_with = format!("{beside}:{}", std::env::var("PATH").unwrap());
    bash.arg(&path).current_dir(folder.path()).env("ARALAU_LISTEN", &listen).env("PATH", path_with);
    bash.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = finish(bash);
    let said: Vec<_> = run.stdout.split(END).collect();
    assert_eq!(said.len(), blocks.len() + 1, "{}{}", run.stdout, run.stderr);
    for (number, block) in blocks.iter().enumerate() {
        let ended = said[number + 1].lines().next().unwrap();
        assert_eq!(ended, if is_failing(block) { "1" } else { "0" }, "{block}{}{}", said[number], run.stderr);
    }
    assert!(!folder.path().join(left).exists());
    run
}

#[test]
fn the_tutorial_does_what_it_says() {
    // The first block builds. One sync is by itself, without a server.
    let run = paste(&blocks(TUTORIAL)[1..], |block| block == "aralau device --home ./try/aigul sync\n", "try");
    for sentence in ["(on this phone)", "(at headquarters)", "\"field\":\"outcome\"", "Шум по ночам", "refused"]
    {
        assert!(run.stdout.contains(sentence), "{sentence}: {}", run.stdout);
    }
}

#[test]
fn the_evaluators_hour_does_what_it_says() {
    let run = paste(&blocks(EVALUATION), |_| false, "trial");
    for sentence in [
        "lost 0",
        "2 notes, 1 in conflict",
        "streams and 83 documents checked.",
        "a new epoch begins",
        "\n12\n",
        "ended with 3",
        "nothing was loaded",
        "New: 0 beats, 2 places, 0 people.",
        "Визит 10",
    ] {
        assert!(run.stdout.contains(sentence), "{sentence}: {}{}", run.stdout, run.stderr);
    }
}
