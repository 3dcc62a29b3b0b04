//! What a column of a journal may be, and what it is called in three languages.

use serde::{Deserialize, Serialize};

use super::MAX_HEADER_BYTES;
use crate::tables::{
    column::{BEATS, LATITUDES, LONGITUDES, normal},
    header::Header,
    parts::{GIVEN_NAMES, HOUSES, LOCALITIES, PATRONYMICS, STREETS, SURNAMES},
};

/// What a column says of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// What the visit is called in its register.
    Id,
    /// The day on which it began, perhaps with the time of day.
    StartedAt,
    /// The time of day at which it began, where it has a column of its own.
    Time,
    /// When it ended: a time of day, or with the day.
    EndedAt,
    /// Code or name of the beat.
    Beat,
    /// The place's name in another register.
    ExternalCode,
    /// The place's address, perhaps spread over several columns.
    Address,
    /// What kind of place it is; of places that are made.
    PlaceType,
    /// The name of whoever made the visit.
    Inspector,
    /// Why they called.
    VisitType,
    /// How it ended.
    Outcome,
    /// Where it was made: latitude and longitude, in one column or in two.
    Position,
    /// Words about it.
    Note,
}

impl Field {
    /// All of them, as a map lists them.
    pub const ALL: [Self; 13] = [
        Self::Id,
        Self::StartedAt,
        Self::Time,
        Self::EndedAt,
        Self::Beat,
        Self::ExternalCode,
        Self::Address,
        Self::PlaceType,
        Self::Inspector,
        Self::VisitType,
        Self::Outcome,
        Self::Position,
        Self::Note,
    ];

    /// As a map calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::StartedAt => "started_at",
            Self::Time => "time",
            Self::EndedAt => "ended_at",
            Self::Beat => "beat",
            Self::ExternalCode => "external_code",
            Self::Address => "address",
            Self::PlaceType => "place_type",
            Self::Inspector => "inspector",
            Self::VisitType => "visit_type",
            Self::Outcome => "outcome",
            Self::Position => "position",
            Self::Note => "note",
        }
    }

    /// What else a column of it may be called.
    const fn synonyms(self) -> &'static [&'static str] {
        match self {
            Self::Id => &[
                "visit id",
                "source id",
                "record id",
                "guid",
                "uuid",
                "Код записи",
                "Номер записи",
                "ИД",
                "Рег. номер",
                "Регистрационный номер",
                "Номер обхода",
                "Номер визита",
                "Номер посещения",
                "№ записи",
                "Тіркеу нөмірі",
                "Жазба нөмірі",
            ],
            Self::StartedAt => &[
                "date",
                "visit date",
                "datetime",
                "date time",
                "date and time",
                "timestamp",
                "start",
                "began",
                "started",
                "Дата",
                "Дата и время",
                "Дата/время",
                "Дата посещения",
                "Дата и время посещения",
                "Дата обхода",
                "Дата визита",
                "Дата и время визита",
                "Дата начала",
                "Начало",
                "Күні",
                "Күні мен уақыты",
                "Бару күні",
                "Аралау күні",
                "Басталуы",
            ],
            Self::Time => &[
                "time of day",
                "start time",
                "Время",
                "Время посещения",
                "Время обхода",
                "Время визита",
                "Время начала",
                "Уақыты",
                "Бару уақыты",
                "Басталу уақыты",
            ],
            Self::EndedAt => &[
                "end",
                "end time",
                "ended",
                "finish",
                "Окончание",
                "Время окончания",
                "Дата окончания",
                "Конец",
                "Завершение",
                "Аяқталуы",
                "Аяқталу уақыты",
            ],
            Self::Beat => BEATS,
            Self::ExternalCode => &[
                "code",
                "place code",
                "Код",
                "Внешний код",
                "Код объекта",
                "Код адреса",
                "Код места",
                "РКА",
                "Код РКА",
                "Сыртқы код",
                "Коды",
                "Нысан коды",
                "МТК",
                "bbl",
            ],
            Self::Address => &[
                "place",
                "place address",
                "Адрес",
                "Адрес объекта",
                "Адрес посещения",
                "Место",
                "Мекенжай",
                "Мекенжайы",
                "Нысан мекенжайы",
                "Орын",
            ],
            Self::PlaceType => &["Тип объекта", "Тип места", "Вид объекта", "Орын түрі", "Нысан түрі", "occupancy"],
            Self::Inspector => &[
                "author",
                "officer",
                "name",
                "full name",
                "team",
                "ФИО",
                "ФИО инспектора",
                "ФИО участкового",
                "ФИО сотрудника",
                "Инспектор",
                "Участковый",
                "Участковый инспектор",
                "УИП",
                "Сотрудник",
                "Кто посетил",
                "Исполнитель",
                "Аты-жөні",
                "ТАӘ",
                "Қызметкер",
                "Учаскелік инспектор",
            ],
            Self::VisitType => &[
                "type",
                "visit type",
                "reason",
                "purpose",
                "Тип",
                "Тип визита",
                "Тип посещения",
                "Вид посещения",
                "Вид визита",
                "Цель",
                "Цель посещения",
                "Цель визита",
                "Причина",
                "Основание",
                "Түрі",
                "Бару түрі",
                "Мақсаты",
                "Бару мақсаты",
                "Себебі",
            ],
            Self::Outcome => &[
                "result",
                "status of visit",
                "Результат",
                "Результат посещения",
                "Результат визита",
                "Результат обхода",
                "Итог",
                "Исход",
                "Нәтиже",
                "Нәтижесі",
                "Бару нәтижесі",
            ],
            Self::Position => &[
                "coordinates",
                "gps",
                "lat lon",
                "latitude longitude",
                "Координаты",
                "Координаты места",
                "Координаты посещения",
                "GPS координаты",
                "Широта долгота",
                "Геопозиция",
                "Геометка",
                "Координаттар",
                "Координаттары",
                "Ендік бойлық",
            ],
            Self::Note => &[
                "notes",
                "comment",
                "comments",
                "remark",
                "remarks",
                "text",
                "Примечание",
                "Примечания",
                "Комментарий",
                "Заметка",
                "Заметки",
                "Описание",
                "Содержание",
                "Меры",
                "Принятые меры",
                "Ескерту",
                "Ескертпе",
                "Жазба",
                "Түсініктеме",
            ],
        }
    }

    /// Which field a column is: by all that stands over it, or within a group by its own name.
    pub fn of(header: &Header, column: usize) -> Option<Self> {
        Self::called(&header.names[column]).or_else(|| Self::called(header.own_name(column)))
    }

    /// Which field a header is.
    pub fn called(header: &str) -> Option<Self> {
        if header.len() > MAX_HEADER_BYTES {
            return None;
        }
        let header = normal(header);
        let is_called = |field: &Self| {
            normal(field.name()) == header || field.synonyms().iter().any(|synonym| normal(synonym) == header)
        };
        if header.is_empty() { None } else { Self::ALL.into_iter().find(is_called) }
    }
}

