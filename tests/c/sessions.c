/* Sessions: registered, changed, switched, left, closed, and told of failures. */
#include "child.h"
#include "example_registry.h"
#include <math.h>

static char folder[PATH_ROOM], sessions[PATH_ROOM + 32];
static sessionreg_registry *registry;

static void begin(sessionreg_dialect dialect) {
    folder_make(folder);
    snprintf(sessions, sizeof sessions, "%s/sessions", folder);
    registry = registry_in(sessions, dialect);
}

static void end(void) {
    sessionreg_registry_free(registry);
    folder_remove(folder);
}

static void close_and_free(sessionreg_session *session) {
    CHECK_OK(sessionreg_session_close(session, NULL));
    sessionreg_session_free(session);
}

/* The template of a sidecar in the folder of the test. */
static const char *template(void) {
    static char path[PATH_ROOM + 64];
    snprintf(path, sizeof path, "%s/chats/{id}.runtime.json", folder);
    return path;
}

static const char *sidecar_of(const char *id) {
    static char path[PATH_ROOM + 64];
    snprintf(path, sizeof path, "%s/chats/%s.runtime.json", folder, id);
    return path;
}

static void what_is_given_is_registered(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    sessionreg_session *session = NULL;
    sessionreg_record *record = NULL;
    char *json = NULL;
    sessionreg_new made = SESSIONREG_NEW_INIT;
    made.session_id = "s\xc3\xa9";
    made.work_dir = ROOT "/w";
    made.agent = "codex";
    made.agent_version = "1.2";
    made.kind = "headless";
    made.name = "n";
    made.entrypoint = "cli";
    made.status = "idle";
    made.transcript_path = "/t.jsonl";
    made.parent_session_id = "p";
    made.terminal_multiplexer = "tmux";
    made.terminal_session = "work";
    made.terminal_pane = "%3";
    made.extra_json = "{\"x\": [1.0]}";
    CHECK_OK(sessionreg_registry_register(registry, &made, &session, NULL));
    CHECK(sessionreg_session_registered(session));
    record = record_of(registry, "s\xc3\xa9");
    CHECK_TEXT(sessionreg_record_work_dir(record), ROOT "/w");
    CHECK_TEXT(sessionreg_record_agent(record), "codex");
    CHECK_TEXT(sessionreg_record_agent_version(record), "1.2");
    CHECK_TEXT(sessionreg_record_kind(record), "headless");
    CHECK_TEXT(sessionreg_record_name(record), "n");
    CHECK_TEXT(sessionreg_record_entrypoint(record), "cli");
    CHECK_TEXT(sessionreg_record_status(record), "idle");
    CHECK_TEXT(sessionreg_record_transcript_path(record), "/t.jsonl");
    CHECK_TEXT(sessionreg_record_parent_session_id(record), "p");
    CHECK_TEXT(sessionreg_record_terminal_multiplexer(record), "tmux");
    CHECK_TEXT(sessionreg_record_terminal_session(record), "work");
    CHECK_TEXT(sessionreg_record_terminal_pane(record), "%3");
    CHECK_OK(sessionreg_record_extra_get(record, "x", &json, NULL));
    CHECK_STRING(json, "[1.0]");
    CHECK(sessionreg_record_extra_count(record) == 1);
    CHECK(sessionreg_record_updated_at(record) >= sessionreg_record_started_at(record));
    CHECK(!isnan(sessionreg_record_status_updated_at(record)));
    sessionreg_string_free(json);
    sessionreg_record_free(record);
    close_and_free(session);
    end();
}

static void a_session_tells_what_it_is(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    sessionreg_session *session = registered(registry, "a");
    sessionreg_record *record = NULL, *listed = record_of(registry, "a");
    sessionreg_holder *holder = NULL;
    char *sidecar = NULL;
    CHECK_OK(sessionreg_session_record(session, &record, NULL));
    CHECK(sessionreg_record_equal(record, listed));
    CHECK(sessionreg_session_pid(session) == sessionreg_record_pid(record));
    CHECK(is_there(sessionreg_session_path(session).data));
    CHECK_OK(sessionreg_session_sidecar_path(session, &sidecar, NULL));
    CHECK(sidecar == NULL);
    CHECK_OK(sessionreg_session_sidecar_holder(session, &holder, NULL));
    CHECK(holder == NULL);
    CHECK_OK(sessionreg_session_pid_file_holder(session, &holder, NULL));
    CHECK(holder == NULL);
    sessionreg_record_free(record);
    sessionreg_record_free(listed);
    close_and_free(session);
    end();
}

