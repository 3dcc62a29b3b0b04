//! A full disk: the server says so, loses nothing that it acknowledged, and goes on once there is room.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use aralau_client_sdk::VisitState;
use aralau_tests::{
    headquarters::Headquarters,
    phone::{self, Phone},
    process::{Server, eventually},
    world::{World, admin},
};

/// A small file system of its own, gone when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where this process may not mount.
    fn mount(at: &Path) -> Option<Self> {
        fs::create_dir_all(at).expect("a folder");
        let arguments = ["-t", "tmpfs", "-o", "size=32m", "tmpfs"];
        let mounted = Command::new("mount").args(arguments).arg(at).output().is_ok_and(|run| run.status.success());
        mounted.then(|| Self(at.to_owned()))
    }

    fn fill(&self) {
        let bytes = vec![0; 64 * 1024];
        let mut file = fs::File::create(self.ballast()).expect("room for a name");
        while std::io::Write::write_all(&mut file, &bytes).is_ok() {}
    }

    fn clear(&self) {
        fs::remove_file(self.ballast()).expect("it was there");
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

#[test]
fn a_full_disk_is_told_and_nothing_acknowledged_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&folder.path().join("disk")) else {
        // Where one is not root, nothing is lost by not knowing; CI runs as root.
        eprintln!("skipped: only root may mount a small disk");
        return;
    };
    let data = disk.0.join("data");
    // Without the reserve, which would have the server stop taking before the disk is full.
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("aralau.toml"), "reserve_mib = 0\n").unwrap();
    let mut server = Server::start_to_return(&data);
    admin(&data, &["sample"]).ok();
    let text = |run: aralau_tests::process::Run, name: &str| run.ok().object()[name].as_str().unwrap().to_owned();
    let code = text(admin(&data, &["enroll", "--beat", "beat-01", "--inspector", "Aigul"]), "code");
    let token = text(admin(&data, &["token", "--role", "headquarters"]), "token");
    let headquarters = Headquarters::new(&server.url(), Some(&token));
    let phone = Phone::at(&folder.path().join("phone"));
    phone.run(&["enroll", "--server", &server.url(), "--code", &code]).ok();
    phone.sync();
    let mut client = phone.sdk();
    let log = |client: &mut phone::Sdk, count: usize| {
        for n in 0..count {
            let noise: String = (0..20).map(|_| uuid::Uuid::new_v4().to_string()).collect();
            phone::log(client, &format!("{n} {noise}"));
        }
    };
    log(&mut client, 50);
    phone::sync(&mut client, 8).unwrap();
    assert_eq!(headquarters.visits("").len(), 50);

    disk.fill();
    log(&mut client, 2_000);
    let refused = phone::sync(&mut client, 0).expect_err("there is no room");
    assert_eq!((refused.code(), refused.action()), ("unavailable", aralau_client_sdk::Action::Retry));
    assert!(format!("{refused}").contains("503"), "{refused}");
    assert!(server.is_running());
    // What can be done without room still can be.
    let acknowledged = client.visits().unwrap().iter().filter(|visit| visit.state != VisitState::OnThisPhone).count();
    let here = headquarters.visits("").len();
    assert!(here >= acknowledged && acknowledged >= 50, "{here} of {acknowledged} acknowledged");
    assert_eq!(headquarters.ask("/livez").status, 200);

    // A server that dies on a full disk is none the worse either.
    server.kill();
    disk.clear();
    server.start_again();
    assert!(headquarters.visits("").len() >= acknowledged);
    disk.fill();
    assert_eq!(phone::sync(&mut client, 0).expect_err("there is no room").code(), "unavailable");
    disk.clear();
    eventually("it goes on by itself once there is room", || {
        phone::sync(&mut client, 2).is_ok_and(|report| report.unsent == 0)
    });
    assert_eq!(headquarters.visits("").len(), 2_050);
    assert!(client.visits().unwrap().iter().all(|visit| visit.state == VisitState::AtHeadquarters));
    let report = admin(&data, &["check"]).ok().object();
    assert_eq!(report["problems"], serde_json::json!([]));
}

#[test]
fn the_last_of_a_disk_is_kept_for_headquarters_and_phones_keep_what_they_have() {
    // More than any disk has.
    let world = World::set(&[("ARALAU_RESERVE_MIB", "4000000000")]);
    let mut client = world.sdk("Aigul", "beat-01");
    let headquarters = world.headquarters();
    phone::log(&mut client, "kept on the phone");
    let metrics = || headquarters.ask("/metrics").text;
    eventually("the server has looked at its disk", || metrics().contains("\naralau_disk_reserve_touched 1\n"));
    let report = phone::sync(&mut client, 8).unwrap();
    assert_eq!((report.refused, report.unsent), (vec!["disk_reserved".to_owned()], 1));
    assert_eq!(headquarters.visits("").len(), 0);
    assert!(metrics().contains("aralau_refused_frames_total{reason=\"disk_reserved\"} 1"), "{}", metrics());
    world.check();
}

#[test]
fn a_phone_brings_a_days_worth_and_the_rest_stays_on_it() {
    let world = World::set(&[("ARALAU_DEVICE_QUOTA_MIB", "1")]);
    let (mut client, mut other) = (world.sdk("Aigul", "beat-01"), world.sdk("Bolat", "beat-01"));
    let noise: String = (0..500).map(|_| uuid::Uuid::new_v4().to_string()).collect();
    for _ in 0..80 {
        phone::log(&mut client, &noise);
    }
    let report = phone::sync(&mut client, 8).unwrap();
    assert_eq!(report.refused, ["quota_reached"]);
    assert!(report.pushed > 0 && report.unsent > 0, "{report:?}");
    let unsent = report.unsent;
    let again = phone::sync(&mut client, 8).unwrap();
    assert_eq!((again.refused, again.unsent), (vec!["quota_reached".to_owned()], unsent));
    phone::log(&mut other, "not the other's fault");
    assert_eq!(phone::sync(&mut other, 8).unwrap().unsent, 0);
    world.check();
}
