//! The tutorial, block by block, as it is pasted into a shell.

use std::{
    net::{SocketAddr, TcpListener},
    process::{Command, Stdio},
};

use aralau_tests::process::{binary, finish};

const TUTORIAL: &str = include_str!("../../docs/tutorial/first-visit.md");
/// Where `serve` listens unless it is told.
const PORT: &str = "127.0.0.1:8470";
const END: &str = "== ended with ";

fn blocks() -> Vec<&'static str> {
    let blocks = TUTORIAL.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().expect("a block ends")).collect()
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn the_tutorial_does_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let blocks = blocks();
    // The first one builds.
    let mut script = String::new();
    for block in &blocks[1..] {
        script += &format!("{block}ended=$?; echo; echo \"{END}$ended\"\n");
    }
    let listen = free().to_string();
    let path = folder.path().join("tutorial.sh");
    std::fs::write(&path, script.replace(PORT, &listen)).unwrap();
    let mut bash = Command::new("bash");
    // In place of the alias: a shell that only reads has none.
    let beside = binary().parent().unwrap().display();
    let path_with = format!("{beside}:{}", std::env::var("PATH").unwrap());
    bash.arg(&path).current_dir(folder.path()).env("ARALAU_LISTEN", &listen).env("PATH", path_with);
    bash.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = finish(bash);
    let said: Vec<_> = run.stdout.split(END).collect();
    assert_eq!(said.len(), blocks.len(), "{}{}", run.stdout, run.stderr);
    for (number, block) in blocks.iter().enumerate().skip(1) {
        let ended = said[number].lines().next().unwrap();
        // One sync is by itself, without a server.
        let is_alone = *block == "aralau device --home ./try/aigul sync\n";
        assert_eq!(ended, if is_alone { "1" } else { "0" }, "{block}{}{}", said[number - 1], run.stderr);
    }
    for sentence in ["(on this phone)", "(at headquarters)", "\"field\":\"outcome\"", "Шум по ночам", "refused"]
    {
        assert!(run.stdout.contains(sentence), "{sentence}: {}", run.stdout);
    }
    assert!(!folder.path().join("try").exists());
}
