/* Records in memory: made, read, changed, copied, compared, as JSON text. */
#include "example_record.h"
#include <math.h>
#ifdef _WIN32
#include <process.h>
#define own_pid() ((uint32_t)_getpid())
#else
#include <unistd.h>
#define own_pid() ((uint32_t)getpid())
#endif

static const char SEVEN[] = "\"schema_version\": 1, \"pid\": 4242, \"session_id\": \"s\", "
                            "\"work_dir\": \"/w\", \"hostname\": \"h\", \"started_at\": 1.5";

/* A record of the seven keys and what is given besides. */
static sessionreg_record *from(const char *more) {
    char json[2000];
    sessionreg_record *record = NULL;
    snprintf(json, sizeof json, "{%s%s}", SEVEN, more);
    CHECK_OK(sessionreg_record_from_json(json, strlen(json), &record, NULL));
    return record;
}

static void a_new_record_is_of_the_calling_process(void) {
    sessionreg_record *record = own_record("3f1c");
    CHECK(sessionreg_record_pid(record) == own_pid());
    CHECK_TEXT(sessionreg_record_session_id(record), "3f1c");
    CHECK_TEXT(sessionreg_record_work_dir(record), ROOT "/srv/project");
    CHECK_TEXT(sessionreg_record_agent(record), "qwen-code");
    CHECK_TEXT(sessionreg_record_version_key(record), "qwen_version");
    CHECK(sessionreg_record_hostname(record).length > 0);
    CHECK(sessionreg_record_started_at(record) > 1.6e9);
    CHECK(sessionreg_record_proc_start(record).length > 0);
    CHECK(sessionreg_record_platform(record).length > 0);
    CHECK(sessionreg_record_instance(record).length == 32);
    CHECK(sessionreg_record_revision(record) == 1);
    sessionreg_record_free(record);
}

static void a_pid_that_is_given_is_not_looked_up(void) {
    sessionreg_record *record = plain_record(own_pid(), "s");
    CHECK(sessionreg_record_pid(record) == own_pid());
    CHECK_ABSENT(sessionreg_record_proc_start(record));
    CHECK_ABSENT(sessionreg_record_pid_inode(record));
    CHECK_ABSENT(sessionreg_record_host_key(record));
    CHECK_ABSENT(sessionreg_record_platform(record));
    CHECK_ABSENT(sessionreg_record_instance(record));
    CHECK(sessionreg_record_pid_ns(record) == -1 && sessionreg_record_time_ns(record) == -1);
    CHECK(sessionreg_record_revision(record) == -1);
    sessionreg_record_free(record);
}

static void a_process_is_looked_up_where_that_is_asked_for(void) {
    sessionreg_record *record = NULL, *own = own_record("s");
    sessionreg_error *error = NULL;
    sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
    fields.session_id = "s";
    fields.work_dir = ROOT "/srv/project";
    fields.pid = own_pid();
    CHECK_OK(sessionreg_record_of_process(&fields, &record, NULL));
    CHECK(sessionreg_record_pid(record) == own_pid());
    CHECK_TEXT(sessionreg_record_proc_start(record), sessionreg_record_proc_start(own).data);
    sessionreg_record_free(record);
    record = NULL;
    fields.pid = 0;
    CHECK_STATUS(sessionreg_record_of_process(&fields, &record, &error),
                 SESSIONREG_STATUS_INVALID_INPUT);
    CHECK(sessionreg_error_message(error).length > 0);
    sessionreg_error_free(error);
    fields.pid = 2147483647;
    CHECK_STATUS(sessionreg_record_of_process(&fields, &record, NULL), SESSIONREG_STATUS_NOT_FOUND);
    fields.pid = 2147483648u;
    CHECK_STATUS(sessionreg_record_of_process(&fields, &record, NULL),
                 SESSIONREG_STATUS_INVALID_INPUT);
    CHECK(record == NULL);
    sessionreg_record_free(own);
}

