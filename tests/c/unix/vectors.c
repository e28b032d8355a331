/* The shared vectors, against the C face. Their format is in tests/vectors/README.md.
 *
 * Linux only: the JSON library that reads them is there. Run in the root of the project. */
#include "vectors/restores.h"
#include "vectors/snapshot.h"
#include <glob.h>
#include <signal.h>

static json_t *case_test, *case_base, *case_expect;

/* Whether the call succeeded, which it must if and only if success is expected. */
static bool succeeded(const char *what, sessionreg_status status) {
    const char *wanted = json_string_value(json_object_get(case_expect, "error"));
    const char *found = sessionreg_status_string(status);
    if (strcmp(found, wanted ? wanted : "OK") != 0)
        FAIL("%s: expected %s, got %s", what, wanted ? wanted : "OK", found);
    return status == SESSIONREG_STATUS_OK;
}

static void must(const char *what, sessionreg_status status) {
    if (status != SESSIONREG_STATUS_OK)
        FAIL("%s: %s", what, sessionreg_status_string(status));
}

static void expect_record(const sessionreg_record *record) {
    compare_record(record, case_base, json_object_get(case_expect, "record"));
}

static sessionreg_record *load_from(const char *path) {
    sessionreg_record *record = NULL;
    must("load", sessionreg_load(path, &record, NULL));
    return keep(record, release_record);
}

static sessionreg_record *from_text(bytes text) {
    sessionreg_record *record = NULL;
    must("from_json", sessionreg_record_from_json(text.data, text.length, &record, NULL));
    return keep(record, release_record);
}

static void run_load(void) {
    sessionreg_record *loaded = NULL, *read = NULL, *parsed = NULL;
    json_t *file = json_object_get(case_test, "file");
    sessionreg_status status = sessionreg_load(case_path, &loaded, NULL);
    if (succeeded("load", status))
        expect_record(keep(loaded, release_record));
    must("read", sessionreg_read(case_path, &read, NULL));
    if (read != NULL)
        keep(read, release_record);
    if ((read == NULL) != (loaded == NULL) || (read && !sessionreg_record_equal(read, loaded)))
        FAIL("read does not give what load gives");
    check_left(json_object_get(case_expect, "left"));
    if (!is_content(file))
        return;
    bytes content = content_of(file);
    if (content.length > 64 * 1024)
        return;
    sessionreg_status of_text =
        sessionreg_record_from_json(content.data, content.length, &parsed, NULL);
    if (parsed != NULL)
        keep(parsed, release_record);
    if (of_text != status || (parsed && !sessionreg_record_equal(parsed, loaded)))
        FAIL("from_json does not give what load gives");
}

static void run_make(void) {
    sessionreg_record *record = NULL;
    if (succeeded("making", make_record(json_object_get(case_test, "fields"), &record)))
        expect_record(record);
}

/* The keys of our own layout: one a line, two spaces before it. */
static void expect_keys(const char *path, json_t *keys) {
    char *text = from_file(path).data;
    size_t count = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        const char *wanted = json_string_value(json_array_get(keys, count));
        if (strncmp(line, "  \"", 3) != 0)
            continue;
        if (wanted == NULL || strncmp(line + 3, wanted, strlen(wanted)) != 0 ||
            line[3 + strlen(wanted)] != '"')
            FAIL("key %zu is %s, not %s", count, line, wanted ? wanted : "none");
        count++;
    }
    if (count != json_array_size(keys))
        FAIL("%zu keys, not %zu", count, json_array_size(keys));
}

static void expect_written(const char *path) {
    json_t *keys = json_object_get(case_expect, "keys");
    if (keys != NULL)
        expect_keys(path, keys);
    else
        expect_content("content", path, json_object_get(case_expect, "content"));
}

static void run_write(void) {
    sessionreg_record *record = NULL;
    sessionreg_status status = make_record(json_object_get(case_test, "fields"), &record);
    if (status == SESSIONREG_STATUS_OK)
        status = sessionreg_write(case_path, record, NULL, NULL);
    if (succeeded("write", status)) {
        check_written();
        expect_written(case_path);
        if (!sessionreg_record_equal(load_from(case_path), record))
            FAIL("what is read again is another record");
    }
    check_left(json_object_get(case_expect, "left"));
}

