//! What is wrong with a file that was handed in: where, and what to do about it.

use serde::Serialize;

/// Faults told of one by one; beyond, their number.
pub const MOST_FAULTS: usize = 100;
/// Letters of a value that are shown.
const SHOWN_LETTERS: usize = 60;

/// A kind of fault. Its [`code`](Self::code) is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The file cannot be opened or read.
    FileUnreadable,
    /// The file is larger than any table.
    FileTooLarge,
    /// The file is of another format.
    FormatUnknown,
    /// The letters cannot be told from the bytes.
    EncodingUnknown,
    /// A workbook that is damaged, or unpacks to more than any table.
    WorkbookBroken,
    /// No sheet is about what was asked.
    SheetMissing,
    /// A quotation mark that opens is never closed, or in the middle of a cell.
    QuoteUnclosed,
    /// A cell in quotation marks that holds what look like rows.
    QuoteSpansRows,
    /// Neither a header nor rows.
    TableEmpty,
    /// More rows than a table may have.
    TooManyRows,
    /// More columns than a table may have.
    TooManyColumns,
    /// A column that has to be there.
    ColumnMissing,
    /// One column under two headers.
    ColumnTwice,
    /// A row with more cells than the header.
    CellsBeyondHeader,
    /// A cell that has to be filled.
    CellMissing,
    /// Several people where one has to be.
    NamesSeveral,
    /// A cell that is longer than what it becomes may be.
    CellTooLong,
    /// A cell with a letter that no keyboard writes.
    ControlCharacter,
    /// A cell in which letters became question marks.
    LettersLost,
    /// A cell that a spreadsheet could not work out.
    FormulaError,
    /// A code that a spreadsheet took for a number.
    DigitsLost,
    /// A cell that a spreadsheet took for a date.
    CellIsDate,
    /// A cell that is no number.
    NumberMalformed,
    /// Latitude without longitude, or the reverse.
    HalfAPoint,
    /// A point that is nowhere.
    OffGlobe,
    /// Longitude where latitude belongs, and the reverse.
    PointSwapped,
    /// A map that is no GeoJSON of polygons.
    MapMalformed,
    /// An outline that cannot be drawn.
    OutlineMalformed,
    /// A line that is no object of JSON.
    JsonMalformed,
    /// A cell that is no date or time.
    DateMalformed,
    /// Two columns that say two times of day.
    TimesDiffer,
    /// A day that no visit of a journal can have.
    DateImplausible,
    /// A visit that ends before it begins.
    EndBeforeStart,
    /// A word that stands for no code.
    WordUnknown,
    /// Two visits of one name.
    IdTwice,
    /// A sum of other rows.
    TotalRow,
    /// The tables contradict the store, or themselves; the code says how.
    Refused(&'static str),
}

impl FaultKind {
    /// Stable, for scripts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::FileUnreadable => "file_unreadable",
            Self::FileTooLarge => "file_too_large",
            Self::FormatUnknown => "format_unknown",
            Self::EncodingUnknown => "encoding_unknown",
            Self::WorkbookBroken => "workbook_broken",
            Self::SheetMissing => "sheet_missing",
            Self::QuoteUnclosed => "quote_unclosed",
            Self::QuoteSpansRows => "quote_spans_rows",
            Self::TableEmpty => "table_empty",
            Self::TooManyRows => "too_many_rows",
            Self::TooManyColumns => "too_many_columns",
            Self::ColumnMissing => "column_missing",
            Self::ColumnTwice => "column_twice",
            Self::CellsBeyondHeader => "cells_beyond_header",
            Self::CellMissing => "cell_missing",
            Self::NamesSeveral => "names_several",
            Self::CellTooLong => "cell_too_long",
            Self::ControlCharacter => "control_character",
            Self::LettersLost => "letters_lost",
            Self::FormulaError => "formula_error",
            Self::DigitsLost => "digits_lost",
            Self::CellIsDate => "cell_is_date",
            Self::NumberMalformed => "number_malformed",
            Self::HalfAPoint => "half_a_point",
            Self::OffGlobe => "off_globe",
            Self::PointSwapped => "point_swapped",
            Self::MapMalformed => "map_malformed",
            Self::OutlineMalformed => "outline_malformed",
            Self::JsonMalformed => "json_malformed",
            Self::DateMalformed => "date_malformed",
            Self::TimesDiffer => "times_differ",
            Self::DateImplausible => "date_implausible",
            Self::EndBeforeStart => "end_before_start",
            Self::WordUnknown => "word_unknown",
            Self::IdTwice => "id_twice",
            Self::TotalRow => "total_row",
            Self::Refused(code) => code,
        }
    }
}

/// Something that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Stable; see [`FaultKind`].
    pub code: &'static str,
    /// The file, and its sheet where it has any.
    pub file: String,
    /// From 1, as a spreadsheet counts; of a map, its feature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u32>,
    /// The header of the column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What the cell holds, shortened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What of the message programs may want.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Box<Hint>>,
    /// What is wrong, and what to do about it.
    pub message: Box<str>,
}

/// What to look at beside the cell itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Hint {
    /// What may have been meant; see [`RefusalKind::meant`](crate::store::RefusalKind::meant).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meant: Option<String>,
    /// The earlier row of the same table that it contradicts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub see_row: Option<u32>,
}

impl Fault {
    /// Of a whole file.
    pub fn new(kind: FaultKind, file: &str, message: impl Into<String>) -> Self {
        let (code, file, message) = (kind.code(), file.to_owned(), message.into().into_boxed_str());
        Self { code, file, row: None, column: None, value: None, hint: None, message }
    }

    /// In this row.
    #[must_use]
    pub fn at(mut self, row: u32) -> Self {
        self.row = Some(row);
        self
    }

    /// In this column.
    #[must_use]
    pub fn in_column(mut self, column: &str) -> Self {
        self.column = Some(shortened(column));
        self
    }

    /// With this in the cell.
    #[must_use]
    pub fn holding(mut self, value: &str) -> Self {
        self.value = Some(shortened(value));
        self
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        self.row.map_or(Ok(()), |row| write!(f, ", row {row}"))?;
        self.column.as_ref().map_or(Ok(()), |column| write!(f, ", column {column:?}"))?;
        self.value.as_ref().map_or(Ok(()), |value| write!(f, ", {value:?}"))?;
        write!(f, ": {} [{}]", self.message, self.code)
    }
}

/// The first faults, and how many more there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Faults {
    /// In the order of files and rows.
    pub faults: Vec<Fault>,
    /// Those beyond [`MOST_FAULTS`].
    pub more: usize,
}

impl Faults {
    /// One more.
    pub fn push(&mut self, fault: Fault) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault);
        } else {
            self.more += 1;
        }
    }

    /// All together.
    pub fn count(&self) -> usize {
        self.faults.len() + self.more
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }
}

/// The beginning of a value, as far as it is shown.
pub fn shortened(value: &str) -> String {
    let mut letters = value.chars();
    let begin: String = letters.by_ref().take(SHOWN_LETTERS).collect();
    if letters.next().is_some() { begin + "…" } else { begin }
}
