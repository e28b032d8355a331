/* Records in the words of the vectors. */
#ifndef RECORD_H
#define RECORD_H

#include "text.h"
#include <math.h>

static const struct {
    const char *name;
    sessionreg_text (*get)(const sessionreg_record *);
} TEXTS[] = {
    {"session_id", sessionreg_record_session_id},
    {"work_dir", sessionreg_record_work_dir},
    {"hostname", sessionreg_record_hostname},
    {"agent_version", sessionreg_record_agent_version},
    {"proc_start", sessionreg_record_proc_start},
    {"pid_inode", sessionreg_record_pid_inode},
    {"host_key", sessionreg_record_host_key},
    {"platform", sessionreg_record_platform},
    {"instance", sessionreg_record_instance},
    {"agent", sessionreg_record_agent},
    {"kind", sessionreg_record_kind},
    {"name", sessionreg_record_name},
    {"entrypoint", sessionreg_record_entrypoint},
    {"transcript_path", sessionreg_record_transcript_path},
    {"parent_session_id", sessionreg_record_parent_session_id},
    {"status", sessionreg_record_status},
    {"waiting_for", sessionreg_record_waiting_for},
};

static const struct {
    const char *name;
    int64_t (*get)(const sessionreg_record *);
} NUMBERS[] = {
    {"pid_ns", sessionreg_record_pid_ns},
    {"time_ns", sessionreg_record_time_ns},
    {"revision", sessionreg_record_revision},
};

static const struct {
    const char *name;
    double (*get)(const sessionreg_record *);
} TIMES[] = {
    {"started_at", sessionreg_record_started_at},
    {"updated_at", sessionreg_record_updated_at},
    {"status_updated_at", sessionreg_record_status_updated_at},
};

static bool is_any(json_t *value) {
    return json_is_string(value) && strcmp(json_string_value(value), "<any>") == 0;
}

/* A number, or a placeholder that is one. */
static double number_of(json_t *value) {
    return json_is_string(value) ? strtod(text_of(value).data, NULL) : json_number_value(value);
}

static void compare_text(const char *name, sessionreg_text found, json_t *wanted) {
    if (wanted == NULL || json_is_null(wanted)) {
        if (found.data != NULL || found.length != 0)
            FAIL("%s: expected none, got %.800s", name, found.data);
        return;
    }
    if (found.data == NULL)
        FAIL("%s is absent", name);
    if (is_any(wanted))
        return;
    bytes text = text_of(wanted);
    if (found.length != text.length || memcmp(found.data, text.data, text.length + 1) != 0)
        FAIL("%s: expected %.800s, got %.800s", name, text.data, found.data);
}

/* `absent` is what stands for a number that is not there. */
static void compare_number(const char *name, double found, double absent, json_t *wanted) {
    bool is_there = isnan(absent) ? !isnan(found) : found != absent;
    if (wanted == NULL || json_is_null(wanted)) {
        if (is_there)
            FAIL("%s: expected none, got %.17g", name, found);
    } else if (!is_there) {
        FAIL("%s is absent", name);
    } else if (!is_any(wanted) && found != number_of(wanted)) {
        FAIL("%s: expected %.17g, got %.17g", name, number_of(wanted), found);
    }
}

static void compare_terminal(const sessionreg_record *record, json_t *wanted) {
    if (is_any(wanted)) {
        if (sessionreg_record_terminal_multiplexer(record).data == NULL &&
            sessionreg_record_terminal_session(record).data == NULL &&
            sessionreg_record_terminal_pane(record).data == NULL)
            FAIL("terminal is absent");
        return;
    }
    compare_text("multiplexer", sessionreg_record_terminal_multiplexer(record),
                 json_object_get(wanted, "multiplexer"));
    compare_text("session", sessionreg_record_terminal_session(record),
                 json_object_get(wanted, "session"));
    compare_text("pane", sessionreg_record_terminal_pane(record), json_object_get(wanted, "pane"));
}

static void compare_extra(const sessionreg_record *record, json_t *wanted) {
    size_t count = sessionreg_record_extra_count(record);
    const char *key;
    json_t *value;
    if (is_any(wanted)) {
        if (count == 0)
            FAIL("extra is empty");
        return;
    }
    json_object_foreach(wanted, key, value) {
        char *found = NULL;
        bytes text = text_of(value);
        if (sessionreg_record_extra_get(record, key, &found, NULL) != SESSIONREG_STATUS_OK)
            FAIL("extra %s cannot be got", key);
        if (found == NULL)
            FAIL("extra %s is missing", key);
        keep(found, release_string);
        if (strcmp(found, text.data) != 0)
            FAIL("extra %s: expected %.800s, got %.800s", key, text.data, found);
    }
    if (count != json_object_size(wanted))
        FAIL("%zu unknown keys, not %zu", count, json_object_size(wanted));
}

