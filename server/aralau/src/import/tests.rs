use std::fmt::Write as _;

use super::*;

const SMALL: &[u8] = include_bytes!("../../../../tests/data/inspections-small.csv");
const HEADER: &str = "date,time,occupancy,precinct,bbl,reason,address,zip,floor,team,notes,buildings_violations,\
                      fire_violations,police_summonses,police_arrests,health_summonses,citation-YN";

#[test]
fn the_small_file_gives_its_known_numbers() {
    let import = read(SMALL).unwrap();
    assert_eq!((import.rows, import.visits.len(), import.duplicate_rows), (41, 34, 4));
    assert_eq!(import.rejected, []);
    assert_eq!(import.places.len(), 33);
    assert_eq!(
        import.inspectors,
        [
            "Inspector-01",
            "Inspector-02",
            "Inspector-03",
            "Inspector-04",
            "Inspector-04.",
            "Inspector-05",
            "Inspector-O1",
            "unassigned"
        ]
    );
    assert_eq!(import.visits.iter().map(|visit| visit.rows.len()).sum::<usize>(), import.rows);
}

#[test]
fn each_kind_of_dirt_in_the_small_file_is_labelled() {
    let counts: Vec<(&str, usize)> =
        read(SMALL).unwrap().dirt_counts().into_iter().map(|(dirt, count)| (dirt.code(), count)).collect();
    assert_eq!(
        counts,
        [
            ("malformed_date", 1),
            ("blank_time", 1),
            ("malformed_time", 2),
            ("blank_precinct", 1),
            ("unknown_precinct", 2),
            ("blank_bbl", 1),
            ("malformed_bbl", 1),
            ("blank_address", 1),
            ("blank_zip", 2),
            ("malformed_zip", 1),
            ("floor_turned_into_date", 1),
            ("blank_team", 2),
            ("suspicious_name", 1),
            ("repeated_name", 1),
            ("malformed_count", 1),
            ("malformed_citation", 1),
            ("line_break_in_cell", 2),
            ("surrounding_space", 2),
            ("garbled_text", 1),
            ("missing_cells", 1),
            ("extra_cells", 1),
        ]
    );
}

#[test]
fn a_duplicate_row_adds_no_note_and_no_edit() {
    let import = read(SMALL).unwrap();
    let visit = visit_at(&import, "103 Fictive Place");
    assert_eq!(visit.rows.iter().map(|row| row.duplicate).collect::<Vec<_>>(), [false, true, true]);
    assert_eq!(visit.rows.iter().map(|row| row.notes.len()).collect::<Vec<_>>(), [1, 0, 0]);
    assert_eq!(visit.rows[2].edit_since(&visit.rows[0]), []);
}

#[test]
fn a_further_row_of_a_visit_is_an_edit_of_what_differs() {
    let import = read(SMALL).unwrap();
    let visit = visit_at(&import, "101 Sample Avenue");
    let [first, second, third] = visit.rows.as_slice() else { panic!("{visit:?}") };
    assert_eq!(second.team, ["Inspector-05", "Inspector-02"]);
    assert_eq!(second.notes, ["Inspection Note: Second look."]);
    let text = |text: &str| FieldValue::Text(text.to_owned());
    assert_eq!(
        second.edit_since(first),
        [
            ("team".to_owned(), text("Inspector-05 Inspector-02")),
            ("fire_violations".to_owned(), FieldValue::Int(2)),
            ("citation".to_owned(), FieldValue::Bool(true)),
            ("import_dirt".to_owned(), text("blank_zip")),
            ("zip".to_owned(), text("")),
        ]
    );
    assert_eq!(third.edit_since(first), [("team".to_owned(), text("Inspector-01 Inspector-03 Inspector-02"))]);
    assert!(!third.duplicate);
}

#[test]
fn white_space_around_a_cell_makes_no_other_visit_and_is_kept() {
    let import = read(SMALL).unwrap();
    let visit = visit_at(&import, "104 Invented Street");
    assert_eq!(visit.rows.len(), 2);
    assert!(!visit.rows[1].duplicate && visit.rows[1].dirt.contains(&Dirt::SurroundingSpace));
    assert_eq!(field(&visit.rows[1], "address"), Some(" 104 Invented Street, New York, New York 10005 "));
}

