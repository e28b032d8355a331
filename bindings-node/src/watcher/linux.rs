//! Sleeping on Linux: on the descriptors of monitors, and one by which the thread is woken.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use sessionreg::Watch;

/// Where a monitor's number is; those of monitors are smaller.
const WAKE: u64 = u64::MAX;

/// What one thread sleeps on, and any other wakes it by.
pub(super) struct Sleep {
    all: OwnedFd,
    wake: OwnedFd,
}

impl Sleep {
    pub(super) fn new() -> io::Result<Self> {
        let all = epoll::create(CreateFlags::CLOEXEC)?;
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&all, &wake, EventData::new_u64(WAKE), EventFlags::IN)?;
        Ok(Self { all, wake })
    }

    pub(super) fn wake(&self) {
        // Only a full counter refuses, and that one wakes as well.
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }

    /// Whether it wakes from now on when this watch has something to tell.
    pub(super) fn add(&self, number: u64, watch: &Watch) -> bool {
        let data = EventData::new_u64(number);
        watch.fd().is_ok_and(|fd| epoll::add(&self.all, fd, data, EventFlags::IN).is_ok())
    }

    pub(super) fn remove(&self, watch: &Watch) {
        if let Ok(fd) = watch.fd() {
            // It was added.
            let _ = epoll::delete(&self.all, fd);
        }
    }

    /// Adds the numbers of those that have.
    pub(super) fn sleep(&self, limit: Option<Duration>, told: &mut Vec<u64>) {
        // Of a time that is too long to be said, there is no end.
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        let mut events: [Event; 64] = [const { EMPTY }; 64];
        // A signal ends it too: whoever calls asks again.
        let Ok(count) = epoll::wait(&self.all, &mut events, limit.as_ref()) else { return };
        for event in &events[..count] {
            match event.data.u64() {
                WAKE => drop(rustix::io::read(&self.wake, &mut [0_u8; 8])),
                number => told.push(number),
            }
        }
    }
}

const EMPTY: Event = Event { flags: EventFlags::empty(), data: EventData::new_u64(0) };
