//! What the demo makes of the data set's own words: our codes beside the raw text, which is always kept as well.
//!
//! These are guesses good enough for a demonstration, first match wins. Nothing but the demo depends on them.

/// `visit_type` from the `reason` cell. Anything that mentions a complaint is one; a return to check on something is a
/// follow-up; the rest keeps a code of the source's own (`posting`, `audit`…), which no list of ours knows.
pub fn visit_type(reason: &str) -> Option<&'static str> {
    const CODES: &[(&str, &str)] = &[
        ("complaint", "complaint"),
        ("complt", "complaint"),
        ("re-inspect", "follow_up"),
        ("reinspect", "follow_up"),
        ("dismissal", "follow_up"),
        ("follow", "follow_up"),
        ("complian", "follow_up"),
        ("check", "follow_up"),
        ("re-ent", "follow_up"),
        ("reent", "follow_up"),
        ("re ent", "follow_up"),
        ("posting", "posting"),
        ("post", "posting"),
        ("swo", "stop_work_or_vacate"),
        ("vacate", "stop_work_or_vacate"),
        ("investigation", "investigation"),
        ("audit", "audit"),
        ("ifd", "inspection_for_dismissal"),
    ];
    first_match(reason, CODES).or((!reason.trim().is_empty()).then_some("other"))
}

/// `place_type` from the `occupancy` cell. Dwellings before their use as hotels; nothing for a blank cell.
pub fn place_type(occupancy: &str) -> Option<&'static str> {
    const CODES: &[(&str, &str)] = &[
        ("1-2 family", "house"),
        ("multiple dwelling", "apartment"),
        ("dwelling unit", "apartment"),
        ("condominium", "apartment"),
        ("class b", "apartment"),
        ("sro", "dormitory"),
        ("shelter", "dormitory"),
        ("church", "public"),
        ("worship", "public"),
        ("assembly", "public"),
        ("p.a.", "public"),
        ("hotel", "business"),
        ("commercial", "business"),
        ("retail", "business"),
        ("storage", "business"),
        ("physical", "business"),
    ];
    first_match(occupancy, CODES).or((!occupancy.trim().is_empty()).then_some("other"))
}

/// `outcome` from the note, the occupancy and whether anything was cited.
///
/// 1. A refusal in so many words is `refused`, even where the same note says "no access".
/// 2. A citation, or an occupant described, means somebody was met: `contacted`.
/// 3. Otherwise the note's own words, then an occupancy of "vacant space", decide.
/// 4. Whatever says none of this is `contacted`: the source writes a note when access failed.
pub fn outcome(note: &str, occupancy: &str, cited: bool) -> &'static str {
    const REFUSED: &[(&str, &str)] = &[
        ("refused entry", "refused"),
        ("refused access", "refused"),
        ("access refused", "refused"),
        ("denied access", "refused"),
        ("access denied", "refused"),
        ("no access. denied", "refused"),
        ("refused to open", "refused"),
        ("refuses to open", "refused"),
    ];
    const ABSENT: &[(&str, &str)] = &[
        ("no access", "no_access"),
        ("unable to gain", "no_access"),
        ("unable to gsin", "no_access"),
        ("unable to access", "no_access"),
        ("could not gain", "no_access"),
        ("locked", "no_access"),
        ("no answer", "nobody_home"),
        ("no one on premises", "nobody_home"),
        ("no one there", "nobody_home"),
        ("nobody", "nobody_home"),
        ("not home", "nobody_home"),
        ("no activity", "nobody_home"),
        ("moved out", "moved"),
        ("lease and moved", "moved"),
        ("vacant", "vacant"),
        ("demolished", "vacant"),
        ("out of business", "vacant"),
        ("premises closed", "vacant"),
    ];
    const EMPTY: &[(&str, &str)] = &[("vacant", "vacant"), ("demolished", "vacant")];
    if let Some(refused) = first_match(note, REFUSED) {
        return refused;
    }
    if cited || note.to_ascii_lowercase().contains("occupants (") {
        return "contacted";
    }
    first_match(note, ABSENT).or_else(|| first_match(occupancy, EMPTY)).unwrap_or("contacted")
}

fn first_match(text: &str, codes: &[(&str, &'static str)]) -> Option<&'static str> {
    let text = text.to_ascii_lowercase();
    codes.iter().find(|(word, _)| text.contains(word)).map(|(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_becomes_a_visit_type_or_keeps_a_code_of_its_own() {
        assert_eq!(visit_type("bis complaint, Inspection for Dismissal"), Some("complaint"));
        assert_eq!(visit_type("SWO/Vacate Re-inspection"), Some("follow_up"));
        assert_eq!(visit_type("Posting, vacate order Q20/14"), Some("posting"));
        assert_eq!(visit_type("Lock Swap"), Some("other"));
        assert_eq!(visit_type("  "), None);
    }

    #[test]
    fn an_occupancy_becomes_a_place_type() {
        assert_eq!(place_type("1-2 Family"), Some("house"));
        assert_eq!(place_type("Sro/vacated Space"), Some("dormitory"));
        assert_eq!(place_type("Illegal Hotel"), Some("business"));
        assert_eq!(place_type("Rl"), Some("other"));
        assert_eq!(place_type(""), None);
    }

    #[test]
    fn a_note_tells_how_the_visit_ended() {
        assert_eq!(outcome("No Access 2nd Visit.", "", false), "no_access");
        assert_eq!(outcome("No Access 2nd Visit. Access Refused By Neighbour.", "", false), "refused");
        assert_eq!(outcome("No Activity. Legal 2 Family.", "", false), "nobody_home");
        assert_eq!(outcome("Apt 4a found, no access apt 2", "", true), "contacted");
        assert_eq!(outcome("Unable To Determine. Bldg Vacant.", "", false), "vacant");
        assert_eq!(outcome("Execute Vacate Order", "", false), "contacted");
        assert_eq!(outcome("", "Vacant Space", false), "vacant");
        assert_eq!(outcome("", "", false), "contacted");
    }
}
