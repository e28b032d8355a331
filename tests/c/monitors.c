/* Monitors: what changes is told, and nothing else; and what only a monitor does. */
#include "child.h"
#include "example_monitor.h"
#include <math.h>
#include <utime.h>

static char folder[PATH_ROOM], sessions[PATH_ROOM + 32];
static sessionreg_registry *registry;
static sessionreg_monitor *monitor;

static void begin(void) {
    folder_make(folder);
    snprintf(sessions, sizeof sessions, "%s/sessions", folder);
    registry = registry_in(sessions, SESSIONREG_DIALECT_OURS);
    monitor = monitor_of(SESSIONREG_SOURCE_REGISTRY, sessions);
}

static void end(void) {
    sessionreg_monitor_free(monitor);
    sessionreg_registry_free(registry);
    folder_remove(folder);
}

/* The next batch of the monitor's own reader. */
static sessionreg_batch *next_batch(void) {
    sessionreg_batch *batch = NULL;
    CHECK_OK(sessionreg_monitor_next(monitor, PATIENCE_MS, &batch, NULL));
    return batch;
}

/* The first one since a cursor, which it replaces. */
static sessionreg_batch *batch_since(char cursor[128]) {
    sessionreg_batch *batch = NULL;
    CHECK_OK(sessionreg_monitor_wait(monitor, cursor, PATIENCE_MS, &batch, NULL));
    snprintf(cursor, 128, "%s",
             batch != NULL ? sessionreg_batch_cursor(batch).data : "there is none");
    return batch;
}

static void a_reader_gets_the_full_state_and_then_what_changed(void) {
    begin();
    char key[64];
    sessionreg_batch *batch = next_batch();
    CHECK(sessionreg_batch_reset(batch) && sessionreg_batch_added_len(batch) == 0);
    CHECK(sessionreg_batch_at(batch) > 1763690000 && sessionreg_batch_cursor(batch).length > 0);
    sessionreg_batch_free(batch);
    batch = NULL;
    CHECK_STATUS(sessionreg_monitor_next(monitor, 0, &batch, NULL), SESSIONREG_STATUS_TIMEOUT);
    CHECK_STATUS(sessionreg_monitor_next(monitor, 30, &batch, NULL), SESSIONREG_STATUS_TIMEOUT);
    CHECK(batch == NULL);

    sessionreg_session *session = registered(registry, "a");
    batch = next_batch();
    CHECK(!sessionreg_batch_reset(batch) && sessionreg_batch_added_len(batch) == 1);
    CHECK(sessionreg_batch_changed_len(batch) == 0 && sessionreg_batch_removed_len(batch) == 0);
    const sessionreg_agent_session *one = sessionreg_batch_added_get(batch, 0);
    CHECK_TEXT(sessionreg_agent_session_session_id(one), "a");
    snprintf(key, sizeof key, "%s", sessionreg_agent_session_key(one).data);
    CHECK(sessionreg_batch_added_get(batch, 1) == NULL);
    sessionreg_batch_free(batch);

    /* A process that moves to another session is the same entry. */
    CHECK_OK(sessionreg_session_switch(session, "b", NULL, NULL));
    batch = next_batch();
    CHECK(sessionreg_batch_added_len(batch) == 0 && sessionreg_batch_changed_len(batch) == 1);
    one = sessionreg_batch_changed_get(batch, 0);
    CHECK_TEXT(sessionreg_agent_session_session_id(one), "b");
    CHECK_TEXT(sessionreg_agent_session_key(one), key);
    CHECK(sessionreg_batch_changed_get(batch, 1) == NULL);
    sessionreg_batch_free(batch);

    session_close(session);
    batch = next_batch();
    CHECK(sessionreg_batch_removed_len(batch) == 1);
    CHECK_TEXT(sessionreg_batch_removed_get(batch, 0), key);
    CHECK_ABSENT(sessionreg_batch_removed_get(batch, 1));
    sessionreg_batch_free(batch);
    end();
}

static void a_batch_is_one_line_of_json(void) {
    begin();
    char *json = NULL;
    sessionreg_session *session = registered(registry, "a");
    sessionreg_batch *batch = next_batch();
    CHECK_OK(sessionreg_batch_to_json(batch, &json, NULL));
    REQUIRE(json != NULL);
    CHECK(strncmp(json, "{\"cursor\":\"", 11) == 0 && strchr(json, '\n') == NULL);
    CHECK(strstr(json, "\"reset\":true") != NULL);
    CHECK(strstr(json, "\"session_id\":\"a\"") != NULL);
    sessionreg_string_free(json);
    sessionreg_batch_free(batch);
    session_close(session);
    end();
}

