//! The sessions as they are now, kept up to date by what changed: of ten thousand, only those are
//! judged and merged again that something happened to.

mod groups;
mod listing;
mod processes;
mod traces;
mod work;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::assess::Judged;
use super::index::Index;
use super::multiplexers::Multiplexers;
use super::programs::Candidate;
use super::store::{Changes, Seen, Store, TraceId, Watch};
use super::turns::Turns;
use super::world::World;
use super::{AgentSession, Snapshot};
use crate::fs::Stamp;
use crate::liveness::Reason;
use crate::record::now;
use crate::registry::Skipped;
use crate::sources::{Evidence, Sources};
use crate::usage::ContextUsage;
use groups::{Group, GroupKey, millis};
use work::Nobody;
pub(crate) use work::{Change, Notices, Work};

/// A file that a hook wrote.
pub(crate) struct HookFile {
    pub(crate) path: PathBuf,
    pub(crate) stamp: Stamp,
    /// Why it is not needed any more.
    pub(crate) leftover: Option<&'static str>,
}

/// All sessions of all sources.
pub(crate) struct Picture {
    sources: Sources,
    store: Store,
    judged: HashMap<TraceId, Judged>,
    groups: BTreeMap<GroupKey, Group>,
    by_instance: Index<String>,
    by_process: Index<u32>,
    /// Processes whose last trace went in this update.
    released: Vec<u32>,
    /// Transcripts and locks, and whose they are.
    by_file: Index<PathBuf>,
    by_key: HashMap<Arc<str>, Arc<AgentSession>>,
    /// Groups of which a hook speaks: they depend on processes, panes and each other.
    hooked: BTreeSet<GroupKey>,
    candidates: Vec<Candidate>,
    multiplexers: Multiplexers,
    turns: Turns,
    usages: HashMap<PathBuf, (u128, Option<ContextUsage>)>,
    terminals: HashMap<u32, Option<String>>,
    deadlines: BTreeSet<(u64, GroupKey)>,
    long_dead: usize,
    /// When a session was seen to die.
    died: HashMap<Arc<str>, f64>,
    /// When all processes were searched for open files.
    searched: Option<Instant>,
    /// Traces that wait for the next search.
    put_off: HashSet<TraceId>,
    search_at: Option<u64>,
    is_first: bool,
    /// Whether there will be another update.
    keeps: bool,
}

/// How often a file that is written to, by whom is not known, makes for a search of all processes.
const SEARCH_PAUSE: Duration = Duration::from_millis(500);

impl Picture {
    pub(crate) fn new(sources: Sources) -> Self {
        Self {
            store: Store::new(&sources),
            multiplexers: Multiplexers::new(sources.multiplexers),
            turns: Turns::default(),
            sources,
            judged: HashMap::new(),
            groups: BTreeMap::new(),
            by_instance: Index::new(),
            by_process: Index::new(),
            released: Vec::new(),
            by_file: Index::new(),
            by_key: HashMap::new(),
            hooked: BTreeSet::new(),
            candidates: Vec::new(),
            usages: HashMap::new(),
            terminals: HashMap::new(),
            deadlines: BTreeSet::new(),
            long_dead: 0,
            died: HashMap::new(),
            searched: None,
            put_off: HashSet::new(),
            search_at: None,
            is_first: true,
            keeps: true,
        }
    }

    /// For who looks once.
    pub(crate) fn once(sources: Sources) -> Self {
        let mut picture = Self { keeps: false, ..Self::new(sources) };
        picture.update(&Work::all(), &mut Nobody);
        picture
    }

    pub(crate) fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The sessions, in order.
    pub(crate) fn sessions(&self) -> Vec<Arc<AgentSession>> {
        self.groups.values().flat_map(|group| group.listed.iter().cloned()).collect()
    }

    pub(crate) fn session(&self, key: &str) -> Option<&Arc<AgentSession>> {
        self.by_key.get(key)
    }

    pub(crate) fn turns(&self) -> &Turns {
        &self.turns
    }

    pub(crate) fn skipped(&self) -> impl Iterator<Item = &Skipped> {
        self.store.skipped()
    }

    /// Every file that a hook wrote and that could be read.
    pub(crate) fn hook_files(&self) -> Vec<HookFile> {
        let mut files = Vec::new();
        for group in self.hooked.iter().filter_map(|key| self.groups.get(key)) {
            for judged in group.traces.iter().filter_map(|id| self.judged.get(id)) {
                let Evidence::Hook(hook) = &judged.seen.evidence else { continue };
                let path = judged.seen.path();
                let is_superseded = group.listed.iter().any(|session| {
                    session.superseded_by.is_some() && session.files.iter().any(|file| file == path)
                });
                let pane_is_gone =
                    || hook.zellij_session.as_ref().is_some_and(|it| self.multiplexers.is_gone(it));
                let leftover = match judged.verdict.reason {
                    _ if is_superseded => Some("superseded"),
                    Reason::Starting if pane_is_gone() => Some(Reason::PaneGone.as_str()),
                    Reason::Stale => Some(Reason::Stale.as_str()),
                    _ => None,
                };
                files.push(HookFile { path: path.to_owned(), stamp: hook.stamp, leftover });
            }
        }
        files
    }

    /// What is there now, without looking again.
    pub(crate) fn snapshot(&self, cursor: String) -> Snapshot {
        Snapshot {
            sessions: self.sessions(),
            skipped: self.skipped().cloned().collect(),
            dead_before: self.long_dead,
            cursor,
            taken_at: now(),
        }
    }