static void an_update_is_seen_by_everybody(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    sessionreg_session *session = registered(registry, "a");
    CHECK_OK(sessionreg_session_update(
        session, "{\"status\": \"waiting\", \"waiting_for\": \"approval\", \"x\": {\"y\": 1}}",
        NULL));
    sessionreg_record *record = record_of(registry, "a");
    CHECK_TEXT(sessionreg_record_status(record), "waiting");
    CHECK_TEXT(sessionreg_record_waiting_for(record), "approval");
    CHECK(sessionreg_record_status_updated_at(record) == sessionreg_record_updated_at(record));
    CHECK(sessionreg_record_extra_count(record) == 1);
    sessionreg_record_free(record);
    CHECK_OK(sessionreg_session_update(session, "{\"status\": \"idle\", \"x\": null}", NULL));
    record = record_of(registry, "a");
    CHECK_TEXT(sessionreg_record_status(record), "idle");
    CHECK_ABSENT(sessionreg_record_waiting_for(record));
    CHECK(sessionreg_record_extra_count(record) == 0);
    CHECK(sessionreg_record_revision(record) == 3);
    sessionreg_record_free(record);
    close_and_free(session);
    end();
}

static void a_patch_that_cannot_be_changes_nothing(void) {
    static const char *const PATCHES[] = {
        "", "{", "[]", "1", "{\"pid\": 1}", "{\"status\": 1}", "{\"name\": \"\xff\"}", "{} {}"};
    begin(SESSIONREG_DIALECT_DETECTED);
    sessionreg_session *session = registered(registry, "a");
    sessionreg_record *before = record_of(registry, "a"), *after = NULL;
    for (size_t i = 0; i < sizeof PATCHES / sizeof *PATCHES; i++) {
        const sessionreg_status invalid = SESSIONREG_STATUS_INVALID_INPUT;
        CHECK_STATUS(sessionreg_session_update(session, PATCHES[i], NULL), invalid);
        CHECK_STATUS(sessionreg_session_switch(session, "b", PATCHES[i], NULL), invalid);
    }
    CHECK_STATUS(sessionreg_session_switch(session, "\xff", NULL, NULL),
                 SESSIONREG_STATUS_INVALID_INPUT);
    after = record_of(registry, "a");
    CHECK(sessionreg_record_equal(before, after));
    sessionreg_record_free(before);
    sessionreg_record_free(after);
    close_and_free(session);
    end();
}

static void a_switch_takes_the_sidecar_along(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    sessionreg_session *session = NULL;
    sessionreg_new made = new_session("a");
    char *sidecar = NULL;
    made.sidecar = template();
    made.name = "n";
    made.status = "busy";
    CHECK_OK(sessionreg_registry_register(registry, &made, &session, NULL));
    CHECK(is_there(sidecar_of("a")));
    CHECK_OK(sessionreg_session_switch(session, "b", NULL, NULL));
    CHECK(!is_there(sidecar_of("a")) && is_there(sidecar_of("b")));
    sessionreg_record *record = record_of(registry, "b");
    CHECK(record_of(registry, "a") == NULL);
    CHECK_ABSENT(sessionreg_record_name(record));
    CHECK_ABSENT(sessionreg_record_status(record));
    sessionreg_record_free(record);
    CHECK_OK(sessionreg_session_switch(session, "c", "{\"status\": \"idle\"}", NULL));
    record = record_of(registry, "c");
    CHECK_TEXT(sessionreg_record_status(record), "idle");
    sessionreg_record_free(record);
    CHECK_OK(sessionreg_session_sidecar_path(session, &sidecar, NULL));
#ifndef _WIN32
    CHECK_STRING(sidecar, sidecar_of("c"));
#endif
    CHECK(is_there(sidecar));
    sessionreg_string_free(sidecar);
    /* An id that cannot be part of the sidecar's path. */
    CHECK_STATUS(sessionreg_session_switch(session, "../d", NULL, NULL),
                 SESSIONREG_STATUS_INVALID_ID);
    CHECK(is_there(sidecar_of("c")));
    close_and_free(session);
    CHECK(folder_count(sessions) == 0 && !is_there(sidecar_of("c")));
    end();
}

