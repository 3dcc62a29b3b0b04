//! How a device becomes known to a server: a code, handed over in person, bound to the device's key.

use aralau_sync_core::{
    auth::enroll_preimage,
    id::{DeploymentId, DeviceId, Fingerprint, PublicKey, ReplicaId, ServerKey, Signature},
};
use serde::{Deserialize, Serialize};

use super::{Session, Step, problem::problem};
use crate::{
    client::Client,
    enrollment::{Beat, Enrollment, Person},
    error::Error,
    invitation::{Certificate, Invitation, is_https},
    store::Store,
    transport::{HttpRequest, HttpResponse, TransportError},
};

/// An answer about enrollment, at most.
const MAX_ANSWER_BYTES: u64 = 256 * 1024;

/// Makes a device known to a server by a code. A new one after a lost answer is safe: the server answers the same device
/// the same.
#[derive(Debug)]
pub struct EnrollSession {
    invitation: Invitation,
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
        Self::by(Invitation::new(url, code))
    }

    /// As the device's person was invited.
    pub fn by(invitation: Invitation) -> Self {
        Self { invitation, phase: Phase::Sign }
    }

    /// What the server is to be known by. Once a device was given a certificate, it goes without only where it is told so.
    fn certificate<S: Store>(&self, client: &Client<S>) -> Option<Fingerprint> {
        match self.invitation.certificate {
            Certificate::AsBefore => client.enrollment.as_ref().and_then(|known| known.certificate),
            Certificate::Only(fingerprint) => Some(fingerprint),
            Certificate::Trusted => None,
        }
    }

    /// Whoever strips the encryption off a line makes `http` of an address.
    fn check<S: Store>(&self, client: &Client<S>) -> Result<(), Error> {
        if is_https(&self.invitation.url) {
            return Ok(());
        }
        if client.enrollment.as_ref().is_some_and(|known| is_https(&known.url)) {
            return Err(Error::Downgrade);
        }
        if self.certificate(client).is_some() { Err(TransportError::Insecure.into()) } else { Ok(()) }
    }

    fn request<S: Store>(&self, client: &Client<S>, signature: Signature) -> HttpRequest {
        let (public_key, replica) = (client.vault.public_key(), client.identity.replica);
        let Invitation { url, code, .. } = &self.invitation;
        let body = EnrollBody { code, public_key, replica, signature, app: crate::APP };
        HttpRequest {
            method: "POST",
            url: format!("{url}/v1/enroll"),
            headers: vec![("content-type", "application/json".into()), ("accept", "application/json".into())],
            body: serde_json::to_vec(&body).unwrap_or_default(),
            max_answer_bytes: MAX_ANSWER_BYTES,
            certificate: self.certificate(client),
        }
    }

    fn hear<S: Store>(&self, client: &mut Client<S>, answer: &HttpResponse) -> Result<(), Error> {
        if answer.status != 200 {
            return Err(problem(answer));
        }
        let answer: EnrollAnswer = serde_json::from_slice(&answer.body).map_err(|_| Error::Answer)?;
        let EnrollAnswer { deployment, server_key, device, person, beats, nonce } = answer;
        let (url, certificate) = (self.invitation.url.clone(), self.certificate(client));
        let enrollment = Enrollment { url, certificate, deployment, server_key, device, person, beats };
        client.keep_enrollment(enrollment, nonce)
    }
}

impl Session for EnrollSession {
    type Outcome = ();

    fn next<S: Store>(&mut self, client: &mut Client<S>) -> Step<()> {
        let (public_key, replica) = (client.vault.public_key(), client.identity.replica);
        match std::mem::replace(&mut self.phase, Phase::Sign) {
            Phase::Sign => match self.check(client) {
                Ok(()) => Step::Sign(vec![enroll_preimage(&self.invitation.code, &replica, &public_key)]),
                Err(error) => Step::Failed(error),
            },
            // Asked again without a word of what came of it, it begins anew.
            Phase::Send(signature) => Step::Send(self.request(client, signature)),
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
