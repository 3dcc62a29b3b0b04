//! Objects of JSON, one a line, as a table: each key is a column, and what is nested is named with a dot.

use std::collections::HashMap;

use serde_json::Value;

use crate::tables::{
    fault::{Fault, FaultKind},
    table::{Builder, MAX_COLUMNS, MAX_ROWS, Table},
};

/// Cells of the table that it makes: a few bytes may ask for many.
const MAX_CELLS: usize = 32_000_000;

/// Whether bytes begin as an object of JSON does, which no table begins with.
pub fn is_ndjson(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| *byte == b'{')
}

/// Reads the lines that are objects, and says which are not.
///
/// # Errors
/// More rows or columns than a table may have.
pub fn read(bytes: &[u8], file: &str) -> Result<(Table, Vec<Fault>), Fault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let (mut columns, mut names, mut broken) = (HashMap::new(), Vec::new(), Vec::new());
    let mut rows: Vec<(u32, Vec<(usize, String)>)> = Vec::new();
    for (number, line) in (1_u32..).zip(bytes.split(|byte| *byte == b'\n')) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        if rows.len() >= MAX_ROWS {
            return Err(Fault::new(FaultKind::TooManyRows, file, format!("more than {MAX_ROWS} rows; split the file")));
        }
        let Ok(Value::Object(object)) = serde_json::from_slice(line) else {
            let message = "this line is no object of JSON; mend it, and import the file again";
            let fault = Fault::new(FaultKind::JsonMalformed, file, message).at(number);
            broken.push(fault.holding(&String::from_utf8_lossy(line)));
            continue;
        };
        let mut cells = Vec::with_capacity(object.len());
        flatten("", Value::Object(object), &mut |name, text| {
            let next = columns.len();
            let column = *columns.entry(name.clone()).or_insert_with(|| {
                names.push(name);
                next
            });
            cells.push((column, text));
        });
        if names.len() > MAX_COLUMNS {
            let message = format!("more than {MAX_COLUMNS} different keys");
            return Err(Fault::new(FaultKind::TooManyColumns, file, message).at(number));
        }
        rows.push((number, cells));
    }
    if rows.len().saturating_mul(names.len()) > MAX_CELLS {
        let message = format!("its rows and keys make more than {MAX_CELLS} cells; split the file");
        return Err(Fault::new(FaultKind::TooManyColumns, file, message));
    }
    Ok((table(&names, rows), broken))
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
        assert!(is_ndjson(text.as_bytes()) && !is_ndjson(b"date,n\n"));
        let (table, broken) = read(text.as_bytes(), "v.ndjson").unwrap();
        assert_eq!(table.headers(), ["date", "n", "place.address", "new"]);
        let rows: Vec<_> = table.rows().map(|row| (row.number, row.cell(0), row.cell(2), row.cell(3))).collect();
        assert_eq!(rows, [(1, "2023-03-12", "Абая 1", ""), (4, "", "", "true")]);
        assert_eq!(
            broken.iter().map(|fault| (fault.code, fault.row)).collect::<Vec<_>>(),
            [("json_malformed", Some(3))]
        );
    }
}
