use std::collections::BTreeMap;

use aralau_server::store::Lookup;
use aralau_sync_core::{change::MAX_TEXT_BYTES, time::Millis, visit::Coordinates};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

use super::{
    find::Finding,
    line::{Line, Reader},
    *,
};

const NOW: Millis = Millis(1_780_000_000_000);

const MAP: &str = r#"
register = "журнал"
[columns]
started_at = "Дата"
time = "Время"
external_code = "Код"
address = "Адрес"
inspector = "Инспектор"
visit_type = "Тип"
outcome = "Результат"
note = "Примечание"
[outcomes]
"дверь закрыта" = "no_access"
"#;

fn journal(bytes: &[u8], map: &str) -> (Journal, Layout, Map) {
    let map = Map::read(map).unwrap();
    let journal = Journal::read(bytes, "j", &map).unwrap();
    let layout = Layout::of(&map, journal.table.headers()).unwrap();
    (journal, layout, map)
}

type Rejected = BTreeMap<u32, Vec<Fault>>;

fn lines<'a>(journal: &'a Journal, layout: &'a Layout, map: &'a Map) -> (Vec<Line<'a>>, Rejected) {
    let reader = Reader::new(journal, layout, map, "Asia/Almaty".parse().unwrap(), NOW);
    let (mut lines, mut rejected) = (Vec::new(), Rejected::new());
    for row in journal.table.rows() {
        match reader.line(row) {
            Ok(line) => lines.push(line),
            Err(faults) => drop(rejected.insert(row.number, faults)),
        }
    }
    (lines, rejected)
}

fn codes(rejected: &Rejected) -> Vec<(u32, Vec<&'static str>)> {
    rejected.iter().map(|(row, faults)| (*row, faults.iter().map(|fault| fault.code).collect())).collect()
}

