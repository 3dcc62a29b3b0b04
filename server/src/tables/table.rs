//! A table as it was written: a header and rows of text, each with the number under which a spreadsheet shows it.

use std::ops::Range;

use super::header::Header;

/// Rows of one table, at most.
pub const MAX_ROWS: usize = 1_000_000;
/// Columns of one table, at most.
pub const MAX_COLUMNS: usize = 256;

/// A header and rows of cells. The text of all cells is one string, so that a million rows are a few allocations.
#[derive(Debug, Default)]
pub struct Table {
    /// What the columns are called.
    pub header: Header,
    text: String,
    ends: Vec<usize>,
    rows: Vec<RowStart>,
    dates: Vec<usize>,
    /// Cells that a spreadsheet holds as numbers of so many digits that it does not keep all.
    numbers: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
struct RowStart {
    number: u32,
    cell: usize,
}

/// One row of a [`Table`].
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// From 1, as a spreadsheet counts.
    pub number: u32,
    table: &'a Table,
    first: usize,
    end: usize,
}

impl Table {
    /// The rows under the header. None is blank.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let end = |at: usize| self.rows.get(at + 1).map_or(self.ends.len(), |next| next.cell);
        let row = move |(at, start): (usize, &RowStart)| Row {
            number: start.number,
            table: self,
            first: start.cell,
            end: end(at),
        };
        self.rows.iter().enumerate().map(row)
    }

    /// The names of the columns.
    pub fn headers(&self) -> &[String] {
        &self.header.names
    }

    /// Rows under the header.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is nothing under the header.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Takes away the row under the header in which a form numbers its columns.
    pub fn drop_numbers_of_columns(&mut self) {
        const FEWEST: usize = 3;
        let Some(row) = self.rows().next() else { return };
        let written = (0..row.len()).map(|column| row.cell(column).trim()).filter(|cell| !cell.is_empty());
        let written: Vec<&str> = written.collect();
        let counts = |from: usize| written.iter().zip(from..).all(|(cell, number)| *cell == number.to_string());
        if written.len() >= FEWEST && (counts(1) || counts(0)) {
            self.rows.remove(0);
        }
    }

    fn text_of(&self, cell: usize) -> &str {
        let start = cell.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[cell]]
    }
}

impl<'a> Row<'a> {
    /// The text of a cell, by its column from 0; empty where the row ends before.
    pub fn cell(&self, column: usize) -> &'a str {
        if column < self.end - self.first { self.table.text_of(self.first + column) } else { "" }
    }

    /// Whether a spreadsheet holds a date there.
    pub fn is_date(&self, column: usize) -> bool {
        self.table.dates.binary_search(&(self.first + column)).is_ok()
    }

    /// Whether a spreadsheet holds a number there of more digits than it keeps.
    pub fn is_large_number(&self, column: usize) -> bool {
        self.table.numbers.binary_search(&(self.first + column)).is_ok()
    }

    /// How many cells are written.
    pub fn len(&self) -> usize {
        self.end - self.first
    }

    /// Whether no cell is written; [`Table::rows`] has no such row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A table while it is read, row by row.
#[derive(Debug, Default)]
pub struct Builder {
    table: Table,
    begun: usize,
    /// Cells that are merged with those to their right: the row, and the columns.
    across: Vec<(u32, Range<usize>)>,
}

impl Builder {
    /// One more cell of the row at hand.
    pub fn cell(&mut self, text: &str) {
        self.table.text.push_str(text);
        self.table.ends.push(self.table.text.len());
    }

    /// One more cell, of which a spreadsheet says that it is a date.
    pub fn date(&mut self, text: &str) {
        self.table.dates.push(self.table.ends.len());
        self.cell(text);
    }

    /// One more cell, of which a spreadsheet says that it is a number, and a large one.
    pub fn large_number(&mut self, text: &str) {
        self.table.numbers.push(self.table.ends.len());
        self.cell(text);
    }

