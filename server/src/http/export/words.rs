//! What stands in a file for its reader and is neither a code nor the name of a field: headings, names of sheets, a few values.
//! Kazakh wording awaits a native reader's review, like all of ours.

use aralau_sync_core::vocabulary::Language;

/// Russian, Kazakh, English.
pub(super) type Words = [&'static str; 3];

/// The words in one language.
pub(super) const fn said(words: Words, language: Language) -> &'static str {
    let [ru, kk, en] = words;
    match language {
        Language::Russian => ru,
        Language::Kazakh => kk,
        Language::English => en,
    }
}

pub(super) const VISITS: Words = ["Посещения", "Барулар", "Visits"];
pub(super) const NOTES: Words = ["Заметки", "Жазбалар", "Notes"];
pub(super) const CONCERNS: Words = ["Что беспокоит", "Алаңдататын мәселелер", "Concerns"];
pub(super) const COMMITMENTS: Words = ["Обещания", "Уәделер", "Commitments"];
pub(super) const REFERRALS: Words = ["Направления в органы", "Органдарға жолдаулар", "Referrals"];
pub(super) const CONFLICTS: Words = ["Расхождения", "Қайшылықтар", "Conflicts"];
pub(super) const CHANGES: Words = ["История изменений", "Өзгерістер тарихы", "History of changes"];
pub(super) const PLACES: Words = ["Места", "Орындар", "Places"];
pub(super) const DEVICES: Words = ["Устройства", "Құрылғылар", "Devices"];
pub(super) const BY_BEAT: Words = ["По участкам", "Учаскелер бойынша", "By beat"];
pub(super) const OVER_TIME: Words = ["По времени", "Уақыт бойынша", "Over time"];
pub(super) const AS_OF: Words = ["На когда", "Қай кездегі", "As of"];

