/* A forked child, whatever becomes of it, leaves the record of its parent alone. */
#include "../example_record.h"
#include "../folder.h"
#include <signal.h>
#include <sys/wait.h>

enum { ROUNDS = 25 };

static char folder[PATH_ROOM], path[PATH_ROOM + 32];
static sessionreg_record *record;

static void exits(void) {
    exit(0);
}

static void exits_at_once(void) {
    _exit(0);
}

static void is_killed(void) {
    raise(SIGKILL);
}

static void is_terminated(void) {
    raise(SIGTERM);
}

static void frees_what_it_inherited(void) {
    sessionreg_record_free(record);
    exit(0);
}

static void becomes_another_program(void) {
    execl("/bin/true", "true", (char *)NULL);
    _exit(1);
}

/* What the library remembers of the parent must not become the child's. */
static void serves_a_session_of_its_own(void) {
    char own_path[PATH_ROOM + 32];
    sessionreg_record *own = own_record("s"), *read = NULL;
    sessionreg_verdict verdict = {SESSIONREG_STATE_UNKNOWN, SESSIONREG_REASON_INVALID};
    bool removed = false;
    snprintf(own_path, sizeof own_path, "%s/child.runtime.json", folder);
    if (sessionreg_record_pid(own) != (uint32_t)getpid() ||
        strcmp(sessionreg_record_instance(own).data, sessionreg_record_instance(record).data) == 0)
        _exit(1);
    if (sessionreg_write(own_path, own, NULL, NULL) != SESSIONREG_STATUS_OK ||
        sessionreg_load(own_path, &read, NULL) != SESSIONREG_STATUS_OK ||
        sessionreg_liveness(read, &verdict, NULL) != SESSIONREG_STATUS_OK ||
        verdict.reason != SESSIONREG_REASON_VERIFIED)
        _exit(2);
    if (sessionreg_clear_if(own_path, own, &removed, NULL) != SESSIONREG_STATUS_OK || !removed)
        _exit(3);
    sessionreg_record_free(own);
    sessionreg_record_free(read);
    exit(0);
}

/* Its own registration is not the one in the file. */
static void clears_what_it_takes_for_its_own(void) {
    sessionreg_record *own = own_record("s");
    bool removed = true;
    if (sessionreg_clear_if(path, own, &removed, NULL) != SESSIONREG_STATUS_OK || removed)
        _exit(1);
    sessionreg_record_free(own);
    exit(0);
}

static void fork_and(void (*end)(void), int wanted_signal) {
    folder_make(folder);
    snprintf(path, sizeof path, "%s/s.runtime.json", folder);
    record = own_record("s");
    CHECK_OK(sessionreg_write(path, record, NULL, NULL));
    for (int round = 0; round < ROUNDS; round++) {
        int status = 0;
        sessionreg_record *read = NULL;
        sessionreg_verdict verdict = {SESSIONREG_STATE_UNKNOWN, SESSIONREG_REASON_INVALID};
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            end();
            _exit(9);
        }
        REQUIRE(child > 0 && waitpid(child, &status, 0) == child);
        CHECK(wanted_signal != 0 ? WIFSIGNALED(status) && WTERMSIG(status) == wanted_signal
                                 : WIFEXITED(status) && WEXITSTATUS(status) == 0);
        CHECK_OK(sessionreg_load(path, &read, NULL));
        CHECK(sessionreg_record_equal(read, record));
        CHECK_OK(sessionreg_liveness(read, &verdict, NULL));
        CHECK(verdict.reason == SESSIONREG_REASON_VERIFIED);
        sessionreg_record_free(read);
    }
    CHECK(folder_count(folder) == 1);
    sessionreg_record_free(record);
    folder_remove(folder);
}

#define FORKS(end, wanted_signal) \
    static void the_record_stays_when_a_child_##end(void) { \
        fork_and(end, wanted_signal); \
    }

FORKS(exits, 0)
FORKS(exits_at_once, 0)
FORKS(is_killed, SIGKILL)
FORKS(is_terminated, SIGTERM)
FORKS(frees_what_it_inherited, 0)
FORKS(becomes_another_program, 0)
FORKS(serves_a_session_of_its_own, 0)
FORKS(clears_what_it_takes_for_its_own, 0)

int main(void) {
    RUN(the_record_stays_when_a_child_exits);
    RUN(the_record_stays_when_a_child_exits_at_once);
    RUN(the_record_stays_when_a_child_is_killed);
    RUN(the_record_stays_when_a_child_is_terminated);
    RUN(the_record_stays_when_a_child_frees_what_it_inherited);
    RUN(the_record_stays_when_a_child_becomes_another_program);
    RUN(the_record_stays_when_a_child_serves_a_session_of_its_own);
    RUN(the_record_stays_when_a_child_clears_what_it_takes_for_its_own);
    return check_result();
}
