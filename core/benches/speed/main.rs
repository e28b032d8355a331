//! What the library costs in Rust, beside the system calls that the job cannot do without and
//! beside what people use today.
//!
//! Prints one JSON object a line: job, contender, and the 10th, 50th and 90th percentile in
//! microseconds. Contenders of a job take turns, call by call, so that whatever else the machine
//! does meets all of them alike; `scripts/bench.py` makes the tables.

#[cfg(target_os = "linux")]
mod floor;
#[cfg(target_os = "linux")]
mod jobs;

fn main() {
    #[cfg(target_os = "linux")]
    jobs::run();
    #[cfg(not(target_os = "linux"))]
    eprintln!("skipped: the floors are system calls of Linux");
}
