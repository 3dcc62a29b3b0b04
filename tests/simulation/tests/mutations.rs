//! The broken builds that show each judge biting: here only that there is one for each invariant and that it still applies.
//! `tests/simulation/mutations/run` builds them and lives worlds until they are found.

use std::{collections::BTreeSet, path::Path, process::Command};

#[test]
fn each_invariant_has_a_mutation_that_applies() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mutations");
    let mut broken = BTreeSet::new();
    for entry in std::fs::read_dir(&folder).expect("the mutations") {
        let path = entry.expect("readable").path();
        if path.extension().is_none_or(|extension| extension != "patch") {
            continue;
        }
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        broken.insert(name.split('-').next().expect("an invariant").to_owned());
        let root = folder.join("../../..");
        let applied = Command::new("git").args(["apply", "--check"]).arg(&path).current_dir(root).output();
        let applied = applied.expect("git runs");
        assert!(applied.status.success(), "{name}: {}", String::from_utf8_lossy(&applied.stderr));
    }
    assert_eq!(broken, (1..=9).map(|number| format!("i{number}")).collect());
}