static void the_end_of_a_process_is_told(void) {
    begin();
    child process;
    REQUIRE(child_start(&process));
    sessionreg_session *session = NULL;
    sessionreg_new made = new_session("child");
    made.pid = child_pid(&process);
    CHECK_OK(sessionreg_registry_register(registry, &made, &session, NULL));
    sessionreg_batch *batch = next_batch();
    CHECK(sessionreg_agent_session_verdict(sessionreg_batch_added_get(batch, 0)).state ==
          SESSIONREG_STATE_ALIVE);
    sessionreg_batch_free(batch);
    child_end(&process);
    batch = next_batch();
    CHECK(sessionreg_batch_changed_len(batch) == 1);
    CHECK(sessionreg_agent_session_verdict(sessionreg_batch_changed_get(batch, 0)).state ==
          SESSIONREG_STATE_DEAD);
    sessionreg_batch_free(batch);
    sessionreg_session_free(session);
    end();
}

static void each_reader_has_a_cursor_of_its_own(void) {
    begin();
    char early[128], late[128];
    sessionreg_snapshot *snapshot = snapshot_of(monitor);
    snprintf(early, sizeof early, "%s", sessionreg_snapshot_cursor(snapshot).data);
    snprintf(late, sizeof late, "%s", early);
    sessionreg_snapshot_free(snapshot);
    sessionreg_session *session = registered(registry, "a");
    sessionreg_batch *batch = batch_since(early);
    CHECK(!sessionreg_batch_reset(batch) && sessionreg_batch_added_len(batch) == 1);
    sessionreg_batch_free(batch);
    CHECK_OK(sessionreg_session_update(session, "{\"status\": \"busy\"}", NULL));
    batch = batch_since(early);
    CHECK(sessionreg_batch_changed_len(batch) == 1 && sessionreg_batch_added_len(batch) == 0);
    sessionreg_batch_free(batch);
    /* To this one it is new, as it is now. */
    batch = batch_since(late);
    CHECK(sessionreg_batch_changed_len(batch) == 0 && sessionreg_batch_added_len(batch) == 1);
    CHECK_TEXT(sessionreg_agent_session_status(sessionreg_batch_added_get(batch, 0)), "busy");
    sessionreg_batch_free(batch);
    CHECK(strcmp(early, late) == 0);
    batch = NULL;
    CHECK_STATUS(sessionreg_monitor_wait(monitor, late, 0, &batch, NULL),
                 SESSIONREG_STATUS_TIMEOUT);
    session_close(session);
    end();
}

static void a_cursor_of_another_monitor_gets_the_full_state(void) {
    begin();
    sessionreg_session *session = registered(registry, "a");
    sessionreg_monitor *other = monitor_of(SESSIONREG_SOURCE_REGISTRY, sessions);
    sessionreg_batch *batch = NULL;
    CHECK_OK(sessionreg_monitor_wait(other, NULL, 0, &batch, NULL));
    char foreign[128];
    snprintf(foreign, sizeof foreign, "%s", sessionreg_batch_cursor(batch).data);
    sessionreg_batch_free(batch);
    sessionreg_monitor_free(other);
    const char *const cursors[] = {foreign, "", "-", "1", "x-1", "x-18446744073709551616"};
    for (size_t i = 0; i < sizeof cursors / sizeof *cursors; i++) {
        batch = NULL;
        CHECK_OK(sessionreg_monitor_wait(monitor, cursors[i], 0, &batch, NULL));
        CHECK(sessionreg_batch_reset(batch) && sessionreg_batch_added_len(batch) == 1);
        sessionreg_batch_free(batch);
    }
    session_close(session);
    end();
}

/* As a server does for a client that comes back. */
static void a_reader_goes_on_from_the_cursor_that_it_is_given(void) {
    begin();
    sessionreg_session *session = registered(registry, "a");
    sessionreg_monitor_options options = monitor_options(-1);
    sessionreg_sources *sources = sources_in(SESSIONREG_SOURCE_REGISTRY, sessions);
    sessionreg_monitor *other = NULL;
    sessionreg_batch *batch = NULL;
    options.cursor = "0123456789abcdef-7";
    CHECK_OK(sessionreg_monitor_open(sources, &options, &other, NULL));
    CHECK_OK(sessionreg_monitor_next(other, 0, &batch, NULL));
    CHECK(sessionreg_batch_reset(batch) && sessionreg_batch_added_len(batch) == 1);
    sessionreg_batch_free(batch);
    sessionreg_monitor_free(other);
    sessionreg_sources_free(sources);
    session_close(session);
    end();
}

