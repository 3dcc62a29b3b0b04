//! A map for a journal that nobody has mapped yet: from its header and rows, for a person to look through.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt::{self, Write as _},
};

use aralau_server::store::{Lookup, Lost, clean, key};

use super::{
    Journal,
    field::{Field, Part},
    map::Words,
    moment::{self, Order},
};
use crate::tables::{cell::says_nothing, column::normal, fault::shortened, header::Header, table::Row};

/// Words of one column that are listed.
const MOST_WORDS: usize = 200;
/// Cells of a column by which it is told what the column holds.
const CELLS_LOOKED_AT: usize = 1_000;

/// A proposed map.
#[derive(Debug)]
pub struct Proposal {
    /// The file, as it may be read after the blanks are filled in.
    pub text: String,
    /// The header of each field's column.
    pub columns: BTreeMap<Field, Vec<String>>,
    /// Columns that are not imported.
    pub surplus: Vec<String>,
    /// Words that a person has to give a meaning.
    pub blanks: usize,
    /// Why the map cannot be used as it is.
    pub missing: Vec<&'static str>,
}

/// Proposes a map. `stem`: the file's name without its ending; `zone`: the deployment's.
pub fn propose(journal: &Journal, stem: &str, zone: &str, lookup: &Lookup) -> Proposal {
    let columns = columns(journal);
    let mut proposing = Proposing { journal, lookup, columns, text: String::new(), blanks: 0, is_order_open: false };
    let written = proposing.write(stem, zone);
    debug_assert_eq!(written, Ok(()), "writing to a string does not fail");
    let Proposing { columns, text, blanks, is_order_open, .. } = proposing;
    let headers = |places: &Vec<usize>| places.iter().map(|place| header(journal, *place)).collect();
    let taken: HashSet<usize> = columns.values().flatten().copied().collect();
    let surplus = (0..journal.table.headers().len()).filter(|place| !taken.contains(place));
    let surplus = surplus.map(|place| header(journal, place)).filter(|header| !header.is_empty()).collect();
    let mut missing = Vec::new();
    if !columns.contains_key(&Field::StartedAt) {
        missing.push("a column of dates: write its header as `started_at`");
    }
    if is_order_open {
        missing.push("whether day or month stands first, which no date tells: write it as `order`");
    }
    let is_somewhere =
        [Field::Address, Field::ExternalCode, Field::Beat].iter().any(|field| columns.contains_key(field));
    if !is_somewhere {
        missing.push("where the visits were: a column of addresses, of codes of places, or of beats");
    }
    Proposal {
        text,
        columns: columns.iter().map(|(field, places)| (*field, headers(places))).collect(),
        surplus,
        blanks,
        missing,
    }
}

fn header(journal: &Journal, place: usize) -> String {
    journal.table.headers()[place].trim().to_owned()
}

/// Which column is which field: by their headers, and dates also by what they hold.
fn columns(journal: &Journal) -> BTreeMap<Field, Vec<usize>> {
    let mut columns: BTreeMap<Field, Vec<usize>> = BTreeMap::new();
    let header = &journal.table.header;
    let is_once = |place: &usize| {
        let name = normal(&header.names[*place]);
        header.names.iter().filter(|header| normal(header) == name).count() == 1
    };
    let once: Vec<usize> = (0..header.names.len()).filter(is_once).collect();
    for place in once.iter().copied() {
        let Some(field) = Field::of(header, place) else { continue };
        let field = match (field, holds(journal, place)) {
            (Field::StartedAt, Holds::Times) => Field::Time,
            (Field::Time, Holds::Dates) => Field::StartedAt,
            (field, _) => field,
        };
        let places = columns.entry(field).or_default();
        if places.is_empty() || field == Field::Note {
            places.push(place);
        }
    }
    if !columns.contains_key(&Field::StartedAt) {
        let free = |place: &&usize| !columns.values().flatten().any(|taken| taken == *place);
        let dates = once.iter().filter(free).find(|place| holds(journal, **place) == Holds::Dates);
        columns.extend(dates.map(|place| (Field::StartedAt, vec![*place])));
    }
    if columns.get(&Field::Id).is_some_and(|places| !names_each_row(journal, places[0])) {
        columns.remove(&Field::Id);
    }
    add_parts(&mut columns, header, &once);
    columns
}

