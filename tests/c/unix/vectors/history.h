/* The operation `history`: calls one after the other, on one registry and the handles that it gave.
 */
#ifndef HISTORY_H
#define HISTORY_H

#include "processes.h"
#include "scan.h"
#include "values.h"

/* A session or a claim that a step gave, under its name. */
typedef struct {
    char name[32];
    sessionreg_session *session;
    sessionreg_claim *claim;
    /* Its failures are told to `report`. */
    bool is_told;
} handle;

/* What became of the call of a step. */
typedef struct {
    sessionreg_status status;
    sessionreg_error *error;
    /* The call gives true or false: false of one that was told of its failure or is inert. */
    bool has_result, result;
    sessionreg_list *list;
    sessionreg_swept *swept;
    bool has_count;
    size_t count;
} outcome;

static sessionreg_registry *history_registry;
static handle history_handles[16];
static size_t history_handle_count;
static const char *history_reported[16];
static size_t history_reported_count;

static void release_session(void *session) {
    sessionreg_session_close(session, NULL);
    sessionreg_session_free(session);
}

static void release_claim(void *claim) {
    sessionreg_claim_release(claim, NULL);
    sessionreg_claim_free(claim);
}

static void release_error(void *error) {
    sessionreg_error_free(error);
}

static void release_holder(void *holder) {
    sessionreg_holder_free(holder);
}

static void release_swept(void *swept) {
    sessionreg_swept_free(swept);
}

static void report(void *context, const sessionreg_error *error) {
    (void)context;
    if (history_reported_count < COUNT(history_reported))
        history_reported[history_reported_count++] =
            sessionreg_status_string(sessionreg_error_status(error));
}

static const char *name_of(json_t *step) {
    json_t *name = json_object_get(step, "as");
    return name ? json_string_value(name) : "a";
}

static handle *find_handle(json_t *step) {
    for (size_t i = 0; i < history_handle_count; i++)
        if (strcmp(history_handles[i].name, name_of(step)) == 0)
            return &history_handles[i];
    return NULL;
}

static handle *handle_of(json_t *step) {
    handle *found = find_handle(step);
    if (found == NULL)
        FAIL("there is no %s", name_of(step));
    return found;
}

/* The place for what a step gives; a name may be given again. */
static handle *new_handle(json_t *step) {
    handle *made = find_handle(step);
    if (made == NULL) {
        if (history_handle_count == COUNT(history_handles))
            FAIL("more handles than this runner has room for");
        made = &history_handles[history_handle_count++];
    }
    *made = (handle){.name = ""};
    snprintf(made->name, sizeof made->name, "%s", name_of(step));
    return made;
}

/* ---- Arguments ------------------------------------------------------------------------------- */

/* The arguments of a step, of which each is taken once and none may be left. */
static json_t *step_args;

static json_t *arg(const char *name) {
    json_t *value = json_object_get(step_args, name);
    if (value != NULL) {
        keep(json_incref(value), release_json);
        json_object_del(step_args, name);
    }
    return value;
}

static const char *text_arg(const char *name) {
    return c_text_of(arg(name));
}

static uint32_t pid_arg(const char *name) {
    json_t *value = arg(name);
    return value ? pid_of(value) : 0;
}

static bool flag_arg(const char *name, bool otherwise) {
    json_t *value = arg(name);
    return value ? json_is_true(value) : otherwise;
}

static const char *path_arg(const char *name) {
    json_t *value = arg(name);
    return value ? beside(text_of(value).data) : NULL;
}

/* The path of a file, which a pattern names if it is there. */
static const char *file_arg(const char *name) {
    json_t *value = arg(name);
    const char *path = value ? text_of(value).data : "";
    return strchr(path, '*') ? only_file(path) : beside(path);
}

/* A patch as JSON text; NULL if none is given. */
static const char *patch_arg(void) {
    json_t *patch = arg("patch");
    if (patch == NULL)
        return NULL;
    return json_is_string(patch) ? c_text_of(patch) : keep(json_dumps(resolved(patch), 0), free);
}

