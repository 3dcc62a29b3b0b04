//! The directory: one more scope, whose control rows are the organisation (keys, people, grants, beats, epochs).
//!
//! Projections read log rows only, so nobody can slip in a device without leaving a row.

use minicbor::{Decode, Encode};

use crate::{
    cbor,
    epoch::Epoch,
    id::{DeviceId, PersonId, PublicKey, ReplicaId, ScopeId, TokenId},
    time::Millis,
};

/// One event of the directory. Variants are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Control {
    /// A new epoch begins.
    #[n(1)]
    Epoch(#[n(0)] Epoch),
    /// Someone joins, or is renamed.
    #[n(2)]
    Person {
        /// Who.
        #[n(0)]
        person: PersonId,
        /// As shown beside their words.
        #[n(1)]
        name: String,
    },
    /// A beat gets a scope.
    #[n(3)]
    Beat {
        /// Its short code, `beat-01`.
        #[n(0)]
        code: String,
        /// The partition that holds its documents.
        #[n(1)]
        scope: ScopeId,
        /// As shown to people.
        #[n(2)]
        name: String,
    },
    /// A device is enrolled.
    #[n(4)]
    Device {
        /// Which.
        #[n(0)]
        device: DeviceId,
        /// Its key.
        #[n(1)]
        key: PublicKey,
        /// Whose hands it is in.
        #[n(2)]
        person: PersonId,
        /// The server itself holds the key: headquarters' own edits, said openly.
        #[n(3)]
        server_custody: bool,
    },
    /// An install of the app on a device.
    #[n(5)]
    Replica {
        /// The install.
        #[n(0)]
        replica: ReplicaId,
        /// The device.
        #[n(1)]
        device: DeviceId,
    },
    /// A person may read and write a scope from a moment on.
    #[n(6)]
    Grant {
        /// Who.
        #[n(0)]
        person: PersonId,
        /// Where.
        #[n(1)]
        scope: ScopeId,
        /// Since when.
        #[n(2)]
        from: Millis,
    },
    /// … and until when.
    #[n(7)]
    GrantEnds {
        /// Who.
        #[n(0)]
        person: PersonId,
        /// Where.
        #[n(1)]
        scope: ScopeId,
        /// Until when.
        #[n(2)]
        until: Millis,
    },
    /// A device is shut out.
    #[n(8)]
    Revoked {
        /// Which.
        #[n(0)]
        device: DeviceId,
        /// Since when.
        #[n(1)]
        at: Millis,
    },
    /// The code lists in force.
    #[n(9)]
    CodeLists {
        /// See [`crate::vocabulary::VERSION`].
        #[n(0)]
        version: u32,
    },
    /// A token for headquarters is made.
    #[n(10)]
    Token {
        /// Names it without being it.
        #[n(0)]
        token: TokenId,
        /// What its holder may do, by name.
        #[n(1)]
        role: String,
        /// Who holds it.
        #[n(2)]
        name: String,
        /// The scopes of the only beats that its holder reads; where there is no list, all.
        #[n(3)]
        within: Option<Vec<ScopeId>>,
    },
    /// A token counts no more.
    #[n(11)]
    TokenEnded {
        /// Which.
        #[n(0)]
        token: TokenId,
        /// Since when.
        #[n(1)]
        at: Millis,
    },
    /// A one-time code, by which a device enrolls.
    #[n(12)]
    Code {
        /// Whose device.
        #[n(0)]
        person: PersonId,
        /// Until when it may be used.
        #[n(1)]
        until: Millis,
    },
    /// Whether devices were shut out that this server has forgotten is not known: they are served nothing until somebody
    /// confirms them.
    #[n(13)]
    Unconfirmed {
        /// Which; every one enrolled so far, where none is named.
        #[n(0)]
        device: Option<DeviceId>,
    },
    /// Somebody stands up for a device.
    #[n(14)]
    Confirmed {
        /// Which.
        #[n(0)]
        device: DeviceId,
    },
    /// Two names in the directory are one person's. Their devices and rights stay as they are; what is told of either is told of
    /// the one that remains.
    #[n(15)]
    PersonJoined {
        /// Who is another.
        #[n(0)]
        person: PersonId,
        /// Whom they turned out to be; nobody, where that was a mistake.
        #[n(1)]
        into: Option<PersonId>,
    },
}

impl Control {
    /// Whether it takes something from somebody, so that nobody may forget it.
    pub const fn ends_a_right(&self) -> bool {
        matches!(self, Self::Revoked { .. } | Self::GrantEnds { .. } | Self::TokenEnded { .. })
    }

    /// A control row's payload.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }
}
