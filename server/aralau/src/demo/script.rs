//! Who does what in the demonstration, offline: made up, or read from a table of real inspections. Pure.

use std::collections::{BTreeMap, BTreeSet};

use aralau::import::{FieldValue, Import, ImportRow, ImportVisit};
use aralau_server::{calendar::on_the_wall, store::DEFAULT_TIME_ZONE};
use aralau_sync_core::{
    change::Value,
    id::DocumentId,
    time::{DAY_MS, Millis},
    visit::{Position, VisitDraft, VisitEdit},
};
use chrono_tz::Tz;
use uuid::Uuid;

use super::{
    cast::{self, WORKING_MINUTES},
    headquarters::Seen,
};

/// The days on which visits were made, and whose they are.
pub struct Calendar {
    /// When each working day began, the oldest first.
    pub days: Vec<Millis>,
    /// The deployment's.
    pub zone: Tz,
}

const MINUTE_MS: i64 = 60_000;

/// The whole demonstration.
#[derive(Debug, Default)]
pub struct Script {
    /// Each inspector's acts, in their own order.
    pub inspectors: BTreeMap<String, Vec<Act>>,
    /// Distinct visits in it.
    pub visits: usize,
    /// Notes that must be at headquarters in the end.
    pub notes: usize,
}

/// Something an inspector does on a phone.
#[derive(Debug, Clone)]
pub enum Act {
    /// Logs a visit; partners log the same one, each by themselves.
    Log(DocumentId, Box<VisitDraft>),
    /// Edits one that this phone has.
    Edit(DocumentId, Vec<VisitEdit>),
}

/// Fresh ids for notes, and chances.
pub trait Chance {
    /// A UUIDv4.
    fn uuid(&mut self) -> Uuid;
    /// Evenly below `bound`.
    fn below(&mut self, bound: usize) -> usize;
}

impl Script {
    fn act(&mut self, inspector: &str, act: Act) {
        if let Act::Log(_, draft) = &act {
            self.notes += usize::from(draft.note.is_some());
        }
        if let Act::Edit(_, edits) = &act {
            self.notes += edits.iter().filter(|edit| matches!(edit, VisitEdit::AddNote { .. })).count();
        }
        self.inspectors.entry(inspector.to_owned()).or_default().push(act);
    }

    /// Visits and notes that headquarters lacks.
    pub fn lost(&self, seen: &Seen) -> usize {
        let ids = self.inspectors.values().flatten().filter_map(|act| match act {
            Act::Log(id, _) => Some(id.to_string()),
            Act::Edit(..) => None,
        });
        let missing: BTreeSet<_> = ids.filter(|id| !seen.visits.contains(id)).collect();
        missing.len() + self.notes.saturating_sub(seen.notes)
    }

    /// Pairs of partners who work the same doors and do not always agree.
    pub fn made_up(
        names: &[String],
        places: &[DocumentId],
        visits: usize,
        calendar: &Calendar,
        chance: &mut impl Chance,
    ) -> Self {
        const OUTCOMES: [&str; 6] = ["contacted", "contacted", "contacted", "nobody_home", "no_access", "refused"];
        let mut script = Self { visits, ..Self::default() };
        names.iter().for_each(|name| drop(script.inspectors.insert(name.clone(), Vec::new())));
        for visit in 0..visits {
            let id = DocumentId(chance.uuid());
            let first = visit % names.len();
            let partner = (first + 1) % names.len();
            let day = calendar.days.get(chance.below(calendar.days.len())).copied().unwrap_or_default();
            let started_at = day.plus(chance.below(WORKING_MINUTES) as i64 * MINUTE_MS);
            let door = visit % places.len().max(1);
            let position = Some(before(door, chance));
            let draft = |outcome: &str, note| {
                Box::new(VisitDraft {
                    place: places.get(door).copied(),
                    position,
                    visit_type: Some("door_to_door".to_owned()),
                    outcome: Some(outcome.to_owned()),
                    started_at: Some(started_at),
                    note,
                    ..VisitDraft::default()
                })
            };
            let outcome = OUTCOMES[chance.below(OUTCOMES.len())];
            let note = Some((chance.uuid(), words_about(outcome, chance)));
            script.act(&names[first], Act::Log(id, draft(outcome, note)));
            // Every third visit has a partner with words of their own; now and then they saw it otherwise.
            if visit % 3 == 0 && partner != first {
                let outcome = if visit % 2 == 0 { outcome } else { OUTCOMES[chance.below(OUTCOMES.len())] };
                let note = (visit % 2 == 0).then(|| (chance.uuid(), words_about(outcome, chance)));
                script.act(&names[partner], Act::Log(id, draft(outcome, note)));
            }
            if visit % 7 == 0 {
                let text = "Уточнение: договорились на субботу.".to_owned();
                script.act(&names[first], Act::Edit(id, vec![VisitEdit::AddNote { id: chance.uuid(), text }]));
            }
            let asked = asked_of(visit, door, (day, started_at), calendar, chance);
            if !asked.is_empty() {
                script.act(&names[first], Act::Edit(id, asked));
            }
        }
        script
    }

