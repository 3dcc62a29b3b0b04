//! How places stand: when somebody was last met at each, as of an instant, and what follows from that. The figures of
//! coverage and the list of places behind each ask the same.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use aralau_sync_core::{
    time::DAY_MS,
    visit::{ACTIVE, CONTACTED},
};

use super::period::Period;

/// A place is due so long before it is overdue.
const DUE_AHEAD_MS: i64 = 30 * DAY_MS;

/// How an active place stands at the end of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Somebody was met there in the period.
    Contacted,
    /// It was tried in the period, and nobody was met.
    Attempted,
    /// Nobody was ever met there, or it will be overdue within 30 days.
    Due,
    /// Somebody was last met there longer ago than the visit interval.
    Overdue,
}

impl Standing {
    /// Of a row of [`places_as_of`].
    pub(super) const fn condition(self) -> &'static str {
        match self {
            Self::Contacted => "contacted_at >= from_ms",
            Self::Attempted => "attempted_at >= from_ms AND coalesce(contacted_at < from_ms, 1)",
            Self::Due => "contacted_at IS NULL OR contacted_at >= overdue_before AND contacted_at < due_before",
            Self::Overdue => "contacted_at < overdue_before",
        }
    }
}

/// From what presses most.
const BY_PRESSURE: [Standing; 4] = [Standing::Overdue, Standing::Due, Standing::Contacted, Standing::Attempted];

impl Standing {
    /// The stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Contacted => "contacted",
            Self::Attempted => "attempted",
            Self::Due => "due",
            Self::Overdue => "overdue",
        }
    }

    /// SQL for the one that presses most of those that an active row of [`places_as_of`] is, as [`Self::numbered`] reads it.
    pub(super) fn most_pressing() -> String {
        let cases = BY_PRESSURE.iter().zip(0..);
        let cases = cases.map(|(standing, number)| format!(" WHEN {} THEN {number}", standing.condition()));
        format!("CASE WHEN status <> '{ACTIVE}' THEN NULL{} END", cases.collect::<String>())
    }

    /// What [`Self::most_pressing`] found.
    pub(super) fn numbered(number: u8) -> Option<Self> {
        BY_PRESSURE.get(usize::from(number)).copied()
    }
}

/// What `?1` to `?4` of [`places_as_of`] stand for.
pub(super) const fn values(period: &Period, interval_ms: i64) -> [i64; 4] {
    let overdue_before = period.as_of_ms - interval_ms;
    [period.as_of_ms, period.from_ms, overdue_before, overdue_before + DUE_AHEAD_MS]
}

/// The table `standing`: every place with what is known of it at the end of the period. Only a place that has been visited
/// since asks its visits, from the newest before on. The values are named here, and the places come first: so whoever lists
/// them walks an index in its order, and need not sort them all for one page (a million: 1.5 s, and now a millisecond).
pub(super) fn places_as_of() -> String {
    let last_before = |outcome: &str| {
        format!(
            "(SELECT min(v.started_at, v.received_at) FROM visit v
              WHERE v.place = d.document AND v.scope_no = p.scope_no AND v.started_at <= ?1
                AND v.status = '{ACTIVE}' AND v.outcome {outcome} '{CONTACTED}'
              ORDER BY v.started_at DESC LIMIT 1)"
        )
    };
    let (contacted_before, attempted_before) = (last_before("="), last_before("<>"));
    format!(
        "WITH standing AS (
             SELECT ?2 AS from_ms, ?3 AS overdue_before, ?4 AS due_before, p.*, d.document,
                 CASE WHEN c.contacted_at > ?1 THEN {contacted_before} ELSE c.contacted_at END AS contacted_at,
                 CASE WHEN c.attempted_at > ?1 THEN {attempted_before} ELSE c.attempted_at END AS attempted_at
             FROM place p CROSS JOIN document d USING (document_no)
             LEFT JOIN place_contact c ON c.scope_no = p.scope_no AND c.place = d.document)"
    )
}