static void every_field_that_is_given_comes_out_again(void) {
    sessionreg_record *record = NULL;
    sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
    fields.pid = 4242;
    fields.session_id = "s\xc3\xa9";
    fields.work_dir = ROOT "/w";
    fields.hostname = "host";
    fields.started_at = 12.25;
    fields.agent_version = "1.2";
    fields.version_key = "other_version";
    fields.agent = "codex";
    fields.kind = "headless";
    fields.name = "";
    fields.entrypoint = "cli";
    fields.transcript_path = "/t.jsonl";
    fields.parent_session_id = "p";
    fields.terminal_multiplexer = "tmux";
    fields.terminal_session = "work";
    fields.terminal_pane = "%3";
    fields.status = "waiting";
    fields.waiting_for = "approval";
    fields.updated_at = 13.5;
    fields.status_updated_at = 0;
    CHECK_OK(sessionreg_record_new(&fields, &record, NULL));
    CHECK(sessionreg_record_pid(record) == 4242);
    CHECK_TEXT(sessionreg_record_session_id(record), "s\xc3\xa9");
    CHECK_TEXT(sessionreg_record_work_dir(record), ROOT "/w");
    CHECK_TEXT(sessionreg_record_hostname(record), "host");
    CHECK(sessionreg_record_started_at(record) == 12.25);
    CHECK_TEXT(sessionreg_record_agent_version(record), "1.2");
    CHECK_TEXT(sessionreg_record_version_key(record), "other_version");
    CHECK_TEXT(sessionreg_record_agent(record), "codex");
    CHECK_TEXT(sessionreg_record_kind(record), "headless");
    CHECK_TEXT(sessionreg_record_name(record), "");
    CHECK_TEXT(sessionreg_record_entrypoint(record), "cli");
    CHECK_TEXT(sessionreg_record_transcript_path(record), "/t.jsonl");
    CHECK_TEXT(sessionreg_record_parent_session_id(record), "p");
    CHECK_TEXT(sessionreg_record_terminal_multiplexer(record), "tmux");
    CHECK_TEXT(sessionreg_record_terminal_session(record), "work");
    CHECK_TEXT(sessionreg_record_terminal_pane(record), "%3");
    CHECK_TEXT(sessionreg_record_status(record), "waiting");
    CHECK_TEXT(sessionreg_record_waiting_for(record), "approval");
    CHECK(sessionreg_record_updated_at(record) == 13.5);
    CHECK(sessionreg_record_status_updated_at(record) == 0);
    sessionreg_record_free(record);
}

static void identity_that_a_file_holds_comes_out(void) {
    sessionreg_record *record =
        from(", \"proc_start\": \"b:7\", \"pid_inode\": \"11\", \"host_key\": \"k\", "
             "\"platform\": \"linux\", \"pid_ns\": 0, \"time_ns\": 9007199254740991, "
             "\"instance\": \"i\", \"revision\": 3");
    CHECK_TEXT(sessionreg_record_proc_start(record), "b:7");
    CHECK_TEXT(sessionreg_record_pid_inode(record), "11");
    CHECK_TEXT(sessionreg_record_host_key(record), "k");
    CHECK_TEXT(sessionreg_record_platform(record), "linux");
    CHECK(sessionreg_record_pid_ns(record) == 0);
    CHECK(sessionreg_record_time_ns(record) == 9007199254740991);
    CHECK_TEXT(sessionreg_record_instance(record), "i");
    CHECK(sessionreg_record_revision(record) == 3);
    sessionreg_record_free(record);
}

static void a_session_id_with_nul_comes_out_whole(void) {
    static const char JSON[] = "{\"schema_version\":1,\"pid\":1,\"session_id\":\"a\\u0000b\","
                               "\"work_dir\":\"/\",\"hostname\":\"\",\"started_at\":0}";
    sessionreg_record *record = NULL;
    CHECK_OK(sessionreg_record_from_json(JSON, strlen(JSON), &record, NULL));
    sessionreg_text id = sessionreg_record_session_id(record);
    CHECK(id.length == 3 && id.data != NULL && memcmp(id.data, "a\0b", 4) == 0);
    sessionreg_record_free(record);
}

