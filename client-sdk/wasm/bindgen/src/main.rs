//! Writes the JavaScript and the types that go with a WebAssembly module: `aralau-bindgen MODULE.wasm FOLDER`.

use std::env;

use anyhow::{Context as _, Result};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let module = arguments.next().context("which module?")?;
    let folder = arguments.next().context("into which folder?")?;
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name("aralau").web(true)?.typescript(true).remove_producers_section(true).remove_name_section(true);
    bindgen.generate(folder)
}