fn utc(text: &str) -> Millis {
    Millis(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
}

#[test]
fn a_journal_as_offices_keep_it_is_read_and_what_is_wrong_is_told_row_by_row() {
    let text = "Журнал обходов за 2023 год;;;;;;;;\r\n\
        Дата;Время;Код;Адрес;Инспектор;Тип;Результат;Примечание;Телефон\r\n\
        12.03.2023;14:05;A-1;Абая 1;Серик А.;DOOR_TO_DOOR;Никого нет дома;Позвонить;+7 701 000 00 00\r\n\
        12 марта 2024 г.;9.30;;Абая  2;Серик А.;поквартирный обход;Дверь закрыта;;\r\n\
        2023-03-12T14:05:00+06:00;;;Абая 3;Серик А.;;contacted;;\r\n\
        31.12.2023 24:00;;;Абая 3;Серик А.;;;;\r\n\
        вчера;днём;;;Серик А.;рейд;;;\r\n\
        12.03.2093;14:05;;Абая 1;Серик А.;;;;\r\n\
        12.03.2023;днём;;Абая 1;;;;;\r\n\
        12.03.2023;14:05;;;Серик А.;;;;\r\n\
        Итого:;;;;;;42;;\r\n";
    let (journal, layout, map) = journal(text.as_bytes(), MAP);
    assert_eq!((&layout.surplus[..], journal.table.header.row), (&["Телефон".to_owned()][..], 2));
    let (lines, rejected) = lines(&journal, &layout, &map);
    let read: Vec<_> = lines
        .iter()
        .map(|line| (line.row, line.started_at, line.visit_type.as_deref(), line.outcome.as_deref()))
        .collect();
    assert_eq!(
        read,
        [
            (3, utc("2023-03-12T08:05:00Z"), Some("door_to_door"), Some("nobody_home")),
            // The clock of Almaty has gone an hour behind on 1 March 2024.
            (4, utc("2024-03-12T04:30:00Z"), Some("door_to_door"), Some("no_access")),
            (5, utc("2023-03-12T08:05:00Z"), None, Some("contacted")),
            (6, utc("2023-12-31T18:00:00Z"), None, None),
        ]
    );
    assert_eq!((lines[0].notes(), &*lines[0].started_at_text), (vec!["Позвонить".to_owned()], "12.03.2023 14:05"));
    assert_eq!(
        codes(&rejected),
        [
            (7, vec!["date_malformed", "word_unknown"]),
            (8, vec!["date_implausible"]),
            (9, vec!["date_malformed", "cell_missing"]),
            (10, vec!["cell_missing"]),
            (11, vec!["total_row"]),
        ]
    );
    let told = &rejected[&7][1];
    assert_eq!((told.column.as_deref(), told.value.as_deref()), (Some("Тип"), Some("рейд")));
}

#[test]
fn a_workbook_says_its_dates_as_excel_counts_them() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet().set_name("2023").unwrap();
    let dated = Format::new().set_num_format("dd.mm.yyyy hh:mm");
    let timed = Format::new().set_num_format("hh:mm");
    sheet.merge_range(0, 0, 0, 3, "Отчёт", &Format::new()).unwrap();
    for (column, header) in (0..).zip(["Дата", "Время", "Адрес", "Инспектор"]) {
        sheet.write(2, column, header).unwrap();
    }
    let write = |sheet: &mut rust_xlsxwriter::Worksheet, row, address| {
        sheet.write(row, 2, address).unwrap().write(row, 3, "Серик").unwrap();
    };
    let at = ExcelDateTime::from_ymd(2023, 3, 12).unwrap().and_hms(14, 5, 0).unwrap();
    sheet.write_with_format(3, 0, &at, &dated).unwrap();
    write(sheet, 3, "Абая 1");
    let day = ExcelDateTime::from_ymd(2023, 3, 12).unwrap();
    sheet.write_with_format(4, 0, &day, &Format::new().set_num_format("dd.mm.yyyy")).unwrap();
    sheet.write_with_format(4, 1, ExcelDateTime::from_hms(14, 5, 0).unwrap(), &timed).unwrap();
    write(sheet, 4, "Абая 2");
    sheet.write(5, 0, 44_997.586_805_555_56).unwrap();
    write(sheet, 5, "Абая 3");
    workbook.add_worksheet().set_name("Справка").unwrap().write(0, 0, "ничего").unwrap();
    let map = "register = \"j\"\n[columns]\nstarted_at = \"Дата\"\ntime = \"Время\"\naddress = \"Адрес\"\ninspector = \"Инспектор\"\n";
    let (journal, layout, map) = journal(&workbook.save_to_buffer().unwrap(), map);
    assert_eq!((&*journal.sheet, &journal.sheets_not_read[..]), ("2023", &["Справка".to_owned()][..]));
    let (lines, rejected) = lines(&journal, &layout, &map);
    assert!(rejected.is_empty(), "{rejected:?}");
    assert_eq!(lines.iter().map(|line| line.started_at).collect::<Vec<_>>(), [utc("2023-03-12T08:05:00Z"); 3]);
}

#[test]
fn a_proposed_map_is_read_as_it_is_and_lists_what_a_person_has_to_say() {
    let text = "Рег. номер,Дата и время,Адрес,ФИО,Результат,Телефон\n\
        7,13.02.2023 10:00,Абая 1,Серик,дома никого,1\n8,14.02.2023 10:00,\"Абая \"\"2\"\"\",Серик,бубль,2\n";
    let journal = Journal::guess(text.as_bytes(), "j.csv").unwrap();
    let proposal = propose::propose(&journal, "Журнал \"А\"", "Asia/Almaty", &Lookup::default());
    let map = Map::read(&proposal.text).unwrap();
    assert_eq!(
        (&*map.register, map.outcomes["дома никого"].as_str(), map.outcomes["бубль"].as_str()),
        ("Журнал \"А\"", "nobody_home", "")
    );
    assert_eq!((proposal.blanks, &proposal.surplus[..]), (2, &["Телефон".to_owned()][..]), "{}", proposal.text);
    assert!(
        proposal.text.contains("# Not imported: \"Телефон\"") && proposal.text.contains("the dates tell"),
        "{}",
        proposal.text
    );
    let layout = Layout::of(&map, journal.table.headers()).unwrap();
    let (lines, rejected) = lines(&journal, &layout, &map);
    assert_eq!((lines.len(), codes(&rejected)), (1, vec![(3, vec!["word_unknown"])]));
    assert_eq!(lines[0].id, "7");
}

