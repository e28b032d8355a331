/* Processes that die, are stopped or fork: what they registered and claimed. */
#include "../example_registry.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

static char folder[PATH_ROOM], sessions[PATH_ROOM + 32];
static sessionreg_registry *registry;

static void begin(void) {
    folder_make(folder);
    home_set(folder);
    snprintf(sessions, sizeof sessions, "%s/sessions", folder);
    registry = registry_in(sessions, SESSIONREG_DIALECT_OURS);
}

static void end(void) {
    sessionreg_registry_free(registry);
    folder_remove(folder);
}

/* Forks a child that does `body`, says so, and waits to be ended; 0 if it could not do it. */
static pid_t child_that(bool (*body)(void)) {
    int ready[2];
    char word = 0;
    if (pipe(ready) != 0)
        return 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        word = body() ? 'y' : 'n';
        if (write(ready[1], &word, 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    if (child < 0 || read(ready[0], &word, 1) != 1)
        word = 'n';
    close(ready[0]), close(ready[1]);
    CHECK(word == 'y');
    return child;
}

static void kill_and_reap(pid_t child) {
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
}

static sessionreg_verdict verdict_of(const char *session_id) {
    sessionreg_list *list = NULL;
    CHECK_OK(sessionreg_registry_find_by_session(registry, session_id, &list, NULL));
    CHECK(sessionreg_list_len(list) == 1);
    sessionreg_verdict verdict = sessionreg_entry_verdict(sessionreg_list_get(list, 0));
    sessionreg_list_free(list);
    return verdict;
}

static bool registers(void) {
    sessionreg_session *session = registered(registry, "child");
    return sessionreg_session_registered(session);
}

static void a_killed_process_leaves_its_record_which_tells_that_it_is_gone(void) {
    begin();
    pid_t child = child_that(registers);
    CHECK(verdict_of("child").reason == SESSIONREG_REASON_VERIFIED && live_in(registry) == 1);
    siginfo_t info;
    CHECK(kill(child, SIGKILL) == 0);
    CHECK(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
    CHECK(verdict_of("child").reason == SESSIONREG_REASON_ZOMBIE && live_in(registry) == 0);
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK(verdict_of("child").reason == SESSIONREG_REASON_GONE);
    CHECK(folder_count(sessions) == 1);
    sessionreg_swept *swept = NULL;
    CHECK_OK(sessionreg_registry_sweep(registry, NULL, &swept, NULL));
    CHECK(sessionreg_swept_removed_len(swept) == 1 && folder_count(sessions) == 0);
    sessionreg_swept_free(swept);
    end();
}

static void the_parent_finds_its_child_and_the_child_its_owner(void) {
    begin();
    sessionreg_list *list = NULL;
    pid_t child = child_that(registers);
    CHECK_OK(sessionreg_registry_find_under(registry, (uint32_t)getpid(), &list, NULL));
    CHECK(sessionreg_list_len(list) == 1);
    sessionreg_list_free(list);
    CHECK_OK(sessionreg_registry_owner_of(registry, (uint32_t)child, &list, NULL));
    CHECK(sessionreg_list_len(list) == 1);
    sessionreg_list_free(list);
    kill_and_reap(child);
    end();
}

static sessionreg_session *session;
static sessionreg_claim *claim;

/* In a child: every call on what it inherited is CLOSED, and freeing it is fine. */
static bool finds_all_closed(void) {
    const sessionreg_status closed = SESSIONREG_STATUS_CLOSED;
    bool is_closed = sessionreg_session_update(session, "{\"name\": \"child\"}", NULL) == closed &&
                     sessionreg_session_switch(session, "b", NULL, NULL) == closed &&
                     sessionreg_session_refresh(session, NULL) == closed &&
                     sessionreg_session_leave(session, NULL) == closed &&
                     sessionreg_session_close(session, NULL) == closed &&
                     sessionreg_claim_release(claim, NULL) == closed &&
                     sessionreg_claim_release(claim, NULL) == closed;
    /* What it may do: look, and register itself. */
    sessionreg_session *own = registered(registry, "child");
    bool may_look = live_in(registry) == 2 &&
                    sessionreg_session_pid(session) == (uint32_t)getppid() &&
                    sessionreg_session_pid(own) == (uint32_t)getpid() &&
                    sessionreg_session_close(own, NULL) == SESSIONREG_STATUS_OK;
    sessionreg_session_free(own);
    sessionreg_session_free(session);
    sessionreg_claim_free(claim);
    return is_closed && may_look && check_failures_of_test == 0;
}

static bool claims(void) {
    return sessionreg_registry_claim(registry, "my-agent", "s", &claim, NULL) ==
           SESSIONREG_STATUS_OK;
}

static bool is_refused_the_claim(void) {
    sessionreg_claim *mine = NULL;
    return sessionreg_registry_claim(registry, "my-agent", "s", &mine, NULL) ==
           SESSIONREG_STATUS_HELD;
}

static void what_a_forked_child_inherits_is_closed_and_stays_its_parents(void) {
    begin();
    session = registered(registry, "s");
    CHECK(claims());
    sessionreg_record *before = record_of(registry, "s"), *after = NULL;
    kill_and_reap(child_that(finds_all_closed));
    after = record_of(registry, "s");
    CHECK(sessionreg_record_equal(before, after));
    CHECK(verdict_of("s").reason == SESSIONREG_REASON_VERIFIED && folder_count(sessions) == 1);
    kill_and_reap(child_that(is_refused_the_claim));
    CHECK_OK(sessionreg_claim_release(claim, NULL));
    CHECK_OK(sessionreg_session_close(session, NULL));
    CHECK(folder_count(sessions) == 0);
    sessionreg_claim_free(claim);
    sessionreg_session_free(session);
    sessionreg_record_free(before);
    sessionreg_record_free(after);
    end();
}

static void exits(void) {
    exit(0);
}

static void exits_after_freeing(void) {
    sessionreg_session_free(session);
    sessionreg_claim_free(claim);
    sessionreg_registry_free(registry);
    exit(0);
}

static void becomes_another_program(void) {
    execl("/bin/true", "true", (char *)NULL);
    _exit(1);
}

static void is_terminated(void) {
    raise(SIGTERM);
}

static void no_end_of_a_child_removes_what_is_its_parents(void) {
    static void (*const ENDS[])(void) = {exits, exits_after_freeing, becomes_another_program,
                                         is_terminated};
    begin();
    session = registered(registry, "s");
    CHECK(claims());
    for (size_t i = 0; i < 25 * sizeof ENDS / sizeof *ENDS; i++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            ENDS[i % (sizeof ENDS / sizeof *ENDS)]();
            _exit(9);
        }
        int status = -1;
        REQUIRE(child > 0 && waitpid(child, &status, 0) == child);
        CHECK(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM));
        CHECK(folder_count(sessions) == 1 && sessionreg_session_registered(session));
        CHECK(is_there(sessionreg_claim_path(claim).data));
    }
    kill_and_reap(child_that(is_refused_the_claim));
    CHECK_OK(sessionreg_claim_release(claim, NULL));
    CHECK_OK(sessionreg_session_close(session, NULL));
    sessionreg_claim_free(claim);
    sessionreg_session_free(session);
    end();
}

static void a_claim_ends_with_its_holder(void) {
    begin();
    sessionreg_error *error = NULL;
    claim = NULL;
    pid_t child = child_that(claims);
    CHECK_STATUS(sessionreg_registry_claim(registry, "my-agent", "s", &claim, &error),
                 SESSIONREG_STATUS_HELD);
    CHECK(sessionreg_holder_pid(sessionreg_error_holder(error)) == (uint32_t)child);
    CHECK_TEXT(sessionreg_holder_session_id(sessionreg_error_holder(error)), "s");
    sessionreg_error_free(error);
    kill_and_reap(child);
    CHECK(claims());
    CHECK_OK(sessionreg_claim_release(claim, NULL));
    sessionreg_claim_free(claim);
    end();
}

/* Several, as they are kept in a list. */
static bool claims_and_frees(void) {
    static const char *const IDS[] = {"t", "u", "s"};
    for (size_t i = 0; i < sizeof IDS / sizeof *IDS; i++) {
        claim = NULL;
        if (sessionreg_registry_claim(registry, "my-agent", IDS[i], &claim, NULL) !=
            SESSIONREG_STATUS_OK)
            return false;
        sessionreg_claim_free(claim);
    }
    return is_refused_the_claim();
}

static void a_claim_that_was_freed_ends_with_its_holder_too(void) {
    begin();
    pid_t child = child_that(claims_and_frees);
    CHECK(is_refused_the_claim());
    kill_and_reap(child);
    CHECK(claims());
    CHECK_OK(sessionreg_claim_release(claim, NULL));
    sessionreg_claim_free(claim);
    end();
}

/* Whoever stands still with the folder's lock in hand. */
static void what_a_sweep_cannot_remove_is_told(void) {
    begin();
    kill_and_reap(child_that(registers));
    int lock = open(sessions, O_RDONLY | O_DIRECTORY);
    sessionreg_swept *swept = NULL;
    REQUIRE(lock >= 0 && flock(lock, LOCK_EX) == 0);
    CHECK_OK(sessionreg_registry_sweep(registry, NULL, &swept, NULL));
    CHECK(sessionreg_swept_removed_len(swept) == 0);
    REQUIRE(sessionreg_swept_failed_len(swept) == 1);
    const sessionreg_skipped *failed = sessionreg_swept_failed_get(swept, 0);
    CHECK(sessionreg_skipped_status(failed) == SESSIONREG_STATUS_BUSY);
    CHECK(is_there(sessionreg_skipped_path(failed).data));
    CHECK(sessionreg_skipped_reason(failed).length > 0);
    CHECK(sessionreg_swept_failed_get(swept, 1) == NULL);
    sessionreg_swept_free(swept);
    close(lock);
    end();
}

int main(void) {
    RUN(a_killed_process_leaves_its_record_which_tells_that_it_is_gone);
    RUN(the_parent_finds_its_child_and_the_child_its_owner);
    RUN(what_a_forked_child_inherits_is_closed_and_stays_its_parents);
    RUN(no_end_of_a_child_removes_what_is_its_parents);
    RUN(a_claim_ends_with_its_holder);
    RUN(a_claim_that_was_freed_ends_with_its_holder_too);
    RUN(what_a_sweep_cannot_remove_is_told);
    return check_result();
}