    /// Every member of a row's team logs its visit; a further row of the same visit is an edit.
    pub fn of_import(import: &Import, chance: &mut impl Chance) -> Self {
        let mut script = Self { visits: import.visits.len(), ..Self::default() };
        import.inspectors.iter().for_each(|name| drop(script.inspectors.insert(name.clone(), Vec::new())));
        for visit in &import.visits {
            script.of_visit(visit, chance);
        }
        script
    }

    fn of_visit(&mut self, visit: &ImportVisit, chance: &mut impl Chance) {
        let id = DocumentId(visit.id);
        let mut held: BTreeMap<&str, &ImportRow> = BTreeMap::new();
        for row in &visit.rows {
            for (position, member) in row.team.iter().enumerate() {
                let mut notes = row.notes.iter().filter(|_| position == 0).map(|text| (chance.uuid(), text.clone()));
                match held.insert(member, row) {
                    None => {
                        let draft = draft(visit, row, notes.next());
                        self.act(member, Act::Log(id, Box::new(draft)));
                    }
                    Some(earlier) => {
                        let edits: Vec<_> = row.edit_since(earlier).into_iter().map(set).collect();
                        if !edits.is_empty() {
                            self.act(member, Act::Edit(id, edits));
                        }
                    }
                }
                for (id_of_note, text) in notes {
                    self.act(member, Act::Edit(id, vec![VisitEdit::AddNote { id: id_of_note, text }]));
                }
            }
        }
    }
}

/// What is noted of a visit with this outcome.
fn words_about(outcome: &str, chance: &mut impl Chance) -> String {
    const MET: [&str; 4] = [
        "Жалоба на шум после 23:00, обещал зайти участковый.",
        "Көше жарығы жанбайды, әкімдікке хабарлау керек.",
        "Пенсионерка живёт одна, оставил телефон.",
        "Тұрғын паркинг мәселесін көтерді.",
    ];
    const NOT_MET: [&str; 2] =
        ["Дверь не открыли, соседи говорят, что уехали до мая.", "Есік ашылмады, көршілері үйде жоқ деді."];
    let words: &[&str] = if outcome == "contacted" { &MET } else { &NOT_MET };
    words[chance.below(words.len())].to_owned()
}

/// What residents ask for: at some doors the same again and again, and promises, of which some are kept.
fn asked_of(
    visit: usize,
    door: usize,
    (day, started_at): (Millis, Millis),
    calendar: &Calendar,
    chance: &mut impl Chance,
) -> Vec<VisitEdit> {
    const CONCERNS: [&str; 5] = ["noise", "lighting", "parking", "neighbour_dispute", "elder_at_risk"];
    const PROMISES: [&str; 3] = ["Починить фонарь во дворе", "Көрші шуы туралы сөйлесу", "Передать обращение в акимат"];
    /// Those of the first weeks are overdue by now, those of the last are not.
    const DAYS_TO_KEEP_IT: i64 = 21;
    let set = |field: String, value: Value| VisitEdit::Set { field, value };
    let mut asked = Vec::new();
    if visit.is_multiple_of(5) {
        let concern = CONCERNS[door % CONCERNS.len()].into();
        asked.push(set(format!("concerns/{}/category", chance.uuid()), concern));
    }
    if visit % 8 == 3 {
        let promise = format!("commitments/{}", chance.uuid());
        asked.push(set(format!("{promise}/text"), PROMISES[chance.below(PROMISES.len())].into()));
        asked.push(set(format!("{promise}/due"), cast::due(day, DAYS_TO_KEEP_IT, calendar.zone).into()));
        if visit % 16 == 3 {
            asked.push(set(format!("{promise}/fulfilled_at"), Value::Timestamp(started_at.plus(DAY_MS).0)));
        }
    }
    asked
}

/// Where a phone says that it stands at a door: along the streets of one neighbourhood, some metres off.
fn before(door: usize, chance: &mut impl Chance) -> Position {
    // A neighbourhood of Almaty, and about 120 metres north and east, in degrees.
    const CORNER: (f64, f64) = (43.2330, 76.9010);
    const BLOCK: (f64, f64) = (0.0011, 0.0015);
    let mut off = || (chance.below(21) as f64 - 10.0) / 10.0 * 0.0001;
    let (north, east) = ((door % 8) as f64, (door / 8) as f64);
    let (lat, lon) = (CORNER.0 + north * BLOCK.0 + off(), CORNER.1 + east * BLOCK.1 + off());
    Position { lat, lon, accuracy_m: Some(5.0 + chance.below(20) as f64), mock: false }
}

fn draft(visit: &ImportVisit, row: &ImportRow, note: Option<(Uuid, String)>) -> VisitDraft {
    VisitDraft {
        place: visit.place.map(DocumentId),
        // The table's local time has no zone: the deployment's, as for every time without one. The raw words are in the fields.
        started_at: row.visited_at.map(|at| on_the_wall(at, DEFAULT_TIME_ZONE)),
        note,
        other: row.fields.iter().cloned().map(|(key, field)| (key, value(field))).collect(),
        ..VisitDraft::default()
    }
}

fn set((field, to): (String, FieldValue)) -> VisitEdit {
    VisitEdit::Set { field, value: value(to) }
}

fn value(field: FieldValue) -> Value {
    match field {
        FieldValue::Text(text) => Value::Text(text),
        FieldValue::Int(number) => Value::Int(number),
        FieldValue::Bool(flag) => Value::Boolean(flag),
    }
}
