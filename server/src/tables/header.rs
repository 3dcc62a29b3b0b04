//! The header of a table: one row of names, or two, of which the upper names groups of columns.
//!
//! ```text
//! Дата | Адрес |     |     | ФИО            Дата | Адрес / улица | Адрес / дом | Адрес / кв. | ФИО
//!      | улица | дом | кв. |        ──►
//! ```
//!
//! The lower row is told from data by its shape: it has words under groups and nothing anywhere else, so that where it is
//! taken for a header by mistake, no column that stands alone loses a cell.

use std::ops::Range;

use super::table::Row;

/// Between the name of a group and that of a column of it.
const BETWEEN: &str = " / ";
/// What is longer is no column's name.
const MAX_NAME_LETTERS: usize = 60;

/// What may be the header of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// What each column is called; of a column in a group with the group's name before its own.
    pub names: Vec<String>,
    /// The name of the group that each column is in; empty where it is in none, and where the header is one row.
    pub groups: Vec<String>,
    /// The first of its rows, from 1.
    pub row: u32,
}

impl Header {
    /// One row.
    pub fn of(row: &Row<'_>) -> Self {
        let names: Vec<String> = (0..row.len()).map(|column| row.cell(column).to_owned()).collect();
        Self { groups: vec![String::new(); names.len()], names, row: row.number }
    }

    /// Two rows, if they have the shape of a header. `merged`: the columns of each cell of the upper that is merged with those
    /// to its right; without any, a group goes as far as the upper row is blank and the lower is not.
    pub fn of_two(upper: &Row<'_>, lower: &Row<'_>, merged: &[Range<usize>]) -> Option<Self> {
        let width = upper.len().max(lower.len());
        let (above, below) = (|column: usize| upper.cell(column).trim(), |column: usize| lower.cell(column).trim());
        let groups = if merged.is_empty() { groups(width, &above, &below) } else { merged.to_vec() };
        let is_in_a_group = |column: usize| groups.iter().any(|group| group.contains(&column));
        // What is merged downwards is said of both rows.
        let stands_alone = |column| below(column).is_empty() || below(column) == above(column);
        let is_sound = lower.number == upper.number + 1
            && (0..width).all(|column| is_in_a_group(column) || stands_alone(column))
            && groups.iter().all(|group| has_names(group.clone().map(below)))
            && groups.iter().any(|group| group.clone().filter(|column| !below(*column).is_empty()).count() > 1);
        if !is_sound {
            return None;
        }
        let mut header = Self { row: upper.number, ..Self::of(upper) };
        header.names.resize(width, String::new());
        header.groups.resize(width, String::new());
        for group in groups {
            let name = above(group.start);
            for column in group.filter(|column| *column < width && !below(*column).is_empty() && !name.is_empty()) {
                header.names[column] = [name, below(column)].join(BETWEEN);
                name.clone_into(&mut header.groups[column]);
            }
        }
        Some(header)
    }

    /// Whether every column that has a name is in a group, so that the upper row adds nothing to the lower.
    pub fn is_all_in_groups(&self) -> bool {
        self.names.iter().zip(&self.groups).all(|(name, group)| name.is_empty() || !group.is_empty())
    }

    /// How many rows it has.
    pub fn rows(&self) -> u32 {
        1 + u32::from(self.groups.iter().any(|group| !group.is_empty()))
    }

    /// What a column is called within its group.
    pub fn own_name(&self, column: usize) -> &str {
        let name = self.names[column].as_str();
        let group = self.groups.get(column).map_or("", String::as_str);
        if group.is_empty() { name } else { name.strip_prefix(group).map_or(name, |own| &own[BETWEEN.len()..]) }
    }
}

fn groups<'a>(width: usize, above: &impl Fn(usize) -> &'a str, below: &impl Fn(usize) -> &'a str) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    for first in (0..width).filter(|column| !above(*column).is_empty() && !below(*column).is_empty()) {
        let is_part = |column: &usize| above(*column).is_empty() && !below(*column).is_empty();
        let more = (first + 1..width).take_while(is_part).count();
        if more > 0 {
            groups.push(first..first + 1 + more);
        }
    }
    groups
}

