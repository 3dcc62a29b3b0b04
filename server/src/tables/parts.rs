//! What the columns are called over which one value may be spread: an address, a name.

/// Of an address: city, village.
pub const LOCALITIES: &[&str] = &[
    "city",
    "town",
    "village",
    "settlement",
    "Город",
    "Село",
    "Посёлок",
    "Населённый пункт",
    "Нас. пункт",
    "Қала",
    "Ауыл",
    "Елді мекен",
];
/// Of an address: street, or what stands for one.
pub const STREETS: &[&str] = &[
    "street",
    "street name",
    "Улица",
    "Ул.",
    "Название улицы",
    "Наименование улицы",
    "Микрорайон",
    "Мкр.",
    "Мкрн",
    "Улица/мкр",
    "Улица, микрорайон",
    "Көше",
    "Көшесі",
    "Көше атауы",
    "Шағын аудан",
    "Ықшам аудан",
    "Мөлтек аудан",
];
/// Of an address: house, flat.
pub const HOUSES: &[&str] = &[
    "house",
    "house no",
    "house number",
    "building",
    "block",
    "flat",
    "flat no",
    "apartment",
    "apartment no",
    "apt",
    "unit",
    "Дом",
    "Д.",
    "№ дома",
    "Дом №",
    "Номер дома",
    "Корпус",
    "Корп.",
    "Строение",
    "Квартира",
    "Кв.",
    "№ кв.",
    "Кв. №",
    "№ квартиры",
    "Квартира №",
    "Номер квартиры",
    "Үй",
    "Үйі",
    "Үй №",
    "№ үй",
    "Үй нөмірі",
    "Корпусы",
    "Пәтер",
    "Пәтері",
    "Пәтер №",
    "№ пәтер",
    "Пәтер нөмірі",
];
/// Of a person's name.
pub const SURNAMES: &[&str] = &["surname", "last name", "family name", "Фамилия", "Тегі"];
/// Of a person's name.
pub const GIVEN_NAMES: &[&str] = &["name", "given name", "first name", "Имя", "Аты"];
/// Of a person's name.
pub const PATRONYMICS: &[&str] = &["patronymic", "middle name", "Отчество", "Әкесінің аты"];
