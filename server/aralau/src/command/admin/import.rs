//! `aralau admin import`: a journal of old visits and its map become headquarters' entries.
//!
//! A plan is made of a snapshot; then the visits are written a batch at a time, each in a transaction of its own, so that a
//! running server's uploads come in between, and what is written when the command is killed stays written.

mod told;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use aralau::{
    journal::{
        Journal, Layout,
        find::{self, Finding, Found, Wanted},
        line::{Line, Reader},
        map::Map,
        moment::Zone,
        propose, rejected,
    },
    tables::{
        encoding::decode,
        fault::{Fault, FaultKind, Faults, MOST_FAULTS},
    },
};
use aralau_server::store::{
    self, Doubled, LoadOptions, Lookup, OldVisit, Organisation, Plan, Register, Sought, Store, Written, clean,
};
use clap::Args;

use super::load::read_file;
use crate::{
    command::{TELL_EVERY, must_exist, now, open_store, operator},
    failure::Failure,
    target,
};
use told::Told;

/// Visits written in one transaction: a server beside it waits no longer than for these.
const BATCH_VISITS: usize = 1_000;
/// Visits compared with those of other registers, spread over the journal.
const MOST_COMPARED: usize = 1_000;
/// As few may be chance.
const MIN_DOUBLED: usize = 3;
/// Largest map.
const MAX_MAP_BYTES: u64 = 4 << 20;

/// The table may be CSV (comma, semicolon or tab; UTF-8, UTF-16, Windows-1251), an Excel workbook, or objects of JSON, one a
/// line or all in an array; its bytes tell.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub struct Import {
    /// A visit a row.
    #[arg(long, value_name = "FILE")]
    visits: PathBuf,
    /// What its columns and words mean: TOML, as --propose-map writes it.
    #[arg(long, value_name = "MAP", conflicts_with = "propose_map")]
    map: Option<PathBuf>,
    /// Import nothing; write a map from the table's header and rows, for you to look through. Without a name: beside the table,
    /// ending in `.map.toml`. A map that is there is not written over.
    #[arg(long, value_name = "MAP", num_args = 0..=1)]
    #[expect(clippy::option_option, reason = "a flag whose value may be left out")]
    propose_map: Option<Option<PathBuf>>,
    /// Where rows go that are not imported, each with its reasons: CSV, to correct and import again. Unless given: beside the
    /// table, ending in `.rejected.csv`, or in `.rejected-2.csv` and so on where one is there already, with what somebody has corrected in it. One
    /// that is named here is written over.
    #[arg(long, value_name = "FILE", conflicts_with = "propose_map")]
    rejected: Option<PathBuf>,
    /// Say what would become of each row, and change nothing.
    #[arg(long, conflicts_with = "propose_map")]
    dry_run: bool,
    /// It is another register, though its visits are at the same places and moments as those of one that was imported.
    #[arg(long, conflicts_with = "propose_map")]
    another_register: bool,
}

const EXAMPLE: &str = "\
A journal in Excel, from the first look to the last row:
  aralau admin --data ./data import --visits journal.xlsx --propose-map     writes journal.map.toml; look it through
  aralau admin --data ./data import --visits journal.xlsx --map journal.map.toml --dry-run
  aralau admin --data ./data import --visits journal.xlsx --map journal.map.toml
Rows that are not imported are in journal.rejected.csv, with reasons. Correct them there, or what the map says, and import
again: a row that is in the store already is not imported twice.";

/// What became of the rows.
#[derive(Debug, Default)]
struct Outcome {
    /// Rows under the header.
    rows: usize,
    /// Visits that were not in the store, or would not have been.
    visits: usize,
    /// Rows whose visit was there already, and said the same.
    known: usize,
    /// Rows that say again what a row above says.
    repeated: usize,
    /// The others, by their numbers.
    rejected: BTreeMap<u32, Vec<Fault>>,
    /// Places that were made.
    places: Vec<String>,
    /// People who joined.
    people: Vec<String>,
}

