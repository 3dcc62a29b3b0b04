//! The judges: one file each, each with eyes of its own. They read the bytes on the line, the database files and the
//! [model](crate::model); never the word of the code they judge.

pub mod agreement;
pub mod bounds;
pub mod costs;
pub mod cursors;
pub mod durable;
pub mod growth;
pub mod reading;
pub mod rebuild;
pub mod repeats;
pub mod scopes;
pub mod words;

use aralau_client_sdk::HttpResponse;
use aralau_sync_core::time::Millis;

use crate::{cost::Cost, line::Sent, world::World};

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which one: `I1` … `I9`, or what else went wrong.
    pub invariant: &'static str,
    /// How.
    pub what: String,
}

/// What a judge says.
pub type Judgement = Result<(), Violation>;

/// An invariant was violated.
pub fn violated<T>(invariant: &'static str, what: impl Into<String>) -> Result<T, Violation> {
    Err(Violation { invariant, what: what.into() })
}

/// One request that reached the server, and what it answered.
pub struct Exchange<'a> {
    /// The request.
    pub sent: &'a Sent,
    /// The answer.
    pub response: &'a HttpResponse,
    /// The server's clock when it came.
    pub at: Millis,
    /// The answer's body, decompressed; empty where it is no answer of a sync.
    pub body: Vec<u8>,
    /// What it cost the server.
    pub cost: Cost,
    /// The rows that the log gained by it.
    pub written: usize,
}

/// A judge.
pub trait Judge {
    /// After the server has answered a request.
    fn after_exchange(&mut self, _world: &World, _exchange: &Exchange<'_>) -> Judgement {
        Ok(())
    }

    /// After anything that touched the server.
    fn after_server(&mut self, _world: &World) -> Judgement {
        Ok(())
    }

    /// When everything has healed and come to rest.
    fn at_rest(&mut self, _world: &World) -> Judgement {
        Ok(())
    }
}

/// All of them.
pub fn all() -> Vec<Box<dyn Judge>> {
    vec![
        Box::new(reading::Reading),
        Box::new(growth::Growth::default()),
        Box::new(durable::Durable),
        Box::new(cursors::Cursors),
        Box::new(repeats::Repeats::default()),
        Box::new(scopes::Scopes),
        Box::new(bounds::Bounds),
        Box::new(costs::Costs::default()),
        Box::new(rebuild::Rebuild),
        Box::new(agreement::Agreement),
        Box::new(words::Words),
    ]
}