static void what_cannot_be_is_invalid_input(void) {
    const sessionreg_status invalid = SESSIONREG_STATUS_INVALID_INPUT;
    begin();
    sessionreg_monitor *const untouched = monitor;
    sessionreg_monitor *opened = untouched;
    sessionreg_batch *batch = NULL;
    sessionreg_cleaned *cleaned = NULL;
    sessionreg_monitor_options options = SESSIONREG_MONITOR_OPTIONS_INIT;
    sessionreg_clean_up_options clean_up = SESSIONREG_CLEAN_UP_OPTIONS_INIT;
    const char *const folders[1] = {folder};
    options.struct_size--;
    CHECK_STATUS(sessionreg_monitor_open(NULL, &options, &opened, NULL), invalid);
    options = (sessionreg_monitor_options)SESSIONREG_MONITOR_OPTIONS_INIT;
    options.fold_ms = -2;
    CHECK_STATUS(sessionreg_monitor_open(NULL, &options, &opened, NULL), invalid);
    options.fold_ms = -1;
    options.poll_ms = INT64_MIN;
    CHECK_STATUS(sessionreg_monitor_open(NULL, &options, &opened, NULL), invalid);
    options.poll_ms = -1;
    options.cursor = "\xff";
    CHECK_STATUS(sessionreg_monitor_open(NULL, &options, &opened, NULL), invalid);
    CHECK(opened == untouched);
    CHECK_STATUS(sessionreg_monitor_next(monitor, -2, &batch, NULL), invalid);
    CHECK_STATUS(sessionreg_monitor_next(monitor, INT64_MIN, &batch, NULL), invalid);
    CHECK_STATUS(sessionreg_monitor_wait(monitor, NULL, -2, &batch, NULL), invalid);
    CHECK_STATUS(sessionreg_monitor_wait(monitor, "\xff", 0, &batch, NULL), invalid);
    CHECK(batch == NULL);
    clean_up.struct_size = 0;
    CHECK_STATUS(sessionreg_monitor_clean_up(monitor, folders, 1, &clean_up, &cleaned, NULL),
                 invalid);
    CHECK_STATUS(sessionreg_monitor_clean_up(monitor, folders, SIZE_MAX, NULL, &cleaned, NULL),
                 invalid);
    CHECK(cleaned == NULL);
    end();
}

/* The longest wait that can be said ends all the same. */
static void a_timeout_may_be_of_any_length(void) {
    begin();
    sessionreg_batch *batch = NULL;
    CHECK_OK(sessionreg_monitor_next(monitor, INT64_MAX, &batch, NULL));
    sessionreg_batch_free(batch);
    sessionreg_session *session = registered(registry, "a");
    CHECK_OK(sessionreg_monitor_next(monitor, INT64_MAX, &batch, NULL));
    CHECK(sessionreg_batch_added_len(batch) == 1);
    sessionreg_batch_free(batch);
    session_close(session);
    end();
}

/* Whether that is polled, and how often. */
static bool is_polled(const sessionreg_polled *polled, const char *what, double every) {
    for (size_t i = 0; i < sessionreg_polled_len(polled); i++)
        if (is_text(sessionreg_polled_what(polled, i), what))
            return sessionreg_polled_every(polled, i) == every;
    return false;
}

static void what_is_polled_says_so(void) {
    begin();
    sessionreg_monitor_options options = monitor_options(-1);
    options.poll_ms = 1500;
    for (int asked = 0; asked < 3; asked++) {
        sessionreg_sources *sources = sources_in(SESSIONREG_SOURCE_REGISTRY, sessions);
        sessionreg_monitor *other = NULL;
        sessionreg_polled *polled = NULL;
        CHECK_OK(sessionreg_sources_set_processes(sources, asked == 1, NULL));
        CHECK_OK(sessionreg_sources_set_multiplexers(sources, asked == 2, NULL));
        CHECK_OK(sessionreg_monitor_open(sources, &options, &other, NULL));
        CHECK_OK(sessionreg_monitor_polled(other, &polled, NULL));
        CHECK(is_polled(polled, "processes", 1.5) == (asked == 1));
        CHECK(is_polled(polled, "multiplexers", 1.5) == (asked == 2));
        CHECK_ABSENT(sessionreg_polled_what(polled, sessionreg_polled_len(polled)));
        CHECK(isnan(sessionreg_polled_every(polled, SIZE_MAX)));
        sessionreg_polled_free(polled);
        sessionreg_monitor_free(other);
        sessionreg_sources_free(sources);
    }
    end();
}