static void run_rewrite(void) {
    const char *out = beside("out.runtime.json");
    if (!succeeded("write", sessionreg_write(out, load_from(case_path), NULL, NULL))) {
        if (access(out, F_OK) == 0)
            FAIL("there is a new file");
        return;
    }
    expect_written(out);
    must("write once more", sessionreg_write(out, load_from(out), NULL, NULL));
    expect_written(out);
}

static void expect_removed(sessionreg_status status, bool removed) {
    json_t *wanted = json_object_get(case_expect, "removed");
    if (succeeded("clear", status) && removed != json_is_true(wanted))
        FAIL("removed: expected %d, got %d", json_is_true(wanted), removed);
    check_left(json_object_get(case_expect, "left"));
}

static void run_clear(void) {
    bool removed = false;
    sessionreg_status status = sessionreg_clear(case_path, &removed, NULL);
    expect_removed(status, removed);
    if (status != SESSIONREG_STATUS_OK)
        return;
    removed = true;
    must("clear once more", sessionreg_clear(case_path, &removed, NULL));
    if (removed)
        FAIL("clear once more removed something");
}

static void run_clear_if(void) {
    const char *other = beside("other.runtime.json");
    bool removed = false;
    put(other, content_of(json_object_get(case_test, "record")));
    sessionreg_record *record = load_from(other);
    sessionreg_status status = sessionreg_clear_if(case_path, record, &removed, NULL);
    expect_removed(status, removed);
}

static void expect_verdict(sessionreg_verdict verdict) {
    expect_verdict_is(verdict, json_object_get(case_expect, "verdict"));
}

static sessionreg_record *judged_record(void) {
    json_t *fields = json_object_get(case_test, "fields");
    sessionreg_record *record = NULL;
    if (fields != NULL) {
        must("making", make_record(fields, &record));
        return record;
    }
    if (json_is_false(json_object_get(case_test, "origin")))
        return from_text(content_of(json_object_get(case_test, "file")));
    return load_from(case_path);
}

static void run_liveness(void) {
    const sessionreg_record *record = judged_record(), *twice[2] = {record, record};
    sessionreg_verdict verdicts[2];
    must("liveness", sessionreg_liveness(record, &verdicts[0], NULL));
    expect_verdict(verdicts[0]);
    must("liveness_all", sessionreg_liveness_all(twice, 2, verdicts, NULL));
    expect_verdict(verdicts[0]);
    expect_verdict(verdicts[1]);
}

static void run_session_id(void) {
    const char *id = c_text_of(json_object_get(case_test, "id"));
    succeeded("the id", sessionreg_session_id_check(id, NULL));
}

static void run_path(void) {
    json_t *args = json_object_get(case_test, "args");
    const char *helper = json_string_value(json_object_get(case_test, "helper"));
    const char *id = c_text_of(json_object_get(args, "id"));
    char *path = NULL;
    sessionreg_status status = SESSIONREG_STATUS_OK;
    if (helper != NULL && strcmp(helper, "sidecar_in_project") == 0)
        status = sessionreg_sidecar_in_project(c_text_of(json_object_get(args, "project_dir")), id,
                                               &path, NULL);
    else if (helper != NULL && strcmp(helper, "sidecar_of") == 0)
        status = sessionreg_sidecar_of(c_text_of(json_object_get(args, "agent")),
                                       c_text_of(json_object_get(args, "work_dir")), id,
                                       c_text_of(json_object_get(args, "home")), &path, NULL);
    else
        FAIL("no such helper");
    if (!succeeded("the helper", status))
        return;
    keep(path, release_string);
    bytes wanted = text_of(json_object_get(case_expect, "path"));
    if (strcmp(path, wanted.data) != 0)
        FAIL("expected %s, got %s", wanted.data, path);
}

static void run_scan(void) {
    run_scan_of(case_test, case_expect, case_base);
}

static void run_history(void) {
    run_history_of(case_test);
}

static void run_snapshot(void) {
    run_snapshot_of(case_test, case_expect);
}

static void run_watch(void) {
    run_watch_of(case_test);
}

static void run_restores(void) {
    run_restores_of(case_test, case_expect);
}

