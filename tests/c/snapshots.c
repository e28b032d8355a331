/* Snapshots: the sessions of several programs, and what each of them says. */
#include "child.h"
#include "example_monitor.h"
#include <math.h>

static char folder[PATH_ROOM], sessions[PATH_ROOM + 32];
static sessionreg_registry *registry;

static void begin(void) {
    folder_make(folder);
    snprintf(sessions, sizeof sessions, "%s/sessions", folder);
    registry = registry_in(sessions, SESSIONREG_DIALECT_OURS);
}

static void end(void) {
    sessionreg_registry_free(registry);
    folder_remove(folder);
}

static sessionreg_snapshot *taken(const sessionreg_sources *sources) {
    sessionreg_snapshot *snapshot = NULL;
    CHECK_OK(sessionreg_snapshot_take(sources, &snapshot, NULL));
    return snapshot;
}

/* How many sessions of that id are found. */
static size_t found(const sessionreg_sources *sources, const char *session_id) {
    sessionreg_snapshot *snapshot = taken(sources);
    sessionreg_agent_sessions *list = NULL;
    CHECK_OK(sessionreg_snapshot_find_by_session(snapshot, session_id, &list, NULL));
    const size_t count = sessionreg_agent_sessions_len(list);
    sessionreg_agent_sessions_free(list);
    sessionreg_snapshot_free(snapshot);
    return count;
}

static void without_a_source_there_is_nothing(void) {
    sessionreg_sources *sources = NULL;
    char *json = NULL;
    CHECK_OK(sessionreg_sources_none(&sources, NULL));
    sessionreg_snapshot *snapshot = taken(sources);
    CHECK(sessionreg_snapshot_len(snapshot) == 0 && sessionreg_snapshot_get(snapshot, 0) == NULL);
    CHECK(sessionreg_snapshot_skipped_len(snapshot) == 0);
    CHECK(sessionreg_snapshot_dead_before(snapshot) == 0);
    CHECK(sessionreg_snapshot_count_live(snapshot) == 0);
    CHECK(sessionreg_snapshot_taken_at(snapshot) > 1763690000);
    CHECK_ABSENT(sessionreg_snapshot_cursor(snapshot));
    CHECK_OK(sessionreg_snapshot_to_json(snapshot, &json, NULL));
    CHECK(json != NULL && strstr(json, "\"sessions\":[]") != NULL && strchr(json, '\n') == NULL);
    sessionreg_string_free(json);
    sessionreg_snapshot_free(snapshot);
    sessionreg_sources_free(sources);
}

static void a_folder_is_looked_at_as_long_as_it_is_named(void) {
    begin();
    sessionreg_session *session = registered(registry, "a");
    sessionreg_sources *sources = sources_in(SESSIONREG_SOURCE_CODEX, sessions);
    CHECK(found(sources, "a") == 0);
    CHECK_OK(sessionreg_sources_add(sources, SESSIONREG_SOURCE_REGISTRY, sessions, NULL));
    CHECK(found(sources, "a") == 1);
    CHECK_OK(sessionreg_sources_clear(sources, SESSIONREG_SOURCE_CODEX, NULL));
    CHECK(found(sources, "a") == 1);
    CHECK_OK(sessionreg_sources_clear(sources, SESSIONREG_SOURCE_REGISTRY, NULL));
    CHECK(found(sources, "a") == 0);
    sessionreg_sources_free(sources);
    session_close(session);
    end();
}

#define ROLLOUT "5973b6c0-94b8-487b-a530-2aeb6098ae0e"

