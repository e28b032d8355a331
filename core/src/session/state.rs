//! What a session does to its files, one call after another.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{self, Format, Place, Standing};
use super::new::{New, Template};
use crate::error::{Error, ErrorCode, Holder, Result};
use crate::liveness::{self, liveness};
use crate::process::{Own, PerProcess};
use crate::record::{Dialect, Patch, Record, Refusal, now, random_instance};
use crate::registry::{Registry, name_of};
use crate::session_id::SessionId;
use crate::sidecar;

/// PID files of this process in folders that have one for each process.
static ONLY_FILES: PerProcess<Vec<PathBuf>> = PerProcess::new();

/// How often another instance is drawn whose file name is taken.
const ATTEMPTS: u32 = 8;

/// One call of a session.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Update(Patch),
    Switch(String, Patch),
    Refresh,
    Leave,
    Close,
}

/// Whose the registration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Of this very process, which made it.
    Owner,
    /// Of another process, for which this one made it.
    Sponsor,
    /// Of whoever made it; this process only has a word in it.
    Guest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Open,
    /// Nothing of it is, or will be, written: the name of its file is another process's.
    Inert,
    Closed,
}

/// A session's sidecar.
#[derive(Clone, Debug)]
struct Sidecar {
    template: Template,
    keep: bool,
    /// The session that it speaks of, and when that began.
    session_id: String,
    started_at: f64,
    /// Where it was put.
    path: Option<PathBuf>,
    /// Who has its name instead.
    holder: Option<Holder>,
}

/// A registration, as this handle knows it.
#[derive(Debug)]
pub(super) struct State {
    dialect: Dialect,
    role: Role,
    life: Life,
    own: Own,
    record: Arc<Record>,
    pid_file: Option<PathBuf>,
    pid_file_holder: Option<Holder>,
    sidecar: Option<Sidecar>,
    /// Former sidecars whose removal failed; tried again by the next call.
    leftovers: Vec<PathBuf>,
}

/// What is told of a session without waiting for the calls that run.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) record: Arc<Record>,
    pub(super) path: Option<PathBuf>,
    pub(super) sidecar_path: Option<PathBuf>,
    pub(super) sidecar_holder: Option<Holder>,
    pub(super) pid_file_holder: Option<Holder>,
    pub(super) is_registered: bool,
}

impl State {
    /// Publishes a registration: all of it, or none.
    pub(super) fn register(registry: &Registry, new: &New) -> Result<Self> {
        let role = if new.is_own() { Role::Owner } else { Role::Sponsor };
        let template = new.sidecar.as_deref().map(Template::new).transpose()?;
        if template.is_none() && !new.pid_file {
            let reason = "it has neither a PID file nor a sidecar";
            return Err(Error::value(ErrorCode::InvalidInput, "register", "the session", reason));
        }
        let record = Arc::new(new.record()?);
        let sidecar = template.map(|template| Sidecar {
            template,
            keep: new.keep_sidecar,
            session_id: record.session_id.clone(),
            started_at: record.started_at,
            path: None,
            holder: None,
        });
        let mut state = Self {
            dialect: registry.dialect(),
            role,
            life: Life::Open,
            own: Own::now(),
            record,
            pid_file: None,
            pid_file_holder: None,
            sidecar,
            leftovers: Vec::new(),
        };
        state.check_sidecar(&state.record, new.pid_file)?;
        if new.pid_file {
            state.check_folders(registry.dir())?;
        }
        if new.pid_file {
            state.publish(registry.dir())?;
        }
        if state.life == Life::Open
            && let Err(error) = state.place_sidecar(&Arc::clone(&state.record))
        {
            state.withdraw();
            return Err(error);
        }
        Ok(state)
    }

    /// A handle on what another process, or this one, registered.
    pub(super) fn visit(registry: &Registry, record: &Record, path: &Path) -> Self {
        Self {
            dialect: registry.dialect(),
            role: Role::Guest,
            life: Life::Open,
            own: Own::now(),
            record: Arc::new(record.clone()),
            pid_file: Some(path.to_owned()),
            pid_file_holder: None,
            sidecar: None,
            leftovers: Vec::new(),
        }
    }