/* Unknown keys with raw values, as the text of one object. */
static const char *extra_arg(void) {
    json_t *extra = arg("extra"), *value;
    const char *key;
    bytes text = bytes_of("{", 1);
    if (extra == NULL)
        return NULL;
    json_object_foreach(extra, key, value) {
        bytes raw = text_of(value);
        const char *name =
            keep(json_dumps(keep(json_string(key), release_json), JSON_ENCODE_ANY), free);
        if (text.length > 1)
            append(&text, ",", 1);
        append(&text, name, strlen(name));
        append(&text, ":", 1);
        append(&text, raw.data, raw.length);
    }
    append(&text, "}", 1);
    if (strlen(text.data) != text.length)
        end_case(LEFT_OUT, "C ends text at NUL");
    return text.data;
}

/* ---- What is called -------------------------------------------------------------------------- */

static void call_register(json_t *step, outcome *out) {
    json_t *terminal = arg("terminal");
    sessionreg_new made = SESSIONREG_NEW_INIT;
    sessionreg_session *session = NULL;
    made.session_id = text_arg("session_id");
    made.work_dir = text_arg("work_dir");
    made.agent = text_arg("agent");
    made.agent_version = text_arg("agent_version");
    made.kind = text_arg("kind");
    made.name = text_arg("name");
    made.entrypoint = text_arg("entrypoint");
    made.status = text_arg("status");
    made.transcript_path = text_arg("transcript_path");
    made.parent_session_id = text_arg("parent_session_id");
    made.terminal_multiplexer = c_text_of(json_object_get(terminal, "multiplexer"));
    made.terminal_session = c_text_of(json_object_get(terminal, "session"));
    made.terminal_pane = c_text_of(json_object_get(terminal, "pane"));
    made.sidecar = path_arg("sidecar");
    made.pid_file = flag_arg("pid_file", true);
    made.keep_sidecar = flag_arg("keep_sidecar", false);
    made.pid = pid_arg("pid");
    made.extra_json = extra_arg();
    if (flag_arg("on_error", false))
        made.on_error = report;
    out->status = sessionreg_registry_register(history_registry, &made, &session, &out->error);
    if (session != NULL) {
        handle *at = new_handle(step);
        at->session = keep(session, release_session);
        at->is_told = made.on_error != NULL;
    }
}

static void call_open_session(json_t *step, outcome *out) {
    sessionreg_session *session = NULL;
    const char *id = text_arg("session_id");
    out->status =
        id != NULL ? sessionreg_registry_open_session(history_registry, id, &session, &out->error)
                   : sessionreg_registry_open_session_of_pid(history_registry, pid_arg("pid"),
                                                             &session, &out->error);
    if (session != NULL)
        new_handle(step)->session = keep(session, release_session);
}

static sessionreg_status update(sessionreg_session *session, sessionreg_error **error) {
    return sessionreg_session_update(session, patch_arg(), error);
}

static sessionreg_status switch_to(sessionreg_session *session, sessionreg_error **error) {
    const char *id = text_arg("session_id");
    return sessionreg_session_switch(session, id, patch_arg(), error);
}

static const struct {
    const char *name;
    sessionreg_status (*call)(sessionreg_session *, sessionreg_error **);
} CHANGES[] = {
    {"update", update},
    {"switch", switch_to},
    {"refresh", sessionreg_session_refresh},
    {"leave", sessionreg_session_leave},
    {"close", sessionreg_session_close},
};

/* C gives a status where others give true or false: what was told, and what an inert session is not
 * there for, is their false. */
static bool call_change(json_t *step, const char *name, outcome *out) {
    for (size_t i = 0; i < COUNT(CHANGES); i++) {
        if (strcmp(name, CHANGES[i].name) != 0)
            continue;
        const handle *of = handle_of(step);
        const bool was_registered = sessionreg_session_registered(of->session);
        out->status = CHANGES[i].call(of->session, &out->error);
        out->has_result = true;
        out->result = out->status == SESSIONREG_STATUS_OK;
        if (out->result)
            return true;
        const char *token = sessionreg_status_string(out->status);
        const bool is_inert = !was_registered && out->status == SESSIONREG_STATUS_NOT_FOUND;
        const bool was_told =
            of->is_told && history_reported_count == 1 && strcmp(history_reported[0], token) == 0;
        if (!is_inert && of->is_told && !was_told)
            FAIL("%s was not told", token);
        if (is_inert || was_told)
            out->status = SESSIONREG_STATUS_OK;
        return true;
    }
    return false;
}

