//! Everything that must hold of an edit whatever its bytes are.

use std::collections::BTreeSet;

use super::{
    ChangeError, ChangeParts, KeyPath, MAX_CHANGE_OPS, MAX_CHANGE_PREDECESSORS, MAX_DEPENDENCIES, MAX_OP_COUNTER,
    MAX_SEQUENCE, Put,
};
use crate::id::{Actor, ReplicaId};

impl ChangeParts {
    pub(super) fn check(&self) -> Result<(), ChangeError> {
        self.check_counters()?;
        if !self.dependencies.is_sorted_by(|a, b| a < b) {
            return Err(ChangeError::NotCanonical);
        }
        let mut keys = BTreeSet::new();
        let mut predecessors = 0;
        for put in &self.puts {
            put.check(self)?;
            if !keys.insert(put.key.as_str()) {
                return Err(ChangeError::DuplicateKey);
            }
            predecessors += put.predecessors.len();
        }
        if predecessors > MAX_CHANGE_PREDECESSORS {
            return Err(ChangeError::TooManyPredecessors);
        }
        Ok(())
    }

    fn check_counters(&self) -> Result<(), ChangeError> {
        if self.puts.is_empty() {
            return Err(ChangeError::Empty);
        }
        if self.puts.len() > MAX_CHANGE_OPS {
            return Err(ChangeError::TooManyOps);
        }
        if self.dependencies.len() > MAX_DEPENDENCIES {
            return Err(ChangeError::TooManyDependencies);
        }
        if is_zero(self.actor) {
            return Err(ChangeError::BadActor);
        }
        if self.sequence == 0 || self.start_op == 0 {
            return Err(ChangeError::Malformed);
        }
        let last_op = self.start_op.saturating_add(self.puts.len() as u64 - 1);
        if self.sequence > MAX_SEQUENCE || last_op > MAX_OP_COUNTER {
            return Err(ChangeError::CounterTooLarge);
        }
        Ok(())
    }
}

impl Put {
    fn check(&self, parts: &ChangeParts) -> Result<(), ChangeError> {
        match KeyPath::parse(&self.key).ok_or(ChangeError::BadKey)? {
            KeyPath::Witness { replica, .. } if replica != parts.actor.replica => {
                return Err(ChangeError::ForeignWitness);
            }
            KeyPath::Witness { .. } | KeyPath::Field(_) | KeyPath::Item { .. } => {}
        }
        if !self.value.is_allowed() {
            return Err(ChangeError::BadValue);
        }
        if !self.predecessors.is_sorted_by(|a, b| a < b) {
            return Err(ChangeError::NotCanonical);
        }
        if self.predecessors.iter().any(|op| op.counter == 0 || op.counter >= parts.start_op) {
            return Err(ChangeError::BadPredecessor);
        }
        if self.predecessors.iter().any(|op| is_zero(op.actor)) {
            return Err(ChangeError::BadActor);
        }
        Ok(())
    }
}

fn is_zero(actor: Actor) -> bool {
    actor.replica == ReplicaId([0; 14])
}
