//! A certificate and its key as files of PEM, read with a sentence for everything that may be wrong with them.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use aralau_sync_core::{digest, id::Fingerprint, time::Millis};
use rustls::{
    InconsistentKeys,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};
use x509_cert::{Certificate, der::Decode as _};

use crate::query::instant::Instant;

/// A longer file is none of these.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Where a certificate and its key stand; both may be in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The server's own certificate first, then those above it.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// What is shown to whoever connects.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) shown: CertifiedKey,
    /// Of the server's own certificate.
    pub(super) fingerprint: Fingerprint,
    /// When it ends.
    pub(super) expires_at: Millis,
}

/// Why a certificate cannot be shown, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// A file is not there, or closed to this user.
    #[error("{file}: {error}; check the path, and that the user who runs the server may read it")]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Nothing of what is wanted stands in a file.
    #[error("{file} holds no {what} as PEM (-----BEGIN {what}-----)", what = what.to_uppercase())]
    Absent {
        /// Which.
        file: PathBuf,
        /// `certificate` or `private key`.
        what: &'static str,
    },
    /// PEM that breaks off, or does not hold what it says.
    #[error("{file} is damaged; put a whole copy there")]
    Damaged {
        /// Which.
        file: PathBuf,
    },
    /// A key behind a password.
    #[error(
        "the key in {file} is encrypted, and nobody types its password when a server starts by itself: write it without one \
         (openssl pkey -in {file} -out plain.key), readable to the server's user alone"
    )]
    Encrypted {
        /// Which.
        file: PathBuf,
    },
    /// A kind of key that is not taken.
    #[error(
        "the key in {file} is of no kind that is used here: take ECDSA (P-256 or P-384), Ed25519, or RSA of 2,048 bits or more"
    )]
    KeyKind {
        /// Which.
        file: PathBuf,
    },
    /// Two halves of different pairs.
    #[error(
        "the key in {key} does not belong to the first certificate in {certificate}: give two that were made together, the \
         server's own certificate before those above it"
    )]
    Mismatch {
        /// The one.
        certificate: PathBuf,
        /// The other.
        key: PathBuf,
    },
    /// Its time is over.
    #[error("the certificate in {file} ended at {at}: renew it")]
    Expired {
        /// Which.
        file: PathBuf,
        /// When.
        at: Instant,
    },
    /// Its time has not come.
    #[error("the certificate in {file} counts from {at} only: look at this machine's clock")]
    Early {
        /// Which.
        file: PathBuf,
        /// From when.
        at: Instant,
    },
    /// None could be made.
    #[error("a certificate for {file} cannot be made: {error}")]
    Unmade {
        /// Where to.
        file: PathBuf,
        /// Why.
        error: String,
    },
}

/// The one that is named wherever TLS is: features of other crates choose nothing.
pub(super) fn provider() -> CryptoProvider {
    ring::default_provider()
}

impl Pair {
    /// What stands in these files, if it counts now.
    pub(super) fn read(files: &Files, now: Millis) -> Result<Self, TlsFault> {
        let Files { certificate: file, key } = files;
        let damaged = |file: &Path| TlsFault::Damaged { file: file.to_owned() };
        let text = content(file)?;
        let chain: Vec<_> =
            CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().map_err(|_| damaged(file))?;
        let own = chain.first().ok_or_else(|| TlsFault::Absent { file: file.clone(), what: "certificate" })?;
        let fingerprint = digest::fingerprint(own);
        let parsed = Certificate::from_der(own).map_err(|_| damaged(file))?;
        let validity = parsed.tbs_certificate().validity();
        let ms =
            |time: x509_cert::time::Time| Millis(time.to_unix_duration().as_millis().try_into().unwrap_or(i64::MAX));
        let (from, expires_at) = (ms(validity.not_before), ms(validity.not_after));
        if now > expires_at {
            return Err(TlsFault::Expired { file: file.clone(), at: Instant(expires_at) });
        }
        if now < from {
            return Err(TlsFault::Early { file: file.clone(), at: Instant(from) });
        }
        let shown = CertifiedKey::from_der(chain, secret(key)?, &provider()).map_err(|error| {
            if error == rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) {
                TlsFault::Mismatch { certificate: file.clone(), key: key.clone() }
            } else if matches!(error, rustls::Error::InvalidCertificate(_)) {
                damaged(file)
            } else {
                TlsFault::KeyKind { file: key.clone() }
            }
        })?;
        Ok(Self { shown, fingerprint, expires_at })
    }
}