static void absent_values_come_out_as_absent(void) {
    sessionreg_record *record = from("");
    CHECK_ABSENT(sessionreg_record_agent_version(record));
    CHECK_ABSENT(sessionreg_record_agent(record));
    CHECK_ABSENT(sessionreg_record_kind(record));
    CHECK_ABSENT(sessionreg_record_name(record));
    CHECK_ABSENT(sessionreg_record_entrypoint(record));
    CHECK_ABSENT(sessionreg_record_transcript_path(record));
    CHECK_ABSENT(sessionreg_record_parent_session_id(record));
    CHECK_ABSENT(sessionreg_record_terminal_multiplexer(record));
    CHECK_ABSENT(sessionreg_record_terminal_session(record));
    CHECK_ABSENT(sessionreg_record_terminal_pane(record));
    CHECK_ABSENT(sessionreg_record_status(record));
    CHECK_ABSENT(sessionreg_record_waiting_for(record));
    CHECK(isnan(sessionreg_record_updated_at(record)));
    CHECK(isnan(sessionreg_record_status_updated_at(record)));
    CHECK(sessionreg_record_extra_count(record) == 0);
    sessionreg_record_free(record);
}

static void set_changes_what_is_given_and_nothing_else(void) {
    sessionreg_record *record = from(", \"name\": \"n\", \"kind\": \"headless\", "
                                     "\"proc_start\": \"b:7\", \"terminal\": {\"pane\": \"1\"}");
    sessionreg_record *before = NULL;
    sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
    CHECK_OK(sessionreg_record_clone(record, &before, NULL));
    CHECK_OK(sessionreg_record_set(record, &fields, NULL));
    CHECK(sessionreg_record_equal(record, before));
    CHECK_TEXT(sessionreg_record_name(record), "n");
    fields.name = "other";
    fields.terminal_session = "t";
    CHECK_OK(sessionreg_record_set(record, &fields, NULL));
    CHECK_TEXT(sessionreg_record_name(record), "other");
    CHECK_TEXT(sessionreg_record_kind(record), "headless");
    CHECK_TEXT(sessionreg_record_proc_start(record), "b:7");
    CHECK_TEXT(sessionreg_record_terminal_pane(record), "1");
    CHECK_TEXT(sessionreg_record_terminal_session(record), "t");
    CHECK(sessionreg_record_started_at(record) == 1.5);
    CHECK(!sessionreg_record_equal(record, before));
    fields.pid = 7;
    fields.name = "third";
    CHECK_STATUS(sessionreg_record_set(record, &fields, NULL), SESSIONREG_STATUS_INVALID_INPUT);
    CHECK(sessionreg_record_pid(record) == 4242);
    CHECK_TEXT(sessionreg_record_name(record), "other");
    sessionreg_record_free(record);
    sessionreg_record_free(before);
}

/* The fields that may be absent, and how each comes out. */
static const struct {
    const char *name;
    sessionreg_text (*get)(const sessionreg_record *);
} OPTIONAL[] = {
    {"agent_version", sessionreg_record_agent_version},
    {"agent", sessionreg_record_agent},
    {"kind", sessionreg_record_kind},
    {"name", sessionreg_record_name},
    {"entrypoint", sessionreg_record_entrypoint},
    {"transcript_path", sessionreg_record_transcript_path},
    {"parent_session_id", sessionreg_record_parent_session_id},
    {"terminal_multiplexer", sessionreg_record_terminal_multiplexer},
    {"terminal_session", sessionreg_record_terminal_session},
    {"terminal_pane", sessionreg_record_terminal_pane},
    {"status", sessionreg_record_status},
    {"waiting_for", sessionreg_record_waiting_for},
};
enum { OPTIONALS = sizeof OPTIONAL / sizeof *OPTIONAL };

