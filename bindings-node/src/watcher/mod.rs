//! The one thread of an environment that waits: for the changes of all its monitors, on behalf of
//! all their readers.
//!
//! It never sleeps inside the core, and nothing here waits for it but the end of the environment.
//! One descriptor of each monitor is enough: whenever it tells, all readers of that one are asked.

#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "linux.rs"]
mod sleep;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[path = "polling.rs"]
mod sleep;

use std::collections::{HashMap, HashSet};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;
use sessionreg::{Monitor, Watch};

use crate::entries::Text;
use crate::external::{self, Kind, Tag};
use crate::failure::{Failure, answer, guard};
use crate::give;
use crate::monitor::monitor;
use crate::port::{Parcel, Port};
use crate::value;
use sleep::Sleep;

/// How often a reader is asked that has no descriptor to wait for.
const ASKED_EVERY: Duration = Duration::from_millis(50);

/// What JavaScript holds of the thread.
pub(crate) struct Watcher {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// None once the environment ends.
    port: Mutex<Option<Arc<Port<News>>>>,
}

struct Shared {
    commands: Mutex<Vec<Command>>,
    sleep: Sleep,
}

/// What the thread is told to do.
enum Command {
    /// A reader, under a number.
    Open {
        reader: u64,
        monitor: Arc<Monitor>,
        cursor: Option<String>,
    },
    /// One answer is wanted.
    Read {
        reader: u64,
        end: Option<Instant>,
    },
    Close {
        reader: u64,
    },
    /// Of a monitor that is closed nobody reads any more.
    CloseAll {
        of: Arc<Monitor>,
    },
    End,
}

/// The answer to readers.
struct News {
    readers: Vec<u64>,
    /// None: the time is over.
    batch: Result<Option<Text>, Failure>,
}

impl Parcel for News {
    /// Numbers of the readers, error or null, text and what is beside it or null.
    fn into_js(self, env: &Env) -> Result<Vec<Unknown<'_>>, Failure> {
        let numbers = self.readers.into_iter().map(|reader| number(env, reader));
        let readers = give::list(env, numbers.collect::<Result<_, _>>()?)?;
        let null = || give::null(env);
        Ok(match self.batch {
            Ok(Some(text)) => {
                let [text, beside] = text.into_js(env)?;
                vec![readers, null()?, text, beside]
            }
            Ok(None) => vec![readers, null()?, null()?, null()?],
            Err(failure) => {
                let error = failure.build(env).map_err(Failure::of_napi)?;
                vec![readers, error, null()?, null()?]
            }
        })
    }
}

#[allow(clippy::cast_precision_loss)] // JavaScript counts readers, below 2^53.
fn number(env: &Env, reader: u64) -> Result<Unknown<'_>, Failure> {
    give::number(env, reader as f64)
}

impl Kind for Watcher {
    const TAG: Tag = Tag::of(7);
    const NAME: &'static str = "the watcher";
}

/// A reader that JavaScript holds; it closes when it is let go of.
pub(crate) struct Reader {
    number: u64,
    shared: Arc<Shared>,
}

impl Kind for Reader {
    const TAG: Tag = Tag::of(8);
    const NAME: &'static str = "the reader";
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.shared.tell(Command::Close { reader: self.number });
    }
}

impl Shared {
    fn commands(&self) -> MutexGuard<'_, Vec<Command>> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, command: Command) {
        self.commands().push(command);
        self.sleep.wake();
    }
}

