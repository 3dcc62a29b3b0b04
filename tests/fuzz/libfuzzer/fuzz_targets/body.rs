#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| aralau_fuzz::body::body(data));