/// Fields that are spread over several columns.
fn add_parts(columns: &mut BTreeMap<Field, Vec<usize>>, header: &Header, once: &[usize]) {
    let taken: HashSet<usize> = columns.values().flatten().copied().collect();
    let free = once.iter().copied().filter(|place| !taken.contains(place));
    let parts: Vec<(usize, Part)> = free.filter_map(|place| Some((place, Part::of(header, place)?))).collect();
    let all: Vec<(usize, Part)> = once.iter().filter_map(|place| Some((*place, Part::of(header, *place)?))).collect();
    let is_there = |part| parts.iter().any(|(_, other)| *other == part);
    let first = |part| parts.iter().find(|(_, other)| *other == part).map(|(place, _)| *place);
    let of_address = parts.iter().filter(|(_, part)| part.field() == Field::Address);
    match columns.get_mut(&Field::Address) {
        // Beside a column of addresses houses and flats are told apart, and what is in its group.
        Some(places) => {
            let group = normal(&header.names[places[0]]);
            let belongs =
                |(place, part): &&(usize, Part)| *part == Part::House || normal(&header.groups[*place]) == group;
            let more = of_address.filter(belongs);
            places.extend(more.map(|(place, _)| *place));
        }
        // A house alone is nowhere.
        None if is_there(Part::Street) || is_there(Part::Locality) && is_there(Part::House) => {
            columns.insert(Field::Address, of_address.map(|(place, _)| *place).collect());
        }
        None => {}
    }
    // A column called "name" is the given one where there is a surname.
    let of_name = all.iter().filter(|(_, part)| part.field() == Field::Inspector).map(|(place, _)| *place);
    let of_name: Vec<usize> = of_name.collect();
    let is_whole = columns.get(&Field::Inspector).is_some_and(|places| !of_name.contains(&places[0]));
    if is_there(Part::Surname) && !is_whole {
        columns.insert(Field::Inspector, of_name);
    }
    if let (Some(latitude), Some(longitude)) = (first(Part::Latitude), first(Part::Longitude)) {
        columns.entry(Field::Position).or_insert_with(|| vec![latitude, longitude]);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Dates,
    Times,
    Other,
}

fn holds(journal: &Journal, place: usize) -> Holds {
    let (mut dates, mut times, mut all) = (0, 0, 0);
    let cells = journal.table.rows().map(|row| (row.cell(place).trim(), row.is_date(place)));
    for (cell, is_date) in cells.filter(|(cell, _)| !cell.is_empty()).take(CELLS_LOOKED_AT) {
        all += 1;
        // A number alone is anything.
        if !is_date && cell.chars().all(|c| c.is_ascii_digit()) {
            continue;
        }
        match moment::read(cell, Order::default()).or_else(|| moment::read(cell, Order::MonthDayYear)) {
            Some(moment) if moment.date.is_some_and(|date| date.to_string().as_str() > "1900-12-31") => dates += 1,
            Some(_) => times += 1,
            None => {}
        }
    }
    // A few cells may be broken.
    match (dates * 10 >= all * 9, times * 10 >= all * 9) {
        (true, _) if all > 0 => Holds::Dates,
        (_, true) if all > 0 => Holds::Times,
        _ => Holds::Other,
    }
}

/// Whether all rows but a few, which may be said twice or be totals, have a name of their own. What begins at 1 again on each
/// page or in each month is none.
fn names_each_row(journal: &Journal, place: usize) -> bool {
    let names = journal.table.rows().map(|row| clean(row.cell(place))).filter(|name| !name.is_empty());
    let different = names.collect::<HashSet<_>>().len();
    different * 20 >= journal.table.len() * 19
}

struct Proposing<'a> {
    journal: &'a Journal,
    lookup: &'a Lookup,
    columns: BTreeMap<Field, Vec<usize>>,
    text: String,
    blanks: usize,
    is_order_open: bool,
}

