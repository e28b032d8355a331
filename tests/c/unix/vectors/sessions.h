/* Agent sessions in the words of the vectors. */
#ifndef SESSIONS_H
#define SESSIONS_H

#include "scan.h"
#include "values.h"

static const struct {
    const char *name;
    sessionreg_text (*get)(const sessionreg_agent_session *);
} SESSION_TEXTS[] = {
    {"key", sessionreg_agent_session_key},
    {"agent", sessionreg_agent_session_agent},
    {"session_id", sessionreg_agent_session_session_id},
    {"tty", sessionreg_agent_session_tty},
    {"work_dir", sessionreg_agent_session_work_dir},
    {"kind", sessionreg_agent_session_kind},
    {"status", sessionreg_agent_session_status},
    {"waiting_for", sessionreg_agent_session_waiting_for},
    {"name", sessionreg_agent_session_name},
    {"parent_session_id", sessionreg_agent_session_parent_session_id},
    {"superseded_by", sessionreg_agent_session_superseded_by},
};

static void set_text(json_t *object, const char *name, sessionreg_text text) {
    if (text.data != NULL && text.data[text.length] != '\0')
        FAIL("%s does not end with NUL", name);
    if (text.data != NULL)
        json_object_set_new(object, name, json_stringn_nocheck(text.data, text.length));
}

static void set_time(json_t *object, const char *name, double time) {
    if (!isnan(time))
        json_object_set_new(object, name, json_real(time));
}

static void set_number(json_t *object, const char *name, int64_t number) {
    if (number != -1)
        json_object_set_new(object, name, json_integer(number));
}

/* Takes an object over, if there is anything in it. */
static void set_object(json_t *object, const char *name, json_t *value) {
    if (json_object_size(value) > 0)
        json_object_set_new(object, name, value);
    else
        json_decref(value);
}

typedef sessionreg_text text_at(const sessionreg_agent_session *, size_t);

static void set_texts(json_t *object, const char *name, const sessionreg_agent_session *session,
                      size_t count, text_at *get) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        sessionreg_text text = get(session, i);
        json_array_append_new(list, json_stringn_nocheck(text.data, text.length));
    }
    json_object_set_new(object, name, list);
    if (get(session, count).data != NULL || get(session, SIZE_MAX).data != NULL)
        FAIL("there is something behind the last of %s", name);
}

/* A line of JSON that the library handed out. */
static json_t *parsed_line(const char *what, sessionreg_status status, char *text) {
    json_error_t problem;
    if (status != SESSIONREG_STATUS_OK)
        FAIL("%s: %s", what, sessionreg_status_string(status));
    keep(text, release_string);
    if (strpbrk(text, "\r\n") != NULL || strstr(text, SECRET) != NULL)
        FAIL("%s is more than a line, or tells a secret: %.800s", what, text);
    json_t *parsed = json_loads(text, JSON_ALLOW_NUL | JSON_DECODE_ANY, &problem);
    if (parsed == NULL)
        FAIL("%s: %s: %.800s", what, problem.text, text);
    return keep(parsed, release_json);
}

static json_t *session_json(const sessionreg_agent_session *session) {
    char *text = NULL;
    sessionreg_status status = sessionreg_agent_session_to_json(session, &text, NULL);
    return parsed_line("to_json of a session", status, text);
}

static json_t *session_extra(const sessionreg_agent_session *session) {
    char *text = NULL;
    const char *key;
    json_t *value;
    sessionreg_status status = sessionreg_agent_session_extra_to_json(session, &text, NULL);
    json_t *extra = parsed_line("extra_to_json", status, text);
    if (json_object_size(extra) != sessionreg_agent_session_extra_count(session))
        FAIL("extra has another number of keys than it says");
    json_object_foreach(extra, key, value) {
        char *one = NULL;
        status = sessionreg_agent_session_extra_get(session, key, &one, NULL);
        if (!same_value(parsed_line("extra_get", status, one), value))
            FAIL("extra_get of %s does not give what extra_to_json gives", key);
    }
    return extra;
}