impl Watcher {
    fn start(env: &Env, function: &Unknown<'_>) -> Result<Arc<Self>, Failure> {
        let unavailable = |what: &str, error: &std::io::Error| {
            Failure::unavailable(format!("failed to start the watch thread: {what}: {error}"))
        };
        let sleep = Sleep::new().map_err(|error| unavailable("descriptors", &error))?;
        let shared = Arc::new(Shared { commands: Mutex::default(), sleep });
        let port = Arc::new(Port::to(env, function)?);
        let thread = thread::Builder::new().name("sessionreg".to_owned());
        let run = {
            let mut readers = Readers::new(Arc::clone(&shared), Arc::clone(&port));
            move || readers.run()
        };
        let thread = thread.spawn(run).map_err(|error| unavailable("thread", &error))?;
        let watcher = Arc::new(Self {
            shared,
            thread: Mutex::new(Some(thread)),
            port: Mutex::new(Some(port)),
        });
        let hooked = Arc::clone(&watcher);
        if let Err(error) = env.add_env_cleanup_hook(hooked, |watcher| watcher.end()) {
            watcher.end();
            return Err(Failure::of_napi(error));
        }
        Ok(watcher)
    }

    /// Ends the thread, which is done with what it is at in a moment: it never sleeps in the core.
    fn end(&self) {
        self.shared.tell(Command::End);
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // It catches its own panics.
            let _ = thread.join();
        }
        *self.port.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// What the thread knows.
struct Readers {
    shared: Arc<Shared>,
    port: Arc<Port<News>>,
    all: HashMap<u64, Reading>,
    monitors: HashMap<Key, Monitored>,
}

/// Where a monitor is in memory: it stays there for as long as it has readers.
type Key = u64;

fn key_of(monitor: &Arc<Monitor>) -> Key {
    Arc::as_ptr(monitor).addr() as u64
}

/// A reader on the thread.
struct Reading {
    of: Key,
    cursor: Option<String>,
    wanted: Option<Wanted>,
}

/// An answer is.
struct Wanted {
    end: Option<Instant>,
}

/// A monitor that has readers.
struct Monitored {
    monitor: Arc<Monitor>,
    readers: usize,
    /// What tells that there is something new, if there is such a descriptor.
    watch: Option<Watch>,
    is_watched: bool,
}

impl Readers {
    fn new(shared: Arc<Shared>, port: Arc<Port<News>>) -> Self {
        let (all, monitors) = (HashMap::new(), HashMap::new());
        Self { shared, port, all, monitors }
    }

    fn run(&mut self) {
        let mut told = Vec::new();
        loop {
            let commands = mem::take(&mut *self.shared.commands());
            let mut asked = Vec::new();
            for command in commands {
                match command {
                    Command::Open { reader, monitor, cursor } => self.open(reader, monitor, cursor),
                    Command::Read { reader, end } => match self.all.get_mut(&reader) {
                        Some(reading) => {
                            reading.wanted = Some(Wanted { end });
                            asked.push(reader);
                        }
                        None => self.answer(vec![reader], Err(Failure::closed())),
                    },
                    Command::Close { reader } => self.close(reader),
                    Command::CloseAll { of } => self.close_all(key_of(&of)),
                    Command::End => return,
                }
            }
            self.look(asked);
            let news = self.readers_with_news(&told);
            self.look(news);
            self.sleep(&mut told);
        }
    }

    fn open(&mut self, reader: u64, monitor: Arc<Monitor>, cursor: Option<String>) {
        let of = key_of(&monitor);
        let monitored = self.monitors.entry(of).or_insert_with(|| Monitored {
            monitor,
            readers: 0,
            watch: None,
            is_watched: false,
        });
        monitored.readers += 1;
        self.all.insert(reader, Reading { of, cursor, wanted: None });
    }

