//! What the device writes down, all of it without a network.

use aralau_client_sdk::{
    Client, DocumentId, Error, Value, VisitDraft, VisitEdit, store::SqliteStore, view::ConflictView,
};
use aralau_sync_core::time::DAY_MS;

use super::{Edit, Log, codes, show::rfc3339};
use crate::{command::now, failure::Failure};

type Device = Client<SqliteStore>;

pub(super) fn log(client: &mut Device, log: &Log) -> Result<DocumentId, Failure> {
    if matches!(client.place(log.place), Err(Error::UnknownDocument)) {
        let place = log.place;
        return Err(Failure::new("place_unknown", format!("there is no place {place} here; see `places`, or sync")));
    }
    codes::check("visit_type", &log.visit_type, log.force)?;
    codes::check("outcome", &log.outcome, log.force)?;
    let now = now();
    let started_at = log.at.unwrap_or(now);
    if started_at.since(now) > DAY_MS {
        let at = rfc3339(started_at);
        eprintln!(
            "aralau: this visit begins at {at}, which is yet to come. If that is wrong, take it back: edit --withdraw"
        );
    }
    let draft = VisitDraft {
        place: Some(log.place),
        visit_type: Some(log.visit_type.clone()),
        outcome: Some(log.outcome.clone()),
        started_at: Some(started_at),
        position: log.position,
        note: log.note.clone().map(|text| (client.fresh_id(), text)),
        ..VisitDraft::default()
    };
    Ok(client.log_visit(draft)?)
}

pub(super) fn edit(client: &mut Device, edit: &Edit) -> Result<DocumentId, Failure> {
    let Edit { visit, outcome, note, concern, promise, due, withdraw, force } = edit;
    for (list, code) in [("outcome", outcome), ("concern", concern)] {
        code.iter().try_for_each(|code| codes::check(list, code, *force))?;
    }
    let set = |field: String, value: &String| VisitEdit::Set { field, value: Value::Text(value.clone()) };
    let mut edits: Vec<_> = outcome.iter().map(|outcome| set("outcome".to_owned(), outcome)).collect();
    if let Some(concern) = concern {
        edits.push(set(format!("concerns/{}/category", client.fresh_id()), concern));
    }
    if let Some(promise) = promise {
        let item = client.fresh_id();
        edits.push(set(format!("commitments/{item}/text"), promise));
        edits.extend(due.iter().map(|due| set(format!("commitments/{item}/due"), &due.text())));
    }
    edits.extend(note.clone().map(|text| VisitEdit::AddNote { id: client.fresh_id(), text }));
    edits.extend(withdraw.then_some(VisitEdit::Withdraw));
    if edits.is_empty() {
        let what = "say what to change: --outcome, --note, --concern, --promise or --withdraw";
        return Err(Failure::new("nothing_to_do", what));
    }
    client.edit_visit(*visit, &edits)?;
    Ok(*visit)
}

pub(super) fn resolve(client: &mut Device, visit: DocumentId, field: &str, value: &str) -> Result<DocumentId, Failure> {
    let conflicts = client.visit(visit)?.conflicts;
    let resolved = client.resolve(visit, field, chosen(&conflicts, field, value));
    if let Err(error @ Error::NotInConflict) = &resolved {
        let fields: Vec<_> = conflicts.iter().map(|conflict| conflict.field.as_str()).collect();
        let fields = if fields.is_empty() { "nothing".to_owned() } else { fields.join(", ") };
        return Err(Failure::new(error.code(), format!("`{field}` of this visit is not in conflict; {fields} is")));
    }
    resolved?;
    Ok(visit)
}

/// One of the conflict's own values where it reads like `text`, so that a number stays a number; else the text.
fn chosen(conflicts: &[ConflictView], field: &str, text: &str) -> Value {
    let values = conflicts.iter().filter(|conflict| conflict.field == field).flat_map(|conflict| &conflict.values);
    let reads = |value: &Value| match serde_json::to_value(value) {
        Ok(serde_json::Value::String(read)) => read == text,
        Ok(other) => serde_json::from_str::<serde_json::Value>(text).is_ok_and(|read| read == other),
        Err(_) => false,
    };
    let found = values.map(|value| &value.value).find(|value| reads(value));
    found.cloned().unwrap_or_else(|| Value::Text(text.to_owned()))
}