pub(super) const BEAT: Words = ["Участок", "Учаске", "Beat"];
pub(super) const BEATS: Words = ["Участки", "Учаскелер", "Beats"];
pub(super) const INSPECTOR: Words = ["Инспектор", "Инспектор", "Inspector"];
pub(super) const STATE: Words = ["Состояние", "Күйі", "State"];
pub(super) const PHONE_CLOCK: Words = ["Часы телефона", "Телефон сағаты", "Phone clock"];
pub(super) const CORRECTED: Words = ["Поправленное время", "Түзетілген уақыт", "Corrected time"];
pub(super) const RECEIVED: Words = ["Получено сервером", "Сервер қабылдады", "Received by the server"];
pub(super) const LATE: Words = ["Поздняя запись", "Кеш жазба", "Late entry"];
pub(super) const MARKS: Words = ["Пометки", "Белгілер", "Marks"];
pub(super) const CONFLICT_COUNT: Words = ["Расхождений", "Қайшылық саны", "Conflicts"];
pub(super) const NOTE_COUNT: Words = ["Заметок", "Жазба саны", "Notes"];
pub(super) const NOTE_WORDS: Words = ["Текст заметок", "Жазбалар мәтіні", "Words of the notes"];
pub(super) const ACCURACY_M: Words = ["Точность, м", "Дәлдік, м", "Accuracy, m"];
pub(super) const WRITTEN_BY: Words = ["Кто записал", "Кім жазды", "Written by"];
pub(super) const WRITTEN_AT: Words = ["Когда записано", "Қашан жазылды", "Written at"];
pub(super) const FIELD: Words = ["Поле", "Өріс", "Field"];
pub(super) const VALUE: Words = ["Значение", "Мәні", "Value"];
pub(super) const IS_SHOWN: Words = ["Пока показано это", "Әзірге осы көрсетілген", "Shown meanwhile"];
pub(super) const ALSO_BY: Words = ["Так же записали", "Осылай жазғандар", "Also written by"];
pub(super) const VISIT_BEGAN: Words = ["Начало посещения", "Барудың басталуы", "Visit started"];
pub(super) const LAST_VISIT: Words = ["Последнее посещение", "Соңғы бару", "Last visit"];
pub(super) const LAST_MET: Words = ["Последняя встреча", "Соңғы кездесу", "Somebody last met"];
pub(super) const LAST_TRIED: Words = ["Последняя попытка", "Соңғы әрекет", "Last tried in vain"];
pub(super) const STANDING: Words = ["Как обстоит дело", "Жай-күйі", "Standing"];
pub(super) const DUE_AT: Words = ["Следующая встреча не позже", "Келесі кездесу мерзімі", "Next contact due"];
pub(super) const ENROLLED_AT: Words = ["Подключено", "Қосылған", "Enrolled"];
pub(super) const LAST_SYNC: Words = ["Последняя синхронизация", "Соңғы синхрондау", "Last sync"];
pub(super) const UNSENT: Words = ["Не отправлено", "Жіберілмеген", "Not sent"];
pub(super) const OLDEST_UNSENT: Words = ["Старейшее неотправленное", "Ең ескі жіберілмегені", "Oldest not sent"];
pub(super) const CLOCK_AHEAD_S: Words = ["Часы спешат, с", "Сағаты алда, с", "Clock ahead, s"];
pub(super) const APP: Words = ["Версия приложения", "Қосымша нұсқасы", "App version"];
pub(super) const SHUT_OUT_AT: Words = ["Отключено", "Ажыратылған", "Shut out"];
pub(super) const FROM: Words = ["С", "Бастап", "From"];
pub(super) const TO: Words = ["По", "Дейін", "To"];
pub(super) const PLACE_COUNT: Words = ["Мест", "Орын саны", "Places"];
pub(super) const CONTACTED: Words = ["Встреча состоялась", "Кездесу өтті", "Contacted"];
pub(super) const ATTEMPTED: Words = ["Только попытка", "Тек әрекет", "Attempted only"];
pub(super) const DUE: Words = ["Пора зайти", "Бару керек", "Due"];
pub(super) const OVERDUE: Words = ["Просрочено", "Мерзімі өткен", "Overdue"];
pub(super) const PROMISES_OPEN: Words = ["Открытые обещания", "Ашық уәделер", "Open commitments"];
pub(super) const PROMISES_OVERDUE: Words = ["Просроченные обещания", "Мерзімі өткен уәделер", "Overdue commitments"];
pub(super) const REPEATS: Words = ["Повторные проблемы", "Қайталанған мәселелер", "Repeat problems"];
pub(super) const VISIT_COUNT: Words = ["Посещений", "Бару саны", "Visits"];
pub(super) const LATE_COUNT: Words = ["Поздних записей", "Кеш жазба саны", "Late entries"];
pub(super) const STRETCH: Words = ["Начало отрезка", "Кезең басы", "Stretch begins"];
pub(super) const DEVICE_COUNT: Words = ["Устройств", "Құрылғы саны", "Devices"];
pub(super) const SILENT_COUNT: Words = ["Молчат более суток", "Бір тәуліктен астам үнсіз", "Silent for a day"];

const YES: Words = ["да", "иә", "yes"];
const NO: Words = ["нет", "жоқ", "no"];
const HEADQUARTERS: Words = ["Штаб", "Штаб", "Headquarters"];

/// A truth value.
pub(super) const fn flag(flag: bool, language: Language) -> &'static str {
    said(if flag { YES } else { NO }, language)
}

/// Headquarters' own hand.
pub(super) const fn headquarters(language: Language) -> &'static str {
    said(HEADQUARTERS, language)
}

/// A stable code that stands in no code list: what is odd about a clock, how a place or a device stands. One that this build does not know is
/// its own word.
pub(super) fn code(code: &str, language: Language) -> &str {
    let words = match code {
        "clock_ahead" => ["часы спешат", "сағаты алда", "clock ahead"],
        "clock_behind" => ["часы отстают", "сағаты артта", "clock behind"],
        "late" => ["поздняя запись", "кеш жазба", "late entry"],
        "contacted" => ["встреча состоялась", "кездесу өтті", "contacted"],
        "attempted" => ["только попытка", "тек әрекет", "attempted only"],
        "due" => ["пора зайти", "баратын уақыт", "due"],
        "overdue" => ["просрочено", "мерзімі өтті", "overdue"],
        "active" => ["работает", "жұмыс істейді", "active"],
        "silent" => ["молчит", "үнсіз", "silent"],
        "revoked" => ["отключено", "ажыратылған", "shut out"],
        "unconfirmed" => ["ждёт подтверждения", "растауды күтуде", "waits to be confirmed"],
        "server_custody" => ["ключ у сервера", "кілті серверде", "key at the server"],
        _ => return code,
    };
    said(words, language)
}
