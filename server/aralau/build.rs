//! Builds the web apps, headquarters' console and the inspectors' app, and packs them into the binary.
//!
//! Their sources (in `client-sdk`) are copied into `OUT_DIR` and built there, so that nothing is written beside them. What npm
//! installed stays there from build to build, and so does what was compressed. `ARALAU_CONSOLE` and `ARALAU_FIELD_APP` say how
//! much is wanted:
//!
//! | value | what |
//! |---|---|
//! | unset | the app, or, where it cannot be built because something that it takes is missing, a page that says so |
//! | `require` | the app, or no binary |
//! | `skip` | the page that says so |
//!
//! Unless it is set, `ARALAU_FIELD_APP` is `skip` where `ARALAU_CONSOLE` is.

use std::{
    collections::HashSet,
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail, ensure};
use sha2::{Digest as _, Sha256};

/// An app of `client-sdk`.
struct App {
    /// Its folder, what its build is called, and the Rust that names its files.
    name: &'static str,
    /// Who has it, for whoever misses it.
    title: &'static str,
    variable: &'static str,
    placeholder: &'static str,
    /// What is no source but has to be there: the file, and what makes it.
    made: Option<(&'static str, &'static str)>,
}

const CONSOLE: App = App {
    name: "console",
    title: "the console",
    variable: "ARALAU_CONSOLE",
    placeholder: "src/console-missing.html",
    made: None,
};
const FIELD: App = App {
    name: "field",
    title: "the inspectors' app",
    variable: "ARALAU_FIELD_APP",
    placeholder: "src/field-missing.html",
    made: Some(("field/client/aralau_bg.wasm", "./dev field-client")),
};

/// What the apps' build tools run on, at least.
const NODE_MAJOR: u32 = 20;
/// Where the sources of what runs in browsers are; Rust has its own beside them.
const WEB: &str = "../../client-sdk";
/// Those that the apps are made of.
const SOURCES: [&str; 9] = [
    "package.json",
    "package-lock.json",
    ".npmrc",
    "svelte.config.js",
    "tsconfig.base.json",
    "vite.shared.ts",
    "ui",
    CONSOLE.name,
    FIELD.name,
];
/// No sources, wherever they lie: what builds by hand put beside them.
const LEFT_OUT: [&str; 3] = ["dist", "contract", "node_modules"];
/// Brotli's largest window that every browser takes: a module of WebAssembly repeats itself far apart.
const WINDOW_BITS: i32 = 24;

