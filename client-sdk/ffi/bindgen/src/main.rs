//! Writes the bindings that go with a library: `aralau-ffi-bindgen generate LIBRARY --language kotlin --out-dir FOLDER`.

fn main() {
    uniffi::uniffi_bindgen_main();
}