#[test]
fn cells_are_kept_verbatim() {
    let import = read(SMALL).unwrap();
    let row = &visit_at(&import, "3 Broken Line").rows[0];
    assert_eq!(row.notes, ["ECB DOB 0000000X,\r\r\nFD E000000 (Served),\r\nInspection Note: No Access To Apt."]);
    let row = &visit_at(&import, "2 Clock Court").rows[0];
    assert_eq!(field(row, "started_at_text"), Some("2/5/14 24:40:00"));
    assert_eq!(field(row, "precinct"), Some("9PBMS"));
    assert_eq!(row.visited_on, NaiveDate::from_ymd_opt(2014, 2, 5));
    assert_eq!(row.visited_at, None);
    let row = &visit_at(&import, "2 Name Way").rows[0];
    assert_eq!(field(row, "buildings_violations"), Some("two"));
    assert_eq!(field(row, "citation"), Some("Maybe"));
    let row = &visit_at(&import, "2 Ragged Row").rows[0];
    assert_eq!(field(row, "column_18"), Some("left over"));
}

#[test]
fn keys_are_within_the_grammar_and_each_stands_once_in_a_row() {
    for row in read(SMALL).unwrap().visits.iter().flat_map(|visit| &visit.rows) {
        let keys: BTreeSet<&str> = row.fields.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys.len(), row.fields.len());
        let fits = |key: &str| {
            key.len() <= 64
                && key.starts_with(|c: char| c.is_ascii_lowercase())
                && key.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        };
        assert!(keys.iter().all(|key| fits(key)), "{keys:?}");
    }
}

#[test]
fn ids_are_the_same_in_every_run() {
    let import = read(format!("{HEADER}\n{}", plain(&["", "seen"])).as_bytes()).unwrap();
    let id = Uuid::new_v5(&VISIT_NAMESPACE, b"1/2/14|9:00|MN-00001-0001|1 A Street|");
    assert_eq!(import.visits[0].id, id);
    assert_eq!(import.visits[0].place, Some(Uuid::new_v5(&PLACE_NAMESPACE, b"MN-00001-0001|1 A Street")));
    assert_eq!(import.visits[0].id.to_string(), "4e3ebcd8-8b4d-54ad-a734-48a792d7fe55");
}

#[test]
fn a_file_that_is_no_such_table_is_refused_with_the_reason() {
    assert_eq!(read(b""), Err(ImportError::Empty));
    assert_eq!(read(b"\xef\xbb\xbf\r\n\r\n"), Err(ImportError::Empty));
    let error = read(HEADER.replace("bbl,", "").replace(",notes", "").as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "the header lacks: bbl, notes");
    assert_eq!(read(",".repeat(MAX_COLUMNS).as_bytes()), Err(ImportError::TooManyColumns));
}

#[test]
fn a_header_alone_is_an_empty_import() {
    let import = read(HEADER.as_bytes()).unwrap();
    assert_eq!((import.rows, import.visits.len(), import.inspectors.len()), (0, 0, 0));
}

#[test]
fn columns_may_come_in_any_order_with_others_between() {
    let mut names: Vec<&str> = HEADER.split(',').collect();
    names.reverse();
    names.insert(3, "weather");
    let cells: Vec<&str> = names.iter().map(|name| if *name == "team" { "Inspector-07" } else { "x" }).collect();
    let import = read(format!("{}\n{}\n", names.join(","), cells.join(",")).as_bytes()).unwrap();
    assert_eq!(import.inspectors, ["Inspector-07"]);
    assert_eq!(field(&import.visits[0].rows[0], "column_4"), Some("x"));
    assert!(!import.visits[0].rows[0].dirt.contains(&Dirt::ExtraCells));
}

#[test]
fn bytes_that_are_not_utf8_are_kept_one_character_each() {
    let mut file = format!("{HEADER}\n{}", plain(&["", "caf?"])).into_bytes();
    let at = file.iter().position(|byte| *byte == b'?').unwrap();
    file[at] = 0xe9;
    let row = &read(&file).unwrap().visits[0].rows[0];
    assert_eq!(row.notes, ["café"]);
    assert!(row.dirt.contains(&Dirt::NotUtf8));
}

#[test]
fn a_cell_over_its_limit_goes_on_in_further_notes() {
    let note = "ж".repeat(MAX_NOTE_BYTES);
    let address = "б".repeat(MAX_FIELD_BYTES);
    let file = format!("{HEADER}\n{}", plain(&["", &note]).replace("1 A Street", &address));
    let import = read(file.as_bytes()).unwrap();
    let row = &import.visits[0].rows[0];
    assert!(row.dirt.contains(&Dirt::OversizeCell));
    assert!(row.notes.iter().all(|note| note.len() <= MAX_NOTE_BYTES));
    assert_eq!(row.notes[..2].concat(), note);
    let rest = row.notes[2].strip_prefix("address: …").unwrap();
    assert_eq!(format!("{}{rest}", field(row, "address").unwrap()), address);
    assert!(import.places[0].address.len() <= MAX_FIELD_BYTES);
}

