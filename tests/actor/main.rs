//! The other process of a promise: one command, done by a process of its own that can be killed,
//! traced, confined or made another user, and what came of it as JSON lines.
//!
//! `actor [--umask OCTAL] [--user UID] [--pidfd-fails ERRNO] COMMAND ARGUMENTS…`

#[cfg(target_os = "linux")]
mod confine;
#[cfg(target_os = "linux")]
mod forks;
#[cfg(target_os = "linux")]
mod judge;
#[cfg(target_os = "linux")]
mod loops;
#[cfg(target_os = "linux")]
mod once;
#[cfg(target_os = "linux")]
mod pattern;
#[cfg(target_os = "linux")]
mod power;
#[cfg(target_os = "linux")]
mod registry;
#[cfg(target_os = "linux")]
mod reuse;
#[cfg(target_os = "linux")]
mod watch;

#[cfg(target_os = "linux")]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut rest: Vec<&str> = arguments.iter().map(String::as_str).collect();
    while let [option, value, ..] = rest[..] {
        match option {
            "--umask" => confine::umask(value),
            "--user" => confine::become_user(value),
            "--pidfd-fails" => confine::refuse_pidfds(value),
            _ => break,
        }
        rest.drain(..2);
    }
    match rest[..] {
        ["write", path] => once::write(path, once::Sync::No),
        ["write-durably", path] => once::write(path, once::Sync::Yes),
        ["clear", path] => once::clear(path),
        ["clear-if", path] => once::clear_if(path),
        ["load", path] => once::load(path),
        ["write-for-ids", folder] => once::write_for_ids(folder),
        ["serve", path] => once::serve(path),
        ["hold-lock", folder] => once::hold_lock(folder),
        ["write-loop", path] => loops::write_for_ever(path),
        ["naive-loop", path] => loops::write_naively_for_ever(path),
        ["write-for-a-while", path, millis] => loops::write_for_a_while(path, number(millis)),
        ["clear-for-a-while", path, millis] => loops::clear_for_a_while(path, number(millis)),
        ["read-for-a-while", path, millis] => loops::read_for_a_while(path, number(millis)),
        ["judge-lines"] => judge::lines(),
        ["judge-files", ref paths @ ..] => judge::files(paths),
        ["judge-file-after", path, program, ref arguments @ ..] => {
            judge::file_after(path, program, arguments);
        }
        ["judge-impossible-pids"] => judge::impossible_pids(),
        ["reuse", rounds, pause_ms] => reuse::rounds(number(rounds), number(pause_ms)),
        ["fork", folder] => forks::child_of_a_user(folder),
        ["fork-into-namespace", folder] => forks::child_with_our_pid(folder),
        ["fork-among-writers", folder, rounds] => forks::among_writers(folder, number(rounds)),
        ["fork-and-stay", folder, children] => forks::that_stay(folder, number(children)),
        ["register", dir, id] => registry::register(dir, id),
        ["list", dir] => registry::list(dir),
        ["sweep", dir] => registry::sweep(dir),
        ["help", dir, pid, own, count] => registry::help(dir, pid, own, number(count)),
        ["update-loop", dir] => registry::update_for_ever(dir),
        ["live", dir, own, operations] => registry::live(dir, number(own), number(operations)),
        ["claim", id] => registry::claim(id),
        ["claim-in-turns", id, marker, rounds] => {
            registry::claim_in_turns(id, marker, number(rounds));
        }
        ["snapshot", folder] => watch::snapshot(folder),
        ["watch-idle", folder, millis] => watch::idle(folder, number(millis)),
        ["panes", ref data @ ..] => watch::panes(data),
        ["record-turns", data] => watch::record_turns(data),
        ["watch-cycles", folder] => watch::cycles(folder),
        ["watch-without-inotify", folder] => watch::without_inotify(folder),
        ["watch-many", folder] => watch::many(folder),
        ["fork-monitor", folder] => watch::fork(folder),
        ["hold-open", path] => watch::hold_open(path, None),
        ["hold-open", path, lock] => watch::hold_open(path, Some(lock)),
        ["fork-sessions", dir, rounds] => registry::forks(dir, number(rounds)),
        ["power-cuts", image, mount_point, rounds] => {
            power::cuts(image, mount_point, number(rounds));
        }
        _ => panic!("no such command: {arguments:?}"),
    }
}

#[cfg(target_os = "linux")]
fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

#[cfg(not(target_os = "linux"))]
fn main() {
    panic!("the promises are shown on Linux");
}
