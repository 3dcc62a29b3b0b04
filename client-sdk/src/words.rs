//! What a state or a reason is called on screen. Kazakh wording awaits a native reader's review, like all of ours.

use aralau_sync_core::vocabulary::Language;

/// Russian, Kazakh, English.
type Words = [&'static str; 3];

fn pick(words: Words, language: Language) -> &'static str {
    let [ru, kk, en] = words;
    match language {
        Language::Russian => ru,
        Language::Kazakh => kk,
        Language::English => en,
    }
}

/// What the state of this [`code`](crate::VisitState::code) is called.
pub fn state(code: &str, language: Language) -> &'static str {
    let words = match code {
        "on_this_phone" => ["на этом телефоне", "осы телефонда", "on this phone"],
        "received" => ["получено", "қабылданды", "received"],
        "at_headquarters" => ["в штабе", "штабта", "at headquarters"],
        _ => ["задержано", "кідіртілді", "held"],
    };
    pick(words, language)
}

/// Why words are held. An unknown code has a general sentence.
pub fn reason(code: &str, language: Language) -> &'static str {
    let words = match code {
        "waiting" => [
            "Ждёт записи, на которую опирается: её пришлёт другое устройство.",
            "Негізге алынған жазбаны күтуде: оны басқа құрылғы жібереді.",
            "It waits for words that it builds on and that another device has yet to send.",
        ],
        "because" => [
            "Опирается на задержанную запись и ждёт решения о ней.",
            "Кідіртілген жазбаға негізделген, сол туралы шешімді күтуде.",
            "It builds on words that are held, and follows what is decided about them.",
        ],
        "not_granted" => [
            "Вам не назначен этот участок. Решит руководитель.",
            "Бұл учаске сізге бекітілмеген. Басшы шешеді.",
            "You were not assigned to this beat. A supervisor decides.",
        ],
        "after_grant" => [
            "Назначение на участок закончилось слишком давно. Решит руководитель.",
            "Учаскеге бекіту мерзімі тым ертерек аяқталған. Басшы шешеді.",
            "Your assignment to this beat ended too long ago. A supervisor decides.",
        ],
        "revoked" => [
            "Устройство отключено до получения этой записи. Решит руководитель.",
            "Жазба қабылданғанға дейін құрылғы ажыратылған. Басшы шешеді.",
            "The device was shut out before this arrived. A supervisor decides.",
        ],
        "rejected" => [
            "Отклонено руководителем. Запись осталась на этом телефоне.",
            "Басшы қабылдамады. Жазба осы телефонда қалды.",
            "A supervisor rejected it. The words stay on this phone.",
        ],
        "document_full" => [
            "Запись о посещении заполнена. Сообщите администратору.",
            "Бару туралы жазба толды. Әкімшіге хабарлаңыз.",
            "The visit's record is full. Tell the administrator.",
        ],
        "equivocation" | "duplicate_change" => {
            ["Та же запись уже есть в штабе.", "Дәл осы жазба штабта бар.", "Headquarters has these words already."]
        }
        _ => [
            "Штаб не смог принять запись. Она цела; сообщите администратору код.",
            "Штаб жазбаны қабылдай алмады. Ол сақталған; кодты әкімшіге хабарлаңыз.",
            "Headquarters could not accept it. The words are safe; tell the administrator the code.",
        ],
    };
    pick(words, language)
}
