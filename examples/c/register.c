/* Serves a session for as long as there is input, and lets everybody know. */
#include <sessionreg.h>
#include <stdio.h>

// A session that cannot be registered is served all the same.
static void complain(void *context, const sessionreg_error *error) {
    fprintf(context, "%s\n", sessionreg_error_message(error).data);
}

int main(int argc, char **argv) {
    const char *folder = argc > 1 ? argv[1] : NULL;
    sessionreg_registry *registry = NULL;
    sessionreg_session *session = NULL;
    sessionreg_new new_session = SESSIONREG_NEW_INIT;
    new_session.session_id = "3f1c";
    new_session.work_dir = "/srv/project";
    new_session.agent = "my-agent";
    new_session.status = "idle";
    new_session.on_error = complain;
    new_session.on_error_context = stderr;
    if (sessionreg_registry_open(folder, NULL, &registry, NULL) == SESSIONREG_STATUS_OK)
        sessionreg_registry_register(registry, &new_session, &session, NULL);

    char line[256];
    while (fgets(line, sizeof line, stdin) != NULL) {
        sessionreg_session_update(session, "{\"status\": \"busy\"}", NULL);
        // ... the model works here ...
        sessionreg_session_update(session, "{\"status\": \"idle\"}", NULL);
    }
    sessionreg_session_close(session, NULL);
    sessionreg_session_free(session);
    sessionreg_registry_free(registry);
    return 0;
}