static void put_old(const char *name, const char *text) {
    char path[2 * PATH_ROOM];
    struct utimbuf then;
    put_below(folder, name, text);
    then.actime = then.modtime = time(NULL) - 30 * 60 * 60;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CHECK(utime(path, &then) == 0);
}

/* A data folder with one of each kind of what is left over, and as much that is not. */
static void put_hooks(void) {
    static const char *const STARTING =
        "{\"session_id\": \"%s\", \"agent\": \"claude\", \"status\": \"starting\"}";
    static const char *const PANE =
        "{\"session_id\": \"%s\", \"agent\": \"claude\", \"status\": "
        "\"active\", \"zellij_session\": \"z\", \"zellij_pane\": \"1\"}";
    char record[256];
    snprintf(record, sizeof record, STARTING, "new");
    put_below(folder, "sessions/new.json", record);
    snprintf(record, sizeof record, STARTING, "old");
    put_old("sessions/old.json", record);
    snprintf(record, sizeof record, PANE, "p1");
    put_old("sessions/p1.json", record);
    snprintf(record, sizeof record, PANE, "p2");
    put_old("sessions/p2.json", record);
    put_old("sessions/broken.json", "{");
    put_old("events/gone.jsonl", "{}\n");
    put_old("events/p1.jsonl", "{}\n");
}

static void expect_cleaned(const sessionreg_cleaned *cleaned) {
    static const char *const WANTED[][2] = {{"events/gone.jsonl", "orphan"},
                                            {"sessions/old.json", "stale"},
                                            {"sessions/p2.json", "superseded"}};
    REQUIRE(sessionreg_cleaned_removed_len(cleaned) == 3);
    for (size_t i = 0; i < 3; i++) {
        const sessionreg_tidied *tidied = sessionreg_cleaned_removed_get(cleaned, i);
        char path[2 * PATH_ROOM];
        snprintf(path, sizeof path, "%s/%s", folder, WANTED[i][0]);
#ifndef _WIN32
        CHECK_TEXT(sessionreg_tidied_path(tidied), path);
#endif
        CHECK_TEXT(sessionreg_tidied_reason(tidied), WANTED[i][1]);
    }
    CHECK(sessionreg_cleaned_removed_get(cleaned, 3) == NULL);
    CHECK(sessionreg_cleaned_failed_len(cleaned) == 1);
    CHECK(sessionreg_skipped_status(sessionreg_cleaned_failed_get(cleaned, 0)) ==
          SESSIONREG_STATUS_CORRUPT);
    CHECK(sessionreg_cleaned_failed_get(cleaned, 1) == NULL);
}

static void cleaning_up_removes_what_is_left_over_in_the_named_folders(void) {
    begin();
    put_hooks();
    char in_sessions[PATH_ROOM + 32], in_events[PATH_ROOM + 32];
    const char *const folders[1] = {folder};
    sessionreg_clean_up_options options = SESSIONREG_CLEAN_UP_OPTIONS_INIT;
    sessionreg_cleaned *cleaned = NULL;
    snprintf(in_sessions, sizeof in_sessions, "%s/sessions", folder);
    snprintf(in_events, sizeof in_events, "%s/events", folder);

    CHECK_OK(sessionreg_monitor_clean_up(monitor, NULL, 0, NULL, &cleaned, NULL));
    CHECK(sessionreg_cleaned_removed_len(cleaned) == 0);
    sessionreg_cleaned_free(cleaned);
    options.dry_run = true;
    CHECK_OK(sessionreg_monitor_clean_up(monitor, folders, 1, &options, &cleaned, NULL));
    expect_cleaned(cleaned);
    sessionreg_cleaned_free(cleaned);
    CHECK(folder_count(in_sessions) == 5 && folder_count(in_events) == 2);

    options.dry_run = false;
    CHECK_OK(sessionreg_monitor_clean_up(monitor, folders, 1, &options, &cleaned, NULL));
    expect_cleaned(cleaned);
    sessionreg_cleaned_free(cleaned);
    CHECK(folder_count(in_sessions) == 3 && folder_count(in_events) == 1);
    CHECK_OK(sessionreg_monitor_clean_up(monitor, folders, 1, NULL, &cleaned, NULL));
    CHECK(sessionreg_cleaned_removed_len(cleaned) == 0);
    sessionreg_cleaned_free(cleaned);
    end();
}

