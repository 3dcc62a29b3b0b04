//! A visit while it is being written down: what a screen shows field by field, and what a store keeps of it at each.

use aralau_sync_core::{
    change::Value,
    id::DocumentId,
    time::Millis,
    visit::{Position, VisitDraft},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A visit as far as it is filled in. Its JSON is what bindings hand over; a field that is missing is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VisitForm {
    /// Where.
    pub place: Option<DocumentId>,
    /// A code of `visit_type`.
    pub visit_type: Option<String>,
    /// A code of `outcome`.
    pub outcome: Option<String>,
    /// When it began, by the device's clock.
    pub started_at: Option<Millis>,
    /// When it ended.
    pub ended_at: Option<Millis>,
    /// Where the device stood.
    pub position: Option<Position>,
    /// In words.
    pub note: String,
    /// What residents or the inspector worry about.
    pub concerns: Vec<Concern>,
    /// Who else was asked to do something.
    pub referrals: Vec<Referral>,
    /// What was promised.
    pub commitments: Vec<Commitment>,
}

/// What somebody worries about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Concern {
    /// A code of `concern`.
    pub category: Option<String>,
    /// In words.
    pub text: String,
}

/// A request to an agency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Referral {
    /// A code of `agency`.
    pub agency: Option<String>,
    /// Why.
    pub reason: String,
    /// Until when an answer is expected, `2026-12-31`.
    pub due: Option<String>,
}

/// A promise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Commitment {
    /// To whom.
    pub to: String,
    /// What.
    pub text: String,
    /// Until when, `2026-12-31`.
    pub due: Option<String>,
}

/// A change of a visit, as a screen asks for it: text is put as text, and ids and instants are the device's to give.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum VisitChange {
    /// Puts a code, a date or words.
    Set {
        /// Its key.
        field: String,
        /// What is put.
        text: String,
    },
    /// Adds a note.
    AddNote {
        /// The words.
        text: String,
    },
    /// Takes a note back.
    WithdrawNote {
        /// Which.
        id: Uuid,
    },
    /// A promise was kept, now.
    Fulfil {
        /// Which.
        id: Uuid,
    },
    /// Takes the visit back.
    Withdraw,
}

impl VisitForm {
    /// What is logged. Of what was left empty nothing is said. `fresh` gives ids that nobody has.
    pub fn to_draft(&self, mut fresh: impl FnMut() -> Uuid) -> VisitDraft {
        let note = (!self.note.trim().is_empty()).then(|| (fresh(), self.note.clone()));
        let mut other = Vec::new();
        let mut item = |collection: &str, fields: &[(&str, Option<&str>)]| {
            let said = || fields.iter().filter_map(|(name, text)| Some((name, text.filter(|text| !is_blank(text))?)));
            if said().next().is_some() {
                let id = fresh();
                other.extend(said().map(|(name, text)| (format!("{collection}/{id}/{name}"), Value::from(text))));
            }
        };
        for Concern { category, text } in &self.concerns {
            item("concerns", &[("category", category.as_deref()), ("text", Some(text))]);
        }
        for Referral { agency, reason, due } in &self.referrals {
            item("referrals", &[("agency", agency.as_deref()), ("reason", Some(reason)), ("due", due.as_deref())]);
        }
        for Commitment { to, text, due } in &self.commitments {
            item("commitments", &[("to", Some(to)), ("text", Some(text)), ("due", due.as_deref())]);
        }
        VisitDraft {
            place: self.place,
            visit_type: self.visit_type.clone(),
            outcome: self.outcome.clone(),
            started_at: self.started_at,
            ended_at: self.ended_at,
            position: self.position,
            note,
            other,
        }
    }
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_empty_says_nothing() {
        let form = VisitForm {
            note: " \n".into(),
            concerns: vec![Concern::default(), Concern { category: Some("noise".into()), text: String::new() }],
            commitments: vec![Commitment { due: Some("2026-12-31".into()), ..Commitment::default() }],
            ..VisitForm::default()
        };
        let mut ids = 0;
        let draft = form.to_draft(|| {
            ids += 1;
            Uuid::from_u128(ids)
        });
        assert_eq!(draft.note, None);
        let [one, two] = [1, 2].map(Uuid::from_u128);
        let said = [(format!("concerns/{one}/category"), "noise"), (format!("commitments/{two}/due"), "2026-12-31")];
        assert_eq!(draft.other, said.map(|(key, text)| (key, Value::from(text))));
    }

    #[test]
    fn its_json_leaves_out_nothing_and_takes_what_is_missing_as_empty() {
        let form = VisitForm {
            place: Some(DocumentId::from_bytes([7; 16])),
            position: Some(Position { lat: 43.25, lon: 76.9, accuracy_m: Some(12.0), mock: false }),
            started_at: Some(Millis(5)),
            note: "Қоңырау".into(),
            ..VisitForm::default()
        };
        let json = serde_json::to_vec(&form).expect("serializes");
        assert_eq!(serde_json::from_slice::<VisitForm>(&json).expect("reads"), form);
        assert_eq!(serde_json::from_str::<VisitForm>("{}").expect("reads"), VisitForm::default());
        assert!(serde_json::from_str::<VisitForm>(r#"{"nota": "lost"}"#).is_err());
    }
}
