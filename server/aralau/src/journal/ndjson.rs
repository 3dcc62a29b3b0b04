//! Objects of JSON, one a line or all in one array, as a table: each key is a column, and what is nested is named with a dot.

use std::collections::HashMap;

use serde::de::{DeserializeSeed, SeqAccess, Visitor};
use serde_json::Value;

use crate::tables::{
    fault::{Fault, FaultKind},
    table::{Builder, MAX_COLUMNS, MAX_ROWS, Table},
};

/// Cells of the table that it makes: a few bytes may ask for many.
const MAX_CELLS: usize = 32_000_000;

/// Whether bytes begin as an object of JSON does, or an array of them, which no table begins with.
pub fn is_json(bytes: &[u8]) -> bool {
    is_array(bytes) || first_of(bytes).is_some_and(|(first, _)| first == b'{')
}

fn is_array(bytes: &[u8]) -> bool {
    let Some((b'[', rest)) = first_of(bytes) else { return false };
    first_of(rest).is_some_and(|(first, _)| matches!(first, b'{' | b']'))
}

fn first_of(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    bytes.split_first().map(|(first, rest)| (*first, rest))
}

/// Reads the lines that are objects, or the objects of an array, and says which are not.
///
/// # Errors
/// More rows or columns than a table may have; an array that breaks off.
pub fn read(bytes: &[u8], file: &str) -> Result<(Table, Vec<Fault>), Fault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut rows = Rows { file, columns: HashMap::new(), names: Vec::new(), rows: Vec::new(), broken: Vec::new() };
    if is_array(bytes) {
        let mut read = serde_json::Deserializer::from_slice(bytes);
        let mut number = 0;
        let mut refused = None;
        let each = Elements(|value| {
            number += 1;
            if refused.is_none() {
                refused = rows.add(number, value).err();
            }
            refused.is_none()
        });
        let whole = each.deserialize(&mut read).and_then(|()| read.end());
        if let Some(fault) = refused {
            return Err(fault);
        }
        whole.map_err(|error| {
            let message = format!("this array of JSON breaks off: {error}; export the file again");
            Fault::new(FaultKind::JsonMalformed, file, message)
        })?;
    } else {
        for (number, line) in (1_u32..).zip(bytes.split(|byte| *byte == b'\n')) {
            if !line.trim_ascii().is_empty() {
                let shown = || String::from_utf8_lossy(line).into_owned();
                rows.add(number, serde_json::from_slice(line).unwrap_or_else(|_| Value::String(shown())))?;
            }
        }
    }
    rows.finish()
}

/// Rows while they are read.
struct Rows<'a> {
    file: &'a str,
    columns: HashMap<String, usize>,
    names: Vec<String>,
    rows: Vec<(u32, Vec<(usize, String)>)>,
    broken: Vec<Fault>,
}

impl Rows<'_> {
    fn add(&mut self, number: u32, value: Value) -> Result<(), Fault> {
        let file = self.file;
        if self.rows.len() >= MAX_ROWS {
            return Err(Fault::new(FaultKind::TooManyRows, file, format!("more than {MAX_ROWS} rows; split the file")));
        }
        if !value.is_object() {
            let message = "this is no object of JSON; mend it, and import the file again";
            let fault = Fault::new(FaultKind::JsonMalformed, file, message).at(number);
            let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            self.broken.push(fault.holding(&shown));
            return Ok(());
        }
        let mut cells = Vec::new();
        flatten("", value, &mut |name, text| {
            let next = self.columns.len();
            let column = *self.columns.entry(name.clone()).or_insert_with(|| {
                self.names.push(name);
                next
            });
            cells.push((column, text));
        });
        if self.names.len() > MAX_COLUMNS {
            let message = format!("more than {MAX_COLUMNS} different keys");
            return Err(Fault::new(FaultKind::TooManyColumns, file, message).at(number));
        }
        self.rows.push((number, cells));
        Ok(())
    }

    fn finish(self) -> Result<(Table, Vec<Fault>), Fault> {
        if self.rows.len().saturating_mul(self.names.len()) > MAX_CELLS {
            let message = format!("its rows and keys make more than {MAX_CELLS} cells; split the file");
            return Err(Fault::new(FaultKind::TooManyColumns, self.file, message));
        }
        Ok((table(&self.names, self.rows), self.broken))
    }
}

