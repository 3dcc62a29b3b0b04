//! The web apps, headquarters' console and the inspectors' app: files held by the binary, served at every path that is no route.

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
};

use super::problem::Problem;
use crate::app::App;

/// The page that every path of the app begins with.
const INDEX: &str = "index.html";
/// Nothing from elsewhere, nothing inline but styles (which the map sets), and in no foreign frame.
const CONSOLE_POLICY: Policy = Policy {
    content_security: "default-src 'self'; img-src 'self' data: blob:; worker-src 'self' blob:; \
                       style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; form-action 'self'; \
                       frame-ancestors 'none'",
    permissions: None,
};
/// As strict, but that it runs WebAssembly, asks where it is, and reads codes with the camera.
const FIELD_POLICY: Policy = Policy {
    content_security: "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; \
                       manifest-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; \
                       object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    permissions: Some("geolocation=(self), camera=(self), microphone=(), payment=(), usb=()"),
};
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// A file, and what it was packed into when the binary was built.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// `assets/index-B7f3.js`, without a slash before it.
    pub path: &'static str,
    /// Its media type.
    pub content_type: &'static str,
    /// Names this content and no other, in quotes.
    pub etag: &'static str,
    /// Its path names its content, so that it never changes.
    pub immutable: bool,
    /// As it is.
    pub plain: &'static [u8],
    /// Packed with Brotli; empty where that is not smaller.
    pub brotli: &'static [u8],
    /// Packed with gzip; empty where that is not smaller.
    pub gzip: &'static [u8],
}

/// What a browser may do for an app.
#[derive(Debug, Clone, Copy)]
struct Policy {
    content_security: &'static str,
    permissions: Option<&'static str>,
}

/// The files of an app, and where they are served.
#[derive(Debug, Clone, Copy)]
pub struct WebApp {
    /// What its paths begin with, a slash at the end.
    root: &'static str,
    /// All files, sorted by path.
    assets: &'static [Asset],
    policy: Policy,
}

impl WebApp {
    /// Headquarters' console, at `/`, of these files. `assets` is sorted by path.
    pub const fn console(assets: &'static [Asset]) -> Self {
        Self { root: "/", assets, policy: CONSOLE_POLICY }
    }

    /// The inspectors' app, at `/field/`, of these files. `assets` is sorted by path.
    pub const fn field(assets: &'static [Asset]) -> Self {
        Self { root: "/field/", assets, policy: FIELD_POLICY }
    }

    fn at(&self, path: &str) -> Option<&'static Asset> {
        let found = self.assets.binary_search_by(|asset| asset.path.cmp(path)).ok()?;
        self.assets.get(found)
    }

    /// What a path shows: a file, or the page, whose script reads the rest of the path.
    fn shown(&self, path: &str) -> Option<&'static Asset> {
        let path = path.strip_prefix(self.root)?;
        let is_interface = self.root == "/" && (path == "v1" || path.starts_with("v1/"));
        let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
        self.at(path).or_else(|| if is_interface || is_file { None } else { self.at(INDEX) })
    }
}

/// Answers what no route does.
pub(super) async fn serve(State(app): State<App>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let (path, settings) = (uri.path(), app.settings());
    let within_field = path.strip_prefix(settings.field.root.trim_end_matches('/'));
    let web_app = match within_field {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => &settings.field,
        Some(_) | None => &settings.console,
    };
    let is_read = matches!(method, Method::GET | Method::HEAD);
    match web_app.shown(path) {
        Some(asset) if is_read => answer(web_app.policy, asset, &headers),
        // Its files name each other from there.
        None if is_read && within_field == Some("") => Redirect::temporary(settings.field.root).into_response(),
        Some(_) | None => Problem::UnknownRoute.into_response(),
    }
}

