use std::io::{Cursor, Write as _};

use crate::store::{Known, LoadOptions, Plan};
use rust_xlsxwriter::{Format, Formula, Workbook};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;

fn file(name: &str, content: Content, bytes: impl Into<Vec<u8>>) -> File {
    File { name: name.to_owned(), content, bytes: Ok(bytes.into()) }
}

fn one(kind: Kind, text: &str) -> Tables {
    Tables::of(&[file("t.csv", Content::One(kind), text)])
}

/// Code, row, column and value of a fault.
type Told<'a> = (&'a str, Option<u32>, Option<&'a str>, Option<&'a str>);

fn faults(tables: &Tables) -> Vec<Told<'_>> {
    let faults = tables.faults.faults.iter();
    faults.map(|fault| (fault.code, fault.row, fault.column.as_deref(), fault.value.as_deref())).collect()
}

#[test]
fn the_table_that_excel_saves_here_is_read() {
    let tables = Tables::of(&[
        file("b.csv", Content::One(Kind::Beats), "\u{feff}code;name\r\nb1;Участок 1\r\nb2;\r\n;\r\n\r\n"),
        file(
            "p.csv",
            Content::One(Kind::Places),
            "Участок;Адрес;Тип;Широта;Долгота\nb1;Абая,  1 ;Жеке үй;43,25;76,9\nb1;Абая 2;;;\n",
        ),
        file("s.csv", Content::One(Kind::Staff), "ФИО\tУчасток\n\u{a0}Айгүл \u{a0}С.\tb1\n"),
    ]);
    assert_eq!(faults(&tables), []);
    let read = &tables.organisation;
    assert_eq!(read.beats, [("b1", "Участок 1"), ("b2", "")].map(|(code, name)| (code.into(), name.into())));
    let place = &read.places[0];
    assert_eq!((&*place.beat, &*place.address, place.place_type.as_deref()), ("b1", "Абая, 1", Some("house")));
    assert_eq!(place.coordinates.map(|point| (point.lat, point.lon)), Some((43.25, 76.9)));
    assert_eq!((&read.places[1].place_type, read.places[1].coordinates), (&None, None));
    assert_eq!((&*read.staff[0].name, &*read.staff[0].beat), ("Айгүл С.", "b1"));
    assert_eq!(tables.read.iter().map(|table| table.rows).collect::<Vec<_>>(), [2, 2, 1]);
}

#[test]
fn every_wrong_cell_is_named_by_row_column_and_value() {
    let long = "x".repeat(80_000);
    let table = format!(
        "Beat,Address,lat,lon,external code\nb1,,1,2,\nb1,A,1,,\nb1,B,north,2,\nb1,C,76.9,143.2,\nb1,D,143.2,76.9,\n\
         b1,{long},,,\nb1,E\u{7},,,\nb1,F,NaN,76,\nb1,#N/A,,,\nb1,Abay 1, flat 5,,,\n,G,,,\nb1,ok,43.2,76.9,A-1\n"
    );
    let tables = one(Kind::Places, &table);
    let shown = format!("{}…", "x".repeat(60));
    assert_eq!(
        faults(&tables),
        [
            ("cell_missing", Some(2), Some("Address"), None),
            ("half_a_point", Some(3), Some("lon"), None),
            ("number_malformed", Some(4), Some("lat"), Some("north")),
            ("off_globe", Some(6), Some("lat"), Some("143.2, 76.9")),
            ("cell_too_long", Some(7), Some("Address"), Some(&*shown)),
            ("control_character", Some(8), Some("Address"), Some("E\u{fffd}")),
            ("number_malformed", Some(9), Some("lat"), Some("NaN")),
            ("formula_error", Some(10), Some("Address"), Some("#N/A")),
            ("number_malformed", Some(11), Some("lat"), Some("flat 5")),
            ("cell_missing", Some(12), Some("Beat"), None),
        ]
    );
    assert_eq!(tables.organisation.places.len(), 2);
    assert!(tables.faults.faults[3].message.contains("exchanged"));
}

