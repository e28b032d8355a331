#!/usr/bin/env bash
# Builds and runs the tests of the C library; one line for each, and the sum at the end.
#
#   tests/c/run.sh
#
# A test that lacks a tool is skipped, and a line says which; with C_TESTS_REQUIRED=1 that is a
# failure. Everything that is made lies in target/c.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly root=$PWD out=$PWD/target/c target=${CARGO_TARGET_DIR:-$PWD/target}
readonly warnings="-Wall -Wextra -Wpedantic -Werror"
# The largest shared library, stripped, in bytes.
readonly most_bytes=1900000
CC=${CC:-cc}
passed=0 failed=0 skipped=0

# --- One line for each test -----------------------------------------------------------------------

pass() {
    echo "ok      $1"
    passed=$((passed + 1))
}

fail() {
    echo "FAILED  $1"
    failed=$((failed + 1))
}

skip() {
    if [[ ${C_TESTS_REQUIRED:-} == 1 ]]; then
        fail "$1: may not be skipped: $2"
    else
        echo "skipped $1: $2"
        skipped=$((skipped + 1))
    fi
}

has() {
    command -v "$1" >/dev/null
}

# check <name> <command...>: how what it says begins is shown if it fails.
check() {
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        pass "$name"
    else
        [[ -z $output ]] || head -n 40 <<<"$output" | sed 's/^/  /'
        fail "$name"
    fi
}

# run <program> <what is said before each line> [command...]: counts the lines of a test program.
run() {
    local program=$1 prefix=$2
    shift 2
    execute "$program" "$@"
    tell "$program" "$prefix"
}

# execute <program> [command...]: what it says, and how it ends, is kept for `tell`.
execute() {
    local program=$1 log=$out/log.$1
    shift
    # What another one removes beside its folders would wake those that count how often they wake.
    mkdir -p "$TMPDIR/$program"
    TMPDIR=$TMPDIR/$program "$@" "$out/$program" >"$log" 2>"$log.err"
    echo $? >"$log.code"
}

tell() {
    local program=$1 prefix=$2 log=$out/log.$1 code
    code=$(<"$log.code")
    sed -E "s/^(ok     |FAILED |skipped) /\1 $prefix$program: /" "$log"
    passed=$((passed + $(grep -c '^ok ' "$log")))
    skipped=$((skipped + $(grep -c '^skipped ' "$log")))
    local failures
    failures=$(grep -c '^FAILED ' "$log")
    failed=$((failed + failures))
    if ((code != 0 && failures == 0)) || ! grep -q '^ok ' "$log"; then
        head -n 40 "$log.err" | sed 's/^/  /'
        fail "$prefix$program: it ended with $code"
    fi
}

# --- What is built --------------------------------------------------------------------------------

build_library() {
    cargo build --locked -p sessionreg-ffi -p sessionreg-tests || exit 1
    # The loader looks for the name in the library; two of them, for the forced panics.
    rm -rf "$out"
    mkdir -p "$out/lib" "$out/panic"
    ln -s "$target/debug/libsessionreg.so" "$out/lib/libsessionreg.so"
    ln -s libsessionreg.so "$out/lib/libsessionreg.so.0"
    export LD_LIBRARY_PATH=$out/lib
}

# What `test_install` will find.
build_release() {
    cargo build --quiet --locked --release -p sessionreg-ffi
}

compile() {
    local source=$1 program=$2
    shift 2
    # shellcheck disable=SC2086
    $CC -std=c11 -g $warnings -Iinclude -pthread -o "$out/$program" "$source" -L"$out/lib" "$@"
}

# --- The programs ---------------------------------------------------------------------------------

readonly programs=(words records files verdicts paths nulls registries sessions sweeps claims snapshots
    monitors restores)
readonly unix_programs=(forks threads exits deaths watches restore_threads restore_processes)
memcheck=(valgrind --quiet --leak-check=full --show-leak-kinds=definite,possible
    --errors-for-leak-kinds=definite,possible --error-exitcode=99 --child-silent-after-fork=yes
    --fair-sched=try --suppressions=tests/c/valgrind.supp)
built=()

build_programs() {
    local name
    for name in "${programs[@]}"; do
        compile "tests/c/$name.c" "$name" -lsessionreg && built+=("$name") || fail "$name: it does not compile"
    done
    for name in "${unix_programs[@]}"; do
        compile "tests/c/unix/$name.c" "$name" -lsessionreg && built+=("$name") || fail "$name: it does not compile"
    done
    compile tests/c/unix/loading.c loading -ldl && built+=(loading) || fail "loading: it does not compile"
    if pkg-config --exists jansson 2>/dev/null; then
        # shellcheck disable=SC2046
        compile tests/c/unix/vectors.c vectors -lsessionreg $(pkg-config --cflags --libs jansson) &&
            built+=(vectors) || fail "vectors: it does not compile"
    else
        skip vectors "no JSON library for C (Debian packages libjansson-dev, pkg-config)"
    fi
}

