//! How a phone becomes a device: who this server is, and a one-time code for a key.

use aralau_sync_core::{
    auth::enroll_preimage,
    id::{DeploymentId, DeviceId, PersonId, PublicKey, ReplicaId, ScopeId, ServerKey, Signature},
    receipt::SignServer as _,
    stream::VerifyDevice as _,
    sync::PROTOCOL,
};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};

use super::{
    attempts::{self, Tried},
    extract::Body,
    limits::Guess,
    peer::Sender,
    problem::Problem,
};
use crate::{
    app::App,
    device_auth::Nonces,
    keys::DeviceVerifier,
    store::{self, EnrollError, Enrollment},
};

/// Who this server is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Deployment {
    #[schema(value_type = String)]
    deployment: DeploymentId,
    #[schema(value_type = String)]
    server_key: ServerKey,
    protocol: u16,
    time_ms: i64,
    /// What people call it; null where the operator has not said.
    name: Option<String>,
    /// Whether it is for training: what is logged here is nobody's history.
    training: bool,
    /// By whose days it counts, as the IANA names it.
    #[schema(example = "Asia/Almaty")]
    time_zone: &'static str,
    /// After how many days without a contact a place is overdue.
    visit_interval_days: u32,
}

/// Who this server is, before a phone trusts it, and what its screens say of it.
#[utoipa::path(get, path = "/v1/deployment", tag = "devices", responses((status = 200, body = Deployment), Problem))]
pub async fn deployment(State(app): State<App>) -> Result<Json<Deployment>, Problem> {
    let zone = app.read(store::time_zone).await?;
    let settings = app.settings();
    Ok(Json(Deployment {
        deployment: app.deployment(),
        server_key: app.identity().receipt_key.public_key(),
        protocol: PROTOCOL,
        time_ms: app.now().0,
        name: settings.name.clone(),
        training: settings.training,
        time_zone: zone.name(),
        visit_interval_days: settings.visit_interval_days,
    }))
}

/// A phone that asks to be let in.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Ask {
    code: String,
    #[schema(value_type = String)]
    public_key: PublicKey,
    #[schema(value_type = String)]
    replica: ReplicaId,
    /// Over [`enroll_preimage`]: proves that the phone holds the key.
    #[schema(value_type = String)]
    signature: Signature,
}

/// What it is told.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Answer {
    #[schema(value_type = String)]
    deployment: DeploymentId,
    #[schema(value_type = String)]
    server_key: ServerKey,
    #[schema(value_type = String)]
    device: DeviceId,
    person: Person,
    beats: Vec<Beat>,
    nonce: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Person {
    #[schema(value_type = String)]
    id: PersonId,
    name: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Beat {
    code: String,
    #[schema(value_type = String)]
    scope: ScopeId,
    name: String,
}

/// Lets a phone in, once for each code. Repeating it with the same key gives the same answer.
#[utoipa::path(post, path = "/v1/enroll", tag = "devices", request_body = Ask, responses((status = 200, body = Answer), Problem))]
pub async fn enroll(State(app): State<App>, sender: Sender, Body(ask): Body<Ask>) -> Result<Json<Answer>, Problem> {
    let message = enroll_preimage(&ask.code, &ask.replica, &ask.public_key);
    if ask.code.len() > 64 || !DeviceVerifier.verify(&ask.public_key, &message, &ask.signature) {
        return Err(Problem::Malformed("the request is not signed with the key that it brings".to_owned()));
    }
    let guess = Guess::of(&app, &sender, &ask.code);
    guess.admit()?;
    let now = app.now();
    let enrollment = Enrollment { code: ask.code, key: ask.public_key, replica: ask.replica };
    let asked = enrollment.clone();
    if let Err(error) = app.read(move |connection| store::admit(connection, &asked, now)).await? {
        guess.charge(matches!(error, EnrollError::Unknown | EnrollError::Expired));
        return Err(attempts::failed(&app, Tried::Code, &sender, error.into()).await);
    }
    let enrolled = app.write(move |tx| store::enroll(tx, &enrollment, now)).await??;
    let nonce = Nonces(&app.identity().nonce_secret).issue(enrolled.device, now);
    let beats = enrolled.beats.into_iter().map(|beat| Beat { code: beat.code, scope: beat.scope, name: beat.name });
    Ok(Json(Answer {
        deployment: app.deployment(),
        server_key: app.identity().receipt_key.public_key(),
        device: enrolled.device,
        person: Person { id: enrolled.person, name: enrolled.name },
        beats: beats.collect(),
        nonce,
    }))
}

impl From<EnrollError> for Problem {
    fn from(error: EnrollError) -> Self {
        match error {
            EnrollError::Unknown => Self::EnrollmentCodeUnknown,
            EnrollError::Expired => Self::EnrollmentCodeExpired,
            EnrollError::Used => Self::EnrollmentCodeUsed,
            EnrollError::Known => Self::DeviceEnrolled,
            EnrollError::Replica => Self::ReplicaForeign,
        }
    }
}