static void a_sidecar_may_stay(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    sessionreg_session *session = NULL;
    sessionreg_new made = new_session("a");
    made.sidecar = template();
    made.keep_sidecar = true;
    CHECK_OK(sessionreg_registry_register(registry, &made, &session, NULL));
    close_and_free(session);
    CHECK(folder_count(sessions) == 0 && is_there(sidecar_of("a")));
    end();
}

static void a_session_may_have_a_sidecar_alone(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    sessionreg_session *session = NULL;
    sessionreg_record *record = NULL;
    sessionreg_new made = new_session("a");
    made.pid_file = false;
    CHECK_STATUS(sessionreg_registry_register(registry, &made, &session, NULL),
                 SESSIONREG_STATUS_INVALID_INPUT);
    CHECK(session == NULL);
    made.sidecar = template();
    made.status = "busy";
    CHECK_OK(sessionreg_registry_register(registry, &made, &session, NULL));
    CHECK_ABSENT(sessionreg_session_path(session));
    CHECK(live_in(registry) == 0);
    CHECK_OK(sessionreg_load(sidecar_of("a"), &record, NULL));
    CHECK_TEXT(sessionreg_record_status(record), "busy");
    sessionreg_record_free(record);
    close_and_free(session);
    CHECK(!is_there(sidecar_of("a")));
    end();
}

/* As in C: a program in another language may well leave one in which any bit is set. */
static void an_option_of_any_byte_but_0_is_true(void) {
    static const unsigned char BYTES[] = {1, 2, 0x80, 0xff};
    begin(SESSIONREG_DIALECT_DETECTED);
    for (size_t i = 0; i < sizeof BYTES; i++) {
        sessionreg_session *session = NULL;
        sessionreg_new made = new_session("a");
        memset(&made.pid_file, BYTES[i], 1);
        memset(&made.keep_sidecar, BYTES[i], 1);
        CHECK_OK(sessionreg_registry_register(registry, &made, &session, NULL));
        CHECK(live_in(registry) == 1);
        close_and_free(session);
    }
    end();
}

static void a_closed_session_is_gone_and_stays_closed(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    const sessionreg_status closed = SESSIONREG_STATUS_CLOSED;
    sessionreg_session *session = registered(registry, "a");
    sessionreg_record *record = NULL;
    CHECK_OK(sessionreg_session_close(session, NULL));
    CHECK(folder_count(sessions) == 0 && !sessionreg_session_registered(session));
    CHECK_STATUS(sessionreg_session_close(session, NULL), closed);
    CHECK_STATUS(sessionreg_session_leave(session, NULL), closed);
    CHECK_STATUS(sessionreg_session_update(session, "{}", NULL), closed);
    CHECK_STATUS(sessionreg_session_switch(session, "b", NULL, NULL), closed);
    CHECK_STATUS(sessionreg_session_refresh(session, NULL), closed);
    CHECK(folder_count(sessions) == 0);
    /* What it was can still be asked. */
    CHECK_OK(sessionreg_session_record(session, &record, NULL));
    CHECK_TEXT(sessionreg_record_session_id(record), "a");
    sessionreg_record_free(record);
    sessionreg_session_free(session);
    end();
}

static void a_session_that_was_left_keeps_its_record(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    sessionreg_session *session = registered(registry, "a");
    CHECK_OK(sessionreg_session_leave(session, NULL));
    CHECK(!sessionreg_session_registered(session) && live_in(registry) == 1);
    CHECK_STATUS(sessionreg_session_close(session, NULL), SESSIONREG_STATUS_CLOSED);
    sessionreg_session_free(session);
    CHECK(live_in(registry) == 1);
    end();
}

static void freeing_a_session_leaves_its_record(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    sessionreg_session *session = NULL;
    sessionreg_new made = new_session("a");
    made.sidecar = template();
    CHECK_OK(sessionreg_registry_register(registry, &made, &session, NULL));
    sessionreg_session_free(session);
    CHECK(live_in(registry) == 1 && is_there(sidecar_of("a")));
    end();
}

static void a_removed_or_damaged_record_is_put_back(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    sessionreg_session *session = registered(registry, "a");
    const char *path = sessionreg_session_path(session).data;
    CHECK(remove(path) == 0 && live_in(registry) == 0);
    CHECK_OK(sessionreg_session_refresh(session, NULL));
    CHECK(live_in(registry) == 1);
    file_put(path, "{", 1);
    CHECK(live_in(registry) == 0);
    CHECK_OK(sessionreg_session_refresh(session, NULL));
    CHECK(live_in(registry) == 1);
    close_and_free(session);
    end();
}

