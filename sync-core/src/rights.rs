//! Who may write where, and when: the one place that says what a grant covers.

use crate::{reason::Reason, time::Millis};

/// One grant (person, scope).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// Since when.
    pub from: Millis,
    /// Until when, if it has ended.
    pub until: Option<Millis>,
}

impl Grant {
    /// Whether it counts at a moment: what reads and writes at that moment rests on.
    pub fn is_in_force(&self, at: Millis) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }

    /// Whether it counted at any moment from `since` to `now`.
    fn covers(&self, since: Millis, now: Millis) -> bool {
        self.from <= now && self.until.is_none_or(|until| since < until)
    }
}

/// When a person might write in a scope.
#[derive(Debug, Clone, Default)]
pub struct Rights {
    /// Spans of time granted.
    pub grants: Vec<Grant>,
    /// When the device was shut out.
    pub revoked_at: Option<Millis>,
}

impl Rights {
    /// Whether the device may read and write now.
    pub fn are_in_force(&self, now: Millis) -> bool {
        !self.is_revoked(now) && self.grants.iter().any(|grant| grant.is_in_force(now))
    }

    fn is_revoked(&self, now: Millis) -> bool {
        self.revoked_at.is_some_and(|at| at <= now)
    }

    /// Whether an entry counts that is received now, from a device that had then seen what was received at `seen_at`.
    ///
    /// It does if a grant covers any instant between the two, and grace has not run out. What was not received before a
    /// revocation is held, whatever time it claims.
    pub(crate) fn admit(&self, seen_at: Option<Millis>, now: Millis, grace_ms: i64) -> Result<(), Reason> {
        if self.is_revoked(now) {
            return Err(Reason::Revoked);
        }
        if self.are_in_force(now) {
            return Ok(());
        }
        let since = seen_at.unwrap_or(Millis(i64::MIN));
        let mut covered = self.grants.iter().filter(|grant| grant.covers(since, now)).peekable();
        if covered.peek().is_none() {
            return Err(Reason::NotGranted);
        }
        let in_grace = |grant: &Grant| grant.until.is_none_or(|until| now <= until.plus(grace_ms));
        if covered.any(in_grace) { Ok(()) } else { Err(Reason::AfterGrant) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: i64 = 10;

    fn rights(grants: &[(i64, Option<i64>)], revoked_at: Option<i64>) -> Rights {
        let grants = grants.iter().map(|&(from, until)| Grant { from: Millis(from), until: until.map(Millis) });
        Rights { grants: grants.collect(), revoked_at: revoked_at.map(Millis) }
    }

    #[test]
    fn a_grant_counts_from_its_first_moment_until_before_its_end() {
        let grant = Grant { from: Millis(5), until: Some(Millis(8)) };
        assert_eq!([4, 5, 7, 8].map(|at| grant.is_in_force(Millis(at))), [false, true, true, false]);
        assert!(Grant { until: None, ..grant }.is_in_force(Millis(i64::MAX)));
    }

    #[test]
    fn what_was_written_within_a_grant_counts_for_the_time_of_grace_and_by_what_it_had_seen() {
        let ended = rights(&[(100, Some(200))], None);
        let admit = |seen_at: Option<i64>, now| ended.admit(seen_at.map(Millis), Millis(now), GRACE);
        assert_eq!(admit(None, 99), Err(Reason::NotGranted), "not begun");
        assert_eq!(admit(Some(500), 150), Ok(()), "in force, whatever it claims to have seen");
        assert_eq!(admit(Some(199), 210), Ok(()), "within grace");
        assert_eq!(admit(Some(199), 211), Err(Reason::AfterGrant));
        assert_eq!(admit(Some(200), 205), Err(Reason::NotGranted), "it had seen what came after the end");
        assert_eq!(admit(None, 205), Ok(()), "it claims to have seen nothing");
        let two = rights(&[(100, Some(200)), (300, None)], None);
        assert_eq!(two.admit(Some(Millis(250)), Millis(260), GRACE), Err(Reason::NotGranted), "in between");
        assert_eq!(two.admit(Some(Millis(250)), Millis(400), GRACE), Ok(()));
    }

    #[test]
    fn nothing_counts_from_a_device_that_was_shut_out() {
        let out = rights(&[(100, None)], Some(150));
        assert_eq!(out.admit(None, Millis(149), GRACE), Ok(()));
        assert_eq!(out.admit(None, Millis(150), GRACE), Err(Reason::Revoked));
        assert_eq!([149, 150].map(|now| out.are_in_force(Millis(now))), [true, false]);
    }
}
