/* NULL for every pointer of every function: said to be what it is, and nothing written.
 *
 * With an argument the program says instead which parameters it tries; tests/c/run.sh compares that
 * with the header, so that none is forgotten. */
#include "example_registry.h"
#include "restoring.h"
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
    sessionreg_sources *sources;
    sessionreg_snapshot *snapshot;
    sessionreg_agent_session *agent_session;
    sessionreg_agent_sessions *agent_sessions;
    sessionreg_monitor *monitor;
    sessionreg_batch *batch;
    sessionreg_polled *polled;
    sessionreg_cleaned *cleaned;
    int fd;
    sessionreg_restore_table *table;
    sessionreg_outcome outcome;
    sessionreg_lease *lease;
    sessionreg_channel *channel;
    sessionreg_restoring *restoring;
    sessionreg_waiting *waiting;
    sessionreg_subscription *subscription;
    sessionreg_event *event;
    sessionreg_restored_list *restored;
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
static sessionreg_sources *sources;
static sessionreg_snapshot *snapshot;
static sessionreg_monitor *monitor;
static sessionreg_batch *batch;
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

static void a_null_for_a_snapshot_is_invalid_input(void) {
    const sessionreg_agent_session *const one = sessionreg_snapshot_get(snapshot, 0);
    CHECK(only_list || one != NULL);
    REFUSED(sessionreg_sources_default, sources, NULL);
    REFUSED(sessionreg_sources_none, sources, NULL);
    REFUSED(sessionreg_sources_add, sources, NULL, SESSIONREG_SOURCE_CODEX, "/c");
    REFUSED(sessionreg_sources_add, folder, sources, SESSIONREG_SOURCE_CODEX, NULL);
    REFUSED(sessionreg_sources_clear, sources, NULL, SESSIONREG_SOURCE_CODEX);
    REFUSED(sessionreg_sources_set_processes, sources, NULL, true);
    REFUSED(sessionreg_sources_set_multiplexers, sources, NULL, true);
    REFUSED(sessionreg_sources_set_superseded, sources, NULL, true);
    REFUSED(sessionreg_sources_set_dead_within, sources, NULL, 1);
    REFUSED(sessionreg_snapshot_take, snapshot, sources, NULL);
    REFUSED(sessionreg_snapshot_to_json, snapshot, NULL, &out.string);
    REFUSED(sessionreg_snapshot_to_json, json, snapshot, NULL);
    REFUSED(sessionreg_snapshot_live, snapshot, NULL, &out.agent_sessions);
    REFUSED(sessionreg_snapshot_live, sessions, snapshot, NULL);
    REFUSED(sessionreg_snapshot_find_by_pid, snapshot, NULL, 1, &out.agent_sessions);
    REFUSED(sessionreg_snapshot_find_by_pid, sessions, snapshot, 1, NULL);
    REFUSED(sessionreg_snapshot_find_by_session, snapshot, NULL, "s", &out.agent_sessions);
    REFUSED(sessionreg_snapshot_find_by_session, session_id, snapshot, NULL, &out.agent_sessions);
    REFUSED(sessionreg_snapshot_find_by_session, sessions, snapshot, "s", NULL);
    REFUSED(sessionreg_snapshot_find_by_work_dir, snapshot, NULL, "/w", &out.agent_sessions);
    REFUSED(sessionreg_snapshot_find_by_work_dir, work_dir, snapshot, NULL, &out.agent_sessions);
    REFUSED(sessionreg_snapshot_find_by_work_dir, sessions, snapshot, "/w", NULL);
    REFUSED(sessionreg_snapshot_owner_of, snapshot, NULL, 1, &out.agent_sessions);
    REFUSED(sessionreg_snapshot_owner_of, sessions, snapshot, 1, NULL);
    REFUSED(sessionreg_snapshot_find_under, snapshot, NULL, 1, &out.agent_sessions);
    REFUSED(sessionreg_snapshot_find_under, sessions, snapshot, 1, NULL);
    REFUSED(sessionreg_agent_session_clone, session, NULL, &out.agent_session);
    REFUSED(sessionreg_agent_session_clone, copy, one, NULL);
    REFUSED(sessionreg_agent_session_to_json, session, NULL, &out.string);
    REFUSED(sessionreg_agent_session_to_json, json, one, NULL);
    REFUSED(sessionreg_agent_session_extra_get, session, NULL, "k", &out.string);
    REFUSED(sessionreg_agent_session_extra_get, key, one, NULL, &out.string);
    REFUSED(sessionreg_agent_session_extra_get, json, one, "k", NULL);
    REFUSED(sessionreg_agent_session_extra_to_json, session, NULL, &out.string);
    REFUSED(sessionreg_agent_session_extra_to_json, json, one, NULL);
}

