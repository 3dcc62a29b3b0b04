//! A run of links as it travels: in columns, so that like stands beside like, and without what its receiver can tell by
//! itself.
//!
//! ```cddl
//! links  = [headers: [* header], ids: bstr, bodies: [* body]]     ; a body for each header but the hollow ones
//! header = bstr / [0, header_hash, content_hash] / [1 / 2, bstr]  ; full / hollow / without the document, which the body
//!                                                                 ; names, by itself or with the header's day
//! body   = bstr / [1* at: uint, bstr]                             ; whole / without the ids that stand at these places
//! ```
//! A random id is sixteen bytes that nothing compresses, and as text, in the key of an item, thirty-six that compress to
//! twenty and break what repeats around them: all ids of a run stand together as bytes, in the order of their places.

use std::ops::Range;

use memchr::memchr_iter;
use minicbor::{Decode, Decoder, Encode, Encoder, data::Type, decode, encode};
use uuid::{Uuid, fmt::Hyphenated};

use crate::{
    change::{hyphenated, is_random},
    digest::DocumentName,
    id::{ContentHash, DocumentId, HeaderHash},
    stream::Link,
    time::Millis,
};

const HOLLOW: u8 = 0;
const NAMED: u8 = 1;
const NAMED_BY_DAY: u8 = 2;

pub(crate) fn write<C, W: encode::Write>(
    links: &[&Link],
    e: &mut Encoder<W>,
    ctx: &mut C,
) -> Result<(), encode::Error<W::Error>> {
    e.array(3)?.array(links.len() as u64)?;
    for link in links {
        match link {
            Link::Full { header, body } => match without_name(header, body) {
                Some((how, rest)) => e.array(2)?.u8(how)?.bytes(&rest)?.ok()?,
                None => e.bytes(header)?.ok()?,
            },
            Link::Hollow { header, content } => {
                e.array(3)?.u8(HOLLOW)?;
                header.encode(e, ctx)?;
                content.encode(e, ctx)?;
            }
        }
    }
    let bodies = links.iter().filter_map(|link| match link {
        Link::Full { body, .. } => Some(body.as_slice()),
        Link::Hollow { .. } => None,
    });
    let bodies: Vec<(&[u8], Vec<Lifted>)> = bodies.map(|body| (body, random_ids(body))).collect();
    let ids: Vec<u8> = bodies.iter().flat_map(|(_, lifted)| lifted).flat_map(|lifted| lifted.id.into_bytes()).collect();
    e.bytes(&ids)?.array(bodies.len() as u64)?;
    for (body, lifted) in &bodies {
        if !lifted.is_empty() {
            e.array(lifted.len() as u64 + 1)?;
        }
        for lifted in lifted {
            e.u64(lifted.at.start as u64)?;
        }
        e.bytes(&without(body, lifted))?;
    }
    Ok(())
}

/// At most `most` links; more are an error before any of them is read.
pub(crate) fn read<C>(d: &mut Decoder<'_>, ctx: &mut C, most: usize) -> Result<Vec<Link>, decode::Error> {
    if d.array()? != Some(3) {
        return Err(decode::Error::message("not links"));
    }
    let headers: Vec<_> = (0..count(d, most)?).map(|_| Header::decode(d, ctx)).collect::<Result<_, _>>()?;
    let mut ids = d.bytes()?;
    let full = headers.iter().filter(|header| !matches!(header, Header::Hollow(_))).count();
    if count(d, full)? != full as u64 {
        return Err(decode::Error::message("another number of bodies than of headers"));
    }
    let mut links = Vec::with_capacity(headers.len());
    for header in headers {
        links.push(match header {
            Header::Hollow(link) => link,
            Header::Full(header) => Link::Full { header: header.to_vec(), body: body(d, &mut ids)? },
            Header::Named(how, rest) => {
                let body = body(d, &mut ids)?;
                let header = with_name(how, rest, &body).ok_or_else(|| decode::Error::message("not a header"))?;
                Link::Full { header, body }
            }
        });
    }
    if ids.is_empty() { Ok(links) } else { Err(decode::Error::message("ids without a place")) }
}

/// The length of an array of at most `most` elements.
fn count(d: &mut Decoder<'_>, most: usize) -> Result<u64, decode::Error> {
    let count = d.array()?.filter(|count| usize::try_from(*count).is_ok_and(|count| count <= most));
    count.ok_or_else(|| decode::Error::message("too many, or of no number"))
}

