/* A process to speak of: this program again, which waits to be ended. */
#ifndef CHILD_H
#define CHILD_H

#include "check.h"

/* What a program that starts children does first in main: a child waits, and never returns. */
#define CHILD_MAIN(argc) child_program = argv[0], (argc) > 1 ? child_wait() : (void)0

static const char *child_program;

#ifdef _WIN32
#include <windows.h>

typedef PROCESS_INFORMATION child;

static inline void child_wait(void) {
    Sleep(60 * 1000);
    exit(EXIT_FAILURE);
}

static inline int child_start(child *started) {
    char command[1100];
    STARTUPINFOA startup = {.cb = sizeof startup};
    snprintf(command, sizeof command, "\"%s\" child", child_program);
    return CreateProcessA(NULL, command, NULL, NULL, FALSE, 0, NULL, NULL, &startup, started);
}

static inline uint32_t child_pid(const child *started) {
    return started->dwProcessId;
}

static inline void child_end(child *started) {
    TerminateProcess(started->hProcess, 9);
    WaitForSingleObject(started->hProcess, INFINITE);
    CloseHandle(started->hThread);
    CloseHandle(started->hProcess);
}
#else
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

typedef pid_t child;

static inline void child_wait(void) {
    sleep(60);
    exit(EXIT_FAILURE);
}

static inline int child_start(child *started) {
    *started = fork();
    if (*started == 0) {
        execl(child_program, child_program, "child", (char *)NULL);
        _exit(EXIT_FAILURE);
    }
    return *started > 0;
}

static inline uint32_t child_pid(const child *started) {
    return (uint32_t)*started;
}

static inline void child_end(child *started) {
    kill(*started, SIGKILL);
    waitpid(*started, NULL, 0);
}
#endif

#endif
