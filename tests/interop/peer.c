/* The C peer of the interop tests; see interop.py for what it is asked. */
#include <sessionreg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what, sessionreg_error *error) {
    fprintf(stderr, "%s: %s\n", what, sessionreg_error_message(error).data);
    exit(1);
}

int main(void) {
    char line[8192];
    sessionreg_record *mine = NULL;
    sessionreg_error *error = NULL;
    while (fgets(line, sizeof line, stdin)) {
        const char *command = strtok(line, " \n");
        const char *path = strtok(NULL, " \n");
        const char *id = strtok(NULL, " \n");
        sessionreg_record *found = NULL;
        if (!strcmp(command, "write")) {
            sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
            fields.session_id = id;
            fields.work_dir = "/srv/project";
            fields.agent = "kimi-cli";
            sessionreg_record_free(mine);
            mine = NULL;
            if (sessionreg_record_new(&fields, &mine, &error) ||
                sessionreg_write(path, mine, NULL, &error))
                fail(command, error);
            puts("true");
        } else if (!strcmp(command, "judge")) {
            sessionreg_verdict verdict;
            if (sessionreg_load(path, &found, &error) ||
                sessionreg_liveness(found, &verdict, &error))
                fail(command, error);
            printf("[\"%s\", %u, \"%s\", \"%s\"]\n", sessionreg_record_session_id(found).data,
                   (unsigned)sessionreg_record_pid(found), sessionreg_state_string(verdict.state),
                   sessionreg_reason_string(verdict.reason));
        } else if (!strcmp(command, "rewrite")) {
            if (sessionreg_load(path, &found, &error) ||
                sessionreg_write(path, found, NULL, &error))
                fail(command, error);
            puts("true");
        } else if (!strcmp(command, "clear_if")) {
            bool removed;
            if (sessionreg_clear_if(path, mine, &removed, &error)) fail(command, error);
            puts(removed ? "true" : "false");
        } else if (!strcmp(command, "error")) {
            sessionreg_status status = sessionreg_load(path, &found, &error);
            if (!status) {
                puts("null");
            } else {
                printf("[\"%s\", \"%s\"]\n", sessionreg_status_string(status),
                       sessionreg_error_message(error).data);
                sessionreg_error_free(error);
                error = NULL;
            }
        }
        sessionreg_record_free(found);
        fflush(stdout);
    }
    sessionreg_record_free(mine);
    return 0;
}
