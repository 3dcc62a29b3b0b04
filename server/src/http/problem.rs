//! Every way in which a request can fail, as a problem of RFC 9457. The codes are stable; the words are not.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::{
    IntoResponses, PartialSchema as _, ToSchema,
    openapi::{ContentBuilder, RefOr, Response as Described, ResponseBuilder},
};

use aralau_sync_core::auth::{NONCE_HEADER, SCHEME};

use crate::{
    authorize::Denied,
    compress::{DecodeError, EncodeError},
    message::MessageError,
    query::period::NoPeriod,
    store::StoreError,
};

/// Why a request failed. What it displays is shown to the caller, so that no cause from inside is part of it.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// No token, or one that does not count.
    #[error("send a valid token, `Authorization: Bearer aralau_…`, or sign in")]
    Unauthorized,
    /// The role does not allow it.
    #[error("this token's role does not allow this")]
    Forbidden,
    /// A browser's session asks for a change, and not from a page of this server.
    #[error("a session changes something only for a page of this server")]
    CrossSite,
    /// Absent, or not for this caller: both look alike.
    #[error("there is nothing of this name here")]
    NotFound,
    /// No such path.
    #[error("there is no such route; /openapi.json lists all")]
    UnknownRoute,
    /// The path is known, the method is not.
    #[error("this route does not take this method; see the header `Allow`")]
    MethodNotAllowed,
    /// A query parameter that is unknown, or has a value outside of its range.
    #[error("{0}")]
    BadParameter(String),
    /// A query string longer than [`super::MAX_QUERY_BYTES`].
    #[error("the query string is too long")]
    QueryTooLong,
    /// A body that is not the JSON wanted.
    #[error("{0}")]
    BadBody(String),
    /// A body larger than allowed.
    #[error("the body is too large")]
    BodyTooLarge,
    /// A body in another format.
    #[error("send `Content-Type: application/json`")]
    UnsupportedMediaType,
    /// More rows than the format holds; how many it does.
    #[error("this format holds {0} rows: narrow the filter, or take CSV")]
    TooManyRows(u32),
    /// As many files are being made as can be.
    #[error("too many such files are being made; try again later")]
    TooManyExports,
    /// As many tables are being read as can be.
    #[error("others' tables are being read; try again later")]
    TooManyLoads,
    /// The organisation is another than when the plan was made.
    #[error(
        "the organisation has changed since this plan was made, which would do something else now: ask for it again"
    )]
    PlanStale,
    /// The field has no two values to choose from.
    #[error("this field is not in conflict; someone may have settled it already")]
    NotInConflict,
    /// The settlement that is to be taken back is not what the field holds.
    #[error("somebody has written to this field since that settlement, or it was none")]
    SettledSince,
    /// The value cannot stand in a document.
    #[error("this value cannot stand in a document: {0}")]
    BadValue(String),
    /// The held entry was released or rejected before.
    #[error("this entry was decided before")]
    AlreadyDecided,
    /// The held entry can never become part of its document; its reason.
    #[error("this entry cannot be released: {0}")]
    NotReleasable(String),
    /// The held entry builds on one that was rejected.
    #[error("this entry builds on one that was rejected: release it with `with_rejected`, or reject it")]
    BaseRejected,
    /// A device that is not enrolled, or a request that it did not sign.
    #[error("a device signs its request in the Authorization header, with the key it enrolled")]
    DeviceUnknown,
    /// This server was restored, and may have forgotten that the device was shut out.
    #[error(
        "this server was restored from a backup and does not know yet whether this device may still be served: somebody at \
             headquarters has to confirm it. Nothing on it is lost; sync again later"
    )]
    DeviceUnconfirmed,
    /// The nonce is too old, was overtaken, or is not ours; this one is good.
    #[error("sign the request again with the nonce in the `aralau-nonce` header")]
    NonceStale(String),
    /// The install belongs to another device.
    #[error("this replica belongs to another device")]
    ReplicaForeign,
    /// The device has seen rows that this server lacks.
    #[error("this device has seen more than this server holds: send the newest receipts, to prove it")]
    ServerBehind,
    /// The app is older or newer than this server's protocol.
    #[error("this server speaks protocol {0}: update the app")]
    ProtocolVersion(u16),
    /// A content-encoding this server does not read.
    #[error("content-encoding must be zstd, gzip or identity")]
    UnsupportedEncoding,
    /// A body that is not what it should be; what came whole before was kept.
    #[error("{0}")]
    Malformed(String),
    /// A body that stopped; what came whole was kept.
    #[error("the body was cut off; the complete frames in it were kept")]
    BodyIncomplete,
    /// A body that is not the one its digest names; what came whole was kept.
    #[error("the body is not what `content-digest` says; the complete frames in it were kept")]
    BodyDamaged,
    /// A sync that does not say beforehand what its body will be.
    #[error("say what the body is, `Content-Digest: sha-256=:…:` (RFC 9530)")]
    DigestMissing,
    /// Others have to read their answers first.
    #[error("more answers are under way than this server holds; try again later")]
    TooManyAnswers,
    /// As many syncs of this device are under way as may be.
    #[error("too many syncs are under way already; try again later")]
    TooManySyncs,
    /// As many wrong tokens and codes wait for their answer as may, or came from one address; after how many seconds to
    /// try again.
    #[error("too many wrong tokens and codes were tried just now; try again later")]
    TooManyAttempts(u32),
    /// More than one may ask; after how many seconds to ask again.
    #[error("this is more than one address, token or device may ask; the header `Retry-After` says when to ask again")]
    TooManyRequests(u32),
    /// No such code.
    #[error("there is no such enrollment code: check it, or ask for a new one")]
    EnrollmentCodeUnknown,
    /// Its time has passed.
    #[error("the enrollment code has expired: ask for a new one")]
    EnrollmentCodeExpired,
    /// It works once.
    #[error("another device has used this enrollment code: ask for a new one")]
    EnrollmentCodeUsed,
    /// The device came in by another code before.
    #[error("this device is enrolled already; the code was not used up")]
    DeviceEnrolled,
    /// As many listen as can be served.
    #[error("too many are listening already; try again later")]
    TooManySubscribers,
    /// The store is busy, out of disk, or going down.
    #[error("the store is not available; try again")]
    Unavailable(#[source] StoreError),
    /// What is stored contradicts itself, or the server failed.
    #[error("the server failed; its log says why, under this request's `x-request-id`")]
    Internal(#[source] StoreError),
}

/// What a failed request is answered with.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemBody {
    /// Names the kind of problem: `urn:aralau:problem:` and the code.
    #[serde(rename = "type")]
    pub problem_type: String,
    /// The status in words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// For whoever reads it.
    pub detail: String,
    /// Stable, for programs.
    pub code: &'static str,
}