    /// A cell of a row is merged with those to its right.
    pub fn merged_across(&mut self, number: u32, columns: Range<usize>) {
        self.across.push((number, columns));
    }

    /// Cells of the row at hand.
    pub fn width(&self) -> usize {
        self.table.ends.len() - self.begun
    }

    /// Ends the row at hand. A blank one leaves nothing. `false`: there are more than a table may have.
    pub fn end_row(&mut self, number: u32) -> bool {
        let is_blank = (self.begun..self.table.ends.len()).all(|cell| self.table.text_of(cell).trim().is_empty());
        if is_blank {
            let start = self.begun.checked_sub(1).map_or(0, |before| self.table.ends[before]);
            self.table.text.truncate(start);
            self.table.ends.truncate(self.begun);
            for marked in [&mut self.table.dates, &mut self.table.numbers] {
                let kept = marked.partition_point(|cell| *cell < self.begun);
                marked.truncate(kept);
            }
        } else {
            self.table.rows.push(RowStart { number, cell: self.begun });
        }
        self.begun = self.table.ends.len();
        // One of them is the header.
        self.table.rows.len() <= MAX_ROWS + 1
    }

    /// The table, whose header is the first that `is_header` knows among the first few rows, or else the first row.
    pub fn finish(self, is_header: impl Fn(&Header) -> bool) -> Table {
        let first = || Some((0, Header::of(&self.table.rows().next()?)));
        let header = self.header(is_header).or_else(first);
        self.under(header)
    }

    /// As [`Self::finish`], where `is_header` knows a header.
    pub fn finish_if(self, is_header: impl Fn(&Header) -> bool) -> Option<Table> {
        let header = self.header(is_header)?;
        Some(self.under(Some(header)))
    }

    fn header(&self, is_header: impl Fn(&Header) -> bool) -> Option<(usize, Header)> {
        let rows: Vec<Row<'_>> = self.table.rows().take(HEADER_WITHIN_ROWS + 1).collect();
        let of_two = |at: usize| Header::of_two(&rows[at], rows.get(at + 1)?, &self.merged_in(rows[at].number));
        let all = (0..rows.len().min(HEADER_WITHIN_ROWS)).flat_map(|at| {
            let two = of_two(at);
            // Under a title, or under groups that leave nothing out, the lower row is a header by itself.
            let is_beneath = two.as_ref().is_some_and(Header::is_all_in_groups);
            let candidates = two.into_iter().chain([Header::of(&rows[at])]).filter(move |_| !is_beneath);
            candidates.map(move |header| (at, header))
        });
        all.into_iter().find(|(_, header)| is_header(header))
    }

    fn merged_in(&self, number: u32) -> Vec<Range<usize>> {
        self.across.iter().filter(|(row, _)| *row == number).map(|(_, columns)| columns.clone()).collect()
    }

    fn under(mut self, header: Option<(usize, Header)>) -> Table {
        if let Some((at, header)) = header {
            self.table.rows.drain(..at + header.rows() as usize);
            self.table.header = header;
        }
        self.table
    }
}

/// A header may stand under a title of a few rows.
const HEADER_WITHIN_ROWS: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_their_numbers_and_blank_ones_go() {
        let mut builder = Builder::default();
        for (number, cells) in [(1, &["A title"][..]), (3, &["code", "name"]), (4, &["", " "]), (5, &["b1"])] {
            cells.iter().for_each(|cell| builder.cell(cell));
            assert!(builder.end_row(number));
        }
        let table = builder.finish(|header| header.names[0] == "code");
        assert_eq!(
            (table.headers(), table.header.row, table.len()),
            (&["code".to_owned(), "name".to_owned()][..], 3, 1)
        );
        let row = table.rows().next().unwrap();
        assert_eq!((row.number, row.cell(0), row.cell(1), row.len()), (5, "b1", "", 1));
    }
}
