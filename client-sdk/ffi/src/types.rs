//! What crosses. Most of it is the SDK's own: declared here once more so that UniFFI knows it, and checked by the compiler
//! to be the same. Docstrings are what Kotlin, Swift and Python show.

use aralau_client_sdk::{
    Action, Beat, Coordinates, DocumentId, Draft, Millis, OutlineView, Position, ReplicaId, ScopeId, Status, Stop,
    VisitChange, VisitForm,
    alarm::{AlarmCode, AlarmRecord},
    enrollment::Person,
    form::{Commitment, Concern, Referral},
    session::{Confirmed, HeldOutcome},
    view::ScopeStatus,
};
use aralau_sync_core::id::PersonId;
use uuid::Uuid;

use crate::error::DeviceError;

/// An id, or whatever else has one spelling.
fn parse<T: std::str::FromStr>(text: &str, what: &str) -> anyhow::Result<T> {
    text.parse().map_err(|_| DeviceError::invalid(format!("{text} is no {what}")).into())
}

uniffi::custom_type!(DocumentId, String, { remote, try_lift: |text| parse(&text, "document"), lower: |id| id.to_string() });
uniffi::custom_type!(ReplicaId, String, { remote, try_lift: |text| parse(&text, "replica"), lower: |id| id.to_string() });
uniffi::custom_type!(ScopeId, String, { remote, try_lift: |text| parse(&text, "scope"), lower: |id| id.to_string() });
uniffi::custom_type!(PersonId, String, { remote, try_lift: |text| parse(&text, "person"), lower: |id| id.to_string() });
uniffi::custom_type!(Uuid, String, { remote, try_lift: |text| parse(&text, "id"), lower: |id| id.to_string() });
uniffi::custom_type!(Millis, i64, { remote, lower: |instant| instant.0, try_lift: |ms| Ok(Millis(ms)) });
uniffi::custom_type!(AlarmCode, String, {
    remote,
    try_lift: |code| AlarmCode::from_code(&code).ok_or_else(|| DeviceError::invalid("no alarm of ours").into()),
    lower: |alarm| alarm.code().to_owned(),
});

/// What an app does about a failure.
#[uniffi::remote(Enum)]
pub enum Action {
    /// Nothing is lost; the same call may work later.
    Retry,
    /// The device has to be enrolled, or enrolled again.
    Enroll,
    /// The app is too old.
    Update,
    /// The caller asked for something that cannot be; the words say what.
    Correct,
    /// Neither the inspector nor the app can mend it: show the code and tell the operator.
    Report,
}

/// A visit as far as it is filled in; what is missing is empty.
#[uniffi::remote(Record)]
pub struct VisitForm {
    /// Where.
    #[uniffi(default)]
    pub place: Option<DocumentId>,
    /// A code of `visit_type`.
    #[uniffi(default)]
    pub visit_type: Option<String>,
    /// A code of `outcome`.
    #[uniffi(default)]
    pub outcome: Option<String>,
    /// When it began, by the device's clock.
    #[uniffi(default)]
    pub started_at: Option<Millis>,
    /// When it ended.
    #[uniffi(default)]
    pub ended_at: Option<Millis>,
    /// Where the device stood.
    #[uniffi(default)]
    pub position: Option<Position>,
    /// In words.
    #[uniffi(default)]
    pub note: String,
    /// What residents or the inspector worry about.
    #[uniffi(default)]
    pub concerns: Vec<Concern>,
    /// Who else was asked to do something.
    #[uniffi(default)]
    pub referrals: Vec<Referral>,
    /// What was promised.
    #[uniffi(default)]
    pub commitments: Vec<Commitment>,
}

/// What somebody worries about.
#[uniffi::remote(Record)]
pub struct Concern {
    /// A code of `concern`.
    #[uniffi(default)]
    pub category: Option<String>,
    /// In words.
    #[uniffi(default)]
    pub text: String,
}

