//! Headquarters' interface: JSON over HTTP, described by `/openapi.json`, which is generated from this code.

pub mod extract;
pub mod origin;
pub mod peer;
pub mod problem;

pub mod attempts;
mod caution;
pub mod limits;

pub mod enroll;
pub mod sync;
mod turns;

mod answers;
pub mod quotas;

pub mod backup;
pub mod basemap;
pub mod beats;
pub mod conflicts;
pub mod coverage;
pub mod devices;
pub mod events;
pub mod export;
pub mod health;
pub mod metrics;
pub mod observe;
pub mod openapi;
pub mod organisation;
pub mod people;
pub mod places;
pub mod quarantine;
pub mod repeats;
pub mod session;
pub mod suggestions;
pub mod tokens;
pub mod visits;
pub mod vocabulary;
pub mod web;

use axum::{Router, extract::DefaultBodyLimit, middleware, response::IntoResponse as _, routing};
use tower_http::{
    CompressionLevel,
    compression::{
        CompressionLayer,
        predicate::{NotForContentType, Predicate, SizeAbove},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;
use problem::Problem;

/// A JSON body, at most.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// A shorter answer travels as it is.
const LEAST_COMPRESSED_BYTES: u64 = 1024;
/// A query string, at most.
pub const MAX_QUERY_BYTES: usize = 4 * 1024;

/// What the handlers share beside the store.
#[derive(Default)]
pub struct Shared {
    /// What `/metrics` shows.
    pub metrics: metrics::Metrics,
    /// Who listens to `/v1/events`.
    pub events: events::Events,
    /// What devices were answered and have not read yet.
    pub answers: answers::Answers,
    /// What devices have brought today.
    pub quotas: quotas::Quotas,
    /// Whose syncs are under way.
    pub turns: turns::Turns,
    /// Whose wrong tokens and codes wait for an answer.
    pub attempts: attempts::Attempts,
    /// How much everybody has asked.
    pub limits: limits::Budgets,
    /// Who has a workbook made.
    pub workbooks: export::Workbooks,
    /// Whose tables are being read.
    pub loads: organisation::Loads,
    /// Numbers the requests of this process.
    requests: observe::RequestCounter,
}

/// Every route of headquarters.
pub fn headquarters() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::description())
        .routes(routes!(session::sign_in))
        .routes(routes!(session::show))
        .routes(routes!(session::sign_out))
        .routes(routes!(visits::list))
        .routes(routes!(visits::count))
        .routes(routes!(visits::points))
        .routes(routes!(visits::detail))
        .routes(routes!(visits::history))
        .routes(routes!(visits::proof))
        .routes(routes!(visits::resolve))
        .routes(routes!(places::list))
        .routes(routes!(places::points))
        .routes(routes!(places::visits))
        .routes(routes!(beats::list))
        .routes(routes!(people::list))
        .routes(routes!(suggestions::people))
        .routes(routes!(suggestions::places))
        .routes(routes!(people::make_code))
        .routes(routes!(coverage::show))
        .routes(routes!(repeats::list))
        .routes(routes!(conflicts::list))
        .routes(routes!(quarantine::list))
        .routes(routes!(quarantine::release))
        .routes(routes!(quarantine::reject))
        .routes(routes!(quarantine::many::release))
        .routes(routes!(quarantine::many::reject))
        .routes(routes!(devices::list))
        .routes(routes!(devices::revoke))
        .routes(routes!(devices::confirm))
        .routes(routes!(devices::confirm_all))
        .routes(routes!(backup::show))
        .routes(routes!(organisation::plan))
        .routes(routes!(organisation::apply))
        .routes(routes!(tokens::list))
        .routes(routes!(tokens::make))
        .routes(routes!(tokens::end))
        .routes(routes!(vocabulary::list))
        .routes(routes!(events::subscribe))
        .routes(routes!(export::csv))
        .routes(routes!(export::xlsx))
        .routes(routes!(export::geojson))
        .routes(routes!(export::ndjson))
        .routes(routes!(export::coverage::csv))
        .routes(routes!(export::coverage::xlsx))
        .routes(routes!(export::places::csv))
        .routes(routes!(export::places::xlsx))
        .routes(routes!(export::devices::csv))
        .routes(routes!(export::devices::xlsx))
        .routes(routes!(export::conflicts::csv))
        .routes(routes!(export::conflicts::xlsx))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(metrics::show))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(compressed())
}

/// Answers travel as gzip, which every browser knows, where they are longer than what it adds. Events are to come at once, and a
/// workbook is compressed already. (What is secret, a code or a session, travels in answers too short for it.)
fn compressed() -> CompressionLayer<impl Predicate> {
    let worthwhile = SizeAbove::new(LEAST_COMPRESSED_BYTES)
        .and(NotForContentType::SSE)
        .and(NotForContentType::const_new(export::XLSX));
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(worthwhile)
}

/// The service: the routes given, their description, and what holds for every request.
pub fn service(app: App, routes: OpenApiRouter<App>) -> Router {
    let (router, description) = routes.split_for_parts();
    router
        .route("/openapi.json", openapi::route(&description))
        .route(basemap::PATH, routing::get(basemap::serve))
        .fallback(web::serve)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed.into_response())
        .layer(middleware::from_fn_with_state(app.clone(), observe::observe))
        .with_state(app)
}
