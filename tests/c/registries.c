/* Registries and the lists that they give. */
#include "child.h"
#include "example_registry.h"

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

static void put_in_registry(const char *name, const char *text) {
    char path[2 * PATH_ROOM];
    snprintf(path, sizeof path, "%s/%s", sessions, name);
    file_put(path, text, strlen(text));
}

static void a_folder_that_is_not_there_has_no_sessions(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    sessionreg_list *list = NULL;
    CHECK_OK(sessionreg_registry_scan(registry, &list, NULL));
    CHECK(sessionreg_list_len(list) == 0 && sessionreg_list_skipped_len(list) == 0);
    CHECK(sessionreg_list_get(list, 0) == NULL && sessionreg_list_skipped_get(list, 0) == NULL);
    CHECK(live_in(registry) == 0);
    CHECK(folder_count(folder) == 0);
    sessionreg_list_free(list);
    end();
}

static void a_registry_tells_its_folder_and_dialect(void) {
    static const sessionreg_dialect GIVEN[] = {SESSIONREG_DIALECT_DETECTED, SESSIONREG_DIALECT_OURS,
                                               SESSIONREG_DIALECT_QWEN, SESSIONREG_DIALECT_CLAUDE};
    for (size_t i = 0; i < sizeof GIVEN / sizeof *GIVEN; i++) {
        begin(GIVEN[i]);
#ifndef _WIN32
        CHECK_TEXT(sessionreg_registry_dir(registry), sessions);
#endif
        CHECK(sessionreg_registry_dialect(registry) ==
              (GIVEN[i] == SESSIONREG_DIALECT_DETECTED ? SESSIONREG_DIALECT_OURS : GIVEN[i]));
        end();
    }
}

static void an_impossible_folder_or_dialect_is_invalid_input(void) {
    sessionreg_registry *const untouched = (sessionreg_registry *)(void *)folder;
    sessionreg_registry *opened = untouched;
    sessionreg_registry_options options = SESSIONREG_REGISTRY_OPTIONS_INIT;
    const sessionreg_status invalid = SESSIONREG_STATUS_INVALID_INPUT;
    CHECK_STATUS(sessionreg_registry_open("", NULL, &opened, NULL), invalid);
    options.dialect = SESSIONREG_DIALECT_CLAUDE + 1;
    CHECK_STATUS(sessionreg_registry_open("/r", &options, &opened, NULL), invalid);
    options.dialect = UINT32_MAX;
    CHECK_STATUS(sessionreg_registry_open("/r", &options, &opened, NULL), invalid);
    options.dialect = SESSIONREG_DIALECT_OURS;
    options.struct_size--;
    CHECK_STATUS(sessionreg_registry_open("/r", &options, &opened, NULL), invalid);
    CHECK(opened == untouched);
}

static void the_users_own_registry_is_below_the_home(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    static const sessionreg_dialect DIALECTS[] = {SESSIONREG_DIALECT_DETECTED,
                                                  SESSIONREG_DIALECT_QWEN};
    home_set(folder);
    sessionreg_session *session = registered(registry, "s");
    for (size_t i = 0; i < sizeof DIALECTS / sizeof *DIALECTS; i++) {
        sessionreg_registry *own = NULL;
        sessionreg_registry_options options = SESSIONREG_REGISTRY_OPTIONS_INIT;
        options.dialect = DIALECTS[i];
        CHECK_OK(sessionreg_registry_open(NULL, &options, &own, NULL));
#ifndef _WIN32
        CHECK_TEXT(sessionreg_registry_dir(own), sessions);
#endif
        CHECK(live_in(own) == 1);
        sessionreg_registry_free(own);
    }
    close_and_free(session);
    end();
}

