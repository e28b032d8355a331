//! The files that speak of sessions: found again by what they have in common, and judged.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::super::assess::{self, Judged};
use super::super::store::{Seen, Store, TraceId};
use super::super::world::World;
use super::groups::{GroupKey, group_of};
use super::{Notices, Picture};
use crate::liveness::{Judge, Reason, State, Verdict};
use crate::parallel::in_parallel;

impl Picture {
    pub(super) fn index(
        &mut self,
        id: TraceId,
        seen: &Seen,
        dirty: &mut HashSet<GroupKey>,
        notices: &mut dyn Notices,
    ) {
        let key = group_of(seen);
        if let Some((instance, _)) = &seen.registration {
            // A process that moved to another session: the later of its records counts.
            for other in self.by_instance.get(instance) {
                dirty.extend(self.judged.get(other).map(|judged| group_of(&judged.seen)));
            }
            self.by_instance.insert(instance.clone(), id);
        }
        for file in seen.transcript_file().into_iter().chain(seen.lock()) {
            if let Some(folder) = file.parent() {
                notices.watch_folder(folder);
            }
            self.by_file.insert(file.to_owned(), id);
        }
        if let Some(folder) = seen.lock().and_then(Path::parent) {
            notices.watch_locks(folder);
        }
        self.groups.entry(key.clone()).or_default().traces.push(id);
        if seen.is_hook() {
            self.hooked.insert(key.clone());
        }
        dirty.insert(key);
    }

    pub(super) fn drop_trace(&mut self, id: TraceId, dirty: &mut HashSet<GroupKey>) {
        let Some(judged) = self.judged.remove(&id) else { return };
        let seen = &judged.seen;
        let key = group_of(seen);
        if let Some((instance, _)) = &seen.registration
            && !self.by_instance.remove(instance, id)
        {
            for other in self.by_instance.get(instance) {
                dirty.extend(self.judged.get(other).map(|judged| group_of(&judged.seen)));
            }
        }
        for file in seen.transcript_file().into_iter().chain(seen.lock()) {
            self.by_file.remove(file, id);
        }
        if let Some(pid) = judged.pid {
            self.release_process(pid, id);
        }
        if let Some(group) = self.groups.get_mut(&key) {
            group.traces.retain(|other| *other != id);
            let is_hook = |id: &TraceId| self.judged.get(id).is_some_and(|of| of.seen.is_hook());
            if seen.is_hook() && !group.traces.iter().any(is_hook) {
                self.hooked.remove(&key);
            }
        }
        dirty.insert(key);
    }

    fn release_process(&mut self, pid: u32, id: TraceId) {
        if self.by_process.remove(&pid, id) {
            self.released.push(pid);
        }
    }

    /// Processes that no session is served by any more, now that all are judged again.
    pub(super) fn forget_released(&mut self, notices: &mut dyn Notices) {
        for pid in std::mem::take(&mut self.released) {
            let is_candidate = self.candidates.iter().any(|of| of.process.pid == pid);
            if !self.by_process.contains(&pid) && !is_candidate {
                self.terminals.remove(&pid);
                notices.forget_process(pid);
            }
        }
    }

    pub(super) fn judge(
        &mut self,
        to_judge: Vec<(TraceId, Arc<Seen>)>,
        former: &HashMap<TraceId, (Verdict, Option<u32>)>,
        world: &World,
        dirty: &mut HashSet<GroupKey>,
        notices: &mut dyn Notices,
    ) {
        let verdicts: Vec<Option<Verdict>> = in_parallel(&to_judge, |_, part| {
            let mut judge = Judge::of_many();
            part.iter().map(|(_, seen)| assess::by_record(seen, &mut judge)).collect()
        });
        for ((id, mut seen), verdict) in to_judge.into_iter().zip(verdicts) {
            let (mut verdict, mut pid) = if let Some(verdict) = verdict {
                assess::note_verdict(&mut seen, verdict);
                (verdict, seen.session.pid)
            } else {
                let known = self.judged.get(&id).map(|known| (known.verdict, known.pid));
                let known = known.or_else(|| former.get(&id).copied());
                let found = assess::by_system(&seen, world, known.and_then(|(_, pid)| pid));
                found.unwrap_or_else(|| {
                    // Too soon to search again; what is known holds until then.
                    self.put_off.insert(id);
                    known.unwrap_or((Reason::NoIdentity.into(), None))
                })
            };
            if seen.is_glance && verdict.state != State::Dead {
                // Its name was not enough: it is in use.
                if let Some(full) = Store::read_in_full(&seen) {
                    seen = Arc::new(full);
                } else {
                    (verdict, pid) = (Reason::NoIdentity.into(), None);
                }
            }
            dirty.insert(group_of(&seen));
            let before = self.judged.get(&id).and_then(|judged| judged.pid);
            if before != pid {
                if let Some(pid) = before {
                    self.release_process(pid, id);
                }
                if let Some(pid) = pid {
                    if !notices.watch_process(pid) && verdict.state == State::Alive {
                        notices.look_again(pid);
                    }
                    self.by_process.insert(pid, id);
                }
            }
            self.judged.insert(id, Judged { seen, verdict, pid });
        }
    }
}