    /// A session that could not be registered: its calls do nothing.
    pub(super) fn inert(registry: &Registry, new: &New) -> Self {
        let mut record = Record::plain(
            new.pid.unwrap_or_else(std::process::id),
            new.session_id.as_str(),
            new.work_dir.as_str(),
        );
        record.agent.clone_from(&new.agent);
        Self {
            dialect: registry.dialect(),
            role: Role::Guest,
            life: Life::Inert,
            own: Own::now(),
            record: Arc::new(record),
            pid_file: None,
            pid_file_holder: None,
            sidecar: None,
            leftovers: Vec::new(),
        }
    }

    pub(super) fn view(&self) -> View {
        let sidecar = self.sidecar.as_ref();
        View {
            record: Arc::clone(&self.record),
            path: self.pid_file.clone(),
            sidecar_path: sidecar.and_then(|sidecar| sidecar.path.clone()),
            sidecar_holder: sidecar.and_then(|sidecar| sidecar.holder.clone()),
            pid_file_holder: self.pid_file_holder.clone(),
            is_registered: self.life == Life::Open,
        }
    }

    pub(super) fn own(&self) -> Own {
        self.own
    }

    /// Whether dropping the handle is meant to end the registration.
    pub(super) fn is_owner(&self) -> bool {
        self.role == Role::Owner
    }

    /// Does one call; `false` if the session is inert.
    pub(super) fn run(&mut self, operation: Operation) -> Result<bool> {
        match self.life {
            Life::Open => {}
            Life::Closed => {
                let reason = "the session is closed";
                return Err(Error::value(ErrorCode::Closed, "change", "the session", reason));
            }
            Life::Inert => {
                if matches!(operation, Operation::Close | Operation::Leave) {
                    self.life = Life::Closed;
                }
                return Ok(false);
            }
        }
        let ends = matches!(operation, Operation::Close | Operation::Leave);
        if !ends && self.own.was_restored() {
            self.change(|_, _| Ok(true), Renew::Identity)?;
            self.own = Own::now();
        }
        match operation {
            Operation::Update(patch) => self.update(&patch)?,
            Operation::Switch(id, patch) => self.switch(&id, &patch)?,
            Operation::Refresh => self.refresh()?,
            Operation::Close if self.role == Role::Owner => self.close()?,
            Operation::Close | Operation::Leave => self.leave(),
        }
        Ok(true)
    }

    fn update(&mut self, patch: &Patch) -> Result<()> {
        let apply = |state: &Self, record: &mut Record| {
            patch.apply(record).map_err(|refusal| state.refused(&refusal))?;
            Ok(true)
        };
        self.change(apply, Renew::Nothing)
    }

    fn switch(&mut self, id: &str, patch: &Patch) -> Result<()> {
        if id.is_empty() {
            SessionId::new(id)?;
        }
        if let Some(sidecar) = &self.sidecar {
            sidecar.template.path(id)?;
        }
        let apply = |state: &Self, record: &mut Record| {
            if record.session_id == id {
                return Ok(false);
            }
            id.clone_into(&mut record.session_id);
            record.status = None;
            record.status_updated_at = None;
            record.waiting_for = None;
            record.name = None;
            record.transcript_path = None;
            patch.apply(record).map_err(|refusal| state.refused(&refusal))?;
            Ok(true)
        };
        self.change(apply, Renew::Identity)
    }

    /// Puts back what somebody removed or damaged; a record that stands as it should is not
    /// written again.
    fn refresh(&mut self) -> Result<()> {
        if self.role == Role::Owner {
            let mut own = Record::clone(&self.record);
            files::identify(&mut own);
            if own.identity != self.record.identity {
                self.change(|_, _| Ok(true), Renew::Identity)?;
                self.own = Own::now();
                return Ok(());
            }
        }
        if self.stands()? {
            return Ok(());
        }
        self.change(|_, _| Ok(true), Renew::Files)
    }

    /// Whether both files are as this session left them, or as another handle on it did.
    fn stands(&mut self) -> Result<bool> {
        if let Some(path) = &self.pid_file {
            match Place::lock("refresh", path, Format::PidFile(self.dialect))?.read()? {
                Standing::Record(mut found) if found.is_same_registration(&self.record) => {
                    self.renew(&mut found, Renew::Nothing);
                    self.record = Arc::new(found);
                }
                _ => return Ok(false),
            }
        }
        let Some(sidecar) = &self.sidecar else { return Ok(true) };
        let Some(path) = &sidecar.path else { return Ok(false) };
        let found = sidecar::read(path)?;
        Ok(found.is_some_and(|found| {
            found.is_same_registration(&self.record) && found.session_id == self.record.session_id
        }))
    }