static void a_registered_session_is_listed_with_its_verdict(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    sessionreg_session *second = registered(registry, "b"), *first = registered(registry, "a");
    sessionreg_list *list = NULL;
    CHECK_OK(sessionreg_registry_scan(registry, &list, NULL));
    REQUIRE(sessionreg_list_len(list) == 2);
    const sessionreg_entry *entry = sessionreg_list_get(list, 0);
    const sessionreg_record *record = sessionreg_entry_record(entry);
    CHECK_TEXT(sessionreg_record_session_id(record), "a");
    CHECK_TEXT(sessionreg_record_agent(record), "qwen-code");
    CHECK(sessionreg_record_pid(record) == sessionreg_session_pid(first));
    CHECK(sessionreg_entry_verdict(entry).state == SESSIONREG_STATE_ALIVE);
    CHECK(sessionreg_entry_verdict(entry).reason == SESSIONREG_REASON_VERIFIED);
    CHECK_STRING(sessionreg_entry_path(entry).data, sessionreg_session_path(first).data);
    record = sessionreg_entry_record(sessionreg_list_get(list, 1));
    CHECK_TEXT(sessionreg_record_session_id(record), "b");
    CHECK(sessionreg_list_get(list, 2) == NULL && sessionreg_list_get(list, SIZE_MAX) == NULL);
    /* What a list says is of its time. */
    close_and_free(second);
    CHECK(sessionreg_list_len(list) == 2 && live_in(registry) == 1);
    CHECK_TEXT(sessionreg_record_session_id(record), "b");
    sessionreg_list_free(list);
    close_and_free(first);
    end();
}

static void a_copy_of_an_entry_outlives_its_list(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    sessionreg_session *session = registered(registry, "a");
    sessionreg_record *copy = record_of(registry, "a");
    sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
    fields.name = "changed";
    CHECK_TEXT(sessionreg_record_session_id(copy), "a");
    CHECK_OK(sessionreg_record_set(copy, &fields, NULL));
    CHECK_TEXT(sessionreg_record_name(copy), "changed");
    sessionreg_record *again = record_of(registry, "a");
    CHECK_ABSENT(sessionreg_record_name(again));
    sessionreg_record_free(copy);
    sessionreg_record_free(again);
    close_and_free(session);
    end();
}

static void one_bad_file_hides_nothing(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    sessionreg_session *session = registered(registry, "a");
    sessionreg_list *list = NULL;
    char path[2 * PATH_ROOM];
    put_in_registry("7-0000000a.json", "{");
    put_in_registry("8-0000000b.json", "{\"schemaVersion\": 2}");
    put_in_registry("notes.md", "somebody else's");
    CHECK_OK(sessionreg_registry_scan(registry, &list, NULL));
    CHECK(sessionreg_list_len(list) == 1);
    REQUIRE(sessionreg_list_skipped_len(list) == 2);
    const sessionreg_skipped *skipped = sessionreg_list_skipped_get(list, 0);
    snprintf(path, sizeof path, "%s/7-0000000a.json", sessions);
#ifndef _WIN32
    CHECK_TEXT(sessionreg_skipped_path(skipped), path);
#endif
    CHECK(sessionreg_skipped_status(skipped) == SESSIONREG_STATUS_CORRUPT);
    CHECK(sessionreg_skipped_reason(skipped).length > 0);
    skipped = sessionreg_list_skipped_get(list, 1);
    CHECK(sessionreg_skipped_status(skipped) == SESSIONREG_STATUS_UNSUPPORTED_VERSION);
    CHECK(sessionreg_list_skipped_get(list, 2) == NULL);
    sessionreg_list_free(list);
    close_and_free(session);
    end();
}

/* How many a question finds, and that they are of session `id`. */
static size_t found(sessionreg_status status, sessionreg_list **list, const char *id) {
    size_t count = sessionreg_list_len(*list);
    CHECK(status == SESSIONREG_STATUS_OK);
    CHECK(sessionreg_list_skipped_len(*list) == 0);
    for (size_t i = 0; i < count; i++)
        CHECK_TEXT(
            sessionreg_record_session_id(sessionreg_entry_record(sessionreg_list_get(*list, i))),
            id);
    sessionreg_list_free(*list);
    *list = NULL;
    return count;
}

