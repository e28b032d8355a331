/* NULL for every pointer of every function: said to be what it is, and nothing written.
 *
 * With an argument the program says instead which parameters it tries; tests/c/run.sh compares that
 * with the header, so that none is forgotten. */
#include "example_registry.h"
#include <math.h>

static int only_list;

/* Where a failed call may have written: what comes out is compared with these afterwards. */
static struct {
    sessionreg_record *record;
    char *string;
    bool removed;
    sessionreg_verdict verdict;
    sessionreg_registry *registry;
    sessionreg_list *list;
    sessionreg_session *session;
    sessionreg_holder *holder;
    sessionreg_swept *swept;
    sessionreg_claim *claim;
    size_t count;
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
static sessionreg_registry *registry;
static sessionreg_session *session;
static sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
static char folder[PATH_ROOM], path[PATH_ROOM + 32], sessions[PATH_ROOM + 32];

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

static void a_null_for_a_registry_or_a_session_is_invalid_input(void) {
    const sessionreg_new made = new_session("n");
    REFUSED(sessionreg_registry_open, registry, path, NULL, NULL);
    REFUSED(sessionreg_registry_close, registry, NULL);
    REFUSED(sessionreg_registry_scan, registry, NULL, &out.list);
    REFUSED(sessionreg_registry_scan, list, registry, NULL);
    REFUSED(sessionreg_registry_live, registry, NULL, &out.list);
    REFUSED(sessionreg_registry_live, list, registry, NULL);
    REFUSED(sessionreg_registry_count_live, registry, NULL, &out.count);
    REFUSED(sessionreg_registry_count_live, count, registry, NULL);
    REFUSED(sessionreg_registry_find_by_pid, registry, NULL, 1, &out.list);
    REFUSED(sessionreg_registry_find_by_pid, list, registry, 1, NULL);
    REFUSED(sessionreg_registry_find_by_session, registry, NULL, "n", &out.list);
    REFUSED(sessionreg_registry_find_by_session, session_id, registry, NULL, &out.list);
    REFUSED(sessionreg_registry_find_by_session, list, registry, "n", NULL);
    REFUSED(sessionreg_registry_find_by_work_dir, registry, NULL, "/w", &out.list);
    REFUSED(sessionreg_registry_find_by_work_dir, work_dir, registry, NULL, &out.list);
    REFUSED(sessionreg_registry_find_by_work_dir, list, registry, "/w", NULL);
    REFUSED(sessionreg_registry_owner_of, registry, NULL, 1, &out.list);
    REFUSED(sessionreg_registry_owner_of, list, registry, 1, NULL);
    REFUSED(sessionreg_registry_find_under, registry, NULL, 1, &out.list);
    REFUSED(sessionreg_registry_find_under, list, registry, 1, NULL);
    REFUSED(sessionreg_registry_register, registry, NULL, &made, &out.session);
    REFUSED(sessionreg_registry_register, new_session, registry, NULL, &out.session);
    REFUSED(sessionreg_registry_register, session, registry, &made, NULL);
    REFUSED(sessionreg_registry_open_session, registry, NULL, "n", &out.session);
    REFUSED(sessionreg_registry_open_session, session_id, registry, NULL, &out.session);
    REFUSED(sessionreg_registry_open_session, session, registry, "n", NULL);
    REFUSED(sessionreg_registry_open_session_of_pid, registry, NULL, 1, &out.session);
    REFUSED(sessionreg_registry_open_session_of_pid, session, registry, 1, NULL);
    REFUSED(sessionreg_registry_sweep, registry, NULL, NULL, &out.swept);
    REFUSED(sessionreg_registry_sweep, swept, registry, NULL, NULL);
    REFUSED(sessionreg_registry_claim, registry, NULL, "a", "n", &out.claim);
    REFUSED(sessionreg_registry_claim, agent, registry, NULL, "n", &out.claim);
    REFUSED(sessionreg_registry_claim, session_id, registry, "a", NULL, &out.claim);
    REFUSED(sessionreg_registry_claim, claim, registry, "a", "n", NULL);
    REFUSED(sessionreg_claim_release, claim, NULL);
    REFUSED(sessionreg_session_update, session, NULL, "{}");
    REFUSED(sessionreg_session_update, patch_json, session, NULL);
    REFUSED(sessionreg_session_switch, session, NULL, "n", NULL);
    REFUSED(sessionreg_session_switch, new_id, session, NULL, NULL);
    REFUSED(sessionreg_session_refresh, session, NULL);
    REFUSED(sessionreg_session_leave, session, NULL);
    REFUSED(sessionreg_session_close, session, NULL);
    REFUSED(sessionreg_session_record, session, NULL, &out.record);
    REFUSED(sessionreg_session_record, record, session, NULL);
    REFUSED(sessionreg_session_sidecar_path, session, NULL, &out.string);
    REFUSED(sessionreg_session_sidecar_path, path, session, NULL);
    REFUSED(sessionreg_session_sidecar_holder, session, NULL, &out.holder);
    REFUSED(sessionreg_session_sidecar_holder, holder, session, NULL);
    REFUSED(sessionreg_session_pid_file_holder, session, NULL, &out.holder);
    REFUSED(sessionreg_session_pid_file_holder, holder, session, NULL);
}

/* No file is made, changed or removed by a refused call. */
static void a_refused_call_touches_no_file(void) {
    size_t length;
    char *bytes = file_get(path, &length);
    CHECK_STRING(bytes, "as it was");
    free(bytes);
    CHECK(folder_count(folder) == 2);
    CHECK(folder_count(sessionreg_registry_dir(registry).data) == 1);
    CHECK(sessionreg_session_registered(session));
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
    NO_TEXT(sessionreg_record_status, record);
    NO_TEXT(sessionreg_record_waiting_for, record);
    ACCEPTED(sessionreg_record_updated_at, record, isnan(sessionreg_record_updated_at(NULL)));
    ACCEPTED(sessionreg_record_status_updated_at, record,
             isnan(sessionreg_record_status_updated_at(NULL)));
}

static void a_value_of_no_registry_list_or_session_is_the_absent_one(void) {
    ACCEPTED(sessionreg_error_holder, error, sessionreg_error_holder(NULL) == NULL);
    ACCEPTED(sessionreg_holder_pid, holder, sessionreg_holder_pid(NULL) == 0);
    NO_TEXT(sessionreg_holder_session_id, holder);
    NO_TEXT(sessionreg_holder_host, holder);
    NO_TEXT(sessionreg_holder_path, holder);
    NO_TEXT(sessionreg_registry_dir, registry);
    ACCEPTED(sessionreg_registry_dialect, registry,
             sessionreg_registry_dialect(NULL) == SESSIONREG_DIALECT_DETECTED);
    ACCEPTED(sessionreg_list_len, list, sessionreg_list_len(NULL) == 0);
    ACCEPTED(sessionreg_list_get, list, sessionreg_list_get(NULL, 0) == NULL);
    ACCEPTED(sessionreg_list_skipped_len, list, sessionreg_list_skipped_len(NULL) == 0);
    ACCEPTED(sessionreg_list_skipped_get, list, sessionreg_list_skipped_get(NULL, 0) == NULL);
    ACCEPTED(sessionreg_entry_record, entry, sessionreg_entry_record(NULL) == NULL);
    ACCEPTED(sessionreg_entry_verdict, entry,
             sessionreg_entry_verdict(NULL).state == SESSIONREG_STATE_UNKNOWN &&
                 sessionreg_entry_verdict(NULL).reason == SESSIONREG_REASON_NONE);
    NO_TEXT(sessionreg_entry_path, entry);
    NO_TEXT(sessionreg_skipped_path, skipped);
    ACCEPTED(sessionreg_skipped_status, skipped,
             sessionreg_skipped_status(NULL) == SESSIONREG_STATUS_INVALID_INPUT);
    NO_TEXT(sessionreg_skipped_reason, skipped);
    ACCEPTED(sessionreg_session_registered, session, !sessionreg_session_registered(NULL));
    ACCEPTED(sessionreg_session_pid, session, sessionreg_session_pid(NULL) == 0);
    NO_TEXT(sessionreg_session_path, session);
    ACCEPTED(sessionreg_swept_removed_len, swept, sessionreg_swept_removed_len(NULL) == 0);
    ACCEPTED(sessionreg_swept_removed_get, swept, sessionreg_swept_removed_get(NULL, 0) == NULL);
    ACCEPTED(sessionreg_swept_failed_len, swept, sessionreg_swept_failed_len(NULL) == 0);
    ACCEPTED(sessionreg_swept_failed_get, swept, sessionreg_swept_failed_get(NULL, 0) == NULL);
    ACCEPTED(sessionreg_swept_live, swept, sessionreg_swept_live(NULL) == 0);
    NO_TEXT(sessionreg_removed_path, removed);
    ACCEPTED(sessionreg_removed_reason, removed,
             sessionreg_removed_reason(NULL) == SESSIONREG_REASON_NONE);
    ACCEPTED(sessionreg_removed_record, removed, sessionreg_removed_record(NULL) == NULL);
    NO_TEXT(sessionreg_claim_path, claim);
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
    ACCEPTED(sessionreg_holder_free, holder, (sessionreg_holder_free(NULL), true));
    ACCEPTED(sessionreg_list_free, list, (sessionreg_list_free(NULL), true));
    ACCEPTED(sessionreg_registry_free, registry, (sessionreg_registry_free(NULL), true));
    ACCEPTED(sessionreg_session_free, session, (sessionreg_session_free(NULL), true));
    ACCEPTED(sessionreg_swept_free, swept, (sessionreg_swept_free(NULL), true));
    ACCEPTED(sessionreg_claim_free, claim, (sessionreg_claim_free(NULL), true));
}

static void a_folder_options_and_a_patch_may_be_null(void) {
    sessionreg_registry *own = NULL;
    sessionreg_swept *swept = NULL;
    sessionreg_registry_options options = SESSIONREG_REGISTRY_OPTIONS_INIT;
    ACCEPTED(sessionreg_registry_open, dir,
             OK(sessionreg_registry_open(NULL, &options, &own, NULL)));
    sessionreg_registry_free(own);
    own = NULL;
    ACCEPTED(sessionreg_registry_open, options,
             OK(sessionreg_registry_open(folder, NULL, &own, NULL)));
    sessionreg_registry_free(own);
    ACCEPTED(sessionreg_registry_sweep, options,
             OK(sessionreg_registry_sweep(registry, NULL, &swept, NULL)));
    sessionreg_swept_free(swept);
    ACCEPTED(sessionreg_session_switch, patch_json,
             OK(sessionreg_session_switch(session, "s", NULL, NULL)));
}

static void list(void) {
    only_list = 1;
    a_null_that_must_not_be_is_invalid_input();
    a_null_for_a_registry_or_a_session_is_invalid_input();
    a_value_of_null_is_the_absent_one();
    a_value_of_no_registry_list_or_session_is_the_absent_one();
    options_a_home_and_what_is_freed_may_be_null();
    a_folder_options_and_a_patch_may_be_null();
}

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        list();
        return EXIT_SUCCESS;
    }
    folder_make(folder);
    snprintf(path, sizeof path, "%s/s.runtime.json", folder);
    file_put(path, "as it was", 9);
    snprintf(sessions, sizeof sessions, "%s/sessions", folder);
    home_set(folder);
    record = own_record("s");
    registry = registry_in(sessions, SESSIONREG_DIALECT_OURS);
    session = registered(registry, "s");
    fields.session_id = "s";
    fields.work_dir = ROOT "/w";
    memset(&out, 0x5a, sizeof out);
    memcpy(&untouched, &out, sizeof out);
    RUN(a_null_that_must_not_be_is_invalid_input);
    RUN(a_null_for_a_registry_or_a_session_is_invalid_input);
    RUN(a_refused_call_touches_no_file);
    RUN(a_value_of_null_is_the_absent_one);
    RUN(a_value_of_no_registry_list_or_session_is_the_absent_one);
    RUN(options_a_home_and_what_is_freed_may_be_null);
    RUN(a_folder_options_and_a_patch_may_be_null);
    CHECK_OK(sessionreg_session_close(session, NULL));
    sessionreg_session_free(session);
    sessionreg_registry_free(registry);
    sessionreg_record_free(record);
    folder_remove(folder);
    return check_result();
}
