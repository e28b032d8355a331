/* The operations `snapshot` and `watch`: what is found in the folders of several programs. */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "history.h"
#include "sessions.h"
#include <poll.h>

/* How long a change may take to be told, in milliseconds. */
enum { PATIENCE = 10 * 1000 };

static void release_sources(void *sources) {
    sessionreg_sources_free(sources);
}

static void release_snapshot(void *snapshot) {
    sessionreg_snapshot_free(snapshot);
}

static void release_sessions(void *sessions) {
    sessionreg_agent_sessions_free(sessions);
}

static void release_monitor(void *monitor) {
    sessionreg_monitor_free(monitor);
}

static void release_batch(void *batch) {
    sessionreg_batch_free(batch);
}

static void ok(const char *what, sessionreg_status status) {
    if (status != SESSIONREG_STATUS_OK)
        FAIL("%s: %s", what, sessionreg_status_string(status));
}

/* ---- What is there, and where it is looked for ----------------------------------------------- */

static void put_files(json_t *files) {
    json_t *file;
    size_t index;
    case_kept = keep(json_object(), release_json);
    json_array_foreach(files, index, file)
        put_any(beside(text_of(json_object_get(file, "path")).data), file);
}

static sessionreg_sources *sources_of(json_t *given) {
    static const struct {
        const char *name;
        sessionreg_source source;
    } FOLDERS[] = {
        {"registries", SESSIONREG_SOURCE_REGISTRY}, {"claude_code", SESSIONREG_SOURCE_CLAUDE_CODE},
        {"qwen_code", SESSIONREG_SOURCE_QWEN_CODE}, {"kimi_cli", SESSIONREG_SOURCE_KIMI_CLI},
        {"codex", SESSIONREG_SOURCE_CODEX},         {"copilot", SESSIONREG_SOURCE_COPILOT},
        {"hooks", SESSIONREG_SOURCE_HOOKS},
    };
    sessionreg_sources *sources = NULL;
    json_t *value, *folder;
    const char *key;
    size_t index, at;
    ok("sources", sessionreg_sources_none(&sources, NULL));
    keep(sources, release_sources);
    json_object_foreach(given, key, value) {
        if (strcmp(key, "superseded") == 0) {
            ok(key, sessionreg_sources_set_superseded(sources, json_is_true(value), NULL));
            continue;
        }
        if (strcmp(key, "dead_within") == 0) {
            const double seconds = json_number_value(value);
            ok(key, sessionreg_sources_set_dead_within(sources, seconds, NULL));
            continue;
        }
        for (at = 0; at < COUNT(FOLDERS) && strcmp(key, FOLDERS[at].name) != 0;)
            at++;
        if (at == COUNT(FOLDERS))
            FAIL("no such source: %s", key);
        json_array_foreach(value, index, folder) {
            const char *path = beside(text_of(folder).data);
            ok(key, sessionreg_sources_add(sources, FOLDERS[at].source, path, NULL));
        }
    }
    return sources;
}

/* Appends every file below a folder: what it is called, what it holds, and when that changed. */
static void append_files(bytes *to, const char *folder) {
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char path[4 * PATH_ROOM], line[5 * PATH_ROOM];
        struct stat found;
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        const bool is_self =
            strcmp(entries[i]->d_name, ".") == 0 || strcmp(entries[i]->d_name, "..") == 0;
        free(entries[i]);
        if (is_self || lstat(path, &found) != 0)
            continue;
        snprintf(line, sizeof line, "%s %o %lld.%09ld\n", path, (unsigned)found.st_mode,
                 (long long)found.st_mtim.tv_sec, found.st_mtim.tv_nsec);
        append(to, line, strlen(line));
        if (S_ISDIR(found.st_mode)) {
            append_files(to, path);
        } else if (S_ISREG(found.st_mode) && access(path, R_OK) == 0) {
            bytes content = from_file(path);
            append(to, content.data, content.length);
        }
    }
    if (count >= 0)
        free(entries);
}

static bytes all_files(void) {
    bytes made = bytes_of("", 0);
    append_files(&made, case_folder);
    return made;
}

/* ---- A snapshot ------------------------------------------------------------------------------ */

static const sessionreg_agent_session *in_snapshot(const void *of, size_t index) {
    return sessionreg_snapshot_get(of, index);
}

static const sessionreg_agent_session *in_list(const void *of, size_t index) {
    return sessionreg_agent_sessions_get(of, index);
}

static const sessionreg_agent_session *in_added(const void *of, size_t index) {
    return sessionreg_batch_added_get(of, index);
}

