/* One restore on a whole host: what other processes serve, and what a forked child may do. */
#include "../example_registry.h"
#include "../restoring.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

static char folder[PATH_ROOM], sessions[PATH_ROOM + 16], marker[PATH_ROOM + 16];
static sessionreg_registry *registry;

static void begin(void) {
    folder_make(folder);
    home_set(folder);
    snprintf(sessions, sizeof sessions, "%s/sessions", folder);
    snprintf(marker, sizeof marker, "%s/marker", folder);
    registry = registry_in(sessions, SESSIONREG_DIALECT_OURS);
}

static void end(void) {
    sessionreg_registry_free(registry);
    folder_remove(folder);
}

static sessionreg_restore_table *table_of(sessionreg_registry *of) {
    sessionreg_restore_options options = SESSIONREG_RESTORE_OPTIONS_INIT;
    options.registry = of;
    options.agent = of ? "qwen-code" : NULL;
    return table_with(&options);
}

/* A child that says when it is ready, and stays until it is killed. */
static pid_t child_that(void (*prepare)(void)) {
    int ready[2];
    char byte = 0;
    fflush(stdout);
    if (pipe(ready) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        prepare();
        if (check_failures_of_test > 0 || write(ready[1], "r", 1) != 1)
            _exit(1);
        pause();
        _exit(2);
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1)
        check_failed(__FILE__, __LINE__, "the child is not ready");
    close(ready[0]);
    return child;
}

