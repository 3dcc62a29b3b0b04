//! The code lists that come with this build, and their wording in Russian, Kazakh and English.
//!
//! Codes are data: documents carry them as plain text, and a deployment may use codes that are not listed here. So an
//! unknown code is never an error. It is stored, merged and shown as it stands; [`label`] gives it back unchanged.
//! A code is never renamed or given another meaning: a list only grows, and [`VERSION`] counts its growth.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::id::ParseIdError;

/// Rises by one whenever a code or a wording of [`LISTS`] changes.
pub const VERSION: u32 = 1;

/// Every list of this build.
pub const LISTS: &[CodeList] = &[
    CodeList { name: "visit_type", codes: VISIT_TYPE },
    CodeList { name: "outcome", codes: OUTCOME },
    CodeList { name: "place_type", codes: PLACE_TYPE },
    CodeList { name: "concern", codes: CONCERN },
    CodeList { name: "sara_stage", codes: SARA_STAGE },
    CodeList { name: "agency", codes: AGENCY },
    CodeList { name: "referral_status", codes: REFERRAL_STATUS },
    CodeList { name: "status", codes: STATUS },
];

/// The codes that one kind of field normally holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CodeList {
    /// How the data dictionary names the list.
    pub name: &'static str,
    /// In the order in which a form offers them.
    pub codes: &'static [Code],
}

impl CodeList {
    /// The code's entry, when this build lists it.
    pub fn code(&self, code: &str) -> Option<&'static Code> {
        self.codes.iter().find(|entry| entry.code == code)
    }
}

/// One code and its wording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Code {
    /// What documents hold.
    pub code: &'static str,
    /// Russian.
    pub ru: Label,
    /// Kazakh.
    pub kk: Label,
    /// English.
    pub en: Label,
}

impl Code {
    /// The wording in one language.
    pub const fn label(&self, language: Language) -> Label {
        match language {
            Language::Russian => self.ru,
            Language::Kazakh => self.kk,
            Language::English => self.en,
        }
    }
}

/// A wording shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Label {
    /// As it stands on screen, lower case unless a name or an abbreviation.
    pub text: &'static str,
    /// False while a native reader has yet to confirm it: all Kazakh, and whatever the domain's own lists left out.
    pub reviewed: bool,
}

/// A language of the screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Language {
    /// `ru`
    #[serde(rename = "ru")]
    Russian,
    /// `kk`
    #[serde(rename = "kk")]
    Kazakh,
    /// `en`
    #[serde(rename = "en")]
    English,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Russian, Self::Kazakh, Self::English];

    /// The BCP 47 tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Russian => "ru",
            Self::Kazakh => "kk",
            Self::English => "en",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

impl FromStr for Language {
    type Err = ParseIdError;
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        Self::ALL.into_iter().find(|language| language.tag() == text).ok_or(ParseIdError { what: "language" })
    }
}

/// The list of that name.
pub fn list(name: &str) -> Option<&'static CodeList> {
    LISTS.iter().find(|list| list.name == name)
}

/// The wording of a code, or the code itself when this build does not know the list or the code.
pub fn label<'a>(list_name: &str, code: &'a str, language: Language) -> &'a str {
    list(list_name).and_then(|list| list.code(code)).map_or(code, |entry| entry.label(language).text)
}

const VISIT_TYPE: &[Code] = &[
    code("door_to_door", given("поквартирный обход"), "пәтерлерді аралау", given("door-to-door")),
    code("follow_up", given("повторное посещение"), "қайта бару", given("follow-up")),
    code("preventive", given("профилактическая беседа"), "профилактикалық әңгіме", given("preventive talk")),
    code("complaint", given("по жалобе"), "шағым бойынша", given("complaint")),
    code("victim_followup", given("посещение потерпевшего"), "жәбірленушіге бару", given("victim follow-up")),
    code(
        "supervised_check",
        given("проверка подучётного"),
        "есепте тұрған адамды тексеру",
        given("supervised-person check"),
    ),
    code("meeting", given("сход жителей"), "тұрғындар жиналысы", given("residents' meeting")),
];