static void a_helper_changes_a_session_and_never_ends_it(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    sessionreg_session *session = registered(registry, "a"), *by_id = NULL, *by_pid = NULL;
    CHECK_OK(sessionreg_registry_open_session(registry, "a", &by_id, NULL));
    CHECK_OK(sessionreg_registry_open_session_of_pid(registry, sessionreg_session_pid(session),
                                                     &by_pid, NULL));
    CHECK_OK(sessionreg_session_update(by_id, "{\"status\": \"waiting\"}", NULL));
    CHECK_OK(sessionreg_session_update(by_pid, "{\"waiting_for\": \"you\"}", NULL));
    CHECK_OK(sessionreg_session_update(session, "{\"name\": \"n\"}", NULL));
    sessionreg_record *record = record_of(registry, "a");
    CHECK_TEXT(sessionreg_record_status(record), "waiting");
    CHECK_TEXT(sessionreg_record_waiting_for(record), "you");
    CHECK_TEXT(sessionreg_record_name(record), "n");
    sessionreg_record_free(record);
    close_and_free(by_id);
    sessionreg_session_free(by_pid);
    CHECK(live_in(registry) == 1);
    close_and_free(session);
    end();
}

static void a_helper_is_told_why_there_is_no_session(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    sessionreg_session *first = registered(registry, "a"), *second = registered(registry, "b");
    sessionreg_session *untouched = first, *found = untouched;
    CHECK_STATUS(sessionreg_registry_open_session(registry, "c", &found, NULL),
                 SESSIONREG_STATUS_NOT_FOUND);
    CHECK_STATUS(sessionreg_registry_open_session_of_pid(registry, 0, &found, NULL),
                 SESSIONREG_STATUS_NOT_FOUND);
    CHECK_STATUS(sessionreg_registry_open_session_of_pid(registry, sessionreg_session_pid(first),
                                                         &found, NULL),
                 SESSIONREG_STATUS_INVALID_INPUT);
    CHECK(found == untouched);
    close_and_free(first);
    close_and_free(second);
    end();
}

static void the_holder_of_a_sidecar_is_named_and_left_alone(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    child process;
    sessionreg_session *session = NULL;
    sessionreg_record *theirs = NULL, *left = NULL;
    sessionreg_holder *holder = NULL;
    sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
    sessionreg_new made = new_session("a");
    char *sidecar = NULL;
    REQUIRE(child_start(&process));
    fields.pid = child_pid(&process);
    fields.session_id = "a";
    fields.work_dir = ROOT "/w";
    CHECK_OK(sessionreg_record_of_process(&fields, &theirs, NULL));
    CHECK_OK(sessionreg_write(sidecar_of("a"), theirs, NULL, NULL));
    made.sidecar = template();
    CHECK_OK(sessionreg_registry_register(registry, &made, &session, NULL));
    CHECK_OK(sessionreg_session_sidecar_path(session, &sidecar, NULL));
    CHECK(sidecar == NULL);
    CHECK_OK(sessionreg_session_sidecar_holder(session, &holder, NULL));
    CHECK(sessionreg_holder_pid(holder) == fields.pid);
    CHECK_TEXT(sessionreg_holder_session_id(holder), "a");
    CHECK_STRING(sessionreg_holder_host(holder).data, sessionreg_record_hostname(theirs).data);
#ifndef _WIN32
    CHECK_TEXT(sessionreg_holder_path(holder), sidecar_of("a"));
#endif
    sessionreg_holder_free(holder);
    holder = NULL;
    CHECK_OK(sessionreg_load(sidecar_of("a"), &left, NULL));
    CHECK(sessionreg_record_equal(left, theirs));
    sessionreg_record_free(left);
    /* The name is free when its holder is dead. */
    child_end(&process);
    CHECK_OK(sessionreg_session_refresh(session, NULL));
    CHECK_OK(sessionreg_session_sidecar_holder(session, &holder, NULL));
    CHECK(holder == NULL);
    CHECK_OK(sessionreg_session_sidecar_path(session, &sidecar, NULL));
    CHECK(is_there(sidecar));
    sessionreg_string_free(sidecar);
    sessionreg_record_free(theirs);
    close_and_free(session);
    end();
}