/// A request to an agency.
#[uniffi::remote(Record)]
pub struct Referral {
    /// A code of `agency`.
    #[uniffi(default)]
    pub agency: Option<String>,
    /// Why.
    #[uniffi(default)]
    pub reason: String,
    /// Until when an answer is expected, `2026-12-31`.
    #[uniffi(default)]
    pub due: Option<String>,
}

/// A promise.
#[uniffi::remote(Record)]
pub struct Commitment {
    /// To whom.
    #[uniffi(default)]
    pub to: String,
    /// What.
    #[uniffi(default)]
    pub text: String,
    /// Until when, `2026-12-31`.
    #[uniffi(default)]
    pub due: Option<String>,
}

/// Where an observer stood.
#[uniffi::remote(Record)]
pub struct Position {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Radius in metres.
    #[uniffi(default)]
    pub accuracy_m: Option<f64>,
    /// The phone says that it was made up.
    #[uniffi(default)]
    pub mock: bool,
}

/// A point on the globe.
#[uniffi::remote(Record)]
pub struct Coordinates {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
}

/// A visit that is being written down.
#[uniffi::remote(Record)]
pub struct Draft {
    /// Its name on this device.
    pub id: Uuid,
    /// When it was last written to.
    pub at: Millis,
    /// As far as it is filled in; nothing where this build cannot read it.
    pub form: Option<VisitForm>,
}

/// A change of a visit.
#[uniffi::remote(Enum)]
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

/// A place of the round, with what was seen of it.
#[uniffi::remote(Record)]
pub struct Stop {
    /// Which place.
    pub id: DocumentId,
    /// The beat's code.
    pub beat: String,
    /// As written on the door.
    pub address: Option<String>,
    /// Its name in another register.
    pub external_code: Option<String>,
    /// A code of `place_type`.
    pub place_type: Option<String>,
    /// Where it is.
    pub coordinates: Option<Coordinates>,
    /// Visits that count.
    pub visits: u64,
    /// When the newest of them began.
    pub visited_at: Option<Millis>,
    /// How it ended.
    pub outcome: Option<String>,
    /// When somebody was last met.
    pub contacted_at: Option<Millis>,
    /// The first day on which something promised there is due, `2026-12-31`.
    pub due: Option<String>,
}

/// Someone in the directory.
#[uniffi::remote(Record)]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// As shown beside their words.
    pub name: String,
}

/// A beat.
#[uniffi::remote(Record)]
pub struct Beat {
    /// `beat-01`.
    pub code: String,
    /// The partition that holds its documents.
    pub scope: ScopeId,
    /// As shown to people.
    pub name: String,
}

/// The outline of a beat.
#[uniffi::remote(Record)]
pub struct OutlineView {
    /// Which beat.
    pub beat: Beat,
    /// Closed lines, whose last corner goes on to their first. What lies inside of an odd number of them lies inside of the
    /// beat.
    pub rings: Vec<Vec<Coordinates>>,
}

/// How the device stands.
#[uniffi::remote(Record)]
pub struct Status {
    /// In whose hands it is; nobody's before enrollment.
    pub person: Option<Person>,
    /// The server's address.
    pub url: Option<String>,
    /// The install.
    pub replica: ReplicaId,
    /// Own entries that the server has not acknowledged.
    pub unsent: u64,
    /// Visits and places that they are about.
    pub unsent_documents: u64,
    /// When the oldest of them was written.
    pub oldest_unsent_at: Option<Millis>,
    /// Visits and places that somebody has to look at.
    pub asking: u64,
    /// When a sync last went through, by this device's clock.
    pub synced_at: Option<Millis>,
    /// Own words in no stream at the moment, after a restore or copy was noticed.
    pub orphans: u64,
    /// Server's clock minus the device's, as last measured.
    pub skew_ms: Option<i64>,
    /// Headquarters has shut this device out.
    pub shut_out: bool,
    /// Each scope.
    pub scopes: Vec<ScopeStatus>,
    /// What was noticed and must not be kept quiet.
    pub alarms: Vec<AlarmRecord>,
}

