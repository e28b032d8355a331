//! What the library costs in Rust, beside the system calls that the job cannot do without and
//! beside what people use today.
//!
//!     speed [<job> <folder> <calls> <calls a turn>]   all jobs, in a temporary folder, if none is named
//!
//! Prints one JSON object a line: job, contender, and the 10th, 50th and 90th percentile in
//! microseconds. `scripts/bench.py` lets this program and those in `languages` take turns.

#[cfg(target_os = "linux")]
mod floor;
#[cfg(target_os = "linux")]
mod jobs;
#[cfg(target_os = "linux")]
mod registry;
#[cfg(target_os = "linux")]
mod restore;
#[cfg(target_os = "linux")]
mod snapshot;
#[cfg(target_os = "linux")]
mod turns;

fn main() {
    // Cargo adds a flag of its own.
    let args: Vec<_> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    #[cfg(target_os = "linux")]
    match &args[..] {
        [] => jobs::run_all(),
        [job, folder, calls, calls_a_turn] => {
            let number = |text: &String| text.parse().expect("a number of calls");
            let plan =
                turns::Plan { calls: number(calls), calls_a_turn: number(calls_a_turn).max(1) };
            jobs::run(job, folder.as_ref(), plan);
        }
        _ => panic!("usage: speed [<job> <folder> <calls> <calls a turn>]"),
    }
    #[cfg(not(target_os = "linux"))]
    eprintln!("skipped {args:?}: the floors are system calls of Linux");
}