    /// Answers those of the readers for whom there is an answer; those that go on from one cursor
    /// get one answer.
    fn look(&mut self, readers: Vec<u64>) {
        let mut groups: HashMap<(Key, Option<String>), Vec<u64>> = HashMap::new();
        for reader in readers {
            let Some(reading) = self.all.get(&reader).filter(|of| of.wanted.is_some()) else {
                continue;
            };
            groups.entry((reading.of, reading.cursor.clone())).or_default().push(reader);
        }
        for ((of, cursor), mut readers) in groups {
            let Some(monitored) = self.monitors.get_mut(&of) else { continue };
            let asked = || Ok(monitored.monitor.wait(cursor.as_deref(), Some(Duration::ZERO))?);
            let batch = match guard(asked) {
                Ok(None) => {
                    monitored.watch(of, &self.shared.sleep);
                    let time = Instant::now();
                    readers.retain(|reader| self.all.get(reader).is_some_and(|of| of.is_due(time)));
                    Ok(None)
                }
                other => other,
            };
            for reader in &readers {
                if let Some(reading) = self.all.get_mut(reader) {
                    reading.wanted = None;
                    if let Ok(Some(batch)) = &batch {
                        reading.cursor = Some(batch.cursor.clone());
                    }
                }
            }
            if !readers.is_empty() {
                self.answer(readers, batch.map(|batch| batch.map(|batch| Text::of_batch(&batch))));
            }
        }
    }

    fn answer(&self, readers: Vec<u64>, batch: Result<Option<Text>, Failure>) {
        self.port.send(News { readers, batch });
    }

    fn close(&mut self, reader: u64) {
        let Some(reading) = self.all.remove(&reader) else { return };
        let Some(monitored) = self.monitors.get_mut(&reading.of) else { return };
        monitored.readers -= 1;
        if monitored.readers == 0 {
            monitored.forget(&self.shared.sleep);
            self.monitors.remove(&reading.of);
        }
    }

    fn close_all(&mut self, of: Key) {
        self.all.retain(|_, reading| reading.of != of);
        if let Some(mut monitored) = self.monitors.remove(&of) {
            monitored.forget(&self.shared.sleep);
        }
    }

    /// The readers that may have an answer now, after some monitors have told.
    fn readers_with_news(&mut self, told: &[u64]) -> Vec<u64> {
        let mut news = HashSet::new();
        for (of, monitored) in &mut self.monitors {
            let is_told = told.contains(of) && monitored.has_news();
            if is_told || !monitored.is_watched {
                news.insert(*of);
            }
        }
        let time = Instant::now();
        let is_worth = |reading: &Reading| news.contains(&reading.of) || reading.is_due(time);
        let readers = self.all.iter().filter(|(_, of)| of.wanted.is_some() && is_worth(of));
        readers.map(|(reader, _)| *reader).collect()
    }

    /// Sleeps until there may be answers; gives the monitors that told.
    fn sleep(&mut self, told: &mut Vec<u64>) {
        told.clear();
        let mut wanting = HashSet::new();
        let mut end: Option<Instant> = None;
        for reading in self.all.values() {
            if let Some(wanted) = &reading.wanted {
                wanting.insert(reading.of);
                end = [end, wanted.end].into_iter().flatten().min();
            }
        }
        let mut asks = None;
        for (of, monitored) in &mut self.monitors {
            if !wanting.contains(of) {
                // What happens there wakes nobody.
                monitored.forget(&self.shared.sleep);
            } else if !monitored.is_watched {
                asks = Some(ASKED_EVERY);
            }
        }
        let rest = end.map(|end| end.saturating_duration_since(Instant::now()));
        self.shared.sleep.sleep([rest, asks].into_iter().flatten().min(), told);
    }
}

impl Reading {
    fn is_due(&self, time: Instant) -> bool {
        self.wanted.as_ref().and_then(|wanted| wanted.end).is_some_and(|end| end <= time)
    }
}

impl Monitored {
    /// Has the monitor tell of news. Where it has no descriptor, or there are none left, it is asked
    /// every so often instead.
    fn watch(&mut self, key: Key, sleep: &Sleep) {
        if self.watch.is_none() {
            self.watch = self.monitor.watch().ok();
        }
        if let Some(watch) = self.watch.as_ref().filter(|_| !self.is_watched) {
            self.is_watched = sleep.add(key, watch);
        }
    }

    fn forget(&mut self, sleep: &Sleep) {
        if let Some(watch) = self.watch.as_ref().filter(|_| self.is_watched) {
            sleep.remove(watch);
        }
        self.is_watched = false;
    }