fn main() -> anyhow::Result<()> {
    let sources = PathBuf::from(WEB);
    let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo names a folder for what is built")?);
    println!("cargo:rerun-if-changed=build.rs");
    watch(&sources)?;
    let mut web = Web { sources, copy: out.join("web"), is_ready: false };
    let mut kept = HashSet::new();
    for app in [CONSOLE, FIELD] {
        println!("cargo:rerun-if-env-changed={}", app.variable);
        println!("cargo:rerun-if-changed={}", app.placeholder);
        pack(&app, files(&app, &mut web, &out)?, &out, &mut kept)?;
    }
    for entry in fs::read_dir(out.join(PACKED))? {
        let path = entry?.path();
        if !kept.contains(&path) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Why there is no app although nothing is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Missing(String);

/// A file of an app: its path there, and its bytes.
type Files = Vec<(String, Vec<u8>)>;

/// The app, or the page in its place, as is wanted.
fn files(app: &App, web: &mut Web, out: &Path) -> anyhow::Result<Files> {
    let placeholder = || Ok(vec![("index.html".to_owned(), fs::read(app.placeholder)?)]);
    let skipped = || env::var(CONSOLE.variable).ok().filter(|wanted| wanted == "skip");
    match env::var(app.variable).ok().or_else(skipped).as_deref() {
        Some("skip") => placeholder(),
        Some("require") => built(app, web, out),
        _ => built(app, web, out).or_else(|error| match error.downcast_ref::<Missing>() {
            Some(missing) => {
                println!("cargo:warning={} is left out: {missing}", app.title);
                placeholder()
            }
            None => Err(error),
        }),
    }
}

/// A folder that a build by hand writes into is not watched itself, but what is in it; unless something is not there yet.
fn watch(sources: &Path) -> io::Result<()> {
    let is_complete = |name| FIELD.name != name || FIELD.made.is_none_or(|(made, _)| sources.join(made).exists());
    for name in SOURCES {
        let path = sources.join(name);
        if !path.is_dir() || !is_complete(name) {
            println!("cargo:rerun-if-changed={}", path.display());
            continue;
        }
        for entry in fs::read_dir(&path)? {
            let entry = entry?;
            if is_source(&entry) {
                println!("cargo:rerun-if-changed={}", entry.path().display());
            }
        }
    }
    Ok(())
}

fn is_source(entry: &fs::DirEntry) -> bool {
    !LEFT_OUT.iter().any(|left_out| entry.file_name() == *left_out)
}

/// What the apps are built from, together.
struct Web {
    sources: PathBuf,
    copy: PathBuf,
    /// Whether the copy is up to date, and what it takes installed.
    is_ready: bool,
}

impl Web {
    fn make_ready(&mut self) -> anyhow::Result<()> {
        if !self.is_ready {
            node()?;
            copy_sources(&self.sources, &self.copy)?;
            install(&self.copy)?;
            self.is_ready = true;
        }
        Ok(())
    }
}

/// Builds an app and reads what came of it.
fn built(app: &App, web: &mut Web, out: &Path) -> anyhow::Result<Files> {
    if !web.sources.join(app.name).is_dir() {
        return Err(Missing(format!("there is no client-sdk/{}", app.name)).into());
    }
    if let Some((made, by)) = app.made
        && !web.sources.join(made).is_file()
    {
        return Err(Missing(format!("there is no client-sdk/{made}; {by} makes it")).into());
    }
    web.make_ready()?;
    let (script, dist) = (format!("build:{}", app.name), out.join("dist").join(app.name));
    let dist_name = dist.to_str().context("a path that is text")?;
    let built = npm(&web.copy, &["run", &script, "--", "--outDir", dist_name, "--emptyOutDir"])?;
    ensure!(built.success(), "`npm run {script}` failed in {}", web.copy.display());
    let mut files = Files::new();
    read_files(&dist, &dist, &mut files)?;
    ensure!(files.iter().any(|(path, _)| path == "index.html"), "{} was built without an index.html", app.title);
    Ok(files)
}

/// Whether there is a Node that the build tools run on.
fn node() -> anyhow::Result<()> {
    let missing = |why: &str| Missing(format!("{why}; Node {NODE_MAJOR} or newer and npm are needed"));
    let answer = Command::new("node").arg("--version").output().map_err(|_| missing("there is no node"))?;
    let version = String::from_utf8_lossy(&answer.stdout);
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE_MAJOR) {
        return Err(missing(&format!("node says that it is {:?}", version.trim())).into());
    }
    Command::new("npm").arg("--version").output().map_err(|_| missing("there is no npm"))?;
    Ok(())
}

/// Installs the packages, unless those of this very lock file are there already.
fn install(copy: &Path) -> anyhow::Result<()> {
    let (lock, stamp) = (fs::read(copy.join("package-lock.json"))?, copy.join("node_modules/.installed"));
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    let installed = npm(copy, &["ci", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"])?;
    if !installed.success() {
        return Err(Missing("`npm ci` failed".to_owned()).into());
    }
    Ok(fs::write(stamp, lock)?)
}

/// Runs npm. Its words go to stderr, as stdout is cargo's.
fn npm(folder: &Path, arguments: &[&str]) -> anyhow::Result<std::process::ExitStatus> {
    let status = Command::new("npm").args(arguments).current_dir(folder).stdout(io::stderr()).status();
    status.context("npm cannot be run")
}

/// Brings the copy up to the sources; what was installed into it stays.
fn copy_sources(sources: &Path, copy: &Path) -> io::Result<()> {
    fs::create_dir_all(copy)?;
    for name in SOURCES {
        let (from, to) = (sources.join(name), copy.join(name));
        if to.is_dir() {
            fs::remove_dir_all(&to)?;
        }
        copy_tree(&from, &to)?;
    }
    Ok(())
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir_all(to)?;
    fs::read_dir(from)?.try_for_each(|entry| {
        let entry = entry?;
        if is_source(&entry) { copy_tree(&entry.path(), &to.join(entry.file_name())) } else { Ok(()) }
    })
}

fn read_files(root: &Path, folder: &Path, files: &mut Files) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read_files(root, &path, files)?;
            continue;
        }
        let parts = path.strip_prefix(root)?.iter().map(|part| part.to_str().context("a file name that is text"));
        files.push((parts.collect::<Result<Vec<_>, _>>()?.join("/"), fs::read(&path)?));
    }
    Ok(())
}

