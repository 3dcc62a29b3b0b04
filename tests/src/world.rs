//! An organisation in a fresh folder, and the server that serves it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    headquarters::Headquarters,
    phone::{Phone, Sdk, open},
    process::{Run, Server, aralau, command},
};

/// `aralau admin --data … <arguments> --json`.
#[track_caller]
pub fn admin(data: &Path, arguments: &[&str]) -> Run {
    let data = data.to_str().expect("a path in UTF-8");
    aralau([&["admin", "--data", data], arguments, &["--json"]].concat())
}

/// The sample organisation with its server; everything goes when it is dropped.
#[derive(Debug)]
pub struct World {
    /// The running server. Dropped before its folder.
    pub server: Server,
    folder: TempDir,
}

impl World {
    /// A server beside which all of `admin` is done.
    pub fn new() -> Self {
        Self::made(Server::start)
    }

    /// The same on a port to which the server can come back.
    pub fn to_return() -> Self {
        Self::made(Server::start_to_return)
    }

    /// A server with these settings, as variables of its environment.
    pub fn set(settings: &[(&str, &str)]) -> Self {
        Self::made(|data| {
            let mut command = command(Server::arguments(data, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))));
            command.envs(settings.iter().copied());
            Server::launch(command, data)
        })
    }

    fn made(start: impl FnOnce(&Path) -> Server) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = start(&folder.path().join("data"));
        let world = Self { server, folder };
        world.admin(&["sample"]).ok();
        world
    }

    /// A path in the world's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file in the world's folder; its path.
    #[track_caller]
    pub fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).expect("written");
        self.path(name).to_str().expect("a path in UTF-8").to_owned()
    }

    /// A command of the administrator, beside the running server.
    #[track_caller]
    pub fn admin(&self, arguments: &[&str]) -> Run {
        admin(&self.server.data, arguments)
    }

    /// A one-time code.
    #[track_caller]
    pub fn code(&self, name: &str, beat: &str) -> String {
        let made = self.admin(&["enroll", "--beat", beat, "--inspector", name]).ok().object();
        made["code"].as_str().expect("a code").to_owned()
    }

    /// Someone with a token of this role.
    #[track_caller]
    pub fn role(&self, role: &str) -> Headquarters {
        let made = self.admin(&["token", "--role", role]).ok().object();
        Headquarters::new(&self.server.url(), Some(made["token"].as_str().expect("a token")))
    }

    /// Headquarters.
    #[track_caller]
    pub fn headquarters(&self) -> Headquarters {
        self.role("headquarters")
    }

    /// An enrolled phone that knows its places.
    #[track_caller]
    pub fn phone(&self, name: &str, beat: &str) -> Phone {
        let phone = Phone::at(&self.path(&format!("phone-{name}")));
        let code = self.code(name, beat);
        phone.run(&["enroll", "--server", &self.server.url(), "--code", &code]).ok();
        phone.sync();
        phone
    }

    /// The same by the Client SDK.
    #[track_caller]
    pub fn sdk(&self, name: &str, beat: &str) -> Sdk {
        open(&self.phone(name, beat).home)
    }

    /// The phones enrolled, without the server's own hand.
    #[track_caller]
    pub fn devices(&self) -> Vec<Value> {
        let mut devices = self.admin(&["devices"]).ok().lines();
        devices.retain(|device| device["server_custody"] == false);
        devices
    }

    /// The id of someone's phone.
    #[track_caller]
    pub fn device(&self, name: &str) -> String {
        let devices = self.devices();
        let found = devices.iter().find(|device| device["person"]["name"] == name).expect("enrolled");
        found["id"].as_str().expect("an id").to_owned()
    }

    /// The whole store must be sound.
    #[track_caller]
    pub fn check(&self) {
        let report = self.admin(&["check"]).ok().object();
        assert_eq!(report["problems"], serde_json::json!([]));
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
