//! The tables that make an organisation, their columns, and what those are called in three languages.

use crate::store::{key, mixes_alphabets};

use std::{collections::HashMap, sync::LazyLock};

use super::{
    header::Header,
    parts::{GIVEN_NAMES, HOUSES, LOCALITIES, PATRONYMICS, STREETS, SURNAMES},
};

/// A table of an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A beat a row.
    Beats,
    /// A place a row.
    Places,
    /// A person and a beat a row.
    Staff,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Beats, Self::Places, Self::Staff];

    /// As the command line calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Beats => "beats",
            Self::Places => "places",
            Self::Staff => "staff",
        }
    }

    /// What its sheet may be called.
    pub const fn sheet_names(self) -> &'static [&'static str] {
        match self {
            Self::Beats => &["beats", "Участки", "Учаскелер"],
            Self::Places => {
                &["places", "addresses", "Места", "Адреса", "Объекты", "Орындар", "Мекенжайлар", "Нысандар"]
            }
            Self::Staff => &[
                "staff",
                "people",
                "inspectors",
                "Сотрудники",
                "Инспекторы",
                "Участковые",
                "Личный состав",
                "Қызметкерлер",
                "Инспекторлар",
                "Жеке құрам",
            ],
        }
    }

    /// Its columns.
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::Beats => BEATS_COLUMNS,
            Self::Places => PLACES_COLUMNS,
            Self::Staff => STAFF_COLUMNS,
        }
    }

    /// The kind whose sheet is called so.
    pub fn of_sheet(name: &str) -> Option<Self> {
        let name = normal(name);
        Self::ALL.into_iter().find(|kind| kind.sheet_names().iter().any(|known| normal(known) == name))
    }
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// What it is called in the documentation.
    pub name: &'static str,
    /// Whether a table without it is none.
    pub required: bool,
    /// What else it may be called. Case, spaces, underscores, hyphens and dots make no difference.
    pub synonyms: &'static [&'static str],
    /// Whether it holds names in a register, of which no digit may be lost.
    pub is_code: bool,
    /// What columns are called over which it may be spread.
    parts: &'static [&'static [&'static str]],
    /// The part that says something beside a whole one: flats of one house are different places.
    beside: Option<usize>,
    /// What stands between the parts.
    pub between: &'static str,
}