/* Checks that something has the sessions of a snapshot that are wanted, in their order, and no
 * more. */
static void expect_those(const char *what, const void *of, size_t count, session_at *get,
                         const sessionreg_snapshot *snapshot, const bool *wanted) {
    size_t at = 0;
    for (size_t i = 0; i < sessionreg_snapshot_len(snapshot); i++) {
        if (wanted == NULL || wanted[i]) {
            if (!sessionreg_agent_session_equal(get(of, at++),
                                                sessionreg_snapshot_get(snapshot, i)))
                FAIL("%s does not give the sessions of the snapshot", what);
        }
    }
    if (at != count || get(of, count) != NULL)
        FAIL("%s gives %zu sessions, not %zu", what, count, at);
}

static void expect_list(const char *what, sessionreg_status status, sessionreg_agent_sessions *list,
                        const sessionreg_snapshot *snapshot, const bool *wanted) {
    ok(what, status);
    keep(list, release_sessions);
    expect_those(what, list, sessionreg_agent_sessions_len(list), in_list, snapshot, wanted);
}

static void expect_skipped_files(const sessionreg_snapshot *snapshot, json_t *wanted) {
    json_t *one;
    size_t index, count = sessionreg_snapshot_skipped_len(snapshot);
    if (count != json_array_size(wanted))
        FAIL("%zu files are skipped, not %zu", count, json_array_size(wanted));
    json_array_foreach(wanted, index, one)
        expect_one_skipped(sessionreg_snapshot_skipped_get(snapshot, index), one);
    if (sessionreg_snapshot_skipped_get(snapshot, count) != NULL)
        FAIL("there is something behind the last skipped file");
}

static void expect_snapshot(const sessionreg_snapshot *snapshot, json_t *expect) {
    const size_t count = sessionreg_snapshot_len(snapshot);
    const char *why =
        sessions_differ(snapshot, count, in_snapshot, json_object_get(expect, "sessions"));
    char *text = NULL;
    json_t *one;
    size_t index;
    if (why != NULL)
        FAIL("%s", why);
    sessionreg_status status = sessionreg_snapshot_to_json(snapshot, &text, NULL);
    json_t *parsed = parsed_line("to_json of the snapshot", status, text);
    json_t *sessions = json_object_get(parsed, "sessions");
    if (json_array_size(sessions) != count)
        FAIL("to_json has another number of sessions");
    json_array_foreach(sessions, index, one) {
        if (!same_value(one, session_json(sessionreg_snapshot_get(snapshot, index))))
            FAIL("to_json of the snapshot has another session: %s", shown(one));
    }
    expect_skipped_files(snapshot, json_object_get(expect, "skipped"));
    json_t *dead_before = json_object_get(expect, "dead_before");
    compare_number("dead_before", (double)sessionreg_snapshot_dead_before(snapshot), -1,
                   dead_before ? dead_before : keep(json_integer(0), release_json));
    if (isnan(sessionreg_snapshot_taken_at(snapshot)))
        FAIL("nobody knows when it was taken");
}

enum { MOST_SESSIONS = 64 };

static bool is_same_text(sessionreg_text one, sessionreg_text other) {
    return other.data != NULL && same_text(one, other);
}

/* Asks for what a session says. */
static void ask_for(const sessionreg_snapshot *snapshot, const sessionreg_agent_session *of) {
    const sessionreg_text id = sessionreg_agent_session_session_id(of);
    const sessionreg_text work_dir = sessionreg_agent_session_work_dir(of);
    const uint32_t pid = sessionreg_agent_session_pid(of);
    bool of_pid[MOST_SESSIONS], of_id[MOST_SESSIONS], of_work_dir[MOST_SESSIONS];
    sessionreg_agent_sessions *list = NULL;
    sessionreg_status status;
    for (size_t i = 0; i < sessionreg_snapshot_len(snapshot); i++) {
        const sessionreg_agent_session *other = sessionreg_snapshot_get(snapshot, i);
        of_pid[i] = sessionreg_agent_session_pid(other) == pid;
        of_id[i] = is_same_text(sessionreg_agent_session_session_id(other), id);
        of_work_dir[i] = is_same_text(sessionreg_agent_session_work_dir(other), work_dir);
    }
    if (pid != 0) {
        status = sessionreg_snapshot_find_by_pid(snapshot, pid, &list, NULL);
        expect_list("find_by_pid", status, list, snapshot, of_pid);
    }
    /* C ends text at NUL. */
    if (id.data != NULL && strlen(id.data) == id.length) {
        status = sessionreg_snapshot_find_by_session(snapshot, id.data, &list, NULL);
        expect_list("find_by_session", status, list, snapshot, of_id);
    }
    if (work_dir.data != NULL && strlen(work_dir.data) == work_dir.length) {
        status = sessionreg_snapshot_find_by_work_dir(snapshot, work_dir.data, &list, NULL);
        expect_list("find_by_work_dir", status, list, snapshot, of_work_dir);
    }
}