#[test]
fn a_hundred_faults_are_told_and_the_rest_counted() {
    let tables = one(Kind::Staff, &format!("name;beat\n{}", ";b1\n".repeat(250)));
    assert_eq!((tables.faults.faults.len(), tables.faults.more, tables.faults.count()), (100, 150, 250));
}

#[test]
fn a_header_that_lacks_or_doubles_a_column_is_told_and_a_surplus_column_named() {
    let tables = one(Kind::Places, "двор;Участок\nАбая 1;b1\n");
    assert_eq!(faults(&tables), [("column_missing", Some(1), Some("address"), None)]);
    assert!(tables.faults.faults[0].message.contains("its header is: двор, Участок"));
    let tables = one(Kind::Places, "Адресс;Участок\nАбая 1;b1\n");
    assert!(tables.faults.faults[0].message.contains("is \"Адресс\" meant?"), "{}", tables.faults.faults[0]);
    // What is missed may be what is not read.
    let tables = one(Kind::Places, "beat;address;Шырота;Долгота\nb1;Абая 1;43,2;76,9\n");
    assert_eq!(tables.faults.faults[0].code, "half_a_point");
    assert_eq!(tables.read[0].columns_not_read[0].meant, Some("lat"));
    let tables = one(Kind::Places, "beat;address;lat;Широта\nb1;Абая 1;;\n");
    assert_eq!(faults(&tables), [("column_twice", Some(1), Some("Широта"), None)]);
    let tables = one(Kind::Places, "beat;address;lattitude;Примечание;;\nb1;Абая 1;43;x;;y\n");
    assert_eq!(faults(&tables), []);
    let unread: Vec<_> = tables.read[0].columns_not_read.iter().map(|column| (&*column.column, column.meant)).collect();
    assert_eq!(unread, [("lattitude", Some("lat")), ("Примечание", None), ("F", None)]);
    let tables = one(Kind::Staff, "name,beat\nАйгүл,b1,extra\n");
    assert_eq!(faults(&tables), [("cells_beyond_header", Some(2), None, Some("extra"))]);
}

#[test]
fn a_file_that_is_no_table_is_told_from_its_bytes() {
    for (bytes, code) in [
        (&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..], "format_unknown"),
        (b"PK\x03\x04 and then nothing", "workbook_broken"),
        (b"PK\x03\x04\x14\0\0\x08\0\0mimetypeapplication/vnd.oasis.opendocument.spreadsheetPK", "format_unknown"),
        (b"", "table_empty"),
        (b"\n\n ; \n", "table_empty"),
        (b"\0\0\0\0", "encoding_unknown"),
        (b"beat;address\nb1;\"Abay", "quote_unclosed"),
        ("beat;address\nb1;?абдолова".as_bytes(), ""),
    ] {
        let tables = Tables::of(&[file("t", Content::One(Kind::Places), bytes)]);
        let told = tables.faults.faults.first().map_or("", |fault| fault.code);
        assert_eq!(told, code, "{bytes:?}");
    }
    let unreadable = Fault::new(FaultKind::FileUnreadable, "t", "gone");
    let gone = File { name: "t".to_owned(), content: Content::Any, bytes: Err(unreadable) };
    assert_eq!(faults(&Tables::of(&[gone])), [("file_unreadable", None, None, None)]);
}

#[test]
fn letters_that_windows_1251_lost_are_told() {
    let bytes = encoding_rs::WINDOWS_1251.encode("Участок;Адрес\nb1;улица К?кшетау\nb1;дом 5?\n").0.into_owned();
    let tables = Tables::of(&[file("t", Content::One(Kind::Places), bytes)]);
    assert_eq!(faults(&tables), [("letters_lost", Some(2), Some("Адрес"), Some("улица К?кшетау"))]);
}

