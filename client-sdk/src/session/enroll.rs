//! How a device becomes known to a server: a code, handed over in person, bound to the device's key.

use aralau_sync_core::{
    auth::enroll_preimage,
    id::{DeploymentId, DeviceId, PublicKey, ReplicaId, ServerKey, Signature},
};
use serde::{Deserialize, Serialize};

use super::{Session, Step, problem::problem};
use crate::{
    client::Client,
    enrollment::{Beat, Enrollment, Person},
    error::Error,
    store::Store,
    transport::{HttpRequest, HttpResponse, TransportError},
};

/// An answer about enrollment, at most.
const MAX_ANSWER_BYTES: u64 = 256 * 1024;

/// Makes a device known to a server by a code. A new one after a lost answer is safe: the server answers the same device
/// the same.
#[derive(Debug)]
pub struct EnrollSession {
    url: String,
    code: String,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Sign,
    Send(Signature),
    Done,
    Failed(Error),
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

impl EnrollSession {
    /// With the server at `url`, by the code that the device's person was handed.
    pub fn new(url: &str, code: &str) -> Self {
        Self { url: url.trim_end_matches('/').to_owned(), code: code.to_owned(), phase: Phase::Sign }
    }

    fn request(&self, public_key: PublicKey, replica: ReplicaId, signature: Signature) -> HttpRequest {
        let body = EnrollBody { code: &self.code, public_key, replica, signature, app: crate::APP };
        HttpRequest {
            method: "POST",
            url: format!("{}/v1/enroll", self.url),
            headers: vec![("content-type", "application/json".into()), ("accept", "application/json".into())],
            body: serde_json::to_vec(&body).unwrap_or_default(),
            max_answer_bytes: MAX_ANSWER_BYTES,
        }
    }

    fn hear<S: Store>(&self, client: &mut Client<S>, answer: &HttpResponse) -> Result<(), Error> {
        if answer.status != 200 {
            return Err(problem(answer));
        }
        let answer: EnrollAnswer = serde_json::from_slice(&answer.body).map_err(|_| Error::Answer)?;
        let EnrollAnswer { deployment, server_key, device, person, beats, nonce } = answer;
        let enrollment = Enrollment { url: self.url.clone(), deployment, server_key, device, person, beats };
        client.keep_enrollment(enrollment, nonce)
    }
}

impl Session for EnrollSession {
    type Outcome = ();

    fn next<S: Store>(&mut self, client: &mut Client<S>) -> Step<()> {
        let (public_key, replica) = (client.vault.public_key(), client.identity.replica);
        match std::mem::replace(&mut self.phase, Phase::Sign) {
            Phase::Sign => Step::Sign(vec![enroll_preimage(&self.code, &replica, &public_key)]),
            // Asked again without a word of what came of it, it begins anew.
            Phase::Send(signature) => Step::Send(self.request(public_key, replica, signature)),
            Phase::Done => {
                self.phase = Phase::Done;
                Step::Done(())
            }
            Phase::Failed(error) => Step::Failed(error),
        }
    }

    fn signed(&mut self, signatures: Vec<Signature>) {
        self.phase = match *signatures {
            [signature] => Phase::Send(signature),
            _ => Phase::Failed(Error::UNSIGNED),
        };
    }

    fn answered<S: Store>(&mut self, client: &mut Client<S>, answer: Result<HttpResponse, TransportError>) {
        let outcome = answer.map_err(Error::from).and_then(|answer| self.hear(client, &answer));
        self.phase = outcome.map_or_else(Phase::Failed, |()| Phase::Done);
    }
}