    /// Changes the record: first a new or changed sidecar, then the PID file, which is the commit,
    /// then a former sidecar goes, so that the session can be found at every instant.
    ///
    /// `alter` tells whether it changed anything.
    fn change(
        &mut self,
        alter: impl FnOnce(&Self, &mut Record) -> Result<bool>,
        renew: Renew,
    ) -> Result<()> {
        let Some(path) = self.pid_file.clone() else {
            let mut record = Record::clone(&self.record);
            if !alter(self, &mut record)? {
                return Ok(());
            }
            self.renew(&mut record, renew);
            record.revision = self.record.revision.map(|revision| revision + 1);
            self.put_sidecar(record, || Ok(()))?;
            self.remove_leftovers();
            return Ok(());
        };
        let place = Place::lock("update", &path, Format::PidFile(self.dialect))?;
        let (mut record, is_there) = match place.read()? {
            Standing::Record(found) if found.is_same_registration(&self.record) => (found, true),
            other => (self.base_without(&other, &path)?, false),
        };
        if !alter(self, &mut record)? {
            // Another handle was first with it; the sidecar is still for this one to follow.
            return self.follow(record, || Ok(()));
        }
        self.renew(&mut record, renew);
        let revision = record.revision.max(self.record.revision);
        record.revision = revision.map(|revision| revision + 1);
        let text = place.text(&record)?;
        let commit = || if is_there { place.exchange(&text) } else { place.replace(&text) };
        match renew {
            Renew::Nothing => self.follow(record, commit)?,
            Renew::Files | Renew::Identity => self.put_sidecar(record, commit)?,
        }
        drop(place);
        self.remove_leftovers();
        Ok(())
    }

    /// Commits, with the sidecar only if that has to say something else now.
    fn follow(&mut self, record: Record, commit: impl FnOnce() -> Result<()>) -> Result<()> {
        self.drop_sidecar_without_place(&record);
        if self.describes_otherwise(&record) {
            return self.put_sidecar(record, commit);
        }
        commit()?;
        self.record = Arc::new(record);
        Ok(())
    }

    /// Another handle may have gone on with a session whose id can be in no path: then there is no
    /// sidecar, and the session goes on without.
    fn drop_sidecar_without_place(&mut self, record: &Record) {
        if let Some(sidecar) = &mut self.sidecar
            && sidecar.template.path(&record.session_id).is_err()
        {
            self.leftovers.extend(sidecar.path.take());
            sidecar.holder = None;
        }
    }

    /// The record to go on from where the file is not what this session left: whoever registered a
    /// process that lives puts it back; others have nothing to change.
    fn base_without(&self, standing: &Standing, path: &Path) -> Result<Record> {
        let may_heal = match self.role {
            Role::Owner => true,
            Role::Sponsor => liveness(&self.record).state == liveness::State::Alive,
            Role::Guest => false,
        };
        match standing {
            Standing::Record(found) => Err(Error::held("update", found.holder(path))),
            _ if may_heal => Ok(Record::clone(&self.record)),
            Standing::Missing => {
                let reason = "the session is not registered any more";
                Err(Error::file(ErrorCode::NotFound, "update", path, reason))
            }
            Standing::Damaged(error) => {
                Err(Error::file(error.code(), "update", path, error.reason()))
            }
        }
    }

    /// Of its own process this one knows better than any file.
    fn renew(&self, record: &mut Record, renew: Renew) {
        if self.role == Role::Owner {
            record.identity.clone_from(&self.record.identity);
            // It may also have been read when no descriptor was free.
            if renew == Renew::Identity || record.identity.proc_start.is_none() {
                files::identify(record);
            }
        }
    }

    /// Whether the sidecar would have to say something else than it does.
    fn describes_otherwise(&self, record: &Record) -> bool {
        let Some(sidecar) = &self.sidecar else { return false };
        let told = |record: &Record| {
            let mut told = self.sidecar_record(sidecar, record);
            told.revision = None;
            told
        };
        let has_place = sidecar.template.path(&record.session_id).is_ok();
        has_place && (sidecar.path.is_none() || told(&self.record) != told(record))
    }