/// A workbook as an office has it: a title, numbers for codes, merged cells, a formula, a hidden row, blank rows, a remark.
fn office() -> Vec<u8> {
    let mut workbook = Workbook::new();
    let beats = workbook.add_worksheet().set_name("Участки").unwrap();
    beats.write(0, 0, "Код").unwrap().write(0, 1, "Название").unwrap();
    beats.write(1, 0, 101.0).unwrap().write(1, 1, "Участок 101").unwrap();
    let places = workbook.add_worksheet().set_name("мекенжайлар").unwrap();
    places.write(0, 1, "Перечень адресов").unwrap();
    for (column, header) in (0..).zip(["Учаске", "Мекен-жай", "Ендік", "Бойлық", "Код"]) {
        places.write(2, column, header).unwrap();
    }
    places.merge_range(3, 0, 5, 0, "101", &Format::new()).unwrap();
    places.write(3, 1, "Абай көшесі, 1").unwrap().write(3, 2, 43.25).unwrap().write(3, 3, "76,9").unwrap();
    places.write_formula(4, 1, Formula::new("=\"Абай көшесі, \"&2").set_result("Абай көшесі, 2")).unwrap();
    places.set_row_hidden(4).unwrap();
    places.write(5, 1, "Абай көшесі, 3").unwrap().write(5, 4, 7.0).unwrap().write(5, 6, "remark").unwrap();
    places.write(9, 0, 101).unwrap().write(9, 1, "Абай көшесі, 4").unwrap();
    let staff = workbook.add_worksheet().set_name("Лист3").unwrap();
    staff.write(0, 0, "Участок").unwrap().write(0, 1, "ФИО").unwrap();
    staff.write(1, 0, 101).unwrap().write(1, 1, "Болат С.").unwrap();
    workbook.add_worksheet().set_name("Черновик").unwrap().write(0, 0, "что-то").unwrap();
    let lists = workbook.add_worksheet().set_name("Списки").unwrap();
    lists.write(0, 0, "Код").unwrap();
    lists.set_hidden(true);
    workbook.save_to_buffer().unwrap()
}

#[test]
fn a_workbook_has_a_sheet_for_each_kind() {
    let tables = Tables::of(&[file("office.xlsx", Content::Any, office())]);
    assert_eq!(faults(&tables), []);
    let read = &tables.organisation;
    assert_eq!(read.beats, [("101".to_owned(), "Участок 101".to_owned())]);
    let places: Vec<_> = read.places.iter().map(|place| (&*place.beat, &*place.address)).collect();
    let addresses = ["Абай көшесі, 1", "Абай көшесі, 2", "Абай көшесі, 3", "Абай көшесі, 4"];
    assert_eq!(places, addresses.map(|address| ("101", address)));
    assert_eq!(read.places[0].coordinates.map(|point| (point.lat, point.lon)), Some((43.25, 76.9)));
    assert_eq!(read.places[2].external_code.as_deref(), Some("7"));
    assert_eq!((&*read.staff[0].name, &*read.staff[0].beat), ("Болат С.", "101"));
    let staff = tables.read.last().unwrap();
    assert_eq!(
        (&*staff.file, &staff.sheets_not_read[..]),
        ("office.xlsx, sheet \"Лист3\"", &["Списки", "Черновик"].map(str::to_owned)[..])
    );
    assert_eq!(tables.read[1].columns_not_read[0].column, "G");
    assert_eq!(tables.places.iter().map(|origin| origin.row).collect::<Vec<_>>(), [4, 5, 6, 10]);
}

#[test]
fn a_workbook_stands_in_for_csv_and_csv_for_a_workbook() {
    let tables = Tables::of(&[
        file("office.xlsx", Content::One(Kind::Places), office()),
        file("staff.csv", Content::Any, "ФИО,Участок\nАйгүл,101\n"),
    ]);
    assert_eq!(faults(&tables), []);
    assert_eq!((tables.organisation.places.len(), tables.organisation.staff.len()), (4, 1));
    let nothing = Tables::of(&[file("t.csv", Content::Any, "colour;size\nred;5\n")]);
    assert_eq!(faults(&nothing), [("sheet_missing", None, None, None)]);
}

