#!/usr/bin/env bash
# Builds and tests for the systems that this one is not, as far as Linux on x86-64 can tell.
#
#   scripts/platforms.sh [part...]      parts: windows msvc macos musl aarch64; all if none is named
#
# A part whose tools are missing is skipped, and a line says what is missing; with
# PLATFORMS_REQUIRED=1 that is a failure. What lies beyond an emulator is left out by name, always,
# with its reason. One folder below target/ holds all of it, so that no other build starts afresh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly self=$PWD/scripts/platforms.sh
readonly parts=(windows msvc macos musl aarch64)
readonly packages=(-p sessionreg -p sessionreg-ffi -p sessionreg-tests)
# The C library is tested from C; its test in Rust is about the header, which is one for all.
readonly tested=(-p sessionreg -p sessionreg-tests)
targets=(--tests)
# What a part exits with when it was skipped, as is the custom of test drivers.
readonly skipped=77
export CARGO_TARGET_DIR=$PWD/target/platforms

# --- What the parts share -----------------------------------------------------------------------

skip_part() {
    echo "skipped: $1"
    exit "$skipped"
}

# For what this machine lacks within a part: a failure if everything is required.
skip() {
    echo "skipped: $1"
    [[ ${PLATFORMS_REQUIRED:-} != 1 ]]
}

# For what no machine has: never a failure.
beyond() {
    echo "skipped: $1"
}

need_program() {
    command -v "$1" >/dev/null || skip_part "no $1 (Debian package $2)"
}

need_target() {
    [[ -d $(rustc --print sysroot)/lib/rustlib/$1/lib ]] || rustup target add "$1" ||
        skip_part "no Rust standard library for $1 (rustup target add $1)"
}

# lint <target> <packages>...: Clippy compiles as far as `cargo check`: it is the type check too.
lint() {
    local target=$1
    shift
    cargo clippy --locked --quiet --all-targets --target "$target" "$@" -- -D warnings
}

# run_tests <target> [argument of the tests]...: shows what they left out, unless it is for another
# system anyway.
run_tests() {
    local target=$1
    shift
    cargo test --locked "${targets[@]}" --target "$target" "${tested[@]}" -- --show-output "$@" |
        grep --line-buffered -v ': not for this platform$'
}

# --- Windows: built by MinGW, run by Wine -------------------------------------------------------

windows() {
    local target=x86_64-pc-windows-gnu
    need_program x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64-posix
    need_program wine "wine, with wine64"
    need_target "$target"
    start_wine
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER="timeout --kill-after=10 600 wine"
    lint "$target" "${packages[@]}"
    cargo build --locked --target "$target" "${packages[@]}"
    run_tests "$target"
    c_tests_under_wine "$CARGO_TARGET_DIR/$target/debug"
}

# A Wine of our own: registry and drive C are below target/, the server ends with this part. There
# is no display, and nothing here asks for .NET, HTML or menus.
start_wine() {
    export WINEPREFIX=$CARGO_TARGET_DIR/wine WINEARCH=win64 WINEDEBUG=-all LC_ALL=C.UTF-8
    export WINEDLLOVERRIDES="mscoree,mshtml,winemenubuilder.exe=d"
    unset DISPLAY
    trap 'wineserver -k || true' EXIT
    [[ -f $WINEPREFIX/complete ]] || make_wine_prefix
}

make_wine_prefix() {
    local dll=$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll
    local log=$CARGO_TARGET_DIR/wine.log
    rm -rf "$WINEPREFIX"
    mkdir -p "$CARGO_TARGET_DIR"
    timeout --kill-after=10 300 wine wineboot --init &>"$log" || { cat "$log" && return 1; }
    timeout 60 wineserver -w
    # A newer Wine has its own.
    [[ -f $dll ]] ||
        x86_64-w64-mingw32-gcc -shared -O2 -o "$dll" scripts/wine/bcryptprimitives.c -ladvapi32
    touch "$WINEPREFIX/complete"
}