/// Where the forms of files are, named after their content: what is compressed once need not be again.
const PACKED: &str = "packed";

/// Writes each file in its forms, and the Rust that names them all.
fn pack(app: &App, mut files: Files, out: &Path, kept: &mut HashSet<PathBuf>) -> anyhow::Result<()> {
    files.sort();
    let packed = out.join(PACKED);
    fs::create_dir_all(&packed)?;
    let mut code = "&[\n".to_owned();
    for (path, plain) in &files {
        let content_type = content_type(path)?;
        let digest = hex::encode(&Sha256::digest(plain)[..16]);
        let etag = format!("\"{digest}\"");
        // Vite names the files of this folder after their content.
        let immutable = path.starts_with("assets/");
        writeln!(
            code,
            "Asset {{ path: {path:?}, content_type: {content_type:?}, etag: {etag:?}, immutable: {immutable},"
        )?;
        let kind = if is_text(content_type) { "text" } else { "packed" };
        for (field, form) in FORMS {
            let file = packed.join(format!("{digest}.{kind}.{field}"));
            if !file.exists() {
                let bytes = form(plain, is_text(content_type))?;
                // Whole or not at all: it is believed the next time.
                let part = file.with_extension("part");
                fs::write(&part, bytes)?;
                fs::rename(part, &file)?;
            }
            writeln!(code, "{field}: include_bytes!({file:?}),")?;
            kept.insert(file);
        }
        code.push_str("},\n");
    }
    code.push(']');
    Ok(fs::write(out.join(app.name).with_extension("rs"), code)?)
}

/// Makes a form of a file, which may be text.
type Form = fn(&[u8], bool) -> io::Result<Vec<u8>>;
/// The forms of a file; a packed one is empty where it is no smaller.
const FORMS: [(&str, Form); 3] = [("plain", |plain, _| Ok(plain.to_vec())), ("brotli", brotli), ("gzip", gzip)];

fn brotli(plain: &[u8], is_text: bool) -> io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    if is_text {
        let parameters = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: WINDOW_BITS, ..Default::default() };
        brotli::BrotliCompress(&mut &plain[..], &mut packed, &parameters)?;
    }
    Ok(if packed.len() < plain.len() { packed } else { Vec::new() })
}

fn gzip(plain: &[u8], is_text: bool) -> io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    if is_text {
        let mut encoder = flate2::write::GzEncoder::new(&mut packed, flate2::Compression::best());
        io::Write::write_all(&mut encoder, plain)?;
        encoder.finish()?;
    }
    Ok(if packed.len() < plain.len() { packed } else { Vec::new() })
}

fn content_type(path: &str) -> anyhow::Result<&'static str> {
    Ok(match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("txt") => "text/plain; charset=utf-8",
        Some("png") => "image/png",
        Some("webp") => "image/webp",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("wasm") => "application/wasm",
        Some("pbf") => "application/x-protobuf",
        _ => bail!("an app has a file of an unknown kind: {path}; name its media type here"),
    })
}

/// Whether packing is worth a try: pictures and fonts are packed already.
fn is_text(content_type: &str) -> bool {
    ["text/", "application/", "image/svg"].iter().any(|kind| content_type.starts_with(kind))
}
