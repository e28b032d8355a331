//! What a process can have taken from it: mode bits, root, system calls.

use std::io;

/// Sets the umask, given in octal.
pub(crate) fn umask(octal: &str) {
    let mask = u32::from_str_radix(octal, 8).expect("an octal number");
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(mask));
}

/// Becomes another user for good, with its group of the same number and no others.
pub(crate) fn become_user(uid: &str) {
    let uid: libc::uid_t = uid.parse().expect("a user id");
    // SAFETY: these take plain numbers, and a null list of length 0.
    let results =
        unsafe { [libc::setgroups(0, std::ptr::null()), libc::setgid(uid), libc::setuid(uid)] };
    assert_eq!(results, [0; 3], "cannot become user {uid}: {}", io::Error::last_os_error());
}

/// Has every `pidfd_open` of this process fail, as in a sandbox or under an old kernel.
pub(crate) fn refuse_pidfds(errno: &str) {
    let errno: u32 = match errno {
        "ENOSYS" => libc::ENOSYS,
        "EPERM" => libc::EPERM,
        _ => panic!("{errno}: only ENOSYS and EPERM are known"),
    }
    .cast_unsigned();
    refuse(libc::SYS_pidfd_open, errno);
}

/// Has every `inotify_init1` of this process fail, as for a user who has no more of them.
pub(crate) fn refuse_inotify() {
    refuse(libc::SYS_inotify_init1, libc::EMFILE.cast_unsigned());
}

fn refuse(call: libc::c_long, errno: u32) {
    let call = u32::try_from(call).expect("a system call's number");
    let statement = |code: u32, k: u32, jump_if_true, jump_if_false| libc::sock_filter {
        code: u16::try_from(code).expect("an opcode"),
        jt: jump_if_true,
        jf: jump_if_false,
        k,
    };
    // The number of the call is the first field of `struct seccomp_data`.
    let mut program = [
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, call, 0, 1),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | errno, 0, 0),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    let filter = libc::sock_fprog {
        len: u16::try_from(program.len()).expect("a short program"),
        filter: program.as_mut_ptr(),
    };
    // SAFETY: the filter and its program outlive the calls, which copy them.
    let results = unsafe {
        [
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
            libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const filter),
        ]
    };
    assert_eq!(results, [0; 2], "cannot set a filter: {}", io::Error::last_os_error());
}
