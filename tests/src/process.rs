//! The real binary in processes of its own.
//!
//! The binary is built by `cargo build --bin aralau`, once per test process, so that no test ever runs an old one
//! (`CARGO_BIN_EXE_…` exists only for the tests of the binary's own package). `ARALAU_BINARY` names another one.

use std::{
    ffi::{OsStr, OsString},
    io::{BufRead as _, BufReader, Read},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU16, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use ureq::{Agent, tls::TlsConfig};

use crate::cost;

/// A command that takes longer hangs.
const COMMAND_DEADLINE: Duration = Duration::from_secs(300);
/// A server that takes longer to begin hangs.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// The binary under test.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| std::env::var_os("ARALAU_BINARY").map_or_else(build, PathBuf::from))
}

fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // The whole workspace, so that dependencies have the features that they had for the tests, and are not built twice.
    command.args(["build", "--quiet", "--workspace", "--bin", "aralau"]);
    command.args(["--message-format", "json-render-diagnostics"]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    // Of the checkout whose tests run, which need not be the one where this was compiled: target folders get copied.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let output = command.current_dir(here).stderr(Stdio::inherit()).output().expect("cargo starts");
    assert!(output.status.success(), "`cargo build --bin aralau` failed");
    let built = String::from_utf8_lossy(&output.stdout).lines().filter_map(executable).next_back();
    built.expect("cargo names the executable")
}

fn executable(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    message["executable"].as_str().map(PathBuf::from)
}

/// What a command came to.
#[derive(Debug)]
pub struct Run {
    /// How it ended.
    pub status: ExitStatus,
    /// What it answered.
    pub stdout: String,
    /// What it said beside.
    pub stderr: String,
}

/// The text that each object has under a name.
#[track_caller]
pub fn texts(values: &[Value], name: &str) -> Vec<String> {
    values.iter().map(|value| value[name].as_str().unwrap_or_else(|| panic!("{name}: {value}")).to_owned()).collect()
}

impl Run {
    /// It must have succeeded.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.status.success(), "{}: {}{}", self.status, self.stdout, self.stderr);
        self
    }

    /// Its stdout as JSON, one object a line.
    #[track_caller]
    pub fn lines(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(parse).collect()
    }

    /// The one object on stdout.
    #[track_caller]
    pub fn object(&self) -> Value {
        let lines = self.lines();
        assert_eq!(lines.len(), 1, "{}{}", self.stdout, self.stderr);
        lines.into_iter().next().expect("one line")
    }

    /// It must have failed as the contract has it: non-zero, one sentence on stderr with its stable code, the same as one
    /// JSON object on stdout. Returns the code.
    #[track_caller]
    pub fn failed(&self) -> String {
        assert!(!self.status.success(), "it succeeded: {}", self.stdout);
        assert!(self.status.code().is_some(), "a signal ended it: {}", self.status);
        let error = &self.object()["error"];
        let (code, message) = (error["code"].as_str().expect("a code"), error["message"].as_str().expect("a sentence"));
        let last = self.stderr.lines().last().unwrap_or_default();
        assert_eq!(last, format!("aralau: {message} [{code}]"));
        assert!(code.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_'), "{code}");
        assert!(message.len() > 8, "not a sentence: {message}");
        code.to_owned()
    }
}

/// A command of the binary, not yet started, without this process' own settings.
pub fn command<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(binary());
    for name in ["ARALAU_DATA", "ARALAU_LISTEN", "ARALAU_LOG", "ARALAU_LOG_JSON", "ARALAU_HOME"] {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs `aralau` with these arguments to its end.
#[track_caller]
pub fn aralau<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Run {
    finish(command(arguments))
}

/// Runs a command to its end, which must come within five minutes.
#[track_caller]
pub fn finish(mut command: Command) -> Run {
    let mut child = command.spawn().expect("it starts");
    let stdout = read_all(child.stdout.take().expect("piped"));
    let stderr = read_all(child.stderr.take().expect("piped"));
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("it can be waited for") {
            break status;
        }
        if started.elapsed() > COMMAND_DEADLINE {
            drop(child.kill());
            panic!("it hangs: {command:?}");
        }
        thread::sleep(Duration::from_millis(3));
    };
    Run { status, stdout: stdout.join().expect("read"), stderr: stderr.join().expect("read") }
}

