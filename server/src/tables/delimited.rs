//! Text whose cells are parted by commas, semicolons or tabs.
//!
//! The format of RFC 4180, read strictly where leniency would lose rows: a quotation mark that is never closed makes one
//! cell of all that follows, and the usual readers say nothing.

use super::{
    fault::{Fault, FaultKind},
    header::Header,
    table::{Builder, MAX_COLUMNS, MAX_ROWS, Table},
};

/// Reads a table. `file` is named in faults.
pub fn read(text: &str, file: &str, is_header: impl Fn(&Header) -> bool) -> Result<Table, Fault> {
    let (text, told) = told_delimiter(text);
    let delimiter = told.or_else(|| delimiter_of_header(text, &is_header)).unwrap_or_else(|| likely_delimiter(text));
    let mut reader = Reader::of(text, delimiter, file);
    reader.read()?;
    Ok(reader.builder.finish(is_header))
}

/// Excel's own first line `sep=;`, which it does not show.
fn told_delimiter(text: &str) -> (&str, Option<char>) {
    let told = text.strip_prefix("sep=").and_then(|rest| {
        let delimiter = rest.chars().next().filter(|c| DELIMITERS.contains(c))?;
        let rest = &rest[delimiter.len_utf8()..];
        let rest = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n')).or_else(|| rest.strip_prefix('\r'))?;
        Some((rest, Some(delimiter)))
    });
    told.unwrap_or((text, None))
}

/// The order in which they are looked for: prose has commas, and hardly the others.
const DELIMITERS: [char; 3] = ['\t', ';', ','];

/// What parts the cells of a header that is known, which may stand under a title.
fn delimiter_of_header(text: &str, is_header: impl Fn(&Header) -> bool) -> Option<char> {
    let head = text.match_indices(['\n', '\r']).nth(HEAD_LINES).map_or(text, |(end, _)| &text[..end]);
    DELIMITERS.into_iter().find(|delimiter| {
        let mut reader = Reader::of(head, *delimiter, "");
        // What comes before a fault counts; the head may end within a cell.
        drop(reader.read());
        reader.builder.finish_if(&is_header).is_some()
    })
}

/// Lines among which a header is looked for.
const HEAD_LINES: usize = 40;

/// What parts the cells of the first line that is not blank.
fn likely_delimiter(text: &str) -> char {
    let line = text.split(['\n', '\r']).find(|line| !line.trim().is_empty()).unwrap_or_default();
    let mut quoted = false;
    let bare: Vec<char> = line
        .chars()
        .filter(|c| {
            quoted ^= *c == '"';
            !quoted
        })
        .collect();
    DELIMITERS.into_iter().find(|delimiter| bare.contains(delimiter)).unwrap_or(',')
}

struct Reader<'a> {
    rest: &'a str,
    delimiter: char,
    file: &'a str,
    /// The row at hand, as a spreadsheet counts: a cell with line breaks does not make another.
    row: u32,
    /// Cells of the widest row so far that has no line break in it.
    columns: usize,
    builder: Builder,
}

impl<'a> Reader<'a> {
    fn of(text: &'a str, delimiter: char, file: &'a str) -> Self {
        Self { rest: text, delimiter, file, row: 1, columns: 0, builder: Builder::default() }
    }

    fn read(&mut self) -> Result<(), Fault> {
        while !self.rest.is_empty() {
            self.read_row()?;
            if !self.builder.end_row(self.row) {
                let message = format!("more than {MAX_ROWS} rows; split the file");
                return Err(Fault::new(FaultKind::TooManyRows, self.file, message));
            }
            self.row += 1;
        }
        Ok(())
    }

    fn read_row(&mut self) -> Result<(), Fault> {
        loop {
            if self.builder.width() == MAX_COLUMNS {
                let message = format!("more than {MAX_COLUMNS} columns");
                return Err(Fault::new(FaultKind::TooManyColumns, self.file, message).at(self.row));
            }
            match self.rest.trim_start_matches(' ').strip_prefix('"') {
                Some(quoted) => self.read_quoted(quoted)?,
                None => {
                    let end = self.rest.find([self.delimiter, '\n', '\r']).unwrap_or(self.rest.len());
                    let cell = &self.rest[..end];
                    self.rest = &self.rest[end..];
                    self.builder.cell(cell);
                }
            }
            if let Some(rest) = self.rest.strip_prefix(self.delimiter) {
                self.rest = rest;
                continue;
            }
            self.columns = self.columns.max(self.builder.width());
            let ended = ["\r\n", "\n", "\r"].iter().find_map(|end| self.rest.strip_prefix(end));
            self.rest = ended.unwrap_or(self.rest);
            return Ok(());
        }
    }