#[test]
fn what_excel_took_for_a_date_or_could_not_work_out_is_told() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.write(0, 0, "beat").unwrap().write(0, 1, "address").unwrap().write(0, 2, "code").unwrap();
    sheet.write(1, 0, "b1").unwrap().write(1, 1, "Абая 1").unwrap();
    let date = rust_xlsxwriter::ExcelDateTime::from_ymd(2026, 5, 10).unwrap();
    sheet.write_with_format(1, 2, &date, &Format::new().set_num_format("d mmm")).unwrap();
    sheet.write(2, 0, "b1").unwrap().write_formula(2, 1, Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
    let tables = Tables::of(&[file("t.xlsx", Content::Any, workbook.save_to_buffer().unwrap())]);
    assert_eq!(
        faults(&tables),
        [
            ("cell_is_date", Some(2), Some("code"), Some("2026-05-10")),
            ("formula_error", Some(3), Some("address"), Some("#DIV/0!")),
        ]
    );
}

/// An archive with one part of so many times the same bytes.
fn archive(name: &str, bytes: &[u8], times: usize) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let quick = SimpleFileOptions::default().compression_level(Some(1));
    archive.start_file(name, quick).unwrap();
    (0..times).for_each(|_| archive.write_all(bytes).unwrap());
    archive.finish().unwrap().into_inner()
}

#[test]
fn a_small_archive_that_unpacks_to_much_is_refused_before_it_is_held() {
    let mebibyte = vec![b' '; 1 << 20];
    let tagged = [b"<a>", &mebibyte[..(1 << 20) - 8]].concat();
    for (name, bytes, times) in [
        ("xl/worksheets/sheet1.xml", &tagged[..], 520),
        ("xl/worksheets/sheet1.xml", &mebibyte, 2),
        ("xl/media/image1.png", &mebibyte, 65),
        ("xl/sharedStrings.xml", b"<sst uniqueCount=\"99999999999\"></sst>", 1),
        ("xl/sharedStrings.xml", b"<sst><!-- ", 1),
    ] {
        let bomb = archive(name, bytes, times);
        assert!(bomb.len() < 8 << 20, "{name}: {}", bomb.len());
        let tables = Tables::of(&[file("bomb.xlsx", Content::Any, bomb)]);
        assert_eq!(faults(&tables), [("workbook_broken", None, None, None)], "{name}");
        assert!(!tables.faults.faults[0].message.contains("Excel"), "{}", tables.faults.faults[0]);
    }
}

#[test]
fn a_sheet_with_a_cell_in_its_last_corner_costs_nothing() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.write(0, 0, "beat").unwrap().write(0, 1, "address").unwrap();
    sheet.write(1_048_575, 0, "b1").unwrap().write(1_048_575, 1, "Абая 1").unwrap();
    let tables = Tables::of(&[file("t.xlsx", Content::Any, workbook.save_to_buffer().unwrap())]);
    assert_eq!((tables.organisation.places.len(), tables.places[0].row), (1, 1_048_576));
    let mut workbook = Workbook::new();
    workbook.add_worksheet().write(0, 16_383, "beat").unwrap();
    let tables = Tables::of(&[file("t.xlsx", Content::Any, workbook.save_to_buffer().unwrap())]);
    assert_eq!(faults(&tables), [("too_many_columns", Some(1), None, None)]);
}

#[test]
fn a_map_outlines_beats_and_each_broken_feature_is_named() {
    let feature = |beat: &str, ring: &str| {
        format!(
            r#"{{"type":"Feature","properties":{{"beat":{beat},"colour":3}},
            "geometry":{{"type":"Polygon","coordinates":[{ring}]}}}}"#
        )
    };
    let ring = "[[76.9,43.2],[77,43.2],[77,43.3],[76.9,43.2]]";
    let features = [
        feature("\"b1\"", ring),
        feature("101", ring),
        feature("null", ring),
        feature("\"b2\"", "[[76.9,43.2],[77,43.2]]"),
        r#"{"properties":{"beat":"b3"},"geometry":{"type":"Point","coordinates":[1,2]}}"#.to_owned(),
    ];
    let map = format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","));
    let tables = Tables::of(&[file("m.geojson", Content::Areas, map)]);
    assert_eq!(tables.organisation.areas.iter().map(|(beat, _)| &**beat).collect::<Vec<_>>(), ["b1", "101"]);
    let told: Vec<_> = faults(&tables).into_iter().map(|(code, row, ..)| (code, row)).collect();
    assert_eq!(told, [("map_malformed", Some(3)), ("outline_malformed", Some(4)), ("map_malformed", Some(5))]);
    assert_eq!(faults(&Tables::of(&[file("m", Content::Areas, "{}")]))[0].0, "map_malformed");
}

