//! What one row says: its team, its values by document key, its notes and its flaws.

use std::collections::BTreeSet;

use super::{
    Dirt, FieldValue, ImportRow, MAX_FIELD_BYTES, MAX_NAME_BYTES, MAX_NOTE_BYTES, MAX_TEAM, Rejection, UNASSIGNED,
    cells::{Cells, Column},
    dirt, meaning,
};

/// Where a document keeps the codes of its flaws, separated by spaces.
pub const DIRT_KEY: &str = "import_dirt";

/// What the row says, or which limit it is over.
pub fn read(line: u64, cells: &Cells) -> Result<ImportRow, Rejection> {
    let mut row = RowBuilder { fields: Vec::new(), notes: Vec::new(), dirt: cells.dirt.clone() };
    let team = row.team(cells)?;
    let date = row.noted(dirt::parse_date(cells.get(Column::Date)));
    let time = row.noted(dirt::parse_time(cells.get(Column::Time)));
    row.dirt.extend(dirt::of_precinct(cells.get(Column::Precinct)));
    row.dirt.extend(dirt::of_bbl(cells.get(Column::Bbl)));
    row.dirt.extend(dirt::of_zip(cells.get(Column::Zip)));
    row.dirt.extend(dirt::of_floor(cells.get(Column::Floor)));
    if cells.get(Column::Address).trim().is_empty() {
        row.dirt.insert(Dirt::BlankAddress);
    }
    row.note(cells.get(Column::Notes));
    row.texts(cells);
    let cited = row.findings(cells);
    row.code("visit_type", meaning::visit_type(cells.get(Column::Reason)));
    row.code("outcome", Some(meaning::outcome(cells.get(Column::Notes), cells.get(Column::Occupancy), cited)));
    let dirt: Vec<Dirt> = row.dirt.into_iter().collect();
    row.fields.extend(dirt_field(&dirt));
    Ok(ImportRow {
        line,
        team,
        visited_on: date,
        visited_at: date.zip(time).map(|(date, time)| date.and_time(time)),
        fields: row.fields,
        notes: row.notes,
        dirt,
        duplicate: false,
    })
}

/// The flaws as the document shows them, if there are any.
pub fn dirt_field(dirt: &[Dirt]) -> Option<(String, FieldValue)> {
    let codes: Vec<&str> = dirt.iter().map(|dirt| dirt.code()).collect();
    (!codes.is_empty()).then(|| (DIRT_KEY.to_owned(), FieldValue::Text(codes.join(" "))))
}

/// As much of a cell as a field may hold.
pub fn bounded(cell: &str) -> &str {
    &cell[..cell.floor_char_boundary(MAX_FIELD_BYTES)]
}

struct RowBuilder {
    fields: Vec<(String, FieldValue)>,
    notes: Vec<String>,
    dirt: BTreeSet<Dirt>,
}

impl RowBuilder {
    fn team(&mut self, cells: &Cells) -> Result<Vec<String>, Rejection> {
        let mut team: Vec<String> = Vec::new();
        for word in cells.get(Column::Team).split_whitespace() {
            if word.len() > MAX_NAME_BYTES {
                return Err(Rejection::NameTooLong);
            }
            if team.iter().any(|member| member == word) {
                self.dirt.insert(Dirt::RepeatedName);
                continue;
            }
            if team.len() == MAX_TEAM {
                return Err(Rejection::TeamTooLarge);
            }
            self.dirt.extend(dirt::of_name(word));
            team.push(word.to_owned());
        }
        if team.is_empty() {
            self.dirt.insert(Dirt::BlankTeam);
            team.push(UNASSIGNED.to_owned());
        }
        Ok(team)
    }

    fn texts(&mut self, cells: &Cells) {
        use Column::{Address, Bbl, Date, Floor, Occupancy, Precinct, Reason, Team, Time, Zip};
        let (date, time) = (cells.get(Date), cells.get(Time));
        let gap = if date.is_empty() || time.is_empty() { "" } else { " " };
        self.text("started_at_text", &format!("{date}{gap}{time}"));
        for (column, key) in [
            (Occupancy, "occupancy"),
            (Precinct, "precinct"),
            (Bbl, "external_code"),
            (Reason, "reason"),
            (Address, "address"),
            (Zip, "zip"),
            (Floor, "floor"),
            (Team, "team"),
        ] {
            self.text(key, cells.get(column));
        }
        for (number, text) in &cells.others {
            self.text(&format!("column_{number}"), text);
        }
    }

    /// The counts and the citation; whether there was any.
    fn findings(&mut self, cells: &Cells) -> bool {
        let mut cited = false;
        for (column, key) in Column::COUNTS {
            let cell = cells.get(column);
            match cell.trim().parse::<i64>() {
                Ok(count) => {
                    cited |= count > 0;
                    self.fields.push((key.to_owned(), FieldValue::Int(count)));
                }
                Err(_) => self.odd(key, cell, Dirt::MalformedCount),
            }
        }
        let cell = cells.get(Column::Citation);
        match cell.trim() {
            answer @ ("Yes" | "No") => {
                cited |= answer == "Yes";
                self.fields.push(("citation".to_owned(), FieldValue::Bool(answer == "Yes")));
            }
            _ => self.odd("citation", cell, Dirt::MalformedCitation),
        }
        cited
    }

    fn odd(&mut self, key: &str, cell: &str, dirt: Dirt) {
        if !cell.trim().is_empty() {
            self.dirt.insert(dirt);
        }
        self.text(key, cell);
    }

    fn code(&mut self, key: &str, code: Option<&str>) {
        self.fields.extend(code.map(|code| (key.to_owned(), FieldValue::Text(code.to_owned()))));
    }

    fn text(&mut self, key: &str, cell: &str) {
        if cell.is_empty() {
            return;
        }
        let (head, rest) = cell.split_at(bounded(cell).len());
        self.fields.push((key.to_owned(), FieldValue::Text(head.to_owned())));
        if !rest.is_empty() {
            self.note(&format!("{key}: …{rest}"));
            self.dirt.insert(Dirt::OversizeCell);
        }
    }

    fn note(&mut self, text: &str) {
        let mut rest = text;
        if rest.len() > MAX_NOTE_BYTES {
            self.dirt.insert(Dirt::OversizeCell);
        }
        while !rest.is_empty() {
            let (head, tail) = rest.split_at(rest.floor_char_boundary(MAX_NOTE_BYTES));
            self.notes.push(head.to_owned());
            rest = tail;
        }
    }

    fn noted<T>(&mut self, parsed: Result<T, Dirt>) -> Option<T> {
        parsed.map_err(|dirt| self.dirt.insert(dirt)).ok()
    }
}
