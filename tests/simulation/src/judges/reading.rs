//! What the other judges compare was read by the project's own decoder. This one reads the same bytes by the description of the
//! protocol (`docs/reference/protocol.cddl`) with a CBOR library of somebody else's, and must find the same.

use aralau_sync_core::{
    stream::Link,
    sync::{Content, Gained, Row},
};
use ciborium::Value;

use super::{Exchange, Judge, Judgement, violated};
use crate::{
    transcript::sha256,
    world::{World, gained_in},
};

/// See the module.
pub struct Reading;

impl Judge for Reading {
    fn after_exchange(&mut self, _: &World, exchange: &Exchange<'_>) -> Judgement {
        let by_project = gained_in(&exchange.body);
        if exchange.body.is_empty() && by_project.is_empty() {
            return Ok(());
        }
        let Some(by_description) = answer(&exchange.body) else {
            // Only what is no answer is read as none.
            return if by_project.is_empty() {
                Ok(())
            } else {
                violated("reading", "an answer that is not as described")
            };
        };
        if by_description.len() != by_project.len() {
            return violated("reading", format!("{} scopes, not {}", by_description.len(), by_project.len()));
        }
        for (described, gained) in by_description.iter().zip(&by_project) {
            if let Some(what) = described.differs(gained) {
                return violated("reading", format!("{what}: {described:?} against {gained:?}"));
            }
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Described {
    scope: Vec<u8>,
    epoch: u64,
    from: u64,
    streams: Vec<Vec<u8>>,
    rows: Vec<DescribedRow>,
    more: bool,
    receipt: String,
    decided: (u64, Vec<u8>),
}

#[derive(Debug, PartialEq)]
struct DescribedRow {
    kind: u64,
    received_at: i64,
    stream: u64,
    index: u64,
    verdict: Vec<u8>,
    content: DescribedContent,
}

#[derive(Debug, PartialEq)]
enum DescribedContent {
    Known,
    Full(Vec<u8>, Vec<u8>),
    Hollow(Vec<u8>, Vec<u8>),
    Control(Vec<u8>),
}

impl Described {
    fn differs(&self, gained: &Gained) -> Option<&'static str> {
        let streams: Vec<_> = gained.streams.iter().map(|intro| intro.replica.as_bytes().to_vec()).collect();
        let rows: Vec<_> = gained.rows.iter().map(DescribedRow::of).collect();
        let is_same = [
            ("scope", self.scope == gained.scope.as_bytes()),
            ("epoch", self.epoch == gained.epoch),
            ("from", self.from == gained.from),
            ("streams", self.streams == streams),
            ("rows", self.rows == rows),
            ("more", self.more == gained.more),
            ("receipt", self.receipt == gained.receipt),
            ("decided", self.decided == (gained.decided.index, gained.decided.hash.as_bytes().to_vec())),
        ];
        is_same.into_iter().find_map(|(what, is)| (!is).then_some(what))
    }
}

impl DescribedRow {
    fn of(row: &Row) -> Self {
        let content = match &row.content {
            Content::Known => DescribedContent::Known,
            Content::Link(Link::Full { header, body }) => DescribedContent::Full(header.clone(), body.clone()),
            Content::Link(Link::Hollow { header, content }) => {
                DescribedContent::Hollow(header.as_bytes().to_vec(), content.as_bytes().to_vec())
            }
            Content::Control(payload) => DescribedContent::Control(payload.clone()),
        };
        let (kind, received_at, verdict) = (row.kind as u64, row.received_at.0, row.verdict.clone());
        Self { kind, received_at, stream: row.stream.into(), index: row.index, verdict, content }
    }
}

/// `answer`: a welcome, and what each scope gained with as many packs as it says.
fn answer(body: &[u8]) -> Option<Vec<Described>> {
    let mut items = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let item = ciborium::from_reader::<Value, _>(&mut rest).ok()?.into_bytes().ok()?;
        items.push(ciborium::from_reader::<Value, _>(&*item).ok()?);
    }
    let mut items = items.into_iter();
    items.next()?;
    let mut all = Vec::new();
    while let Some(item) = items.next() {
        let item = Map::of(item)?;
        let mut rows = Vec::new();
        runs(item.get(5)?, &mut rows)?;
        let streams: Vec<_> =
            array(item.get(4)?)?.into_iter().map(|intro| bytes(Map::of(intro)?.get(1)?)).collect::<Option<_>>()?;
        for _ in 0..item.get(9).map_or(Some(0), uint)? {
            let pack = Map::of(items.next()?)?;
            let named: Vec<_> = array(pack.get(1)?)?.into_iter().map(bytes).collect::<Option<Vec<_>>>()?;
            let mut packed = Vec::new();
            runs(pack.get(2)?, &mut packed)?;
            for mut row in packed {
                if row.kind != 5 {
                    let replica = named.get(usize::try_from(row.stream).ok()?)?;
                    row.stream = streams.iter().position(|stream| stream == replica)? as u64;
                }
                rows.push(row);
            }
        }
        let decided = array(item.get(8)?)?;
        let [index, hash] = <[Value; 2]>::try_from(decided).ok()?;
        all.push(Described {
            scope: bytes(item.get(1)?)?,
            epoch: uint(item.get(2)?)?,
            from: uint(item.get(3)?)?,
            streams,
            rows,
            more: item.get(6)?.as_bool()?,
            receipt: item.get(7)?.into_text().ok()?,
            decided: (uint(index)?, bytes(hash)?),
        });
    }
    Some(all)
}

fn runs(value: Value, rows: &mut Vec<DescribedRow>) -> Option<()> {
    for run in array(value)? {
        let [kind, received_at, stream, first, verdict, content] = <[Value; 6]>::try_from(array(run)?).ok()?;
        let (kind, stream, first, verdict) = (uint(kind)?, uint(stream)?, uint(first)?, bytes(verdict)?);
        let received_at = received_at.as_integer()?.try_into().ok()?;
        for (at, content) in contents(content)?.into_iter().enumerate() {
            let index = if kind == 5 { 0 } else { first + at as u64 };
            rows.push(DescribedRow { kind, received_at, stream, index, verdict: verdict.clone(), content });
        }
    }
    Some(())
}

fn contents(content: Value) -> Option<Vec<DescribedContent>> {
    if let Some(known) = content.as_integer() {
        return Some((0..u64::try_from(known).ok()?).map(|_| DescribedContent::Known).collect());
    }
    if content.is_bytes() {
        return Some(vec![DescribedContent::Control(bytes(content)?)]);
    }
    links(content)
}

fn links(value: Value) -> Option<Vec<DescribedContent>> {
    let [headers, ids, bodies] = <[Value; 3]>::try_from(array(value)?).ok()?;
    let ids = bytes(ids)?;
    let mut ids = ids.chunks_exact(16);
    let mut bodies = array(bodies)?.into_iter();
    let link = |header: Value| {
        if let Value::Bytes(header) = header {
            return Some(DescribedContent::Full(header, body(bodies.next()?, &mut ids)?));
        }
        let parts = array(header)?;
        if let [Value::Integer(_), Value::Bytes(header), Value::Bytes(content)] = &parts[..] {
            return Some(DescribedContent::Hollow(header.clone(), content.clone()));
        }
        let [how, rest] = <[Value; 2]>::try_from(parts).ok()?;
        let (how, rest) = (uint(how)?, bytes(rest)?);
        let body = body(bodies.next()?, &mut ids)?;
        Some(DescribedContent::Full(named_header(how, &rest, &body)?, body))
    };
    array(headers)?.into_iter().map(link).collect()
}

/// The whole body, with the ids put back that were taken out.
fn body<'i>(value: Value, ids: &mut impl Iterator<Item = &'i [u8]>) -> Option<Vec<u8>> {
    if value.is_bytes() {
        return bytes(value);
    }
    let mut parts = array(value)?;
    let rest = bytes(parts.pop()?)?;
    let (mut whole, mut rest) = (Vec::new(), &rest[..]);
    for place in parts {
        let place = usize::try_from(uint(place)?).ok()?;
        let (before, after) = rest.split_at_checked(place.checked_sub(whole.len())?)?;
        whole.extend(before);
        whole.extend(uuid::Uuid::from_slice(ids.next()?).ok()?.hyphenated().to_string().bytes());
        rest = after;
    }
    whole.extend(rest);
    Some(whole)
}