#[test]
fn faults_of_the_files_and_of_the_plan_are_told_together_in_the_order_of_the_rows() {
    let files = [
        file("b.csv", Content::One(Kind::Beats), "Код\nb1\nb1\n"),
        file("p.csv", Content::One(Kind::Places), "Участок;Адрес;Код\nb2;Абая 1;\nb1;;\nb1;Абая 2;A\nb1;Абая 3;A\n"),
        file("s.csv", Content::One(Kind::Staff), "ФИО;Участок\nheadquarters;b1\n"),
    ];
    let tables = Tables::of(&files);
    let refusals = Plan::of(&Known::default(), &tables.organisation, LoadOptions::default()).unwrap_err();
    let told = tables.with_refusals(&refusals);
    let lines: Vec<_> = told.faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "p.csv, row 2, column \"Участок\", \"b2\": there is no such beat; is \"b1\" meant? Else list it among the \
             beats [beat_unknown]",
            "p.csv, row 3, column \"Адрес\": no address; fill the cell, or take the row away [cell_missing]",
            "p.csv, row 5, column \"Код\", \"A\": one external code stands at two places; correct one of the rows; see row \
             4 [external_code_twice]",
            "s.csv, row 2, column \"ФИО\", \"headquarters\": this is the name of the server's own hand; write the \
             person's own name [name_reserved]",
        ]
    );
    let broken = Tables::of(&[file("b.csv", Content::One(Kind::Beats), "Kod\nb2\n"), files[1].clone()]);
    let refusals = Plan::of(&Known::default(), &broken.organisation, LoadOptions::default()).unwrap_err();
    let codes: Vec<_> = broken.with_refusals(&refusals).faults.into_iter().map(|fault| fault.code).collect();
    assert_eq!(codes, ["column_missing", "cell_missing"], "that the beats are unknown is no news");
}

fn addresses(tables: &Tables) -> Vec<(&str, &str)> {
    tables.organisation.places.iter().map(|place| (&*place.beat, &*place.address)).collect()
}

#[test]
fn names_and_addresses_in_several_columns_are_whole_ones() {
    let staff = one(Kind::Staff, "Участок;Фамилия;Имя;Отчество\nb1;Ахметов;Болат;Серикович\nb1;Ким;Анна;-\n");
    let names: Vec<_> = staff.organisation.staff.iter().map(|line| &*line.name).collect();
    assert_eq!((faults(&staff), names), (vec![], vec!["Ахметов Болат Серикович", "Ким Анна"]));
    let two_rows =
        "Перечень;;;;\nУчасток;Адрес;;;Код\n;улица;дом;кв.;\nb1;Абая;10;5;A-1\nb1;Абая;12;нет;A-2\nИтого: 2;;;;\n";
    let places = one(Kind::Places, two_rows);
    assert_eq!(faults(&places), []);
    assert_eq!(addresses(&places), [("b1", "Абая, 10, 5"), ("b1", "Абая, 12")]);
    assert_eq!((places.read[0].rows, &places.read[0].totals_not_read[..]), (3, &[6][..]));
    let lost = one(Kind::Places, "Участок;Улица;Дом\nb1;;\nb1;Аб\u{7}ая;1\n");
    assert_eq!(
        faults(&lost),
        [
            ("cell_missing", Some(2), Some("Улица"), None),
            ("control_character", Some(3), Some("Улица"), Some("Аб\u{fffd}ая"))
        ]
    );
}