#[test]
fn a_column_of_numbers_that_stand_twice_is_no_name_of_rows() {
    let text = "Номер записи,Дата,Адрес\n1,13.02.2023,a\n2,13.02.2023,b\n1,14.02.2023,c\n";
    let journal = Journal::guess(text.as_bytes(), "j.csv").unwrap();
    let proposal = propose::propose(&journal, "j", "Asia/Almaty", &Lookup::default());
    assert!(!proposal.columns.contains_key(&Field::Id));
}

#[test]
fn a_long_note_becomes_several_and_loses_no_word() {
    let word = "слово ";
    let note = word.repeat(100_000 / word.len());
    let text = format!(
        "Дата;Время;Код;Адрес;Инспектор;Тип;Результат;Примечание\n1.2.2023;;;Абая 1;С;;;\"{note}\"\n2.2.2023;;;Абая 1;С;;;{}\n",
        "ы".repeat(200_000)
    );
    let (journal, layout, map) = journal(text.as_bytes(), MAP);
    let (lines, rejected) = lines(&journal, &layout, &map);
    let notes = lines[0].notes();
    assert!(notes.len() == 4 && notes.iter().all(|note| note.len() <= MAX_TEXT_BYTES));
    assert_eq!(notes.join(" "), note.trim());
    assert_eq!(codes(&rejected), [(3, vec!["cell_too_long"])]);
}

#[test]
fn rejected_rows_come_back_under_the_names_that_they_had() {
    let text = "Дата;Время;Код;Адрес;Инспектор;Тип;Результат;Примечание\n1.2.2023;;;Абая 1;С;;бубль;=1+1\n1.2.2023;;;Абая 1;С;;;\n";
    let (journal_of_before, layout, map_of_before) = journal(text.as_bytes(), MAP);
    let (before, rejected) = lines(&journal_of_before, &layout, &map_of_before);
    assert_eq!(codes(&rejected), [(2, vec!["word_unknown"])]);
    let mut all = rejected.clone();
    all.insert(3, rejected[&2].clone());
    let mut file = Vec::new();
    rejected::write(&journal_of_before, &all, &mut file).unwrap();
    let text = String::from_utf8(file.clone()).unwrap();
    assert!(text.contains("'=1+1") && text.contains("rejected_code") && text.contains("word_unknown"), "{text}");
    let (journal, layout, map) = journal(&file, MAP);
    let (after, _) = lines(&journal, &layout, &map);
    assert_eq!((after.len(), &after[0].id), (1, &before[0].id));
}

#[test]
fn two_people_in_one_cell_are_not_made_one_person() {
    let map = "register = \"j\"\n[columns]\nstarted_at = \"Дата\"\ninspector = \"Кто\"\nbeat = \"Участок\"\n[inspectors]\nunknown = \"make\"\n[inspectors.names]\n\"Ким, Ли\" = \"Ким\"\n";
    let text = "Дата|Кто|Участок\n1.2.2023|Ахметов Б.С., Сейтова А.|7\n1.2.2023|Сейтова А.|7\n1.2.2023|Ким, Ли|7\n";
    let (journal, layout, map) = journal(text.replace('|', ";").as_bytes(), map);
    let (lines, _) = lines(&journal, &layout, &map);
    let lookup = Lookup::default();
    let mut finding = Finding::new(&journal, &layout, &map, &lookup);
    let told =
        lines.iter().map(|line| finding.find(line).unwrap_err().iter().map(|fault| fault.code).collect::<Vec<_>>());
    let [several, one, mapped] = told.collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(
        (several, one, mapped),
        (vec!["beat_unknown", "inspector_several"], vec!["beat_unknown"], vec!["beat_unknown"])
    );
}

