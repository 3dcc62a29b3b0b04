//! The code lists that come with this build.

use aralau::codes::nearest;
use aralau_sync_core::vocabulary::LISTS;
use serde_json::json;

use crate::{failure::Failure, output};

/// Prints all lists, or one.
pub(super) fn list(json: bool, name: Option<&str>) -> Result<(), Failure> {
    let lists: Vec<_> = LISTS.iter().filter(|list| name.is_none_or(|name| name == list.name)).collect();
    if lists.is_empty() {
        let names: Vec<_> = LISTS.iter().map(|list| list.name).collect();
        let names = names.join(", ");
        return Err(Failure::new("list_unknown", format!("there is no such list; these are: {names}")));
    }
    let codes: Vec<_> = lists.iter().flat_map(|list| list.codes.iter().map(|code| (list.name, code))).collect();
    for (list, code) in codes {
        let (ru, kk, en) = (code.ru.text, code.kk.text, code.en.text);
        let said = json!({ "list": list, "code": code.code, "ru": ru, "kk": kk, "en": en });
        output::show(json, &said, |_| format!("{list:<16} {:<24} {en} | {ru} | {kk}", code.code));
    }
    Ok(())
}

/// Refuses a code that the list does not have: it would be carried as it stands, and counted as nothing.
pub(super) fn check(list: &str, code: &str, force: bool) -> Result<(), Failure> {
    let listed = LISTS.iter().find(|known| known.name == list);
    if force || listed.is_none_or(|list| list.code(code).is_some()) {
        return Ok(());
    }
    let nearest = listed.and_then(|list| nearest(list, code));
    let hint = nearest.map_or_else(String::new, |nearest| format!("; `{nearest}` is"));
    let sentence =
        format!("`{code}` is not in the list {list}{hint}. See `codes {list}`, or take it as it is: --force");
    Err(Failure::new("code_unlisted", sentence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_is_not_listed_is_refused_with_the_nearest_and_taken_by_force() {
        assert!(check("outcome", "contacted", false).is_ok());
        let refused = check("outcome", "contactd", false).unwrap_err();
        assert!(format!("{refused:?}").contains("`contacted`"), "{refused:?}");
        assert!(!format!("{:?}", check("outcome", "drone", false).unwrap_err()).contains("; `"));
        assert!(check("outcome", "drone", true).is_ok());
    }
}
