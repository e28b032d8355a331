/* The helper that makes processes, as a conversation. */
#ifndef PROCESSES_H
#define PROCESSES_H

#include "outcome.h"
#include <sys/wait.h>
#include <unistd.h>

static FILE *helper_input, *helper_output;
static pid_t helper_pid;

static bool helper_start(void) {
    const char *program = getenv("SESSIONREG_PROCESSES");
    int to[2], from[2];
    if (program == NULL)
        program = "target/debug/processes";
    if (pipe(to) != 0 || pipe(from) != 0)
        return false;
    helper_pid = fork();
    if (helper_pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[0]), close(to[1]), close(from[0]), close(from[1]);
        execl(program, program, (char *)NULL);
        perror(program);
        _exit(127);
    }
    close(to[0]), close(from[1]);
    helper_input = fdopen(to[1], "w");
    helper_output = fdopen(from[0], "r");
    return helper_pid > 0 && helper_input != NULL && helper_output != NULL;
}

/* The answer to one command. */
static json_t *helper_ask(const char *command) {
    char line[4096];
    fprintf(helper_input, "%s\n", command);
    if (fflush(helper_input) != 0 || fgets(line, sizeof line, helper_output) == NULL)
        FAIL("the helper does not answer");
    json_t *answer = keep(json_loads(line, 0, NULL), release_json);
    const char *failed = json_string_value(json_object_get(answer, "error"));
    const char *skipped = json_string_value(json_object_get(answer, "skip"));
    if (failed != NULL)
        FAIL("%s: %s", command, failed);
    if (skipped != NULL)
        end_case(SKIPPED, "%s", skipped);
    return answer;
}

/* Ends the helper in order, and with it all that it made. */
static bool helper_finish(void) {
    int status = -1;
    fclose(helper_input);
    fclose(helper_output);
    return waitpid(helper_pid, &status, 0) == helper_pid && status == 0;
}

#endif