static void a_null_for_a_monitor_is_invalid_input(void) {
    const char *const folders[1] = {folder}, *const nothing[1] = {NULL};
    REFUSED(sessionreg_monitor_open, monitor, sources, NULL, NULL);
    REFUSED(sessionreg_monitor_snapshot, monitor, NULL, &out.snapshot);
    REFUSED(sessionreg_monitor_snapshot, snapshot, monitor, NULL);
    REFUSED(sessionreg_monitor_next, monitor, NULL, -1, &out.batch);
    REFUSED(sessionreg_monitor_next, batch, monitor, -1, NULL);
    REFUSED(sessionreg_monitor_wait, monitor, NULL, NULL, -1, &out.batch);
    REFUSED(sessionreg_monitor_wait, batch, monitor, NULL, -1, NULL);
    REFUSED(sessionreg_monitor_fd, monitor, NULL, &out.fd);
    REFUSED(sessionreg_monitor_fd, fd, monitor, NULL);
    REFUSED(sessionreg_monitor_polled, monitor, NULL, &out.polled);
    REFUSED(sessionreg_monitor_polled, polled, monitor, NULL);
    REFUSED(sessionreg_monitor_record_turn_start, monitor, NULL, &out.count);
    REFUSED(sessionreg_monitor_record_turn_start, count, monitor, NULL);
    REFUSED(sessionreg_monitor_clean_up, monitor, NULL, folders, 1, NULL, &out.cleaned);
    REFUSED(sessionreg_monitor_clean_up, folders, monitor, NULL, 1, NULL, &out.cleaned);
    REFUSED(sessionreg_monitor_clean_up, folders, monitor, nothing, 1, NULL, &out.cleaned);
    REFUSED(sessionreg_monitor_clean_up, cleaned, monitor, folders, 1, NULL, NULL);
    REFUSED(sessionreg_monitor_close, monitor, NULL);
    REFUSED(sessionreg_batch_to_json, batch, NULL, &out.string);
    REFUSED(sessionreg_batch_to_json, json, batch, NULL);
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

static void a_value_of_no_snapshot_or_batch_is_the_absent_one(void) {
    ACCEPTED(sessionreg_snapshot_len, snapshot, sessionreg_snapshot_len(NULL) == 0);
    ACCEPTED(sessionreg_snapshot_get, snapshot, sessionreg_snapshot_get(NULL, 0) == NULL);
    ACCEPTED(sessionreg_snapshot_skipped_len, snapshot, sessionreg_snapshot_skipped_len(NULL) == 0);
    ACCEPTED(sessionreg_snapshot_skipped_get, snapshot,
             sessionreg_snapshot_skipped_get(NULL, 0) == NULL);
    ACCEPTED(sessionreg_snapshot_dead_before, snapshot, sessionreg_snapshot_dead_before(NULL) == 0);
    ACCEPTED(sessionreg_snapshot_count_live, snapshot, sessionreg_snapshot_count_live(NULL) == 0);
    ACCEPTED(sessionreg_snapshot_taken_at, snapshot, isnan(sessionreg_snapshot_taken_at(NULL)));
    NO_TEXT(sessionreg_snapshot_cursor, snapshot);
    ACCEPTED(sessionreg_agent_sessions_len, sessions, sessionreg_agent_sessions_len(NULL) == 0);
    ACCEPTED(sessionreg_agent_sessions_get, sessions,
             sessionreg_agent_sessions_get(NULL, 0) == NULL);
    ACCEPTED(sessionreg_batch_reset, batch, !sessionreg_batch_reset(NULL));
    ACCEPTED(sessionreg_batch_at, batch, isnan(sessionreg_batch_at(NULL)));
    ACCEPTED(sessionreg_batch_added_len, batch, sessionreg_batch_added_len(NULL) == 0);
    ACCEPTED(sessionreg_batch_added_get, batch, sessionreg_batch_added_get(NULL, 0) == NULL);
    ACCEPTED(sessionreg_batch_changed_len, batch, sessionreg_batch_changed_len(NULL) == 0);
    ACCEPTED(sessionreg_batch_changed_get, batch, sessionreg_batch_changed_get(NULL, 0) == NULL);
    ACCEPTED(sessionreg_batch_removed_len, batch, sessionreg_batch_removed_len(NULL) == 0);
    ACCEPTED(sessionreg_batch_removed_get, batch,
             sessionreg_batch_removed_get(NULL, 0).data == NULL);
    NO_TEXT(sessionreg_batch_cursor, batch);
    ACCEPTED(sessionreg_polled_len, polled, sessionreg_polled_len(NULL) == 0);
    ACCEPTED(sessionreg_polled_what, polled, sessionreg_polled_what(NULL, 0).data == NULL);
    ACCEPTED(sessionreg_polled_every, polled, isnan(sessionreg_polled_every(NULL, 0)));
    ACCEPTED(sessionreg_cleaned_removed_len, cleaned, sessionreg_cleaned_removed_len(NULL) == 0);
    ACCEPTED(sessionreg_cleaned_removed_get, cleaned,
             sessionreg_cleaned_removed_get(NULL, 0) == NULL);
    ACCEPTED(sessionreg_cleaned_failed_len, cleaned, sessionreg_cleaned_failed_len(NULL) == 0);
    ACCEPTED(sessionreg_cleaned_failed_get, cleaned,
             sessionreg_cleaned_failed_get(NULL, 0) == NULL);
    NO_TEXT(sessionreg_tidied_path, tidied);
    NO_TEXT(sessionreg_tidied_reason, tidied);
}

static void a_value_of_no_agent_session_is_the_absent_one(void) {
    const sessionreg_agent_session *const one = sessionreg_snapshot_get(snapshot, 0);
    ACCEPTED(sessionreg_agent_session_equal, session, !sessionreg_agent_session_equal(NULL, one));
    ACCEPTED(sessionreg_agent_session_equal, other, !sessionreg_agent_session_equal(one, NULL));
    ACCEPTED(sessionreg_agent_session_verdict, session,
             sessionreg_agent_session_verdict(NULL).state == SESSIONREG_STATE_UNKNOWN &&
                 sessionreg_agent_session_verdict(NULL).reason == SESSIONREG_REASON_NONE);
    NO_TEXT(sessionreg_agent_session_key, session);
    NO_TEXT(sessionreg_agent_session_agent, session);
    NO_TEXT(sessionreg_agent_session_session_id, session);
    NO_TEXT(sessionreg_agent_session_tty, session);
    NO_TEXT(sessionreg_agent_session_work_dir, session);
    NO_TEXT(sessionreg_agent_session_kind, session);
    NO_TEXT(sessionreg_agent_session_status, session);
    NO_TEXT(sessionreg_agent_session_waiting_for, session);
    NO_TEXT(sessionreg_agent_session_name, session);
    NO_TEXT(sessionreg_agent_session_parent_session_id, session);
    NO_TEXT(sessionreg_agent_session_terminal_multiplexer, session);
    NO_TEXT(sessionreg_agent_session_terminal_session, session);
    NO_TEXT(sessionreg_agent_session_terminal_pane, session);
    NO_TEXT(sessionreg_agent_session_transcript_path, session);
    NO_TEXT(sessionreg_agent_session_superseded_by, session);
    ACCEPTED(sessionreg_agent_session_pid, session, sessionreg_agent_session_pid(NULL) == 0);
    ACCEPTED(sessionreg_agent_session_started_at, session,
             isnan(sessionreg_agent_session_started_at(NULL)));
    ACCEPTED(sessionreg_agent_session_updated_at, session,
             isnan(sessionreg_agent_session_updated_at(NULL)));
    ACCEPTED(sessionreg_agent_session_transcript_mtime_ns, session,
             sessionreg_agent_session_transcript_mtime_ns(NULL) == -1);
    ACCEPTED(sessionreg_agent_session_context_usage_current_tokens, session,
             sessionreg_agent_session_context_usage_current_tokens(NULL) == -1);
    ACCEPTED(sessionreg_agent_session_context_usage_window, session,
             sessionreg_agent_session_context_usage_window(NULL) == -1);
    ACCEPTED(sessionreg_agent_session_turn_start_tokens, session,
             sessionreg_agent_session_turn_start_tokens(NULL) == -1);
    ACCEPTED(sessionreg_agent_session_sources_len, session,
             sessionreg_agent_session_sources_len(NULL) == 0);
    ACCEPTED(sessionreg_agent_session_sources_get, session,
             sessionreg_agent_session_sources_get(NULL, 0).data == NULL);
    ACCEPTED(sessionreg_agent_session_files_len, session,
             sessionreg_agent_session_files_len(NULL) == 0);
    ACCEPTED(sessionreg_agent_session_files_get, session,
             sessionreg_agent_session_files_get(NULL, 0).data == NULL);
    ACCEPTED(sessionreg_agent_session_extra_count, session,
             sessionreg_agent_session_extra_count(NULL) == 0);
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
    ACCEPTED(sessionreg_sources_free, sources, (sessionreg_sources_free(NULL), true));
    ACCEPTED(sessionreg_agent_session_free, session, (sessionreg_agent_session_free(NULL), true));
    ACCEPTED(sessionreg_agent_sessions_free, sessions,
             (sessionreg_agent_sessions_free(NULL), true));
    ACCEPTED(sessionreg_snapshot_free, snapshot, (sessionreg_snapshot_free(NULL), true));
    ACCEPTED(sessionreg_batch_free, batch, (sessionreg_batch_free(NULL), true));
    ACCEPTED(sessionreg_monitor_free, monitor, (sessionreg_monitor_free(NULL), true));
    ACCEPTED(sessionreg_polled_free, polled, (sessionreg_polled_free(NULL), true));
    ACCEPTED(sessionreg_cleaned_free, cleaned, (sessionreg_cleaned_free(NULL), true));
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

/* What NULL names as sources is of the machine, and not looked at here. */
static void sources_options_and_a_cursor_may_be_null(void) {
    const char *const folders[1] = {folder};
    sessionreg_snapshot *taken = NULL;
    sessionreg_monitor *opened = NULL;
    sessionreg_batch *first = NULL;
    sessionreg_cleaned *cleaned = NULL;
    sessionreg_monitor_options options = SESSIONREG_MONITOR_OPTIONS_INIT;
    ACCEPTED(sessionreg_snapshot_take, sources, OK(sessionreg_snapshot_take(NULL, &taken, NULL)));
    sessionreg_snapshot_free(taken);
    ACCEPTED(sessionreg_monitor_open, sources,
             OK(sessionreg_monitor_open(NULL, &options, &opened, NULL)));
    sessionreg_monitor_free(opened);
    opened = NULL;
    ACCEPTED(sessionreg_monitor_open, options,
             OK(sessionreg_monitor_open(sources, NULL, &opened, NULL)));
    ACCEPTED(sessionreg_monitor_wait, cursor,
             OK(sessionreg_monitor_wait(opened, NULL, 0, &first, NULL)));
    sessionreg_batch_free(first);
    ACCEPTED(sessionreg_monitor_clean_up, options,
             OK(sessionreg_monitor_clean_up(opened, folders, 1, NULL, &cleaned, NULL)));
    sessionreg_cleaned_free(cleaned);
    cleaned = NULL;
    ACCEPTED(sessionreg_monitor_clean_up, folders,
             OK(sessionreg_monitor_clean_up(opened, NULL, 0, NULL, &cleaned, NULL)));
    sessionreg_cleaned_free(cleaned);
    sessionreg_monitor_free(opened);
}

/* ---- Restoring a session once ---------------------------------------------------------------- */

static sessionreg_restore_table *table;
static request running, live, waits;
static sessionreg_channel *channel;
static sessionreg_subscription *subscription;

static void have_a_table(void) {
    table = table_with(NULL);
    live = load(table, "live");
    CHECK_OK(complete(&live, &live, NULL));
    running = load(table, "r");
    waits = load(table, "r");
    CHECK_OK(sessionreg_channel_new(table, NULL, NULL, &channel, NULL));
    CHECK_OK(sessionreg_restore_subscribe(table, "live", NULL, &subscription, NULL));
}

static void a_null_for_a_restore_table_is_invalid_input(void) {
    const uint32_t action = SESSIONREG_ACTION_LOAD;
    const char *const cwd = ROOT "/w";
    REFUSED(sessionreg_restore_table_new, table, NULL, NULL);
    REFUSED(sessionreg_restore_table_close, table, NULL, 0);
    REFUSED(sessionreg_restore_end, table, NULL, "live");
    REFUSED(sessionreg_restore_end, session_id, table, NULL);
    REFUSED(sessionreg_restore_end_if_unattached, table, NULL, "live", &out.removed);
    REFUSED(sessionreg_restore_end_if_unattached, session_id, table, NULL, &out.removed);
    REFUSED(sessionreg_restore_end_if_unattached, ended, table, "live", NULL);
    REFUSED(sessionreg_restore_publish, table, NULL, "live", "e", 1, &out.string);
    REFUSED(sessionreg_restore_publish, session_id, table, NULL, "e", 1, &out.string);
    REFUSED(sessionreg_restore_publish, data, table, "live", NULL, 1, &out.string);
    REFUSED(sessionreg_restore_default_target, table, NULL, &out.string);
    REFUSED(sessionreg_restore_default_target, session_id, table, NULL);
    REFUSED(sessionreg_restore_sessions, table, NULL, &out.restored);
    REFUSED(sessionreg_restore_sessions, list, table, NULL);
    REFUSED(sessionreg_restore_subscribe, table, NULL, "live", "0", &out.subscription);
    REFUSED(sessionreg_restore_subscribe, session_id, table, NULL, "0", &out.subscription);
    REFUSED(sessionreg_restore_subscribe, subscription, table, "live", "0", NULL);
    REFUSED(sessionreg_subscription_next, subscription, NULL, 0, &out.event);
    REFUSED(sessionreg_subscription_next, event, subscription, 0, NULL);
    REFUSED(sessionreg_channel_new, table, NULL, NULL, NULL, &out.channel);
    REFUSED(sessionreg_channel_new, channel, table, NULL, NULL, NULL);
    REFUSED(sessionreg_channel_exited, channel, NULL, "info");
    REFUSED(sessionreg_channel_exited, info, channel, NULL);
    REFUSED(sessionreg_restore_begin, table, NULL, action, "n", cwd, &out.outcome, &out.lease,
            &out.restoring, &out.waiting);
    REFUSED(sessionreg_restore_begin, session_id, table, action, NULL, cwd, &out.outcome,
            &out.lease, &out.restoring, &out.waiting);
    REFUSED(sessionreg_restore_begin, cwd, table, action, "n", NULL, &out.outcome, &out.lease,
            &out.restoring, &out.waiting);
    REFUSED(sessionreg_restore_begin, outcome, table, action, "n", cwd, NULL, &out.lease,
            &out.restoring, &out.waiting);
    REFUSED(sessionreg_restore_begin, lease, table, action, "n", cwd, &out.outcome, NULL,
            &out.restoring, &out.waiting);
    REFUSED(sessionreg_restore_begin, restoring, table, action, "n", cwd, &out.outcome, &out.lease,
            NULL, &out.waiting);
    REFUSED(sessionreg_restore_begin, waiting, table, action, "n", cwd, &out.outcome, &out.lease,
            &out.restoring, NULL);
}

static void a_null_for_a_restore_or_a_lease_is_invalid_input(void) {
    sessionreg_restoring *const run = running.restoring;
    sessionreg_waiting *const place = waits.waiting;
    REFUSED(sessionreg_restoring_carried_by, restoring, NULL, channel);
    REFUSED(sessionreg_restoring_carried_by, channel, run, NULL);
    REFUSED(sessionreg_restoring_split, restoring, NULL, &out.waiting);
    REFUSED(sessionreg_restoring_split, waiting, run, NULL);
    REFUSED(sessionreg_restoring_complete, restoring, NULL, &out, NULL, &out.lease);
    REFUSED(sessionreg_restoring_complete, lease, run, &out, NULL, NULL);
    REFUSED(sessionreg_restoring_fail, restoring, NULL, SESSIONREG_STATUS_IO, "m");
    REFUSED(sessionreg_restoring_fail, message, run, SESSIONREG_STATUS_IO, NULL);
    REFUSED(sessionreg_waiting_wait, waiting, NULL, 0, &out.outcome, &out.lease, &out.restoring);
    REFUSED(sessionreg_waiting_wait, outcome, place, 0, NULL, &out.lease, &out.restoring);
    REFUSED(sessionreg_waiting_wait, lease, place, 0, &out.outcome, NULL, &out.restoring);
    REFUSED(sessionreg_waiting_wait, restoring, place, 0, &out.outcome, &out.lease, NULL);
    REFUSED(sessionreg_waiting_cancel, waiting, NULL);
    REFUSED(sessionreg_waiting_time_out, waiting, NULL);
    REFUSED(sessionreg_lease_release, lease, NULL, &out.removed);
    REFUSED(sessionreg_lease_release, ended, live.lease, NULL);
}

static void a_refused_call_changes_no_table(void) {
    sessionreg_restored_list *sessions = NULL;
    CHECK_OK(sessionreg_restore_sessions(table, &sessions, NULL));
    CHECK(sessionreg_restored_list_len(sessions) == 2);
    const sessionreg_restored *session = sessionreg_restored_list_get(sessions, 0);
    CHECK_TEXT(sessionreg_restored_session_id(session), "live");
    CHECK(sessionreg_restored_stage(session) == SESSIONREG_STAGE_LIVE);
    CHECK(sessionreg_restored_attachments(session) == 1);
    CHECK(sessionreg_restored_subscribers(session) == 1);
    session = sessionreg_restored_list_get(sessions, 1);
    CHECK(sessionreg_restored_action(session) == SESSIONREG_ACTION_LOAD);
    CHECK(sessionreg_restored_stage(session) == SESSIONREG_STAGE_RESTORING);
    CHECK(sessionreg_restored_attachments(session) == 2);
    sessionreg_restored_list_free(sessions);
}

static void a_value_of_no_restore_is_the_absent_one(void) {
    NO_TEXT(sessionreg_error_session_id, error);
    NO_TEXT(sessionreg_error_active, error);
    NO_TEXT(sessionreg_error_requested, error);
    NO_TEXT(sessionreg_error_reason, error);
    NO_TEXT(sessionreg_error_bound, error);
    ACCEPTED(sessionreg_error_retry_after, error, isnan(sessionreg_error_retry_after(NULL)));
    ACCEPTED(sessionreg_error_limit, error, sessionreg_error_limit(NULL) == -1);
    NO_TEXT(sessionreg_lease_session_id, lease);
    ACCEPTED(sessionreg_lease_attached, lease, !sessionreg_lease_attached(NULL));
    ACCEPTED(sessionreg_lease_state, lease, sessionreg_lease_state(NULL) == NULL);
    ACCEPTED(sessionreg_lease_ended, lease,
             sessionreg_lease_ended(NULL) == SESSIONREG_END_REASON_NONE);
    ACCEPTED(sessionreg_channel_is_open, channel, !sessionreg_channel_is_open(NULL));
    NO_TEXT(sessionreg_restoring_session_id, restoring);
    ACCEPTED(sessionreg_restoring_cancelled, restoring, !sessionreg_restoring_cancelled(NULL));
    ACCEPTED(sessionreg_subscription_over, subscription, !sessionreg_subscription_over(NULL));
    ACCEPTED(sessionreg_event_kind_of, event,
             sessionreg_event_kind_of(NULL) == SESSIONREG_EVENT_NONE);
    NO_TEXT(sessionreg_event_id, event);
    ACCEPTED(sessionreg_event_number, event, sessionreg_event_number(NULL) == -1);
    NO_TEXT(sessionreg_event_data, event);
    ACCEPTED(sessionreg_event_missed, event, sessionreg_event_missed(NULL) == -1);
    ACCEPTED(sessionreg_event_end_reason, event,
             sessionreg_event_end_reason(NULL) == SESSIONREG_END_REASON_NONE);
    ACCEPTED(sessionreg_restored_list_len, list, sessionreg_restored_list_len(NULL) == 0);
    ACCEPTED(sessionreg_restored_list_get, list, sessionreg_restored_list_get(NULL, 0) == NULL);
    NO_TEXT(sessionreg_restored_session_id, session);
    ACCEPTED(sessionreg_restored_action, session,
             sessionreg_restored_action(NULL) == SESSIONREG_ACTION_NONE);
    ACCEPTED(sessionreg_restored_stage, session,
             sessionreg_restored_stage(NULL) == SESSIONREG_STAGE_NONE);
    ACCEPTED(sessionreg_restored_attachments, session, sessionreg_restored_attachments(NULL) == 0);
    ACCEPTED(sessionreg_restored_subscribers, session, sessionreg_restored_subscribers(NULL) == 0);
}

static void what_a_restore_need_not_be_given_may_be_null(void) {
    sessionreg_restore_table *own = NULL;
    sessionreg_channel *made = NULL;
    sessionreg_subscription *other = NULL;
    ACCEPTED(sessionreg_restore_table_new, options,
             OK(sessionreg_restore_table_new(NULL, &own, NULL)));
    ACCEPTED(sessionreg_restore_publish, event_id,
             OK(sessionreg_restore_publish(table, "live", "e", 1, NULL, NULL)));
    ACCEPTED(sessionreg_restore_subscribe, last_event_id,
             OK(sessionreg_restore_subscribe(table, "live", NULL, &other, NULL)));
    ACCEPTED(sessionreg_channel_new, context,
             OK(sessionreg_channel_new(table, NULL, NULL, &made, NULL)));
    ACCEPTED(sessionreg_restoring_complete, state, OK(complete(&running, NULL, NULL)));
    sessionreg_channel_free(made);
    sessionreg_subscription_free(other);
    sessionreg_restore_table_free(own);
    ACCEPTED(sessionreg_restore_table_free, table, (sessionreg_restore_table_free(NULL), true));
    ACCEPTED(sessionreg_lease_free, lease, (sessionreg_lease_free(NULL), true));
    ACCEPTED(sessionreg_channel_free, channel, (sessionreg_channel_free(NULL), true));
    ACCEPTED(sessionreg_restoring_free, restoring, (sessionreg_restoring_free(NULL), true));
    ACCEPTED(sessionreg_waiting_free, waiting, (sessionreg_waiting_free(NULL), true));
    ACCEPTED(sessionreg_subscription_free, subscription,
             (sessionreg_subscription_free(NULL), true));
    ACCEPTED(sessionreg_event_free, event, (sessionreg_event_free(NULL), true));
    ACCEPTED(sessionreg_restored_list_free, list, (sessionreg_restored_list_free(NULL), true));
}

static void free_the_table(void) {
    sessionreg_subscription_free(subscription);
    sessionreg_channel_free(channel);
    request_free(&live);
    request_free(&running);
    request_free(&waits);
    table_end(table);
}

/* ---------------------------------------------------------------------------------------------- */

static void list(void) {
    only_list = 1;
    a_null_that_must_not_be_is_invalid_input();
    a_null_for_a_registry_or_a_session_is_invalid_input();
    a_null_for_a_snapshot_is_invalid_input();
    a_null_for_a_monitor_is_invalid_input();
    a_value_of_null_is_the_absent_one();
    a_value_of_no_registry_list_or_session_is_the_absent_one();
    a_value_of_no_snapshot_or_batch_is_the_absent_one();
    a_value_of_no_agent_session_is_the_absent_one();
    options_a_home_and_what_is_freed_may_be_null();
    a_folder_options_and_a_patch_may_be_null();
    sources_options_and_a_cursor_may_be_null();
    a_null_for_a_restore_table_is_invalid_input();
    a_null_for_a_restore_or_a_lease_is_invalid_input();
    a_value_of_no_restore_is_the_absent_one();
    what_a_restore_need_not_be_given_may_be_null();
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
    CHECK_OK(sessionreg_sources_none(&sources, NULL));
    CHECK_OK(sessionreg_sources_add(sources, SESSIONREG_SOURCE_REGISTRY, sessions, NULL));
    CHECK_OK(sessionreg_monitor_open(sources, NULL, &monitor, NULL));
    CHECK_OK(sessionreg_monitor_snapshot(monitor, &snapshot, NULL));
    CHECK_OK(sessionreg_monitor_next(monitor, 0, &batch, NULL));
    memset(&out, 0x5a, sizeof out);
    memcpy(&untouched, &out, sizeof out);
    RUN(a_null_that_must_not_be_is_invalid_input);
    RUN(a_null_for_a_registry_or_a_session_is_invalid_input);
    RUN(a_null_for_a_snapshot_is_invalid_input);
    RUN(a_null_for_a_monitor_is_invalid_input);
    RUN(a_refused_call_touches_no_file);
    RUN(a_value_of_null_is_the_absent_one);
    RUN(a_value_of_no_registry_list_or_session_is_the_absent_one);
    RUN(a_value_of_no_snapshot_or_batch_is_the_absent_one);
    RUN(a_value_of_no_agent_session_is_the_absent_one);
    RUN(options_a_home_and_what_is_freed_may_be_null);
    RUN(a_folder_options_and_a_patch_may_be_null);
    RUN(sources_options_and_a_cursor_may_be_null);
    sessionreg_batch_free(batch);
    sessionreg_snapshot_free(snapshot);
    sessionreg_monitor_free(monitor);
    sessionreg_sources_free(sources);
    have_a_table();
    RUN(a_null_for_a_restore_table_is_invalid_input);
    RUN(a_null_for_a_restore_or_a_lease_is_invalid_input);
    RUN(a_refused_call_changes_no_table);
    RUN(a_value_of_no_restore_is_the_absent_one);
    RUN(what_a_restore_need_not_be_given_may_be_null);
    free_the_table();
    CHECK_OK(sessionreg_session_close(session, NULL));
    sessionreg_session_free(session);
    sessionreg_registry_free(registry);
    sessionreg_record_free(record);
    folder_remove(folder);
    return check_result();
}