impl Import {
    pub fn run(&self, data: &Path, json: bool) -> Result<(), Failure> {
        must_exist(data)?;
        let bytes = read_file(&self.visits).map_err(|fault| faulty(vec![fault]))?;
        let file = self.visits.display().to_string();
        if let Some(path) = &self.propose_map {
            let path = path.clone().unwrap_or_else(|| beside(&self.visits, "map.toml"));
            return self.propose(data, &bytes, &path, json);
        }
        let Some(map_file) = &self.map else { return Err(self.without_map(data, &bytes)?) };
        let map = read_map(map_file)?;
        let rejected_file = self.rejected.clone().unwrap_or_else(|| free_beside(&self.visits));
        target::check(&rejected_file, data)?;
        if [&self.visits, map_file].iter().any(|input| target::is_same(input, &rejected_file)) {
            let sentence =
                format!("{} is what is read; name another file for the rejected rows", rejected_file.display());
            return Err(Failure::new("target", sentence));
        }
        let journal = Journal::read(&bytes, &file, &map).map_err(|fault| faulty(vec![fault]))?;
        drop(bytes);
        let layout =
            Layout::of(&map, journal.table.headers()).map_err(|errors| faulty(Layout::faults(&journal, errors)))?;
        let importing = Importing {
            store: open_store(data)?,
            source_file: name_of(&self.visits),
            journal: &journal,
            layout: &layout,
            map: &map,
            dry_run: self.dry_run,
            may_double: self.another_register,
        };
        let outcome = importing.run()?;
        let rejects = !(outcome.rejected.is_empty() && journal.broken.is_empty());
        let is_written = rejects && (!self.dry_run || self.rejected.is_some());
        if is_written {
            write_rejected(&rejected_file, &journal, &outcome.rejected)?;
        }
        let told = Told {
            dry_run: self.dry_run,
            journal: &journal,
            layout: &layout,
            map: &map,
            outcome: &outcome,
            rejected_file: is_written.then_some(&*rejected_file),
        };
        told.show(json)
    }

    fn propose(&self, data: &Path, bytes: &[u8], path: &Path, json: bool) -> Result<(), Failure> {
        target::check(path, data)?;
        if path.exists() {
            let path = path.display();
            let sentence =
                format!("{path} is there already, and somebody may have edited it; name another file, or take it away");
            return Err(Failure::new("map_exists", sentence));
        }
        let (journal, proposal) = self.proposal(data, bytes)?;
        fs::write(path, &proposal.text)?;
        told::show_proposal(json, &journal, &proposal, path);
        Ok(())
    }

    fn proposal(&self, data: &Path, bytes: &[u8]) -> Result<(Journal, propose::Proposal), Failure> {
        let store = open_store(data)?;
        let (directory, zone) = store
            .read(|connection| Ok((Lookup::read(connection, &Sought::default())?, store::time_zone(connection)?)))?;
        let journal = Journal::guess(bytes, &self.visits.display().to_string()).map_err(|fault| faulty(vec![fault]))?;
        let stem = self.visits.file_stem().unwrap_or_default().to_string_lossy();
        let proposal = propose::propose(&journal, &stem, zone.name(), &directory);
        Ok((journal, proposal))
    }

    /// What would be proposed, and how to go on.
    fn without_map(&self, data: &Path, bytes: &[u8]) -> Result<Failure, Failure> {
        let (journal, proposal) = self.proposal(data, bytes)?;
        let sentence =
            "nothing is imported without a map; write one with --propose-map, look it through, and give it with --map";
        let (lines, values) = told::proposal(&journal, &proposal);
        Ok(Failure::new("map_missing", sentence).with_parts(lines, values))
    }
}

/// `journal.xlsx` → `journal.rejected.csv`
fn beside(file: &Path, ending: &str) -> PathBuf {
    file.with_extension(ending)
}

/// `journal.rejected.csv`, or the next that is not there yet: somebody may have corrected the rows of the one that is.
fn free_beside(file: &Path) -> PathBuf {
    let numbered = (2_u32..).map(|number| beside(file, &format!("rejected-{number}.csv")));
    let mut names = std::iter::once(beside(file, "rejected.csv")).chain(numbered);
    names.find(|name| !name.exists()).unwrap_or_else(|| beside(file, "rejected.csv"))
}