static void ask_questions(const sessionreg_snapshot *snapshot) {
    const size_t count = sessionreg_snapshot_len(snapshot);
    bool is_live[MOST_SESSIONS];
    size_t live = 0;
    sessionreg_agent_sessions *list = NULL;
    if (count > MOST_SESSIONS)
        FAIL("more sessions than this runner has room for");
    for (size_t i = 0; i < count; i++) {
        const sessionreg_agent_session *session = sessionreg_snapshot_get(snapshot, i);
        is_live[i] = sessionreg_agent_session_verdict(session).state == SESSIONREG_STATE_ALIVE;
        live += is_live[i];
        ask_for(snapshot, session);
    }
    sessionreg_status status = sessionreg_snapshot_live(snapshot, &list, NULL);
    expect_list("live", status, list, snapshot, is_live);
    if (sessionreg_snapshot_count_live(snapshot) != live)
        FAIL("count_live is not %zu", live);
}

static sessionreg_monitor *open_monitor(const sessionreg_sources *sources) {
    sessionreg_monitor *monitor = NULL;
    ok("the monitor", sessionreg_monitor_open(sources, NULL, &monitor, NULL));
    return keep(monitor, release_monitor);
}

static sessionreg_snapshot *snapshot_of(const sessionreg_monitor *monitor) {
    sessionreg_snapshot *snapshot = NULL;
    ok("snapshot of a monitor", sessionreg_monitor_snapshot(monitor, &snapshot, NULL));
    return keep(snapshot, release_snapshot);
}

static void expect_first_batch(const char *what, sessionreg_status status, sessionreg_batch *batch,
                               const sessionreg_snapshot *snapshot) {
    ok(what, status);
    keep(batch, release_batch);
    if (!sessionreg_batch_reset(batch) || sessionreg_batch_changed_len(batch) != 0 ||
        sessionreg_batch_removed_len(batch) != 0)
        FAIL("%s does not give the full state first", what);
    expect_those(what, batch, sessionreg_batch_added_len(batch), in_added, snapshot, NULL);
}

static void run_snapshot_of(json_t *test, json_t *expect) {
    sessionreg_snapshot *alone = NULL;
    sessionreg_batch *batch = NULL;
    put_files(json_object_get(test, "files"));
    const bytes before = all_files();
    const sessionreg_sources *sources = sources_of(json_object_get(test, "sources"));
    ok("snapshot", sessionreg_snapshot_take(sources, &alone, NULL));
    keep(alone, release_snapshot);
    expect_snapshot(alone, expect);
    ask_questions(alone);
    if (sessionreg_snapshot_cursor(alone).data != NULL)
        FAIL("a snapshot that no monitor took has a cursor");

    sessionreg_monitor *monitor = open_monitor(sources);
    const sessionreg_snapshot *first = snapshot_of(monitor), *second = snapshot_of(monitor);
    expect_snapshot(first, expect);
    expect_snapshot(second, expect);
    ask_questions(first);
    expect_those("a second snapshot", second, sessionreg_snapshot_len(second), in_snapshot, first,
                 NULL);
    sessionreg_status status = sessionreg_monitor_wait(monitor, NULL, PATIENCE, &batch, NULL);
    expect_first_batch("wait", status, batch, first);
    status = sessionreg_monitor_next(monitor, PATIENCE, &batch, NULL);
    expect_first_batch("next", status, batch, first);
    const char *cursor = sessionreg_snapshot_cursor(first).data;
    status = sessionreg_monitor_wait(monitor, cursor, 0, &batch, NULL);
    if (status != SESSIONREG_STATUS_TIMEOUT)
        FAIL("something is new since the snapshot: %s", sessionreg_status_string(status));
    if (!same(all_files(), before))
        FAIL("a file has changed");
}

/* ---- A watch --------------------------------------------------------------------------------- */

/* The sessions as the batches of one reader tell of them. */
typedef struct {
    sessionreg_agent_session *sessions[MOST_SESSIONS];
    size_t count;
    char cursor[128];
    bool has_state;
} table;