#[test]
fn an_end_may_be_a_time_of_day_and_may_come_after_midnight() {
    let map = "register = \"j\"\n[columns]\nstarted_at = \"Начало\"\nended_at = \"Конец\"\nbeat = \"Участок\"\n";
    let text = "Начало;Конец;Участок\n1.2.2023 23:40;00:20;7\n1.2.2023 10:00;09:00;7\n1.2.2023 10:00;1.2.2023 10:30;7\n1.2.2023;2.2.2023;7\n";
    let (journal, layout, map) = journal(text.as_bytes(), map);
    let (lines, rejected) = lines(&journal, &layout, &map);
    let minutes: Vec<_> =
        lines.iter().map(|line| line.ended_at.map(|end| (end.0 - line.started_at.0) / 60_000)).collect();
    assert_eq!((minutes, codes(&rejected)), (vec![Some(40), Some(30), None], vec![(3, vec!["end_before_start"])]));
}

/// The published data set is not part of this project: name your copy in `ARALAU_INSPECTIONS_CSV`.
#[test]
fn a_real_table_is_mapped_and_its_rows_are_read() {
    let Some(path) = std::env::var_os("ARALAU_INSPECTIONS_CSV") else {
        eprintln!("skipped: ARALAU_INSPECTIONS_CSV is not set");
        return;
    };
    let journal = Journal::guess(&std::fs::read(path).unwrap(), "inspections.csv").unwrap();
    let proposal = propose::propose(&journal, "inspections", "America/New_York", &Lookup::default());
    assert_eq!(proposal.missing, [""; 0]);
    let mut map = Map::read(&proposal.text).unwrap();
    assert_eq!(map.dates.order, moment::Order::MonthDayYear);
    // Its reasons are hundreds of sentences, and half of its rows name nobody.
    map.columns.remove(&Field::VisitType);
    "nobody".clone_into(&mut map.defaults.inspector);
    let layout = Layout::of(&map, journal.table.headers()).unwrap();
    let (lines, rejected) = lines(&journal, &layout, &map);
    assert!(lines.len() * 100 > journal.table.len() * 95, "{} of {}: {rejected:?}", lines.len(), journal.table.len());
    assert!(rejected.values().flatten().all(|fault| fault.row.is_some() && !fault.message.is_empty()));
}

const TWO_ROWS: &str = "Журнал посещений за 2023 год;;;;;;;\n\
    Дата;Адрес;;;ФИО;Координаты;;Меры\n\
    ;улица;дом;кв.;;широта;долгота;\n\
    12.03.2023;Абая;10;5;Серик;43,238949;76,889709;беседа\n\
    13.03.2023;Абая;12;;Серик;;;\n\
    14.03.2023;;;;Серик;;;\n";

/// As a proposal maps it.
fn proposed(bytes: &[u8]) -> (Journal, propose::Proposal) {
    let journal = Journal::guess(bytes, "j").unwrap();
    let proposal = propose::propose(&journal, "j", "Asia/Almaty", &Lookup::default());
    (journal, proposal)
}

#[test]
fn a_header_of_two_rows_names_columns_by_both_and_the_map_finds_them_again() {
    let (guessed, proposal) = proposed(TWO_ROWS.as_bytes());
    assert_eq!((guessed.table.header.row, guessed.table.header.rows(), guessed.table.len()), (2, 2, 3));
    assert_eq!(proposal.columns[&Field::Address], ["Адрес / улица", "Адрес / дом", "Адрес / кв."]);
    assert_eq!(proposal.columns[&Field::Position], ["Координаты / широта", "Координаты / долгота"]);
    assert_eq!((proposal.columns[&Field::Inspector][0].as_str(), &proposal.missing[..]), ("ФИО", &[""; 0][..]));
    let (journal, layout, map) = journal(TWO_ROWS.as_bytes(), &proposal.text);
    let (read, rejected) = lines(&journal, &layout, &map);
    let read: Vec<_> = read.iter().map(|line| (line.row, line.address.as_deref(), line.position)).collect();
    let point = Coordinates { lat: 43.238_949, lon: 76.889_709 };
    assert_eq!(read, [(4, Some("Абая, 10, 5"), Some(point)), (5, Some("Абая, 12"), None)]);
    assert_eq!(codes(&rejected), [(6, vec!["cell_missing"])]);
    // What is rejected goes back under the same names, and stays the same row.
    let mut file = Vec::new();
    rejected::write(&journal, &[(4, rejected[&6].clone())].into(), &mut file).unwrap();
    let (before, _) = lines(&journal, &layout, &map);
    let (again, layout, map) = self::journal(&file, &proposal.text);
    let (after, _) = lines(&again, &layout, &map);
    assert_eq!((&after[0].id, &after[0].address), (&before[0].id, &before[0].address));
}