enum Header<'b> {
    Full(&'b [u8]),
    Named(u8, &'b [u8]),
    Hollow(Link),
}

impl<'b> Header<'b> {
    fn decode<C>(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        if d.datatype()? == Type::Bytes {
            return Ok(Self::Full(d.bytes()?));
        }
        match (d.array()?, d.u8()?) {
            (Some(2), how @ (NAMED | NAMED_BY_DAY)) => Ok(Self::Named(how, d.bytes()?)),
            (Some(3), HOLLOW) => {
                let (header, content) = (HeaderHash::decode(d, ctx)?, ContentHash::decode(d, ctx)?);
                Ok(Self::Hollow(Link::Hollow { header, content }))
            }
            _ => Err(decode::Error::message("not a link")),
        }
    }
}

/// Where a header names its document: after the map's head, the key of the kind and a kind of one byte.
const NAME_AT: usize = 3;
/// The key of the document, and the head of its sixteen bytes.
const NAME_HEAD: [u8; 2] = [2, 0x50];
/// The key of the time, which follows the document.
const AT_KEY: u8 = 3;

/// A header without its document, where that is named by the body: sixteen bytes that no compression would remove.
fn without_name(header: &[u8], body: &[u8]) -> Option<(u8, Vec<u8>)> {
    let (start, rest) = header.split_at_checked(NAME_AT)?;
    let (document, rest) = rest.strip_prefix(&NAME_HEAD)?.split_first_chunk()?;
    let name = DocumentName::of(body);
    let names = |how: &u8| named(*how, name, rest).is_some_and(|named| named.as_bytes() == document);
    let how = [NAMED_BY_DAY, NAMED].into_iter().find(names)?;
    Some((how, [start, rest].concat()))
}

fn with_name(how: u8, header: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    let (start, rest) = header.split_at_checked(NAME_AT)?;
    let document = named(how, DocumentName::of(body), rest)?;
    Some([start, &NAME_HEAD, document.as_bytes(), rest].concat())
}

/// The document that a body names, given what follows the document in the header.
fn named(how: u8, name: DocumentName, rest: &[u8]) -> Option<DocumentId> {
    if how == NAMED {
        return Some(name.undated());
    }
    let mut rest = Decoder::new(rest);
    let at = (rest.u8().ok()? == AT_KEY).then(|| rest.i64())?.ok()?;
    Some(name.on_day_of(Millis(at)))
}

/// An id that stands in a body as text.
struct Lifted {
    at: Range<usize>,
    id: Uuid,
}

/// Every random UUID that stands in a body in the one spelling that keys have. Others repeat, and are left to compression.
fn random_ids(body: &[u8]) -> Vec<Lifted> {
    const FIRST_HYPHEN: usize = 8;
    let mut lifted: Vec<Lifted> = Vec::new();
    for hyphen in memchr_iter(b'-', body) {
        let free_from = lifted.last().map_or(0, |last| last.at.end);
        let Some(start) = hyphen.checked_sub(FIRST_HYPHEN).filter(|start| *start >= free_from) else { continue };
        let at = start..start + Hyphenated::LENGTH;
        let text = body.get(at.clone()).and_then(|bytes| std::str::from_utf8(bytes).ok());
        if let Some(id) = text.and_then(hyphenated).filter(is_random) {
            lifted.push(Lifted { at, id });
        }
    }
    lifted
}

fn without(body: &[u8], lifted: &[Lifted]) -> Vec<u8> {
    let mut rest = Vec::with_capacity(body.len());
    let mut from = 0;
    for lifted in lifted {
        rest.extend_from_slice(&body[from..lifted.at.start]);
        from = lifted.at.end;
    }
    rest.extend_from_slice(&body[from..]);
    rest
}

/// A body with its ids, which are taken off the run's.
fn body(d: &mut Decoder<'_>, ids: &mut &[u8]) -> Result<Vec<u8>, decode::Error> {
    if d.datatype()? == Type::Bytes {
        return Ok(d.bytes()?.to_vec());
    }
    let none = || decode::Error::message("an id without its bytes, or without its place");
    let places = d.array()?.and_then(|elements| elements.checked_sub(1)).ok_or_else(none)?;
    if places > (ids.len() / Uuid::nil().as_bytes().len()) as u64 {
        return Err(none());
    }
    let places: Vec<usize> = (0..places).map(|_| d.u32().map(|at| at as usize)).collect::<Result<_, _>>()?;
    let mut rest = d.bytes()?;
    let mut body = Vec::with_capacity(rest.len() + places.len() * Hyphenated::LENGTH);
    for at in places {
        let before = at.checked_sub(body.len()).and_then(|length| rest.split_at_checked(length));
        let (before, after) = before.ok_or_else(none)?;
        let (id, others) = ids.split_first_chunk().ok_or_else(none)?;
        body.extend_from_slice(before);
        body.extend_from_slice(
            Uuid::from_bytes(*id).hyphenated().encode_lower(&mut [0; Hyphenated::LENGTH]).as_bytes(),
        );
        (rest, *ids) = (after, others);
    }
    body.extend_from_slice(rest);
    Ok(body)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Links(Vec<Link>);

    impl<C> Encode<C> for Links {
        fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), encode::Error<W::Error>> {
            write(&self.0.iter().collect::<Vec<_>>(), e, ctx)
        }
    }

    impl<'b, C> Decode<'b, C> for Links {
        fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
            read(d, ctx, 10).map(Self)
        }
    }

    fn link(document: &[u8; 16], body: &[u8]) -> Link {
        let header = [&[0xa3, 1, 1, 2, 0x50][..], document, &[3, 0]].concat();
        Link::Full { header, body: body.to_vec() }
    }

    fn opened(bytes: &[u8]) -> Option<Vec<Link>> {
        crate::cbor::decode::<Links>(bytes).ok().map(|links| links.0)
    }

    fn written(links: &[Link]) -> Vec<u8> {
        crate::cbor::encode(&Links(links.to_vec()))
    }

    #[test]
    fn a_document_named_after_its_change_is_not_sent_and_comes_back() {
        let (body, other) = (b"a first change", link(&[7; 16], b"a first change"));
        let long = written(std::slice::from_ref(&other)).len();
        let name = DocumentName::of(body);
        for (document, how) in [(name.on_day_of(Millis(0)), NAMED_BY_DAY), (name.undated(), NAMED)] {
            let named = link(document.as_bytes(), body);
            let short = written(std::slice::from_ref(&named));
            assert_eq!((short.len() + 16, short[3]), (long, how));
            assert_eq!(opened(&short), Some(vec![named]));
        }
        assert_eq!(written(&[link(name.on_day_of(Millis(-1 << 50)).as_bytes(), body)]).len() + 16, long, "clamped");
        assert_eq!(written(&[link(name.on_day_of(Millis(1 << 40)).as_bytes(), body)]).len(), long, "another day");
    }

    #[test]
    fn a_header_too_short_to_have_lost_a_name_is_no_link() {
        assert_eq!(opened(&[&[0x83, 0x81, 0x82, NAMED, 0x42, 0xa3, 1, 0x40, 0x81][..], &[0x41, 9]].concat()), None);
        let named = |how| opened(&[&[0x83, 0x81, 0x82, how, 0x43, 1, 2, 3, 0x40, 0x81][..], &[0x41, 9]].concat());
        // What stands where the name was is not looked at: a header that cannot be read is held as any other.
        assert!(named(NAMED).is_some());
        assert!(named(NAMED_BY_DAY).is_none(), "of no day");
        assert!(named(NAMED_BY_DAY + 1).is_none());
    }

    #[test]
    fn random_ids_travel_as_bytes_and_others_as_they_stand() {
        let random = "0f8fad5b-d9cb-469f-a165-70867728950e";
        let of_a_hash = "0f8fad5b-d9cb-869f-a165-70867728950e";
        let shout = random.to_uppercase();
        let text = format!("--notes/{random}/text{random}{of_a_hash}{shout} {}", &random[..35]);
        let links = [link(&[7; 16], text.as_bytes()), link(&[8; 16], b"none"), link(&[9; 16], random.as_bytes())];
        let bytes = written(&links);
        let plain = links.iter().map(|link| crate::cbor::encode(&Links(vec![link.clone()])).len()).sum::<usize>();
        assert!(bytes.len() < plain, "{} {plain}", bytes.len());
        assert_eq!(bytes.windows(16).filter(|bytes| *bytes == Uuid::try_parse(random).unwrap().as_bytes()).count(), 3);
        assert_eq!(opened(&bytes), Some(links.to_vec()));
    }

    #[test]
    fn places_and_ids_that_do_not_fit_are_refused() {
        let id = [&[0x50][..], &[7; 16]].concat();
        let links = |ids: &[u8], body: &[u8]| opened(&[&[0x83, 0x81, 0x41, 1][..], ids, &[0x81], body].concat());
        let sound = links(&id, &[0x82, 1, 0x41, 9]).expect("an id behind the one byte");
        let Link::Full { body, .. } = &sound[0] else { panic!("a full link") };
        assert_eq!(body, &[&[9][..], b"07070707-0707-0707-0707-070707070707"].concat());
        for (ids, body) in [
            (&id[..], &[0x82, 2, 0x41, 9][..]),
            (&id, &[0x41, 9]),
            (&[0x40], &[0x82, 1, 0x41, 9]),
            (&[0x41, 7], &[0x82, 0, 0x41, 9]),
            (&id, &[0x83, 0, 1, 0x41, 9]),
            (&id, &[0x80]),
        ] {
            assert_eq!(links(ids, body), None, "{ids:?} {body:?}");
        }
        // Another number of bodies than of headers, and more links than may be.
        assert_eq!(opened(&[0x83, 0x81, 0x41, 1, 0x40, 0x80]), None);
        assert_eq!(opened(&[0x83, 0x81, 0x41, 1, 0x40, 0x82, 0x40, 0x40]), None);
        assert_eq!(opened(&[&[0x83, 0x8b][..], &[0x40; 11], &[0x40, 0x8b], &[0x40; 11]].concat()), None);
    }

    proptest! {
        #[test]
        fn whatever_a_body_holds_comes_back(
            pieces in prop::collection::vec(
                prop_oneof![
                    prop::collection::vec(any::<u8>(), 0..12),
                    any::<u128>().prop_map(|id| Uuid::from_u128(id).to_string().into_bytes()),
                    any::<[u8; 16]>().prop_map(|id| {
                        uuid::Builder::from_random_bytes(id).into_uuid().to_string().into_bytes()
                    }),
                ],
                0..5,
            ),
        ) {
            let links = vec![link(&[7; 16], &pieces.concat()), link(&[8; 16], &pieces.concat())];
            prop_assert_eq!(opened(&written(&links)), Some(links));
        }
    }
}