static void each_source_has_its_folders(void) {
    static const struct {
        sessionreg_source source;
        const char *name, *file, *text;
    } TRACES[] = {
        {SESSIONREG_SOURCE_CLAUDE_CODE, "claude-code", "sessions/7.json",
         "{\"pid\": 7, \"sessionId\": \"s\", \"cwd\": \"/\", \"startedAt\": 1763690000125}"},
        {SESSIONREG_SOURCE_QWEN_CODE, "qwen-code", "sessions/7.json",
         "{\"schemaVersion\": 1, \"pid\": 7, \"sessionId\": \"s\", \"cwd\": \"/\", "
         "\"startedAt\": 1763690000125}"},
        {SESSIONREG_SOURCE_KIMI_CLI, "sidecars", "sessions/0/s/runtime.json",
         "{\"schema_version\": 1, \"pid\": 7, \"session_id\": \"s\", \"work_dir\": \"/\", "
         "\"hostname\": \"h\", \"started_at\": 1763690000.125, \"kimi_version\": null}"},
        {SESSIONREG_SOURCE_CODEX, "codex",
         "sessions/2025/05/07/rollout-2025-05-07T17-24-21-" ROLLOUT ".jsonl",
         "{\"timestamp\": \"t\", \"type\": \"session_meta\", \"payload\": {\"id\": \"" ROLLOUT
         "\", \"cwd\": \"/\", \"originator\": \"codex_cli_rs\", \"cli_version\": \"0.150.0\"}}\n"},
        {SESSIONREG_SOURCE_COPILOT, "copilot-cli", "session-state/s/inuse.7.lock", ""},
        {SESSIONREG_SOURCE_HOOKS, "hooks", "sessions/s.json",
         "{\"session_id\": \"s\", \"agent\": \"claude\", \"status\": \"active\"}"},
    };
    for (size_t i = 0; i < sizeof TRACES / sizeof *TRACES; i++) {
        begin();
        put_below(folder, TRACES[i].file, TRACES[i].text);
        sessionreg_sources *sources = sources_in(TRACES[i].source, folder);
        CHECK_OK(sessionreg_sources_set_dead_within(sources, INFINITY, NULL));
        sessionreg_snapshot *snapshot = taken(sources);
        const sessionreg_agent_session *session = sessionreg_snapshot_get(snapshot, 0);
        CHECK(sessionreg_snapshot_len(snapshot) == 1);
        const bool is_codex = TRACES[i].source == SESSIONREG_SOURCE_CODEX;
        CHECK_TEXT(sessionreg_agent_session_session_id(session), is_codex ? ROLLOUT : "s");
        CHECK(sessionreg_agent_session_sources_len(session) == 1);
        CHECK_TEXT(sessionreg_agent_session_sources_get(session, 0), TRACES[i].name);
        CHECK_ABSENT(sessionreg_agent_session_sources_get(session, 1));
        sessionreg_snapshot_free(snapshot);
        sessionreg_sources_free(sources);
        end();
    }
}

static void by_default_the_homes_are_those_of_the_environment(void) {
    begin();
    sessionreg_sources *sources = NULL;
    home_set(folder);
    sessionreg_session *session = registered(registry, "by-default-3f1c");
    CHECK(found(NULL, "by-default-3f1c") == 1);
    CHECK_OK(sessionreg_sources_default(&sources, NULL));
    /* What they are was looked up then. */
    home_set("/nowhere");
    CHECK(found(sources, "by-default-3f1c") == 1);
    CHECK(found(NULL, "by-default-3f1c") == 0);
    CHECK_OK(sessionreg_sources_clear(sources, SESSIONREG_SOURCE_REGISTRY, NULL));
    CHECK(found(sources, "by-default-3f1c") == 0);
    sessionreg_sources_free(sources);
    session_close(session);
    end();
}