fn secret(file: &Path) -> Result<PrivateKeyDer<'static>, TlsFault> {
    let text = content(file)?;
    let says = |words: &[u8]| text.windows(words.len()).any(|window| window == words);
    if says(b"BEGIN ENCRYPTED PRIVATE KEY") || says(b"Proc-Type: 4,ENCRYPTED") {
        return Err(TlsFault::Encrypted { file: file.to_owned() });
    }
    match PrivateKeyDer::pem_slice_iter(&text).next() {
        Some(Ok(key)) => Ok(key),
        Some(Err(_)) => Err(TlsFault::Damaged { file: file.to_owned() }),
        None => Err(TlsFault::Absent { file: file.to_owned(), what: "private key" }),
    }
}

fn content(file: &Path) -> Result<Vec<u8>, TlsFault> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|opened| opened.take(MAX_FILE_BYTES).read_to_end(&mut bytes));
    read.map_err(|error| TlsFault::Unreadable { file: file.to_owned(), error })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use aralau_sync_core::time::DAY_MS;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    /// 2026-05-28.
    const NOW: Millis = Millis(1_780_000_000_000);

    fn made(until: i32) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["visits.example".to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(until, 1, 1));
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    #[test]
    fn two_files_that_belong_together_are_shown_and_everything_else_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let write = |name: &str, text: &str| {
            fs::write(path(name), text).unwrap();
            path(name)
        };
        let ((certificate, key), (_, other)) = (made(2027), made(2027));
        let good = write("good.pem", &certificate);
        let read = |certificate: &Path, key: &Path, now| {
            let files = Files { certificate: certificate.to_owned(), key: key.to_owned() };
            Pair::read(&files, now).map(|pair| pair.expires_at).map_err(|fault| fault.to_string())
        };
        let both = write("both.pem", &format!("{key}\n{certificate}"));
        for (certificate, key) in [(&good, &write("good.key", &key)), (&both, &both)] {
            assert_eq!(read(certificate, key, NOW), Ok(Millis(1_798_761_600_000)), "2027-01-01");
        }
        let refused = |certificate: &Path, key: &Path, words: &str| {
            let sentence = read(certificate, key, NOW).unwrap_err();
            assert!(sentence.contains(words), "{sentence}");
        };
        refused(&path("gone.pem"), &both, "check the path");
        refused(&good, &path("gone.key"), "check the path");
        refused(folder.path(), &both, "check the path");
        refused(&write("empty", ""), &both, "holds no CERTIFICATE");
        refused(&good, &good, "holds no PRIVATE KEY");
        refused(&good, &write("other.key", &other), "does not belong to the first certificate");
        refused(&write("half.pem", &certificate[..300]), &both, "is damaged");
        refused(
            &write("nonsense.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            &both,
            "is damaged",
        );
        let label = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        refused(&good, &write("locked.key", &label), "is encrypted");
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        refused(&good, &write("old.key", old), "is encrypted");
        refused(
            &good,
            &write("odd.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
            "of no kind",
        );
        assert!(
            read(&both, &both, NOW.plus(365 * DAY_MS))
                .unwrap_err()
                .ends_with("ended at 2027-01-01T00:00:00.000Z: renew it")
        );
        assert!(read(&both, &both, NOW.plus(-365 * DAY_MS)).unwrap_err().contains("clock"));
    }
}