    /// When the clock alone changes something, in milliseconds since the Unix epoch.
    pub(crate) fn deadline(&self) -> Option<u64> {
        self.deadlines.first().map(|(at, _)| *at).into_iter().chain(self.search_at).min()
    }

    /// Whether a search for open files is due that was put off.
    pub(crate) fn has_put_off(&self) -> bool {
        !self.put_off.is_empty()
    }

    /// Whether something is listed that is found only by looking through all processes.
    pub(crate) fn needs_process_list(&self) -> bool {
        self.sources.processes || !self.hooked.is_empty()
    }

    /// Looks at what is asked for, and at what the clock changed meanwhile.
    pub(crate) fn update(&mut self, work: &Work, notices: &mut dyn Notices) -> Vec<Change> {
        if self.is_first && !self.sources.hooks.is_empty() {
            self.turns.load();
        }
        let time = now();
        let mut dirty: HashSet<GroupKey> = HashSet::new();
        let mut again = self.touched_by(work);
        self.pass_deadlines(millis(time), &mut dirty, &mut again);

        let is_search_due = self.search_at.is_some_and(|at| at <= millis(time));
        if work.may_search() || is_search_due {
            again.extend(self.put_off.drain());
            self.search_at = None;
        }

        let changes = self.look(work, notices);
        again.extend(changes.touched.iter().copied());
        for id in changes.gone {
            again.remove(&id);
            let transcript = self.judged.get(&id).and_then(|judged| judged.seen.transcript_file());
            let transcript = transcript.map(Path::to_owned);
            self.drop_trace(id, &mut dirty);
            if let Some(path) = transcript.filter(|path| !self.by_file.contains(path)) {
                self.usages.remove(&path);
            }
        }
        for (id, _) in &changes.read {
            again.remove(id);
        }
        let again: Vec<(TraceId, Arc<Seen>)> = again
            .into_iter()
            .filter_map(|id| Some((id, Arc::clone(&self.judged.get(&id)?.seen))))
            .collect();
        let mut former = HashMap::new();
        for (id, seen) in &changes.read {
            let known = self.judged.get(id).map(|known| (known.verdict, known.pid));
            former.extend(known.map(|known| (*id, known)));
            self.drop_trace(*id, &mut dirty);
            self.index(*id, seen, &mut dirty, notices);
        }
        let to_judge: Vec<(TraceId, Arc<Seen>)> = changes.read.into_iter().chain(again).collect();
        for (_, seen) in &to_judge {
            if let Some(pid) = seen.session.pid {
                notices.watch_process(pid);
            }
        }
        let mut world =
            World::new(to_judge.iter().filter_map(|(_, seen)| seen.transcript()).collect());
        // Who has a new file open is worth looking for at once.
        let is_new = |(id, seen): &(TraceId, Arc<Seen>)| {
            seen.transcript().is_some() && !former.contains_key(id) && !self.judged.contains_key(id)
        };
        let is_soon = self.searched.is_some_and(|at| at.elapsed() < SEARCH_PAUSE);
        if is_soon && !work.may_search() && !is_search_due && !to_judge.iter().any(is_new) {
            world.forbid_search();
        }
        self.judge(to_judge, &former, &world, &mut dirty, notices);
        if world.has_searched() {
            self.searched = Some(Instant::now());
        }
        if !self.put_off.is_empty() && self.search_at.is_none() {
            self.search_at = Some(millis(time + SEARCH_PAUSE.as_secs_f64()));
        }

        if work.process_list && self.needs_process_list() {
            self.read_processes(&world, &mut dirty, notices);
        } else {
            self.drop_candidates(&work.processes, &world);
        }
        self.forget_released(notices);
        for key in &dirty {
            self.merge_group(key, &world, time);
        }
        self.complete(dirty)
    }

    /// Traces that have to be judged again, although their files say what they said.
    fn touched_by(&self, work: &Work) -> HashSet<TraceId> {
        if work.everything {
            return self.judged.keys().copied().collect();
        }
        let of_processes = work.processes.iter().map(|pid| self.by_process.get(pid));
        let files = work.names.iter().map(|(folder, name)| folder.join(name));
        let mut of_files: Vec<TraceId> =
            files.flat_map(|file| self.by_file.get(&file).to_vec()).collect();
        if !work.folders.is_empty() {
            let is_in = |file: &Path| file.parent().is_some_and(|of| work.folders.contains(of));
            let touched = self.by_file.iter().filter(|(file, _)| is_in(file));
            of_files.extend(touched.flat_map(|(_, ids)| ids));
        }
        of_processes.flatten().copied().chain(of_files).collect()
    }

    fn pass_deadlines(
        &mut self,
        now: u64,
        dirty: &mut HashSet<GroupKey>,
        again: &mut HashSet<TraceId>,
    ) {
        while let Some((at, _)) = self.deadlines.first()
            && *at <= now
        {
            let Some((_, key)) = self.deadlines.pop_first() else { break };
            if let Some(group) = self.groups.get_mut(&key) {
                group.deadline = None;
                again.extend(group.traces.iter().copied());
            }
            dirty.insert(key);
        }
    }

    fn look(&mut self, work: &Work, notices: &mut dyn Notices) -> Changes {
        let mut watch = |path: &Path| notices.watch_folder(path);
        let watch: Watch<'_> = &mut watch;
        if work.everything {
            return self.store.look_at_all(watch);
        }
        let mut changes = Changes::default();
        for folder in &work.folders {
            // It may be one of a transcript only.
            watch(folder);
            self.store.look_at_folder(folder, watch, &mut changes);
        }
        for (folder, name) in &work.names {
            if !work.folders.contains(folder) {
                self.store.look_at_name(folder, name, watch, &mut changes);
            }
        }
        changes
    }
}
