//! Tells a forked child that what it inherited in memory was learnt by another process.

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use rustix::mm::{Advice, MapFlags, ProtFlags};

/// Room for one number; the kernel rounds up to a page.
const BYTES: usize = size_of::<AtomicU64>();

/// A page that the kernel empties in a forked child; null until first used.
static PAGE: AtomicPtr<AtomicU64> = AtomicPtr::new(ptr::null_mut());

/// The last generation given out. Copied into children, so theirs go on from here.
static LAST: AtomicU64 = AtomicU64::new(0);

/// A number that is the same for as long as this is the same process: not in a forked child, even
/// one in another PID namespace whose pid is the same.
pub(crate) fn generation() -> u64 {
    let Some(cell) = page() else {
        return u64::from(std::process::id());
    };
    let now = cell.load(Ordering::Relaxed);
    if now != 0 {
        return now;
    }
    let next = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    match cell.compare_exchange(0, next, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => next,
        // Another thread of this process was first.
        Err(theirs) => theirs,
    }
}

fn page() -> Option<&'static AtomicU64> {
    let mut page = PAGE.load(Ordering::Acquire);
    if page.is_null() {
        let made = map()?;
        page =
            match PAGE.compare_exchange(ptr::null_mut(), made, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => made,
                Err(theirs) => {
                    // SAFETY: mapped above with this length, and shown to nobody.
                    let _ = unsafe { rustix::mm::munmap(made.cast(), BYTES) };
                    theirs
                }
            };
    }
    // SAFETY: a page in `PAGE` is never unmapped, is aligned and writable, and any bytes in it are
    // an `AtomicU64`; the kernel's emptying happens in the child before any of its threads run.
    Some(unsafe { &*page })
}

fn map() -> Option<*mut AtomicU64> {
    // SAFETY: a new private mapping at an address of the kernel's choice touches nothing of ours.
    let page = unsafe {
        rustix::mm::mmap_anonymous(
            ptr::null_mut(),
            BYTES,
            ProtFlags::READ | ProtFlags::WRITE,
            MapFlags::PRIVATE,
        )
    }
    .ok()?;
    // SAFETY: the mapping was made above and holds nothing yet.
    if unsafe { rustix::mm::madvise(page, BYTES, Advice::LinuxWipeOnFork) }.is_err() {
        // Linux before 4.14, and some emulators: the pid has to do.
        // SAFETY: mapped above with this length, and shown to nobody.
        let _ = unsafe { rustix::mm::munmap(page, BYTES) };
        return None;
    }
    Some(page.cast())
}
