//! A person at a place: a document of its own, so that erasing one person does not take the place, and no more of them than
//! the work needs (no national ID).

use serde::Serialize;

use crate::{
    change::{NONCE, STATUS, Value},
    id::DocumentId,
    reading::Reading,
    visit::ACTIVE,
};

/// Field names of a contact.
pub mod field {
    /// The place, a document id as text.
    pub const PLACE: &str = "place";
    /// What they are there: resident, owner, caretaker.
    pub const ROLE: &str = "role";
    /// As they wish to be called.
    pub const NAME: &str = "name";
    /// How to reach them.
    pub const PHONE: &str = "phone";
    /// Whether they agreed to be recorded.
    pub const CONSENT: &str = "consent";
    /// What they agreed to.
    pub const CONSENT_PURPOSE: &str = "consent_purpose";
}

/// A contact, read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// Where.
    pub place: Option<DocumentId>,
    /// What they are there.
    pub role: Option<String>,
    /// As they wish to be called.
    pub name: Option<String>,
    /// How to reach them.
    pub phone: Option<String>,
    /// Whether they agreed; `None` where nobody asked.
    pub consent: Option<bool>,
    /// What they agreed to.
    pub consent_purpose: Option<String>,
    /// [`ACTIVE`] or [`WITHDRAWN`](crate::visit::WITHDRAWN).
    pub status: String,
}

impl Contact {
    /// Reads a contact; never fails, whatever the fields hold.
    pub fn read(reading: &Reading) -> Self {
        let text = |name| reading.text(name).map(str::to_owned);
        Self {
            place: reading.text(field::PLACE).and_then(|text| text.parse().ok()),
            role: text(field::ROLE),
            name: text(field::NAME),
            phone: text(field::PHONE),
            consent: match reading.value(field::CONSENT) {
                Some(Value::Boolean(consent)) => Some(*consent),
                _ => None,
            },
            consent_purpose: text(field::CONSENT_PURPOSE),
            status: text(STATUS).unwrap_or_else(|| ACTIVE.to_owned()),
        }
    }

    /// The puts of the change that creates it. `nonce`: 16 random bytes, so that the hash of what is erased one day cannot
    /// be guessed.
    pub fn puts(&self, nonce: [u8; 16]) -> Vec<(String, Value)> {
        let text = |name: &str, value: &Option<String>| Some((name.to_owned(), Value::Text(value.clone()?)));
        let fields = [
            self.place.map(|place| (field::PLACE.to_owned(), Value::Text(place.to_string()))),
            text(field::ROLE, &self.role),
            text(field::NAME, &self.name),
            text(field::PHONE, &self.phone),
            self.consent.map(|consent| (field::CONSENT.to_owned(), Value::Boolean(consent))),
            text(field::CONSENT_PURPOSE, &self.consent_purpose),
            Some((NONCE.to_owned(), Value::Bytes(nonce.to_vec()))),
        ];
        fields.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        document::Document,
        id::{Actor, ReplicaId},
        time::Millis,
    };

    #[test]
    fn a_contact_reads_back_as_it_was_written() {
        let contact = Contact {
            place: Some(DocumentId::from_bytes([1; 16])),
            role: Some("resident".into()),
            name: Some("Айгүл".into()),
            phone: None,
            consent: Some(true),
            consent_purpose: Some("follow-up".into()),
            status: ACTIVE.into(),
        };
        let mut document = Document::new();
        let actor = Actor { replica: ReplicaId([1; 14]), generation: 0 };
        let change = document.author(actor, &contact.puts([7; 16])).expect("sound").expect("something");
        assert_eq!(document.check(&change), Ok(()));
        document.apply(change);
        assert_eq!(Contact::read(&Reading::of_document(&document, |_| Millis(5))), contact);
        assert_eq!(Contact::read(&Reading::default()).status, ACTIVE);
    }
}
