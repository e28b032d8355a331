/* Loads a session once, however many ask for it, and shows what everybody gets. */
#include <sessionreg.h>
#include <stdio.h>
#include <stdlib.h>

// The restore itself: what it makes is what every caller gets.
static char *read_transcript(const char *id) {
    char *transcript = malloc(64);
    if (transcript != NULL)
        snprintf(transcript, 64, "all that was said in %s", id);
    return transcript;
}

// Any number of threads may do this: one of them reads the transcript, the others wait for it.
static sessionreg_lease *load(sessionreg_restore_table *table, const char *id, const char *cwd,
                              sessionreg_error **error) {
    sessionreg_outcome outcome;
    sessionreg_lease *lease = NULL;
    sessionreg_restoring *restoring = NULL;
    sessionreg_waiting *waiting = NULL;
    if (sessionreg_restore_begin(table, SESSIONREG_ACTION_LOAD, id, cwd, &outcome, &lease,
                                 &restoring, &waiting, error) != SESSIONREG_STATUS_OK)
        return NULL;
    if (outcome == SESSIONREG_OUTCOME_SHARER)
        sessionreg_waiting_wait(waiting, -1, &outcome, &lease, &restoring, error);
    if (outcome == SESSIONREG_OUTCOME_OWNER)
        sessionreg_restoring_complete(restoring, read_transcript(id), free, &lease, error);
    sessionreg_restoring_free(restoring);
    sessionreg_waiting_free(waiting);
    return lease;
}

int main(void) {
    sessionreg_restore_table *table = NULL;
    sessionreg_error *error = NULL;
    sessionreg_lease *lease = NULL;
    bool ended = false;
    if (sessionreg_restore_table_new(NULL, &table, &error) == SESSIONREG_STATUS_OK)
        lease = load(table, "3f1c", "/srv/project", &error);
    if (error != NULL)
        fprintf(stderr, "%s\n", sessionreg_error_message(error).data);
    if (lease != NULL) {
        printf("%s\n", (const char *)sessionreg_lease_state(lease));
        sessionreg_lease_release(lease, &ended, NULL);
    }
    sessionreg_error_free(error);
    sessionreg_lease_free(lease);
    sessionreg_restore_table_close(table, -1, NULL);
    sessionreg_restore_table_free(table);
    return ended ? 0 : 1;
}