# One program per file, linked to the DLL and put beside it, where Windows looks first.
c_tests_under_wine() {
    local built=$1 source program
    SESSIONREG_PROCESSES=$(windows_path "$built/processes.exe")
    export SESSIONREG_PROCESSES
    for source in tests/c/*.c; do
        program=$built/c-$(basename "$source" .c).exe
        x86_64-w64-mingw32-gcc -std=c11 -Wall -Wextra -Werror -Iinclude -o "$program" \
            "$source" "$built/libsessionreg.dll.a"
        echo "$source"
        timeout --kill-after=10 300 wine "$program"
    done
}

# Wine shows the root folder as drive Z.
windows_path() {
    echo "Z:${1//\//\\}"
}

# --- Windows with Microsoft's tools, and macOS: there is no running them here ---------------------

msvc() {
    need_target x86_64-pc-windows-msvc
    lint x86_64-pc-windows-msvc --workspace
    beyond "running the tests: Microsoft's linker and libraries are for Windows only"
}

macos() {
    local target
    for target in aarch64-apple-darwin x86_64-apple-darwin; do
        need_target "$target"
        lint "$target" --workspace
    done
    beyond "running the tests: Apple's linker and libraries are for macOS only"
}

# --- Linux with another C library ---------------------------------------------------------------

musl() {
    local target=x86_64-unknown-linux-musl
    need_target "$target"
    lint "$target" "${packages[@]}"
    run_tests "$target"
}

# --- Linux on another processor -----------------------------------------------------------------

aarch64() {
    local target=aarch64-unknown-linux-gnu
    need_program aarch64-linux-gnu-gcc "gcc-aarch64-linux-gnu, with libc6-dev-arm64-cross"
    need_program qemu-aarch64 qemu-user
    need_target "$target"
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
    export QEMU_LD_PREFIX=/usr/aarch64-linux-gnu
    lint "$target" "${packages[@]}"
    cargo test --locked --no-run --tests --target "$target" "${tested[@]}"
    if open_namespace && in_namespace register_qemu; then
        in_namespace test_aarch64
    else
        skip "the tests that start programs: they need binfmt_misc in a user namespace (Linux 6.7)"
        CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="timeout --kill-after=10 600 qemu-aarch64" \
            cargo test --locked --tests --target "$target" -p sessionreg
    fi
}

# Opens a user and a mount namespace which last as long as this part: the kernel has a binfmt_misc
# for each user namespace, so the machine's own is not touched. Root keeps all its users there,
# as some tests act as two of them; anyone else is root there and nobody besides.
open_namespace() {
    local map="0 0 65536"
    coproc namespace { exec unshare --user --mount bash -c 'echo && exec cat' 2>&1; }
    namespace_pid=$!
    # It says nothing when it is there, and what is wrong when it is not.
    read -r -t 10 -u "${namespace[0]}" && [[ -z $REPLY ]] || return 1
    if ((EUID != 0)); then
        map="0 $EUID 1"
        echo deny >"/proc/$namespace_pid/setgroups"
    fi
    echo "$map" >"/proc/$namespace_pid/uid_map" && echo "$map" >"/proc/$namespace_pid/gid_map"
}

in_namespace() {
    nsenter --user --preserve-credentials --mount --target "$namespace_pid" --wd="$PWD" \
        "$BASH" "$self" --inside "$1"
}

# The magic number of an ELF file for AArch64, and a mask for what may differ. F: the emulator is
# opened now, for use in any root folder later.
register_qemu() {
    local registry=/proc/sys/fs/binfmt_misc
    local magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
    local mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
    mount -t binfmt_misc binfmt_misc "$registry"
    printf ':qemu-aarch64:M::%s:%s:%s:F' "$magic" "$mask" "$(command -v qemu-aarch64)" \
        >"$registry/register"
}

# Tests of what the emulator gets wrong say nothing about us.
test_aarch64() {
    local start="the emulator makes up the start time in a process's own stat"
    local out=()
    leave_out zoo::linux "they count threads, and the emulator adds one to every process"
    leave_out promises::owners::the_owner_of_a_file_must_be_the_user "the emulator has no clone3"
    leave_out promises::forks::a_forked_child_of_a_user_of_the_library "$start"
    leave_out promises::kills::a_reader_never_sees_a_partial "$start, which names temporary files"
    leave_out promises::sweeps::temporary_files_go "$start, which names temporary files"
    leave_out promises::sweeps::a_sweep_never_removes "threads that race for a lock take minutes there"
    leave_out process::linux::table::tests::the_calling "the emulator is in the command lines of its processes"
    leave_out process::linux::locks::tests::a_lock "the emulator's own files are not where /proc says"
    leave_out promises::sessions::a_reader_finds "the emulator hangs when a thread forks so often"
    leave_out promises::successors::clear_if_never "processes that race for a lock take minutes there"
    leave_out promises::pictures "thousands of looks at all folders take minutes there"
    leave_out promises::watches::of_a_burst "ten thousand changes take minutes there"
    leave_out promises::watches::a_reader_that_is_too_far "eighteen thousand changes take minutes there"
    leave_out restore::model "a hundred thousand steps take minutes there"
    local own_start="make-own-process history-register-ours history-register-qwen"
    own_start+=" history-register-qwen-names history-register-claude history-sidecar-keys"
    own_start+=" history-claude-of-a-former-process"
    # Nor are the locks that the system shows those of the emulated files.
    own_start+=" snapshot-codex-lock-free"
    own_start+=" history-claude-of-a-former-process-without-boot pidfile-verdict-verified-runner"
    beyond "the vectors $own_start: $start"
    beyond "the orders of threads: they are a scheduler's, and the same on every processor"
    targets=(--lib --test it)
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="$BASH $self --inside try_again"
    SESSIONREG_SKIP="$own_start" run_tests aarch64-unknown-linux-gnu "${out[@]}"
}

# try_again <command...>: the emulator hangs now and then where it forks beside threads, and then its
# children hold what they inherited: all of them end, and the tests begin anew. What fails, fails.
try_again() {
    local tries code
    for tries in 1 2 3; do
        code=0
        timeout --signal=KILL 300 "$@" || code=$?
        # 128 and the signal.
        ((code == 137)) || return "$code"
        echo "the emulator hung ($tries)"
    done
    return "$code"
}

# leave_out <beginning of names> <reason>: adds to the `out` of its caller.
leave_out() {
    beyond "$1: $2"
    out+=(--skip "$1")
}

# ------------------------------------------------------------------------------------------------

run_parts() {
    local part code ran=() missing=() failed=()
    for part in "$@"; do
        [[ " ${parts[*]} " == *" $part "* ]] || { echo "no part $part, only: ${parts[*]}"; exit 2; }
        echo "== $part"
        code=0
        # In a shell of its own, for `set -e` does not hold in a function whose failure is caught.
        "$BASH" "$self" --inside "$part" || code=$?
        case $code in
            0) ran+=("$part") ;;
            "$skipped") missing+=("$part") ;;
            *) failed+=("$part") ;;
        esac
    done
    [[ ${PLATFORMS_REQUIRED:-} != 1 ]] || { failed+=("${missing[@]}") && missing=(); }
    printf 'platforms: passed: %s; skipped: %s; failed: %s\n' \
        "${ran[*]:-none}" "${missing[*]:-none}" "${failed[*]:-none}"
    ((${#failed[@]} == 0))
}

case ${1:-} in
    --inside) "${@:2}" ;;
    "") run_parts "${parts[@]}" ;;
    *) run_parts "$@" ;;
esac