static void drop_session(table *of, size_t at) {
    sessionreg_agent_session_free(of->sessions[at]);
    of->sessions[at] = of->sessions[--of->count];
}

static void release_table(void *of) {
    table *emptied = of;
    while (emptied->count > 0)
        drop_session(emptied, 0);
}

/* Where the session of a key is, or would be. */
static size_t place_of(const table *of, sessionreg_text key) {
    size_t at = 0;
    while (at < of->count && !same_text(sessionreg_agent_session_key(of->sessions[at]), key))
        at++;
    return at;
}

/* Puts a session that was, or was not, there before. */
static void put_session(table *of, const sessionreg_agent_session *session, bool is_there) {
    const size_t at = place_of(of, sessionreg_agent_session_key(session));
    if (is_there != (at < of->count))
        FAIL("a session is %s", is_there ? "changed that is not there" : "added twice");
    if (of->count == MOST_SESSIONS)
        FAIL("more sessions than this runner has room for");
    if (is_there)
        sessionreg_agent_session_free(of->sessions[at]);
    of->count += !is_there;
    of->sessions[at] = NULL;
    ok("clone", sessionreg_agent_session_clone(session, &of->sessions[at], NULL));
}

static void expect_batch_text(const sessionreg_batch *batch) {
    char *text = NULL;
    sessionreg_status status = sessionreg_batch_to_json(batch, &text, NULL);
    json_t *parsed = parsed_line("to_json of a batch", status, text), *one;
    json_t *added = json_object_get(parsed, "added"), *changed = json_object_get(parsed, "changed");
    json_t *removed = json_object_get(parsed, "removed");
    size_t index;
    if (!is_token(sessionreg_batch_cursor(batch).data, json_object_get(parsed, "cursor")) ||
        sessionreg_batch_reset(batch) != json_is_true(json_object_get(parsed, "reset")) ||
        sessionreg_batch_at(batch) != json_number_value(json_object_get(parsed, "at")) ||
        sessionreg_batch_added_len(batch) != json_array_size(added) ||
        sessionreg_batch_changed_len(batch) != json_array_size(changed) ||
        sessionreg_batch_removed_len(batch) != json_array_size(removed))
        FAIL("to_json of a batch says something else: %.800s", text);
    json_array_foreach(added, index, one) {
        if (!same_value(one, session_json(sessionreg_batch_added_get(batch, index))))
            FAIL("to_json of a batch has another session: %s", shown(one));
    }
    json_array_foreach(changed, index, one) {
        if (!same_value(one, session_json(sessionreg_batch_changed_get(batch, index))))
            FAIL("to_json of a batch has another session: %s", shown(one));
    }
    json_array_foreach(removed, index, one) {
        if (!is_token(sessionreg_batch_removed_get(batch, index).data, one))
            FAIL("to_json of a batch has another key: %s", shown(one));
    }
}

static void take_batch(table *of, const sessionreg_batch *batch) {
    expect_batch_text(batch);
    if (sessionreg_batch_reset(batch))
        release_table(of);
    for (size_t i = 0; i < sessionreg_batch_added_len(batch); i++)
        put_session(of, sessionreg_batch_added_get(batch, i), false);
    for (size_t i = 0; i < sessionreg_batch_changed_len(batch); i++)
        put_session(of, sessionreg_batch_changed_get(batch, i), true);
    for (size_t i = 0; i < sessionreg_batch_removed_len(batch); i++) {
        const size_t at = place_of(of, sessionreg_batch_removed_get(batch, i));
        if (at == of->count)
            FAIL("a session is removed that is not there");
        drop_session(of, at);
    }
    snprintf(of->cursor, sizeof of->cursor, "%s", sessionreg_batch_cursor(batch).data);
    of->has_state = true;
}

static int by_id_and_pid(const void *one, const void *other) {
    const sessionreg_agent_session *const *left = one, *const *right = other;
    const sessionreg_text id = sessionreg_agent_session_session_id(*left);
    const sessionreg_text id_of_other = sessionreg_agent_session_session_id(*right);
    const uint32_t pid = sessionreg_agent_session_pid(*left);
    const uint32_t pid_of_other = sessionreg_agent_session_pid(*right);
    if (id.data == NULL || id_of_other.data == NULL)
        return (id.data != NULL) - (id_of_other.data != NULL);
    const int ids = strcmp(id.data, id_of_other.data);
    return ids != 0 ? ids : (pid > pid_of_other) - (pid < pid_of_other);
}