#[test]
fn a_sheet_that_is_called_as_its_beat_says_of_which_beat_its_rows_are() {
    let mut workbook = Workbook::new();
    for (name, header, row) in [
        ("Участки", ["Код", "Название"], ["7", "Участок 7"]),
        ("Участок 7", ["Код", "Адрес"], ["A-1", "Абая 1"]),
        ("8", ["Код", "Адрес"], ["A-2", "Абая 2"]),
        ("Лист4", ["Код", "Адрес"], ["A-3", "Абая 3"]),
    ] {
        let sheet = workbook.add_worksheet().set_name(name).unwrap();
        for (column, (header, cell)) in (0..).zip(header.into_iter().zip(row)) {
            sheet.write(0, column, header).unwrap().write(1, column, cell).unwrap();
        }
    }
    let bytes = workbook.save_to_buffer().unwrap();
    let tables = Tables::of(&[file("w", Content::Any, bytes.clone())]);
    assert_eq!(addresses(&tables), [("Участок 7", "Абая 1"), ("8", "Абая 2")]);
    assert_eq!(
        faults(&tables),
        [("column_missing", Some(1), Some("beat"), None)],
        "of the sheet that nobody has named"
    );
    assert_eq!(tables.organisation.beats.len(), 1, "no place is a beat");
    let tables = Tables::of(&[file("w", Content::One(Kind::Places), bytes)]);
    assert_eq!((addresses(&tables).len(), faults(&tables)), (2, vec![]));
    assert_eq!(tables.read[1].sheets_not_read, ["Участки", "Лист4"]);
}

#[test]
fn codes_of_which_a_spreadsheet_lost_digits_are_refused() {
    let text = "Участок;Адрес;Код\nb1;Абая 1;2,2E+17\nb1;Абая 2;0201300123456789\nb1;Абая 3;12E+1\n";
    assert_eq!(faults(&one(Kind::Places, text)), [("digits_lost", Some(2), Some("Код"), Some("2,2E+17"))]);
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, header) in (0..).zip(["Участок", "Адрес", "Код"]) {
        sheet.write(0, column, header).unwrap();
    }
    for (row, code) in [(1, 220_130_012_345_678_900.0), (2, 201_300_123_456_789.0)] {
        sheet.write(row, 0, 7).unwrap().write(row, 1, format!("Абая {row}")).unwrap().write(row, 2, code).unwrap();
    }
    let tables = Tables::of(&[file("w", Content::One(Kind::Places), workbook.save_to_buffer().unwrap())]);
    assert_eq!(faults(&tables), [("digits_lost", Some(2), Some("Код"), Some("220130012345678900"))]);
}

#[test]
fn formulas_that_nobody_has_worked_out_are_told() {
    for (value, told) in [("<v></v>", true), ("", true), ("<v>7</v>", false)] {
        let cell = |column: &str, text: &str| format!("<c r=\"{column}\" t=\"inlineStr\"><is><t>{text}</t></is></c>");
        let formula = format!("<c r=\"A2\"><f>3+4</f>{value}</c>");
        let rows = format!(
            "<row r=\"1\">{}{}</row><row r=\"2\">{formula}{}</row>",
            cell("A1", "Участок"),
            cell("B1", "Адрес"),
            cell("B2", "Абая 1")
        );
        let tables = Tables::of(&[file("w", Content::One(Kind::Places), bare_workbook(&rows))]);
        let codes: Vec<_> =
            tables.faults.faults.iter().map(|fault| (fault.code, fault.message.contains("formulas"))).collect();
        assert_eq!(codes, if told { vec![("workbook_broken", true)] } else { vec![] }, "{value}");
    }
}