static const struct {
    const char *name;
    void (*run)(void);
} OPERATIONS[] = {
    {"load", run_load},
    {"make", run_make},
    {"write", run_write},
    {"rewrite", run_rewrite},
    {"clear", run_clear},
    {"clear_if", run_clear_if},
    {"liveness", run_liveness},
    {"path", run_path},
    {"session_id", run_session_id},
    {"scan", run_scan},
    {"history", run_history},
    {"snapshot", run_snapshot},
    {"watch", run_watch},
    {"restore_history", run_restores},
};

/* ---- One case after another ------------------------------------------------------------------ */

static json_t *host, *seen_names;
static int agreed, skipped, left_out, disagreed;

static bool has_steps(void) {
    json_t *op = json_object_get(case_test, "op");
    return is_token("history", op) || is_token("watch", op) || is_token("restore_history", op);
}

static void check_keys(void) {
    static const char *const KEYS[] = {"record",  "error",    "content",    "keys", "removed",
                                       "left",    "verdict",  "ok",         "path", "entries",
                                       "skipped", "sessions", "dead_before"};
    size_t known = 0;
    /* Each step has its own. */
    if (has_steps() && case_expect == NULL)
        return;
    for (size_t i = 0; i < COUNT(KEYS); i++)
        known += json_object_get(case_expect, KEYS[i]) != NULL;
    if (known == 0 || known != json_object_size(case_expect))
        FAIL("nothing, or something unknown, is expected");
}

static bool is_for_here(json_t *test) {
    json_t *platforms = json_object_get(test, "platforms"), *one;
    size_t index;
    bool found = platforms == NULL;
    json_array_foreach(platforms, index, one) {
        found |= json_equal(one, json_object_get(host, "platform"));
    }
    return found;
}

static void check_needs(void) {
    json_t *need;
    size_t index;
    json_array_foreach(json_object_get(case_test, "needs"), index, need) {
        const char *name = json_string_value(need);
        if (name != NULL && strcmp(name, "pidfs") == 0) {
            if (!json_is_true(json_object_get(host, "pidfs")))
                end_case(SKIPPED, "needs pidfs");
        } else if (name != NULL && strcmp(name, "root") == 0) {
            if (geteuid() != 0)
                end_case(SKIPPED, "needs root");
        } else {
            fact(name ? name : "");
        }
    }
}

/* The facts of the case's process over those of the host. */
static void gather_facts(void) {
    const char *kind = json_string_value(json_object_get(case_test, "process"));
    char command[64];
    sessionreg_record *own = NULL;
    sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
    case_facts = keep(json_copy(host), release_json);
    fields.session_id = "s";
    fields.work_dir = "/";
    must("making", sessionreg_record_new(&fields, &own, NULL));
    keep(own, release_record);
    const char *host_key = sessionreg_record_host_key(own).data;
    json_object_set_new(case_facts, "host_key", host_key ? json_string(host_key) : json_null());
    json_object_set_new(case_facts, "root", json_string(""));
    json_object_set_new(case_facts, "own_pid", json_integer(getpid()));
    json_object_set_new(case_facts, "dir", json_string(case_folder));
    if (kind == NULL)
        return;
    if (strcmp(kind, "runner") == 0)
        snprintf(command, sizeof command, "identify %d", (int)getpid());
    else
        snprintf(command, sizeof command, "spawn %s", kind);
    json_object_update(case_facts, helper_ask(command));
}

/* A variable of the environment, and what it was before the case. */
typedef struct {
    char *name, *before;
} variable;

static void put_back(void *object) {
    variable *put = object;
    if (put->before != NULL)
        setenv(put->name, put->before, 1);
    else
        unsetenv(put->name);
    free(put->name);
    free(put->before);
    free(put);
}