static const sessionreg_agent_session *in_table(const void *of, size_t index) {
    return ((const table *)of)->sessions[index];
}

static long long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* The monitor's own reader, in an event loop. */
static sessionreg_status next_by_poll(sessionreg_monitor *monitor, table *of, int timeout_ms,
                                      sessionreg_batch **batch) {
    (void)of;
    struct pollfd ready = {-1, POLLIN, 0};
    ok("fd", sessionreg_monitor_fd(monitor, &ready.fd, NULL));
    poll(&ready, 1, timeout_ms);
    return sessionreg_monitor_next(monitor, 0, batch, NULL);
}

/* A reader with a cursor of its own. */
static sessionreg_status next_by_wait(sessionreg_monitor *monitor, table *of, int timeout_ms,
                                      sessionreg_batch **batch) {
    return sessionreg_monitor_wait(monitor, of->has_state ? of->cursor : NULL, timeout_ms, batch,
                                   NULL);
}

typedef sessionreg_status reader(sessionreg_monitor *, table *, int, sessionreg_batch **);

static reader *const READERS[] = {next_by_poll, next_by_wait};

/* Reads until the table is as expected, or time is up. */
static void read_until(sessionreg_monitor *monitor, reader *next, table *of, json_t *wanted) {
    const long long end = now_ms() + PATIENCE;
    while (true) {
        qsort(of->sessions, of->count, sizeof *of->sessions, by_id_and_pid);
        const char *why = sessions_differ(of, of->count, in_table, wanted);
        const long long rest = end - now_ms();
        if (why == NULL && of->has_state)
            return;
        if (rest <= 0)
            FAIL("%s", why ? why : "there is no first batch");
        sessionreg_batch *batch = NULL;
        const sessionreg_status status = next(monitor, of, (int)rest, &batch);
        if (status == SESSIONREG_STATUS_OK)
            take_batch(of, keep(batch, release_batch));
        else if (status != SESSIONREG_STATUS_TIMEOUT)
            FAIL("a wait: %s", sessionreg_status_string(status));
    }
}

/* After it was closed, for every reader. */
static void expect_end(sessionreg_monitor *monitor, const char *cursor) {
    const sessionreg_status closed = SESSIONREG_STATUS_CLOSED;
    struct pollfd ready = {-1, POLLIN, 0};
    sessionreg_batch *batch = NULL;
    ok("fd", sessionreg_monitor_fd(monitor, &ready.fd, NULL));
    ok("close", sessionreg_monitor_close(monitor, NULL));
    if (poll(&ready, 1, 0) != 1)
        FAIL("the descriptor does not tell the end");
    if (sessionreg_monitor_next(monitor, -1, &batch, NULL) != closed ||
        sessionreg_monitor_wait(monitor, cursor, -1, &batch, NULL) != closed)
        FAIL("after it was closed a wait is not CLOSED");
}

static void run_watch_of(json_t *test) {
    static table tables[COUNT(READERS)];
    json_t *step, *value;
    size_t index;
    const char *key;
    put_files(json_object_get(test, "files"));
    sessionreg_monitor *monitor = open_monitor(sources_of(json_object_get(test, "sources")));
    for (size_t i = 0; i < COUNT(READERS); i++) {
        tables[i] = (table){.count = 0};
        keep(&tables[i], release_table);
    }
    json_array_foreach(json_object_get(test, "steps"), index, step) {
        const char *name = json_string_value(json_object_get(step, "do"));
        json_t *args = json_object_get(step, "args"), *expect = json_object_get(step, "expect");
        snprintf(history_step, sizeof history_step, "step %zu (%s): ", index + 1, name);
        case_at = history_step;
        json_object_foreach(step, key, value) {
            if (strcmp(key, "do") != 0 && strcmp(key, "args") != 0 && strcmp(key, "expect") != 0)
                FAIL("no step has %s", key);
        }
        if (json_object_size(expect) != 1)
            FAIL("a step expects sessions, and no more");
        step_args = keep(args ? json_copy(args) : json_object(), release_json);
        if (name == NULL || !do_without(name))
            FAIL("no such call");
        json_object_foreach(step_args, key, value) FAIL("%s has no argument %s", name, key);
        for (size_t i = 0; i < COUNT(READERS); i++)
            read_until(monitor, READERS[i], &tables[i], json_object_get(expect, "sessions"));
    }
    case_at = "";
    expect_end(monitor, tables[1].cursor);
}

#endif