#define FOUND(function, what, id) found(function(registry, what, &list, NULL), &list, id)

static void each_question_finds_its_sessions(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    child process;
    sessionreg_list *list = NULL;
    REQUIRE(child_start(&process));
    sessionreg_session *own = registered(registry, "own"), *other = NULL;
    sessionreg_new made = new_session("child");
    made.pid = child_pid(&process);
    made.work_dir = ROOT "/srv/other";
    CHECK_OK(sessionreg_registry_register(registry, &made, &other, NULL));
    const uint32_t self = sessionreg_session_pid(own);

    CHECK(FOUND(sessionreg_registry_find_by_pid, self, "own") == 1);
    CHECK(FOUND(sessionreg_registry_find_by_pid, made.pid, "child") == 1);
    CHECK(FOUND(sessionreg_registry_find_by_session, "own", "own") == 1);
    CHECK(FOUND(sessionreg_registry_find_by_session, "ow", "") == 0);
    CHECK(FOUND(sessionreg_registry_find_by_work_dir, ROOT "/srv/other", "child") == 1);
    CHECK(FOUND(sessionreg_registry_find_by_work_dir, ROOT "/srv", "") == 0);
    CHECK(FOUND(sessionreg_registry_owner_of, made.pid, "child") == 1);
    CHECK(FOUND(sessionreg_registry_find_under, made.pid, "child") == 1);
    CHECK_OK(sessionreg_registry_find_under(registry, self, &list, NULL));
    CHECK(sessionreg_list_len(list) == 2);
    sessionreg_list_free(list);

    child_end(&process);
    CHECK(FOUND(sessionreg_registry_find_by_session, "child", "child") == 1);
    CHECK(FOUND(sessionreg_registry_find_under, made.pid, "") == 0);
    CHECK_OK(sessionreg_registry_live(registry, &list, NULL));
    CHECK(found(SESSIONREG_STATUS_OK, &list, "own") == 1);
    CHECK(live_in(registry) == 1);
    close_and_free(own);
    sessionreg_session_free(other);
    end();
}

static void the_owner_of_a_child_is_the_session_that_started_it(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    child process;
    sessionreg_list *list = NULL;
    sessionreg_session *own = registered(registry, "own");
    REQUIRE(child_start(&process));
    CHECK(FOUND(sessionreg_registry_owner_of, child_pid(&process), "own") == 1);
    CHECK(FOUND(sessionreg_registry_find_by_pid, child_pid(&process), "") == 0);
    child_end(&process);
    CHECK(FOUND(sessionreg_registry_owner_of, child_pid(&process), "") == 0);
    close_and_free(own);
    end();
}

static void a_dialect_decides_how_a_file_is_called(void) {
    begin(SESSIONREG_DIALECT_CLAUDE);
    char name[64];
    sessionreg_session *session = registered(registry, "a");
    snprintf(name, sizeof name, "%lu.json", (unsigned long)sessionreg_session_pid(session));
    sessionreg_text path = sessionreg_session_path(session);
    REQUIRE(path.length > strlen(name));
    CHECK_STRING(path.data + path.length - strlen(name), name);
    CHECK(live_in(registry) == 1);
    close_and_free(session);
    end();
}

static void text_that_is_not_utf8_is_invalid_input(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    const sessionreg_status invalid = SESSIONREG_STATUS_INVALID_INPUT;
    sessionreg_list *list = NULL;
    sessionreg_session *session = NULL;
    CHECK_STATUS(sessionreg_registry_find_by_session(registry, "\xff", &list, NULL), invalid);
    CHECK_STATUS(sessionreg_registry_find_by_work_dir(registry, "\xff", &list, NULL), invalid);
    CHECK_STATUS(sessionreg_registry_open_session(registry, "\xff", &session, NULL), invalid);
    CHECK(list == NULL && session == NULL);
    end();
}