    /// A cell behind its opening quotation mark; two of them inside stand for one.
    fn read_quoted(&mut self, quoted: &'a str) -> Result<(), Fault> {
        let opened = &quoted[..quoted.find(['\n', '\r']).unwrap_or(quoted.len())];
        let fault = |message: &str| {
            Fault::new(FaultKind::QuoteUnclosed, self.file, message).at(self.row).holding(&format!("\"{opened}"))
        };
        let mut cell = String::new();
        let mut rest = quoted;
        loop {
            let Some(mark) = rest.find('"') else {
                return Err(fault("the quotation mark that opens here is never closed; close it, or take it away"));
            };
            cell.push_str(&rest[..mark]);
            rest = &rest[mark + 1..];
            let Some(more) = rest.strip_prefix('"') else { break };
            cell.push('"');
            rest = more;
        }
        rest = rest.trim_start_matches(' ');
        if !(rest.is_empty() || rest.starts_with([self.delimiter, '\n', '\r'])) {
            return Err(fault(
                "the quotation mark that opens here closes in the middle of a cell; close it at the cell's end, and write \
                 each one inside twice",
            ));
        }
        if self.holds_rows(&cell) {
            let message = "the quotation mark that opens here closes some lines below, which look like rows of their own; \
                           close it in its row, or write the cell in one line";
            return Err(Fault::new(FaultKind::QuoteSpansRows, self.file, message)
                .at(self.row)
                .holding(&format!("\"{opened}")));
        }
        self.rest = rest;
        self.builder.cell(&cell);
        Ok(())
    }

    /// Whether each line of a cell below its first has as many delimiters as a row.
    fn holds_rows(&self, cell: &str) -> bool {
        let mut below = cell.split('\n').skip(1).filter(|line| !line.trim().is_empty()).peekable();
        let looks_like_one = |line: &str| line.matches(self.delimiter).count() + 1 >= self.columns;
        self.columns > 1 && below.peek().is_some() && below.all(looks_like_one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::table::Row;

    fn rows(text: &str) -> Result<Vec<(u32, Vec<String>)>, Fault> {
        let table = read(text, "t.csv", |_| false)?;
        let cells = |row: Row<'_>| (0..row.len()).map(|column| row.cell(column).to_owned()).collect();
        Ok(std::iter::once((table.header.row, table.header.names.clone()))
            .chain(table.rows().map(|row| (row.number, cells(row))))
            .collect())
    }

    fn texts(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn each_delimiter_and_each_line_end_is_told() {
        for delimiter in [",", ";", "\t"] {
            for end in ["\n", "\r\n", "\r"] {
                let text =
                    format!("{end}beat{delimiter}address{end}{end}b1{delimiter}\"Abay {delimiter} 1 \"\"A\"\"\"{end}");
                let address = format!("Abay {delimiter} 1 \"A\"");
                assert_eq!(
                    rows(&text),
                    Ok(vec![(2, texts(&["beat", "address"])), (4, texts(&["b1", &address]))]),
                    "{text:?}"
                );
            }
        }
        assert_eq!(rows("sep=,\na;b,c\n").unwrap(), [(1, texts(&["a;b", "c"]))]);
        assert_eq!(rows("\"a,b\";c").unwrap(), [(1, texts(&["a,b", "c"]))]);
        assert_eq!(rows("code;name, in full\n").unwrap(), [(1, texts(&["code", "name, in full"]))]);
        assert_eq!(rows("b1, \"Abay, 1\" ,c\n").unwrap(), [(1, texts(&["b1", "Abay, 1", "c"]))]);
    }

    #[test]
    fn a_quotation_mark_that_swallows_rows_is_named_by_the_row_where_it_opens() {
        for (text, code) in [
            ("beat,address\nb1,Abay 1\nb1,\"Abay 2\nb1,Abay 3\n", "quote_unclosed"),
            ("beat,address\nb1,Abay 1\nb1,\"Abay 2\nb1,\"Abay 3\"\nb1,Abay 4\n", "quote_unclosed"),
            ("beat,address\nb1,Abay 1\nb1,\"Abay\" 2\n", "quote_unclosed"),
            ("beat,address\nb1,Abay 1\nb1,\"Abay 2\nb1,Abay 3\nb1,Abay 4\"\n", "quote_spans_rows"),
        ] {
            let fault = rows(text).unwrap_err();
            assert_eq!((fault.code, fault.row), (code, Some(3)), "{text}");
        }
    }

    #[test]
    fn a_cell_with_a_line_break_is_one_row() {
        let read = rows("beat;address\nb1;\"Abay 1\nflat 2\"\nb1;Abay 3").unwrap();
        assert_eq!(read[1..], [(2, texts(&["b1", "Abay 1\nflat 2"])), (3, texts(&["b1", "Abay 3"]))]);
    }

    #[test]
    fn a_header_under_a_title_tells_the_delimiter() {
        let text = "Addresses, all of them\n\nbeat;address\nb1;Abay, 1\n";
        let table = read(text, "t.csv", |header| header.names[0] == "beat").unwrap();
        assert_eq!((table.headers().len(), table.header.row, table.rows().next().unwrap().cell(1)), (2, 3, "Abay, 1"));
    }

    #[test]
    fn a_million_columns_are_refused() {
        assert_eq!(rows(&",".repeat(1_000_000)).unwrap_err().code, "too_many_columns");
    }
}