/// A column that is a field together with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Of an address: city, village.
    Locality,
    /// Of an address: street, or what stands for one.
    Street,
    /// Of an address: house, flat.
    House,
    /// Of an inspector's name.
    Surname,
    /// Of an inspector's name.
    GivenName,
    /// Of an inspector's name.
    Patronymic,
    /// Of a position.
    Latitude,
    /// Of a position.
    Longitude,
}

impl Part {
    const ALL: [Self; 8] = [
        Self::Locality,
        Self::Street,
        Self::House,
        Self::Surname,
        Self::GivenName,
        Self::Patronymic,
        Self::Latitude,
        Self::Longitude,
    ];

    const fn synonyms(self) -> &'static [&'static str] {
        match self {
            Self::Locality => LOCALITIES,
            Self::Street => STREETS,
            Self::House => HOUSES,
            Self::Surname => SURNAMES,
            Self::GivenName => GIVEN_NAMES,
            Self::Patronymic => PATRONYMICS,
            Self::Latitude => LATITUDES,
            Self::Longitude => LONGITUDES,
        }
    }

    /// The field that it is part of.
    pub const fn field(self) -> Field {
        match self {
            Self::Locality | Self::Street | Self::House => Field::Address,
            Self::Surname | Self::GivenName | Self::Patronymic => Field::Inspector,
            Self::Latitude | Self::Longitude => Field::Position,
        }
    }

    /// Which part a column is; of a key of JSON that is nested, by its last name as well.
    pub fn of(header: &Header, column: usize) -> Option<Self> {
        let name = header.names[column].as_str();
        let nested = || name.rsplit_once('.').map(|(_, last)| last).filter(|_| name.is_ascii());
        let known = Self::called(name).or_else(|| Self::called(header.own_name(column)));
        known.or_else(|| Self::called(nested()?))
    }

    fn called(header: &str) -> Option<Self> {
        if header.len() > MAX_HEADER_BYTES {
            return None;
        }
        let header = normal(header);
        // What a load calls the columns of a point.
        let is_short = |part: &Self| match part {
            Self::Latitude => header == "lat",
            Self::Longitude => header == "lon",
            Self::Locality | Self::Street | Self::House | Self::Surname | Self::GivenName | Self::Patronymic => false,
        };
        let is_called = |part: &Self| is_short(part) || part.synonyms().iter().any(|synonym| normal(synonym) == header);
        if header.is_empty() { None } else { Self::ALL.into_iter().find(is_called) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_known_in_three_languages_and_no_phone_number_is_taken() {
        for (header, field) in [
            ("Дата и время", Some(Field::StartedAt)),
            ("ДАТА ПОСЕЩЕНИЯ", Some(Field::StartedAt)),
            ("Время", Some(Field::Time)),
            ("Бару нәтижесі", Some(Field::Outcome)),
            ("Ф.И.О. инспектора", Some(Field::Inspector)),
            ("started_at", Some(Field::StartedAt)),
            ("Телефон", None),
            ("№ п/п", None),
            ("", None),
        ] {
            assert_eq!(Field::called(header), field, "{header}");
        }
    }

    #[test]
    fn no_header_is_two_fields() {
        let mut seen = std::collections::BTreeMap::new();
        let fields = Field::ALL.into_iter().map(|field| (format!("{field:?}"), field.synonyms(), field.name()));
        let parts = Part::ALL.into_iter().map(|part| (format!("{part:?}"), part.synonyms(), ""));
        for (field, synonyms, own) in fields.chain(parts) {
            for name in synonyms.iter().chain([&own]).filter(|name| !name.is_empty()) {
                let other = seen.insert(normal(name), field.clone());
                // "name" is a whole one, unless a surname stands beside it.
                let is_given_name = field == "GivenName" && other.as_deref() == Some("Inspector");
                let is_one = other.as_ref().is_none_or(|other| *other == field);
                assert!(is_one || is_given_name, "{name}: {other:?} and {field:?}");
            }
        }
    }
}