/* Compares one field of a record; tells whether records have it. */
static bool compare_field(const sessionreg_record *record, const char *name, json_t *wanted) {
    for (size_t i = 0; i < COUNT(TEXTS); i++) {
        if (strcmp(name, TEXTS[i].name) == 0) {
            compare_text(name, TEXTS[i].get(record), wanted);
            return true;
        }
    }
    for (size_t i = 0; i < COUNT(NUMBERS); i++) {
        if (strcmp(name, NUMBERS[i].name) == 0) {
            compare_number(name, (double)NUMBERS[i].get(record), -1, wanted);
            return true;
        }
    }
    for (size_t i = 0; i < COUNT(TIMES); i++) {
        if (strcmp(name, TIMES[i].name) == 0) {
            compare_number(name, TIMES[i].get(record), NAN, wanted);
            return true;
        }
    }
    if (strcmp(name, "pid") == 0)
        compare_number(name, sessionreg_record_pid(record), 0, wanted);
    else if (strcmp(name, "terminal") == 0)
        compare_terminal(record, wanted);
    else if (strcmp(name, "extra") == 0)
        compare_extra(record, wanted);
    else
        return false;
    return true;
}

/* Compares the fields of a record that are named, and no other. */
static void compare_some(const sessionreg_record *record, json_t *wanted) {
    const char *name;
    json_t *value;
    json_object_foreach(wanted, name, value) {
        if (!compare_field(record, name, value))
            FAIL("a field is expected that no record has: %s", name);
    }
}

/* Compares a record with the expected one, laid over the base of its file. */
static void compare_record(const sessionreg_record *record, json_t *base, json_t *expected) {
    static const char *const OTHERS[] = {"pid", "terminal", "extra"};
    json_t *wanted = keep(base ? json_copy(base) : json_object(), release_json);
    json_object_update(wanted, expected);
    compare_some(record, wanted);
    /* What is not named is absent. */
    for (size_t i = 0; i < COUNT(TEXTS); i++)
        compare_field(record, TEXTS[i].name, json_object_get(wanted, TEXTS[i].name));
    for (size_t i = 0; i < COUNT(NUMBERS); i++)
        compare_field(record, NUMBERS[i].name, json_object_get(wanted, NUMBERS[i].name));
    for (size_t i = 0; i < COUNT(TIMES); i++)
        compare_field(record, TIMES[i].name, json_object_get(wanted, TIMES[i].name));
    for (size_t i = 0; i < COUNT(OTHERS); i++)
        compare_field(record, OTHERS[i], json_object_get(wanted, OTHERS[i]));
}

static double time_of(json_t *value) {
    if (value == NULL)
        return NAN;
    if (!json_is_string(value))
        return json_number_value(value);
    double time = strtod(text_of(value).data, NULL);
    if (isnan(time))
        end_case(LEFT_OUT, "NaN says in C that no time is given");
    return time;
}

static uint32_t pid_of(json_t *value) {
    double pid = value ? number_of(value) : 0;
    if (value != NULL && (pid < 1 || pid > UINT32_MAX || (uint32_t)pid != pid))
        end_case(LEFT_OUT, "C cannot give this pid");
    return (uint32_t)pid;
}

static const char *take(json_t *fields, const char *name) {
    json_t *value = json_object_get(fields, name);
    const char *text = c_text_of(value);
    if (value != NULL)
        json_object_del(fields, name);
    return text;
}

/* Makes a record as a caller does. */
static sessionreg_status make_record(json_t *given, sessionreg_record **record) {
    json_t *fields = keep(json_copy(given), release_json), *value;
    json_t *terminal = json_object_get(given, "terminal"), *extra = json_object_get(given, "extra");
    sessionreg_fields made = SESSIONREG_FIELDS_INIT;
    const char *key;
    made.pid = pid_of(json_object_get(given, "pid"));
    made.started_at = time_of(json_object_get(given, "started_at"));
    made.updated_at = time_of(json_object_get(given, "updated_at"));
    made.status_updated_at = time_of(json_object_get(given, "status_updated_at"));
    made.session_id = take(fields, "session_id");
    made.work_dir = take(fields, "work_dir");
    made.hostname = take(fields, "hostname");
    made.agent_version = take(fields, "agent_version");
    made.agent = take(fields, "agent");
    made.kind = take(fields, "kind");
    made.name = take(fields, "name");
    made.entrypoint = take(fields, "entrypoint");
    made.transcript_path = take(fields, "transcript_path");
    made.parent_session_id = take(fields, "parent_session_id");
    made.status = take(fields, "status");
    made.waiting_for = take(fields, "waiting_for");
    made.terminal_multiplexer = c_text_of(json_object_get(terminal, "multiplexer"));
    made.terminal_session = c_text_of(json_object_get(terminal, "session"));
    made.terminal_pane = c_text_of(json_object_get(terminal, "pane"));
    static const char *const OTHERS[] = {"pid", "terminal", "extra"};
    for (size_t i = 0; i < COUNT(OTHERS); i++)
        json_object_del(fields, OTHERS[i]);
    for (size_t i = 0; i < COUNT(TIMES); i++)
        json_object_del(fields, TIMES[i].name);
    if (json_object_size(fields) != 0)
        FAIL("a field is given that no record has");
    sessionreg_status status = sessionreg_record_new(&made, record, NULL);
    if (status != SESSIONREG_STATUS_OK)
        return status;
    keep(*record, release_record);
    json_object_foreach(extra, key, value) {
        status = sessionreg_record_extra_set(*record, key, c_text_of(value), NULL);
        if (status != SESSIONREG_STATUS_OK)
            return status;
    }
    return SESSIONREG_STATUS_OK;
}

#endif
