/* Requests to a restore table, in short. */
#ifndef RESTORING_H
#define RESTORING_H

#include "example_record.h"

/* What a request came to. */
typedef struct {
    sessionreg_status status;
    sessionreg_outcome outcome;
    sessionreg_lease *lease;
    sessionreg_restoring *restoring;
    sessionreg_waiting *waiting;
    sessionreg_error *error;
} request;

static inline request ask_for(sessionreg_restore_table *table, uint32_t action, const char *id) {
    request made = {.status = SESSIONREG_STATUS_OK};
    made.status =
        sessionreg_restore_begin(table, action, id, ROOT "/srv/project", &made.outcome, &made.lease,
                                 &made.restoring, &made.waiting, &made.error);
    return made;
}

static inline request load(sessionreg_restore_table *table, const char *id) {
    return ask_for(table, SESSIONREG_ACTION_LOAD, id);
}

/* Waits for what a sharer is told. */
static inline sessionreg_status wait_for(request *of, int64_t timeout_ms) {
    of->status = sessionreg_waiting_wait(of->waiting, timeout_ms, &of->outcome, &of->lease,
                                         &of->restoring, &of->error);
    return of->status;
}

static inline sessionreg_status complete(request *of, void *state, sessionreg_drop drop_state) {
    of->status =
        sessionreg_restoring_complete(of->restoring, state, drop_state, &of->lease, &of->error);
    return of->status;
}

/* Gives the share back; whether that ended the session. */
static inline bool release(request *of) {
    bool ended = false;
    CHECK_OK(sessionreg_lease_release(of->lease, &ended, NULL));
    return ended;
}

static inline void request_free(request *of) {
    sessionreg_lease_free(of->lease);
    sessionreg_restoring_free(of->restoring);
    sessionreg_waiting_free(of->waiting);
    sessionreg_error_free(of->error);
}

static inline sessionreg_restore_table *table_with(const sessionreg_restore_options *options) {
    sessionreg_restore_table *table = NULL;
    CHECK_OK(sessionreg_restore_table_new(options, &table, NULL));
    return table;
}

/* How many sessions a table has, of which `attachments` gets those of the first. */
static inline size_t sessions_of(const sessionreg_restore_table *table, size_t *attachments) {
    sessionreg_restored_list *list = NULL;
    CHECK_OK(sessionreg_restore_sessions(table, &list, NULL));
    const size_t count = sessionreg_restored_list_len(list);
    if (attachments != NULL)
        *attachments = sessionreg_restored_attachments(sessionreg_restored_list_get(list, 0));
    sessionreg_restored_list_free(list);
    return count;
}

/* Ends a table in order. */
static inline void table_end(sessionreg_restore_table *table) {
    CHECK_OK(sessionreg_restore_table_close(table, -1, NULL));
    CHECK(sessions_of(table, NULL) == 0);
    sessionreg_restore_table_free(table);
}

#endif