const OUTCOME: &[Code] = &[
    code("contacted", given("состоялся"), "кездесу өтті", given("contacted")),
    code("nobody_home", given("никого нет дома"), "үйде ешкім жоқ", given("nobody home")),
    code("no_access", given("нет доступа"), "кіру мүмкін болмады", given("no access")),
    code("refused", given("отказ"), "бас тартты", given("refused")),
    code("moved", given("переехал"), "көшіп кеткен", given("moved")),
    code("vacant", given("пустует"), "бос тұр", given("vacant")),
];

const PLACE_TYPE: &[Code] = &[
    code("house", draft("частный дом"), "жеке үй", draft("house")),
    code("apartment", draft("квартира"), "пәтер", draft("apartment")),
    code("dormitory", draft("общежитие"), "жатақхана", draft("dormitory")),
    code("business", draft("предприятие"), "кәсіпорын", draft("business")),
    code("public", draft("общественное место"), "қоғамдық орын", draft("public place")),
    code("other", draft("другое"), "басқа", draft("other")),
];

const CONCERN: &[Code] = &[
    code("noise", given("шум"), "шу", draft("noise")),
    code("domestic_violence", given("бытовое насилие"), "тұрмыстық зорлық-зомбылық", draft("domestic violence")),
    code("theft", given("кража"), "ұрлық", draft("theft")),
    code("fraud", given("мошенничество"), "алаяқтық", draft("fraud")),
    code("alcohol", draft("злоупотребление алкоголем"), "ішімдікке салыну", draft("alcohol")),
    code("drugs", draft("наркотики"), "есірткі", draft("drugs")),
    code("child_at_risk", draft("ребёнок в зоне риска"), "тәуекел тобындағы бала", draft("child at risk")),
    code(
        "elder_at_risk",
        draft("пожилой человек в зоне риска"),
        "тәуекел тобындағы қарт адам",
        draft("elderly person at risk"),
    ),
    code("lighting", given("освещение"), "көше жарығы", draft("lighting")),
    code("waste", draft("мусор"), "қоқыс", draft("waste")),
    code("parking", draft("парковка"), "көлік қою", draft("parking")),
    code(
        "rental_unregistered",
        draft("незарегистрированная аренда"),
        "тіркелмеген жалдау",
        draft("unregistered rental"),
    ),
    code("weapon_storage", draft("хранение оружия"), "қару сақтау", draft("weapon storage")),
    code("animals", draft("животные"), "жануарлар", draft("animals")),
    code(
        "neighbour_dispute",
        draft("спор между соседями"),
        "көршілер арасындағы дау",
        draft("dispute between neighbours"),
    ),
    code("other", draft("другое"), "басқа", draft("other")),
];

const SARA_STAGE: &[Code] = &[
    code("scanning", given("выявление"), "анықтау", draft("scanning")),
    code("analysis", given("анализ"), "талдау", draft("analysis")),
    code("response", given("меры"), "шаралар", draft("response")),
    code("assessment", given("оценка"), "бағалау", draft("assessment")),
    code("closed", draft("закрыто"), "жабылды", draft("closed")),
];

const AGENCY: &[Code] = &[
    code("akimat", given("акимат"), "әкімдік", draft("akimat (local government)")),
    code("social_protection", given("соцзащита"), "әлеуметтік қорғау", draft("social protection")),
    code("health", given("здравоохранение"), "денсаулық сақтау", draft("health care")),
    code("education", given("образование"), "білім беру", draft("education")),
    code("emergency", given("ЧС"), "төтенше жағдайлар", draft("emergency service")),
    code("utilities", draft("коммунальные службы"), "коммуналдық қызметтер", draft("utilities")),
    code("juvenile_police", draft("ювенальная полиция"), "ювеналды полиция", draft("juvenile police")),
    code("crisis_centre", draft("кризисный центр"), "дағдарыс орталығы", draft("crisis centre")),
    code("prosecutor", draft("прокуратура"), "прокуратура", draft("prosecutor's office")),
    code("ngo", draft("НПО"), "ҮЕҰ", draft("NGO")),
];

