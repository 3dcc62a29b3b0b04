//! How a device becomes known to a server: a code, handed over in person, bound to the device's key.

use aralau_sync_core::{
    auth::enroll_preimage,
    id::{DeploymentId, DeviceId, PersonId, PublicKey, ReplicaId, ScopeId, ServerKey, Signature},
    stream::SignDevice as _,
    sync,
};
use serde::{Deserialize, Serialize};

use crate::{
    error::Error,
    keys::DeviceKey,
    store::{Key, ScopeRecord, Store, StoreError},
    transport::{HttpRequest, HttpResponse},
};

/// An answer about enrollment, at most.
const MAX_ANSWER_BYTES: u64 = 256 * 1024;

/// What a device knows of its deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrollment {
    /// The server's address, without a slash at the end.
    pub url: String,
    /// Which deployment.
    pub deployment: DeploymentId,
    /// Signs its receipts.
    pub server_key: ServerKey,
    /// This device.
    pub device: DeviceId,
    /// In whose hands it is.
    pub person: Person,
    /// The beats that this person may read and write now.
    pub beats: Vec<Beat>,
}

/// Someone in the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// As shown beside their words.
    pub name: String,
}

/// A beat.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Beat {
    /// `beat-01`.
    pub code: String,
    /// The partition that holds its documents.
    pub scope: ScopeId,
    /// As shown to people.
    pub name: String,
}

impl From<&sync::Beat> for Beat {
    fn from(beat: &sync::Beat) -> Self {
        Self { code: beat.code.clone(), scope: beat.scope, name: beat.name.clone() }
    }
}

impl From<&Beat> for sync::Beat {
    fn from(beat: &Beat) -> Self {
        Self { code: beat.code.clone(), scope: beat.scope, name: beat.name.clone() }
    }
}

impl Enrollment {
    pub(crate) fn load(store: &impl Store) -> Result<Option<Self>, StoreError> {
        let Some(bytes) = store.meta(Key::Enrollment)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|_| StoreError::corrupt("the enrollment"))
    }

    /// Keeps it, and marks which scopes may be pulled, in the caller's transaction.
    pub(crate) fn save(&self, store: &mut impl Store) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(self).map_err(|_| StoreError::corrupt("the enrollment"))?;
        store.set_meta(Key::Enrollment, &bytes)?;
        let granted = |scope| self.beats.iter().any(|beat| beat.scope == scope);
        for record in store.scopes()? {
            if record.granted != granted(record.scope) {
                store.put_scope(&ScopeRecord { granted: !record.granted, ..record })?;
            }
        }
        for beat in &self.beats {
            if store.scope(beat.scope)?.is_none() {
                store.put_scope(&ScopeRecord::new(beat.scope))?;
            }
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct EnrollBody<'a> {
    code: &'a str,
    public_key: PublicKey,
    replica: ReplicaId,
    signature: Signature,
    app: &'a str,
}

#[derive(Deserialize)]
struct EnrollAnswer {
    deployment: DeploymentId,
    server_key: ServerKey,
    device: DeviceId,
    person: Person,
    beats: Vec<Beat>,
    nonce: Option<String>,
}

/// The request that enrolls. Repeating it after a lost answer is safe.
pub(crate) fn request(url: &str, code: &str, key: &DeviceKey, replica: ReplicaId) -> HttpRequest {
    let public_key = key.public_key();
    let signature = key.sign(&enroll_preimage(code, &replica, &public_key));
    let body = EnrollBody { code, public_key, replica, signature, app: crate::APP };
    HttpRequest {
        method: "POST",
        url: format!("{url}/v1/enroll"),
        headers: vec![("content-type", "application/json".into()), ("accept", "application/json".into())],
        body: serde_json::to_vec(&body).unwrap_or_default(),
        max_answer_bytes: MAX_ANSWER_BYTES,
    }
}

/// What the server answered, and the nonce for the first sync.
pub(crate) fn read(url: &str, answer: &HttpResponse) -> Result<(Enrollment, Option<String>), Error> {
    if answer.status != 200 {
        return Err(problem(answer));
    }
    let answer: EnrollAnswer = serde_json::from_slice(&answer.body).map_err(|_| Error::Answer)?;
    let EnrollAnswer { deployment, server_key, device, person, beats, nonce } = answer;
    Ok((Enrollment { url: url.to_owned(), deployment, server_key, device, person, beats }, nonce))
}

/// RFC 9457 problem details.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    code: String,
    detail: String,
    title: String,
}

/// The server's refusal, as far as it explains itself.
pub(crate) fn problem(answer: &HttpResponse) -> Error {
    let problem: Problem = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = if problem.code.is_empty() { format!("http_{}", answer.status) } else { problem.code };
    let detail = if problem.detail.is_empty() { problem.title } else { problem.detail };
    Error::Server { status: answer.status, code, detail }
}