    /// Whether something is new since it was last asked. What it fails of, readers are told.
    fn has_news(&self) -> bool {
        let next = |watch: &Watch| guard(|| Ok(watch.next(Some(Duration::ZERO))?));
        self.watch.as_ref().is_none_or(|watch| !matches!(next(watch), Ok(None)))
    }
}

/// Starts the thread; `news` is called with every answer.
#[napi(catch_unwind)]
pub(crate) fn watcher_start<'env>(
    env: &'env Env,
    news: Unknown<'_>,
) -> napi::Result<Unknown<'env>> {
    answer(env, || external::to_js(env, Watcher::start(env, &news)?))
}

/// Whether the environment stays although nothing else keeps it.
#[napi(catch_unwind)]
pub(crate) fn watcher_keep_alive(
    env: &Env,
    of: Unknown<'_>,
    keep: Unknown<'_>,
) -> napi::Result<()> {
    answer(env, || {
        let watcher: Arc<Watcher> = external::of_js(&of)?;
        let keep = value::flag(&keep, "whether it stays")?.unwrap_or_default();
        let port = watcher.port.lock().unwrap_or_else(PoisonError::into_inner);
        port.as_ref().map_or(Ok(()), |port| port.keep_alive(env, keep))
    })
}

fn reader_number(value: &Unknown<'_>) -> Result<u64, Failure> {
    let what = "the number of the reader";
    value::integer(value::number(value, what)?, what)
}

/// A reader of a monitor; the cursor is `undefined` if there is none.
#[napi(catch_unwind)]
pub(crate) fn reader_open<'env>(
    env: &'env Env,
    watcher: Unknown<'_>,
    of: Unknown<'_>,
    number: Unknown<'_>,
    cursor: Unknown<'_>,
) -> napi::Result<Unknown<'env>> {
    answer(env, || {
        let watcher: Arc<Watcher> = external::of_js(&watcher)?;
        let monitor = monitor(&of)?;
        let number = reader_number(&number)?;
        let cursor = if value::is_undefined(&cursor) {
            None
        } else {
            Some(value::text(&cursor, "the cursor")?)
        };
        let shared = Arc::clone(&watcher.shared);
        shared.tell(Command::Open { reader: number, monitor, cursor });
        external::to_js(env, Arc::new(Reader { number, shared }))
    })
}

/// Asks for one answer: the next batch, or nothing when the time is over (`undefined`: never).
#[napi(catch_unwind)]
pub(crate) fn reader_read(env: &Env, of: Unknown<'_>, timeout: Unknown<'_>) -> napi::Result<()> {
    answer(env, || {
        let reader: Arc<Reader> = external::of_js(&of)?;
        let timeout = if value::is_undefined(&timeout) {
            None
        } else {
            Some(value::millis(&timeout, "`timeoutMs`")?)
        };
        // Of a time that is further off than the clock reaches, there is no end.
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        reader.shared.tell(Command::Read { reader: reader.number, end });
        Ok(())
    })
}

/// What it was asked for is not answered any more.
#[napi(catch_unwind)]
pub(crate) fn reader_close(env: &Env, of: Unknown<'_>) -> napi::Result<()> {
    answer(env, || {
        let reader: Arc<Reader> = external::of_js(&of)?;
        reader.shared.tell(Command::Close { reader: reader.number });
        Ok(())
    })
}

/// See `sessionreg::Monitor::close`; what its readers have is given back too.
#[napi(catch_unwind)]
pub(crate) fn monitor_close(env: &Env, of: Unknown<'_>, watcher: Unknown<'_>) -> napi::Result<()> {
    answer(env, || {
        let monitor = monitor(&of)?;
        monitor.close();
        if !value::is_undefined(&watcher) {
            let watcher: Arc<Watcher> = external::of_js(&watcher)?;
            watcher.shared.tell(Command::CloseAll { of: monitor });
        }
        Ok(())
    })
}