/* Sets a variable for the length of the case; NULL takes it away. */
static void set_variable(const char *name, const char *value) {
    const char *before = getenv(name);
    variable *put = malloc(sizeof *put);
    if (put == NULL)
        FAIL("out of memory");
    *put = (variable){strdup(name), before ? strdup(before) : NULL};
    keep(put, put_back);
    if (value != NULL)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

static void set_environment(void) {
    json_t *op = json_object_get(case_test, "op"), *value;
    const char *name;
    if (is_token("snapshot", op) || has_steps())
        set_variable("SESSIONREG_HOME", beside("home"));
    if (is_token("history", op) || is_token("restore_history", op)) {
        set_variable("SESSIONREG_KIND", NULL);
        set_variable("QWEN_HOME", NULL);
        set_variable("CLAUDE_CONFIG_DIR", NULL);
    }
    json_object_foreach(json_object_get(case_test, "env"), name, value)
        set_variable(name, c_text_of(value));
}

static void run_case(void) {
    const char *op = json_string_value(json_object_get(case_test, "op"));
    if (!is_for_here(case_test))
        end_case(SKIPPED, "not for this platform");
    check_keys();
    gather_facts();
    check_needs();
    set_environment();
    disk_make(case_test);
    for (size_t i = 0; i < COUNT(OPERATIONS); i++) {
        if (op != NULL && strcmp(op, OPERATIONS[i].name) == 0) {
            OPERATIONS[i].run();
            return;
        }
    }
    FAIL("no such operation");
}

static char name_of_case[128];

/* One that blocks would do so for ever. */
static void too_slow(int number) {
    (void)number;
    static const char WORDS[] = ": it does not end\n";
    if (write(1, name_of_case, strlen(name_of_case)) < 0 || write(1, WORDS, strlen(WORDS)) < 0)
        _exit(2);
    _exit(1);
}

static void count_case(int outcome) {
    const char *no_skip = getenv("SESSIONREG_NO_SKIP");
    switch (outcome) {
    case AGREES:
        agreed++;
        break;
    case LEFT_OUT:
        left_out++;
        printf("  left out %s: %s\n", name_of_case, case_reason);
        break;
    case SKIPPED:
        if (no_skip == NULL || strcmp(no_skip, "1") != 0 || !is_for_here(case_test)) {
            skipped++;
            printf("  skipped %s: %s\n", name_of_case, case_reason);
            break;
        }
        /* fall through */
    default:
        disagreed++;
        check_failed(name_of_case, 0, case_reason);
    }
}

static void run_file(const char *path) {
    json_error_t problem;
    json_t *file = json_load_file(path, JSON_ALLOW_NUL, &problem), *test;
    size_t index;
    if (file == NULL) {
        check_failed(path, problem.line, problem.text);
        return;
    }
    case_let = json_object_get(file, "let");
    case_base = json_object_get(file, "base_record");
    json_array_foreach(json_object_get(file, "cases"), index, test) {
        const char *name = json_string_value(json_object_get(test, "name"));
        case_test = test;
        case_expect = json_object_get(test, "expect");
        snprintf(name_of_case, sizeof name_of_case, "%s", name ? name : "(no name)");
        CHECK(json_object_get(seen_names, name_of_case) == NULL);
        json_object_set_new(seen_names, name_of_case, json_true());
        folder_make(case_folder);
        alarm(60);
        int outcome = setjmp(case_end);
        if (outcome == AGREES)
            run_case();
        count_case(outcome);
        release_all();
        folder_remove(case_folder);
    }
    json_decref(file);
}

static void the_library_agrees_with_every_vector(void) {
    glob_t files;
    signal(SIGALRM, too_slow);
    REQUIRE(helper_start());
    if (setjmp(case_end) != 0) {
        check_failed(__FILE__, __LINE__, case_reason);
        return;
    }
    host = json_incref(helper_ask("host"));
    release_all();
    if (in_valgrind())
        json_object_set_new(host, "pidfs", json_false());
    seen_names = json_object();
    REQUIRE(glob("tests/vectors/*.json", 0, NULL, &files) == 0);
    for (size_t i = 0; i < files.gl_pathc; i++)
        run_file(files.gl_pathv[i]);
    alarm(0);
    globfree(&files);
    json_decref(seen_names);
    json_decref(host);
    CHECK(helper_finish());
    CHECK(agreed > 0);
    printf("  vectors: %d agree, %d skipped, %d left out, %d disagree\n", agreed, skipped, left_out,
           disagreed);
}

int main(void) {
    RUN(the_library_agrees_with_every_vector);
    return check_result();
}