#[test]
fn merged_cells_of_a_workbook_make_a_header_of_two_rows() {
    let mut workbook = Workbook::new();
    let (sheet, plain) = (workbook.add_worksheet(), Format::new());
    sheet.merge_range(0, 0, 0, 4, "Журнал посещений", &plain).unwrap();
    for (column, name) in [(0, "Дата"), (4, "ФИО")] {
        sheet.merge_range(2, column, 3, column, name, &plain).unwrap();
    }
    sheet.merge_range(2, 1, 2, 3, "Адрес", &plain).unwrap();
    for (column, name) in (1..).zip(["улица", "дом", "кв."]) {
        sheet.write(3, column, name).unwrap();
    }
    for (column, cell) in (0..).zip(["12.03.2023", "Абая", "10", "", "Серик"]) {
        sheet.write(4, column, cell).unwrap();
    }
    let (guessed, proposal) = proposed(&workbook.save_to_buffer().unwrap());
    assert_eq!(guessed.table.headers(), ["Дата", "Адрес / улица", "Адрес / дом", "Адрес / кв.", "ФИО"]);
    assert_eq!((proposal.columns[&Field::Address].len(), proposal.surplus.len(), guessed.table.len()), (3, 0, 1));
}

#[test]
fn a_plain_header_over_whatever_row_stays_one_row() {
    for (text, headers) in [
        // The first visit has neither date nor name, and words where the header has none.
        ("Дата;Адрес;;ФИО\n;Абая;двор;\n1.2.2023;Абая;двор;Серик\n", 4),
        ("Дата;Адрес;;ФИО\n1.2.2023;Абая;двор;Серик\n", 4),
        // A title beside a remark.
        ("Журнал;;;стр.\nДата;Адрес;ФИО;\n1.2.2023;Абая 1;Серик;\n", 4),
        ("Журнал;;\nДата;Адрес;ФИО\n1.2.2023;Абая 1;Серик\n", 3),
    ] {
        let (journal, proposal) = proposed(text.as_bytes());
        assert_eq!((journal.table.header.rows(), journal.table.headers().len()), (1, headers), "{text}");
        assert_eq!(proposal.columns[&Field::Address], ["Адрес"], "{text}");
    }
}

#[test]
fn an_address_in_several_columns_is_proposed_unless_there_is_a_whole_one() {
    let of = |header: &str| proposed(format!("{header}\n").as_bytes()).1.columns.remove(&Field::Address);
    let wanted = |headers: &[&str]| Some(headers.iter().map(|header| (*header).to_owned()).collect::<Vec<_>>());
    assert_eq!(of("Дата;Улица;№ дома;Кв.;ФИО"), wanted(&["Улица", "№ дома", "Кв."]));
    assert_eq!(of("Күні;Көшесі;Үй;Пәтер;ТАӘ"), wanted(&["Көшесі", "Үй", "Пәтер"]));
    assert_eq!(of("date;street;house;flat;officer"), wanted(&["street", "house", "flat"]));
    assert_eq!(of("Дата;Село;Дом;ФИО"), wanted(&["Село", "Дом"]));
    assert_eq!(of("Дата;Адрес;Кв.;ФИО"), wanted(&["Адрес", "Кв."]), "flats are told apart");
    assert_eq!(of("Дата;Дом;ФИО"), None, "a house alone is nowhere");
}

