//! A certificate of the server's own, for a trial: made once, kept in the data folder, known by its fingerprint.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use aralau_sync_core::{
    id::Fingerprint,
    time::{DAY_MS, Millis},
};
use chrono::{DateTime, Datelike as _};
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

use super::pair::{Files, Pair, TlsFault};

/// Certificate and key, in the data folder.
const FILE: &str = "tls-self-signed.pem";
/// What the server of a folder shows, for commands beside it; absent unless that is a certificate of its own.
const FINGERPRINT_FILE: &str = "tls-fingerprint";
/// Phones know it by its fingerprint: a new one would be another server to them.
const LIFE_DAYS: i64 = 3_650;

/// The certificate of this folder, made for these names if there is none.
pub(super) fn files(folder: &Path, names: &[String], now: Millis) -> Result<Files, TlsFault> {
    let file = folder.join(FILE);
    if !file.try_exists().map_err(|error| unmade(&file, error))? {
        let text = make(names, now).map_err(|error| unmade(&file, error))?;
        keep(&file, text.as_bytes()).map_err(|error| unmade(&file, error))?;
    }
    Ok(Files { certificate: file.clone(), key: file })
}

/// What the certificate in this folder is known by; `None` where none was made.
///
/// # Errors
/// It is there and cannot be shown.
pub fn own_fingerprint(folder: &Path, now: Millis) -> Result<Option<Fingerprint>, TlsFault> {
    let file = folder.join(FILE);
    if !file.exists() {
        return Ok(None);
    }
    Pair::read(&Files { certificate: file.clone(), key: file }, now).map(|pair| Some(pair.fingerprint))
}

/// Notes what the server of this folder shows, if it shows a certificate of its own.
///
/// # Errors
/// What the system says.
pub fn note_fingerprint(folder: &Path, shown: Option<Fingerprint>) -> io::Result<()> {
    let file = folder.join(FINGERPRINT_FILE);
    match shown {
        Some(fingerprint) => keep(&file, format!("{fingerprint}\n").as_bytes()),
        None => match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        },
    }
}

/// What the server of this folder showed when it last began; `None` where phones need no fingerprint.
pub fn noted_fingerprint(folder: &Path) -> Option<Fingerprint> {
    Fingerprint::read(&fs::read_to_string(folder.join(FINGERPRINT_FILE)).ok()?).ok()
}

fn unmade(file: &Path, error: impl std::fmt::Display) -> TlsFault {
    TlsFault::Unmade { file: file.to_owned(), error: error.to_string() }
}

fn make(names: &[String], now: Millis) -> Result<String, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "Aralau, self-signed");
    let day = |days: i64| {
        let day = DateTime::from_timestamp_millis(now.plus(days * DAY_MS).0).unwrap_or_default();
        date_time_ymd(day.year(), day.month() as u8, day.day() as u8)
    };
    // From the day before: a phone's clock may be behind.
    (params.not_before, params.not_after) = (day(-1), day(LIFE_DAYS));
    let certificate = params.self_signed(&key)?;
    Ok(format!("{}{}", key.serialize_pem(), certificate.pem()))
}

/// Whole or not at all, for nobody else to read: half a key would be refused at every start to come.
fn keep(file: &Path, content: &[u8]) -> io::Result<()> {
    let folder: PathBuf = file.parent().map_or_else(|| ".".into(), Path::to_owned);
    let mut made = tempfile::NamedTempFile::new_in(&folder)?;
    made.write_all(content)?;
    made.as_file().sync_all()?;
    made.persist(file).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const NOW: Millis = Millis(1_780_000_000_000);

    #[test]
    fn a_certificate_of_its_own_is_made_once_and_its_key_is_private() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(own_fingerprint(folder.path(), NOW).unwrap(), None);
        let names = ["localhost".to_owned(), "10.0.0.7".to_owned()];
        let files = files(folder.path(), &names, NOW).unwrap();
        let mode = fs::metadata(&files.key).unwrap().permissions().mode() & 0o777;
        let first = own_fingerprint(folder.path(), NOW).unwrap().unwrap();
        super::files(folder.path(), &[], NOW.plus(DAY_MS)).unwrap();
        assert_eq!((own_fingerprint(folder.path(), NOW).unwrap(), mode), (Some(first), 0o600));
        assert!(own_fingerprint(folder.path(), NOW.plus((LIFE_DAYS - 1) * DAY_MS)).is_ok());
        assert!(own_fingerprint(folder.path(), NOW.plus((LIFE_DAYS + 1) * DAY_MS)).is_err());
    }

    #[test]
    fn commands_beside_a_server_are_told_what_it_shows() {
        let folder = tempfile::tempdir().unwrap();
        let shown = Some(Fingerprint([7; 32]));
        note_fingerprint(folder.path(), None).unwrap();
        assert_eq!(noted_fingerprint(folder.path()), None);
        note_fingerprint(folder.path(), shown).unwrap();
        assert_eq!(noted_fingerprint(folder.path()), shown);
        note_fingerprint(folder.path(), None).unwrap();
        assert_eq!(noted_fingerprint(folder.path()), None);
    }
}