fn read_all(mut from: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        drop(from.read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Waits until something is so; panics if that takes longer than half a minute.
#[track_caller]
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < START_DEADLINE, "never came true: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A running `aralau serve`, killed when dropped.
#[derive(Debug)]
pub struct Server {
    /// Its data folder.
    pub data: PathBuf,
    /// Where it listens.
    pub address: SocketAddr,
    scheme: String,
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Server {
    /// On any free port.
    pub fn start(data: &Path) -> Self {
        Self::start_at(data, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }

    /// On a port that it can come back to: outside of the range from which the system takes the ports of clients, one of
    /// which could otherwise sit on it while the server is away.
    pub fn start_to_return(data: &Path) -> Self {
        static TAKEN: AtomicU16 = AtomicU16::new(0);
        let process = (std::process::id() as u16).wrapping_mul(37);
        // No port twice: while its server is away, another test would find it free.
        let ports = std::iter::repeat_with(|| process.wrapping_add(TAKEN.fetch_add(17, Ordering::Relaxed)));
        let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
        let mut ports = ports.map(|number| 12_000 + number % 18_000).take(500);
        let port = ports.find(is_free).expect("a free port");
        Self::start_at(data, SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }

    /// On this address.
    pub fn start_at(data: &Path, address: SocketAddr) -> Self {
        Self::launch(command(Self::arguments(data, address)), data)
    }

    /// The command line.
    pub fn arguments(data: &Path, address: SocketAddr) -> [OsString; 7] {
        let (data, address) = (data.into(), address.to_string().into());
        ["serve".into(), "--data".into(), data, "--listen".into(), address, "--log".into(), "warn".into()]
    }

    /// By a command that ends in serving.
    pub fn launch(mut command: Command, data: &Path) -> Self {
        let mut child = command.spawn().expect("the server starts");
        let log = Arc::new(Mutex::new(String::new()));
        let (scheme, address) = listen_line(&mut child, &log);
        let server = Self { data: data.to_owned(), address, scheme, child, log };
        server.await_ready();
        server
    }

    fn await_ready(&self) {
        let url = format!("{}/readyz", self.url());
        let agent = trusting();
        eventually("the server is ready", || agent.get(&url).call().is_ok_and(|answer| answer.status() == 200));
    }

    /// Its address as phones are told it.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// SIGKILL: no goodbye.
    pub fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it can be waited for");
    }

    /// SIGTERM; how it ended.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.child.wait().expect("it can be waited for")
    }

    /// Any signal, by name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status();
        assert!(sent.expect("kill").success());
    }

    /// The same folder on the same port, after [`kill`](Self::kill) or [`stop`](Self::stop).
    pub fn start_again(&mut self) {
        *self = Self::start_at(&self.data, self.address);
    }

    /// What it has said on stderr.
    pub fn log(&self) -> String {
        self.log.lock().expect("the log").clone()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it can be waited for").is_none()
    }

    /// The processor time it has taken, in milliseconds.
    pub fn cpu_ms(&self) -> f64 {
        cost::cpu_ms(self.child.id())
    }

    /// The most memory it has ever held, in MiB.
    pub fn peak_memory_mib(&self) -> u64 {
        cost::peak_memory_mib(self.child.id())
    }

    /// The memory it holds now, in MiB.
    pub fn memory_mib(&self) -> u64 {
        cost::memory_mib(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Asks a server whatever its certificate, as `curl --insecure` does.
pub fn trusting() -> Agent {
    let tls = TlsConfig::builder().disable_verification(true).build();
    Agent::config_builder().http_status_as_error(false).proxy(None).tls_config(tls).build().new_agent()
}

/// Reads the child's stderr for as long as it lives; returns once it says how and where it listens.
fn listen_line(child: &mut Child, log: &Arc<Mutex<String>>) -> (String, SocketAddr) {
    let stderr = child.stderr.take().expect("piped");
    let (found, address) = std::sync::mpsc::channel();
    let kept = Arc::clone(log);
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if line.starts_with("aralau: serving ")
                && let Some((said, address)) = line.rsplit_once("://")
            {
                let scheme = said.rsplit(' ').next().unwrap_or_default().to_owned();
                drop(found.send(address.parse().map(|address| (scheme, address))));
            }
            let mut kept = kept.lock().expect("the log");
            kept.push_str(&line);
            kept.push('\n');
        }
    });
    match address.recv_timeout(START_DEADLINE) {
        Ok(address) => address.expect("an address"),
        Err(_) => {
            drop(child.kill());
            panic!("the server did not begin: {}", log.lock().expect("the log"));
        }
    }
}