fn answer(policy: Policy, asset: &'static Asset, asked: &HeaderMap) -> Response {
    let known = asked.get(header::IF_NONE_MATCH).and_then(|etags| etags.to_str().ok());
    let known = known.is_some_and(|etags| etags.split(',').any(|etag| etag.trim() == asset.etag));
    let (encoding, bytes) = packed(asset, asked);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Body::from(Bytes::from_static(bytes)).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    headers.insert(header::ETAG, HeaderValue::from_static(asset.etag));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::CACHE_CONTROL, if asset.immutable { FOR_EVER } else { ASK_AGAIN });
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy.content_security));
    if let Some(permissions) = policy.permissions {
        headers.insert(PERMISSIONS_POLICY, HeaderValue::from_static(permissions));
    }
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// The smallest form that the browser takes.
fn packed(asset: &Asset, asked: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
    let taken = asked.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let takes = |name: &str| taken.split(',').any(|one| accepted(one, name));
    if !asset.brotli.is_empty() && takes("br") {
        (Some("br"), asset.brotli)
    } else if !asset.gzip.is_empty() && takes("gzip") {
        (Some("gzip"), asset.gzip)
    } else {
        (None, asset.plain)
    }
}

/// `gzip` and `gzip;q=0.5`, but not `gzip;q=0`.
fn accepted(one: &str, name: &str) -> bool {
    let mut parts = one.split(';').map(str::trim);
    let is_named = parts.next().is_some_and(|coding| coding.eq_ignore_ascii_case(name));
    let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse::<f32>);
    is_named && weight.is_ok_and(|weight| weight > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn asset(path: &'static str, immutable: bool) -> Asset {
        let (plain, brotli) = (b"plain".as_slice(), b"br".as_slice());
        Asset { path, content_type: "text/html", etag: "\"1\"", immutable, plain, brotli, gzip: b"" }
    }

    static ASSETS: [Asset; 2] = [asset("assets/index-1.js", true), asset(INDEX, false)];
    const CONSOLE: WebApp = WebApp::console(&ASSETS);
    const FIELD: WebApp = WebApp::field(&ASSETS);

    #[test]
    fn a_path_shows_its_file_or_the_page_and_never_answers_for_the_interface() {
        let shown = |path: &str| CONSOLE.shown(path).map(|asset| asset.path);
        assert_eq!(shown("/assets/index-1.js"), Some("assets/index-1.js"));
        for page in ["/", "/visits/1", "/карта"] {
            assert_eq!(shown(page), Some(INDEX), "{page}");
        }
        for none in ["/v1/nothing", "/assets/gone.js", "/favicon.ico", "/../index.html.bak"] {
            assert_eq!(shown(none), None, "{none}");
        }
    }

    #[test]
    fn an_app_beneath_a_path_has_its_files_there_and_nowhere_else() {
        let shown = |path: &str| FIELD.shown(path).map(|asset| asset.path);
        assert_eq!(shown("/field/assets/index-1.js"), Some("assets/index-1.js"));
        for page in ["/field/", "/field/visits/1", "/field/v1/of-the-app"] {
            assert_eq!(shown(page), Some(INDEX), "{page}");
        }
        for none in ["/field", "/", "/fields/", "/assets/index-1.js", "/field/assets/gone.js"] {
            assert_eq!(shown(none), None, "{none}");
        }
    }

    #[test]
    fn a_browser_gets_the_smallest_form_that_it_takes() {
        let ask = |value: &'static str| {
            let asked = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]);
            packed(&ASSETS[0], &asked).0
        };
        assert_eq!(ask("gzip, deflate, br, zstd"), Some("br"));
        assert_eq!((ask("br;q=0, gzip"), ask("identity"), ask("")), (None, None, None));
    }

    #[test]
    fn what_a_browser_has_already_is_not_sent_again() {
        let asked = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static("\"0\", \"1\""))]);
        let answered = answer(CONSOLE_POLICY, &ASSETS[1], &asked);
        assert_eq!(answered.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(answered.headers()[header::CACHE_CONTROL], "no-cache");
        assert_eq!(answer(CONSOLE_POLICY, &ASSETS[0], &HeaderMap::new()).headers()[header::CACHE_CONTROL], FOR_EVER);
    }
}