static bool call_question(const char *name, outcome *out) {
    const sessionreg_registry *registry = history_registry;
    sessionreg_error **error = &out->error;
    if (strcmp(name, "scan") == 0 || strcmp(name, "records") == 0)
        out->status = sessionreg_registry_scan(registry, &out->list, error);
    else if (strcmp(name, "live") == 0)
        out->status = sessionreg_registry_live(registry, &out->list, error);
    else if (strcmp(name, "find_by_pid") == 0)
        out->status = sessionreg_registry_find_by_pid(registry, pid_arg("pid"), &out->list, error);
    else if (strcmp(name, "owner_of") == 0)
        out->status = sessionreg_registry_owner_of(registry, pid_arg("pid"), &out->list, error);
    else if (strcmp(name, "find_under") == 0)
        out->status = sessionreg_registry_find_under(registry, pid_arg("pid"), &out->list, error);
    else if (strcmp(name, "find_by_session") == 0)
        out->status = sessionreg_registry_find_by_session(registry, text_arg("session_id"),
                                                          &out->list, error);
    else if (strcmp(name, "find_by_work_dir") == 0)
        out->status =
            sessionreg_registry_find_by_work_dir(registry, text_arg("work_dir"), &out->list, error);
    else if (strcmp(name, "count_live") == 0) {
        out->status = sessionreg_registry_count_live(registry, &out->count, error);
        out->has_count = true;
    } else {
        return false;
    }
    if (out->list != NULL)
        keep(out->list, release_list);
    return true;
}

static void call_sweep(outcome *out) {
    const bool has_options = json_object_size(step_args) > 0;
    json_t *folders = arg("sidecar_folders"), *one;
    const char *paths[16];
    size_t index;
    sessionreg_sweep_options options = SESSIONREG_SWEEP_OPTIONS_INIT;
    options.dry_run = flag_arg("dry_run", false);
    options.sidecar_folders = paths;
    options.sidecar_folder_count = json_array_size(folders);
    if (json_array_size(folders) > COUNT(paths))
        FAIL("more folders than this runner has room for");
    json_array_foreach(folders, index, one) paths[index] = beside(text_of(one).data);
    out->status = sessionreg_registry_sweep(history_registry, has_options ? &options : NULL,
                                            &out->swept, &out->error);
    if (out->swept != NULL)
        keep(out->swept, release_swept);
}

static void call_claim(json_t *step, outcome *out) {
    sessionreg_claim *claim = NULL;
    const char *agent = text_arg("agent"), *id = text_arg("session_id");
    out->status = sessionreg_registry_claim(history_registry, agent, id, &claim, &out->error);
    if (claim != NULL)
        new_handle(step)->claim = keep(claim, release_claim);
}

/* What is done without the library. */
static bool do_without(const char *name) {
    char command[4 * PATH_ROOM];
    if (strcmp(name, "check") == 0)
        return true;
    if (strcmp(name, "end") == 0) {
        snprintf(command, sizeof command, "end %s", fact("pid").data);
        helper_ask(command);
    } else if (strcmp(name, "hold") == 0 || strcmp(name, "let_go") == 0) {
        const char *path = path_arg("path");
        make_parents(path);
        snprintf(command, sizeof command, "%s %s", name, path);
        helper_ask(command);
    } else if (strcmp(name, "put_file") == 0) {
        static const char *const KEYS[] = {"text", "lines", "hex", "parts",
                                           "kind", "owner", "age", "to"};
        json_t *file = keep(json_copy(step_args), release_json);
        put_any(file_arg("path"), file);
        for (size_t i = 0; i < COUNT(KEYS); i++)
            arg(KEYS[i]);
    } else if (strcmp(name, "remove_file") == 0) {
        const char *path = file_arg("path");
        if (is_folder(path))
            folder_remove(path);
        else if (unlink(path) != 0)
            FAIL("%s cannot be removed", path);
    } else {
        return false;
    }
    return true;
}

static outcome call(json_t *step) {
    const char *name = json_string_value(json_object_get(step, "do")), *left;
    json_t *args = json_object_get(step, "args"), *value;
    outcome out = {.status = SESSIONREG_STATUS_OK};
    history_reported_count = 0;
    step_args = keep(args ? json_copy(args) : json_object(), release_json);
    if (name == NULL)
        FAIL("a step does nothing");
    if (strcmp(name, "register") == 0)
        call_register(step, &out);
    else if (strcmp(name, "open_session") == 0)
        call_open_session(step, &out);
    else if (strcmp(name, "sweep") == 0)
        call_sweep(&out);
    else if (strcmp(name, "claim") == 0)
        call_claim(step, &out);
    else if (strcmp(name, "release") == 0)
        out.status = sessionreg_claim_release(handle_of(step)->claim, &out.error);
    else if (!call_change(step, name, &out) && !call_question(name, &out) && !do_without(name))
        FAIL("no such call: %s", name);
    if (out.error != NULL)
        keep(out.error, release_error);
    json_object_foreach(step_args, left, value) FAIL("%s has no argument %s", name, left);
    return out;
}