static void unset_takes_one_field_away_and_nothing_else(void) {
    sessionreg_record *record =
        from(", \"agent_version\": \"1\", \"agent\": \"codex\", \"kind\": \"headless\", "
             "\"name\": \"n\", \"entrypoint\": \"cli\", \"transcript_path\": \"/t\", "
             "\"parent_session_id\": \"p\", \"proc_start\": \"b:7\", \"x\": 1, "
             "\"status\": \"waiting\", \"waiting_for\": \"approval\", \"terminal\": "
             "{\"multiplexer\": \"tmux\", \"session\": \"w\", \"pane\": \"1\"}");
    sessionreg_record *rest = from(", \"proc_start\": \"b:7\", \"x\": 1");
    for (int gone = 0; gone < OPTIONALS; gone++) {
        CHECK(OPTIONAL[gone].get(record).length > 0);
        CHECK_OK(sessionreg_record_unset(record, OPTIONAL[gone].name, NULL));
        CHECK_OK(sessionreg_record_unset(record, OPTIONAL[gone].name, NULL));
        for (int i = 0; i < OPTIONALS; i++)
            CHECK((OPTIONAL[i].get(record).data == NULL) == (i <= gone));
    }
    CHECK(sessionreg_record_equal(record, rest));
    sessionreg_record_free(record);
    sessionreg_record_free(rest);
}

static void unset_takes_a_time_away(void) {
    sessionreg_record *record = from(", \"updated_at\": 3.5, \"status_updated_at\": 2");
    sessionreg_record *rest = from("");
    CHECK(sessionreg_record_updated_at(record) == 3.5);
    CHECK_OK(sessionreg_record_unset(record, "updated_at", NULL));
    CHECK(isnan(sessionreg_record_updated_at(record)));
    CHECK(sessionreg_record_status_updated_at(record) == 2);
    CHECK_OK(sessionreg_record_unset(record, "status_updated_at", NULL));
    CHECK(isnan(sessionreg_record_status_updated_at(record)));
    CHECK(sessionreg_record_equal(record, rest));
    sessionreg_record_free(record);
    sessionreg_record_free(rest);
}

/* A copy shares what it was made of, until one of the two is changed. */
static void a_changed_copy_leaves_its_original(void) {
    sessionreg_record *record = from(", \"name\": \"n\""), *copy = NULL;
    sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
    fields.name = "other";
    sessionreg_text name = sessionreg_record_name(record);
    CHECK_OK(sessionreg_record_clone(record, &copy, NULL));
    CHECK_OK(sessionreg_record_set(copy, &fields, NULL));
    CHECK_TEXT(sessionreg_record_name(copy), "other");
    CHECK_TEXT(name, "n");
    CHECK_TEXT(sessionreg_record_name(record), "n");
    sessionreg_record_free(record);
    sessionreg_record_free(copy);
}

static void what_must_be_there_is_not_unset(void) {
    static const char *const OTHERS[] = {
        "",           "names",       "NAME",     "terminal", "pid",        "session_id", "work_dir",
        "started_at", "version_key", "hostname", "extra",    "proc_start", "name\xff"};
    sessionreg_record *record = from(", \"name\": \"n\""), *before = NULL;
    CHECK_OK(sessionreg_record_clone(record, &before, NULL));
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++) {
        CHECK_STATUS(sessionreg_record_unset(record, OTHERS[i], NULL),
                     SESSIONREG_STATUS_INVALID_INPUT);
        CHECK(sessionreg_record_equal(record, before));
    }
    sessionreg_error *error = NULL;
    CHECK_STATUS(sessionreg_record_unset(record, "pid", &error), SESSIONREG_STATUS_INVALID_INPUT);
    for (int i = 0; i < OPTIONALS && error != NULL; i++)
        CHECK(strstr(sessionreg_error_message(error).data, OPTIONAL[i].name) != NULL);
    CHECK(error != NULL);
    sessionreg_error_free(error);
    sessionreg_record_free(record);
    sessionreg_record_free(before);
}