impl Column {
    const fn of(name: &'static str, required: bool, synonyms: &'static [&'static str]) -> Self {
        Self { name, required, synonyms, is_code: false, parts: &[], beside: None, between: "" }
    }

    /// A name in a register.
    const fn code(name: &'static str, required: bool, synonyms: &'static [&'static str]) -> Self {
        Self { is_code: true, ..Self::of(name, required, synonyms) }
    }
}

const BEATS_COLUMNS: &[Column] = &[Column::code("code", true, BEAT_CODES), Column::of("name", false, BEAT_NAMES)];
const PLACES_COLUMNS: &[Column] = &[
    Column::code("beat", true, BEATS),
    Column { parts: ADDRESS_PARTS, beside: Some(HOUSE), between: ", ", ..Column::of("address", true, ADDRESSES) },
    Column::code("external_code", false, EXTERNAL_CODES),
    Column::of("place_type", false, PLACE_TYPES),
    Column::of("lat", false, LATITUDES),
    Column::of("lon", false, LONGITUDES),
];
const STAFF_COLUMNS: &[Column] = &[
    Column { parts: NAME_PARTS, between: " ", ..Column::of("name", true, PEOPLE) },
    Column::code("beat", true, BEATS),
];

const ADDRESS_PARTS: &[&[&str]] = &[STREETS, HOUSES, LOCALITIES];
/// Which of them is the house.
const HOUSE: usize = 1;
const NAME_PARTS: &[&[&str]] = &[SURNAMES, GIVEN_NAMES, PATRONYMICS];

/// Whether parts make a value: the first alone does, and the others together. A house alone is nowhere.
fn are_enough(parts: &[(usize, usize)]) -> bool {
    let has = |wanted| parts.iter().any(|(part, _)| *part == wanted);
    has(0) || has(1) && has(2)
}

/// What the columns of a kind are called, as [`normal`] has it: a workbook may have many headers to look at.
struct Known {
    whole: HashMap<String, usize>,
    /// The column, and which part of it.
    parts: HashMap<String, (usize, usize)>,
}

impl Known {
    fn of(kind: Kind) -> &'static Self {
        static KNOWN: LazyLock<[Known; 3]> = LazyLock::new(|| Kind::ALL.map(Known::read));
        &KNOWN[kind as usize]
    }

    fn read(kind: Kind) -> Self {
        let mut known = Self { whole: HashMap::new(), parts: HashMap::new() };
        for (at, column) in kind.columns().iter().enumerate() {
            known.whole.extend([column.name].iter().chain(column.synonyms).map(|name| (normal(name), at)));
            for (part, names) in column.parts.iter().enumerate() {
                known.parts.extend(names.iter().map(|name| (normal(name), (at, part))));
            }
        }
        known
    }
}

/// What else a column is called that names a beat.
pub const BEATS: &[&str] = &[
    "beat code",
    "Участок",
    "Код участка",
    "Номер участка",
    "№ участка",
    "Учаске",
    "Учаске коды",
    "Учаске нөмірі",
    "Учаске №",
];
/// What else a column of degrees north is called.
pub const LATITUDES: &[&str] = &["latitude", "Широта", "Ендік"];
/// What else a column of degrees east is called.
pub const LONGITUDES: &[&str] = &["longitude", "lng", "long", "Долгота", "Бойлық"];
const BEAT_CODES: &[&str] =
    &["beat", "beat code", "Код", "Код участка", "Номер участка", "№ участка", "Коды", "Учаске коды", "Учаске нөмірі"];
const BEAT_NAMES: &[&str] = &[
    "beat name",
    "title",
    "Название",
    "Наименование",
    "Название участка",
    "Наименование участка",
    "Атауы",
    "Учаске атауы",
];
/// In a table of beats the code, or the name where the code has a column of its own.
const CODE_OR_NAME: [&str; 2] = ["Участок", "Учаске"];
const ADDRESSES: &[&str] = &["Адрес", "Адрес объекта", "Мекенжай", "Мекенжайы", "Нысан мекенжайы"];
const EXTERNAL_CODES: &[&str] = &[
    "code",
    "Код",
    "Внешний код",
    "Код объекта",
    "Код адреса",
    "РКА",
    "Код РКА",
    "Сыртқы код",
    "Коды",
    "Нысан коды",
    "МТК",
];
const PLACE_TYPES: &[&str] =
    &["type", "Тип", "Тип объекта", "Тип места", "Вид объекта", "Түрі", "Орын түрі", "Нысан түрі"];
const PEOPLE: &[&str] = &[
    "full name",
    "inspector",
    "ФИО",
    "Имя",
    "Инспектор",
    "Участковый",
    "Участковый инспектор",
    "Сотрудник",
    "Аты-жөні",
    "ТАӘ",
    "Қызметкер",
    "Учаскелік инспектор",
];

/// What a name is compared by: its letters and digits, without what stands behind it in brackets.
pub fn normal(name: &str) -> String {
    let bare = name.split(['(', '[']).next().filter(|bare| !bare.trim().is_empty()).unwrap_or(name);
    let bare = key(bare);
    let is_cyrillic = mixes_alphabets(&bare);
    let letters = bare.chars().filter(|c| c.is_alphanumeric() || *c == '№');
    letters.map(|c| if is_cyrillic { cyrillic(c) } else { c }).map(|c| if c == 'ё' { 'е' } else { c }).collect()
}

/// The letter that one of the other alphabet is taken for.
const fn cyrillic(c: char) -> char {
    match c {
        'a' => 'а',
        'c' => 'с',
        'e' => 'е',
        'h' => 'н',
        'i' => 'і',
        'k' => 'к',
        'm' => 'м',
        'o' => 'о',
        'p' => 'р',
        't' => 'т',
        'x' => 'х',
        'y' => 'у',
        other => other,
    }
}

/// The columns of a table as they are found under its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// For each column of the kind its places in the table: none, one, or those of its parts.
    pub places: Vec<Vec<usize>>,
    /// Headers that are none of them, each with the column that may have been meant.
    pub surplus: Vec<Surplus>,
}

/// A column that is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surplus {
    /// Its header, as written; empty where it has none.
    pub header: String,
    /// Its place in the table, from 0.
    pub place: usize,
    /// The column that may have been meant.
    pub meant: Option<&'static str>,
}

