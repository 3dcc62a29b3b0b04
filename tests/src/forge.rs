//! Changes taken apart and put together again wrong.

/// The body of an Automerge change in its parts; see `aralau_sync_core::change` for the layout.
#[derive(Debug, Clone)]
pub struct Forged {
    /// Hashes of what it depends on.
    pub dependencies: Vec<[u8; 32]>,
    /// The author.
    pub actor: Vec<u8>,
    /// Counts the author's changes.
    pub sequence: u64,
    /// Counter of the first op.
    pub start_op: u64,
    /// Seconds.
    pub time: i64,
    /// Free text.
    pub message: Vec<u8>,
    /// Other actors named.
    pub others: Vec<Vec<u8>>,
    /// Numbers and contents.
    pub columns: Vec<(u64, Vec<u8>)>,
    /// After the end.
    pub extra: Vec<u8>,
}

/// Column numbers.
pub mod column {
    /// Of the object, its actor.
    pub const OBJECT_ACTOR: u64 = 1;
    /// Of the object, its counter.
    pub const OBJECT_COUNTER: u64 = 2;
    /// The key.
    pub const KEY: u64 = 21;
    /// Whether it inserts.
    pub const INSERT: u64 = 52;
    /// What it does.
    pub const ACTION: u64 = 66;
    /// Types and lengths of values.
    pub const VALUE_META: u64 = 86;
    /// Values.
    pub const VALUE: u64 = 87;
    /// How many predecessors.
    pub const PREDECESSOR_COUNT: u64 = 112;
    /// Their actors, by index.
    pub const PREDECESSOR_ACTOR: u64 = 113;
    /// Their counters.
    pub const PREDECESSOR_COUNTER: u64 = 115;
    /// Marks a deflated column.
    pub const DEFLATED: u64 = 8;
}

impl Forged {
    /// Takes a sound body apart.
    pub fn of(body: &[u8]) -> Self {
        let mut rest = body;
        let dependencies =
            (0..unsigned(&mut rest)).map(|_| take(&mut rest, 32).try_into().expect("32 bytes")).collect();
        let actor = text(&mut rest);
        let (sequence, start_op) = (unsigned(&mut rest), unsigned(&mut rest));
        assert_eq!(unsigned(&mut rest), 0, "our own changes carry no time");
        let message = text(&mut rest);
        let others = (0..unsigned(&mut rest)).map(|_| text(&mut rest)).collect();
        let heads: Vec<_> = (0..unsigned(&mut rest)).map(|_| (unsigned(&mut rest), unsigned(&mut rest))).collect();
        let columns = heads.into_iter().map(|(number, length)| (number, take(&mut rest, length).to_vec())).collect();
        Self { dependencies, actor, sequence, start_op, time: 0, message, others, columns, extra: rest.to_vec() }
    }

    /// Puts it together.
    pub fn body(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write_unsigned(&mut out, self.dependencies.len() as u64);
        self.dependencies.iter().for_each(|hash| out.extend(hash));
        write_text(&mut out, &self.actor);
        write_unsigned(&mut out, self.sequence);
        write_unsigned(&mut out, self.start_op);
        write_signed(&mut out, self.time);
        write_text(&mut out, &self.message);
        write_unsigned(&mut out, self.others.len() as u64);
        self.others.iter().for_each(|actor| write_text(&mut out, actor));
        write_unsigned(&mut out, self.columns.len() as u64);
        for (number, bytes) in &self.columns {
            write_unsigned(&mut out, *number);
            write_unsigned(&mut out, bytes.len() as u64);
        }
        self.columns.iter().for_each(|(_, bytes)| out.extend(bytes));
        out.extend(&self.extra);
        out
    }

    /// Replaces a column, or adds it where its number belongs.
    pub fn set(&mut self, number: u64, bytes: Vec<u8>) {
        self.columns.retain(|(known, _)| *known != number);
        self.columns.push((number, bytes));
        self.columns.sort_by_key(|(number, _)| number & !column::DEFLATED);
    }

    /// A column's content.
    pub fn column(&self, number: u64) -> &[u8] {
        &self.columns.iter().find(|(known, _)| *known == number).expect("the column").1
    }
}

/// One value, so many times over.
pub fn run(times: i64, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    write_signed(&mut out, times);
    write_unsigned(&mut out, value);
    out
}

fn take<'a>(rest: &mut &'a [u8], length: u64) -> &'a [u8] {
    let (taken, after) = rest.split_at(usize::try_from(length).expect("in range"));
    *rest = after;
    taken
}

fn text(rest: &mut &[u8]) -> Vec<u8> {
    let length = unsigned(rest);
    take(rest, length).to_vec()
}

fn unsigned(rest: &mut &[u8]) -> u64 {
    let (mut number, mut shift) = (0, 0);
    loop {
        let byte = take(rest, 1)[0];
        number |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return number;
        }
    }
}

/// Unsigned LEB128.
pub fn write_unsigned(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push(number as u8 & 0x7f | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Signed LEB128.
pub fn write_signed(out: &mut Vec<u8>, mut number: i64) {
    loop {
        let byte = number as u8 & 0x7f;
        number >>= 7;
        if (number == 0 && byte & 0x40 == 0) || (number == -1 && byte & 0x40 != 0) {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

fn write_text(out: &mut Vec<u8>, bytes: &[u8]) {
    write_unsigned(out, bytes.len() as u64);
    out.extend(bytes);
}
