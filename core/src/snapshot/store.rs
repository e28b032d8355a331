//! What the files of all sources say, kept between two looks at them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::error::{Error, ErrorCode};
use crate::fs::{Listing, Stamp};
use crate::parallel::in_parallel;
use crate::registry::Skipped;
use crate::snapshot::AgentSession;
use crate::sources::{ALL, Evidence, File, Level, Source, Sources, Trace, Tree};

/// A file that speaks of a session, for as long as it is there.
pub(crate) type TraceId = u64;

/// What a file said when it was read.
pub(crate) struct Seen {
    pub(crate) source: &'static dyn Source,
    /// When the file was written, in seconds since the Unix epoch.
    pub(crate) written: f64,
    /// What it says of the session; shared with whoever lists it as it is.
    pub(crate) session: Arc<AgentSession>,
    pub(crate) evidence: Evidence,
    /// The registration, and which writing of it this is: of two the later counts.
    pub(crate) registration: Option<(String, u64)>,
    /// Only the name was looked at.
    pub(crate) is_glance: bool,
}

impl Seen {
    fn new(source: &'static dyn Source, path: &Path, stamp: Stamp, trace: Trace) -> Self {
        let Trace { mut session, evidence, registration, is_glance } = trace;
        // Not of every program's files they were taken out already.
        session.extra.drop_secrets();
        session.sources = vec![source.name()];
        session.files = vec![path.to_owned()];
        let (written, session) = (stamp.modified_seconds(), Arc::new(session));
        Self { source, written, session, evidence, registration, is_glance }
    }

    /// Of several that speak of one session the first ones are believed where they differ.
    pub(crate) fn rank(&self) -> (usize, &Path) {
        let is_it = |source: &&dyn Source| source.name() == self.source.name();
        (ALL.iter().position(is_it).unwrap_or(ALL.len()), self.path())
    }

    pub(crate) fn path(&self) -> &Path {
        self.session.files.first().map_or(Path::new(""), PathBuf::as_path)
    }
}

/// What became of the files since they were looked at before.
#[derive(Default)]
pub(crate) struct Changes {
    /// New, or read again.
    pub(crate) read: Vec<(TraceId, Arc<Seen>)>,
    /// Written to, which does not change what they say.
    pub(crate) touched: Vec<TraceId>,
    pub(crate) gone: Vec<TraceId>,
}

/// Called for each folder before it is listed, so that nothing is missed between the two.
pub(crate) type Watch<'a> = &'a mut dyn FnMut(&Path);

/// The files of all sources.
pub(crate) struct Store {
    trees: Vec<(usize, Tree)>,
    /// By the source, which is a place in [`ALL`], and the path.
    folders: HashMap<(usize, PathBuf), Folder>,
    skipped: BTreeMap<(PathBuf, usize), Skipped>,
    next: TraceId,
    /// Files that were not written for so long are taken by their name, where that is enough.
    old: std::time::Duration,
}

struct Folder {
    /// What leads to files below it; none in a folder of files.
    levels: &'static [Level],
    files: HashMap<OsString, Known>,
    /// The folders below it that are looked into.
    children: Vec<OsString>,
}

struct Known {
    id: TraceId,
    /// By which a later look may tell that the file is the same; none if it might not.
    stamp: Option<Stamp>,
}

/// What reading one file gave.
enum Found {
    Same,
    Gone,
    Seen(Box<Seen>, Option<Stamp>),
    Refused(Error),
}

impl Store {
    pub(crate) fn new(sources: &Sources) -> Self {
        let trees = ALL.iter().enumerate().flat_map(|(index, source)| {
            source.trees(sources).into_iter().map(move |tree| (index, tree))
        });
        Self {
            trees: trees.collect(),
            folders: HashMap::new(),
            skipped: BTreeMap::new(),
            next: 0,
            old: sources.dead_within,
        }
    }

    /// Files that were meant to be traces and are none, or could not be read, ordered by path.
    pub(crate) fn skipped(&self) -> impl Iterator<Item = &Skipped> {
        self.skipped.values()
    }

    /// Looks at everything. A file is read again unless it shows to be as it was.
    pub(crate) fn look_at_all(&mut self, watch: Watch<'_>) -> Changes {
        let mut changes = Changes::default();
        for (source, tree) in self.trees.clone() {
            self.look(source, tree.root, tree.levels, watch, &mut changes);
        }
        changes
    }