static void the_beginning_of_a_turn_is_recorded_once(void) {
    begin();
    char record[3 * PATH_ROOM], home[PATH_ROOM + 32];
    size_t count = 7;
    put_below(folder, "amc/t.jsonl", "{\"message\":{\"usage\":{\"input_tokens\":100}}}\n");
    snprintf(record, sizeof record,
             "{\"session_id\": \"s\", \"agent\": \"claude\", \"status\": \"active\", "
             "\"transcript_path\": \"%s/amc/t.jsonl\", \"last_event\": \"UserPromptSubmit\"}",
             folder);
    put_below(folder, "amc/sessions/s.json", record);
    snprintf(home, sizeof home, "%s/home", folder);
    home_set(home);
    snprintf(sessions, sizeof sessions, "%s/amc", folder);
    sessionreg_monitor *hooks = monitor_of(SESSIONREG_SOURCE_HOOKS, sessions);
    CHECK_OK(sessionreg_monitor_record_turn_start(hooks, &count, NULL));
    CHECK(count == 1 && folder_count(home) == 1);
    CHECK_OK(sessionreg_monitor_record_turn_start(hooks, &count, NULL));
    CHECK(count == 0);
    sessionreg_monitor_free(hooks);
    end();
}

static void a_closed_monitor_is_closed_for_every_call(void) {
    begin();
    const sessionreg_status closed = SESSIONREG_STATUS_CLOSED;
    const char *const folders[1] = {folder};
    sessionreg_snapshot *snapshot = NULL;
    sessionreg_batch *batch = NULL;
    sessionreg_polled *polled = NULL;
    sessionreg_cleaned *cleaned = NULL;
    sessionreg_error *error = NULL;
    size_t count = 7;
    int fd = 7;
    sessionreg_batch *first = next_batch();
    CHECK_OK(sessionreg_monitor_close(monitor, NULL));
    CHECK_STATUS(sessionreg_monitor_close(monitor, &error), closed);
    CHECK_TEXT(sessionreg_error_message(error), "failed to use the monitor: it is closed");
    CHECK(sessionreg_error_status(error) == closed);
    sessionreg_error_free(error);
    CHECK_STATUS(sessionreg_monitor_snapshot(monitor, &snapshot, NULL), closed);
    CHECK_STATUS(sessionreg_monitor_next(monitor, -1, &batch, NULL), closed);
    CHECK_STATUS(sessionreg_monitor_next(monitor, 0, &batch, NULL), closed);
    CHECK_STATUS(sessionreg_monitor_wait(monitor, NULL, -1, &batch, NULL), closed);
    CHECK_STATUS(
        sessionreg_monitor_wait(monitor, sessionreg_batch_cursor(first).data, 0, &batch, NULL),
        closed);
    CHECK_STATUS(sessionreg_monitor_fd(monitor, &fd, NULL), closed);
    CHECK_STATUS(sessionreg_monitor_polled(monitor, &polled, NULL), closed);
    CHECK_STATUS(sessionreg_monitor_record_turn_start(monitor, &count, NULL), closed);
    CHECK_STATUS(sessionreg_monitor_clean_up(monitor, folders, 1, NULL, &cleaned, NULL), closed);
    CHECK(snapshot == NULL && batch == NULL && polled == NULL && cleaned == NULL);
    CHECK(count == 7 && fd == 7);
    /* What it gave stays. */
    CHECK(sessionreg_batch_reset(first));
    sessionreg_batch_free(first);
    end();
}

int main(int argc, char **argv) {
    CHILD_MAIN(argc);
    RUN(a_reader_gets_the_full_state_and_then_what_changed);
    RUN(a_batch_is_one_line_of_json);
    RUN(the_end_of_a_process_is_told);
    RUN(each_reader_has_a_cursor_of_its_own);
    RUN(a_cursor_of_another_monitor_gets_the_full_state);
    RUN(a_reader_goes_on_from_the_cursor_that_it_is_given);
    RUN(what_cannot_be_is_invalid_input);
    RUN(a_timeout_may_be_of_any_length);
    RUN(what_is_polled_says_so);
    RUN(cleaning_up_removes_what_is_left_over_in_the_named_folders);
    RUN(the_beginning_of_a_turn_is_recorded_once);
    RUN(a_closed_monitor_is_closed_for_every_call);
    return check_result();
}