fn name_of(path: &Path) -> String {
    const MAX_NAME_BYTES: usize = 255;
    let name = clean(&path.file_name().unwrap_or_default().to_string_lossy()).replace(char::is_control, "\u{fffd}");
    name[..name.floor_char_boundary(MAX_NAME_BYTES)].to_owned()
}

fn read_map(path: &Path) -> Result<Map, Failure> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| Failure::new("map", format!("{shown}: {error}"));
    if fs::metadata(path).map_err(unreadable)?.len() > MAX_MAP_BYTES {
        return Err(Failure::new(
            "map",
            format!("{shown} has more than {} MiB, which no map has", MAX_MAP_BYTES >> 20),
        ));
    }
    // An editor may save it as it saves everything.
    let bytes = fs::read(path).map_err(unreadable)?;
    let (text, _) = decode(&bytes).map_err(|error| Failure::new("map", format!("{shown}: {error}")))?;
    Map::read(&text).map_err(|error| Failure::new("map", format!("{shown}: {error}")))
}

/// Whole, or not at all.
fn write_rejected(path: &Path, journal: &Journal, rejected: &BTreeMap<u32, Vec<Fault>>) -> Result<(), Failure> {
    let unwritable =
        |error: std::io::Error| Failure::new("rejected_file", format!("{} was not written: {error}", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = tempfile::NamedTempFile::new_in(folder).map_err(unwritable)?;
    rejected::write(journal, rejected, std::io::BufWriter::new(&file)).map_err(unwritable)?;
    file.persist(path).map_err(|error| unwritable(error.error))?;
    Ok(())
}

/// A file or table of which nothing can be imported.
fn faulty(all: Vec<Fault>) -> Failure {
    let mut faults = Faults::default();
    let count = all.len();
    all.into_iter().for_each(|fault| faults.push(fault));
    let sentence = format!("{count} {}; nothing is imported", if count == 1 { "fault" } else { "faults" });
    let mut lines: Vec<String> = faults.faults.iter().map(ToString::to_string).collect();
    if faults.more > 0 {
        lines.push(format!("and {} more; the first {MOST_FAULTS} are shown", faults.more));
    }
    let values = serde_json::json!({ "faults": faults.faults, "more": faults.more });
    Failure::new("table", sentence).with_parts(lines, values)
}

/// One import on its way.
struct Importing<'a> {
    store: Store,
    source_file: String,
    journal: &'a Journal,
    layout: &'a Layout,
    map: &'a Map,
    dry_run: bool,
    may_double: bool,
}

impl Importing<'_> {
    fn run(&self) -> Result<Outcome, Failure> {
        let mut outcome = Outcome { rows: self.journal.table.len() + self.journal.broken.len(), ..Outcome::default() };
        let lines = self.lines(&mut outcome)?;
        let sought = find::sought(&lines);
        let (mut found, wanted) = self.find(&lines, &sought, &mut outcome)?;
        self.must_be_new(&lines, &found)?;
        let (places, people) = (wanted.places(), wanted.people);
        outcome.places = places.iter().map(|place| format!("{}: {}", place.beat, place.address)).collect();
        outcome.people = people.iter().cloned().collect();
        if !(self.dry_run || places.is_empty() && people.is_empty()) {
            self.make(places, people.into_iter().collect())?;
            outcome.rejected.retain(|_, faults| !faults.iter().any(is_of_settling));
            found = self.find(&lines, &sought, &mut outcome)?.0;
        }
        self.take_back_known(&lines, &found, &mut outcome)?;
        let new = self.new_ones(&lines, found, &mut outcome)?;
        outcome.visits = new.len();
        if !self.dry_run {
            outcome.visits = self.write(&lines, new)?;
        }
        Ok(outcome)
    }

    /// The rows that can be read, each named once.
    fn lines(&self, outcome: &mut Outcome) -> Result<Vec<Line<'_>>, Failure> {
        let zone = Zone::Named(self.store.read(store::time_zone)?);
        let reader = Reader::new(self.journal, self.layout, self.map, zone, now());
        let (mut lines, mut named) = (Vec::<Line<'_>>::new(), HashMap::new());
        for row in self.journal.table.rows() {
            match reader.line(row) {
                Err(faults) => drop(outcome.rejected.insert(row.number, faults)),
                Ok(line) => match named.get(&line.id) {
                    Some(&first) if line.says_the_same(&lines[first]) => outcome.repeated += 1,
                    Some(&first) => {
                        drop(outcome.rejected.insert(row.number, vec![self.named_twice(&line, &lines[first])]))
                    }
                    None => {
                        named.insert(line.id.clone(), lines.len());
                        lines.push(line);
                    }
                },
            }
        }
        Ok(lines)
    }

    fn named_twice(&self, line: &Line<'_>, first: &Line<'_>) -> Fault {
        let message = format!("row {} has this id and says something else; give one of them another", first.row);
        Fault::new(FaultKind::IdTwice, &self.journal.file, message).at(line.row).holding(&line.id)
    }

    /// What each line comes to; `None`: it is rejected.
    fn find(
        &self,
        lines: &[Line<'_>],
        sought: &Sought,
        outcome: &mut Outcome,
    ) -> Result<(Vec<Option<Found>>, Wanted), Failure> {
        let directory = self.store.read(|connection| Lookup::read(connection, sought))?;
        let mut finding = Finding::new(self.journal, self.layout, self.map, &directory);
        let found = lines.iter().map(|line| match finding.find(line) {
            Ok(found) => Some(found),
            Err(faults) => {
                outcome.rejected.insert(line.row, faults);
                None
            }
        });
        let found = found.collect();
        Ok((found, finding.wanted))
    }

    /// A register that was imported under another name is not imported again.
    fn must_be_new(&self, lines: &[Line<'_>], found: &[Option<Found>]) -> Result<(), Failure> {
        if self.may_double {
            return Ok(());
        }
        let visits = lines.iter().zip(found).filter_map(|(line, found)| self.visit(line, found.as_ref()?));
        let visits: Vec<OldVisit> = visits.step_by(lines.len().div_ceil(MOST_COMPARED).max(1)).collect();
        let Some(Doubled { visits: doubled, register, file }) =
            self.store.read(|connection| store::doubled(connection, &visits))?
        else {
            return Ok(());
        };
        if doubled < MIN_DOUBLED || 2 * doubled < visits.len() {
            return Ok(());
        }
        let sentence = format!(
            "{doubled} of {} visits looked at are in the store already, from {file}, as register {register:?}; nothing is \
             imported. If this is that register, write `register = {register:?}` in the map, and give ids, or write the cells, \
             as they were then. If it is another, say --another-register",
            visits.len()
        );
        Err(Failure::new("register_doubled", sentence))
    }

    /// A row whose visit is in the store already needs no place any more: it may have got another address since.
    fn take_back_known(
        &self,
        lines: &[Line<'_>],
        found: &[Option<Found>],
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let is_of_place = |fault: &Fault| OF_PLACE.contains(&fault.code);
        let lost = lines.iter().zip(found).filter(|(line, found)| {
            let faults = outcome.rejected.get(&line.row);
            found.is_none() && faults.is_some_and(|faults| faults.iter().all(is_of_place))
        });
        let lost: Vec<&Line<'_>> = lost.map(|(line, _)| line).collect();
        if lost.is_empty() {
            return Ok(());
        }
        let known = self.store.read(|connection| {
            let directory = Lookup::read(connection, &Sought::default())?;
            let mut known = HashSet::new();
            for line in lost {
                let inspector = line.inspector.as_deref().and_then(|name| directory.person(name).ok());
                // Where it is makes no difference to what it says.
                let nowhere = Found { scope_no: Some(0), place: None, inspector };
                if let Some(visit) = self.visit(line, &nowhere)
                    && store::written(connection, &visit)? == Written::Same
                {
                    known.insert(line.row);
                }
            }
            Ok(known)
        })?;
        outcome.known += known.len();
        outcome.rejected.retain(|row, _| !known.contains(row));
        Ok(())
    }

    /// Makes what the map lets be made, in one transaction. People who join get no rights.
    fn make(&self, places: Vec<store::PlaceLine>, people: Vec<String>) -> Result<(), Failure> {
        let (handle, organisation) = (self.store.clone(), Organisation { places, ..Organisation::default() });
        let made = self.store.write_by(operator(), move |tx| {
            for name in &people {
                store::ensure_person(tx, name, now())?;
            }
            let known = store::Known::read(tx, &organisation, now())?;
            let plan = match Plan::of(&known, &organisation, LoadOptions::default()) {
                Ok(plan) => plan,
                Err(refusals) => return Ok(Err(refusals)),
            };
            store::apply(tx, handle.identity(), &plan, now(), &|_, _| {})?;
            Ok(Ok(()))
        })?;
        made.map_err(|refusals| {
            let lines: Vec<String> =
                refusals.iter().map(|refusal| format!("{:?}: {}", refusal.kind.value(), refusal.kind)).collect();
            let values = serde_json::json!({ "places": lines });
            Failure::new("places", "the places of the journal contradict each other; load them first")
                .with_parts(lines, values)
        })
    }

    /// The lines that are not in the store yet, with what they come to: those of a beat side by side, in the order of time.
    fn new_ones(
        &self,
        lines: &[Line<'_>],
        found: Vec<Option<Found>>,
        outcome: &mut Outcome,
    ) -> Result<Vec<(usize, Found)>, Failure> {
        let mut new = self.store.read(|connection| {
            let mut new = Vec::new();
            for (at, found) in found.into_iter().enumerate() {
                let Some(found) = found else { continue };
                // Of a place that is still to be made nothing is written, and nothing can be there.
                let written = match self.visit(&lines[at], &found) {
                    Some(visit) => store::written(connection, &visit)?,
                    None => Written::NotYet,
                };
                match written {
                    Written::NotYet => new.push((at, found)),
                    Written::Same => outcome.known += 1,
                    Written::Otherwise { file, row } => {
                        let fault = self.imported_differently(&lines[at], &file, row);
                        outcome.rejected.insert(lines[at].row, vec![fault]);
                    }
                }
            }
            Ok(new)
        })?;
        new.sort_by_key(|(at, found)| (found.scope_no, lines[*at].started_at, *at));
        Ok(new)
    }

    fn imported_differently(&self, line: &Line<'_>, file: &str, row: i64) -> Fault {
        let message = format!(
            "this id was imported from {file}, row {row}, and said something else; correct the visit at headquarters, or, if it \
             is of another journal, give that another `register` in the map"
        );
        let fault = Fault::new(FaultKind::Refused("imported_differently"), &self.journal.file, message);
        fault.at(line.row).holding(&line.id)
    }

    fn visit(&self, line: &Line<'_>, found: &Found) -> Option<OldVisit> {
        let register = clean(&self.map.register);
        find::visit(line, found, (Register::of(self.store.deployment(), &register), &register), &self.source_file)
    }

    fn write(&self, lines: &[Line<'_>], new: Vec<(usize, Found)>) -> Result<usize, Failure> {
        let (mut written, mut done, mut told) = (0, 0, Instant::now());
        for batch in new.chunks(BATCH_VISITS) {
            let visits = batch.iter().filter_map(|(at, found)| self.visit(&lines[*at], found));
            let (visits, handle) = (Arc::new(visits.collect::<Vec<_>>()), self.store.clone());
            let job =
                move |tx: &mut store::Transaction<'_>| store::write_old_visits(tx, handle.identity(), &visits, now());
            written += self.store.write_by(operator(), job)?;
            done += batch.len();
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                eprintln!("{done} of {} visits", new.len());
            }
        }
        Ok(written)
    }
}

/// Why a row is rejected whose place is not found.
const OF_PLACE: [&str; 3] = ["place_unknown", "place_not_made", "place_ambiguous"];

/// Whether a row was rejected for what is not there, which may be made meanwhile.
fn is_of_settling(fault: &Fault) -> bool {
    const OF_PEOPLE_AND_BEATS: [&str; 5] =
        ["beat_unknown", "inspector_unknown", "inspector_near", "inspector_ambiguous", "inspector_several"];
    OF_PLACE.contains(&fault.code) || OF_PEOPLE_AND_BEATS.contains(&fault.code)
}