/// Why headers are not those of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayoutError {
    /// A column that has to be there, and is not; perhaps it is under this header, which is no column's.
    Missing(&'static Column, Option<String>),
    /// One column under two headers.
    Twice(&'static Column, [String; 2]),
}

impl Layout {
    /// Finds the columns of a kind.
    pub fn of(kind: Kind, header: &Header) -> Result<Self, Vec<LayoutError>> {
        Self::without(kind, header, None)
    }

    /// The same of a sheet that is called as its beat is, and so has no column of beats.
    pub fn of_one_beat(kind: Kind, header: &Header) -> Result<Self, Vec<LayoutError>> {
        Self::without(kind, header, Some("beat"))
    }

    fn without(kind: Kind, header: &Header, unneeded: Option<&str>) -> Result<Self, Vec<LayoutError>> {
        let (columns, known, headers) = (kind.columns(), Known::of(kind), &header.names);
        let mut places: Vec<Vec<usize>> = vec![Vec::new(); columns.len()];
        let mut parts: Vec<Vec<(usize, usize)>> = vec![Vec::new(); columns.len()];
        let (mut unknown, mut errors) = (Vec::new(), Vec::new());
        for place in 0..headers.len() {
            let names = [normal(&headers[place]), normal(header.own_name(place))];
            let whole = names.iter().find_map(|name| known.whole.get(name).copied());
            let part = names.iter().find_map(|name| known.parts.get(name).copied());
            if let Some((column, part)) = part {
                parts[column].push((part, place));
            }
            match (whole, part) {
                (Some(column), _) if places[column].is_empty() => places[column].push(place),
                (Some(column), _) => {
                    let twice = [headers[places[column][0]].clone(), headers[place].clone()];
                    errors.push(LayoutError::Twice(&columns[column], twice));
                }
                (None, _) => unknown.push(place),
            }
        }
        for (column, parts) in parts.iter().enumerate() {
            // A whole one that is no part as well stands before parts.
            let is_part = |place: &usize| parts.iter().any(|(_, part)| part == place);
            if !places[column].is_empty() && !places[column].iter().any(is_part) {
                let beside = parts.iter().filter(|(part, _)| Some(*part) == columns[column].beside);
                let beside: Vec<usize> = beside.map(|(_, place)| *place).collect();
                unknown.retain(|place| !beside.contains(place));
                places[column].extend(beside);
            } else if are_enough(parts) && places[column].iter().all(is_part) {
                places[column] = parts.iter().map(|(_, place)| *place).collect();
                unknown.retain(|place| !is_part(place));
            }
        }
        if kind == Kind::Beats {
            code_or_name(headers, &mut places, &mut unknown);
        }
        let is_missing = |(column, places): &(&'static Column, &Vec<usize>)| {
            column.required && places.is_empty() && unneeded != Some(column.name)
        };
        let missing = columns.iter().zip(&places).filter(is_missing);
        errors.extend(missing.map(|(column, _)| {
            let is_meant = |place: &&usize| meant_by(&headers[**place], std::iter::once(column)).is_some();
            LayoutError::Missing(column, unknown.iter().find(is_meant).map(|place| headers[*place].trim().to_owned()))
        }));
        if !errors.is_empty() {
            return Err(errors);
        }
        let surplus = unknown.into_iter().map(|place| {
            let free = columns.iter().zip(&places).filter(|(_, places)| places.is_empty()).map(|(column, _)| column);
            Surplus { header: headers[place].clone(), place, meant: meant_by(&headers[place], free) }
        });
        Ok(Self { surplus: surplus.collect(), places })
    }

    /// The kinds whose columns these headers are. Staff and beats have both names and beats: whoever has a code of their own
    /// is no person. Of one beat: its places or its staff, which are not told beside a column of beats.
    pub fn kind_of(header: &Header) -> Option<Kind> {
        let fits = |kind: &Kind| Self::of(*kind, header).is_ok();
        let whole = [Kind::Places, Kind::Staff].into_iter().find(fits);
        whole.or_else(|| Self::kind_of_one_beat(header)).or_else(|| Some(Kind::Beats).filter(fits))
    }

    /// Whether these are the places or the staff of one beat, which nothing but the sheet's name tells.
    pub fn kind_of_one_beat(header: &Header) -> Option<Kind> {
        let has_none = |kind: Kind| Self::of(kind, header).is_err() && Self::of_one_beat(kind, header).is_ok();
        // A name may be a beat's as well; a surname is not.
        let is_person = |header: &String| {
            let (header, staff) = (normal(header), Known::of(Kind::Staff));
            let is_surname = staff.parts.get(&header).is_some_and(|(_, part)| *part == 0);
            is_surname || staff.whole.contains_key(&header) && !Known::of(Kind::Beats).whole.contains_key(&header)
        };
        match () {
            () if has_none(Kind::Places) => Some(Kind::Places),
            () if has_none(Kind::Staff) && header.names.iter().any(is_person) => Some(Kind::Staff),
            () => None,
        }
    }
}

fn code_or_name(headers: &[String], places: &mut [Vec<usize>], unknown: &mut Vec<usize>) {
    let is_either = |place: &usize| CODE_OR_NAME.iter().any(|word| normal(word) == normal(&headers[*place]));
    if let Some(at) = unknown.iter().position(is_either)
        && let Some(free) = places.iter_mut().find(|places| places.is_empty())
    {
        free.push(unknown.remove(at));
    }
}

/// The column, of those not found yet, whose name is a slip of the hand away.
fn meant_by<'a>(header: &str, free: impl Iterator<Item = &'a Column>) -> Option<&'static str> {
    const SLIPS: usize = 2;
    const MIN_LETTERS: usize = 4;
    let header = normal(header);
    let is_near = |name: &str| {
        let name = normal(name);
        name.chars().count() >= MIN_LETTERS && strsim::osa_distance(&name, &header) <= SLIPS
    };
    let mut near = free.filter(|column| is_near(column.name) || column.synonyms.iter().any(|name| is_near(name)));
    near.next().map(|column| column.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(line: &str) -> Header {
        let names: Vec<String> = line.split(';').map(str::to_owned).collect();
        Header { groups: vec![String::new(); names.len()], names, row: 1 }
    }

    #[test]
    fn headers_are_known_in_three_languages_in_any_order_and_case() {
        for (kind, line, places) in [
            (Kind::Places, "Address;BEAT", "1|0||||"),
            (Kind::Places, "Участок;АДРЕС;Код;Тип;Широта (град.);Долгота", "0|1|2|3|4|5"),
            (Kind::Places, "мекен-жай;Учаске;external code", "1|0|2|||"),
            (Kind::Places, "beat;address;External-Code", "0|1|2|||"),
            (Kind::Places, "Участок;Улица;Дом;Кв.;Код", "0|1,2,3|4|||"),
            (Kind::Places, "Участок;Село;Дом", "0|1,2||||"),
            (Kind::Places, "Участок;Адрес;Кв.", "0|1,2||||"),
            (Kind::Places, "Участок;Город;Адрес", "0|2||||"),
            (Kind::Places, "Участок;\u{410}др\u{435}с", "0|1||||"),
            (Kind::Places, "Участок;\u{41}др\u{65}с", "0|1||||"),
            (Kind::Staff, "Ф.И.О.;№ участка", "0|1"),
            (Kind::Staff, "Аты - жөні;Учаске", "0|1"),
            (Kind::Staff, "Имя;Участок", "0|1"),
            (Kind::Staff, "Участок;Фамилия;Имя;Отчество", "1,2,3|0"),
            (Kind::Staff, "surname;name;beat", "0,1|2"),
            (Kind::Staff, "ФИО;Фамилия;Участок", "0|2"),
            (Kind::Beats, "Код;Участок", "0|1"),
            (Kind::Beats, "Участок;Название", "0|1"),
            (Kind::Beats, "Участок", "0|"),
        ] {
            let of = |places: &Vec<usize>| places.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
            let found = Layout::of(kind, &headers(line)).map(|layout| layout.places.iter().map(of).collect::<Vec<_>>());
            assert_eq!(found.map(|places| places.join("|")), Ok(places.to_owned()), "{line}");
        }
    }

    #[test]
    fn a_misspelt_column_is_named_with_the_one_that_was_meant() {
        let layout = Layout::of(Kind::Places, &headers("beat;address;lattitude;Примечание;")).unwrap();
        let surplus: Vec<_> = layout.surplus.iter().map(|surplus| (&*surplus.header, surplus.meant)).collect();
        assert_eq!(surplus, [("lattitude", Some("lat")), ("Примечание", None), ("", None)]);
    }

    #[test]
    fn a_kind_is_told_by_its_columns() {
        for (line, kind) in [
            ("beat;address;lat", Some(Kind::Places)),
            ("ФИО;Участок", Some(Kind::Staff)),
            ("code;name", Some(Kind::Beats)),
            ("Код;Участок", Some(Kind::Beats)),
            ("colour;size", None),
            ("Код;Адрес;Название", Some(Kind::Places)),
            ("Фамилия;Имя;Код", Some(Kind::Staff)),
            ("Код;ФИО", Some(Kind::Staff)),
        ] {
            assert_eq!(Layout::kind_of(&headers(line)), kind, "{line}");
        }
    }

    #[test]
    fn no_header_is_two_columns_of_one_table() {
        for kind in Kind::ALL {
            let mut seen = std::collections::BTreeMap::new();
            for column in kind.columns() {
                for name in column.synonyms.iter().chain([&column.name]) {
                    let other = seen.insert(normal(name), column.name);
                    assert!(other.is_none_or(|other| other == column.name), "{name}: {other:?} and {}", column.name);
                }
            }
        }
    }
}
