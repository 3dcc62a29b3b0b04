//! A file that a command is to write: anything but what a store lives in.
//!
//! A backup written over the live database ends with success, and the store is gone at the next start. So a target is
//! looked at before a byte is written: by the folder that it really is in, and by what it really is, whatever names, links
//! or mounts lead there.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::failure::Failure;

/// What a folder of Aralau's holds: a server's database, or a phone's.
const STORES: [&str; 2] = ["aralau.db", "device.db"];
/// What SQLite puts beside a database.
const BESIDE: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// Refuses a target that is a file of a store, or lies in the folder of one, `home` above all.
pub fn check(file: &Path, home: &Path) -> Result<(), Failure> {
    let real = real_path(file)?;
    let folder = real.parent().unwrap_or(Path::new("/"));
    let inside = |holder: &Path| {
        let (file, holder) = (file.display(), holder.display());
        let sentence = format!("{file} lies in {holder}, where a store lives; name a file in another folder");
        Failure::new("target_in_store", sentence)
    };
    if let Some(holder) = folder.ancestors().find(|above| is_same(above, home)) {
        return Err(inside(holder));
    }
    if STORES.iter().any(|store| folder.join(store).exists()) {
        return Err(inside(folder));
    }
    if files_of(home).iter().any(|known| is_same(known, &real) || known == &real) {
        let file = file.display();
        return Err(Failure::new(
            "target_in_store",
            format!("{file} is another name for a file of the store in {}; name a new file", home.display()),
        ));
    }
    Ok(())
}

/// Where the file is, or will be: with its folder's own name, and behind any link.
fn real_path(file: &Path) -> Result<PathBuf, Failure> {
    let shown = file.display();
    let refused = |sentence: String| Failure::new("target", sentence);
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(name) = file.file_name() else { return Err(refused(format!("{shown} names no file"))) };
    let real_folder = fs::canonicalize(folder)
        .map_err(|error| refused(format!("the folder {} for {shown}: {error}; make it first", folder.display())))?;
    let Ok(there) = fs::symlink_metadata(file) else { return Ok(real_folder.join(name)) };
    if there.is_symlink() {
        let real = fs::canonicalize(file).map_err(|_| refused(format!("{shown} is a link that leads nowhere")))?;
        return fs::metadata(&real)?.is_file().then_some(real).ok_or_else(|| not_a_file(file));
    }
    if there.is_file() { Ok(real_folder.join(name)) } else { Err(not_a_file(file)) }
}

fn not_a_file(file: &Path) -> Failure {
    Failure::new("target", format!("{} is no ordinary file; name a new one", file.display()))
}

/// Everything in the folder, and where a database that is a link has what belongs to it.
fn files_of(home: &Path) -> Vec<PathBuf> {
    let named: Vec<PathBuf> = fs::read_dir(home).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    let databases = STORES.iter().filter_map(|store| fs::canonicalize(home.join(store)).ok());
    let beside = databases.flat_map(|database| BESIDE.map(|end| PathBuf::from(format!("{}{end}", database.display()))));
    named.iter().cloned().chain(beside).collect()
}

/// Whether both are there and are one, by whatever names.
pub fn is_same(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
    identity(one).is_some_and(|one| identity(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn store() -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir_all(place.path().join("data/kept")).unwrap();
        fs::create_dir_all(place.path().join("other")).unwrap();
        for name in ["aralau.db", "aralau.db-wal", "aralau.db-shm", "high-water", "serving.lock", "aralau.toml"] {
            fs::write(place.path().join("data").join(name), name).unwrap();
        }
        place
    }

    fn code(place: &tempfile::TempDir, target: &str) -> Option<String> {
        check(&place.path().join(target), &place.path().join("data")).err().map(|failure| failure.code().to_owned())
    }

    #[test]
    fn no_name_in_the_data_folder_is_a_target() {
        let place = store();
        for name in ["aralau.db", "aralau.db-wal", "aralau.db-shm", "high-water", "serving.lock", "aralau.toml"] {
            assert_eq!(code(&place, &format!("data/{name}")).as_deref(), Some("target_in_store"), "{name}");
        }
        for name in ["data/new.db", "data/kept/new.db", "other/../data/new.db", "data/./aralau.db"] {
            assert_eq!(code(&place, name).as_deref(), Some("target_in_store"), "{name}");
        }
        assert_eq!(code(&place, "other/new.db"), None);
        fs::write(place.path().join("other/old.db"), "an older backup").unwrap();
        assert_eq!(code(&place, "other/old.db"), None);
    }

    #[test]
    fn no_link_leads_a_target_into_the_data_folder() {
        let place = store();
        let at = |name: &str| place.path().join(name);
        fs::hard_link(at("data/aralau.db"), at("other/hard.db")).unwrap();
        symlink(at("data/aralau.db-wal"), at("other/soft.db")).unwrap();
        symlink(at("data"), at("other/folder")).unwrap();
        symlink("soft.db", at("other/twice.db")).unwrap();
        symlink(at("data/not-yet"), at("other/nowhere.db")).unwrap();
        for (name, expected) in [
            ("other/hard.db", "target_in_store"),
            ("other/soft.db", "target_in_store"),
            ("other/twice.db", "target_in_store"),
            ("other/folder/new.db", "target_in_store"),
            ("other/nowhere.db", "target"),
        ] {
            assert_eq!(code(&place, name).as_deref(), Some(expected), "{name}");
        }
    }

    #[test]
    fn a_database_elsewhere_behind_a_link_is_the_store_with_what_lies_beside_it() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::create_dir_all(at("data")).unwrap();
        fs::create_dir_all(at("disk")).unwrap();
        fs::write(at("disk/store"), "database").unwrap();
        symlink(at("disk/store"), at("data/aralau.db")).unwrap();
        for name in ["disk/store", "disk/store-wal"] {
            assert_eq!(code(&place, name).as_deref(), Some("target_in_store"), "{name}");
        }
        assert_eq!(code(&place, "disk/backup"), None);
    }

    #[test]
    fn another_store_is_no_target_either() {
        let place = store();
        for (folder, database) in [("second", "aralau.db"), ("phone", "device.db")] {
            fs::create_dir_all(place.path().join(folder)).unwrap();
            fs::write(place.path().join(folder).join(database), "").unwrap();
            assert_eq!(code(&place, &format!("{folder}/{database}")).as_deref(), Some("target_in_store"));
        }
    }

    #[test]
    fn a_missing_folder_or_what_is_no_file_is_named() {
        let place = store();
        for name in ["absent/new.db", "other", "other/..", "/dev/null"] {
            assert_eq!(code(&place, name).as_deref(), Some("target"), "{name}");
        }
    }
}
