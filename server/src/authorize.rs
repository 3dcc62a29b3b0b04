//! Who may do what: one table, asked before anything is looked up, so that foreign and absent look alike. Of which beats, a
//! person's [`crate::reach`] says, and of a device the grants in force.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the holder of a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Writes from a phone; reads through sync, not here.
    Inspector,
    /// Leads a post: of its beats, reads, resolves, judges what is held.
    Supervisor,
    /// Reads all, resolves.
    Headquarters,
    /// Reads all, changes nothing.
    Auditor,
    /// The organisation, devices, tokens, quarantine.
    Administrator,
}

/// How a device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Enrolled, and nobody has said otherwise.
    Enrolled,
    /// This server, since it was restored, may have forgotten that it was shut out; nobody has stood up for it yet.
    Unconfirmed,
    /// Shut out.
    ShutOut,
}

/// Whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The holder of a token or a session.
    Person(Role),
    /// A device that signed its request.
    Device(Standing),
}

/// What a request wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The wording of codes.
    ReadCodeLists,
    /// Visits, places, beats, conflicts, coverage, and that there is something new.
    ReadVisits,
    /// All of a filter's visits in one file.
    Export,
    /// Settle a conflict by a new edit.
    Resolve,
    /// What is held, with its words.
    ReadQuarantine,
    /// Release or reject what is held.
    JudgeQuarantine,
    /// Devices, whose they are and how long they have been silent.
    ReadDevices,
    /// Shut a device out.
    RevokeDevice,
    /// The people of the directory, and codes by which they enroll devices; to stand up for a device.
    Enroll,
    /// See, make and end tokens.
    ManageTokens,
    /// Beats, places and people: see what becomes of them by a table, and have it done. Whether there is a backup.
    Administer,
    /// Hand in entries, each of which is decided by its author's rights: a device's.
    #[serde(skip)]
    SendEntries,
    /// The rows of one's beats: a device's.
    #[serde(skip)]
    ReceiveRows,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 13] = [
        Self::ReadCodeLists,
        Self::ReadVisits,
        Self::Export,
        Self::Resolve,
        Self::ReadQuarantine,
        Self::JudgeQuarantine,
        Self::ReadDevices,
        Self::RevokeDevice,
        Self::Enroll,
        Self::ManageTokens,
        Self::Administer,
        Self::SendEntries,
        Self::ReceiveRows,
    ];
}

/// The role, or how the device stands, does not allow the action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the role does not allow this")]
pub struct Denied;

/// Whether `who` may take `action`. The only place that decides it.
pub const fn authorize(who: Who, action: Action) -> Result<(), Denied> {
    let allowed = match who {
        Who::Person(role) => may_person(role, action),
        Who::Device(standing) => may_device(standing, action),
    };
    if allowed { Ok(()) } else { Err(Denied) }
}

/// What was written before a device was shut out is handed in and held; it is told nothing any more. Of one that nobody has stood
/// up for nothing is known, and nothing is taken.
const fn may_device(standing: Standing, action: Action) -> bool {
    match action {
        Action::SendEntries => !matches!(standing, Standing::Unconfirmed),
        Action::ReceiveRows => matches!(standing, Standing::Enrolled),
        Action::ReadCodeLists
        | Action::ReadVisits
        | Action::Export
        | Action::Resolve
        | Action::ReadQuarantine
        | Action::JudgeQuarantine
        | Action::ReadDevices
        | Action::RevokeDevice
        | Action::Enroll
        | Action::ManageTokens
        | Action::Administer => false,
    }
}

const fn may_person(role: Role, action: Action) -> bool {
    use Role::{Administrator, Headquarters, Inspector, Supervisor};
    match action {
        Action::ReadCodeLists => true,
        // Whoever may page through everything may as well have it in a file.
        Action::ReadVisits | Action::Export | Action::ReadQuarantine | Action::ReadDevices => {
            !matches!(role, Inspector)
        }
        Action::Resolve => matches!(role, Supervisor | Headquarters | Administrator),
        Action::JudgeQuarantine => matches!(role, Supervisor | Administrator),
        Action::RevokeDevice | Action::Enroll | Action::ManageTokens | Action::Administer => {
            matches!(role, Administrator)
        }
        // A token is nobody's pen, and no phone.
        Action::SendEntries | Action::ReceiveRows => false,
    }
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] =
        [Self::Inspector, Self::Supervisor, Self::Headquarters, Self::Auditor, Self::Administrator];

    /// The stable name, as stored and as typed by an operator.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inspector => "inspector",
            Self::Supervisor => "supervisor",
            Self::Headquarters => "headquarters",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Text that names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a role: inspector, supervisor, headquarters, auditor or administrator")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or(UnknownRole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(role: Role, action: Action) -> Result<(), Denied> {
        authorize(Who::Person(role), action)
    }

    #[test]
    fn an_auditor_reads_all_and_changes_nothing() {
        for action in [Action::ReadVisits, Action::Export, Action::ReadQuarantine, Action::ReadDevices] {
            assert_eq!(may(Role::Auditor, action), Ok(()), "{action:?}");
        }
        for action in [
            Action::Resolve,
            Action::JudgeQuarantine,
            Action::RevokeDevice,
            Action::Enroll,
            Action::ManageTokens,
            Action::Administer,
        ] {
            assert_eq!(may(Role::Auditor, action), Err(Denied), "{action:?}");
        }
    }

    #[test]
    fn an_inspector_reads_visits_through_sync_only() {
        assert_eq!(may(Role::Inspector, Action::ReadCodeLists), Ok(()));
        assert_eq!(may(Role::Inspector, Action::ReadVisits), Err(Denied));
    }

    #[test]
    fn whoever_may_read_visits_may_export_them() {
        for role in Role::ALL {
            assert_eq!(may(role, Action::Export), may(role, Action::ReadVisits), "{role}");
        }
    }

    #[test]
    fn a_device_has_its_stream_and_its_beats_and_nothing_of_headquarters() {
        use Standing::{Enrolled, ShutOut, Unconfirmed};
        let of =
            |standing| Action::ALL.into_iter().filter(move |action| authorize(Who::Device(standing), *action).is_ok());
        assert_eq!(of(Enrolled).collect::<Vec<_>>(), [Action::SendEntries, Action::ReceiveRows]);
        assert_eq!(of(ShutOut).collect::<Vec<_>>(), [Action::SendEntries]);
        assert_eq!(of(Unconfirmed).count(), 0);
        for role in Role::ALL {
            assert_eq!((may(role, Action::SendEntries), may(role, Action::ReceiveRows)), (Err(Denied), Err(Denied)));
        }
    }

    #[test]
    fn a_role_reads_back_from_its_name() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
        }
        assert_eq!("root".parse::<Role>(), Err(UnknownRole));
    }
}
