//! What a plan has to say about single lines: why nothing can be done, and what somebody should look at.

use std::fmt;

use serde::Serialize;

/// A line of the tables, by its position in [`Organisation`](crate::store::Organisation).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Line {
    /// Of `beats`.
    Beat(usize),
    /// Of `places`.
    Place(usize),
    /// Of `staff`.
    Staff(usize),
    /// Of `areas`.
    Area(usize),
}

/// Why the tables cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The line.
    pub line: Line,
    /// The earlier line that it contradicts.
    pub other: Option<Line>,
    /// What is wrong.
    pub kind: RefusalKind,
}

/// A kind of contradiction. The message names the value; where it stands is for whoever knows the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusalKind {
    /// A beat that neither exists nor is to be made.
    BeatUnknown {
        /// As the cell has it.
        code: String,
        /// A code much like it.
        meant: Option<String>,
    },
    /// A cell that names several beats.
    BeatsSeveral {
        /// As the cell has it.
        code: String,
    },
    /// A name that several beats have.
    BeatAmbiguous {
        /// The name.
        code: String,
    },
    /// One beat with two names.
    BeatTwice {
        /// Its code.
        code: String,
    },
    /// Two outlines for one beat.
    OutlineTwice {
        /// Its code.
        code: String,
    },
    /// One external code at two places.
    ExternalCodeTwice {
        /// The code.
        code: String,
    },
    /// One place with two contents.
    PlaceTwice {
        /// Its address.
        address: String,
    },
    /// A row without an external code that may be any of several places.
    PlaceAmbiguous {
        /// Their address.
        address: String,
    },
    /// What a place was called before it turned out to be another, beside a beat that this one is not of.
    PlaceJoined {
        /// Its external code or its address.
        named: String,
        /// The code of the beat that the one that remains is of.
        beat: String,
    },
    /// A place that is to be withdrawn or corrected, and is not there.
    PlaceUnknown {
        /// Its external code or its address.
        named: String,
    },
    /// Somebody whose right is to end, and who is not in the directory.
    PersonUnknown {
        /// The name.
        name: String,
        /// A name much like it.
        meant: Option<String>,
    },
    /// A beat among what is no more.
    BeatRetired {
        /// Its code.
        code: String,
    },
    /// The name of headquarters' own hand.
    NameReserved {
        /// The name.
        name: String,
    },
}

impl RefusalKind {
    /// Stable.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BeatUnknown { .. } => "beat_unknown",
            Self::BeatsSeveral { .. } => "beats_several",
            Self::BeatAmbiguous { .. } => "beat_ambiguous",
            Self::BeatTwice { .. } => "beat_twice",
            Self::OutlineTwice { .. } => "outline_twice",
            Self::ExternalCodeTwice { .. } => "external_code_twice",
            Self::PlaceTwice { .. } => "place_twice",
            Self::PlaceAmbiguous { .. } => "place_ambiguous",
            Self::PlaceJoined { .. } => "place_joined",
            Self::PlaceUnknown { .. } => "place_unknown",
            Self::PersonUnknown { .. } => "person_unknown",
            Self::BeatRetired { .. } => "beat_retired",
            Self::NameReserved { .. } => "name_reserved",
        }
    }

    /// The column of the table in which it stands, as the documentation calls it.
    pub const fn column(&self) -> &'static str {
        match self {
            Self::BeatUnknown { .. }
            | Self::BeatsSeveral { .. }
            | Self::BeatAmbiguous { .. }
            | Self::OutlineTwice { .. }
            | Self::PlaceJoined { .. } => "beat",
            Self::BeatRetired { .. } => "code",
            Self::BeatTwice { .. } | Self::NameReserved { .. } | Self::PersonUnknown { .. } => "name",
            Self::ExternalCodeTwice { .. } => "external_code",
            Self::PlaceTwice { .. } | Self::PlaceAmbiguous { .. } | Self::PlaceUnknown { .. } => "address",
        }
    }

    /// The value that is wrong.
    pub fn value(&self) -> &str {
        match self {
            Self::BeatUnknown { code, .. }
            | Self::BeatsSeveral { code }
            | Self::BeatAmbiguous { code }
            | Self::BeatTwice { code }
            | Self::OutlineTwice { code }
            | Self::ExternalCodeTwice { code }
            | Self::BeatRetired { code } => code,
            Self::PlaceTwice { address } | Self::PlaceAmbiguous { address } => address,
            Self::PlaceJoined { named, .. } | Self::PlaceUnknown { named } => named,
            Self::NameReserved { name } | Self::PersonUnknown { name, .. } => name,
        }
    }

    /// What may have been meant in its place; of a place that is part of another, the beat of that one.
    pub fn meant(&self) -> Option<&str> {
        match self {
            Self::BeatUnknown { meant, .. } | Self::PersonUnknown { meant, .. } => meant.as_deref(),
            Self::PlaceJoined { beat, .. } => Some(beat),
            Self::BeatTwice { .. }
            | Self::BeatsSeveral { .. }
            | Self::BeatAmbiguous { .. }
            | Self::OutlineTwice { .. }
            | Self::ExternalCodeTwice { .. }
            | Self::PlaceTwice { .. }
            | Self::PlaceAmbiguous { .. }
            | Self::PlaceUnknown { .. }
            | Self::BeatRetired { .. }
            | Self::NameReserved { .. } => None,
        }
    }
}