static void what_cannot_be_is_invalid_input(void) {
    const sessionreg_status invalid = SESSIONREG_STATUS_INVALID_INPUT;
    begin();
    sessionreg_sources *sources = sources_in(SESSIONREG_SOURCE_REGISTRY, sessions);
    static const uint32_t NUMBERS[] = {0, SESSIONREG_SOURCE_HOOKS + 1, UINT32_MAX};
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
        CHECK_STATUS(sessionreg_sources_add(sources, NUMBERS[i], folder, NULL), invalid);
        CHECK_STATUS(sessionreg_sources_clear(sources, NUMBERS[i], NULL), invalid);
    }
    CHECK_STATUS(sessionreg_sources_set_dead_within(sources, NAN, NULL), invalid);
    CHECK_STATUS(sessionreg_sources_set_dead_within(sources, -1, NULL), invalid);
    CHECK_STATUS(sessionreg_sources_set_dead_within(sources, -INFINITY, NULL), invalid);
    CHECK_OK(sessionreg_sources_set_dead_within(sources, 0, NULL));
    CHECK_OK(sessionreg_sources_set_dead_within(sources, 1e300, NULL));
    sessionreg_snapshot *snapshot = taken(sources);
    sessionreg_agent_sessions *list = NULL;
    CHECK_STATUS(sessionreg_snapshot_find_by_session(snapshot, "\xff", &list, NULL), invalid);
    CHECK_STATUS(sessionreg_snapshot_find_by_work_dir(snapshot, "\xff", &list, NULL), invalid);
    CHECK(list == NULL);
    sessionreg_snapshot_free(snapshot);
    sessionreg_sources_free(sources);
    end();
}

static void a_session_says_what_its_record_says(void) {
    begin();
    sessionreg_session *session = NULL;
    sessionreg_new made = new_session("a");
    char *json = NULL;
    made.kind = "headless";
    made.name = "a name";
    made.status = "busy";
    made.parent_session_id = "parent";
    made.transcript_path = "/nowhere/t.jsonl";
    made.terminal_multiplexer = "zellij";
    made.terminal_session = "z";
    made.terminal_pane = "1";
    made.extra_json = "{\"ours\": [1, 2]}";
    CHECK_OK(sessionreg_registry_register(registry, &made, &session, NULL));
    sessionreg_sources *sources = sources_in(SESSIONREG_SOURCE_REGISTRY, sessions);
    sessionreg_snapshot *snapshot = taken(sources);
    REQUIRE(sessionreg_snapshot_len(snapshot) == 1);
    const sessionreg_agent_session *one = sessionreg_snapshot_get(snapshot, 0);
    sessionreg_record *record = record_of(registry, "a");
    CHECK_TEXT(sessionreg_agent_session_key(one), sessionreg_record_instance(record).data);
    CHECK_TEXT(sessionreg_agent_session_agent(one), "qwen-code");
    CHECK_TEXT(sessionreg_agent_session_session_id(one), "a");
    CHECK_TEXT(sessionreg_agent_session_work_dir(one), ROOT "/srv/project");
    CHECK_TEXT(sessionreg_agent_session_kind(one), "headless");
    CHECK_TEXT(sessionreg_agent_session_name(one), "a name");
    CHECK_TEXT(sessionreg_agent_session_status(one), "busy");
    CHECK_ABSENT(sessionreg_agent_session_waiting_for(one));
    CHECK_TEXT(sessionreg_agent_session_parent_session_id(one), "parent");
    CHECK_TEXT(sessionreg_agent_session_terminal_multiplexer(one), "zellij");
    CHECK_TEXT(sessionreg_agent_session_terminal_session(one), "z");
    CHECK_TEXT(sessionreg_agent_session_terminal_pane(one), "1");
    CHECK_TEXT(sessionreg_agent_session_transcript_path(one), "/nowhere/t.jsonl");
    CHECK_ABSENT(sessionreg_agent_session_superseded_by(one));
    CHECK(sessionreg_agent_session_transcript_mtime_ns(one) == -1);
    CHECK(sessionreg_agent_session_context_usage_current_tokens(one) == -1);
    CHECK(sessionreg_agent_session_context_usage_window(one) == -1);
    CHECK(sessionreg_agent_session_turn_start_tokens(one) == -1);
    CHECK(sessionreg_agent_session_pid(one) == sessionreg_record_pid(record));
    CHECK(sessionreg_agent_session_started_at(one) == sessionreg_record_started_at(record));
    CHECK(sessionreg_agent_session_verdict(one).state == SESSIONREG_STATE_ALIVE);
    CHECK(sessionreg_agent_session_verdict(one).reason == SESSIONREG_REASON_VERIFIED);
    CHECK(sessionreg_agent_session_files_len(one) == 1);
    CHECK(is_there(sessionreg_agent_session_files_get(one, 0).data));
    CHECK_ABSENT(sessionreg_agent_session_files_get(one, 1));
    CHECK(sessionreg_agent_session_extra_count(one) == 1);
    CHECK_OK(sessionreg_agent_session_extra_get(one, "ours", &json, NULL));
    CHECK_STRING(json, "[1, 2]");
    sessionreg_string_free(json);
    CHECK_OK(sessionreg_agent_session_extra_get(one, "theirs", &json, NULL));
    CHECK(json == NULL);
    sessionreg_record_free(record);
    sessionreg_snapshot_free(snapshot);
    sessionreg_sources_free(sources);
    session_close(session);
    end();
}