static void a_process_has_one_session_where_it_has_one_file(void) {
    begin(SESSIONREG_DIALECT_CLAUDE);
    sessionreg_session *session = registered(registry, "a"), *second = NULL;
    sessionreg_new made = new_session("b");
    CHECK_STATUS(sessionreg_registry_register(registry, &made, &second, NULL),
                 SESSIONREG_STATUS_INVALID_INPUT);
    CHECK(second == NULL);
    close_and_free(session);
    CHECK_OK(sessionreg_registry_register(registry, &made, &second, NULL));
    close_and_free(second);
    end();
}

/* Every call of a session that is not registered says so, and does nothing. */
static void check_inert(sessionreg_session *session) {
    const sessionreg_status not_found = SESSIONREG_STATUS_NOT_FOUND;
    sessionreg_error *error = NULL;
    CHECK(!sessionreg_session_registered(session));
    CHECK_ABSENT(sessionreg_session_path(session));
    CHECK_STATUS(sessionreg_session_update(session, "{}", &error), not_found);
    CHECK_TEXT(sessionreg_error_message(error),
               "failed to change the session: it is not registered");
    sessionreg_error_free(error);
    CHECK_STATUS(sessionreg_session_switch(session, "b", NULL, NULL), not_found);
    CHECK_STATUS(sessionreg_session_refresh(session, NULL), not_found);
    CHECK_STATUS(sessionreg_session_close(session, NULL), not_found);
    CHECK_STATUS(sessionreg_session_close(session, NULL), SESSIONREG_STATUS_CLOSED);
}

static void the_holder_of_a_pid_file_is_named_and_left_alone(void) {
    begin(SESSIONREG_DIALECT_CLAUDE);
    char path[2 * PATH_ROOM];
    size_t length = 0;
    sessionreg_holder *holder = NULL;
    sessionreg_session *session = registered(registry, "a");
    snprintf(path, sizeof path, "%s", sessionreg_session_path(session).data);
    close_and_free(session);
    file_put(path, "no record", 9);
    session = registered(registry, "a");
    CHECK_OK(sessionreg_session_pid_file_holder(session, &holder, NULL));
    CHECK_TEXT(sessionreg_holder_path(holder), path);
    CHECK(sessionreg_holder_pid(holder) == 0);
    CHECK_ABSENT(sessionreg_holder_session_id(holder));
    CHECK_ABSENT(sessionreg_holder_host(holder));
    sessionreg_holder_free(holder);
    check_inert(session);
    sessionreg_session_free(session);
    char *bytes = file_get(path, &length);
    CHECK_STRING(bytes, "no record");
    free(bytes);
    end();
}

/* What `on_error` was told. */
typedef struct {
    int calls;
    sessionreg_status last;
    sessionreg_session *session;
} told;

static void note(void *context, const sessionreg_error *error) {
    told *to = context;
    to->calls++;
    to->last = sessionreg_error_status(error);
    CHECK(sessionreg_error_message(error).length > 0);
    /* It may use the session that failed. */
    if (to->session != NULL && to->last == SESSIONREG_STATUS_INVALID_INPUT)
        CHECK_OK(sessionreg_session_refresh(to->session, NULL));
}

static void a_session_that_cannot_be_registered_is_told_of_and_does_nothing(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    told to = {0, SESSIONREG_STATUS_OK, NULL};
    sessionreg_session *session = NULL;
    sessionreg_record *record = NULL;
    sessionreg_error *error = NULL;
    sessionreg_new made = new_session("a");
    /* No folder can be where a file is. */
    file_put(sessions, "", 0);
    CHECK(sessionreg_registry_register(registry, &made, &session, NULL) != SESSIONREG_STATUS_OK);
    CHECK(session == NULL);
    made.on_error = note;
    made.on_error_context = &to;
    CHECK_OK(sessionreg_registry_register(registry, &made, &session, &error));
    CHECK(error == NULL && to.calls == 1 && to.last != SESSIONREG_STATUS_OK);
    REQUIRE(session != NULL);
    CHECK_OK(sessionreg_session_record(session, &record, NULL));
    CHECK_TEXT(sessionreg_record_session_id(record), "a");
    sessionreg_record_free(record);
    /* It was told why once. */
    check_inert(session);
    CHECK(to.calls == 2 && to.last == SESSIONREG_STATUS_CLOSED);
    sessionreg_session_free(session);
    end();
}