/// The elements of an array, one at a time, until the first that is refused: a file of them may be as large as any table.
struct Elements<F>(F);

impl<'de, F: FnMut(Value) -> bool> DeserializeSeed<'de> for Elements<F> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, read: D) -> Result<(), D::Error> {
        read.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(Value) -> bool> Visitor<'de> for Elements<F> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        while let Some(value) = elements.next_element()? {
            if !(self.0)(value) {
                break;
            }
        }
        Ok(())
    }
}

fn table(names: &[String], rows: Vec<(u32, Vec<(usize, String)>)>) -> Table {
    let mut builder = Builder::default();
    names.iter().for_each(|name| builder.cell(name));
    builder.end_row(0);
    let mut texts = vec![String::new(); names.len()];
    for (number, cells) in rows {
        texts.iter_mut().for_each(String::clear);
        cells.into_iter().for_each(|(column, text)| texts[column] = text);
        texts.iter().for_each(|text| builder.cell(text));
        builder.end_row(number);
    }
    builder.finish(|header| header.rows() == 1)
}

fn flatten(name: &str, value: Value, cell: &mut impl FnMut(String, String)) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (key, value) in fields {
                let name = if name.is_empty() { key } else { format!("{name}.{key}") };
                flatten(&name, value, cell);
            }
        }
        Value::String(text) => cell(name.to_owned(), text),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_)) => cell(name.to_owned(), other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_rows_and_a_broken_line_is_told_alone() {
        let text = "{\"date\":\"2023-03-12\",\"place\":{\"address\":\"Абая 1\"},\"n\":7}\n\n{\"date\":\n{\"n\":null,\"new\":true}\n";
        assert!(is_json(text.as_bytes()) && !is_json(b"date,n\n") && !is_json(b"[date],n\n"));
        let (table, broken) = read(text.as_bytes(), "v.ndjson").unwrap();
        assert_eq!(table.headers(), ["date", "n", "place.address", "new"]);
        let rows: Vec<_> = table.rows().map(|row| (row.number, row.cell(0), row.cell(2), row.cell(3))).collect();
        assert_eq!(rows, [(1, "2023-03-12", "Абая 1", ""), (4, "", "", "true")]);
        assert_eq!(
            broken.iter().map(|fault| (fault.code, fault.row)).collect::<Vec<_>>(),
            [("json_malformed", Some(3))]
        );
    }

    #[test]
    fn an_array_is_its_objects_and_one_that_breaks_off_is_refused_whole() {
        let text = "\u{feff}[\n {\"date\": \"2023-03-12\", \"place\": {\"address\": \"Абая 1\"}},\n 7,\n {\"date\": \"2023-03-13\"}\n]\n";
        let (table, broken) = read(text.as_bytes(), "v.json").unwrap();
        let rows: Vec<_> = table.rows().map(|row| (row.number, row.cell(0), row.cell(1))).collect();
        assert_eq!(rows, [(1, "2023-03-12", "Абая 1"), (3, "2023-03-13", "")]);
        let told: Vec<_> = broken.iter().map(|fault| (fault.row, fault.value.as_deref())).collect();
        assert_eq!(told, [(Some(2), Some("7"))]);
        let cut = read(&text.as_bytes()[..text.len() - 4], "v.json").unwrap_err();
        assert_eq!((cut.code, cut.message.contains("breaks off")), ("json_malformed", true));
        assert_eq!(read(b"[]", "v.json").unwrap().0.len(), 0);
    }
}