#[test]
fn a_wrong_cell_of_an_address_is_told_by_its_own_column() {
    let map = "register = \"j\"\n[columns]\nstarted_at = \"Дата\"\naddress = [\"Улица\", \"Дом\"]\n";
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, cell) in (0..).zip(["Дата", "Улица", "Дом"]) {
        sheet.write(0, column, cell).unwrap();
    }
    sheet.write(1, 0, "1.2.2023").unwrap().write(1, 1, "Абая").unwrap();
    let date = ExcelDateTime::from_ymd(2023, 12, 5).unwrap();
    sheet.write_with_format(1, 2, &date, &Format::new().set_num_format("d/m")).unwrap();
    let (journal, layout, map) = journal(&workbook.save_to_buffer().unwrap(), map);
    let (_, rejected) = lines(&journal, &layout, &map);
    assert_eq!(codes(&rejected), [(2, vec!["cell_is_date"])]);
    assert_eq!(rejected[&2][0].column.as_deref(), Some("Дом"));
}

#[test]
fn a_point_that_is_none_rejects_its_row_and_says_where() {
    let map = "register = \"j\"\n[columns]\nstarted_at = \"Дата\"\nbeat = \"Участок\"\nposition = \"Место\"\n";
    let text = "Дата|Участок|Место\n1.2.2023|7|43,238949; 76,889709\n1.2.2023|7|\n1.2.2023|7|0; 0\n\
        1.2.2023|7|43,238949\n1.2.2023|7|76.9, 143.2\n1.2.2023|7|143.2, 76.9\n1.2.2023|7|у дома; во дворе\n1.2.2023|7|1;2;3\n";
    let (journal, layout, map) =
        journal(text.replace(';', "\u{1}").replace('|', "\t").replace('\u{1}', ";").as_bytes(), map);
    let (read, rejected) = lines(&journal, &layout, &map);
    let read: Vec<_> = read.iter().map(|line| line.position.map(|point| point.lat)).collect();
    assert_eq!(read, [Some(43.238_949), None, None, Some(76.9)]);
    let told = codes(&rejected);
    let (half, off, no_number) = (vec!["half_a_point"], vec!["off_globe"], vec!["number_malformed"]);
    assert_eq!(told, [(5, half), (7, off), (8, vec!["number_malformed"; 2]), (9, no_number)]);
    let fault = &rejected[&7][0];
    assert!(fault.message.contains("exchanged") && fault.value.as_deref() == Some("143.2, 76.9"), "{fault}");
}

#[test]
fn a_row_that_numbers_the_columns_of_a_form_is_no_visit_and_its_first_visit_is_one() {
    let text = "Дата;Код;ФИО\n1;2;3\n1.2.2023;2;Серик\n";
    let (journal, proposal) = proposed(text.as_bytes());
    assert_eq!((journal.table.len(), journal.table.rows().next().unwrap().number, proposal.blanks), (1, 3, 1));
    for first in ["1.2.2023;2;3", "1;;", "1;2;", "2;3;4", "1;3;2"] {
        let (journal, _) = proposed(format!("Дата;Код;ФИО\n{first}\n").as_bytes());
        assert_eq!(journal.table.len(), 1, "{first}");
    }
}

#[test]
fn words_of_totals_and_signatures_need_no_meaning() {
    let text = "Дата;Адрес;ФИО;Результат\n1.2.2023;Абая 1;Серик;contacted\nИтого;;;17\n;;;Подпись: ____\n";
    let text = text.replace("Итого;;;17", ";Итого;;17");
    assert_eq!(proposed(text.as_bytes()).1.blanks, 1, "the inspector whom the directory does not have");
}