    /// Looks at a folder again, of which something changed that is not known: at all that is below
    /// it.
    pub(crate) fn look_at_folder(&mut self, path: &Path, watch: Watch<'_>, changes: &mut Changes) {
        for source in 0..ALL.len() {
            let place = (source, path.to_owned());
            let known = self.folders.get(&place).map(|folder| folder.levels);
            let root = || self.trees.iter().find(|(of, tree)| *of == source && tree.root == path);
            if let Some(levels) = known.or_else(|| root().map(|(_, tree)| tree.levels)) {
                self.look(source, place.1, levels, watch, changes);
            }
        }
    }

    /// Looks at one name in a folder, whatever happened to it.
    pub(crate) fn look_at_name(
        &mut self,
        path: &Path,
        name: &OsStr,
        watch: Watch<'_>,
        changes: &mut Changes,
    ) {
        for (index, source) in ALL.into_iter().enumerate() {
            let place = (index, path.to_owned());
            let Some(folder) = self.folders.get(&place) else { continue };
            if let [level, below @ ..] = folder.levels {
                if level.admits(name) {
                    self.look(index, path.join(name), below, watch, changes);
                    self.adopt(&place, name);
                }
            } else if source.is_trace(name) {
                match folder.files.get(name) {
                    Some(known) if source.says_the_same() && path.join(name).exists() => {
                        changes.touched.push(known.id);
                    }
                    _ => self.read_again(&place, &[name.to_owned()], changes),
                }
            } else if source.is_beside(name) {
                let names: Vec<OsString> = folder.files.keys().cloned().collect();
                self.read_again(&place, &names, changes);
            }
        }
    }

    /// Reads a file whose name alone was looked at before.
    pub(crate) fn read_in_full(seen: &Seen) -> Option<Seen> {
        let listing = Listing::open(seen.path().parent()?).ok()??;
        let name = seen.path().file_name()?;
        match read(seen.source, &listing, name, seen.path(), None) {
            Found::Seen(seen, _) => Some(*seen),
            _ => None,
        }
    }

    fn look(
        &mut self,
        source: usize,
        path: PathBuf,
        levels: &'static [Level],
        watch: Watch<'_>,
        changes: &mut Changes,
    ) {
        watch(&path);
        let of = ALL[source];
        let listed = Listing::open(&path).and_then(|listing| {
            let Some(listing) = listing else { return Ok(None) };
            let is_wanted = |name: &OsStr| match levels.first() {
                None => of.is_trace(name),
                Some(level) => level.admits(name),
            };
            let names = listing.names(is_wanted)?;
            Ok(Some((listing, names)))
        });
        let (listing, names) = match listed {
            Ok(Some(listed)) => listed,
            // A file where a level of folders is expected is somebody else's.
            Ok(None) => return self.forget(source, &path, changes),
            Err(error) if error.code() == ErrorCode::NotFound => {
                return self.forget(source, &path, changes);
            }
            Err(error) => {
                self.forget(source, &path, changes);
                return self.skip(source, path, &error);
            }
        };
        self.skipped.remove(&(path.clone(), source));
        let place = (source, path);
        let folder = self.folders.entry(place.clone()).or_insert_with(|| Folder {
            levels,
            files: HashMap::new(),
            children: Vec::new(),
        });
        let [_, below @ ..] = levels else {
            let present: HashSet<&OsStr> = names.iter().map(OsString::as_os_str).collect();
            let is_gone = |name: &&OsString| !present.contains(name.as_os_str());
            let gone: Vec<OsString> = folder.files.keys().filter(is_gone).cloned().collect();
            for name in gone {
                self.remove(&place, &name, changes);
            }
            self.forget_refusals(&place, |name| !present.contains(name));
            return self.read_new(&place, &listing, &names, changes);
        };
        let before = std::mem::replace(&mut folder.children, names.clone());
        let present: HashSet<&OsStr> = names.iter().map(OsString::as_os_str).collect();
        for name in before.iter().filter(|name| !present.contains(name.as_os_str())) {
            self.forget(source, &place.1.join(name), changes);
        }
        for name in &names {
            self.look(source, place.1.join(name), below, watch, changes);
        }
    }

    /// Reads the files of a folder, but for those that are as they were.
    fn read_new(
        &mut self,
        place: &(usize, PathBuf),
        listing: &Listing,
        names: &[OsString],
        changes: &mut Changes,
    ) {
        let source = ALL[place.0];
        let now = SystemTime::now();
        let none = HashMap::new();
        let known = self.folders.get(place).map_or(&none, |folder| &folder.files);
        let old = self.old;
        let found = in_parallel(names, |_, names| {
            let read_one = |name: &OsString| {
                let stamp = known.get(name).and_then(|known| known.stamp);
                let path = place.1.join(name);
                if stamp.is_some() && listing.stamp(name) == stamp {
                    return Found::Same;
                }
                read(source, listing, name, &path, Some((now, old)))
            };
            names.iter().map(read_one).collect()
        });
        for (name, found) in names.iter().zip(found) {
            self.take(place, name, found, changes);
        }
    }