/// How the device stands in one scope.
#[uniffi::remote(Record)]
pub struct ScopeStatus {
    /// Which.
    pub scope: ScopeId,
    /// Its beat, while it is one of this person's.
    pub beat: Option<Beat>,
    /// Number of the server's epoch.
    pub epoch: u64,
    /// Rows of the server's log that are here.
    pub sequence: u64,
    /// Rows that a signed receipt covers.
    pub verified: u64,
    /// Rows that survive the loss of the server's machine.
    pub backed_up: u64,
    /// Own entries written.
    pub written: u64,
    /// Own entries that the server has decided.
    pub decided: u64,
    /// The newest signed receipt.
    pub receipt: Option<String>,
}

/// Something that was noticed and must not be kept quiet.
#[uniffi::remote(Record)]
pub struct AlarmRecord {
    /// What.
    pub code: AlarmCode,
    /// Where, if in one scope.
    pub scope: Option<ScopeId>,
    /// The server's own code, where it gave one.
    pub detail: String,
    /// When it was last noticed, by the device's clock.
    pub at: Millis,
    /// How often.
    pub count: u64,
}

/// An own entry that the server keeps apart.
#[uniffi::remote(Record)]
pub struct HeldOutcome {
    /// In which scope.
    pub scope: ScopeId,
    /// Index in the own stream.
    pub index: u64,
    /// Stable code.
    pub reason: String,
}

/// Where a scope stands after a sync.
#[uniffi::remote(Record)]
pub struct Confirmed {
    /// Which.
    pub scope: ScopeId,
    /// The beat's code, while it is one of this person's.
    pub beat: Option<String>,
    /// The last own entry that the server decided.
    pub confirmed_index: u64,
    /// Number of the server's epoch.
    pub epoch: u64,
    /// Rows that a signed receipt covers and whose root this device recomputed.
    pub verified: u64,
}

/// What a sync came to, so far.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Report {
    /// Requests made.
    pub requests: u64,
    /// Bytes of bodies sent, compressed.
    pub bytes_up: u64,
    /// Bytes of bodies received, compressed.
    pub bytes_down: u64,
    /// Own entries that the server decided.
    pub pushed: u64,
    /// Entries of others taken in.
    pub pulled: u64,
    /// Own entries that the server keeps apart.
    pub held: Vec<HeldOutcome>,
    /// Entries of others brought back to a restored server.
    pub relayed: u64,
    /// Codes with which the server refused frames of this device; the entries are kept.
    pub refused: Vec<String>,
    /// Own entries still unsent.
    pub unsent: u64,
    /// Where each scope stands now.
    pub confirmed: Vec<Confirmed>,
    /// This install turned out to be a restored or copied one, and goes on under a new name.
    pub new_replica: bool,
    /// The server had lost rows that this device had, and said so.
    pub rewound: bool,
    /// The set of beats changed.
    pub beats_changed: bool,
    /// The server asks that this device be erased.
    pub wipe: bool,
    /// The server asks for a newer app.
    pub upgrade: bool,
    /// Server's clock minus the device's.
    pub skew_ms: i64,
}

impl From<&aralau_client_sdk::Report> for Report {
    fn from(report: &aralau_client_sdk::Report) -> Self {
        Self {
            requests: report.requests,
            bytes_up: report.bytes_up,
            bytes_down: report.bytes_down,
            pushed: report.pushed,
            pulled: report.pulled,
            held: report.held.clone(),
            relayed: report.relayed,
            refused: report.refused.clone(),
            unsent: report.unsent,
            confirmed: report.confirmed.clone(),
            new_replica: report.new_replica,
            rewound: report.rewound,
            beats_changed: report.beats_changed,
            wipe: report.wipe,
            upgrade: report.upgrade,
            skew_ms: report.skew_ms,
        }
    }
}