/* What the getters say, in the form that to_json has; freed with the case. */
static json_t *session_values(const sessionreg_agent_session *session) {
    json_t *made = keep(json_object(), release_json), *terminal = json_object();
    json_t *transcript = json_object(), *usage = json_object();
    const sessionreg_verdict verdict = sessionreg_agent_session_verdict(session);
    const int64_t mtime = sessionreg_agent_session_transcript_mtime_ns(session);
    char number[32];
    for (size_t i = 0; i < COUNT(SESSION_TEXTS); i++)
        set_text(made, SESSION_TEXTS[i].name, SESSION_TEXTS[i].get(session));
    if (sessionreg_agent_session_pid(session) != 0)
        set_number(made, "pid", sessionreg_agent_session_pid(session));
    set_time(made, "started_at", sessionreg_agent_session_started_at(session));
    set_time(made, "updated_at", sessionreg_agent_session_updated_at(session));
    set_text(terminal, "multiplexer", sessionreg_agent_session_terminal_multiplexer(session));
    set_text(terminal, "session", sessionreg_agent_session_terminal_session(session));
    set_text(terminal, "pane", sessionreg_agent_session_terminal_pane(session));
    set_object(made, "terminal", terminal);
    set_text(transcript, "path", sessionreg_agent_session_transcript_path(session));
    if (mtime != -1) {
        snprintf(number, sizeof number, "%lld", (long long)mtime);
        json_object_set_new(transcript, "mtime_ns", json_string(number));
    }
    set_object(made, "transcript", transcript);
    set_number(usage, "current_tokens",
               sessionreg_agent_session_context_usage_current_tokens(session));
    set_number(usage, "window", sessionreg_agent_session_context_usage_window(session));
    set_object(made, "context_usage", usage);
    set_number(made, "turn_start_tokens", sessionreg_agent_session_turn_start_tokens(session));
    set_texts(made, "sources", session, sessionreg_agent_session_sources_len(session),
              sessionreg_agent_session_sources_get);
    set_texts(made, "files", session, sessionreg_agent_session_files_len(session),
              sessionreg_agent_session_files_get);
    json_object_set_new(made, "state", json_string(sessionreg_state_string(verdict.state)));
    json_object_set_new(made, "reason", json_string(sessionreg_reason_string(verdict.reason)));
    json_object_set(made, "extra", session_extra(session));
    return made;
}

/* Checks that the text of a session says what its getters say. */
static void expect_same_text(json_t *values, json_t *text) {
    json_t *value;
    const char *key;
    json_object_foreach(text, key, value) {
        json_t *of_getters = json_object_get(values, key), *part;
        const char *name;
        if (strcmp(key, "terminal") != 0) {
            if (!same_value(value, of_getters))
                FAIL("to_json: %s is %s, not %s", key, shown(value), shown(of_getters));
            continue;
        }
        /* Unknown keys of a terminal are in the text alone. */
        json_object_foreach(of_getters, name, part) {
            if (!same_value(json_object_get(value, name), part))
                FAIL("to_json: %s of the terminal is not %s", name, shown(part));
        }
    }
    json_object_foreach(values, key, value) {
        if (json_object_get(text, key) == NULL)
            FAIL("to_json: %s is missing", key);
    }
}

/* Why a session is not as expected; NULL if it is. */
static const char *session_differs(json_t *values, json_t *wanted) {
    json_t *value, *part;
    const char *key, *name;
    size_t index;
    char why[2000];
    json_object_foreach(wanted, key, value) {
        json_t *found = json_object_get(values, key), *meant = NULL;
        bool is_same = true;
        if (json_is_null(value)) {
            is_same = found == NULL;
        } else if (strcmp(key, "files") == 0) {
            meant = keep(json_array(), release_json);
            json_array_foreach(value, index, part)
                json_array_append_new(meant, json_string(beside(text_of(part).data)));
            is_same = same_value(found, meant);
        } else if (strcmp(key, "transcript") == 0 && json_is_object(value)) {
            meant = resolved(value);
            if (json_is_string(json_object_get(meant, "path")))
                json_object_set_new(
                    meant, "path",
                    json_string(beside(json_string_value(json_object_get(meant, "path")))));
            json_object_foreach(meant, name, part) {
                is_same &= same_value(json_object_get(found, name), part);
            }
        } else {
            meant = resolved(value);
            is_same = same_value(found, meant);
        }
        if (!is_same) {
            snprintf(why, sizeof why, "%s of %.80s is %.800s, not %.800s", key,
                     shown(json_object_get(values, "session_id")), shown(found),
                     meant ? shown(meant) : "absent");
            return bytes_of(why, strlen(why)).data;
        }
    }
    return NULL;
}

/* Something that has sessions in an order. */
typedef const sessionreg_agent_session *session_at(const void *of, size_t index);

/* The same of several. */
static const char *sessions_differ(const void *of, size_t count, session_at *get, json_t *wanted) {
    const char *why = NULL;
    char number[80];
    if (!json_is_array(wanted))
        FAIL("no sessions are expected");
    if (count != json_array_size(wanted)) {
        snprintf(number, sizeof number, "there are %zu sessions, not %zu", count,
                 json_array_size(wanted));
        return bytes_of(number, strlen(number)).data;
    }
    for (size_t i = 0; why == NULL && i < count; i++) {
        json_t *values = session_values(get(of, i));
        expect_same_text(values, session_json(get(of, i)));
        why = session_differs(values, json_array_get(wanted, i));
    }
    return why;
}

#endif