#[test]
fn a_dash_in_a_part_of_an_address_is_a_blank_and_alone_it_is_what_it_is() {
    let of = |columns: &str| {
        let map = format!("register = \"j\"\n[columns]\nstarted_at = \"Дата\"\naddress = {columns}\n");
        let (journal, layout, map) = journal("Дата;Улица;Кв.\n1.2.2023;Абая;-\n1.2.2023;—;—\n".as_bytes(), &map);
        let (read, rejected) = lines(&journal, &layout, &map);
        let read: Vec<_> = read.iter().map(|line| line.address.clone().unwrap_or_default()).collect();
        (read, codes(&rejected))
    };
    assert_eq!(of("[\"Улица\", \"Кв.\"]"), (vec!["Абая".to_owned()], vec![(3, vec!["cell_missing"])]));
    assert_eq!(of("\"Улица\""), (vec!["Абая".to_owned()], vec![(3, vec!["cell_missing"])]));
}

#[test]
fn nothing_is_made_of_a_cell_that_says_nothing() {
    let map = format!("{MAP}[places]\nunknown = \"make\"\n[inspectors]\nunknown = \"make\"\n");
    let text = "Дата;Время;Код;Адрес;Инспектор;Тип;Результат;Примечание\n\
        1.2.2023;;-;Абая 1;нет;;;\n1.2.2023;;н/д;-;Серик;;;\n1.2.2023;;б/н;Абая 1;Серик;;;\n";
    let (journal, layout, map) = journal(text.as_bytes(), &map);
    let (read, rejected) = lines(&journal, &layout, &map);
    let read: Vec<_> = read.iter().map(|line| (line.external_code.as_deref(), line.address.as_deref())).collect();
    assert_eq!(read, [(None, Some("Абая 1"))]);
    assert_eq!(codes(&rejected), [(2, vec!["cell_missing"]), (3, vec!["cell_missing"])]);
}

#[test]
fn two_columns_that_say_two_times_are_told_and_those_that_say_one_are_not() {
    let text = "Дата;Время;Код;Адрес;Инспектор;Тип;Результат;Примечание\n\
        1.2.2023 14:05;15:00;;Абая 1;С;;;\n1.2.2023 14:05:30;14:05;;Абая 1;С;;;\n1.2.2023 00:00;9:30;;Абая 1;С;;;\n\
        1.2.2023;9.3;;Абая 1;С;;;\n";
    let (journal, layout, map) = journal(text.as_bytes(), MAP);
    let (read, rejected) = lines(&journal, &layout, &map);
    let read: Vec<_> = read.iter().map(|line| line.started_at).collect();
    assert_eq!(read, [utc("2023-02-01T08:05:00Z"), utc("2023-02-01T03:30:00Z")]);
    assert_eq!(codes(&rejected), [(2, vec!["times_differ"]), (5, vec!["date_malformed"])]);
}

#[test]
fn a_word_that_denies_what_it_names_is_not_guessed() {
    let words = [
        ("Проведена беседа", "contacted"),
        ("Беседа не проведена", ""),
        ("Без посещения", ""),
        ("Никого нет дома", "nobody_home"),
        ("Не застал", "nobody_home"),
        ("Встреча не состоялась", "nobody_home"),
        ("Үйде ешкім жоқ", "nobody_home"),
        ("Үйде болды", ""),
        ("not contacted", ""),
        ("no answer", "nobody_home"),
    ];
    for (word, code) in words {
        let (_, proposal) = proposed(format!("Дата;Адрес;Результат\n1.2.2023;Абая 1;{word}\n").as_bytes());
        assert!(proposal.text.contains(&format!("\n{word:?} = {code:?}")), "{word}: {}", proposal.text);
    }
}

#[test]
fn the_order_of_day_and_month_is_left_open_where_no_date_tells_it() {
    for (dates, order) in [
        (["03/04/2023", "05/06/2023"], ""),
        (["03/04/2023", "05/16/2023"], "month_day_year"),
        (["03.04.2023", "05.06.2023"], "day_month_year"),
        (["2023-04-03", "2023-06-05"], "day_month_year"),
    ] {
        let text = format!("Дата;Адрес\n{};Абая 1\n{};Абая 1\n", dates[0], dates[1]);
        let (_, proposal) = proposed(text.as_bytes());
        let is_open = order.is_empty();
        assert!(proposal.text.contains(&format!("\norder = {order:?}\n")), "{}", proposal.text);
        assert_eq!((proposal.missing.len(), Map::read(&proposal.text).is_err()), (usize::from(is_open), is_open));
    }
}