static void every_failure_of_a_session_is_told(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    told to = {0, SESSIONREG_STATUS_OK, NULL};
    sessionreg_session *session = NULL;
    sessionreg_error *error = NULL;
    sessionreg_new made = new_session("a");
    made.on_error = note;
    made.on_error_context = &to;
    CHECK_OK(sessionreg_registry_register(registry, &made, &session, NULL));
    to.session = session;
    CHECK_OK(sessionreg_session_update(session, "{\"status\": \"busy\"}", NULL));
    CHECK(to.calls == 0);
    CHECK_STATUS(sessionreg_session_update(session, "{", &error), SESSIONREG_STATUS_INVALID_INPUT);
    CHECK(to.calls == 1 && to.last == SESSIONREG_STATUS_INVALID_INPUT);
    CHECK(sessionreg_error_status(error) == SESSIONREG_STATUS_INVALID_INPUT);
    sessionreg_error_free(error);
    CHECK_STATUS(sessionreg_session_update(session, "{\"kind\": \"NO KIND\"}", NULL),
                 SESSIONREG_STATUS_INVALID_INPUT);
    CHECK(to.calls == 2);
    CHECK_OK(sessionreg_session_close(session, NULL));
    CHECK_STATUS(sessionreg_session_close(session, NULL), SESSIONREG_STATUS_CLOSED);
    CHECK(to.calls == 3 && to.last == SESSIONREG_STATUS_CLOSED);
    sessionreg_session_free(session);
    end();
}

static void what_cannot_be_read_is_told_and_registers_nothing(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    told to = {0, SESSIONREG_STATUS_OK, NULL};
    const sessionreg_status invalid = SESSIONREG_STATUS_INVALID_INPUT;
    sessionreg_session *session = NULL;
    sessionreg_new made = new_session("a");
    made.on_error = note;
    made.on_error_context = &to;
    made.work_dir = "/\xff";
    CHECK_STATUS(sessionreg_registry_register(registry, &made, &session, NULL), invalid);
    CHECK(to.calls == 1 && to.last == invalid);
    made.work_dir = ROOT "/w";
    made.extra_json = "[]";
    CHECK_STATUS(sessionreg_registry_register(registry, &made, &session, NULL), invalid);
    CHECK(to.calls == 2);
    made.extra_json = NULL;
    made.session_id = NULL;
    CHECK_STATUS(sessionreg_registry_register(registry, &made, &session, NULL), invalid);
    CHECK(to.calls == 3);
    made.session_id = "a";
    made.struct_size++;
    CHECK_STATUS(sessionreg_registry_register(registry, &made, &session, NULL), invalid);
    CHECK(to.calls == 3 && session == NULL && folder_count(folder) == 0);
    end();
}

static void the_record_of_another_process_is_not_removed(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    child process;
    sessionreg_session *session = NULL;
    sessionreg_new made = new_session("a");
    REQUIRE(child_start(&process));
    made.pid = child_pid(&process);
    CHECK_OK(sessionreg_registry_register(registry, &made, &session, NULL));
    CHECK(sessionreg_session_pid(session) == made.pid && live_in(registry) == 1);
    close_and_free(session);
    CHECK(live_in(registry) == 1);
    child_end(&process);
    CHECK(live_in(registry) == 0 && folder_count(sessions) == 1);
    end();
}

int main(int argc, char **argv) {
    CHILD_MAIN(argc);
    RUN(what_is_given_is_registered);
    RUN(a_session_tells_what_it_is);
    RUN(an_update_is_seen_by_everybody);
    RUN(a_patch_that_cannot_be_changes_nothing);
    RUN(a_switch_takes_the_sidecar_along);
    RUN(a_sidecar_may_stay);
    RUN(a_session_may_have_a_sidecar_alone);
    RUN(an_option_of_any_byte_but_0_is_true);
    RUN(a_closed_session_is_gone_and_stays_closed);
    RUN(a_session_that_was_left_keeps_its_record);
    RUN(freeing_a_session_leaves_its_record);
    RUN(a_removed_or_damaged_record_is_put_back);
    RUN(a_helper_changes_a_session_and_never_ends_it);
    RUN(a_helper_is_told_why_there_is_no_session);
    RUN(the_holder_of_a_sidecar_is_named_and_left_alone);
    RUN(a_process_has_one_session_where_it_has_one_file);
    RUN(the_holder_of_a_pid_file_is_named_and_left_alone);
    RUN(a_session_that_cannot_be_registered_is_told_of_and_does_nothing);
    RUN(every_failure_of_a_session_is_told);
    RUN(what_cannot_be_read_is_told_and_registers_nothing);
    RUN(the_record_of_another_process_is_not_removed);
    return check_result();
}