const REFERRAL_STATUS: &[Code] = &[
    code("sent", draft("отправлено"), "жіберілді", draft("sent")),
    code("accepted", draft("принято"), "қабылданды", draft("accepted")),
    code("in_progress", given("исполняется"), "орындалуда", draft("in progress")),
    code("done", draft("исполнено"), "орындалды", draft("done")),
    code("declined", draft("отклонено"), "қабылданбады", draft("declined")),
    code("not_responsible", draft("не в компетенции"), "құзыретіне кірмейді", draft("not responsible")),
    code("returned", draft("возвращено"), "қайтарылды", draft("returned")),
];

const STATUS: &[Code] = &[
    code("active", draft("действует"), "күшінде", draft("active")),
    code("withdrawn", draft("отозвано"), "кері алынды", draft("withdrawn")),
];

/// Kazakh has no `given`: none of it has been read by a native yet.
const fn code(code: &'static str, ru: Label, kk: &'static str, en: Label) -> Code {
    Code { code, ru, kk: draft(kk), en }
}

/// Wording taken from the domain's own lists.
const fn given(text: &'static str) -> Label {
    Label { text, reviewed: true }
}

/// Wording written for this build.
const fn draft(text: &'static str) -> Label {
    Label { text, reviewed: false }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_code_reads_in_three_languages() {
        assert_eq!(label("outcome", "no_access", Language::Russian), "нет доступа");
        assert_eq!(label("outcome", "no_access", Language::Kazakh), "кіру мүмкін болмады");
        assert_eq!(label("outcome", "no_access", Language::English), "no access");
    }

    #[test]
    fn an_unknown_code_or_list_is_carried_unharmed() {
        assert_eq!(label("outcome", "abducted", Language::Kazakh), "abducted");
        assert_eq!(label("weather", "rain", Language::English), "rain");
        assert_eq!(label("outcome", "", Language::Russian), "");
        assert_eq!(list("weather"), None);
    }

    #[test]
    fn a_language_reads_back_from_its_tag() {
        for language in Language::ALL {
            assert_eq!(language.tag().parse(), Ok(language));
        }
        assert!("RU".parse::<Language>().is_err());
        assert!("".parse::<Language>().is_err());
    }

    #[test]
    fn names_and_codes_are_unique_and_within_the_key_grammar() {
        let mut names = BTreeSet::new();
        for list in LISTS {
            assert!(names.insert(list.name) && is_word(list.name), "{}", list.name);
            let mut codes = BTreeSet::new();
            for entry in list.codes {
                assert!(codes.insert(entry.code) && is_word(entry.code), "{}/{}", list.name, entry.code);
            }
        }
    }

    #[test]
    fn every_wording_is_there_and_all_kazakh_awaits_review() {
        for entry in LISTS.iter().flat_map(|list| list.codes) {
            for language in Language::ALL {
                let text = entry.label(language).text;
                assert!(!text.is_empty() && text.trim() == text, "{} {language}", entry.code);
            }
            assert!(!entry.kk.reviewed, "{}", entry.code);
        }
    }

    #[test]
    fn the_data_dictionary_shows_the_same_lists() {
        let page = include_str!("../../docs/reference/data-dictionary.md");
        assert!(page.contains(&format!("version {VERSION}")));
        for list in LISTS {
            assert!(page.contains(&format!("### {}\n", list.name)), "{}", list.name);
            for entry in list.codes {
                let mark =
                    |label: Label| if label.reviewed { label.text.to_owned() } else { format!("{}*", label.text) };
                let row =
                    format!("| `{}` | {} | {} | {} |", entry.code, mark(entry.ru), mark(entry.kk), mark(entry.en));
                assert!(page.contains(&row), "{row}");
            }
        }
    }

    fn is_word(text: &str) -> bool {
        text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.len() <= 64
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    }
}
