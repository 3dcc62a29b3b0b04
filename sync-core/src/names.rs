//! What the fields of documents are called, in Russian, Kazakh and English. The screens say the same: a test compares these
//! words with theirs (`client-sdk/ui/i18n`). Kazakh wording awaits a native reader's review.

use crate::{
    change::{KeyPath, NOTES},
    visit,
    vocabulary::Language,
};

/// Russian, Kazakh, English.
type Words = [&'static str; 3];

/// What a field is called, whichever document or item it is of; `None` where this build does not know it.
pub fn field(name: &str, language: Language) -> Option<&'static str> {
    find(FIELDS, name, language)
}

/// What one item of a collection is called.
pub fn collection(name: &str, language: Language) -> Option<&'static str> {
    find(COLLECTIONS, name, language)
}

/// What a reader calls the field of a key, `Promise: Due`. One that this build does not know is called by its key.
pub fn key(key: &str, language: Language) -> String {
    let named = |name: &str| field(name, language).map_or_else(|| name.to_owned(), str::to_owned);
    match KeyPath::parse(key) {
        Some(KeyPath::Item { collection: NOTES, field: visit::field::TEXT, .. }) => named("note"),
        Some(KeyPath::Item { collection: of, field, .. }) => {
            format!("{}: {}", collection(of, language).unwrap_or(of), named(field))
        }
        Some(KeyPath::Field(name) | KeyPath::Witness { field: name, .. }) => named(name),
        None => key.to_owned(),
    }
}

/// The list of codes that a field of this name holds.
pub fn list_of(field: &str) -> Option<&'static str> {
    Some(match field {
        "visit_type" => "visit_type",
        "outcome" => "outcome",
        "place_type" => "place_type",
        "category" => "concern",
        "agency" => "agency",
        "referral_status" => "referral_status",
        "sara_stage" => "sara_stage",
        "status" => "status",
        _ => return None,
    })
}

fn find(words: &'static [(&str, Words)], name: &str, language: Language) -> Option<&'static str> {
    let (_, words) = words.iter().find(|(known, _)| *known == name)?;
    Some(words[language as usize])
}

const FIELDS: &[(&str, Words)] = &[
    ("visit_type", ["Вид", "Түрі", "Type"]),
    ("outcome", ["Итог", "Нәтиже", "Outcome"]),
    ("place", ["Место", "Орын", "Place"]),
    ("status", ["Состояние", "Күйі", "Status"]),
    ("planned", ["По плану", "Жоспарлы", "Planned"]),
    ("measures", ["Принятые меры", "Қабылданған шаралар", "Measures taken"]),
    ("form", ["Форма", "Нысан", "Form"]),
    ("form_version", ["Версия формы", "Нысан нұсқасы", "Form version"]),
    ("supersedes", ["Заменяет", "Алмастырады", "Replaces"]),
    ("continues", ["Продолжает", "Жалғастырады", "Continues"]),
    ("started_at", ["Начало", "Басталуы", "Started"]),
    ("ended_at", ["Конец", "Аяқталуы", "Ended"]),
    ("started_at_text", ["Начало, как записано", "Басталуы, жазылғандай", "Started, as written"]),
    ("source_file", ["Импортировано из файла", "Импортталған файл", "File imported from"]),
    ("source_row", ["Строка файла", "Файл жолы", "Row of that file"]),
    ("source_id", ["Журнал и номер в нём", "Журнал және ондағы нөмірі", "Register and id there"]),
    ("lat_e7", ["Широта", "Ендік", "Latitude"]),
    ("lon_e7", ["Долгота", "Бойлық", "Longitude"]),
    ("accuracy_cm", ["Точность", "Дәлдік", "Accuracy"]),
    ("mock", ["Подмена координат", "Координат жалғандығы", "Mock location"]),
    ("note", ["Заметка", "Жазба", "Note"]),
    ("text", ["Текст", "Мәтін", "Text"]),
    ("basis", ["Основание", "Негізі", "Basis"]),
    ("category", ["Категория", "Санаты", "Category"]),
    ("agency", ["Орган", "Орган", "Agency"]),
    ("reason", ["Повод", "Себеп", "Reason"]),
    ("external_number", ["Внешний номер", "Сыртқы нөмір", "External number"]),
    ("due", ["Срок", "Мерзімі", "Due"]),
    ("referral_status", ["Ход исполнения", "Орындалу барысы", "Referral status"]),
    ("to", ["Кому", "Кімге", "To whom"]),
    ("fulfilled_at", ["Исполнено", "Орындалды", "Fulfilled"]),
    ("evidence", ["Подтверждение", "Дәлел", "Evidence"]),
    ("score", ["Оценка", "Баға", "Score"]),
    ("informed_at", ["Заявитель уведомлён", "Өтініш беруші хабардар", "Informed back"]),
    ("address", ["Адрес", "Мекенжай", "Address"]),
    ("external_code", ["Внешний код", "Сыртқы код", "External code"]),
    ("place_type", ["Вид места", "Орын түрі", "Place type"]),
    ("role", ["Роль", "Рөл", "Role"]),
    ("question", ["Вопрос", "Сұрақ", "Question"]),
    ("value", ["Ответ", "Жауап", "Answer"]),
];

const COLLECTIONS: &[(&str, Words)] = &[
    ("notes", ["Заметка", "Жазба", "Note"]),
    ("concerns", ["Беспокойство", "Алаңдаушылық", "Concern"]),
    ("referrals", ["Направление", "Жолдау", "Referral"]),
    ("commitments", ["Обещание", "Уәде", "Commitment"]),
    ("participants", ["Участник", "Қатысушы", "Participant"]),
    ("companions", ["Сопровождающий", "Серік", "Companion"]),
    ("answers", ["Ответ", "Жауап", "Answer"]),
    ("attachments", ["Вложение", "Тіркеме", "Attachment"]),
    ("feedback", ["Отзыв", "Пікір", "Feedback"]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_screens_call_every_field_the_same() {
        for (language, screen) in [
            (Language::Russian, include_str!("../../client-sdk/ui/i18n/ru.json")),
            (Language::Kazakh, include_str!("../../client-sdk/ui/i18n/kk.json")),
            (Language::English, include_str!("../../client-sdk/ui/i18n/en.json")),
        ] {
            let screen: BTreeMap<String, String> = serde_json::from_str(screen).unwrap();
            for (prefix, words) in [("field.", FIELDS), ("collection.", COLLECTIONS)] {
                let said: BTreeMap<_, _> =
                    screen.iter().filter_map(|(key, text)| Some((key.strip_prefix(prefix)?, text.as_str()))).collect();
                let ours: BTreeMap<_, _> =
                    words.iter().map(|(name, words)| (*name, words[language as usize])).collect();
                assert_eq!(ours, said, "{language}");
            }
        }
    }

    #[test]
    fn a_key_is_called_by_what_it_is_of() {
        let id = "0f8fad5b-d9cb-469f-a165-70867728950e";
        let said = |name: &str| key(name, Language::English);
        assert_eq!(said("outcome"), "Outcome");
        assert_eq!(said(&format!("commitments/{id}/due")), "Commitment: Due");
        assert_eq!(said(&format!("notes/{id}/text")), "Note");
        assert_eq!(said("witness/0102030405060708090a0b0c0d0e/started_at"), "Started");
        assert_eq!(said(&format!("gifts/{id}/colour")), "gifts: colour");
        assert_eq!(said("no key/of ours"), "no key/of ours");
    }
}
