/* The operation `scan`: what a registry reads from a folder. */
#ifndef SCAN_H
#define SCAN_H

#include "patterns.h"
#include "record.h"

/* What no text that the library makes may hold. */
#define SECRET "s3cr3t"

static void release_registry(void *registry) {
    sessionreg_registry_free(registry);
}

static void release_list(void *list) {
    sessionreg_list_free(list);
}

/* The registry of a case, in a folder below that of the case. */
static sessionreg_registry *open_registry(json_t *test) {
    json_t *dialect = json_object_get(test, "dialect"), *folder = json_object_get(test, "registry");
    const char *word = dialect ? json_string_value(dialect) : "ours";
    sessionreg_registry_options options = SESSIONREG_REGISTRY_OPTIONS_INIT;
    sessionreg_registry *registry = NULL;
    if (word == NULL || strcmp(word, "detected") != 0) {
        do {
            const char *known = sessionreg_dialect_string(++options.dialect);
            if (word == NULL || known == NULL)
                FAIL("no such dialect: %s", word ? word : "it is no text");
            if (strcmp(word, known) == 0)
                break;
        } while (true);
    }
    const char *path = beside(folder ? text_of(folder).data : "sessions");
    if (sessionreg_registry_open(path, &options, &registry, NULL) != SESSIONREG_STATUS_OK)
        FAIL("the registry cannot be opened");
    return keep(registry, release_registry);
}

static void expect_verdict_is(sessionreg_verdict verdict, json_t *wanted) {
    const char *state = sessionreg_state_string(verdict.state);
    const char *reason = sessionreg_reason_string(verdict.reason);
    if (!json_is_object(wanted) || json_object_size(wanted) != 2 ||
        strcmp(state, json_string_value(json_object_get(wanted, "state"))) != 0 ||
        strcmp(reason, json_string_value(json_object_get(wanted, "reason"))) != 0)
        FAIL("got %s (%s)", state, reason);
}

/* Compares entries in their order: of records all fields, laid over `base`, or only those named. */
static void expect_entries(const sessionreg_list *list, json_t *wanted, json_t *base,
                           bool is_complete) {
    json_t *one, *value;
    size_t index;
    const char *key;
    if (sessionreg_list_len(list) != json_array_size(wanted))
        FAIL("%zu entries, not %zu", sessionreg_list_len(list), json_array_size(wanted));
    json_array_foreach(wanted, index, one) {
        const sessionreg_entry *entry = sessionreg_list_get(list, index);
        const sessionreg_record *record = sessionreg_entry_record(entry);
        json_object_foreach(one, key, value) {
            if (strcmp(key, "file") == 0)
                expect_path("an entry's file", sessionreg_entry_path(entry).data, value);
            else if (strcmp(key, "verdict") == 0)
                expect_verdict_is(sessionreg_entry_verdict(entry), value);
            else if (strcmp(key, "record") == 0 && is_complete)
                compare_record(record, base, value);
            else if (strcmp(key, "record") == 0)
                compare_some(record, value);
            else
                FAIL("an entry has no %s", key);
        }
    }
}

static void expect_one_skipped(const sessionreg_skipped *skipped, json_t *wanted) {
    const char *token = sessionreg_status_string(sessionreg_skipped_status(skipped));
    json_t *error = json_object_get(wanted, "error");
    expect_path("a skipped file", sessionreg_skipped_path(skipped).data,
                json_object_get(wanted, "file"));
    if (json_object_size(wanted) != 2 || !is_token(token, error))
        FAIL("%s is %s", sessionreg_skipped_path(skipped).data, token);
    if (strstr(sessionreg_skipped_reason(skipped).data, SECRET) != NULL)
        FAIL("a secret is told");
}

static void expect_skipped(const sessionreg_list *list, json_t *wanted) {
    json_t *one;
    size_t index;
    if (sessionreg_list_skipped_len(list) != json_array_size(wanted))
        FAIL("%zu files are skipped, not %zu", sessionreg_list_skipped_len(list),
             json_array_size(wanted));
    json_array_foreach(wanted, index, one) {
        expect_one_skipped(sessionreg_list_skipped_get(list, index), one);
    }
}

/* Checks that no text that is made of a record holds a secret. */
static void expect_no_secret(const sessionreg_record *record) {
    char *json = NULL, *extra = NULL;
    /* Not every record is one that a sidecar can hold. */
    if (sessionreg_record_to_json(record, &json, NULL) == SESSIONREG_STATUS_OK)
        keep(json, release_string);
    if (sessionreg_record_extra_to_json(record, &extra, NULL) == SESSIONREG_STATUS_OK)
        keep(extra, release_string);
    if ((json != NULL && strstr(json, SECRET) != NULL) || extra == NULL ||
        strstr(extra, SECRET) != NULL)
        FAIL("a secret is told");
    for (size_t i = 0; i < COUNT(TEXTS); i++) {
        sessionreg_text text = TEXTS[i].get(record);
        if (text.data != NULL && strstr(text.data, SECRET) != NULL)
            FAIL("a secret is told");
    }
}

static bool same_text(sessionreg_text one, sessionreg_text other) {
    return one.length == other.length && (one.data == NULL) == (other.data == NULL) &&
           (one.data == NULL || memcmp(one.data, other.data, one.length) == 0);
}

