//! The tables that make an organisation, their columns, and what those are called in three languages.

use crate::store::key;

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
            Self::Beats => &[
                Column { name: "code", required: true, synonyms: BEAT_CODES },
                Column { name: "name", required: false, synonyms: BEAT_NAMES },
            ],
            Self::Places => &[
                Column { name: "beat", required: true, synonyms: BEATS },
                Column { name: "address", required: true, synonyms: ADDRESSES },
                Column { name: "external_code", required: false, synonyms: EXTERNAL_CODES },
                Column { name: "place_type", required: false, synonyms: PLACE_TYPES },
                Column { name: "lat", required: false, synonyms: LATITUDES },
                Column { name: "lon", required: false, synonyms: LONGITUDES },
            ],
            Self::Staff => &[
                Column { name: "name", required: true, synonyms: PEOPLE },
                Column { name: "beat", required: true, synonyms: BEATS },
            ],
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
    key(bare).chars().filter(|c| c.is_alphanumeric() || *c == '№').map(|c| if c == 'ё' { 'е' } else { c }).collect()
}

/// Which column of a kind a header is.
fn known_as(kind: Kind, header: &str) -> Option<usize> {
    let header = normal(header);
    let is_called = |column: &Column| {
        normal(column.name) == header || column.synonyms.iter().any(|synonym| normal(synonym) == header)
    };
    if header.is_empty() { None } else { kind.columns().iter().position(is_called) }
}

/// The columns of a table as they are found under its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// For each column of the kind its place in the table.
    pub places: Vec<Option<usize>>,
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
    /// A column that has to be there, and is not.
    Missing(&'static Column),
    /// One column under two headers.
    Twice(&'static Column, [String; 2]),
}

impl Layout {
    /// Finds the columns of a kind.
    pub fn of(kind: Kind, headers: &[String]) -> Result<Self, Vec<LayoutError>> {
        let columns = kind.columns();
        let mut places: Vec<Option<usize>> = vec![None; columns.len()];
        let (mut unknown, mut errors) = (Vec::new(), Vec::new());
        for (place, header) in headers.iter().enumerate() {
            let Some(column) = known_as(kind, header) else {
                unknown.push(place);
                continue;
            };
            match places[column] {
                None => places[column] = Some(place),
                Some(first) => {
                    errors.push(LayoutError::Twice(&columns[column], [headers[first].clone(), header.clone()]));
                }
            }
        }
        if kind == Kind::Beats {
            code_or_name(headers, &mut places, &mut unknown);
        }
        let missing = columns.iter().zip(&places).filter(|(column, place)| column.required && place.is_none());
        errors.extend(missing.map(|(column, _)| LayoutError::Missing(column)));
        if !errors.is_empty() {
            return Err(errors);
        }
        let surplus = unknown.into_iter().map(|place| {
            let free = columns.iter().zip(&places).filter(|(_, place)| place.is_none()).map(|(column, _)| column);
            Surplus { header: headers[place].clone(), place, meant: meant_by(&headers[place], free) }
        });
        Ok(Self { surplus: surplus.collect(), places })
    }

    /// The kinds whose columns these headers are. Staff and beats have both names and beats: whoever has a code of their own
    /// is no person.
    pub fn kind_of(headers: &[String]) -> Option<Kind> {
        let fits = |kind: &Kind| Self::of(*kind, headers).is_ok();
        [Kind::Places, Kind::Staff, Kind::Beats].into_iter().find(fits)
    }
}

fn code_or_name(headers: &[String], places: &mut [Option<usize>], unknown: &mut Vec<usize>) {
    let is_either = |place: &usize| CODE_OR_NAME.iter().any(|word| normal(word) == normal(&headers[*place]));
    if let Some(at) = unknown.iter().position(is_either)
        && let Some(free) = places.iter_mut().find(|place| place.is_none())
    {
        *free = Some(unknown.remove(at));
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

    fn headers(line: &str) -> Vec<String> {
        line.split(';').map(str::to_owned).collect()
    }

    #[test]
    fn headers_are_known_in_three_languages_in_any_order_and_case() {
        for (kind, line, places) in [
            (Kind::Places, "Address;BEAT", vec![Some(1), Some(0), None, None, None, None]),
            (
                Kind::Places,
                "Участок;АДРЕС;Код;Тип;Широта (град.);Долгота",
                vec![Some(0), Some(1), Some(2), Some(3), Some(4), Some(5)],
            ),
            (Kind::Places, "мекен-жай;Учаске;external code", vec![Some(1), Some(0), Some(2), None, None, None]),
            (Kind::Places, "beat;address;External-Code", vec![Some(0), Some(1), Some(2), None, None, None]),
            (Kind::Staff, "Ф.И.О.;№ участка", vec![Some(0), Some(1)]),
            (Kind::Staff, "Аты - жөні;Учаске", vec![Some(0), Some(1)]),
            (Kind::Beats, "Код;Участок", vec![Some(0), Some(1)]),
            (Kind::Beats, "Участок;Название", vec![Some(0), Some(1)]),
            (Kind::Beats, "Участок", vec![Some(0), None]),
        ] {
            assert_eq!(Layout::of(kind, &headers(line)).map(|layout| layout.places), Ok(places), "{line}");
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