#[test]
fn nested_keys_of_json_are_a_point_by_their_last_names_and_nothing_else() {
    let text = "{\"date\":\"2024-05-01\",\"place\":{\"code\":\"k-1\",\"name\":\"x\"},\"location\":{\"lat\":43.2,\"lon\":76.8}}\n";
    let (_, proposal) = proposed(text.as_bytes());
    assert_eq!(proposal.columns[&Field::Position], ["location.lat", "location.lon"]);
    assert_eq!(proposal.surplus, ["place.name"]);
}

/// As an operator meets them: a title, groups, numbers of columns, blank columns, other columns of time, totals, a signature.
#[test]
fn a_form_as_a_ministry_prints_it_is_read_from_the_first_visit_to_the_last() {
    let text = "\"Сведения о посещениях, II квартал 2024 г.\";;;;;;;;\n\
        Посещение;;;Адрес;;;Сотрудник;Исход;Примечание\n\
        дата;время;;улица, микрорайон;дом;кв.;;;\n\
        1;2;;3;4;5;6;7;8\n\
        45384;10.15;;Абая;12;-;Ахметов Серик;CONTACTED;беседа\n\
        45385,5;;;Сейфуллина;3;;ахметов серик;Nobody_Home;\n\
        ;;;ИТОГО;;;;2;\n\
        ;;;;;;;;Подпись ________\n";
    let (_, proposal) = proposed(text.as_bytes());
    let (journal, layout, map) = journal(text.as_bytes(), &proposal.text);
    let (read, rejected) = lines(&journal, &layout, &map);
    let read: Vec<_> =
        read.iter().map(|line| (line.row, line.started_at, line.address.as_deref(), line.outcome.as_deref())).collect();
    assert_eq!(
        read,
        [
            (5, utc("2024-04-02T05:15:00Z"), Some("Абая, 12"), Some("contacted")),
            (6, utc("2024-04-03T07:00:00Z"), Some("Сейфуллина, 3"), Some("nobody_home")),
        ]
    );
    assert_eq!(codes(&rejected), [(7, vec!["total_row"]), (8, vec!["cell_missing"; 2])]);
}

/// The rejected rows of a workbook are a table of text, to be imported by the workbook's own map.
#[test]
fn what_a_map_says_of_sheets_is_not_of_text() {
    let map = format!("sheet = \"2023\"\n{MAP}");
    let text = "Дата;Время;Код;Адрес;Инспектор;Тип;Результат;Примечание\n12.03.2023;14:05;;Абая 1;Серик А.;;;\n";
    let (journal, layout, map) = journal(text.as_bytes(), &map);
    let (lines, rejected) = lines(&journal, &layout, &map);
    assert_eq!((lines.len(), rejected.len()), (1, 0));
}

#[test]
fn letters_that_an_encoding_lost_reject_their_row() {
    let text = "Дата;Время;Код;Адрес;Инспектор;Тип;Результат;Примечание\n\
        1.2.2023;;;ул. ?абдолов, 2;Серик А.;;;\n1.2.2023;;;Абая 1;Серик А.;;;?ызмет жаса?ан\n1.2.2023;;;Абая 1;Серик А.;;;Кто?\n";
    // Windows-1251, as far as it is needed here.
    let byte = |c: char| if c.is_ascii() { c as u8 } else { (u32::from(c) - 0x410 + 0xc0) as u8 };
    let lost: Vec<u8> = text.chars().map(byte).collect();
    let (journal, layout, map) = journal(&lost, MAP);
    let (read, rejected) = lines(&journal, &layout, &map);
    assert_eq!((read.len(), codes(&rejected)), (1, vec![(2, vec!["letters_lost"]), (3, vec!["letters_lost"])]));
}
