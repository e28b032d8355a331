//! Long lists are worked through by several threads.

use std::thread::{self, available_parallelism};

/// A thread is worth starting for so many files.
const A_THREADS_WORTH: usize = 1024;

/// More would wait for the same folder.
const MAX_THREADS: usize = 8;

/// Gives `work` the parts of a list, with the place of each, and joins the results in the order of
/// the list. A short list is one part, for the caller's own thread; none outlives the call.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    list: &[T],
    work: impl Fn(usize, &[T]) -> Vec<R> + Sync,
) -> Vec<R> {
    if list.len() < 2 * A_THREADS_WORTH {
        return work(0, list);
    }
    let threads = available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    let size = list.len().div_ceil(threads.min(list.len() / A_THREADS_WORTH));
    let part = |index: usize| {
        let start = (index * size).min(list.len());
        (start, &list[start..(start + size).min(list.len())])
    };
    thread::scope(|scope| {
        let work = &work;
        let start = |index: usize| {
            let (start, part) = part(index);
            // Where no thread can be had, the caller's own does it.
            thread::Builder::new().spawn_scoped(scope, move || work(start, part)).ok()
        };
        let count = list.len().div_ceil(size);
        let others: Vec<_> = (1..count).map(start).collect();
        let (first, own) = part(0);
        let mut done = work(first, own);
        for (index, other) in (1..count).zip(others) {
            match other.map(thread::ScopedJoinHandle::join) {
                Some(Ok(more)) => done.extend(more),
                Some(Err(panic)) => std::panic::resume_unwind(panic),
                None => {
                    let (start, part) = part(index);
                    done.extend(work(start, part));
                }
            }
        }
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_done_once_and_in_order() {
        for length in [0, 1, 2047, 2048, 2049, 5000, 10_001, 100_000] {
            let list: Vec<usize> = (0..length).collect();
            let done = in_parallel(&list, |start, part| {
                assert_eq!(part.first().copied().unwrap_or(start), start);
                part.to_vec()
            });
            assert_eq!(done, list);
        }
    }
}