static void a_closed_registry_is_closed_for_every_call(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    const sessionreg_status closed = SESSIONREG_STATUS_CLOSED;
    sessionreg_session *session = registered(registry, "a"), *other = NULL;
    sessionreg_new made = new_session("b");
    sessionreg_list *list = NULL;
    sessionreg_swept *swept = NULL;
    sessionreg_claim *claim = NULL;
    sessionreg_error *error = NULL;
    size_t count = 7;
    home_set(folder);
    CHECK_OK(sessionreg_registry_close(registry, NULL));
    CHECK_STATUS(sessionreg_registry_close(registry, &error), closed);
    CHECK_TEXT(sessionreg_error_message(error), "failed to use the registry: it is closed");
    CHECK(sessionreg_error_status(error) == closed);
    sessionreg_error_free(error);
    CHECK_STATUS(sessionreg_registry_scan(registry, &list, NULL), closed);
    CHECK_STATUS(sessionreg_registry_live(registry, &list, NULL), closed);
    CHECK_STATUS(sessionreg_registry_count_live(registry, &count, NULL), closed);
    CHECK_STATUS(sessionreg_registry_find_by_pid(registry, 1, &list, NULL), closed);
    CHECK_STATUS(sessionreg_registry_find_by_session(registry, "a", &list, NULL), closed);
    CHECK_STATUS(sessionreg_registry_find_by_work_dir(registry, "/", &list, NULL), closed);
    CHECK_STATUS(sessionreg_registry_owner_of(registry, 1, &list, NULL), closed);
    CHECK_STATUS(sessionreg_registry_find_under(registry, 1, &list, NULL), closed);
    CHECK_STATUS(sessionreg_registry_register(registry, &made, &other, NULL), closed);
    CHECK_STATUS(sessionreg_registry_open_session(registry, "a", &other, NULL), closed);
    CHECK_STATUS(sessionreg_registry_open_session_of_pid(registry, 1, &other, NULL), closed);
    CHECK_STATUS(sessionreg_registry_sweep(registry, NULL, &swept, NULL), closed);
    CHECK_STATUS(sessionreg_registry_claim(registry, "a", "b", &claim, NULL), closed);
    CHECK(list == NULL && other == NULL && swept == NULL && claim == NULL && count == 7);
    /* What it is can still be asked, and its session goes on. */
    CHECK(sessionreg_registry_dir(registry).length > 0);
    CHECK(folder_count(folder) == 1 && folder_count(sessions) == 1);
    CHECK_OK(sessionreg_session_update(session, "{\"status\": \"busy\"}", NULL));
    close_and_free(session);
    CHECK(folder_count(sessions) == 0);
    end();
}

static void freeing_a_registry_leaves_its_sessions(void) {
    begin(SESSIONREG_DIALECT_DETECTED);
    sessionreg_session *session = registered(registry, "a");
    sessionreg_registry_free(registry);
    CHECK(folder_count(sessions) == 1);
    CHECK_OK(sessionreg_session_update(session, "{\"status\": \"busy\"}", NULL));
    registry = registry_in(sessions, SESSIONREG_DIALECT_OURS);
    CHECK(live_in(registry) == 1);
    close_and_free(session);
    end();
}

int main(int argc, char **argv) {
    CHILD_MAIN(argc);
    RUN(a_folder_that_is_not_there_has_no_sessions);
    RUN(a_registry_tells_its_folder_and_dialect);
    RUN(an_impossible_folder_or_dialect_is_invalid_input);
    RUN(the_users_own_registry_is_below_the_home);
    RUN(a_registered_session_is_listed_with_its_verdict);
    RUN(a_copy_of_an_entry_outlives_its_list);
    RUN(one_bad_file_hides_nothing);
    RUN(each_question_finds_its_sessions);
    RUN(the_owner_of_a_child_is_the_session_that_started_it);
    RUN(a_dialect_decides_how_a_file_is_called);
    RUN(text_that_is_not_utf8_is_invalid_input);
    RUN(a_closed_registry_is_closed_for_every_call);
    RUN(freeing_a_registry_leaves_its_sessions);
    return check_result();
}
