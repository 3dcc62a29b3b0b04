//! Builds the console and packs it into the binary.
//!
//! The sources (`client-sdk/console` and what it shares, `client-sdk/ui`) are copied into `OUT_DIR` and built there, so that nothing is written beside them. What
//! npm installed stays there from build to build. `ARALAU_CONSOLE` says how much is wanted:
//!
//! | value | what |
//! |---|---|
//! | unset | the console, or, where it cannot be built because npm or what it downloads is missing, a page that says so |
//! | `require` | the console, or no binary |
//! | `skip` | the page that says so |

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail, ensure};
use sha2::{Digest as _, Sha256};

const VARIABLE: &str = "ARALAU_CONSOLE";
const PLACEHOLDER: &str = "src/console-missing.html";
/// What the console's build tools run on, at least.
const NODE_MAJOR: u32 = 20;
/// Where the sources of what runs in browsers are; Rust has its own beside them.
const WEB: &str = "../../client-sdk";
/// Those that the console is made of.
const SOURCES: [&str; 8] = [
    "package.json",
    "package-lock.json",
    ".npmrc",
    "svelte.config.js",
    "tsconfig.base.json",
    "vite.shared.ts",
    "ui",
    "console",
];
/// No source, wherever it lies: what a build by hand puts beside them.
const LEFT_OUT: &str = "dist";

fn main() -> anyhow::Result<()> {
    let sources = PathBuf::from(WEB);
    println!("cargo:rerun-if-env-changed={VARIABLE}");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={PLACEHOLDER}");
    watch(&sources)?;
    let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo names a folder for what is built")?);
    let files = match env::var(VARIABLE).as_deref() {
        Ok("skip") => placeholder()?,
        Ok("require") => built(&sources, &out)?,
        _ => built(&sources, &out).or_else(|error| match error.downcast_ref::<Missing>() {
            Some(missing) => {
                println!("cargo:warning=the console is left out: {missing}");
                placeholder()
            }
            None => Err(error),
        })?,
    };
    pack(files, &out)
}

/// Why there is no console although nothing is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Missing(String);

/// A file of the console: its path there, and its bytes.
type Files = Vec<(String, Vec<u8>)>;

/// A folder that a build by hand writes into is not watched itself, but what is in it.
fn watch(sources: &Path) -> io::Result<()> {
    for path in SOURCES.map(|name| sources.join(name)) {
        let entries = if path.is_dir() { fs::read_dir(&path)?.collect::<Result<_, _>>()? } else { Vec::new() };
        if entries.is_empty() {
            println!("cargo:rerun-if-changed={}", path.display());
        }
        for entry in entries.iter().filter(|entry| entry.file_name() != LEFT_OUT) {
            println!("cargo:rerun-if-changed={}", entry.path().display());
        }
    }
    Ok(())
}

fn placeholder() -> anyhow::Result<Files> {
    Ok(vec![("index.html".to_owned(), fs::read(PLACEHOLDER)?)])
}

/// Builds the console and reads what came of it.
fn built(sources: &Path, out: &Path) -> anyhow::Result<Files> {
    if !sources.join("console").is_dir() {
        return Err(Missing("there is no client-sdk/console".to_owned()).into());
    }
    node()?;
    let (copy, dist) = (out.join("web"), out.join("dist"));
    copy_sources(sources, &copy)?;
    install(&copy)?;
    let dist_name = dist.to_str().context("a path that is text")?;
    let built = npm(&copy, &["run", "build:console", "--", "--outDir", dist_name, "--emptyOutDir"])?;
    ensure!(built.success(), "`npm run build:console` failed in {}", copy.display());
    let mut files = Files::new();
    read_files(&dist, &dist, &mut files)?;
    ensure!(files.iter().any(|(path, _)| path == "index.html"), "the console was built without an index.html");
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
        if entry.file_name() == LEFT_OUT {
            return Ok(());
        }
        copy_tree(&entry.path(), &to.join(entry.file_name()))
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

/// Writes each file in its forms, and the Rust that names them all.
fn pack(mut files: Files, out: &Path) -> anyhow::Result<()> {
    files.sort();
    let packed = out.join("packed");
    if packed.exists() {
        fs::remove_dir_all(&packed)?;
    }
    fs::create_dir_all(&packed)?;
    let mut code = "&[\n".to_owned();
    for (number, (path, plain)) in files.iter().enumerate() {
        let content_type = content_type(path)?;
        let digest: [u8; 32] = Sha256::digest(plain).into();
        let etag = format!("\"{}\"", hex::encode(&digest[..16]));
        // Vite names the files of this folder after their content.
        let immutable = path.starts_with("assets/");
        writeln!(
            code,
            "Asset {{ path: {path:?}, content_type: {content_type:?}, etag: {etag:?}, immutable: {immutable},"
        )?;
        for (field, bytes) in forms(plain, is_text(content_type))? {
            let file = packed.join(format!("{number}.{field}"));
            fs::write(&file, bytes)?;
            writeln!(code, "{field}: include_bytes!({file:?}),")?;
        }
        code.push_str("},\n");
    }
    code.push(']');
    Ok(fs::write(out.join("console.rs"), code)?)
}

/// The forms of a file; a packed one is empty where it is no smaller.
fn forms(plain: &[u8], is_text: bool) -> io::Result<[(&'static str, Vec<u8>); 3]> {
    let (mut brotli, mut gzip) = (Vec::new(), Vec::new());
    if is_text {
        let parameters = brotli::enc::BrotliEncoderParams { quality: 11, ..Default::default() };
        brotli::BrotliCompress(&mut &plain[..], &mut brotli, &parameters)?;
        let mut encoder = flate2::write::GzEncoder::new(&mut gzip, flate2::Compression::best());
        io::Write::write_all(&mut encoder, plain)?;
        encoder.finish()?;
    }
    let smaller = |packed: Vec<u8>| if packed.len() < plain.len() { packed } else { Vec::new() };
    Ok([("plain", plain.to_vec()), ("brotli", smaller(brotli)), ("gzip", smaller(gzip))])
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
        _ => bail!("the console has a file of an unknown kind: {path}; name its media type here"),
    })
}

/// Whether packing is worth a try: pictures and fonts are packed already.
fn is_text(content_type: &str) -> bool {
    ["text/", "application/", "image/svg"].iter().any(|kind| content_type.starts_with(kind))
}
