//! The file's columns, and the text of one row before anything is made of it.

use std::collections::BTreeSet;

use csv::ByteRecord;
use uuid::Uuid;

use super::{Dirt, ImportError, MAX_COLUMNS, MAX_ROW_BYTES, PLACE_NAMESPACE, Rejection, VISIT_NAMESPACE, dirt};

/// A column this importer knows. What a file has beside them is carried as `column_<n>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Date,
    Time,
    Occupancy,
    Precinct,
    Bbl,
    Reason,
    Address,
    Zip,
    Floor,
    Team,
    Notes,
    BuildingsViolations,
    FireViolations,
    PoliceSummonses,
    PoliceArrests,
    HealthSummonses,
    Citation,
}

impl Column {
    const COUNT: usize = 17;
    const ALL: [(Self, &'static str); Self::COUNT] = [
        (Self::Date, "date"),
        (Self::Time, "time"),
        (Self::Occupancy, "occupancy"),
        (Self::Precinct, "precinct"),
        (Self::Bbl, "bbl"),
        (Self::Reason, "reason"),
        (Self::Address, "address"),
        (Self::Zip, "zip"),
        (Self::Floor, "floor"),
        (Self::Team, "team"),
        (Self::Notes, "notes"),
        (Self::BuildingsViolations, "buildings_violations"),
        (Self::FireViolations, "fire_violations"),
        (Self::PoliceSummonses, "police_summonses"),
        (Self::PoliceArrests, "police_arrests"),
        (Self::HealthSummonses, "health_summonses"),
        (Self::Citation, "citation-YN"),
    ];
    pub const COUNTS: [(Self, &'static str); 5] = [
        (Self::BuildingsViolations, "buildings_violations"),
        (Self::FireViolations, "fire_violations"),
        (Self::PoliceSummonses, "police_summonses"),
        (Self::PoliceArrests, "police_arrests"),
        (Self::HealthSummonses, "health_summonses"),
    ];
}

/// Which column stands where.
pub struct Header(Vec<Option<Column>>);

impl Header {
    pub fn parse(record: &ByteRecord) -> Result<Self, ImportError> {
        if record.len() > MAX_COLUMNS {
            return Err(ImportError::TooManyColumns);
        }
        let mut missing = Column::ALL.to_vec();
        let columns = record
            .iter()
            .map(|cell| {
                let is_named = |(_, name): &(Column, &str)| cell.trim_ascii().eq_ignore_ascii_case(name.as_bytes());
                missing.iter().position(is_named).map(|index| missing.remove(index).0)
            })
            .collect();
        if missing.is_empty() {
            Ok(Self(columns))
        } else {
            Err(ImportError::MissingColumns(missing.into_iter().map(|(_, name)| name).collect()))
        }
    }
}

/// One row's text, before anything is made of it.
pub struct Cells {
    known: [String; Column::COUNT],
    /// Under no column this importer knows, with the number of the column from 1.
    pub others: Vec<(usize, String)>,
    pub dirt: BTreeSet<Dirt>,
}

impl Cells {
    pub fn parse(header: &Header, record: &ByteRecord) -> Result<Self, Rejection> {
        if record.len() > MAX_COLUMNS {
            return Err(Rejection::TooManyCells);
        }
        if record.as_slice().len() > MAX_ROW_BYTES {
            return Err(Rejection::TooLong);
        }
        let mut cells = Self { known: Default::default(), others: Vec::new(), dirt: BTreeSet::new() };
        if record.len() < header.0.len() {
            cells.dirt.insert(Dirt::MissingCells);
        }
        if record.len() > header.0.len() {
            cells.dirt.insert(Dirt::ExtraCells);
        }
        for (index, bytes) in record.iter().enumerate() {
            let text = cells.decode(bytes);
            cells.dirt.extend(dirt::of_text(&text));
            match header.0.get(index).copied().flatten() {
                Some(column) => cells.known[column as usize] = text,
                None if text.is_empty() => {}
                None => cells.others.push((index + 1, text)),
            }
        }
        Ok(cells)
    }

    fn decode(&mut self, bytes: &[u8]) -> String {
        match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => {
                self.dirt.insert(Dirt::NotUtf8);
                bytes.iter().map(|byte| char::from(*byte)).collect()
            }
        }
    }

    pub fn get(&self, column: Column) -> &str {
        &self.known[column as usize]
    }

    fn id(&self, namespace: &Uuid, columns: &[Column]) -> Uuid {
        let parts: Vec<&str> = columns.iter().map(|column| self.get(*column).trim()).collect();
        Uuid::new_v5(namespace, parts.join("|").as_bytes())
    }

    pub fn visit_id(&self) -> Uuid {
        use Column::{Address, Bbl, Date, Floor, Time};
        self.id(&VISIT_NAMESPACE, &[Date, Time, Bbl, Address, Floor])
    }

    pub fn place_id(&self) -> Option<Uuid> {
        let named = [Column::Bbl, Column::Address].iter().any(|column| !self.get(*column).trim().is_empty());
        named.then(|| self.id(&PLACE_NAMESPACE, &[Column::Bbl, Column::Address]))
    }
}