run_programs() {
    local name
    for name in "${built[@]}"; do
        run "$name" "" env
    done
}

# Valgrind does not know pidfds and hides them: the identity of a process is its start then.
run_programs_under_valgrind() {
    local index name leaks
    has valgrind || { skip "the same under valgrind" "no valgrind"; return; }
    # Its linking takes one processor, and so does each of the programs.
    build_release &
    # The last ones take longest.
    for ((index = ${#built[@]} - 1; index >= 0; index--)); do
        name=${built[index]}
        # Its children end with what they inherited, which a map holds by a pointer into its middle.
        [[ $name == restore_processes ]] && leaks=no || leaks=full
        # Three at a time, of which the release is one for as long as it takes.
        (($(jobs -rp | wc -l) < 3)) || wait -n
        execute "$name" env -u SESSIONREG_NO_SKIP SESSIONREG_NO_PIDFS=1 \
            "${memcheck[@]}" --leak-check=$leaks --log-file="$out/valgrind.$name.%p" &
    done
    wait
    for name in "${built[@]}"; do
        tell "$name" "valgrind: "
    done
    check "valgrind: no error and no leak" no_reports
}

# A line of `--quiet` valgrind that is no notice about a system call is a report.
no_reports() {
    ! grep -h -v -e '^--' "$out"/valgrind.* | grep .
}

# --- The header -----------------------------------------------------------------------------------

readonly use='#include <sessionreg.h>
static sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
static sessionreg_new made = SESSIONREG_NEW_INIT;
static sessionreg_sweep_options sweep = SESSIONREG_SWEEP_OPTIONS_INIT;
static sessionreg_monitor_options monitor = SESSIONREG_MONITOR_OPTIONS_INIT;
static sessionreg_restore_options restore = SESSIONREG_RESTORE_OPTIONS_INIT;
int main(void) {
    sessionreg_clean_up_options clean_up = SESSIONREG_CLEAN_UP_OPTIONS_INIT;
    sessionreg_registry_options registry = SESSIONREG_REGISTRY_OPTIONS_INIT;
    if (!made.pid_file || made.keep_sidecar || made.on_error || sweep.dry_run || registry.dialect)
        return 1;
    if (monitor.fold_ms != -1 || monitor.poll_ms != -1 || monitor.cursor || clean_up.dry_run)
        return 1;
    if (restore.limit != 20 || restore.timeout_ms != 60000 || restore.ring_capacity != 4000)
        return 1;
    sessionreg_write_options options = SESSIONREG_WRITE_OPTIONS_INIT;
    sessionreg_status status = sessionreg_status_string(SESSIONREG_STATUS_OK) ? SESSIONREG_STATUS_OK : SESSIONREG_STATUS_IO;
    return (int)(status + fields.pid) + (options.create_folders ? 0 : 1) + (options.durable ? 1 : 0);
}'

# header <compiler> <language> <standard> <how it is tried>
header() {
    local name="header: $1 -std=$3"
    has "$1" || { skip "$name" "no $1"; return; }
    check "$name" "$4" "$@"
}

compiles_alone() {
    # shellcheck disable=SC2086
    "$1" -x "$2" -std="$3" $warnings -Wundef -fsyntax-only include/sessionreg.h
}

# Also used by a program that is linked and run.
runs() {
    # shellcheck disable=SC2086
    compiles_alone "$@" &&
        "$1" -x "$2" -std="$3" $warnings -Wundef -Iinclude -o "$out/header" - \
            -L"$out/lib" -lsessionreg <<<"$use" &&
        "$out/header"
}

test_header() {
    header gcc c c99 runs
    header gcc c c11 runs
    header clang c c99 runs
    header clang c c17 runs
    header g++ c++ c++17 runs
    header clang++ c++ c++17 runs
    header x86_64-w64-mingw32-gcc c c99 compiles_alone
}

# --- What is exported, and that no function is forgotten ------------------------------------------

exports() {
    nm -D --defined-only "$1" | awk '{print $3}' | sort
}

# `function parameter` for each pointer that a function of the header takes.
pointers() {
    sed -e 's|//.*||' include/sessionreg.h | tr '\n' ' ' | sed -e 's|/\*[^*]*\*\+\([^/*][^*]*\*\+\)*/||g' -e 's|;|;\n|g' |
        sed -n -E 's/^.*[ *](sessionreg_[a-z0-9_]+)\(([^()]*)\);$/\1(\2)/p' |
        awk -F'[()]' '{
            count = split($2, parameters, ",")
            for (i = 1; i <= count; i++)
                if (parameters[i] ~ /\*/) {
                    name = parameters[i]
                    sub(/.*[ *]/, "", name)
                    print $1, name
                }
        }' | sort -u
}

only_ours_is_exported() {
    ! exports "$1" | grep -v '^sessionreg_'
}

# The same lines, and some.
same() {
    local wanted
    wanted=$(cat "$1")
    [[ -n $wanted ]] && diff - "$2" <<<"$wanted"
}

test_exports() {
    local library=$target/debug/libsessionreg.so
    check "exports: only sessionreg_*" only_ours_is_exported "$library"
    check "exports: what the header declares" same <(exports "$library") <(declared)
    check "exports: NULL is tried for every pointer of each" same <(pointers) <("$out/nulls" list | sort -u)
    check "soname: libsessionreg.so.0" eval "readelf -d '$library' | grep -q 'soname: \[libsessionreg.so.0\]'"
}

# The functions of the header, whatever its comments mention.
declared() {
    sed -e 's|//.*||' include/sessionreg.h | tr '\n' ' ' | sed -e 's|/\*[^*]*\*\+\([^/*][^*]*\*\+\)*/||g' |
        grep -oE '\bsessionreg_[a-z0-9_]+\(' | tr -d '(' | sort -u
}

# --- A panic in every function --------------------------------------------------------------------

test_panics() {
    if ! RUSTFLAGS="--cfg sessionreg_force_panic" \
        cargo build --locked -p sessionreg-ffi --target-dir "$target/panic"; then
        fail "panics: the library does not compile"
        return
    fi
    ln -s "$target/panic/debug/libsessionreg.so" "$out/panic/libsessionreg.so.0"
    compile tests/c/unix/panics.c panics -lsessionreg || { fail "panics: it does not compile"; return; }
    check "exports: a panic is tried in each" same <(exports "$target/debug/libsessionreg.so") <("$out/panics" list | sort)
    run panics "" env LD_LIBRARY_PATH="$out/panic"
}

# --- An installed copy ----------------------------------------------------------------------------

# Installs as those who make packages do, and uses it as their users do.
test_install() {
    local stage=$out/stage prefix=/opt/sessionreg
    if ! PREFIX=$prefix DESTDIR=$stage scripts/install.sh; then
        fail "install"
        return
    fi
    local installed=$stage$prefix
    local version
    version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml)
    check "install: the layout" same <(cd "$installed" && find . ! -type d | sort) - <<LAYOUT
./include/sessionreg.h
./lib/libsessionreg.a
./lib/libsessionreg.so
./lib/libsessionreg.so.0
./lib/libsessionreg.so.$version
./lib/pkgconfig/sessionreg.pc
LAYOUT
    local bytes
    bytes=$(stat -c %s "$installed/lib/libsessionreg.so.$version")
    check "install: the shared library has $bytes bytes, at most $most_bytes" test "$bytes" -le "$most_bytes"
    check "install: the release exports the same" same <(exports "$installed/lib/libsessionreg.so") <(declared)
    if ! has pkg-config; then
        skip "install: used by pkg-config" "no pkg-config"
        return
    fi
    # The file says where it will be; this is where it is now.
    export PKG_CONFIG_LIBDIR=$installed/lib/pkgconfig
    export PKG_CONFIG_SYSROOT_DIR=$stage
    check "install: pkg-config knows the version" test "$(pkg-config --modversion sessionreg)" = "$version"
    check "install: examples/c/judge.c" judge_works "$installed"
    check "install: examples/c/serve.c" serve_works "$installed"
    check "install: examples/c/register.c and status_bar.c" registry_works "$installed"
    check "install: examples/c/watch.c" watch_works "$installed"
    check "install: examples/c/restore.c" restore_works "$installed"
    check "install: the example of the README" readme_works "$installed"
    mkdir -p "$out/static"
    cp "$installed/lib/libsessionreg.a" "$out/static"
    check "install: the static library" static_works
    unset PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR
}

# A record of this very shell, to be judged.
readonly alive='{"schema_version": 1, "pid": %s, "session_id": "s", "work_dir": "/", "hostname": "%s", "started_at": %s}'

judges_a_record() {
    local file=$out/s.runtime.json said
    # shellcheck disable=SC2059
    printf "$alive" $$ "$(hostname)" "$(date +%s)" >"$file"
    said=$("$@" "$file") && [[ $said == "$file: alive (unverified)" ]] || { echo "it said: $said"; return 1; }
}

# compile_installed <source> <program>: as a user does.
compile_installed() {
    # shellcheck disable=SC2046,SC2086
    $CC -std=c99 $warnings -o "$out/$2" "$1" $(pkg-config --cflags --libs sessionreg)
}

judge_works() {
    compile_installed examples/c/judge.c judge &&
        judges_a_record env LD_LIBRARY_PATH="$1/lib" "$out/judge"
}

serve_works() {
    compile_installed examples/c/serve.c serve &&
        (cd "$out" && LD_LIBRARY_PATH=$1/lib ./serve && rmdir chats)
}

# One program registers itself for as long as it has input, another one shows it meanwhile.
registry_works() {
    local library=$1/lib folder=$out/registry registrant said
    compile_installed examples/c/register.c register &&
        compile_installed examples/c/status_bar.c status_bar || return 1
    bar() { LD_LIBRARY_PATH=$library "$out/status_bar" "$folder"; }
    said=$(bar) && [[ -z $said ]] || { echo "before, it said: $said"; return 1; }
    coproc registrant_of { LD_LIBRARY_PATH=$library exec "$out/register" "$folder"; }
    registrant=$registrant_of_PID
    local input=${registrant_of[1]} tries
    for ((tries = 0; tries < 500; tries++)); do
        said=$(bar) || break
        [[ -z $said ]] || break
        sleep 0.01
    done
    exec {input}>&-
    wait "$registrant" || return 1
    [[ $said == "$registrant 3f1c idle" ]] || { echo "it said: $said"; return 1; }
    said=$(bar) && [[ -z $said ]] || { echo "afterwards, it said: $said"; return 1; }
    rmdir "$folder"
}

# It shows what another program registers and takes back, and ends with its input.
watch_works() {
    local library=$1/lib folder=$out/watched registrant watch line said=""
    compile_installed examples/c/watch.c watch && mkdir "$folder" || return 1
    coproc watch_of { LD_LIBRARY_PATH=$library exec "$out/watch" "$folder"; }
    watch=$watch_of_PID
    local shown=${watch_of[0]} input=${watch_of[1]}
    LD_LIBRARY_PATH=$library "$out/register" "$folder" < <(sleep 0.3) &
    registrant=$!
    while read -r -t 10 line <&"$shown"; do
        said+=$line$'\n'
        [[ $line != -* ]] || break
    done
    exec {input}>&-
    wait "$registrant" && wait "$watch" || return 1
    [[ $said =~ ^\+\ ([0-9a-f]{32})\ 3f1c\ alive\ idle$'\n'(\*.*)?-\ ([0-9a-f]{32})$'\n'$ ]] &&
        [[ ${BASH_REMATCH[1]} == "${BASH_REMATCH[3]}" ]] || { echo "it said: $said"; return 1; }
    rmdir "$folder"
}

restore_works() {
    local said
    compile_installed examples/c/restore.c restore || return 1
    said=$(LD_LIBRARY_PATH=$1/lib "$out/restore") && [[ $said == "all that was said in 3f1c" ]] ||
        { echo "it said: $said"; return 1; }
}

readme_works() {
    local said
    sed -n '/^```c$/,/^```$/p' README.md | sed '/^```/d' >"$out/readme.c"
    compile_installed "$out/readme.c" readme || return 1
    said=$(cd "$out" && LD_LIBRARY_PATH=$1/lib ./readme) && [[ $said == *"alive (verified)"* ]] ||
        { echo "it said: $said"; return 1; }
}

static_works() {
    # Without the shared library beside it there is only one to find.
    # shellcheck disable=SC2046,SC2086
    $CC -std=c99 $warnings -o "$out/judge-static" examples/c/judge.c $(pkg-config --cflags sessionreg) \
        -L"$out/static" $(pkg-config --static --libs-only-l sessionreg) &&
        ! readelf -d "$out/judge-static" | grep libsessionreg &&
        judges_a_record env -u LD_LIBRARY_PATH "$out/judge-static"
}

# --- The layout of the sources --------------------------------------------------------------------

test_format() {
    has clang-format || { skip "format of the C sources" "no clang-format"; return; }
    # shellcheck disable=SC2046
    check "format of the C sources" clang-format --dry-run -Werror \
        $(find tests/c examples/c -name '*.[ch]')
}

# --------------------------------------------------------------------------------------------------

# What a program that crashes leaves goes with it.
TMPDIR=$(mktemp -d) && export TMPDIR && trap 'rm -rf "$TMPDIR"' EXIT
build_library
test_format
test_header
build_programs
run_programs
run_programs_under_valgrind
test_exports
test_panics
test_install
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0 && passed > 0))