/// The whole header of a document that is named after the body: with the day on which the header says it was written, or without.
fn named_header(how: u64, header: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    let (before, after) = header.split_at_checked(3)?;
    let mut name: [u8; 16] = sha256(&[b"aralau/document/1\0", body])[..16].try_into().ok()?;
    if how == 2 {
        let mut rest = after.strip_prefix(&[3])?;
        let at: i64 = ciborium::from_reader::<Value, _>(&mut rest).ok()?.as_integer()?.try_into().ok()?;
        let day = at.div_euclid(86_400_000).clamp(0, 65_535);
        name[..2].copy_from_slice(&u16::try_from(day).ok()?.to_be_bytes());
    }
    // A UUIDv8.
    name[6] = name[6] & 0x0f | 0x80;
    name[8] = name[8] & 0x3f | 0x80;
    Some([before, &[0x02, 0x50], &name, after].concat())
}

struct Map(Vec<(Value, Value)>);

impl Map {
    fn of(value: Value) -> Option<Self> {
        value.into_map().ok().map(Self)
    }

    fn get(&self, key: u64) -> Option<Value> {
        let found = self.0.iter().find(|(known, _)| *known == Value::Integer(key.into()));
        found.map(|(_, value)| value.clone())
    }
}

fn array(value: Value) -> Option<Vec<Value>> {
    value.into_array().ok()
}

fn bytes(value: Value) -> Option<Vec<u8>> {
    value.into_bytes().ok()
}

fn uint(value: Value) -> Option<u64> {
    u64::try_from(value.as_integer()?).ok()
}