static void a_copy_outlives_its_original(void) {
    sessionreg_record *record = from(", \"name\": \"n\""), *copy = NULL;
    CHECK_OK(sessionreg_record_clone(record, &copy, NULL));
    CHECK(sessionreg_record_equal(record, copy));
    sessionreg_text name = sessionreg_record_name(copy);
    sessionreg_record_free(record);
    CHECK_TEXT(name, "n");
    CHECK_TEXT(sessionreg_record_name(copy), "n");
    sessionreg_record_free(copy);
}

static void equality_is_of_what_records_say(void) {
    sessionreg_record *one = from(", \"x\": 1, \"y\": 2"), *same = from(", \"y\": 2, \"x\": 1");
    sessionreg_record *other = from(", \"x\": 1, \"y\": 3");
    CHECK(sessionreg_record_equal(one, one));
    CHECK(sessionreg_record_equal(one, same));
    CHECK(!sessionreg_record_equal(one, other));
    sessionreg_record_free(one);
    sessionreg_record_free(same);
    sessionreg_record_free(other);
}

static void json_text_goes_around(void) {
    sessionreg_record *record = own_record("s"), *again = NULL;
    char *json = NULL;
    CHECK_OK(sessionreg_record_to_json(record, &json, NULL));
    REQUIRE(json != NULL);
    CHECK(strncmp(json, "{\n  \"schema_version\": 1,\n  \"pid\": ", 34) == 0);
    CHECK_OK(sessionreg_record_from_json(json, strlen(json), &again, NULL));
    CHECK(sessionreg_record_equal(record, again));
    sessionreg_string_free(json);
    sessionreg_record_free(again);
    sessionreg_record_free(record);
}

static void unknown_keys_keep_their_text(void) {
    sessionreg_record *record = from(", \"a\": 1.000, \"b\": {\"c\" : [ ]}");
    char *json = NULL;
    bool removed = false;
    CHECK(sessionreg_record_extra_count(record) == 2);
    CHECK_OK(sessionreg_record_extra_get(record, "a", &json, NULL));
    CHECK_STRING(json, "1.000");
    sessionreg_string_free(json);
    CHECK_OK(sessionreg_record_extra_get(record, "none", &json, NULL));
    CHECK(json == NULL);
    CHECK_OK(sessionreg_record_extra_set(record, "d", "\"x\"", NULL));
    CHECK_OK(sessionreg_record_extra_set(record, "a", "null", NULL));
    CHECK_OK(sessionreg_record_extra_remove(record, "b", &removed, NULL));
    CHECK(removed);
    CHECK_OK(sessionreg_record_extra_remove(record, "b", &removed, NULL));
    CHECK(!removed);
    CHECK_OK(sessionreg_record_extra_to_json(record, &json, NULL));
    CHECK_STRING(json, "{\"a\":null,\"d\":\"x\"}");
    sessionreg_string_free(json);
    sessionreg_record_free(record);
}

static void a_value_that_is_not_json_is_refused_with_its_reason(void) {
    static const char *const BAD[] = {"", "NaN", "{", "1 2", "\"", "tru", "\xff"};
    sessionreg_record *record = from(", \"a\": 1");
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        sessionreg_error *error = NULL;
        char *json = NULL;
        CHECK_STATUS(sessionreg_record_extra_set(record, "a", BAD[i], &error),
                     SESSIONREG_STATUS_INVALID_INPUT);
        REQUIRE(error != NULL);
        CHECK(strstr(sessionreg_error_message(error).data, "`json`") != NULL);
        sessionreg_error_free(error);
        CHECK_OK(sessionreg_record_extra_get(record, "a", &json, NULL));
        CHECK_STRING(json, "1");
        sessionreg_string_free(json);
    }
    sessionreg_record_free(record);
}