impl fmt::Display for RefusalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BeatUnknown { meant: None, .. } => f.write_str("there is no such beat; list it among the beats"),
            Self::BeatUnknown { meant: Some(meant), .. } => {
                write!(f, "there is no such beat; is {meant:?} meant? Else list it among the beats")
            }
            Self::BeatsSeveral { .. } => {
                f.write_str("the cell names several beats; write one row for each, or the one that is meant")
            }
            Self::BeatAmbiguous { .. } => {
                f.write_str("several beats have this name; write the code of the one that is meant")
            }
            Self::BeatTwice { .. } => f.write_str("one beat has two names; keep one of the rows"),
            Self::OutlineTwice { .. } => f.write_str("one beat has two outlines; make them one MultiPolygon"),
            Self::ExternalCodeTwice { .. } => {
                f.write_str("one external code stands at two places; correct one of the rows")
            }
            Self::PlaceTwice { .. } => f.write_str(
                "two rows are about one place, and differ; keep one, or tell them apart by address or external code",
            ),
            Self::PlaceAmbiguous { .. } => {
                f.write_str("several places of the beat have this address; name the external code of the one meant")
            }
            Self::PlaceJoined { beat, .. } => write!(
                f,
                "this place was joined into another, which is of beat {beat:?}; name that beat, or move the other by its own code"
            ),
            Self::PlaceUnknown { .. } => f.write_str("the beat has no such place; is it written as it is known?"),
            Self::PersonUnknown { meant: None, .. } => {
                f.write_str("nobody of this name is in the directory; is it written as it is known?")
            }
            Self::PersonUnknown { meant: Some(meant), .. } => {
                write!(f, "nobody of this name is in the directory; is {meant:?} meant?")
            }
            Self::BeatRetired { .. } => {
                f.write_str("a beat stays for good: retire its places, and end the rights to it")
            }
            Self::NameReserved { .. } => {
                f.write_str("this is the name of the server's own hand; write the person's own name")
            }
        }
    }
}

/// What an operator should look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Warning {
    /// The line.
    pub line: Line,
    /// What is odd about it.
    pub kind: WarningKind,
}

/// A kind of oddity.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum WarningKind {
    /// A point that is not in its beat.
    OutsideBeat {
        /// The place's address.
        address: String,
        /// With latitude and longitude exchanged it would be.
        swapped: bool,
    },
    /// An outline that leaves places of its beat outside.
    PlacesOutside {
        /// The beat's code.
        code: String,
        /// Places outside.
        outside: usize,
        /// All places of the beat that have a point.
        of: usize,
        /// With latitude and longitude exchanged all would be inside.
        swapped: bool,
    },
    /// A point that looks as if latitude and longitude were exchanged.
    PointSwapped {
        /// The place's address.
        address: String,
    },
    /// A place that comes to an address which another has.
    AddressTaken {
        /// Their address.
        address: String,
        /// The other's code; empty where it has none.
        code: String,
    },
    /// A new beat whose code is another's but for zeros before it, or whose name is another's.
    BeatNear {
        /// The new code.
        code: String,
        /// The other's.
        near: String,
    },
    /// A row about a place that was joined into another says what that one does not.
    JoinedNotCorrected {
        /// The row's address.
        named: String,
    },
    /// A word of two alphabets, of which some letters look alike.
    AlphabetsMixed {
        /// The column of the table.
        #[serde(skip)]
        column: &'static str,
        /// The text.
        text: String,
    },
    /// A type of place that no list has; it is kept as it stands.
    PlaceTypeUnknown {
        /// The type.
        place_type: String,
    },
    /// Several places are the one that the row may mean; the first of them is taken.
    PlaceKnownTwice {
        /// Their address.
        address: String,
    },
    /// Somebody new whose name looks like another spelling of one that is known.
    PersonNear {
        /// The new name.
        name: String,
        /// Those that are known.
        near: Vec<String>,
    },
    /// Several people of this name are in the directory; one of them is taken.
    PersonKnownTwice {
        /// The name.
        name: String,
    },
}