impl Proposing<'_> {
    fn write(&mut self, stem: &str, zone: &str) -> fmt::Result {
        let file = &self.journal.file;
        writeln!(self.text, "# How `aralau admin import` reads {}.", one_line(file))?;
        writeln!(
            self.text,
            "# It is a proposal, from the names of its columns and {} rows.",
            self.journal.table.len()
        )?;
        writeln!(self.text, "# Look it through: what is written \"\" is for you to fill in.\n")?;
        writeln!(
            self.text,
            "# Visits are known again by this name and their id. Keep it for all files of one journal; another journal, whose ids may"
        )?;
        writeln!(self.text, "# be the same numbers, gets another name.")?;
        writeln!(self.text, "register = {}", quoted(&clean(stem)))?;
        if !self.journal.sheet.is_empty() {
            writeln!(self.text, "sheet = {}", quoted(&self.journal.sheet))?;
        }
        writeln!(
            self.text,
            "# By whose clock a time is that does not say so: a zone, or an offset such as \"+06:00\"."
        )?;
        writeln!(self.text, "time_zone = {}\n", quoted(zone))?;
        self.write_columns()?;
        self.write_dates()?;
        writeln!(self.text, "# What a blank cell, or no column, stands for. \"\": nothing.")?;
        writeln!(self.text, "[defaults]\nbeat = \"\"\ninspector = \"\"\nvisit_type = \"\"\noutcome = \"\"\n")?;
        writeln!(
            self.text,
            "# Rows about a place that the organisation does not have are rejected; \"make\" makes it, by beat and address."
        )?;
        writeln!(self.text, "[places]\nunknown = \"reject\"\n")?;
        writeln!(
            self.text,
            "# Rows of a person whom the directory does not have are rejected; \"make\" lets them join, without any rights."
        )?;
        writeln!(self.text, "[inspectors]\nunknown = \"reject\"\n")?;
        self.write_people()?;
        self.write_beats()?;
        self.write_codes(Field::VisitType, "visit_types", "visit_type", GUESSED_TYPES)?;
        self.write_codes(Field::Outcome, "outcomes", "outcome", GUESSED_OUTCOMES)
    }

    fn write_columns(&mut self) -> fmt::Result {
        writeln!(self.text, "# The header of the column that holds each; without a header, its letter.")?;
        writeln!(self.text, "[columns]")?;
        for field in Field::ALL {
            let headers = self
                .columns
                .get(&field)
                .map(|places| places.iter().map(|place| header(self.journal, *place)).collect::<Vec<_>>());
            match (headers.as_deref(), field) {
                (Some([one]), _) => writeln!(self.text, "{} = {}", field.name(), quoted(one))?,
                (Some(several), _) => {
                    let several: Vec<String> = several.iter().map(|header| quoted(header)).collect();
                    writeln!(self.text, "{} = [{}]", field.name(), several.join(", "))?;
                }
                (None, Field::Id) => {
                    writeln!(
                        self.text,
                        "# id = \"\"  # No column names each row once: a row is known again by all its words."
                    )?;
                }
                (None, Field::StartedAt) => writeln!(self.text, "started_at = \"\"  # No column of dates was found.")?,
                (None, _) => writeln!(self.text, "# {} = \"\"", field.name())?,
            }
        }
        let taken: BTreeSet<usize> = self.columns.values().flatten().copied().collect();
        for place in (0..self.journal.table.headers().len()).filter(|place| !taken.contains(place)) {
            let header = header(self.journal, place);
            if !header.is_empty() {
                writeln!(self.text, "# Not imported: {}", one_line(&quoted(&header)))?;
            }
        }
        writeln!(self.text)
    }

    fn write_dates(&mut self) -> fmt::Result {
        let place = self.columns.get(&Field::StartedAt).and_then(|places| places.first()).copied();
        let cells =
            place.into_iter().flat_map(|place| self.journal.table.rows().map(move |row| row.cell(place).trim()));
        let cells: Vec<&str> = cells.filter(|cell| !cell.is_empty()).collect();
        let count = |order| cells.iter().filter(|cell| moment::shown_order(cell) == Some(order)).count();
        let (day_first, month_first) = (count(Order::DayMonthYear), count(Order::MonthDayYear));
        let is_open = (day_first, month_first) == (0, 0) && cells.iter().any(|cell| moment::leaves_order_open(cell));
        let order = match () {
            () if is_open => "",
            () if month_first > day_first => "month_day_year",
            () => "day_month_year",
        };
        self.is_order_open = is_open;
        let like = cells
            .first()
            .map(|cell| format!(" The first is {}.", one_line(&quoted(&shortened(cell)))))
            .unwrap_or_default();
        let told = match (day_first, month_first) {
            (0, 0) if is_open => "NO date tells whether the day or the month stands first: fill it in",
            (0, 0) => "no date needs it",
            (_, 0) | (0, _) => "the dates tell",
            _ => "MOST dates tell, some contradict: those are rejected",
        };
        writeln!(self.text, "# \"day_month_year\" or \"month_day_year\"; {told}.{like}")?;
        writeln!(self.text, "[dates]\norder = \"{order}\"\n")
    }

    /// The different words of a column, the most frequent first, each with how many rows have it.
    fn words(&self, field: Field) -> Vec<(String, usize)> {
        let Some(places) = self.columns.get(&field) else { return Vec::new() };
        let dates = self.columns.get(&Field::StartedAt).and_then(|places| places.first()).copied();
        let mut words: HashMap<String, (String, usize)> = HashMap::new();
        // Totals and signatures below the visits have no date, and nobody has to say what their words mean.
        let is_name = matches!(field, Field::Beat | Field::Inspector);
        let is_visit = |row: &Row<'_>| dates.is_none_or(|dates| !row.cell(dates).trim().is_empty());
        for row in self.journal.table.rows().filter(is_visit) {
            let cells = places.iter().map(|place| clean(row.cell(*place)));
            let word = cells.filter(|cell| !(is_name && says_nothing(cell))).collect::<Vec<_>>().join(" ");
            if !word.is_empty() {
                words.entry(key(&word)).or_insert_with(|| (word, 0)).1 += 1;
            }
        }
        let mut words: Vec<_> = words.into_values().collect();
        words.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        words
    }

    fn write_people(&mut self) -> fmt::Result {
        let people = self.words(Field::Inspector);
        let is_lost = |name: &str| self.lookup.person(name) == Err(Lost::Unknown);
        let lost: Vec<_> = people.into_iter().filter(|(name, _)| is_lost(name)).collect();
        writeln!(self.text, "# Who is meant by names that the directory does not have: its name of each.")?;
        writeln!(self.text, "[inspectors.names]")?;
        let names = lost.into_iter().map(|(name, rows)| {
            let near = self.lookup.near(&name).join(", ");
            let hint = if near.is_empty() { String::new() } else { format!("; is {near} meant?") };
            (name, String::new(), format!("{rows} rows{hint}"))
        });
        let names = names.collect();
        self.write_words(names)
    }

    fn write_beats(&mut self) -> fmt::Result {
        let lost = self.words(Field::Beat).into_iter().filter(|(word, _)| self.lookup.beat(word).is_err());
        let lost = lost.map(|(word, rows)| (word, String::new(), format!("{rows} rows"))).collect();
        writeln!(self.text, "# Codes of the beats that are meant by words that are no code and no name of a beat.")?;
        writeln!(self.text, "[beats]")?;
        self.write_words(lost)
    }

    fn write_codes(&mut self, field: Field, table: &str, list: &str, guessed: &[(&str, &'static str)]) -> fmt::Result {
        let known = Words::of(list, &BTreeMap::new());
        let codes = self.words(field).into_iter().map(|(word, rows)| match known.code(&word) {
            Some(code) => (word.clone(), code.to_owned(), format!("{rows} rows")),
            None => {
                let guess = guess(guessed, &key(&word));
                let told = if guess.is_empty() { "" } else { "; GUESSED" };
                (word, guess.to_owned(), format!("{rows} rows{told}"))
            }
        });
        let codes = codes.collect();
        writeln!(self.text, "# Codes of the list `{list}` for the journal's words. \"*\" stands for any other word.")?;
        writeln!(self.text, "[{table}]")?;
        self.write_words(codes)
    }

    fn write_words(&mut self, words: Vec<(String, String, String)>) -> fmt::Result {
        let more = words.len().saturating_sub(MOST_WORDS);
        for (word, meaning, told) in words.into_iter().take(MOST_WORDS) {
            self.blanks += usize::from(meaning.is_empty());
            writeln!(self.text, "{} = {}  # {}", quoted(&word), quoted(&meaning), one_line(&told))?;
        }
        if more > 0 {
            writeln!(self.text, "# and {more} more, each in fewer rows; is this column what it is taken for?")?;
        }
        writeln!(self.text)
    }
}

/// Text as TOML writes it, on one line.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => drop(write!(quoted, "\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// What a word may mean; nothing where it denies what it names: of "не проведено" nobody was contacted.
fn guess(guessed: &[(&str, &'static str)], word: &str) -> &'static str {
    const DENYING: [&str; 11] =
        ["не", "без", "нет", "никого", "not", "no", "nobody", "without", "емес", "жоқ", "ешкім"];
    let words = |text: &str| text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect::<Vec<_>>();
    let denies = |text: &str| words(text).iter().any(|word| DENYING.contains(&word.as_str()));
    let found = guessed.iter().find(|(stem, _)| word.contains(stem));
    found.filter(|(stem, _)| denies(stem) || !denies(&word.replacen(stem, " ", 1))).map_or("", |(_, code)| *code)
}

/// Beginnings of words, the more telling first.
const GUESSED_TYPES: &[(&str, &str)] = &[
    ("потерпевш", "victim_followup"),
    ("жәбірлен", "victim_followup"),
    ("victim", "victim_followup"),
    ("подуч", "supervised_check"),
    ("учёт", "supervised_check"),
    ("учет", "supervised_check"),
    ("есепте", "supervised_check"),
    ("supervis", "supervised_check"),
    ("жалоб", "complaint"),
    ("заявлен", "complaint"),
    ("шағым", "complaint"),
    ("compl", "complaint"),
    ("повтор", "follow_up"),
    ("қайта", "follow_up"),
    ("follow", "follow_up"),
    ("re-inspect", "follow_up"),
    ("профилак", "preventive"),
    ("бесед", "preventive"),
    ("prevent", "preventive"),
    ("сход", "meeting"),
    ("собрани", "meeting"),
    ("жиналыс", "meeting"),
    ("meeting", "meeting"),
    ("обход", "door_to_door"),
    ("поквартир", "door_to_door"),
    ("аралау", "door_to_door"),
    ("door", "door_to_door"),
];

const GUESSED_OUTCOMES: &[(&str, &str)] = &[
    ("никого", "nobody_home"),
    ("нет дома", "nobody_home"),
    ("отсутств", "nobody_home"),
    ("не застал", "nobody_home"),
    ("үйде ешкім", "nobody_home"),
    ("үйде жоқ", "nobody_home"),
    ("nobody", "nobody_home"),
    ("not home", "nobody_home"),
    ("no answer", "nobody_home"),
    ("доступ", "no_access"),
    ("домофон", "no_access"),
    ("закрыт", "no_access"),
    ("кіру", "no_access"),
    ("no access", "no_access"),
    ("отказ", "refused"),
    ("бас тарт", "refused"),
    ("refus", "refused"),
    ("переех", "moved"),
    ("выехал", "moved"),
    ("көш", "moved"),
    ("moved", "moved"),
    ("пуст", "vacant"),
    ("нежил", "vacant"),
    ("бос тұр", "vacant"),
    ("vacant", "vacant"),
    ("не состоял", "nobody_home"),
    ("состоял", "contacted"),
    ("провед", "contacted"),
    ("посещ", "contacted"),
    ("контакт", "contacted"),
    ("кездес", "contacted"),
    ("contact", "contacted"),
];