    /// Puts the sidecar of `record` in place and commits; if that fails, the old one is put back.
    fn put_sidecar(&mut self, record: Record, commit: impl FnOnce() -> Result<()>) -> Result<()> {
        let before = self.sidecar.clone();
        if let Some(sidecar) = &mut self.sidecar
            && sidecar.session_id != record.session_id
        {
            sidecar.session_id.clone_from(&record.session_id);
            sidecar.started_at = now();
        }
        let placed = self
            .check_sidecar(&record, self.pid_file.is_some())
            .and_then(|()| self.place_sidecar(&record));
        let committed = match placed {
            Ok(()) => commit().inspect_err(|_| self.take_back(before.as_ref(), &record)),
            Err(error) => Err(error),
        };
        if let Err(error) = committed {
            self.sidecar = before;
            return Err(error);
        }
        let path = self.sidecar.as_ref().and_then(|sidecar| sidecar.path.as_ref());
        let former = before.and_then(|before| before.path);
        self.leftovers.extend(former.filter(|former| Some(former) != path));
        self.record = Arc::new(record);
        Ok(())
    }

    /// Undoes the sidecar of a change that was not committed. Best effort: the error to report is
    /// that of the commit.
    fn take_back(&mut self, before: Option<&Sidecar>, record: &Record) {
        let path_of = |sidecar: Option<&Sidecar>| sidecar.and_then(|sidecar| sidecar.path.clone());
        match (path_of(self.sidecar.as_ref()), path_of(before)) {
            (Some(new), former) if Some(&new) != former.as_ref() => {
                let _ = files::remove(&new, Format::Sidecar, record);
            }
            _ => {
                self.sidecar = before.cloned();
                let _ = self.place_sidecar(&Arc::clone(&self.record));
            }
        }
    }

    /// Before anything is written: what cannot be said in a sidecar is an error of the call.
    fn check_sidecar(&self, record: &Record, has_pid_file: bool) -> Result<()> {
        let Some(sidecar) = &self.sidecar else { return Ok(()) };
        sidecar.template.path(&record.session_id)?;
        let record = described(record, sidecar.started_at, has_pid_file);
        files::encode(Format::Sidecar, &record).map_err(|refusal| self.refused(&refusal))?;
        Ok(())
    }

    /// Both folders are locked for a switch, and one cannot be locked twice.
    fn check_folders(&self, dir: &Path) -> Result<()> {
        let Some(sidecar) = &self.sidecar else { return Ok(()) };
        let path = sidecar.template.path(&self.record.session_id)?;
        let real = |folder: &Path| std::fs::canonicalize(folder).unwrap_or_else(|_| folder.into());
        if path.parent().is_some_and(|folder| real(folder) == real(dir)) {
            let reason = "a sidecar cannot lie in the folder of the registry";
            return Err(Error::file(ErrorCode::InvalidInput, "register", &path, reason));
        }
        Ok(())
    }

    fn place_sidecar(&mut self, record: &Record) -> Result<()> {
        let Some(sidecar) = &self.sidecar else { return Ok(()) };
        let path = sidecar.template.path(&record.session_id)?;
        let told = self.sidecar_record(sidecar, record);
        let holder = files::place_sidecar(&path, &told)?;
        if let Some(sidecar) = &mut self.sidecar {
            sidecar.path = holder.is_none().then_some(path);
            sidecar.holder = holder;
        }
        Ok(())
    }

    fn sidecar_record(&self, sidecar: &Sidecar, record: &Record) -> Record {
        described(record, sidecar.started_at, self.pid_file.is_some())
    }

    /// Publishes the PID file under a name that nobody has.
    fn publish(&mut self, dir: &Path) -> Result<()> {
        let format = Format::PidFile(self.dialect);
        if self.dialect.is_one_file_per_process() {
            return self.publish_only_file(dir.join(name_of(&self.record, self.dialect)));
        }
        for _ in 0..ATTEMPTS {
            let path = dir.join(name_of(&self.record, self.dialect));
            let place = Place::lock("register", &path, format)?;
            if place.publish(&place.text(&self.record)?)? {
                self.pid_file = Some(path);
                return Ok(());
            }
            let mut other = Record::clone(&self.record);
            other.instance = random_instance().or(other.instance);
            self.record = Arc::new(other);
        }
        let reason = "every name that was tried is taken";
        Err(Error::file(ErrorCode::Busy, "register", dir, reason))
    }