impl WarningKind {
    /// Stable.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OutsideBeat { .. } => "outside_beat",
            Self::PlacesOutside { .. } => "places_outside",
            Self::PointSwapped { .. } => "point_swapped",
            Self::AddressTaken { .. } => "address_taken",
            Self::BeatNear { .. } => "beat_near",
            Self::JoinedNotCorrected { .. } => "joined_not_corrected",
            Self::AlphabetsMixed { .. } => "alphabets_mixed",
            Self::PlaceTypeUnknown { .. } => "place_type_unknown",
            Self::PlaceKnownTwice { .. } => "place_known_twice",
            Self::PersonNear { .. } => "person_near",
            Self::PersonKnownTwice { .. } => "person_known_twice",
        }
    }

    /// The column of the table in which it stands, as the documentation calls it.
    pub const fn column(&self) -> &'static str {
        match self {
            Self::OutsideBeat { .. }
            | Self::PlaceKnownTwice { .. }
            | Self::AddressTaken { .. }
            | Self::JoinedNotCorrected { .. } => "address",
            Self::PlacesOutside { .. } => "beat",
            Self::PointSwapped { .. } => "lat",
            Self::BeatNear { .. } => "code",
            Self::AlphabetsMixed { column, .. } => column,
            Self::PlaceTypeUnknown { .. } => "place_type",
            Self::PersonNear { .. } | Self::PersonKnownTwice { .. } => "name",
        }
    }

    /// The value that is odd.
    pub fn value(&self) -> &str {
        match self {
            Self::OutsideBeat { address, .. }
            | Self::PlaceKnownTwice { address }
            | Self::PointSwapped { address }
            | Self::AddressTaken { address, .. } => address,
            Self::JoinedNotCorrected { named } => named,
            Self::BeatNear { code, .. } | Self::PlacesOutside { code, .. } => code,
            Self::AlphabetsMixed { text, .. } => text,
            Self::PlaceTypeUnknown { place_type } => place_type,
            Self::PersonNear { name, .. } | Self::PersonKnownTwice { name } => name,
        }
    }

    /// Names that may be the same person's.
    pub fn near(&self) -> &[String] {
        if let Self::PersonNear { near, .. } = self { near } else { &[] }
    }
}

impl fmt::Display for WarningKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutsideBeat { swapped: false, .. } => f.write_str("the point lies outside of its beat's outline"),
            Self::OutsideBeat { swapped: true, .. } => f.write_str(
                "the point lies outside of its beat's outline; with latitude and longitude exchanged it would lie inside",
            ),
            Self::PlacesOutside { outside, of, swapped, .. } => {
                write!(f, "{outside} of {of} places of the beat lie outside of this outline")?;
                let hint = "; with latitude and longitude exchanged they would lie inside";
                f.write_str(if *swapped { hint } else { "" })
            }
            Self::PointSwapped { .. } => f.write_str(
                "the point is far from where the places are, or where nobody lives; are latitude and longitude exchanged?",
            ),
            Self::AddressTaken { code, .. } if code.is_empty() => f.write_str(
                "another place of the beat has this address; if they are one, keep one row, or join them afterwards",
            ),
            Self::AddressTaken { code, .. } => write!(
                f,
                "the place of code {code:?} has this address; if they are one, write its code, or join them afterwards"
            ),
            Self::BeatNear { near, .. } => write!(
                f,
                "a new beat; is it {near:?}, whose code or name is this but for zeros? Then write that code, and format the column as text"
            ),
            Self::JoinedNotCorrected { .. } => f.write_str(
                "this place was joined into another, which stays as it is; to correct that one, name it by its own code or address",
            ),
            Self::AlphabetsMixed { .. } => f.write_str(
                "a word of Latin and Cyrillic letters, which look alike and are not: searched for, it is not found; write it anew",
            ),
            Self::PlaceTypeUnknown { .. } => f.write_str("no list has this type of place; it is kept as it stands"),
            Self::PlaceKnownTwice { .. } => {
                f.write_str("several places known here are this one by their address or code; the first is taken")
            }
            Self::PersonNear { near, .. } => {
                write!(f, "a new person; are they {}? Then write the name as it is known", near.join(" or "))
            }
            Self::PersonKnownTwice { .. } => {
                f.write_str("several people known here have this name; the one spelt just so is taken, or the first")
            }
        }
    }
}
