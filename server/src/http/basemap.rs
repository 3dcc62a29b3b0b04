//! The basemap: what headquarters' map draws beneath the visits, if the operator gives an archive of tiles.

use std::{
    fs::File,
    io::{self, Read as _},
    path::PathBuf,
};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, header},
    response::Response,
};
use tower_http::services::ServeFile;

use super::problem::Problem;
use crate::{app::App, store::StoreError};

/// Where it is served.
pub(super) const PATH: &str = "/basemap.pmtiles";
/// An archive begins with its name and the version of the format.
const BEGINNING: [u8; 8] = *b"PMTiles\x03";

/// A file that is an archive of tiles, by its first bytes.
#[derive(Debug, Clone)]
pub struct Basemap(PathBuf);

/// A file that is none.
#[derive(Debug, thiserror::Error)]
pub enum NoBasemap {
    /// It is not there, or may not be read.
    #[error("{} cannot be read ({cause}): check the path, or leave it out for a map without streets", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// It is something else.
    #[error(
        "{} is no PMTiles archive of version 3: cut one out with `pmtiles extract` (https://docs.protomaps.com/pmtiles/cli), \
         and look at yours at https://pmtiles.io",
        .0.display()
    )]
    Foreign(PathBuf),
}

impl Basemap {
    /// Looks at the beginning; what comes after it is the browser's to read.
    pub fn open(path: PathBuf) -> Result<Self, NoBasemap> {
        let mut beginning = [0; BEGINNING.len()];
        match File::open(&path).and_then(|mut file| file.read_exact(&mut beginning)) {
            Ok(()) if beginning == BEGINNING => Ok(Self(path)),
            Ok(()) => Err(NoBasemap::Foreign(path)),
            Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => Err(NoBasemap::Foreign(path)),
            Err(cause) => Err(NoBasemap::Unreadable { path, cause }),
        }
    }
}

/// Answers with the ranges that a browser asks for. It is a public map and says nothing of anybody: no token is needed.
pub(super) async fn serve(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let Some(Basemap(path)) = &app.settings().basemap else { return Err(Problem::NotFound) };
    let mut answer = match ServeFile::new(path).try_call(request).await {
        Ok(answer) => answer,
        // It was taken away since the server started.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Problem::NotFound),
        Err(error) => return Err(Problem::Internal(StoreError::Internal(format!("the basemap: {error}")))),
    };
    // Another archive may take its place, and its parts must not be mixed with those of the old one: the ETag tells.
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(answer.map(Body::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_archive_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).expect("it is written");
            Basemap::open(path)
        };
        assert!(open("a.pmtiles", b"PMTiles\x03 and the rest").is_ok());
        for foreign in [&b""[..], b"PMTiles", b"PMTiles\x02 and the rest", b"SQLite format 3\0"] {
            let refused = open("b.pmtiles", foreign).expect_err("it is none");
            assert!(matches!(refused, NoBasemap::Foreign(_)), "{refused}");
            assert!(refused.to_string().contains("`pmtiles extract`"), "{refused}");
        }
        for unreadable in [folder.path().join("missing"), folder.path().to_owned()] {
            let refused = Basemap::open(unreadable).expect_err("it is none");
            assert!(matches!(refused, NoBasemap::Unreadable { .. }), "{refused}");
        }
    }
}
