//! A key in a file of the device's folder, for systems that keep apps' files apart.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write as _},
    path::Path,
};

use crate::{error::Error, keys::DeviceKey, seams::Entropy};

/// The key in this file. A device that no server knows yet is given one.
///
/// # Errors
/// [`Error::Key`] where the file is damaged, or missing although a server knows its key.
pub fn open(path: &Path, is_new: bool, entropy: &mut dyn Entropy) -> Result<DeviceKey, Error> {
    match fs::read_to_string(path) {
        Ok(text) => parse_key(text.trim()).ok_or(Error::Key("the file is damaged")),
        // A server knows the key of an enrolled device: a fresh one would only be refused, and hide what happened.
        Err(error) if error.kind() == ErrorKind::NotFound && is_new => {
            let key = DeviceKey::generate(entropy);
            write_key(path, &key).map_err(|_| Error::Key("it cannot be written"))?;
            Ok(key)
        }
        Err(_) => Err(Error::Key("it cannot be read")),
    }
}

fn parse_key(text: &str) -> Option<DeviceKey> {
    // Ids and keys share the spelling of 32 bytes.
    let bytes: aralau_sync_core::id::ContentHash = text.parse().ok()?;
    DeviceKey::from_bytes(bytes.as_bytes())
}

/// Whole or not at all, and on disk before anything is signed with it.
fn write_key(path: &Path, key: &DeviceKey) -> io::Result<()> {
    let draft = path.with_extension("key.new");
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    let hex: String = key.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    writeln!(file, "{hex}")?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