/// For the log of whoever answers: put beside the response, never in it.
#[derive(Debug, Clone)]
pub struct Failed {
    /// The problem's code.
    pub code: &'static str,
    /// What the store said.
    pub cause: Option<String>,
}

impl Problem {
    /// Status and stable code: the one place where they are joined.
    const fn kind(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
            Self::CrossSite => (StatusCode::FORBIDDEN, "cross_site"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::UnknownRoute => (StatusCode::NOT_FOUND, "unknown_route"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::BadParameter(_) => (StatusCode::BAD_REQUEST, "bad_parameter"),
            Self::QueryTooLong => (StatusCode::URI_TOO_LONG, "query_too_long"),
            Self::BadBody(_) => (StatusCode::BAD_REQUEST, "bad_body"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            Self::UnsupportedMediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            Self::TooManyRows(_) => (StatusCode::UNPROCESSABLE_ENTITY, "too_many_rows"),
            Self::TooManyExports => (StatusCode::SERVICE_UNAVAILABLE, "too_many_exports"),
            Self::TooManyLoads => (StatusCode::SERVICE_UNAVAILABLE, "too_many_loads"),
            Self::PlanStale => (StatusCode::CONFLICT, "plan_stale"),
            Self::NotInConflict => (StatusCode::CONFLICT, "not_in_conflict"),
            Self::SettledSince => (StatusCode::CONFLICT, "settled_since"),
            Self::BadValue(_) => (StatusCode::BAD_REQUEST, "bad_value"),
            Self::AlreadyDecided => (StatusCode::CONFLICT, "already_decided"),
            Self::NotReleasable(_) => (StatusCode::CONFLICT, "not_releasable"),
            Self::BaseRejected => (StatusCode::CONFLICT, "base_rejected"),
            Self::DeviceUnknown => (StatusCode::UNAUTHORIZED, "device_unknown"),
            Self::DeviceUnconfirmed => (StatusCode::FORBIDDEN, "device_unconfirmed"),
            Self::NonceStale(_) => (StatusCode::UNAUTHORIZED, "nonce_stale"),
            Self::ReplicaForeign => (StatusCode::FORBIDDEN, "replica_foreign"),
            Self::ServerBehind => (StatusCode::CONFLICT, "server_behind"),
            Self::ProtocolVersion(_) => (StatusCode::UPGRADE_REQUIRED, "protocol_version"),
            Self::UnsupportedEncoding => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding"),
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed"),
            Self::BodyIncomplete => (StatusCode::REQUEST_TIMEOUT, "body_incomplete"),
            Self::BodyDamaged => (StatusCode::REQUEST_TIMEOUT, "body_damaged"),
            Self::DigestMissing => (StatusCode::BAD_REQUEST, "digest_missing"),
            Self::TooManyAnswers => (StatusCode::SERVICE_UNAVAILABLE, "too_many_answers"),
            Self::TooManySyncs => (StatusCode::TOO_MANY_REQUESTS, "too_many_syncs"),
            Self::TooManyAttempts(_) => (StatusCode::TOO_MANY_REQUESTS, "too_many_attempts"),
            Self::TooManyRequests(_) => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
            Self::EnrollmentCodeUnknown => (StatusCode::FORBIDDEN, "enrollment_code_unknown"),
            Self::EnrollmentCodeExpired => (StatusCode::FORBIDDEN, "enrollment_code_expired"),
            Self::EnrollmentCodeUsed => (StatusCode::FORBIDDEN, "enrollment_code_used"),
            Self::DeviceEnrolled => (StatusCode::CONFLICT, "device_enrolled"),
            Self::TooManySubscribers => (StatusCode::SERVICE_UNAVAILABLE, "too_many_subscribers"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    /// What tells a program how to go on.
    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        if let Self::NonceStale(nonce) = self {
            return Some((HeaderName::from_static(NONCE_HEADER), HeaderValue::from_str(nonce).ok()?));
        }
        if let Self::TooManyAttempts(seconds) | Self::TooManyRequests(seconds) = self {
            return Some((header::RETRY_AFTER, HeaderValue::from(*seconds)));
        }
        let (name, value) = match self.kind() {
            (StatusCode::UNAUTHORIZED, "unauthorized") => (header::WWW_AUTHENTICATE, "Bearer"),
            (StatusCode::UNAUTHORIZED, _) => (header::WWW_AUTHENTICATE, SCHEME),
            (StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS, _) => (header::RETRY_AFTER, "2"),
            _ => return None,
        };
        Some((name, HeaderValue::from_static(value)))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, code) = self.kind();
        let body = ProblemBody {
            problem_type: format!("urn:aralau:problem:{code}"),
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: self.to_string(),
            code,
        };
        let mut response = (status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.extend(self.header());
        let cause = std::error::Error::source(&self).map(ToString::to_string);
        response.extensions_mut().insert(Failed { code, cause });
        response
    }
}

impl From<MessageError> for Problem {
    fn from(error: MessageError) -> Self {
        match error {
            MessageError::TooLarge | MessageError::Decode(DecodeError::TooLarge) => Self::BodyTooLarge,
            MessageError::Decode(DecodeError::Undecodable) | MessageError::Items(_) => {
                Self::Malformed(error.to_string())
            }
        }
    }
}

impl From<EncodeError> for Problem {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::Encoder => StoreError::Internal(error.to_string()).into(),
            EncodeError::Frame => StoreError::Corrupt(error.to_string()).into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable(error),
            StoreError::Corrupt(_) | StoreError::Internal(_) => Self::Internal(error),
        }
    }
}

impl From<Denied> for Problem {
    fn from(_: Denied) -> Self {
        Self::Forbidden
    }
}

impl From<NoPeriod> for Problem {
    fn from(error: NoPeriod) -> Self {
        Self::BadParameter(error.to_string())
    }
}

/// The description of any failure, for every route.
impl IntoResponses for Problem {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        let content = ContentBuilder::new().schema(Some(ProblemBody::schema())).build();
        let response = ResponseBuilder::new().description("A problem (RFC 9457); `code` is stable.");
        let response = response.content("application/problem+json", content).build();
        BTreeMap::from([("default".to_owned(), response.into())])
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_reference_names_every_code() {
        let page = include_str!("../../../docs/reference/http-api.md");
        let arms = include_str!("problem.rs").lines().map(str::trim).filter(|line| line.starts_with("Self::"));
        let arms = arms.filter(|arm| arm.contains("=> (StatusCode::"));
        let codes: Vec<_> = arms.filter_map(|arm| arm.split('"').nth(1)).collect();
        assert!(codes.len() > 20);
        for code in codes {
            assert!(page.contains(&format!("`{code}`")), "{code}");
        }
    }
}
