/* No panic crosses: run against a library in which every function panics at its entry.
 *
 * With an argument the program says instead which functions it calls; tests/c/run.sh compares that
 * with what the library exports. */
#include "../check.h"
#include <math.h>

static int only_list;

/* Whatever may be written; and something for pointers that must not be NULL. */
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
static max_align_t memory[64];

#define OBJECT ((void *)memory)
#define TEXT "text"

/* The status is PANIC, an error is made, and nothing is written. */
#define STATUS_IS_PANIC(function, ...) \
    do { \
        if (only_list) { \
            puts(#function); \
            break; \
        } \
        sessionreg_error *error = NULL; \
        CHECK(function(__VA_ARGS__, &error) == SESSIONREG_STATUS_PANIC); \
        CHECK(error != NULL); \
        CHECK(function(__VA_ARGS__, NULL) == SESSIONREG_STATUS_PANIC); \
        CHECK(memcmp(&out, &untouched, sizeof out) == 0); \
    } while (0)

#define VALUE_IS_ABSENT(function, condition) \
    do { \
        if (only_list) \
            puts(#function); \
        else \
            CHECK(condition); \
    } while (0)

#define TEXT_IS_ABSENT(function) VALUE_IS_ABSENT(function, function(OBJECT).data == NULL)

static void a_panic_becomes_a_status(void) {
    const sessionreg_record *records[1] = {OBJECT};
    sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
    STATUS_IS_PANIC(sessionreg_record_clone, OBJECT, &out.record);
    STATUS_IS_PANIC(sessionreg_record_new, &fields, &out.record);
    STATUS_IS_PANIC(sessionreg_record_of_process, &fields, &out.record);
    STATUS_IS_PANIC(sessionreg_record_set, OBJECT, &fields);
    STATUS_IS_PANIC(sessionreg_record_unset, OBJECT, TEXT);
    STATUS_IS_PANIC(sessionreg_record_extra_get, OBJECT, TEXT, &out.string);
    STATUS_IS_PANIC(sessionreg_record_extra_set, OBJECT, TEXT, TEXT);
    STATUS_IS_PANIC(sessionreg_record_extra_remove, OBJECT, TEXT, &out.removed);
    STATUS_IS_PANIC(sessionreg_record_extra_to_json, OBJECT, &out.string);
    STATUS_IS_PANIC(sessionreg_record_from_json, TEXT, 4, &out.record);
    STATUS_IS_PANIC(sessionreg_record_to_json, OBJECT, &out.string);
    STATUS_IS_PANIC(sessionreg_write, TEXT, OBJECT, NULL);
    STATUS_IS_PANIC(sessionreg_read, TEXT, &out.record);
    STATUS_IS_PANIC(sessionreg_load, TEXT, &out.record);
    STATUS_IS_PANIC(sessionreg_clear, TEXT, &out.removed);
    STATUS_IS_PANIC(sessionreg_clear_if, TEXT, OBJECT, &out.removed);
    STATUS_IS_PANIC(sessionreg_liveness, OBJECT, &out.verdict);
    STATUS_IS_PANIC(sessionreg_liveness_all, records, 1, &out.verdict);
    STATUS_IS_PANIC(sessionreg_session_id_check, TEXT);
    STATUS_IS_PANIC(sessionreg_sidecar_in_project, TEXT, TEXT, &out.string);
    STATUS_IS_PANIC(sessionreg_sidecar_of, TEXT, TEXT, TEXT, TEXT, &out.string);
}

static void a_panic_of_a_registry_or_a_session_becomes_a_status(void) {
    sessionreg_new made = SESSIONREG_NEW_INIT;
    STATUS_IS_PANIC(sessionreg_registry_open, TEXT, NULL, &out.registry);
    STATUS_IS_PANIC(sessionreg_registry_close, OBJECT);
    STATUS_IS_PANIC(sessionreg_registry_scan, OBJECT, &out.list);
    STATUS_IS_PANIC(sessionreg_registry_live, OBJECT, &out.list);
    STATUS_IS_PANIC(sessionreg_registry_count_live, OBJECT, &out.count);
    STATUS_IS_PANIC(sessionreg_registry_find_by_pid, OBJECT, 1, &out.list);
    STATUS_IS_PANIC(sessionreg_registry_find_by_session, OBJECT, TEXT, &out.list);
    STATUS_IS_PANIC(sessionreg_registry_find_by_work_dir, OBJECT, TEXT, &out.list);
    STATUS_IS_PANIC(sessionreg_registry_owner_of, OBJECT, 1, &out.list);
    STATUS_IS_PANIC(sessionreg_registry_find_under, OBJECT, 1, &out.list);
    STATUS_IS_PANIC(sessionreg_registry_register, OBJECT, &made, &out.session);
    STATUS_IS_PANIC(sessionreg_registry_open_session, OBJECT, TEXT, &out.session);
    STATUS_IS_PANIC(sessionreg_registry_open_session_of_pid, OBJECT, 1, &out.session);
    STATUS_IS_PANIC(sessionreg_registry_sweep, OBJECT, NULL, &out.swept);
    STATUS_IS_PANIC(sessionreg_registry_claim, OBJECT, TEXT, TEXT, &out.claim);
    STATUS_IS_PANIC(sessionreg_claim_release, OBJECT);
    STATUS_IS_PANIC(sessionreg_session_update, OBJECT, TEXT);
    STATUS_IS_PANIC(sessionreg_session_switch, OBJECT, TEXT, TEXT);
    STATUS_IS_PANIC(sessionreg_session_refresh, OBJECT);
    STATUS_IS_PANIC(sessionreg_session_leave, OBJECT);
    STATUS_IS_PANIC(sessionreg_session_close, OBJECT);
    STATUS_IS_PANIC(sessionreg_session_record, OBJECT, &out.record);
    STATUS_IS_PANIC(sessionreg_session_sidecar_path, OBJECT, &out.string);
    STATUS_IS_PANIC(sessionreg_session_sidecar_holder, OBJECT, &out.holder);
    STATUS_IS_PANIC(sessionreg_session_pid_file_holder, OBJECT, &out.holder);
}

static void a_panic_of_a_snapshot_or_a_monitor_becomes_a_status(void) {
    const char *const folders[1] = {TEXT};
    STATUS_IS_PANIC(sessionreg_sources_default, &out.sources);
    STATUS_IS_PANIC(sessionreg_sources_none, &out.sources);
    STATUS_IS_PANIC(sessionreg_sources_add, OBJECT, 1, TEXT);
    STATUS_IS_PANIC(sessionreg_sources_clear, OBJECT, 1);
    STATUS_IS_PANIC(sessionreg_sources_set_processes, OBJECT, true);
    STATUS_IS_PANIC(sessionreg_sources_set_multiplexers, OBJECT, true);
    STATUS_IS_PANIC(sessionreg_sources_set_superseded, OBJECT, true);
    STATUS_IS_PANIC(sessionreg_sources_set_dead_within, OBJECT, 1);
    STATUS_IS_PANIC(sessionreg_snapshot_take, OBJECT, &out.snapshot);
    STATUS_IS_PANIC(sessionreg_snapshot_to_json, OBJECT, &out.string);
    STATUS_IS_PANIC(sessionreg_snapshot_live, OBJECT, &out.agent_sessions);
    STATUS_IS_PANIC(sessionreg_snapshot_find_by_pid, OBJECT, 1, &out.agent_sessions);
    STATUS_IS_PANIC(sessionreg_snapshot_find_by_session, OBJECT, TEXT, &out.agent_sessions);
    STATUS_IS_PANIC(sessionreg_snapshot_find_by_work_dir, OBJECT, TEXT, &out.agent_sessions);
    STATUS_IS_PANIC(sessionreg_snapshot_owner_of, OBJECT, 1, &out.agent_sessions);
    STATUS_IS_PANIC(sessionreg_snapshot_find_under, OBJECT, 1, &out.agent_sessions);
    STATUS_IS_PANIC(sessionreg_agent_session_clone, OBJECT, &out.agent_session);
    STATUS_IS_PANIC(sessionreg_agent_session_to_json, OBJECT, &out.string);
    STATUS_IS_PANIC(sessionreg_agent_session_extra_get, OBJECT, TEXT, &out.string);
    STATUS_IS_PANIC(sessionreg_agent_session_extra_to_json, OBJECT, &out.string);
    STATUS_IS_PANIC(sessionreg_monitor_open, OBJECT, NULL, &out.monitor);
    STATUS_IS_PANIC(sessionreg_monitor_snapshot, OBJECT, &out.snapshot);
    STATUS_IS_PANIC(sessionreg_monitor_next, OBJECT, -1, &out.batch);
    STATUS_IS_PANIC(sessionreg_monitor_wait, OBJECT, TEXT, -1, &out.batch);
    STATUS_IS_PANIC(sessionreg_monitor_fd, OBJECT, &out.fd);
    STATUS_IS_PANIC(sessionreg_monitor_polled, OBJECT, &out.polled);
    STATUS_IS_PANIC(sessionreg_monitor_record_turn_start, OBJECT, &out.count);
    STATUS_IS_PANIC(sessionreg_monitor_clean_up, OBJECT, folders, 1, NULL, &out.cleaned);
    STATUS_IS_PANIC(sessionreg_monitor_close, OBJECT);
    STATUS_IS_PANIC(sessionreg_batch_to_json, OBJECT, &out.string);
}

static void a_value_is_absent_after_a_panic(void) {
    VALUE_IS_ABSENT(sessionreg_status_string, sessionreg_status_string(0) == NULL);
    VALUE_IS_ABSENT(sessionreg_state_string, sessionreg_state_string(0) == NULL);
    VALUE_IS_ABSENT(sessionreg_reason_string, sessionreg_reason_string(1) == NULL);
    VALUE_IS_ABSENT(sessionreg_version, sessionreg_version() == NULL);
    VALUE_IS_ABSENT(sessionreg_error_status,
                    sessionreg_error_status(OBJECT) == SESSIONREG_STATUS_PANIC);
    VALUE_IS_ABSENT(sessionreg_error_errno, sessionreg_error_errno(OBJECT) == 0);
    VALUE_IS_ABSENT(sessionreg_record_equal, !sessionreg_record_equal(OBJECT, OBJECT));
    VALUE_IS_ABSENT(sessionreg_record_pid, sessionreg_record_pid(OBJECT) == 0);
    VALUE_IS_ABSENT(sessionreg_record_started_at, isnan(sessionreg_record_started_at(OBJECT)));
    VALUE_IS_ABSENT(sessionreg_record_pid_ns, sessionreg_record_pid_ns(OBJECT) == -1);
    VALUE_IS_ABSENT(sessionreg_record_time_ns, sessionreg_record_time_ns(OBJECT) == -1);
    VALUE_IS_ABSENT(sessionreg_record_revision, sessionreg_record_revision(OBJECT) == -1);
    VALUE_IS_ABSENT(sessionreg_record_extra_count, sessionreg_record_extra_count(OBJECT) == 0);
    TEXT_IS_ABSENT(sessionreg_error_message);
    TEXT_IS_ABSENT(sessionreg_error_path);
    TEXT_IS_ABSENT(sessionreg_record_session_id);
    TEXT_IS_ABSENT(sessionreg_record_work_dir);
    TEXT_IS_ABSENT(sessionreg_record_hostname);
    TEXT_IS_ABSENT(sessionreg_record_agent_version);
    TEXT_IS_ABSENT(sessionreg_record_version_key);
    TEXT_IS_ABSENT(sessionreg_record_proc_start);
    TEXT_IS_ABSENT(sessionreg_record_pid_inode);
    TEXT_IS_ABSENT(sessionreg_record_host_key);
    TEXT_IS_ABSENT(sessionreg_record_platform);
    TEXT_IS_ABSENT(sessionreg_record_instance);
    TEXT_IS_ABSENT(sessionreg_record_agent);
    TEXT_IS_ABSENT(sessionreg_record_kind);
    TEXT_IS_ABSENT(sessionreg_record_name);
    TEXT_IS_ABSENT(sessionreg_record_entrypoint);
    TEXT_IS_ABSENT(sessionreg_record_transcript_path);
    TEXT_IS_ABSENT(sessionreg_record_parent_session_id);
    TEXT_IS_ABSENT(sessionreg_record_terminal_multiplexer);
    TEXT_IS_ABSENT(sessionreg_record_terminal_session);
    TEXT_IS_ABSENT(sessionreg_record_terminal_pane);
    TEXT_IS_ABSENT(sessionreg_record_status);
    TEXT_IS_ABSENT(sessionreg_record_waiting_for);
    VALUE_IS_ABSENT(sessionreg_record_updated_at, isnan(sessionreg_record_updated_at(OBJECT)));
    VALUE_IS_ABSENT(sessionreg_record_status_updated_at,
                    isnan(sessionreg_record_status_updated_at(OBJECT)));
}

static void a_value_of_a_registry_or_a_session_is_absent_after_a_panic(void) {
    VALUE_IS_ABSENT(sessionreg_dialect_string, sessionreg_dialect_string(1) == NULL);
    VALUE_IS_ABSENT(sessionreg_error_holder, sessionreg_error_holder(OBJECT) == NULL);
    VALUE_IS_ABSENT(sessionreg_holder_pid, sessionreg_holder_pid(OBJECT) == 0);
    TEXT_IS_ABSENT(sessionreg_holder_session_id);
    TEXT_IS_ABSENT(sessionreg_holder_host);
    TEXT_IS_ABSENT(sessionreg_holder_path);
    TEXT_IS_ABSENT(sessionreg_registry_dir);
    VALUE_IS_ABSENT(sessionreg_registry_dialect,
                    sessionreg_registry_dialect(OBJECT) == SESSIONREG_DIALECT_DETECTED);
    VALUE_IS_ABSENT(sessionreg_list_len, sessionreg_list_len(OBJECT) == 0);
    VALUE_IS_ABSENT(sessionreg_list_get, sessionreg_list_get(OBJECT, 0) == NULL);
    VALUE_IS_ABSENT(sessionreg_list_skipped_len, sessionreg_list_skipped_len(OBJECT) == 0);
    VALUE_IS_ABSENT(sessionreg_list_skipped_get, sessionreg_list_skipped_get(OBJECT, 0) == NULL);
    VALUE_IS_ABSENT(sessionreg_entry_record, sessionreg_entry_record(OBJECT) == NULL);
    VALUE_IS_ABSENT(sessionreg_entry_verdict,
                    sessionreg_entry_verdict(OBJECT).reason == SESSIONREG_REASON_NONE);
    TEXT_IS_ABSENT(sessionreg_entry_path);
    TEXT_IS_ABSENT(sessionreg_skipped_path);
    VALUE_IS_ABSENT(sessionreg_skipped_status,
                    sessionreg_skipped_status(OBJECT) == SESSIONREG_STATUS_PANIC);
    TEXT_IS_ABSENT(sessionreg_skipped_reason);
    VALUE_IS_ABSENT(sessionreg_session_registered, !sessionreg_session_registered(OBJECT));
    VALUE_IS_ABSENT(sessionreg_session_pid, sessionreg_session_pid(OBJECT) == 0);
    TEXT_IS_ABSENT(sessionreg_session_path);
    VALUE_IS_ABSENT(sessionreg_swept_removed_len, sessionreg_swept_removed_len(OBJECT) == 0);
    VALUE_IS_ABSENT(sessionreg_swept_removed_get, sessionreg_swept_removed_get(OBJECT, 0) == NULL);
    VALUE_IS_ABSENT(sessionreg_swept_failed_len, sessionreg_swept_failed_len(OBJECT) == 0);
    VALUE_IS_ABSENT(sessionreg_swept_failed_get, sessionreg_swept_failed_get(OBJECT, 0) == NULL);
    VALUE_IS_ABSENT(sessionreg_swept_live, sessionreg_swept_live(OBJECT) == 0);
    TEXT_IS_ABSENT(sessionreg_removed_path);
    VALUE_IS_ABSENT(sessionreg_removed_reason,
                    sessionreg_removed_reason(OBJECT) == SESSIONREG_REASON_NONE);
    VALUE_IS_ABSENT(sessionreg_removed_record, sessionreg_removed_record(OBJECT) == NULL);
    TEXT_IS_ABSENT(sessionreg_claim_path);
}

#define TEXT_AT_IS_ABSENT(function) VALUE_IS_ABSENT(function, function(OBJECT, 0).data == NULL)
#define NUMBER_IS_ABSENT(function) VALUE_IS_ABSENT(function, function(OBJECT) == -1)
#define COUNT_IS_ABSENT(function) VALUE_IS_ABSENT(function, function(OBJECT) == 0)
#define POINTER_IS_ABSENT(function) VALUE_IS_ABSENT(function, function(OBJECT, 0) == NULL)

static void a_value_of_a_snapshot_or_a_monitor_is_absent_after_a_panic(void) {
    COUNT_IS_ABSENT(sessionreg_snapshot_len);
    POINTER_IS_ABSENT(sessionreg_snapshot_get);
    COUNT_IS_ABSENT(sessionreg_snapshot_skipped_len);
    POINTER_IS_ABSENT(sessionreg_snapshot_skipped_get);
    COUNT_IS_ABSENT(sessionreg_snapshot_dead_before);
    COUNT_IS_ABSENT(sessionreg_snapshot_count_live);
    TEXT_IS_ABSENT(sessionreg_snapshot_cursor);
    VALUE_IS_ABSENT(sessionreg_snapshot_taken_at, isnan(sessionreg_snapshot_taken_at(OBJECT)));
    COUNT_IS_ABSENT(sessionreg_agent_sessions_len);
    POINTER_IS_ABSENT(sessionreg_agent_sessions_get);
    TEXT_IS_ABSENT(sessionreg_batch_cursor);
    VALUE_IS_ABSENT(sessionreg_batch_reset, !sessionreg_batch_reset(OBJECT));
    VALUE_IS_ABSENT(sessionreg_batch_at, isnan(sessionreg_batch_at(OBJECT)));
    COUNT_IS_ABSENT(sessionreg_batch_added_len);
    POINTER_IS_ABSENT(sessionreg_batch_added_get);
    COUNT_IS_ABSENT(sessionreg_batch_changed_len);
    POINTER_IS_ABSENT(sessionreg_batch_changed_get);
    COUNT_IS_ABSENT(sessionreg_batch_removed_len);
    TEXT_AT_IS_ABSENT(sessionreg_batch_removed_get);
    COUNT_IS_ABSENT(sessionreg_polled_len);
    TEXT_AT_IS_ABSENT(sessionreg_polled_what);
    VALUE_IS_ABSENT(sessionreg_polled_every, isnan(sessionreg_polled_every(OBJECT, 0)));
    COUNT_IS_ABSENT(sessionreg_cleaned_removed_len);
    POINTER_IS_ABSENT(sessionreg_cleaned_removed_get);
    COUNT_IS_ABSENT(sessionreg_cleaned_failed_len);
    POINTER_IS_ABSENT(sessionreg_cleaned_failed_get);
    TEXT_IS_ABSENT(sessionreg_tidied_path);
    TEXT_IS_ABSENT(sessionreg_tidied_reason);
}

static void a_value_of_an_agent_session_is_absent_after_a_panic(void) {
    VALUE_IS_ABSENT(sessionreg_agent_session_equal,
                    !sessionreg_agent_session_equal(OBJECT, OBJECT));
    VALUE_IS_ABSENT(sessionreg_agent_session_verdict,
                    sessionreg_agent_session_verdict(OBJECT).reason == SESSIONREG_REASON_NONE);
    TEXT_IS_ABSENT(sessionreg_agent_session_key);
    TEXT_IS_ABSENT(sessionreg_agent_session_agent);
    TEXT_IS_ABSENT(sessionreg_agent_session_session_id);
    TEXT_IS_ABSENT(sessionreg_agent_session_tty);
    TEXT_IS_ABSENT(sessionreg_agent_session_work_dir);
    TEXT_IS_ABSENT(sessionreg_agent_session_kind);
    TEXT_IS_ABSENT(sessionreg_agent_session_status);
    TEXT_IS_ABSENT(sessionreg_agent_session_waiting_for);
    TEXT_IS_ABSENT(sessionreg_agent_session_name);
    TEXT_IS_ABSENT(sessionreg_agent_session_parent_session_id);
    TEXT_IS_ABSENT(sessionreg_agent_session_terminal_multiplexer);
    TEXT_IS_ABSENT(sessionreg_agent_session_terminal_session);
    TEXT_IS_ABSENT(sessionreg_agent_session_terminal_pane);
    TEXT_IS_ABSENT(sessionreg_agent_session_transcript_path);
    TEXT_IS_ABSENT(sessionreg_agent_session_superseded_by);
    COUNT_IS_ABSENT(sessionreg_agent_session_pid);
    VALUE_IS_ABSENT(sessionreg_agent_session_started_at,
                    isnan(sessionreg_agent_session_started_at(OBJECT)));
    VALUE_IS_ABSENT(sessionreg_agent_session_updated_at,
                    isnan(sessionreg_agent_session_updated_at(OBJECT)));
    NUMBER_IS_ABSENT(sessionreg_agent_session_transcript_mtime_ns);
    NUMBER_IS_ABSENT(sessionreg_agent_session_context_usage_current_tokens);
    NUMBER_IS_ABSENT(sessionreg_agent_session_context_usage_window);
    NUMBER_IS_ABSENT(sessionreg_agent_session_turn_start_tokens);
    COUNT_IS_ABSENT(sessionreg_agent_session_sources_len);
    TEXT_AT_IS_ABSENT(sessionreg_agent_session_sources_get);
    COUNT_IS_ABSENT(sessionreg_agent_session_files_len);
    TEXT_AT_IS_ABSENT(sessionreg_agent_session_files_get);
    COUNT_IS_ABSENT(sessionreg_agent_session_extra_count);
}

/* ---- Restoring a session once ---------------------------------------------------------------- */

static void a_panic_of_a_restore_table_becomes_a_status(void) {
    STATUS_IS_PANIC(sessionreg_restore_table_new, NULL, &out.table);
    STATUS_IS_PANIC(sessionreg_restore_table_close, OBJECT, 0);
    STATUS_IS_PANIC(sessionreg_restore_end, OBJECT, TEXT);
    STATUS_IS_PANIC(sessionreg_restore_end_if_unattached, OBJECT, TEXT, &out.removed);
    STATUS_IS_PANIC(sessionreg_restore_publish, OBJECT, TEXT, TEXT, 1, &out.string);
    STATUS_IS_PANIC(sessionreg_restore_default_target, OBJECT, &out.string);
    STATUS_IS_PANIC(sessionreg_restore_sessions, OBJECT, &out.restored);
    STATUS_IS_PANIC(sessionreg_restore_subscribe, OBJECT, TEXT, NULL, &out.subscription);
    STATUS_IS_PANIC(sessionreg_subscription_next, OBJECT, 0, &out.event);
    STATUS_IS_PANIC(sessionreg_channel_new, OBJECT, NULL, NULL, &out.channel);
    STATUS_IS_PANIC(sessionreg_channel_exited, OBJECT, TEXT);
    STATUS_IS_PANIC(sessionreg_restore_begin, OBJECT, SESSIONREG_ACTION_LOAD, TEXT, TEXT,
                    &out.outcome, &out.lease, &out.restoring, &out.waiting);
    STATUS_IS_PANIC(sessionreg_restoring_carried_by, OBJECT, OBJECT);
    STATUS_IS_PANIC(sessionreg_restoring_split, OBJECT, &out.waiting);
    STATUS_IS_PANIC(sessionreg_restoring_fail, OBJECT, SESSIONREG_STATUS_IO, TEXT);
    STATUS_IS_PANIC(sessionreg_waiting_wait, OBJECT, 0, &out.outcome, &out.lease, &out.restoring);
    STATUS_IS_PANIC(sessionreg_waiting_cancel, OBJECT);
    STATUS_IS_PANIC(sessionreg_waiting_time_out, OBJECT);
    STATUS_IS_PANIC(sessionreg_lease_release, OBJECT, &out.removed);
}

static int dropped;

static void count_drop(void *state) {
    dropped += state == &dropped;
}

static void a_state_is_let_go_of_by_a_panic(void) {
    STATUS_IS_PANIC(sessionreg_restoring_complete, OBJECT, &dropped, count_drop, &out.lease);
    CHECK(only_list || dropped == 2);
}

static void a_value_of_a_restore_is_absent_after_a_panic(void) {
    VALUE_IS_ABSENT(sessionreg_action_string, sessionreg_action_string(1) == NULL);
    VALUE_IS_ABSENT(sessionreg_end_reason_string, sessionreg_end_reason_string(1) == NULL);
    VALUE_IS_ABSENT(sessionreg_event_kind_string, sessionreg_event_kind_string(1) == NULL);
    VALUE_IS_ABSENT(sessionreg_stage_string, sessionreg_stage_string(1) == NULL);
    TEXT_IS_ABSENT(sessionreg_error_session_id);
    TEXT_IS_ABSENT(sessionreg_error_active);
    TEXT_IS_ABSENT(sessionreg_error_requested);
    TEXT_IS_ABSENT(sessionreg_error_reason);
    TEXT_IS_ABSENT(sessionreg_error_bound);
    VALUE_IS_ABSENT(sessionreg_error_retry_after, isnan(sessionreg_error_retry_after(OBJECT)));
    VALUE_IS_ABSENT(sessionreg_error_limit, sessionreg_error_limit(OBJECT) == -1);
    TEXT_IS_ABSENT(sessionreg_lease_session_id);
    VALUE_IS_ABSENT(sessionreg_lease_attached, !sessionreg_lease_attached(OBJECT));
    VALUE_IS_ABSENT(sessionreg_lease_state, sessionreg_lease_state(OBJECT) == NULL);
    VALUE_IS_ABSENT(sessionreg_lease_ended,
                    sessionreg_lease_ended(OBJECT) == SESSIONREG_END_REASON_NONE);
    VALUE_IS_ABSENT(sessionreg_channel_is_open, !sessionreg_channel_is_open(OBJECT));
    TEXT_IS_ABSENT(sessionreg_restoring_session_id);
    VALUE_IS_ABSENT(sessionreg_restoring_cancelled, !sessionreg_restoring_cancelled(OBJECT));
    VALUE_IS_ABSENT(sessionreg_subscription_over, !sessionreg_subscription_over(OBJECT));
    VALUE_IS_ABSENT(sessionreg_event_kind_of,
                    sessionreg_event_kind_of(OBJECT) == SESSIONREG_EVENT_NONE);
    TEXT_IS_ABSENT(sessionreg_event_id);
    VALUE_IS_ABSENT(sessionreg_event_number, sessionreg_event_number(OBJECT) == -1);
    TEXT_IS_ABSENT(sessionreg_event_data);
    VALUE_IS_ABSENT(sessionreg_event_missed, sessionreg_event_missed(OBJECT) == -1);
    VALUE_IS_ABSENT(sessionreg_event_end_reason,
                    sessionreg_event_end_reason(OBJECT) == SESSIONREG_END_REASON_NONE);
    VALUE_IS_ABSENT(sessionreg_restored_list_len, sessionreg_restored_list_len(OBJECT) == 0);
    VALUE_IS_ABSENT(sessionreg_restored_list_get, sessionreg_restored_list_get(OBJECT, 0) == NULL);
    TEXT_IS_ABSENT(sessionreg_restored_session_id);
    VALUE_IS_ABSENT(sessionreg_restored_action,
                    sessionreg_restored_action(OBJECT) == SESSIONREG_ACTION_NONE);
    VALUE_IS_ABSENT(sessionreg_restored_stage,
                    sessionreg_restored_stage(OBJECT) == SESSIONREG_STAGE_NONE);
    VALUE_IS_ABSENT(sessionreg_restored_attachments, sessionreg_restored_attachments(OBJECT) == 0);
    VALUE_IS_ABSENT(sessionreg_restored_subscribers, sessionreg_restored_subscribers(OBJECT) == 0);
}

static void freeing_of_a_restore_returns_after_a_panic(void) {
    VALUE_IS_ABSENT(sessionreg_restore_table_free, (sessionreg_restore_table_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_lease_free, (sessionreg_lease_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_channel_free, (sessionreg_channel_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_restoring_free, (sessionreg_restoring_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_waiting_free, (sessionreg_waiting_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_subscription_free, (sessionreg_subscription_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_event_free, (sessionreg_event_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_restored_list_free, (sessionreg_restored_list_free(NULL), true));
}

/* ---------------------------------------------------------------------------------------------- */

/* Whatever was to be freed is lost, which is better than to be freed by halves. */
static void freeing_returns_after_a_panic(void) {
    VALUE_IS_ABSENT(sessionreg_string_free, (sessionreg_string_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_error_free, (sessionreg_error_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_record_free, (sessionreg_record_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_holder_free, (sessionreg_holder_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_list_free, (sessionreg_list_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_registry_free, (sessionreg_registry_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_session_free, (sessionreg_session_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_swept_free, (sessionreg_swept_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_claim_free, (sessionreg_claim_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_sources_free, (sessionreg_sources_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_agent_session_free, (sessionreg_agent_session_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_agent_sessions_free, (sessionreg_agent_sessions_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_snapshot_free, (sessionreg_snapshot_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_batch_free, (sessionreg_batch_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_monitor_free, (sessionreg_monitor_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_polled_free, (sessionreg_polled_free(NULL), true));
    VALUE_IS_ABSENT(sessionreg_cleaned_free, (sessionreg_cleaned_free(NULL), true));
}

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        only_list = 1;
        a_panic_becomes_a_status();
        a_panic_of_a_registry_or_a_session_becomes_a_status();
        a_panic_of_a_snapshot_or_a_monitor_becomes_a_status();
        a_value_is_absent_after_a_panic();
        a_value_of_a_registry_or_a_session_is_absent_after_a_panic();
        a_value_of_a_snapshot_or_a_monitor_is_absent_after_a_panic();
        a_value_of_an_agent_session_is_absent_after_a_panic();
        freeing_returns_after_a_panic();
        a_panic_of_a_restore_table_becomes_a_status();
        a_state_is_let_go_of_by_a_panic();
        a_value_of_a_restore_is_absent_after_a_panic();
        freeing_of_a_restore_returns_after_a_panic();
        return EXIT_SUCCESS;
    }
    memset(&out, 0x5a, sizeof out);
    memcpy(&untouched, &out, sizeof out);
    RUN(a_panic_becomes_a_status);
    RUN(a_panic_of_a_registry_or_a_session_becomes_a_status);
    RUN(a_panic_of_a_snapshot_or_a_monitor_becomes_a_status);
    RUN(a_value_is_absent_after_a_panic);
    RUN(a_value_of_a_registry_or_a_session_is_absent_after_a_panic);
    RUN(a_value_of_a_snapshot_or_a_monitor_is_absent_after_a_panic);
    RUN(a_value_of_an_agent_session_is_absent_after_a_panic);
    RUN(freeing_returns_after_a_panic);
    RUN(a_panic_of_a_restore_table_becomes_a_status);
    RUN(a_state_is_let_go_of_by_a_panic);
    RUN(a_value_of_a_restore_is_absent_after_a_panic);
    RUN(freeing_of_a_restore_returns_after_a_panic);
    return check_result();
}
