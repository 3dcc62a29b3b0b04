//! Seats for what is not built yet. Whoever builds one of these fills its seat: makes it happen in
//! [`World::sit`](crate::world::World), and gives the judges what they need to see.

use aralau_tests::chance::Chance;

/// Something that the design has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seat {
    /// Raw changes repacked without loss: no judge may notice.
    Compaction,
    /// A first sync from a pack made beforehand: the same rows as without (I2, I3).
    Pack,
    /// Two people taking turns on one phone: whose words are whose, and what either may see (I5).
    SharedPhone,
    /// Photographs beside a visit: bytes acknowledged are bytes kept (I1), and stay in their scope (I5).
    Attachment,
    /// Content erased by a recorded order: gone everywhere, and the chains still verify (I6).
    Erasure,
    /// A scope's documents handed to another scope (I5, I9).
    Handover,
}

impl Seat {
    const ALL: [Self; 6] =
        [Self::Compaction, Self::Pack, Self::SharedPhone, Self::Attachment, Self::Erasure, Self::Handover];

    /// One of them.
    pub fn any(chance: &mut Chance) -> Self {
        *chance.pick(&Self::ALL)
    }
}