/// As programs write one, with these rows in its only sheet.
fn bare_workbook(rows: &str) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    let relation = |kind: &str, target: &str| {
        format!(
            "<Relationships xmlns=\"{PACKAGE}\"><Relationship Id=\"r1\" Type=\"{RELATIONS}/{kind}\" Target=\"{target}\"/></Relationships>"
        )
    };
    let parts = [
        ("_rels/.rels", relation("officeDocument", "xl/workbook.xml")),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELATIONS}\"><sheets><sheet name=\"1\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
            ),
        ),
        ("xl/_rels/workbook.xml.rels", relation("worksheet", "worksheets/sheet1.xml")),
        ("xl/worksheets/sheet1.xml", format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{rows}</sheetData></worksheet>")),
    ];
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn a_title_and_groups_over_all_columns_leave_the_lower_row_the_header() {
    let mut workbook = Workbook::new();
    let plain = Format::new();
    // A sheet of one beat, whose every column is in a group.
    let sheet = workbook.add_worksheet().set_name("7").unwrap();
    sheet.merge_range(0, 0, 0, 2, "Адрес", &plain).unwrap().merge_range(0, 3, 0, 4, "Координаты", &plain).unwrap();
    for (row, cells) in (1..).zip([
        ["улица", "дом", "кв.", "широта", "долгота"],
        ["Абая", "1", "5", "43,2", "76,9"],
        ["Абая", "1", "6", "", ""],
    ]) {
        for (column, cell) in (0..).zip(cells) {
            sheet.write(row, column, cell).unwrap();
        }
    }
    // A title over the whole width above a header of two rows.
    let sheet = workbook.add_worksheet().set_name("Места").unwrap();
    sheet.merge_range(0, 0, 0, 5, "Список адресов", &plain).unwrap();
    sheet.merge_range(1, 0, 2, 0, "Участок", &plain).unwrap();
    sheet.merge_range(1, 1, 1, 3, "Адрес", &plain).unwrap().merge_range(1, 4, 1, 5, "Координаты", &plain).unwrap();
    for (column, cell) in (1..).zip(["улица", "дом", "кв.", "широта", "долгота"]) {
        sheet.write(2, column, cell).unwrap();
    }
    for (column, cell) in (0..).zip(["8", "Сатпаева", "5а", "", "43,2", "76,9"]) {
        sheet.write(3, column, cell).unwrap();
    }
    let tables = Tables::of(&[file("w", Content::Any, workbook.save_to_buffer().unwrap())]);
    assert_eq!(faults(&tables), []);
    assert_eq!(addresses(&tables), [("7", "Абая, 1, 5"), ("7", "Абая, 1, 6"), ("8", "Сатпаева, 5а")]);
    let points = tables.organisation.places.iter().filter(|place| place.coordinates.is_some()).count();
    assert_eq!(points, 2);
}

#[test]
fn flats_are_different_places_and_what_says_nothing_is_blank() {
    let places =
        one(Kind::Places, "Участок;Адрес;Квартира;РКА\nb1;ул. Абая 1;5;-\nb1;ул. Абая 1;6;нет\nb1;#Н/Д;;\nb1;-;;\n");
    assert_eq!(addresses(&places), [("b1", "ул. Абая 1, 5"), ("b1", "ул. Абая 1, 6")]);
    assert!(places.organisation.places.iter().all(|place| place.external_code.is_none()));
    let told: Vec<_> = faults(&places).iter().map(|(code, row, ..)| (*code, *row)).collect();
    assert_eq!(told, [("formula_error", Some(4)), ("cell_missing", Some(5))]);
    let staff = one(
        Kind::Staff,
        "ФИО;Участок\nвакант;b1\n1;b1\nКим О.В., Ли С.А.;b1\nКим О.В. и Ли С.А.;b1\nАхметов, Болат;b1\nАли-Ага Ким;b1\n",
    );
    let told: Vec<_> = faults(&staff).iter().map(|(code, row, ..)| (*code, *row)).collect();
    assert_eq!(
        told,
        [("cell_missing", Some(2)), ("cell_missing", Some(3)), ("names_several", Some(4)), ("names_several", Some(5))]
    );
    assert_eq!(staff.organisation.staff.len(), 2);
}