/* ---- What is expected ------------------------------------------------------------------------ */

static void expect_holder(const char *what, const sessionreg_holder *holder, json_t *wanted) {
    json_t *value;
    const char *key;
    if (json_is_null(wanted)) {
        if (holder != NULL)
            FAIL("%s: there is one", what);
        return;
    }
    if (holder == NULL)
        FAIL("%s: there is none", what);
    json_object_foreach(wanted, key, value) {
        if (strcmp(key, "pid") == 0)
            compare_number(key, sessionreg_holder_pid(holder), 0, value);
        else if (strcmp(key, "session_id") == 0)
            compare_text(key, sessionreg_holder_session_id(holder), value);
        else if (strcmp(key, "host") == 0)
            compare_text(key, sessionreg_holder_host(holder), value);
        else if (strcmp(key, "path") == 0)
            expect_path(what, sessionreg_holder_path(holder).data, value);
        else
            FAIL("a holder has no %s", key);
    }
}

typedef sessionreg_status holder_getter(const sessionreg_session *, sessionreg_holder **,
                                        sessionreg_error **);

static void expect_holder_of(const char *what, const sessionreg_session *session,
                             holder_getter *get, json_t *wanted) {
    sessionreg_holder *holder = NULL;
    if (get(session, &holder, NULL) != SESSIONREG_STATUS_OK)
        FAIL("%s cannot be asked for", what);
    if (holder != NULL)
        keep(holder, release_holder);
    expect_holder(what, holder, wanted);
}

static void expect_session(const sessionreg_session *session, json_t *wanted) {
    json_t *value;
    const char *key;
    json_object_foreach(wanted, key, value) {
        if (strcmp(key, "record") == 0) {
            sessionreg_record *record = NULL;
            if (sessionreg_session_record(session, &record, NULL) != SESSIONREG_STATUS_OK)
                FAIL("the record cannot be asked for");
            compare_some(keep(record, release_record), value);
            if (sessionreg_session_pid(session) != sessionreg_record_pid(record))
                FAIL("the session and its record have two pids");
        } else if (strcmp(key, "path") == 0) {
            expect_path(key, sessionreg_session_path(session).data, value);
        } else if (strcmp(key, "sidecar_path") == 0) {
            char *path = NULL;
            if (sessionreg_session_sidecar_path(session, &path, NULL) != SESSIONREG_STATUS_OK)
                FAIL("the sidecar cannot be asked for");
            if (path != NULL)
                keep(path, release_string);
            expect_path(key, path, value);
        } else if (strcmp(key, "registered") == 0) {
            if (sessionreg_session_registered(session) != json_is_true(value))
                FAIL("registered is not %s", shown(value));
        } else if (strcmp(key, "sidecar_holder") == 0) {
            expect_holder_of(key, session, sessionreg_session_sidecar_holder, value);
        } else if (strcmp(key, "pid_file_holder") == 0) {
            expect_holder_of(key, session, sessionreg_session_pid_file_holder, value);
        } else {
            FAIL("a session has no %s", key);
        }
    }
}

static void expect_reported(json_t *wanted) {
    if (json_array_size(wanted) != history_reported_count)
        FAIL("%zu errors are reported, not %zu", history_reported_count, json_array_size(wanted));
    for (size_t i = 0; i < history_reported_count; i++)
        if (!is_token(history_reported[i], json_array_get(wanted, i)))
            FAIL("%s is reported", history_reported[i]);
}