#[test]
fn a_row_over_the_limits_is_rejected_by_itself() {
    let mut file = format!("{HEADER}\n");
    file += &plain(&["", &"x".repeat(MAX_ROW_BYTES)]);
    file += &plain(&["", "fits"]);
    file += &format!("{}\n", ",".repeat(MAX_COLUMNS));
    file += &plain(&["", "fits"]).replace("Inspector-01", &"n".repeat(MAX_NAME_BYTES + 1));
    let crowd = (0..=MAX_TEAM).fold(String::new(), |mut crowd, number| {
        let _ = write!(crowd, "n{number} ");
        crowd
    });
    file += &plain(&["", "fits"]).replace("Inspector-01", &crowd);
    let import = read(file.as_bytes()).unwrap();
    let rejected: Vec<(u64, Rejection)> = import.rejected.iter().map(|row| (row.line, row.reason)).collect();
    assert_eq!(
        rejected,
        [
            (2, Rejection::TooLong),
            (4, Rejection::TooManyCells),
            (5, Rejection::NameTooLong),
            (6, Rejection::TeamTooLarge)
        ]
    );
    assert_eq!((import.rows, import.visits.len()), (5, 1));
}

#[test]
fn a_quote_left_open_is_labelled_where_it_swallowed_rows() {
    let file = format!("{HEADER}\n{}{}", plain(&["", "\"open"]), plain(&["2", "swallowed"]));
    let import = read(file.as_bytes()).unwrap();
    assert_eq!(import.rows, 1);
    let row = &import.visits[0].rows[0];
    assert!(row.dirt.contains(&Dirt::UnclosedQuote));
    assert_eq!(field(row, "import_dirt").unwrap().split(' ').next_back(), Some("unclosed_quote"));
    assert!(row.notes[0].contains("swallowed"));
}

#[test]
fn any_bytes_give_a_plan_or_an_error() {
    // Cut anywhere, and any byte of the header and the first rows changed: the reader must never panic.
    for end in (0..SMALL.len()).step_by(7) {
        let _ = read(&SMALL[..end]);
    }
    for at in 0..500 {
        for byte in [0, b'"', b',', b'\n', b'\r', 0xff] {
            let mut file = SMALL[..700].to_vec();
            file[at] = byte;
            let _ = read(&file);
        }
    }
}

/// The published data set is not part of this project: name your copy in `ARALAU_INSPECTIONS_CSV`.
#[test]
fn the_published_file_gives_its_known_numbers() {
    let Some(path) = std::env::var_os("ARALAU_INSPECTIONS_CSV") else {
        eprintln!("skipped: ARALAU_INSPECTIONS_CSV is not set");
        return;
    };
    let Ok(file) = std::fs::read(&path) else {
        eprintln!("skipped: {} cannot be read", path.display());
        return;
    };
    let import = read(&file).unwrap();
    println!("rows {}, visits {}, inspectors {}", import.rows, import.visits.len(), import.inspectors.len());
    println!("duplicate rows {}, places {}", import.duplicate_rows, import.places.len());
    for (dirt, count) in import.dirt_counts() {
        println!("{} {count}", dirt.code());
    }
    let mut codes = BTreeMap::<(&str, &str), usize>::new();
    for row in import.visits.iter().flat_map(|visit| &visit.rows) {
        for key in ["outcome", "visit_type"] {
            *codes.entry((key, field(row, key).unwrap_or("-"))).or_default() += 1;
        }
    }
    println!("{codes:?}");
    assert_eq!((import.rows, import.visits.len(), import.inspectors.len()), (2_684, 2_262, 16));
    assert_eq!((import.duplicate_rows, import.rejected.len()), (405, 0));
}

/// A row with that floor and note.
fn plain(cells: &[&str; 2]) -> String {
    let [floor, note] = cells;
    format!("1/2/14,9:00,Hotel,PBMS,MN-00001-0001,Audit,1 A Street,10001,{floor},Inspector-01,{note},0,0,0,0,0,No\n")
}

fn visit_at<'a>(import: &'a Import, address: &str) -> &'a ImportVisit {
    let here =
        |visit: &&ImportVisit| field(&visit.rows[0], "address").is_some_and(|text| text.trim().starts_with(address));
    import.visits.iter().find(here).unwrap()
}

fn field<'a>(row: &'a ImportRow, key: &str) -> Option<&'a str> {
    row.fields.iter().find(|(name, _)| name == key).and_then(|(_, value)| match value {
        FieldValue::Text(text) => Some(text.as_str()),
        FieldValue::Int(_) | FieldValue::Bool(_) => None,
    })
}
