//! `aralau.toml` in a data folder: the settings that neither a flag nor the environment says.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use aralau_server::settings::PublicUrl;
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::door::Proxy;
use crate::failure::Failure;

/// A day to a hundred years.
pub(super) const DAYS: std::ops::RangeInclusive<i64> = 1..=36_500;

/// `aralau.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) name: Option<String>,
    pub(super) training: bool,
    pub(super) listen: Option<SocketAddr>,
    pub(super) public_url: Option<PublicUrl>,
    #[serde(deserialize_with = "zone")]
    pub(super) time_zone: Option<Tz>,
    #[serde(deserialize_with = "days")]
    pub(super) visit_interval_days: Option<u32>,
    #[serde(deserialize_with = "days")]
    pub(super) compact_after_days: Option<u32>,
    pub(super) device_quota_mib: Option<u32>,
    pub(super) reserve_mib: Option<u32>,
    pub(super) basemap: Option<PathBuf>,
    pub(super) tls_cert: Option<PathBuf>,
    pub(super) tls_key: Option<PathBuf>,
    pub(super) tls_self_signed: bool,
    pub(super) trusted_proxies: Vec<Proxy>,
    pub(super) address_requests_per_minute: Option<u32>,
    pub(super) token_requests_per_minute: Option<u32>,
    pub(super) device_requests_per_minute: Option<u32>,
    pub(super) wrong_codes_per_minute: Option<u32>,
    pub(super) log: Option<String>,
    pub(super) log_json: bool,
}

impl File {
    /// What stands in a data folder; nothing where there is no such file.
    pub(super) fn of(data: &Path) -> Result<Self, Failure> {
        let path = data.join("aralau.toml");
        let damaged = |error: &dyn std::fmt::Display| Failure::new("config", format!("{}: {error}", path.display()));
        match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).map_err(|error| damaged(&error)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(damaged(&error)),
        }
    }
}

fn zone<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Tz>, D::Error> {
    let zone = String::deserialize(value)?.parse();
    zone.map(Some).map_err(|_| D::Error::custom("not a zone such as \"Asia/Almaty\""))
}

fn days<'de, D: Deserializer<'de>>(value: D) -> Result<Option<u32>, D::Error> {
    let days = u32::deserialize(value)?;
    let is_usual = DAYS.contains(&days.into());
    if is_usual { Ok(Some(days)) } else { Err(D::Error::custom("a number of days from 1 to 36,500")) }
}