    /// The same where a process has one file, `<pid>.json`.
    fn publish_only_file(&mut self, path: PathBuf) -> Result<()> {
        let mut ours = ONLY_FILES.lock();
        if ours.contains(&path) {
            let reason = "this process has a session in this folder, which can hold one for each";
            return Err(Error::file(ErrorCode::InvalidInput, "register", &path, reason));
        }
        let place = Place::lock("register", &path, Format::PidFile(self.dialect))?;
        let holder = match place.read() {
            Ok(Standing::Missing) => None,
            Ok(Standing::Record(found)) if files::is_free(&found, &self.record) => None,
            Ok(Standing::Record(found)) => Some(found.holder(&path)),
            Ok(Standing::Damaged(_)) => Some(Holder::unknown(&path)),
            Err(error) if error.code() == ErrorCode::UnsupportedVersion => {
                Some(Holder::unknown(&path))
            }
            Err(error) => return Err(error),
        };
        if holder.is_some() {
            self.pid_file_holder = holder;
            self.life = Life::Inert;
            return Ok(());
        }
        place.replace(&place.text(&self.record)?)?;
        ours.push(path.clone());
        self.pid_file = Some(path);
        Ok(())
    }

    /// Ends the registration; if it fails, the session stays open and may be closed again.
    fn close(&mut self) -> Result<()> {
        let mut removed = Ok(false);
        if let Some(sidecar) = &mut self.sidecar
            && let Some(path) = &sidecar.path
            && !sidecar.keep
        {
            removed = files::remove(path, Format::Sidecar, &self.record);
            if removed.is_ok() {
                sidecar.path = None;
            }
        }
        // In any case: a record that is left would be that of a living process.
        if let Some(path) = &self.pid_file {
            files::remove(path, Format::PidFile(self.dialect), &self.record)?;
        }
        removed?;
        self.remove_leftovers();
        self.leave();
        Ok(())
    }

    fn leave(&mut self) {
        self.life = Life::Closed;
        self.let_go_of_name();
    }

    /// Another session of this process may register under the same name.
    fn let_go_of_name(&self) {
        let is_ours = self.role != Role::Guest && self.dialect.is_one_file_per_process();
        if let Some(path) = self.pid_file.as_ref().filter(|_| is_ours) {
            ONLY_FILES.lock().retain(|other| other != path);
        }
    }

    /// Takes back what was published of a registration that fails.
    fn withdraw(&mut self) {
        if let Some(path) = self.pid_file.take() {
            // Best effort: the error to report is the one that came first.
            let _ = files::remove(&path, Format::PidFile(self.dialect), &self.record);
            ONLY_FILES.lock().retain(|other| *other != path);
        }
    }

    fn remove_leftovers(&mut self) {
        let record = &self.record;
        let sidecar = self.sidecar.as_ref().and_then(|sidecar| sidecar.path.as_ref());
        self.leftovers.retain(|path| {
            Some(path) != sidecar && files::remove(path, Format::Sidecar, record).is_err()
        });
    }

    fn refused(&self, refusal: &Refusal) -> Error {
        let path = self.pid_file.as_deref();
        let path = path.or_else(|| self.sidecar.as_ref()?.path.as_deref());
        match path {
            Some(path) => Error::file(refusal.code, "write", path, refusal.reason.as_str()),
            None => Error::value(refusal.code, "write", "the record", refusal.reason.as_str()),
        }
    }
}

impl Drop for State {
    /// A handle that nobody has any more keeps its record, but not the name.
    fn drop(&mut self) {
        if self.life == Life::Open && self.own.is_this_process() {
            self.let_go_of_name();
        }
    }
}

/// What of a session is to be made anew, whatever changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Renew {
    Nothing,
    Files,
    Identity,
}

/// What a sidecar says: what the session is doing is left to its PID file, where it has one.
fn described(record: &Record, started_at: f64, has_pid_file: bool) -> Record {
    let mut told = record.clone();
    told.started_at = started_at;
    if has_pid_file {
        told.status = None;
        told.waiting_for = None;
        told.updated_at = None;
        told.status_updated_at = None;
    }
    told
}