static void kill_child(pid_t child) {
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void restores_it(void) {
    request of = load(table_of(registry), "s");
    CHECK(of.outcome == SESSIONREG_OUTCOME_OWNER);
    CHECK_OK(complete(&of, NULL, NULL));
}

static void registers_it(void) {
    CHECK(sessionreg_session_registered(registered(registry, "s")));
}

static void a_session_of_another_process_is_left_to_it(void (*prepare)(void)) {
    begin();
    pid_t child = child_that(prepare);
    sessionreg_restore_table *table = table_of(registry), *naive = table_of(NULL);
    request of = load(table, "s");
    CHECK_STATUS(of.status, SESSIONREG_STATUS_HELD);
    const sessionreg_holder *holder = sessionreg_error_holder(of.error);
    CHECK(sessionreg_holder_pid(holder) == (uint32_t)child);
    CHECK_TEXT(sessionreg_holder_session_id(holder), "s");
    CHECK(sessions_of(table, NULL) == 0);
    request_free(&of);
    /* A table that asks nobody would restore it a second time. */
    of = load(naive, "s");
    CHECK(of.outcome == SESSIONREG_OUTCOME_OWNER);
    request_free(&of);
    kill_child(child);
    of = load(table, "s");
    CHECK(of.outcome == SESSIONREG_OUTCOME_OWNER);
    CHECK_OK(complete(&of, NULL, NULL));
    CHECK(release(&of));
    request_free(&of);
    table_end(naive);
    table_end(table);
    end();
}

static void a_session_that_another_process_has_restored_is_left_to_it(void) {
    a_session_of_another_process_is_left_to_it(restores_it);
}

static void a_session_that_another_process_has_registered_is_left_to_it(void) {
    a_session_of_another_process_is_left_to_it(registers_it);
}

enum { RACERS = 8, ROUNDS = 25 };

static int rounds(void) {
    return in_valgrind() ? 2 : ROUNDS;
}

/* 10 for an owner, 11 for one who is told that it is held. */
static void race(int go) {
    char byte;
    sessionreg_restore_table *table = table_of(registry);
    if (read(go, &byte, 1) != 0)
        _exit(1);
    request of = load(table, "s");
    if (of.status == SESSIONREG_STATUS_HELD)
        _exit(11);
    if (of.outcome != SESSIONREG_OUTCOME_OWNER)
        _exit(2);
    /* Nobody else may have it for as long as this process is there. */
    const int only = open(marker, O_CREAT | O_EXCL, 0600);
    usleep(20 * 1000);
    if (only < 0 || complete(&of, NULL, NULL) != SESSIONREG_STATUS_OK || unlink(marker) != 0)
        _exit(3);
    _exit(10);
}

static void of_processes_that_ask_at_once_one_restores(void) {
    begin();
    for (int round = 0; round < rounds(); round++) {
        pid_t children[RACERS];
        int go[2], owners = 0, held = 0;
        fflush(stdout);
        REQUIRE(pipe(go) == 0);
        for (int i = 0; i < RACERS; i++) {
            children[i] = fork();
            if (children[i] == 0) {
                close(go[1]);
                race(go[0]);
            }
        }
        close(go[0]);
        close(go[1]);
        for (int i = 0; i < RACERS; i++) {
            int status = 0;
            REQUIRE(waitpid(children[i], &status, 0) == children[i]);
            owners += WIFEXITED(status) && WEXITSTATUS(status) == 10;
            held += WIFEXITED(status) && WEXITSTATUS(status) == 11;
        }
        /* One that comes when the first has ended may have it as well. */
        CHECK(owners >= 1 && owners + held == RACERS);
    }
    end();
}

/* ---- A forked child -------------------------------------------------------------------------- */

/* What the parent has. */
static sessionreg_restore_table *table;
static request live, owner, sharer;
static sessionreg_subscription *subscription;
static sessionreg_channel *channel;
static atomic_bool is_over;

static void *keep_locking(void *unused) {
    (void)unused;
    while (!atomic_load(&is_over))
        sessions_of(table, NULL);
    return NULL;
}

static void uses_what_it_inherited(void) {
    request of = load(table, "u");
    sessionreg_event *event = NULL;
    bool ended = false;
    if (of.status != SESSIONREG_STATUS_CLOSED ||
        sessionreg_restore_end(table, "s", NULL) != SESSIONREG_STATUS_CLOSED ||
        sessionreg_restore_table_close(table, 0, NULL) != SESSIONREG_STATUS_CLOSED ||
        sessionreg_lease_release(live.lease, &ended, NULL) != SESSIONREG_STATUS_CLOSED ||
        wait_for(&sharer, 0) != SESSIONREG_STATUS_CLOSED ||
        sessionreg_waiting_cancel(sharer.waiting, NULL) != SESSIONREG_STATUS_CLOSED ||
        complete(&owner, NULL, NULL) != SESSIONREG_STATUS_CLOSED ||
        sessionreg_channel_exited(channel, "gone", NULL) != SESSIONREG_STATUS_CLOSED ||
        sessionreg_subscription_next(subscription, 0, &event, NULL) != SESSIONREG_STATUS_CLOSED)
        _exit(1);
    if (sessionreg_lease_state(live.lease) != &live || sessionreg_channel_is_open(channel) ||
        sessionreg_restoring_cancelled(owner.restoring))
        _exit(2);
    exit(0);
}

static void frees_what_it_inherited(void) {
    request_free(&live);
    request_free(&owner);
    request_free(&sharer);
    sessionreg_subscription_free(subscription);
    sessionreg_channel_free(channel);
    sessionreg_restore_table_free(table);
    exit(0);
}

static void has_a_table_of_its_own(void) {
    sessionreg_restore_table *own = table_of(registry);
    request of = load(own, "s"), another = load(own, "u");
    if (of.status != SESSIONREG_STATUS_HELD ||
        sessionreg_holder_pid(sessionreg_error_holder(of.error)) != (uint32_t)getppid() ||
        complete(&another, NULL, NULL) != SESSIONREG_STATUS_OK || !release(&another))
        _exit(1);
    request_free(&of);
    request_free(&another);
    table_end(own);
    exit(0);
}

static void the_table_is_its_parents(void (*child_does)(void)) {
    pthread_t thread;
    begin();
    table = table_of(registry);
    atomic_store(&is_over, false);
    live = load(table, "s");
    CHECK_OK(complete(&live, &live, NULL));
    owner = load(table, "t");
    sharer = load(table, "t");
    channel = NULL;
    CHECK_OK(sessionreg_channel_new(table, NULL, NULL, &channel, NULL));
    CHECK_OK(sessionreg_restoring_carried_by(owner.restoring, channel, NULL));
    subscription = NULL;
    CHECK_OK(sessionreg_restore_subscribe(table, "s", NULL, &subscription, NULL));
    /* The lock may be taken at the very moment of a fork. */
    REQUIRE(pthread_create(&thread, NULL, keep_locking, NULL) == 0);
    for (int round = 0; round < rounds(); round++) {
        int status = 0;
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            alarm(30);
            child_does();
            _exit(9);
        }
        REQUIRE(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    atomic_store(&is_over, true);
    pthread_join(thread, NULL);
    CHECK(sessionreg_lease_ended(live.lease) == SESSIONREG_END_REASON_NONE);
    CHECK(sessionreg_channel_is_open(channel) && sessions_of(table, NULL) == 2);
    CHECK_OK(complete(&owner, &owner, NULL));
    CHECK_OK(wait_for(&sharer, -1));
    CHECK(sessionreg_lease_state(sharer.lease) == &owner);
    request_free(&live);
    request_free(&owner);
    request_free(&sharer);
    sessionreg_subscription_free(subscription);
    sessionreg_channel_free(channel);
    table_end(table);
    end();
}

static void a_table_cannot_be_used_by_a_child(void) {
    the_table_is_its_parents(uses_what_it_inherited);
}

static void a_table_stays_when_a_child_frees_it(void) {
    the_table_is_its_parents(frees_what_it_inherited);
}

static void a_child_may_have_a_table_of_its_own(void) {
    the_table_is_its_parents(has_a_table_of_its_own);
}

/* A session that this process may still serve is not to be had by another one. */
static void the_claims_of_a_table_that_is_only_freed_stay(void) {
    sessionreg_claim *claim = NULL;
    begin();
    table = table_of(registry);
    live = load(table, "s");
    CHECK_OK(complete(&live, NULL, NULL));
    owner = load(table, "t");
    sessionreg_restore_table_free(table);
    request_free(&live);
    request_free(&owner);
    /* Nobody has anything of the table any more. */
    CHECK_STATUS(sessionreg_registry_claim(registry, "qwen-code", "s", &claim, NULL),
                 SESSIONREG_STATUS_HELD);
    CHECK_OK(sessionreg_registry_claim(registry, "qwen-code", "t", &claim, NULL));
    CHECK_OK(sessionreg_claim_release(claim, NULL));
    sessionreg_claim_free(claim);
    end();
}

int main(void) {
    RUN(a_session_that_another_process_has_restored_is_left_to_it);
    RUN(a_session_that_another_process_has_registered_is_left_to_it);
    RUN(of_processes_that_ask_at_once_one_restores);
    RUN(a_table_cannot_be_used_by_a_child);
    RUN(a_table_stays_when_a_child_frees_it);
    RUN(a_child_may_have_a_table_of_its_own);
    RUN(the_claims_of_a_table_that_is_only_freed_stay);
    return check_result();
}
