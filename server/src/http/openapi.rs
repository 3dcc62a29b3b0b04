//! The description of the interface, generated from the handlers.

use axum::{
    body::Bytes,
    http::header,
    routing::{MethodRouter, get},
};
use utoipa::{
    OpenApi as _,
    openapi::{
        OpenApi,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

/// Everything but the routes.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Aralau", description = "Headquarters' view of all visits."),
    modifiers(&Credentials),
    components(schemas(super::problem::ProblemBody))
)]
struct Description;

struct Credentials;

impl utoipa::Modify for Credentials {
    fn modify(&self, openapi: &mut OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
        let cookie = ApiKey::Cookie(ApiKeyValue::new(super::session::COOKIE));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    }
}

pub(super) fn description() -> OpenApi {
    Description::openapi()
}

/// Serves the description, written once. Open to all: it says nothing of anybody.
pub(super) fn route<S: Clone + Send + Sync + 'static>(description: &OpenApi) -> MethodRouter<S> {
    // A description made of strings always has a JSON form.
    let json = Bytes::from(description.to_json().unwrap_or_default());
    get(async move || ([(header::CONTENT_TYPE, "application/json")], json))
}