static void a_log_tells_the_use_of_the_context(void) {
    begin();
    char record[3 * PATH_ROOM];
    const char *usage = "{\"message\":{\"usage\":{\"input_tokens\":1,"
                        "\"cache_read_input_tokens\":20,\"output_tokens\":300}}}\n";
    put_below(folder, "t.jsonl", usage);
    snprintf(record, sizeof record,
             "{\"session_id\": \"s\", \"agent\": \"claude\", \"status\": \"needs_attention\", "
             "\"transcript_path\": \"%s/t.jsonl\", \"last_event\": \"UserPromptSubmit\"}",
             folder);
    put_below(folder, "sessions/s.json", record);
    sessionreg_sources *sources = sources_in(SESSIONREG_SOURCE_HOOKS, folder);
    sessionreg_snapshot *snapshot = taken(sources);
    const sessionreg_agent_session *one = sessionreg_snapshot_get(snapshot, 0);
    CHECK_TEXT(sessionreg_agent_session_status(one), "waiting");
    CHECK(sessionreg_agent_session_context_usage_current_tokens(one) == 321);
    CHECK(sessionreg_agent_session_context_usage_window(one) == -1);
    CHECK(sessionreg_agent_session_turn_start_tokens(one) == 321);
    CHECK(sessionreg_agent_session_transcript_mtime_ns(one) > 1763690000LL * 1000000000);
    CHECK(sessionreg_agent_session_pid(one) == 0);
    CHECK(isnan(sessionreg_agent_session_started_at(one)));
    sessionreg_snapshot_free(snapshot);
    sessionreg_sources_free(sources);
    end();
}

static void a_copy_outlives_its_snapshot(void) {
    begin();
    sessionreg_session *session = registered(registry, "a");
    sessionreg_sources *sources = sources_in(SESSIONREG_SOURCE_REGISTRY, sessions);
    sessionreg_snapshot *snapshot = taken(sources);
    sessionreg_agent_session *copy = NULL;
    sessionreg_agent_sessions *list = NULL;
    CHECK_OK(sessionreg_agent_session_clone(sessionreg_snapshot_get(snapshot, 0), &copy, NULL));
    CHECK_OK(sessionreg_snapshot_live(snapshot, &list, NULL));
    CHECK(sessionreg_agent_session_equal(copy, sessionreg_snapshot_get(snapshot, 0)));
    sessionreg_snapshot_free(snapshot);
    CHECK_TEXT(sessionreg_agent_session_session_id(copy), "a");
    CHECK(sessionreg_agent_session_equal(copy, sessionreg_agent_sessions_get(list, 0)));
    CHECK_OK(sessionreg_session_update(session, "{\"name\": \"other\"}", NULL));
    snapshot = taken(sources);
    CHECK(!sessionreg_agent_session_equal(copy, sessionreg_snapshot_get(snapshot, 0)));
    sessionreg_snapshot_free(snapshot);
    sessionreg_agent_sessions_free(list);
    sessionreg_agent_session_free(copy);
    sessionreg_sources_free(sources);
    session_close(session);
    end();
}

/* How many sessions a question finds, and that all are of session `id`. */
static size_t counted(sessionreg_status status, sessionreg_agent_sessions **list, const char *id) {
    const size_t count = sessionreg_agent_sessions_len(*list);
    CHECK(status == SESSIONREG_STATUS_OK);
    for (size_t i = 0; i < count; i++)
        CHECK_TEXT(sessionreg_agent_session_session_id(sessionreg_agent_sessions_get(*list, i)),
                   id);
    CHECK(sessionreg_agent_sessions_get(*list, count) == NULL);
    sessionreg_agent_sessions_free(*list);
    *list = NULL;
    return count;
}