static void expect_one_removed(const sessionreg_removed *removed, json_t *wanted) {
    json_t *reason = json_object_get(wanted, "reason"), *record = json_object_get(wanted, "record");
    const char *word = sessionreg_reason_string(sessionreg_removed_reason(removed));
    if (json_is_null(reason) ? word != NULL : word == NULL || !is_token(word, reason))
        FAIL("it was removed as %s, not %s", word ? word : "none", shown(reason));
    if (json_object_size(wanted) != (record == NULL ? 2 : 3))
        FAIL("what is removed has no such key: %s", shown(wanted));
    if (record == NULL)
        return;
    if (json_is_null(record) != (sessionreg_removed_record(removed) == NULL))
        FAIL("what is removed has a record, or has none");
    compare_some(sessionreg_removed_record(removed), record);
}

static void expect_removed_list(const sessionreg_swept *swept, json_t *wanted) {
    const size_t count = sessionreg_swept_removed_len(swept);
    bool taken[64] = {false};
    json_t *one;
    size_t index;
    if (count != json_array_size(wanted) || count > COUNT(taken))
        FAIL("%zu files are removed, not %zu", count, json_array_size(wanted));
    json_array_foreach(wanted, index, one) {
        const char *pattern = text_of(json_object_get(one, "file")).data;
        size_t at = 0;
        while (at < count &&
               (taken[at] ||
                !path_matches(sessionreg_removed_path(sessionreg_swept_removed_get(swept, at)).data,
                              pattern)))
            at++;
        if (at == count)
            FAIL("%s is not removed", pattern);
        taken[at] = true;
        expect_one_removed(sessionreg_swept_removed_get(swept, at), one);
    }
}

static void expect_failed_list(const sessionreg_swept *swept, json_t *wanted) {
    const size_t count = sessionreg_swept_failed_len(swept);
    json_t *one;
    size_t index;
    if (count != json_array_size(wanted))
        FAIL("%zu files failed, not %zu", count, json_array_size(wanted));
    json_array_foreach(wanted, index, one) {
        const char *pattern = text_of(json_object_get(one, "file")).data;
        size_t at = 0;
        while (at < count &&
               !path_matches(sessionreg_skipped_path(sessionreg_swept_failed_get(swept, at)).data,
                             pattern))
            at++;
        expect_one_skipped(sessionreg_swept_failed_get(swept, at), one);
    }
}

/* A name of the file that holds the first digits of its instance. */
static void expect_name_of_instance(const char *path, const char *pattern, json_t *object) {
    const char *instance = json_string_value(json_object_get(object, "instance"));
    const char *star = strchr(pattern, '*');
    if (star == NULL || strcmp(star - 1, "-*.json") != 0)
        return;
    const size_t length = strlen(path);
    if (instance == NULL || length < 13 || strncmp(path + length - 13, instance, 8) != 0)
        FAIL("%s is not called after its instance", path);
}

static void expect_object(const char *path, const char *pattern, json_t *wanted) {
    json_t *keys = json_object_get(wanted, "json"), *value;
    json_error_t problem;
    struct stat found;
    const char *key;
    if (lstat(path, &found) != 0 || !S_ISREG(found.st_mode) || (found.st_mode & 07777) != 0600)
        FAIL("%s is no private regular file", path);
    json_t *object = json_load_file(path, JSON_ALLOW_NUL, &problem);
    if (object == NULL)
        FAIL("%s: %s", path, problem.text);
    keep(object, release_json);
    json_object_foreach(keys, key, value) {
        if (!same_value(json_object_get(object, key), resolved(value)))
            FAIL("%s: %s is %s, not %s", path, key, shown(json_object_get(object, key)),
                 shown(resolved(value)));
    }
    if (json_is_true(json_object_get(wanted, "exact"))) {
        json_object_foreach(object, key, value) {
            if (json_object_get(keys, key) == NULL)
                FAIL("%s has a key %s", path, key);
        }
    }
    expect_name_of_instance(path, pattern, object);
}

static void expect_files(json_t *wanted) {
    json_t *one;
    const char *key;
    json_object_foreach(wanted, key, one) {
        const char *pattern = bytes_of_text(key).data;
        char found[4 * PATH_ROOM];
        if (is_token("missing", json_object_get(one, "kind"))) {
            if (find_files(pattern, found) != 0)
                FAIL("%s is there", found);
        } else if (json_object_get(one, "json") != NULL || json_object_get(one, "keep") != NULL) {
            expect_object(only_file(pattern), pattern, one);
        } else {
            check_file("a file", only_file(pattern), one);
        }
    }
}