/// Whether cells are words that differ, as far as they are written. Numbers are data.
fn has_names<'a>(cells: impl Iterator<Item = &'a str>) -> bool {
    let names: Vec<&str> = cells.filter(|cell| !cell.is_empty()).collect();
    let is_name = |name: &&str| {
        name.chars().count() <= MAX_NAME_LETTERS
            && name.chars().any(char::is_alphabetic)
            && !name.chars().any(char::is_numeric)
    };
    names.iter().all(is_name) && (1..names.len()).all(|at| !names[..at].contains(&names[at]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::table::{Builder, Table};

    fn table(rows: &[&str]) -> Table {
        let mut builder = Builder::default();
        for (number, row) in (1..).zip(rows) {
            row.split(';').for_each(|cell| builder.cell(cell));
            builder.end_row(number);
        }
        builder.finish(|_| false)
    }

    fn names(upper: &str, lower: &str, merged: &[Range<usize>]) -> Option<Vec<String>> {
        // The first row is taken for a header.
        let table = table(&["x", upper, lower]);
        let rows: Vec<_> = table.rows().collect();
        Header::of_two(&rows[0], rows.get(1)?, merged).map(|header| header.names)
    }

    #[test]
    fn columns_of_a_group_are_called_by_both_rows() {
        let wanted = ["Дата", "Адрес / улица", "Адрес / дом", "Адрес / кв.", "ФИО"];
        assert_eq!(names("Дата;Адрес;;;ФИО", ";улица;дом;кв.;", &[]).unwrap(), wanted);
        assert_eq!(names("Дата;Адрес;;;ФИО", "Дата;улица;дом;кв.;ФИО", &[]).unwrap(), wanted, "merged downwards");
        assert_eq!(names("Дата;Адрес;;;ФИО", ";улица;дом;кв.", &[1..4; 1]).unwrap(), wanted);
        assert_eq!(
            names("Дата;Адрес;;;ФИО", ";улица;;кв.", &[1..4; 1]).unwrap()[1..4],
            ["Адрес / улица", "", "Адрес / кв."]
        );
        let two = names("Дата;Адрес;;Итог;", ";улица;дом;исход;меры", &[]).unwrap();
        assert_eq!(two[1..], ["Адрес / улица", "Адрес / дом", "Итог / исход", "Итог / меры"]);
    }

    #[test]
    fn a_row_of_data_is_no_second_row_of_a_header() {
        for (upper, lower, why) in [
            ("Дата;Адрес;ФИО", "12.03.2023;Абая 1;Серик", "every column has a name"),
            ("Дата;Адрес;;ФИО", "12.03.2023;Абая;подъезд;Серик", "columns that stand alone have something"),
            ("Дата;Адрес;;ФИО", ";Абая;5;", "a number is data"),
            ("Дата;Адрес;;ФИО", ";Абая;кв. 5;", "so is one in a word"),
            ("Дата;Адрес;;ФИО", ";Абая;Абая;", "two columns are not called alike"),
            ("Дата;Адрес;;ФИО", ";Абая;;", "a group of one is none"),
            ("Дата;Адрес;ФИО;", ";;;звонил", "a remark beside the table"),
            ("Дата;Адрес;;ФИО", ";;;", "nothing"),
            (";Адрес;;", "Дата;улица;дом;ФИО", "the lower row has the names"),
        ] {
            assert_eq!(names(upper, lower, &[]), None, "{why}");
        }
        let table = table(&["x", "Дата;Адрес;;ФИО", "", ";улица;дом;"]);
        let rows: Vec<_> = table.rows().collect();
        assert_eq!(Header::of_two(&rows[0], &rows[1], &[]), None, "a blank row is between them");
    }

    #[test]
    fn a_column_has_a_name_of_its_own_within_its_group() {
        let table = table(&["x", "Дата;Адрес;", ";улица;дом"]);
        let rows: Vec<_> = table.rows().collect();
        let header = Header::of_two(&rows[0], &rows[1], &[]).unwrap();
        assert_eq!((0..3).map(|column| header.own_name(column)).collect::<Vec<_>>(), ["Дата", "улица", "дом"]);
        assert_eq!(
            (header.rows(), header.row, &header.groups[..]),
            (2, 2, &["", "Адрес", "Адрес"].map(str::to_owned)[..])
        );
        assert_eq!(Header::of(&rows[0]).rows(), 1);
    }
}