/* Checks that a list has those entries of a scan that are `wanted` to be in it, in their order. */
static void expect_part(const char *what, sessionreg_status status, sessionreg_list *list,
                        const sessionreg_list *scan, const bool *wanted) {
    size_t at = 0;
    if (status != SESSIONREG_STATUS_OK)
        FAIL("%s: %s", what, sessionreg_status_string(status));
    keep(list, release_list);
    for (size_t i = 0; i < sessionreg_list_len(scan); i++) {
        if (!wanted[i])
            continue;
        const sessionreg_entry *one = sessionreg_list_get(list, at++),
                               *other = sessionreg_list_get(scan, i);
        if (!sessionreg_record_equal(sessionreg_entry_record(one),
                                     sessionreg_entry_record(other)) ||
            !same_text(sessionreg_entry_path(one), sessionreg_entry_path(other)) ||
            sessionreg_entry_verdict(one).reason != sessionreg_entry_verdict(other).reason)
            FAIL("%s gives something else than a scan", what);
    }
    if (at != sessionreg_list_len(list))
        FAIL("%s gives more than a scan", what);
}

enum { MOST_ENTRIES = 256 };

static void check_live(const sessionreg_registry *registry, const sessionreg_list *scan) {
    bool wanted[MOST_ENTRIES];
    size_t alive = 0, count = SIZE_MAX;
    sessionreg_list *list = NULL;
    for (size_t i = 0; i < sessionreg_list_len(scan); i++) {
        wanted[i] =
            sessionreg_entry_verdict(sessionreg_list_get(scan, i)).state == SESSIONREG_STATE_ALIVE;
        alive += wanted[i];
    }
    sessionreg_status status = sessionreg_registry_live(registry, &list, NULL);
    expect_part("live", status, list, scan, wanted);
    if (sessionreg_registry_count_live(registry, &count, NULL) != SESSIONREG_STATUS_OK ||
        count != alive)
        FAIL("count_live is not %zu", alive);
}

/* Asks for what the record of an entry says. */
static void check_questions(const sessionreg_registry *registry, const sessionreg_list *scan,
                            const sessionreg_record *of) {
    bool pid[MOST_ENTRIES], id[MOST_ENTRIES], work_dir[MOST_ENTRIES];
    const sessionreg_text its_id = sessionreg_record_session_id(of);
    const sessionreg_text its_dir = sessionreg_record_work_dir(of);
    sessionreg_list *list = NULL;
    sessionreg_status status;
    for (size_t i = 0; i < sessionreg_list_len(scan); i++) {
        const sessionreg_record *record = sessionreg_entry_record(sessionreg_list_get(scan, i));
        pid[i] = sessionreg_record_pid(record) == sessionreg_record_pid(of);
        id[i] = same_text(sessionreg_record_session_id(record), its_id);
        work_dir[i] = same_text(sessionreg_record_work_dir(record), its_dir);
    }
    status = sessionreg_registry_find_by_pid(registry, sessionreg_record_pid(of), &list, NULL);
    expect_part("find_by_pid", status, list, scan, pid);
    /* C ends text at NUL. */
    if (strlen(its_id.data) == its_id.length) {
        status = sessionreg_registry_find_by_session(registry, its_id.data, &list, NULL);
        expect_part("find_by_session", status, list, scan, id);
    }
    if (strlen(its_dir.data) == its_dir.length) {
        status = sessionreg_registry_find_by_work_dir(registry, its_dir.data, &list, NULL);
        expect_part("find_by_work_dir", status, list, scan, work_dir);
    }
}

static const char *path_of_file(json_t *file) {
    char name[PATH_ROOM];
    snprintf(name, sizeof name, "sessions/%s", text_of(json_object_get(file, "name")).data);
    return beside(name);
}

static void run_scan_of(json_t *test, json_t *expect, json_t *base) {
    json_t *files = json_object_get(test, "files"), *file;
    size_t index;
    sessionreg_list *scan = NULL, *again = NULL;
    if (files != NULL)
        put_folder(beside("sessions"));
    json_array_foreach(files, index, file) put_any(path_of_file(file), file);

    sessionreg_registry *registry = open_registry(test);
    if (sessionreg_registry_scan(registry, &scan, NULL) != SESSIONREG_STATUS_OK)
        FAIL("the scan fails");
    keep(scan, release_list);
    expect_entries(scan, json_object_get(expect, "entries"), base, true);
    expect_skipped(scan, json_object_get(expect, "skipped"));
    if (sessionreg_list_len(scan) > MOST_ENTRIES)
        FAIL("more entries than this runner has room for");
    check_live(registry, scan);
    for (size_t i = 0; i < sessionreg_list_len(scan); i++) {
        const sessionreg_record *record = sessionreg_entry_record(sessionreg_list_get(scan, i));
        check_questions(registry, scan, record);
        expect_no_secret(record);
    }
    if (sessionreg_registry_scan(registry, &again, NULL) != SESSIONREG_STATUS_OK)
        FAIL("the second scan fails");
    keep(again, release_list);
    expect_entries(again, json_object_get(expect, "entries"), base, true);
    expect_skipped(again, json_object_get(expect, "skipped"));

    json_array_foreach(files, index, file) check_file("a file", path_of_file(file), file);
    if (link_content != NULL)
        expect_content("what the link points to", beside("target"), link_content);
}

#endif