/* Keeps what a step says of the values in files, for later steps. */
static void keep_from_files(json_t *files) {
    json_t *one, *name;
    const char *key, *kept;
    json_object_foreach(files, key, one) {
        json_object_foreach(json_object_get(one, "keep"), kept, name) {
            const char *path = only_file(bytes_of_text(key).data);
            json_t *object = keep(json_load_file(path, JSON_ALLOW_NUL, NULL), release_json);
            json_t *value = json_object_get(object, json_string_value(name));
            if (value == NULL)
                FAIL("%s has no %s to keep", path, json_string_value(name));
            json_object_set(case_kept, kept, value);
            json_object_set(case_facts, kept, value);
        }
    }
}

static void expect_outcome(json_t *step, const outcome *out) {
    json_t *expect = json_object_get(step, "expect"), *error = json_object_get(expect, "error");
    json_t *value;
    const char *key, *token = sessionreg_status_string(out->status);
    if (error == NULL ? out->status != SESSIONREG_STATUS_OK : !is_token(token, error))
        FAIL("expected %s, got %s: %s", shown(error), token,
             out->error ? sessionreg_error_message(out->error).data : "");
    json_t *result = json_object_get(expect, "result");
    if (out->has_result && error == NULL && out->result == json_is_false(result))
        FAIL("the result is %s", out->result ? "true" : "false");
    expect_reported(json_object_get(expect, "reported"));
    if (out->swept != NULL) {
        expect_removed_list(out->swept, json_object_get(expect, "removed"));
        expect_failed_list(out->swept, json_object_get(expect, "failed"));
    }
    if (out->list != NULL && is_token("scan", json_object_get(step, "do")))
        expect_skipped(out->list, json_object_get(expect, "skipped"));
    json_object_foreach(expect, key, value) {
        if (strcmp(key, "holder") == 0)
            expect_holder(key, sessionreg_error_holder(out->error), value);
        else if (strcmp(key, "session") == 0)
            expect_session(handle_of(step)->session, value);
        else if (strcmp(key, "entries") == 0)
            expect_entries(out->list, value, NULL, false);
        else if (strcmp(key, "count") == 0)
            compare_number(key, (double)out->count, -1, value);
        else if (strcmp(key, "live") == 0)
            compare_number(key, (double)sessionreg_swept_live(out->swept), -1, value);
        else if (strcmp(key, "path") == 0)
            expect_path(key, sessionreg_claim_path(handle_of(step)->claim).data, value);
        else if (strcmp(key, "names") == 0) {
            const char *folder;
            json_t *names;
            json_object_foreach(value, folder, names)
                expect_names(bytes_of_text(folder).data, names);
        } else if (strcmp(key, "files") == 0) {
            expect_files(value);
        } else {
            static const char *const SEEN[] = {"error",   "result", "reported",
                                               "removed", "failed", "skipped"};
            size_t known = 0;
            while (known < COUNT(SEEN) && strcmp(key, SEEN[known]) != 0)
                known++;
            if (known == COUNT(SEEN))
                FAIL("no step expects %s", key);
        }
    }
    if ((json_object_get(expect, "result") != NULL && !out->has_result) ||
        (json_object_get(expect, "count") != NULL && !out->has_count) ||
        ((json_object_get(expect, "removed") != NULL || json_object_get(expect, "failed") != NULL ||
          json_object_get(expect, "live") != NULL) &&
         out->swept == NULL && error == NULL) ||
        (json_object_get(expect, "holder") != NULL && out->error == NULL))
        FAIL("something is expected that the call does not give");
    keep_from_files(json_object_get(expect, "files"));
}

static char history_step[64];

static void run_history_of(json_t *test) {
    json_t *step, *value;
    size_t index;
    const char *key;
    history_handle_count = 0;
    case_kept = keep(json_object(), release_json);
    history_registry = open_registry(test);
    json_array_foreach(json_object_get(test, "steps"), index, step) {
        snprintf(history_step, sizeof history_step, "step %zu (%s): ", index + 1,
                 json_string_value(json_object_get(step, "do")));
        case_at = history_step;
        json_object_foreach(step, key, value) {
            if (strcmp(key, "do") != 0 && strcmp(key, "as") != 0 && strcmp(key, "args") != 0 &&
                strcmp(key, "expect") != 0 && strcmp(key, "why") != 0)
                FAIL("no step has %s", key);
        }
        const outcome out = call(step);
        expect_outcome(step, &out);
    }
    case_at = "";
}

#endif