static void text_that_is_not_utf8_is_refused_by_name(void) {
    sessionreg_record *record = NULL;
    sessionreg_error *error = NULL;
    sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
    fields.session_id = "s";
    fields.work_dir = "/w\xff";
    CHECK_STATUS(sessionreg_record_new(&fields, &record, &error), SESSIONREG_STATUS_INVALID_INPUT);
    REQUIRE(error != NULL);
    CHECK_TEXT(sessionreg_error_message(error),
               "failed to accept the argument `work_dir`: it is not UTF-8");
    CHECK(sessionreg_error_status(error) == SESSIONREG_STATUS_INVALID_INPUT);
    CHECK_ABSENT(sessionreg_error_path(error));
    CHECK(sessionreg_error_errno(error) == 0);
    CHECK(record == NULL);
    sessionreg_error_free(error);
}

static void a_record_needs_an_id_and_a_folder(void) {
    sessionreg_record *record = NULL;
    sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
    fields.work_dir = "/w";
    CHECK_STATUS(sessionreg_record_new(&fields, &record, NULL), SESSIONREG_STATUS_INVALID_INPUT);
    fields.work_dir = NULL;
    fields.session_id = "s";
    CHECK_STATUS(sessionreg_record_new(&fields, &record, NULL), SESSIONREG_STATUS_INVALID_INPUT);
    CHECK_STATUS(sessionreg_record_of_process(&fields, &record, NULL),
                 SESSIONREG_STATUS_INVALID_INPUT);
    CHECK(record == NULL);
}

static void a_structure_of_another_size_is_refused(void) {
    static const size_t SIZES[] = {
        0,       1, sizeof(size_t), sizeof(sessionreg_fields) - 1, sizeof(sessionreg_fields) + 1,
        SIZE_MAX};
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
        sessionreg_record *record = NULL;
        sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
        fields.session_id = "s";
        fields.work_dir = "/w";
        fields.struct_size = SIZES[i];
        CHECK_STATUS(sessionreg_record_new(&fields, &record, NULL),
                     SESSIONREG_STATUS_INVALID_INPUT);
        CHECK(record == NULL);
    }
}

static void what_no_reader_would_accept_is_no_json(void) {
    sessionreg_record *record = NULL;
    sessionreg_error *error = NULL;
    char *json = NULL;
    sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
    fields.session_id = "s";
    fields.work_dir = "relative";
    CHECK_OK(sessionreg_record_new(&fields, &record, NULL));
    CHECK_STATUS(sessionreg_record_to_json(record, &json, &error), SESSIONREG_STATUS_INVALID_INPUT);
    CHECK(json == NULL);
    REQUIRE(error != NULL);
    CHECK(strstr(sessionreg_error_message(error).data, "work_dir") != NULL);
    sessionreg_error_free(error);
    fields.work_dir = ROOT "/w";
    fields.started_at = INFINITY;
    CHECK_OK(sessionreg_record_set(record, &fields, NULL));
    CHECK_STATUS(sessionreg_record_to_json(record, &json, NULL), SESSIONREG_STATUS_INVALID_INPUT);
    sessionreg_record_free(record);
}

int main(void) {
    RUN(a_new_record_is_of_the_calling_process);
    RUN(a_pid_that_is_given_is_not_looked_up);
    RUN(a_process_is_looked_up_where_that_is_asked_for);
    RUN(every_field_that_is_given_comes_out_again);
    RUN(identity_that_a_file_holds_comes_out);
    RUN(a_session_id_with_nul_comes_out_whole);
    RUN(absent_values_come_out_as_absent);
    RUN(set_changes_what_is_given_and_nothing_else);
    RUN(unset_takes_one_field_away_and_nothing_else);
    RUN(unset_takes_a_time_away);
    RUN(what_must_be_there_is_not_unset);
    RUN(a_changed_copy_leaves_its_original);
    RUN(a_copy_outlives_its_original);
    RUN(equality_is_of_what_records_say);
    RUN(json_text_goes_around);
    RUN(unknown_keys_keep_their_text);
    RUN(a_value_that_is_not_json_is_refused_with_its_reason);
    RUN(text_that_is_not_utf8_is_refused_by_name);
    RUN(a_record_needs_an_id_and_a_folder);
    RUN(a_structure_of_another_size_is_refused);
    RUN(what_no_reader_would_accept_is_no_json);
    return check_result();
}