    fn read_again(&mut self, place: &(usize, PathBuf), names: &[OsString], changes: &mut Changes) {
        let Ok(Some(listing)) = Listing::open(&place.1) else {
            return self.forget(place.0, &place.1, changes);
        };
        for name in names {
            let path = place.1.join(name);
            let found =
                read(ALL[place.0], &listing, name, &path, Some((SystemTime::now(), self.old)));
            self.take(place, name, found, changes);
        }
    }

    fn take(
        &mut self,
        place: &(usize, PathBuf),
        name: &OsStr,
        found: Found,
        changes: &mut Changes,
    ) {
        match found {
            Found::Same => {}
            Found::Gone => {
                self.skipped.remove(&(place.1.join(name), place.0));
                self.remove(place, name, changes);
            }
            Found::Refused(error) => {
                self.remove(place, name, changes);
                self.skip(place.0, place.1.join(name), &error);
            }
            Found::Seen(seen, stamp) => {
                if !self.skipped.is_empty() {
                    self.skipped.remove(&(seen.path().to_owned(), place.0));
                }
                let Some(folder) = self.folders.get_mut(place) else { return };
                let known = folder.files.get(name).map(|known| known.id);
                let id = known.unwrap_or(self.next);
                self.next += u64::from(known.is_none());
                folder.files.insert(name.to_owned(), Known { id, stamp });
                changes.read.push((id, Arc::from(seen)));
            }
        }
    }

    fn remove(&mut self, place: &(usize, PathBuf), name: &OsStr, changes: &mut Changes) {
        let known = self.folders.get_mut(place).and_then(|folder| folder.files.remove(name));
        changes.gone.extend(known.map(|known| known.id));
    }

    /// Keeps account of which folders are below which.
    fn adopt(&mut self, place: &(usize, PathBuf), name: &OsStr) {
        let is_there = self.folders.contains_key(&(place.0, place.1.join(name)));
        let Some(folder) = self.folders.get_mut(place) else { return };
        folder.children.retain(|child| child != name);
        if is_there {
            folder.children.push(name.to_owned());
        }
    }

    /// A folder is not there any more, nor is what was below it.
    fn forget(&mut self, source: usize, path: &Path, changes: &mut Changes) {
        let Some(folder) = self.folders.remove(&(source, path.to_owned())) else { return };
        changes.gone.extend(folder.files.into_values().map(|known| known.id));
        for child in folder.children {
            self.forget(source, &path.join(child), changes);
        }
        self.skipped.retain(|(file, of), _| *of != source || !file.starts_with(path));
    }

    fn skip(&mut self, source: usize, path: PathBuf, error: &Error) {
        let skipped = Skipped { path: path.clone(), code: error.code(), reason: error.reason() };
        self.skipped.insert((path, source), skipped);
    }

    fn forget_refusals(&mut self, place: &(usize, PathBuf), is_gone: impl Fn(&OsStr) -> bool) {
        if self.skipped.is_empty() {
            return;
        }
        self.skipped.retain(|(file, of), _| {
            *of != place.0
                || file.parent() != Some(place.1.as_path())
                || file.file_name().is_none_or(|name| !is_gone(name))
        });
    }
}

/// Reads a file; one that is old and whose name says enough, only by that.
fn read(
    source: &'static dyn Source,
    listing: &Listing,
    name: &OsStr,
    path: &Path,
    old: Option<(SystemTime, std::time::Duration)>,
) -> Found {
    let file = File { folder: listing, name, path };
    if let Some((now, age)) = old
        && let Some(trace) = source.glance(&file)
    {
        let Some(stamp) = listing.stamp(name) else { return Found::Gone };
        if stamp.is_older(now, age) {
            return Found::Seen(Box::new(Seen::new(source, path, stamp, trace)), Some(stamp));
        }
    }
    match source.read(&file) {
        Ok((trace, stamp)) => {
            let seen = Box::new(Seen::new(source, path, stamp, trace));
            Found::Seen(seen, Some(stamp).filter(|stamp| stamp.is_settled(SystemTime::now())))
        }
        Err(error) if error.code() == ErrorCode::NotFound => Found::Gone,
        Err(error) => Found::Refused(error),
    }
}
