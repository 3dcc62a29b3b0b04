//! Requests to headquarters' interface, through the whole router over a real store: answered or refused by name.

mod site;

use arbitrary::{Result, Unstructured};
use axum::{
    body::Body,
    http::{Method, Request, header},
};
use site::Site;

use crate::passed;

/// The input is one request.
pub fn query(data: &[u8]) {
    let Ok(Some(request)) = draw(&mut Unstructured::new(data)) else { return };
    let told = format!("{} {}", request.method(), request.uri());
    let answer = Site::the().ask(request);
    assert!(answer.status < 500, "{told}: {} {}", answer.status, answer.body);
    if answer.status < 300 {
        passed();
    } else {
        assert_eq!(answer.content_type, "application/problem+json", "{told}: {}", answer.status);
        let problem: serde_json::Value = serde_json::from_str(&answer.body).expect("a problem is JSON");
        assert!(problem["code"].as_str().is_some_and(|code| !code.is_empty()), "{told}: {}", answer.body);
    }
}

/// Lists, documents, exports: `{}` stands for an id. Without the stream of events, which does not end.
const GETS: [&str; 14] = [
    "/v1/visits",
    "/v1/visits",
    "/v1/visits/{}",
    "/v1/visits/{}/history",
    "/v1/places",
    "/v1/places/{}/visits",
    "/v1/conflicts",
    "/v1/quarantine",
    "/v1/devices",
    "/v1/vocabulary",
    "/v1/export.csv",
    "/v1/export.geojson",
    "/v1/export.ndjson",
    "/v1/deployment",
];
const POSTS: [&str; 7] = [
    "/v1/visits/{}/resolve",
    "/v1/quarantine/{}/{}/1/release",
    "/v1/quarantine/{}/{}/1/reject",
    "/v1/quarantine/release",
    "/v1/quarantine/reject",
    "/v1/devices/{}/revoke",
    "/v1/enroll",
];
const PARAMETERS: [&str; 17] = [
    "beat", "place", "author", "type", "outcome", "from", "to", "text", "late", "conflict", "status", "limit",
    "cursor", "reason", "state", "lang", "field",
];

/// `None` where the input is nothing that can stand in a request.
fn draw(input: &mut Unstructured<'_>) -> Result<Option<Request<Body>>> {
    let is_post = input.ratio(1, 8)?;
    let mut path = (if is_post { input.choose(&POSTS)? } else { input.choose(&GETS)? }).to_string();
    while path.contains("{}") {
        path = path.replacen("{}", &id(input)?, 1);
    }
    let query = if input.ratio(1, 4)? { raw(input.arbitrary::<&[u8]>()?) } else { parameters(input)? };
    let uri = if query.is_empty() { path } else { format!("{path}?{query}") };
    let mut request = Request::builder().uri(uri).method(if is_post { Method::POST } else { Method::GET });
    if input.ratio(15, 16)? {
        request = request.header(header::AUTHORIZATION, format!("Bearer {}", Site::the().token));
    } else if let Ok(value) = header::HeaderValue::from_bytes(input.arbitrary::<&[u8]>()?) {
        request = request.header(header::AUTHORIZATION, value);
    }
    let body = if is_post {
        request = request.header(header::CONTENT_TYPE, "application/json");
        Body::from(json(input)?)
    } else {
        Body::empty()
    };
    Ok(request.body(body).ok())
}

fn id(input: &mut Unstructured<'_>) -> Result<String> {
    Ok(match input.int_in_range(0..=3_u8)? {
        0 => percent(input.arbitrary::<&[u8]>()?),
        1 => "01".repeat(14),
        2 => uuid::Uuid::from_u128(input.arbitrary()?).to_string(),
        _ => Site::the().visits[input.choose_index(Site::the().visits.len())?].to_string(),
    })
}

fn parameters(input: &mut Unstructured<'_>) -> Result<String> {
    let mut all = Vec::new();
    for _ in 0..input.int_in_range(0..=4_u8)? {
        let name = *input.choose(&PARAMETERS)?;
        all.push(format!("{name}={}", value(input, name)?));
    }
    Ok(all.join("&"))
}

fn value(input: &mut Unstructured<'_>, name: &str) -> Result<String> {
    if input.ratio(1, 3)? {
        return Ok(percent(input.arbitrary::<&[u8]>()?));
    }
    Ok(match name {
        "beat" => "beat-01".to_owned(),
        "place" => id(input)?,
        "from" | "to" => {
            let (year, month) = (input.int_in_range(-9..=300_000_i32)?, input.int_in_range(0..=13_u8)?);
            let time = *input.choose(&["", "T00:00:00Z", "T23:59:60+05:00", "T24:00:00.999999999-23:59"])?;
            percent(format!("{year:04}-{month:02}-28{time}").as_bytes())
        }
        "late" | "conflict" => input.arbitrary::<bool>()?.to_string(),
        "limit" => input.int_in_range(-2..=1_003_i64)?.to_string(),
        "cursor" => cursor(input)?,
        "state" => (*input.choose(&["held", "filled", "rejected"])?).to_owned(),
        "text" => percent(input.arbitrary::<&str>()?.as_bytes()),
        _ => (*input.choose(&["contacted", "door_to_door", "active", "withdrawn", "waiting", "kk"])?).to_owned(),
    })
}

/// A key that the lists did not make.
fn cursor(input: &mut Unstructured<'_>) -> Result<String> {
    let numbers = (input.arbitrary::<i64>()?, input.arbitrary::<i64>()?);
    let id = uuid::Uuid::from_u128(input.arbitrary()?);
    let key = match input.int_in_range(0..=3_u8)? {
        0 => serde_json::json!(numbers),
        1 => serde_json::json!(numbers.0),
        2 => serde_json::json!(id),
        _ => serde_json::json!([numbers.0, input.arbitrary::<&str>()?]),
    };
    Ok(base64url(key.to_string().as_bytes()))
}

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digits = bytes.chunks(3).flat_map(|group| {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        (0..=group.len()).map(move |at| char::from(DIGITS[(bits >> (18 - 6 * at) & 63) as usize]))
    });
    digits.collect()
}

fn percent(bytes: &[u8]) -> String {
    let quote = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(*byte).to_string(),
        _ => format!("%{byte:02x}"),
    };
    bytes.iter().map(quote).collect()
}

/// As it stands, but for what no URI holds.
fn raw(bytes: &[u8]) -> String {
    bytes.iter().filter(|byte| byte.is_ascii_graphic() && **byte != b'#').map(|byte| char::from(*byte)).collect()
}

fn json(input: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let value = match input.int_in_range(0..=5_u8)? {
        0 => serde_json::json!(input.arbitrary::<i64>()?),
        1 => serde_json::json!(input.arbitrary::<f64>()?),
        2 => serde_json::json!([null, true]),
        3 => serde_json::json!({ "a": input.arbitrary::<&str>()? }),
        _ => serde_json::json!(input.arbitrary::<&str>()?),
    };
    let body = match input.int_in_range(0..=3_u8)? {
        0 => return Ok(input.arbitrary::<&[u8]>()?.to_vec()),
        1 => serde_json::json!({ "field": input.choose(&["outcome", "nonce", "witness/01/x"])?, "value": value }),
        2 => serde_json::json!({ "note": value }),
        _ => serde_json::json!({ "code": value, "public_key": "02", "replica": "01".repeat(14), "signature": value }),
    };
    Ok(body.to_string().into_bytes())
}