#define FOUND(function, what, id) counted(function(snapshot, what, &list, NULL), &list, id)

static void each_question_finds_its_sessions(void) {
    begin();
    child process;
    sessionreg_agent_sessions *list = NULL;
    REQUIRE(child_start(&process));
    sessionreg_session *own = registered(registry, "own"), *other = NULL;
    sessionreg_new made = new_session("child");
    made.pid = child_pid(&process);
    made.work_dir = ROOT "/srv/other";
    CHECK_OK(sessionreg_registry_register(registry, &made, &other, NULL));
    const uint32_t self = sessionreg_session_pid(own);
    sessionreg_sources *sources = sources_in(SESSIONREG_SOURCE_REGISTRY, sessions);
    sessionreg_snapshot *snapshot = taken(sources);

    CHECK(FOUND(sessionreg_snapshot_find_by_pid, self, "own") == 1);
    CHECK(FOUND(sessionreg_snapshot_find_by_pid, made.pid, "child") == 1);
    CHECK(FOUND(sessionreg_snapshot_find_by_session, "own", "own") == 1);
    CHECK(FOUND(sessionreg_snapshot_find_by_session, "ow", "") == 0);
    CHECK(FOUND(sessionreg_snapshot_find_by_work_dir, ROOT "/srv/other", "child") == 1);
    CHECK(FOUND(sessionreg_snapshot_find_by_work_dir, ROOT "/srv", "") == 0);
    CHECK(FOUND(sessionreg_snapshot_owner_of, made.pid, "child") == 1);
    CHECK(FOUND(sessionreg_snapshot_owner_of, self, "own") == 1);
    CHECK(FOUND(sessionreg_snapshot_find_under, made.pid, "child") == 1);
    CHECK_OK(sessionreg_snapshot_find_under(snapshot, self, &list, NULL));
    CHECK(sessionreg_agent_sessions_len(list) == 2);
    sessionreg_agent_sessions_free(list);
    list = NULL;
    CHECK(sessionreg_snapshot_count_live(snapshot) == 2);
    sessionreg_snapshot_free(snapshot);

    child_end(&process);
    snapshot = taken(sources);
    CHECK(FOUND(sessionreg_snapshot_find_by_session, "child", "child") == 1);
    CHECK(FOUND(sessionreg_snapshot_owner_of, made.pid, "") == 0);
    CHECK_OK(sessionreg_snapshot_live(snapshot, &list, NULL));
    CHECK(counted(SESSIONREG_STATUS_OK, &list, "own") == 1);
    CHECK(sessionreg_snapshot_count_live(snapshot) == 1);
    CHECK(sessionreg_snapshot_len(snapshot) == 2);
    sessionreg_snapshot_free(snapshot);
    sessionreg_sources_free(sources);
    session_close(own);
    sessionreg_session_free(other);
    end();
}

static void one_bad_file_hides_nothing(void) {
    begin();
    sessionreg_session *session = registered(registry, "a");
    sessionreg_sources *sources = sources_in(SESSIONREG_SOURCE_REGISTRY, sessions);
    put_below(sessions, "7-0000000a.json", "{");
    sessionreg_snapshot *snapshot = taken(sources);
    CHECK(sessionreg_snapshot_len(snapshot) == 1);
    REQUIRE(sessionreg_snapshot_skipped_len(snapshot) == 1);
    const sessionreg_skipped *skipped = sessionreg_snapshot_skipped_get(snapshot, 0);
    const sessionreg_text path = sessionreg_skipped_path(skipped);
    CHECK(path.length > 15 && strcmp(path.data + path.length - 15, "7-0000000a.json") == 0);
    CHECK(sessionreg_skipped_status(skipped) == SESSIONREG_STATUS_CORRUPT);
    CHECK(sessionreg_skipped_reason(skipped).length > 0);
    CHECK(sessionreg_snapshot_skipped_get(snapshot, 1) == NULL);
    sessionreg_snapshot_free(snapshot);
    sessionreg_sources_free(sources);
    session_close(session);
    end();
}

