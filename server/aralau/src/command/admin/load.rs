//! `aralau admin load`: tables become a plan, and the plan the organisation.

mod told;

use std::{
    cell::Cell,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use aralau::tables::{
    Content, File, MAX_FILE_BYTES, Tables,
    column::Kind,
    fault::{Fault, FaultKind, Faults, MOST_FAULTS},
};
use aralau_server::store::{self, Known, LoadOptions, Plan, Store};
use clap::{ArgGroup, Args};

use crate::{
    command::{TELL_EVERY, now, open_store, operator},
    failure::Failure,
};
use told::Told;

/// Each file may be CSV (comma, semicolon or tab; UTF-8, UTF-16, Windows-1251) or an Excel workbook; its bytes tell.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("tables").required(true).multiple(true)))]
pub struct Load {
    /// A beat a row: `code` and, if wanted, `name`.
    #[arg(long, group = "tables")]
    beats: Option<PathBuf>,
    /// A place a row: `beat`, `address` and, if wanted, `external_code`, `place_type`, `lat`, `lon`.
    #[arg(long, group = "tables")]
    places: Option<PathBuf>,
    /// A person a row: `name`, `beat`.
    #[arg(long, group = "tables")]
    staff: Option<PathBuf>,
    /// GeoJSON: a collection of polygons, each with its beat's code as the property `beat`.
    #[arg(long, group = "tables")]
    areas: Option<PathBuf>,
    /// An Excel workbook with a sheet for each of beats, places and staff that it is about.
    #[arg(long, group = "tables")]
    workbook: Option<PathBuf>,
    /// Say what would become of the organisation, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// End the rights of listed people to beats beside which they are not listed.
    #[arg(long)]
    replace_grants: bool,
    /// The tables name what is no more: their places are withdrawn, and the rights of their staff end.
    #[arg(long, conflicts_with_all = ["replace_grants", "beats", "areas"])]
    retire: bool,
}

impl Load {
    pub fn run(&self, data: &Path, json: bool) -> Result<(), Failure> {
        let tables = self.read();
        let exists = data.join("aralau.db").is_file();
        let store = if exists { Some(open_store(data)?) } else { None };
        let known = match &store {
            Some(store) => store.read(|connection| tables.known(connection, self.options(), now()))?,
            None => Known::default(),
        };
        let plan = tables.plan(&known, self.options()).map_err(|faults| faulty(&tables, faults))?;
        drop(known);
        if self.dry_run {
            Told { dry_run: true, tables: &tables, plan: &plan }.show(json);
            return Ok(());
        }
        drop(plan);
        let store = store.map_or_else(|| open_store(data), Ok)?;
        let (tables, plan) = apply(&store, tables, self.options())?;
        Told { dry_run: false, tables: &tables, plan: &plan }.show(json);
        Ok(())
    }

    fn options(&self) -> LoadOptions {
        LoadOptions { replace_grants: self.replace_grants, retire: self.retire, place: None }
    }

    fn read(&self) -> Tables {
        let named = [
            (&self.workbook, Content::Any),
            (&self.beats, Content::One(Kind::Beats)),
            (&self.places, Content::One(Kind::Places)),
            (&self.staff, Content::One(Kind::Staff)),
            (&self.areas, Content::Areas),
        ];
        let file = |(path, content): (&Option<PathBuf>, Content)| {
            let path = path.as_ref()?;
            Some(File { name: path.display().to_string(), content, bytes: read_file(path) })
        };
        Tables::of(&named.into_iter().filter_map(file).collect::<Vec<_>>())
    }
}

pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, Fault> {
    let name = path.display().to_string();
    let unreadable = |error: std::io::Error| Fault::new(FaultKind::FileUnreadable, &name, error.to_string());
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        let message = format!("more than {} MiB; split the file", MAX_FILE_BYTES >> 20);
        return Err(Fault::new(FaultKind::FileTooLarge, &name, message));
    }
    Ok(bytes)
}

/// Plans again and does it in one transaction: a running server goes on meanwhile, and what was true before may not be.
fn apply(store: &Store, tables: Tables, options: LoadOptions) -> Result<(Arc<Tables>, Plan), Failure> {
    let (tables, handle) = (Arc::new(tables), store.clone());
    let wanted = Arc::clone(&tables);
    let applied = store.write_by(operator(), move |tx| -> Result<Result<Plan, Faults>, store::StoreError> {
        let known = wanted.known(tx, options, now())?;
        let plan = match wanted.plan(&known, options) {
            Ok(plan) => plan,
            Err(faults) => return Ok(Err(faults)),
        };
        drop(known);
        let told = Cell::new(Instant::now());
        store::apply(tx, handle.identity(), &plan, now(), &|written, of| {
            if told.get().elapsed() >= TELL_EVERY {
                told.set(Instant::now());
                eprintln!("{written} of {of} places");
            }
        })?;
        Ok(Ok(plan))
    })?;
    match applied {
        Ok(plan) => Ok((tables, plan)),
        Err(faults) => Err(faulty(&tables, faults)),
    }
}

fn faulty(tables: &Tables, faults: Faults) -> Failure {
    let count = faults.count();
    let sentence = format!("{count} {}; nothing is loaded", if count == 1 { "fault" } else { "faults" });
    let Faults { faults, more } = faults;
    let mut lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    if more > 0 {
        lines.push(format!("and {more} more; the first {MOST_FAULTS} are shown"));
    }
    // A header that is misspelt may be what is missed.
    lines.extend(tables.read.iter().flat_map(|table| {
        table.columns_not_read.iter().map(|column| format!("{}: {}", table.file, told::column_not_read(column)))
    }));
    let values = serde_json::json!({ "faults": faults, "more": more, "read": tables.read });
    Failure::new("table", sentence).with_parts(lines, values)
}
