/* NULL for every pointer of every function: said to be what it is, and nothing written.
 *
 * With an argument the program says instead which parameters it tries; tests/c/run.sh compares that
 * with the header, so that none is forgotten. */
#include "example_record.h"
#include "folder.h"
#include <math.h>

static int only_list;

/* Where a failed call may have written: what comes out is compared with these afterwards. */
static struct {
    sessionreg_record *record;
    char *string;
    bool removed;
    sessionreg_verdict verdict;
} out, untouched;

/* NULL for this parameter is INVALID_INPUT, with an error that names it. */
#define REFUSED(function, parameter, ...) \
    do { \
        if (only_list) { \
            puts(#function " " #parameter "\n" #function " error"); \
            break; \
        } \
        sessionreg_error *error = NULL; \
        CHECK_STATUS(function(__VA_ARGS__, &error), SESSIONREG_STATUS_INVALID_INPUT); \
        CHECK_TEXT(sessionreg_error_message(error), \
                   "failed to accept the argument `" #parameter "`: it is NULL"); \
        sessionreg_error_free(error); \
        CHECK_STATUS(function(__VA_ARGS__, NULL), SESSIONREG_STATUS_INVALID_INPUT); \
        CHECK(memcmp(&out, &untouched, sizeof out) == 0); \
    } while (0)

/* NULL for this parameter is as documented. */
#define ACCEPTED(function, parameter, condition) \
    do { \
        if (only_list) \
            puts(#function " " #parameter); \
        else \
            CHECK(condition); \
    } while (0)

#define OK(call) ((call) == SESSIONREG_STATUS_OK)
#define NO_TEXT(function, parameter) \
    ACCEPTED(function, parameter, function(NULL).data == NULL && function(NULL).length == 0)

static sessionreg_record *record;
static sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
static char path[PATH_ROOM + 32];

static void a_null_that_must_not_be_is_invalid_input(void) {
    sessionreg_record *const good = record;
    const sessionreg_record *const records[1] = {record};
    REFUSED(sessionreg_record_clone, record, NULL, &out.record);
    REFUSED(sessionreg_record_clone, copy, good, NULL);
    REFUSED(sessionreg_record_new, fields, NULL, &out.record);
    REFUSED(sessionreg_record_new, record, &fields, NULL);
    REFUSED(sessionreg_record_of_process, fields, NULL, &out.record);
    REFUSED(sessionreg_record_of_process, record, &fields, NULL);
    REFUSED(sessionreg_record_set, record, NULL, &fields);
    REFUSED(sessionreg_record_set, fields, good, NULL);
    REFUSED(sessionreg_record_unset, record, NULL, "name");
    REFUSED(sessionreg_record_unset, field, good, NULL);
    REFUSED(sessionreg_record_extra_get, record, NULL, "k", &out.string);
    REFUSED(sessionreg_record_extra_get, key, good, NULL, &out.string);
    REFUSED(sessionreg_record_extra_get, json, good, "k", NULL);
    REFUSED(sessionreg_record_extra_set, record, NULL, "k", "1");
    REFUSED(sessionreg_record_extra_set, key, good, NULL, "1");
    REFUSED(sessionreg_record_extra_set, json, good, "k", NULL);
    REFUSED(sessionreg_record_extra_remove, record, NULL, "k", &out.removed);
    REFUSED(sessionreg_record_extra_remove, key, good, NULL, &out.removed);
    REFUSED(sessionreg_record_extra_remove, removed, good, "k", NULL);
    REFUSED(sessionreg_record_extra_to_json, record, NULL, &out.string);
    REFUSED(sessionreg_record_extra_to_json, json, good, NULL);
    REFUSED(sessionreg_record_from_json, json, NULL, 2, &out.record);
    REFUSED(sessionreg_record_from_json, record, "{}", 2, NULL);
    REFUSED(sessionreg_record_to_json, record, NULL, &out.string);
    REFUSED(sessionreg_record_to_json, json, good, NULL);
    REFUSED(sessionreg_write, path, NULL, good, NULL);
    REFUSED(sessionreg_write, record, path, NULL, NULL);
    REFUSED(sessionreg_read, path, NULL, &out.record);
    REFUSED(sessionreg_read, record, path, NULL);
    REFUSED(sessionreg_load, path, NULL, &out.record);
    REFUSED(sessionreg_load, record, path, NULL);
    REFUSED(sessionreg_clear, path, NULL, &out.removed);
    REFUSED(sessionreg_clear, removed, path, NULL);
    REFUSED(sessionreg_clear_if, path, NULL, good, &out.removed);
    REFUSED(sessionreg_clear_if, record, path, NULL, &out.removed);
    REFUSED(sessionreg_clear_if, removed, path, good, NULL);
    REFUSED(sessionreg_liveness, record, NULL, &out.verdict);
    REFUSED(sessionreg_liveness, verdict, good, NULL);
    REFUSED(sessionreg_liveness_all, records, NULL, 1, &out.verdict);
    REFUSED(sessionreg_liveness_all, verdicts, records, 1, NULL);
    REFUSED(sessionreg_session_id_check, session_id, NULL);
    REFUSED(sessionreg_sidecar_in_project, project_dir, NULL, "s", &out.string);
    REFUSED(sessionreg_sidecar_in_project, session_id, "/p", NULL, &out.string);
    REFUSED(sessionreg_sidecar_in_project, path, "/p", "s", NULL);
    REFUSED(sessionreg_sidecar_of, agent, NULL, "/w", "s", "/h", &out.string);
    REFUSED(sessionreg_sidecar_of, work_dir, "qwen-code", NULL, "s", "/h", &out.string);
    REFUSED(sessionreg_sidecar_of, session_id, "qwen-code", "/w", NULL, "/h", &out.string);
    REFUSED(sessionreg_sidecar_of, path, "qwen-code", "/w", "s", "/h", NULL);
}

/* The file is neither made nor removed by a refused call. */
static void a_refused_call_touches_no_file(void) {
    size_t length;
    char *bytes = file_get(path, &length);
    CHECK_STRING(bytes, "as it was");
    free(bytes);
}

static void a_value_of_null_is_the_absent_one(void) {
    ACCEPTED(sessionreg_error_status, error,
             sessionreg_error_status(NULL) == SESSIONREG_STATUS_INVALID_INPUT);
    NO_TEXT(sessionreg_error_message, error);
    NO_TEXT(sessionreg_error_path, error);
    ACCEPTED(sessionreg_error_errno, error, sessionreg_error_errno(NULL) == 0);
    ACCEPTED(sessionreg_record_equal, record, !sessionreg_record_equal(NULL, record));
    ACCEPTED(sessionreg_record_equal, other, !sessionreg_record_equal(record, NULL));
    ACCEPTED(sessionreg_record_pid, record, sessionreg_record_pid(NULL) == 0);
    ACCEPTED(sessionreg_record_started_at, record, isnan(sessionreg_record_started_at(NULL)));
    ACCEPTED(sessionreg_record_pid_ns, record, sessionreg_record_pid_ns(NULL) == -1);
    ACCEPTED(sessionreg_record_time_ns, record, sessionreg_record_time_ns(NULL) == -1);
    ACCEPTED(sessionreg_record_revision, record, sessionreg_record_revision(NULL) == -1);
    ACCEPTED(sessionreg_record_extra_count, record, sessionreg_record_extra_count(NULL) == 0);
    NO_TEXT(sessionreg_record_session_id, record);
    NO_TEXT(sessionreg_record_work_dir, record);
    NO_TEXT(sessionreg_record_hostname, record);
    NO_TEXT(sessionreg_record_agent_version, record);
    NO_TEXT(sessionreg_record_version_key, record);
    NO_TEXT(sessionreg_record_proc_start, record);
    NO_TEXT(sessionreg_record_pid_inode, record);
    NO_TEXT(sessionreg_record_host_key, record);
    NO_TEXT(sessionreg_record_platform, record);
    NO_TEXT(sessionreg_record_instance, record);
    NO_TEXT(sessionreg_record_agent, record);
    NO_TEXT(sessionreg_record_kind, record);
    NO_TEXT(sessionreg_record_name, record);
    NO_TEXT(sessionreg_record_entrypoint, record);
    NO_TEXT(sessionreg_record_transcript_path, record);
    NO_TEXT(sessionreg_record_parent_session_id, record);
    NO_TEXT(sessionreg_record_terminal_multiplexer, record);
    NO_TEXT(sessionreg_record_terminal_session, record);
    NO_TEXT(sessionreg_record_terminal_pane, record);
}

static void options_a_home_and_what_is_freed_may_be_null(void) {
    char *sidecar = NULL;
    ACCEPTED(sessionreg_write, options, OK(sessionreg_write(path, record, NULL, NULL)));
    ACCEPTED(sessionreg_sidecar_of, home,
             OK(sessionreg_sidecar_of("qwen-code", ROOT "/w", "s", NULL, &sidecar, NULL)));
    sessionreg_string_free(sidecar);
    ACCEPTED(sessionreg_string_free, string, (sessionreg_string_free(NULL), true));
    ACCEPTED(sessionreg_error_free, error, (sessionreg_error_free(NULL), true));
    ACCEPTED(sessionreg_record_free, record, (sessionreg_record_free(NULL), true));
}

static void list(void) {
    only_list = 1;
    a_null_that_must_not_be_is_invalid_input();
    a_value_of_null_is_the_absent_one();
    options_a_home_and_what_is_freed_may_be_null();
}

int main(int argc, char **argv) {
    char folder[PATH_ROOM];
    (void)argv;
    if (argc > 1) {
        list();
        return EXIT_SUCCESS;
    }
    folder_make(folder);
    snprintf(path, sizeof path, "%s/s.runtime.json", folder);
    file_put(path, "as it was", 9);
    record = own_record("s");
    fields.session_id = "s";
    fields.work_dir = ROOT "/w";
    memset(&out, 0x5a, sizeof out);
    memcpy(&untouched, &out, sizeof out);
    RUN(a_null_that_must_not_be_is_invalid_input);
    RUN(a_refused_call_touches_no_file);
    RUN(a_value_of_null_is_the_absent_one);
    RUN(options_a_home_and_what_is_freed_may_be_null);
    sessionreg_record_free(record);
    folder_remove(folder);
    return check_result();
}