static void the_dead_are_listed_for_as_long_as_is_said(void) {
    begin();
    child process;
    REQUIRE(child_start(&process));
    sessionreg_session *session = NULL;
    sessionreg_new made = new_session("child");
    made.pid = child_pid(&process);
    CHECK_OK(sessionreg_registry_register(registry, &made, &session, NULL));
    child_end(&process);
    sessionreg_sources *sources = sources_in(SESSIONREG_SOURCE_REGISTRY, sessions);
    sessionreg_snapshot *snapshot = taken(sources);
    CHECK(sessionreg_snapshot_len(snapshot) == 1 && sessionreg_snapshot_dead_before(snapshot) == 0);
    CHECK(sessionreg_agent_session_verdict(sessionreg_snapshot_get(snapshot, 0)).state ==
          SESSIONREG_STATE_DEAD);
    sessionreg_snapshot_free(snapshot);
    CHECK_OK(sessionreg_sources_set_dead_within(sources, 0, NULL));
    /* As soon as the clock of the files has gone on. */
    for (int tries = 0; tries < 10000 && found(sources, "child") == 1;)
        tries++;
    snapshot = taken(sources);
    CHECK(sessionreg_snapshot_len(snapshot) == 0 && sessionreg_snapshot_dead_before(snapshot) == 1);
    sessionreg_snapshot_free(snapshot);
    CHECK_OK(sessionreg_sources_set_dead_within(sources, INFINITY, NULL));
    CHECK(found(sources, "child") == 1);
    sessionreg_sources_free(sources);
    sessionreg_session_free(session);
    end();
}

static void who_was_superseded_is_listed_where_that_is_said(void) {
    begin();
    static const char *const PANE =
        "{\"session_id\": \"%s\", \"agent\": \"claude\", \"status\": "
        "\"active\", \"zellij_session\": \"z\", \"zellij_pane\": \"1\"}";
    char record[256];
    snprintf(record, sizeof record, PANE, "a");
    put_below(folder, "sessions/a.json", record);
    snprintf(record, sizeof record, PANE, "b");
    put_below(folder, "sessions/b.json", record);
    sessionreg_sources *sources = sources_in(SESSIONREG_SOURCE_HOOKS, folder);
    CHECK(found(sources, "a") == 1 && found(sources, "b") == 0);
    CHECK_OK(sessionreg_sources_set_superseded(sources, true, NULL));
    sessionreg_snapshot *snapshot = taken(sources);
    CHECK(sessionreg_snapshot_len(snapshot) == 2);
    CHECK_ABSENT(sessionreg_agent_session_superseded_by(sessionreg_snapshot_get(snapshot, 0)));
    CHECK_TEXT(sessionreg_agent_session_superseded_by(sessionreg_snapshot_get(snapshot, 1)), "a");
    sessionreg_snapshot_free(snapshot);
    CHECK_OK(sessionreg_sources_set_superseded(sources, false, NULL));
    CHECK(found(sources, "b") == 0);
    sessionreg_sources_free(sources);
    end();
}

int main(int argc, char **argv) {
    CHILD_MAIN(argc);
    RUN(without_a_source_there_is_nothing);
    RUN(a_folder_is_looked_at_as_long_as_it_is_named);
    RUN(each_source_has_its_folders);
    RUN(by_default_the_homes_are_those_of_the_environment);
    RUN(what_cannot_be_is_invalid_input);
    RUN(a_session_says_what_its_record_says);
    RUN(a_log_tells_the_use_of_the_context);
    RUN(a_copy_outlives_its_snapshot);
    RUN(each_question_finds_its_sessions);
    RUN(one_bad_file_hides_nothing);
    RUN(the_dead_are_listed_for_as_long_as_is_said);
    RUN(who_was_superseded_is_listed_where_that_is_said);
    return check_result();
}
