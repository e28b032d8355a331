/* Prints what becomes of the sessions in a registry folder, or of all, until its input ends. */
#include <poll.h>
#include <sessionreg.h>
#include <stdio.h>

// What a session says was written by another program: none of it may act on a terminal.
static void put(sessionreg_text text) {
    for (size_t i = 0; i < text.length; i++)
        putchar(text.data[i] >= ' ' && text.data[i] <= '~' ? text.data[i] : '?');
}

static void show(const char *what, const sessionreg_agent_session *session) {
    sessionreg_verdict verdict = sessionreg_agent_session_verdict(session);
    printf("%s ", what);
    put(sessionreg_agent_session_key(session));
    putchar(' ');
    put(sessionreg_agent_session_session_id(session));
    printf(" %s ", sessionreg_state_string(verdict.state));
    put(sessionreg_agent_session_status(session));
    putchar('\n');
}

static void show_all(const sessionreg_batch *batch) {
    for (size_t i = 0; i < sessionreg_batch_added_len(batch); i++)
        show("+", sessionreg_batch_added_get(batch, i));
    for (size_t i = 0; i < sessionreg_batch_changed_len(batch); i++)
        show("*", sessionreg_batch_changed_get(batch, i));
    for (size_t i = 0; i < sessionreg_batch_removed_len(batch); i++) {
        printf("- ");
        put(sessionreg_batch_removed_get(batch, i));
        putchar('\n');
    }
    fflush(stdout);
}

int main(int argc, char **argv) {
    sessionreg_sources *sources = NULL;
    sessionreg_monitor *monitor = NULL;
    sessionreg_error *error = NULL;
    int fd = -1;
    if (argc > 1 && sessionreg_sources_none(&sources, &error) == SESSIONREG_STATUS_OK)
        sessionreg_sources_add(sources, SESSIONREG_SOURCE_REGISTRY, argv[1], &error);
    if (error == NULL &&
        sessionreg_monitor_open(sources, NULL, &monitor, &error) == SESSIONREG_STATUS_OK)
        sessionreg_monitor_fd(monitor, &fd, &error);
    struct pollfd ready[2] = {{fd, POLLIN, 0}, {0, POLLIN, 0}};
    while (error == NULL && poll(ready, 2, -1) > 0 && ready[1].revents == 0) {
        sessionreg_batch *batch = NULL;
        sessionreg_status status = sessionreg_monitor_next(monitor, 0, &batch, NULL);
        if (status == SESSIONREG_STATUS_OK)
            show_all(batch);
        else if (status != SESSIONREG_STATUS_TIMEOUT)
            break;
        sessionreg_batch_free(batch);
    }
    int failed = error != NULL;
    if (failed)
        fprintf(stderr, "%s\n", sessionreg_error_message(error).data);
    sessionreg_error_free(error);
    sessionreg_monitor_free(monitor);
    sessionreg_sources_free(sources);
    return failed;
}
