/* Who watches is woken when something happened and not otherwise, by every thread, and at the end.
 */
#include "../child.h"
#include "../example_monitor.h"
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { READERS = 16, CYCLES = 1000 };

static char folder[PATH_ROOM];
static sessionreg_registry *registry;
static sessionreg_monitor *monitor;

static void begin_with(sessionreg_monitor_options options) {
    folder_make(folder);
    registry = registry_in(folder, SESSIONREG_DIALECT_OURS);
    sessionreg_sources *sources = sources_in(SESSIONREG_SOURCE_REGISTRY, folder);
    CHECK_OK(sessionreg_monitor_open(sources, &options, &monitor, NULL));
    sessionreg_sources_free(sources);
}

static void begin(void) {
    begin_with(monitor_options(-1));
}

static void end(void) {
    sessionreg_monitor_free(monitor);
    sessionreg_registry_free(registry);
    folder_remove(folder);
}

static void skip_first_batch(void) {
    sessionreg_batch *batch = NULL;
    CHECK_OK(sessionreg_monitor_next(monitor, PATIENCE_MS, &batch, NULL));
    CHECK(sessionreg_batch_reset(batch));
    sessionreg_batch_free(batch);
}

static int is_readable_within(int timeout_ms) {
    struct pollfd ready = {-1, POLLIN, 0};
    CHECK_OK(sessionreg_monitor_fd(monitor, &ready.fd, NULL));
    return poll(&ready, 1, timeout_ms) == 1 && ready.revents == POLLIN;
}

/* ---- What is left ---------------------------------------------------------------------------- */

static void a_thousand_monitors_leave_no_descriptor_and_no_thread(void) {
    begin();
    sessionreg_session *session = registered(registry, "s");
    const int descriptors = folder_count("/proc/self/fd");
    const int threads = folder_count("/proc/self/task");
    const int cycles = in_valgrind() ? CYCLES / 20 : CYCLES;
    for (int cycle = 0; cycle < cycles; cycle++) {
        sessionreg_monitor *one = monitor_of(SESSIONREG_SOURCE_REGISTRY, folder);
        sessionreg_batch *batch = NULL;
        CHECK_OK(sessionreg_monitor_next(one, 0, &batch, NULL));
        CHECK(sessionreg_batch_added_len(batch) == 1);
        if (cycle == 0)
            CHECK(folder_count("/proc/self/fd") > descriptors);
        sessionreg_batch_free(batch);
        if (cycle % 2 == 0)
            CHECK_OK(sessionreg_monitor_close(one, NULL));
        sessionreg_monitor_free(one);
    }
    CHECK(folder_count("/proc/self/fd") == descriptors);
    CHECK(folder_count("/proc/self/task") == threads);
    session_close(session);
    end();
}

/* ---- Threads --------------------------------------------------------------------------------- */

static atomic_int started, disagreements;

static void expect(bool condition) {
    if (!condition)
        atomic_fetch_add(&disagreements, 1);
}

static void start_all(pthread_t threads[READERS], void *(*body)(void *)) {
    atomic_store(&started, 0);
    atomic_store(&disagreements, 0);
    for (size_t i = 0; i < READERS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, body, (void *)i) == 0);
    while (atomic_load(&started) < READERS)
        usleep(1000);
}

static void join_all(pthread_t threads[READERS]) {
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    CHECK(atomic_load(&disagreements) == 0);
}

/* Has nothing to read but the end: the first by the monitor's own reader, the others beside it. */
static void *read_to_the_end(void *number) {
    sessionreg_batch *batch = NULL;
    char cursor[128] = "";
    expect(sessionreg_monitor_wait(monitor, NULL, -1, &batch, NULL) == SESSIONREG_STATUS_OK);
    snprintf(cursor, sizeof cursor, "%s", sessionreg_batch_cursor(batch).data);
    sessionreg_batch_free(batch);
    batch = NULL;
    atomic_fetch_add(&started, 1);
    const sessionreg_status status =
        number == NULL ? sessionreg_monitor_next(monitor, -1, &batch, NULL)
                       : sessionreg_monitor_wait(monitor, cursor, -1, &batch, NULL);
    expect(status == SESSIONREG_STATUS_CLOSED && batch == NULL);
    return NULL;
}

static void closing_ends_the_wait_of_every_thread(void) {
    for (int round = 0; round < 10; round++) {
        pthread_t threads[READERS];
        begin();
        skip_first_batch();
        start_all(threads, read_to_the_end);
        /* In some rounds they sleep by then, in others they are about to. */
        usleep(round % 2 == 0 ? 20 * 1000 : 0);
        CHECK(is_readable_within(0) == 0);
        struct pollfd ready = {-1, POLLIN, 0};
        CHECK_OK(sessionreg_monitor_fd(monitor, &ready.fd, NULL));
        CHECK_OK(sessionreg_monitor_close(monitor, NULL));
        CHECK(poll(&ready, 1, 0) == 1);
        join_all(threads);
        end();
    }
}

/* Puts together what it is told, until the last state is there. */
static void *read_to_the_last_state(void *unused) {
    char cursor[128], status[16] = "";
    bool has_cursor = false;
    (void)unused;
    atomic_fetch_add(&started, 1);
    while (strcmp(status, "last") != 0) {
        sessionreg_batch *batch = NULL;
        sessionreg_status waited =
            sessionreg_monitor_wait(monitor, has_cursor ? cursor : NULL, PATIENCE_MS, &batch, NULL);
        expect(waited == SESSIONREG_STATUS_OK);
        if (waited != SESSIONREG_STATUS_OK)
            break;
        expect(sessionreg_batch_reset(batch) == !has_cursor);
        const sessionreg_agent_session *one = sessionreg_batch_changed_get(batch, 0);
        if (one == NULL)
            one = sessionreg_batch_added_get(batch, 0);
        snprintf(status, sizeof status, "%s", sessionreg_agent_session_status(one).data);
        snprintf(cursor, sizeof cursor, "%s", sessionreg_batch_cursor(batch).data);
        has_cursor = true;
        sessionreg_batch_free(batch);
    }
    return NULL;
}

static void each_of_many_readers_gets_the_last_state(void) {
    pthread_t threads[READERS];
    begin();
    sessionreg_session *session = registered(registry, "s");
    CHECK_OK(sessionreg_session_update(session, "{\"status\": \"first\"}", NULL));
    start_all(threads, read_to_the_last_state);
    for (int round = 0; round < 200; round++)
        CHECK_OK(sessionreg_session_update(session, "{\"status\": \"another\"}", NULL));
    CHECK_OK(sessionreg_session_update(session, "{\"status\": \"last\"}", NULL));
    join_all(threads);
    session_close(session);
    end();
}

/* ---- The descriptor -------------------------------------------------------------------------- */

/* Who polls sleeps while changes are gathered, and misses none. */
static void the_descriptor_is_readable_when_there_is_something_and_not_before(void) {
    sessionreg_monitor_options options = monitor_options(200);
    /* Valgrind, in which this may run, hides what tells of exits. */
    options.poll_ms = 10 * PATIENCE_MS;
    begin_with(options);
    sessionreg_batch *batch = NULL;
    int wake_ups = 0;
    CHECK(is_readable_within(0));
    skip_first_batch();
    CHECK_STATUS(sessionreg_monitor_next(monitor, 0, &batch, NULL), SESSIONREG_STATUS_TIMEOUT);
    CHECK(!is_readable_within(300));

    sessionreg_session *session = registered(registry, "s");
    while (batch == NULL && wake_ups < 100) {
        REQUIRE(is_readable_within(PATIENCE_MS));
        wake_ups++;
        if (sessionreg_monitor_next(monitor, 0, &batch, NULL) == SESSIONREG_STATUS_TIMEOUT)
            CHECK(!is_readable_within(0));
    }
    CHECK(wake_ups <= 4);
    CHECK(sessionreg_batch_added_len(batch) == 1);
    sessionreg_batch_free(batch);
    CHECK_STATUS(sessionreg_monitor_next(monitor, 0, &batch, NULL), SESSIONREG_STATUS_TIMEOUT);
    CHECK(!is_readable_within(0));

    /* What another reader finds out first is told to this one as well. */
    sessionreg_snapshot *snapshot = snapshot_of(monitor);
    CHECK_OK(sessionreg_session_update(session, "{\"status\": \"busy\"}", NULL));
    CHECK_OK(sessionreg_monitor_wait(monitor, sessionreg_snapshot_cursor(snapshot).data,
                                     PATIENCE_MS, &batch, NULL));
    sessionreg_batch_free(batch);
    sessionreg_snapshot_free(snapshot);
    CHECK(is_readable_within(0));
    CHECK_OK(sessionreg_monitor_next(monitor, 0, &batch, NULL));
    CHECK(sessionreg_batch_changed_len(batch) == 1);
    sessionreg_batch_free(batch);
    session_close(session);
    end();
}

static void who_waits_sleeps_while_nothing_happens(void) {
    begin();
    struct rusage before, after;
    sessionreg_batch *batch = NULL;
    skip_first_batch();
    getrusage(RUSAGE_THREAD, &before);
    CHECK_STATUS(sessionreg_monitor_next(monitor, 1500, &batch, NULL), SESSIONREG_STATUS_TIMEOUT);
    getrusage(RUSAGE_THREAD, &after);
    CHECK(after.ru_nvcsw - before.ru_nvcsw >= 1);
    CHECK(after.ru_nvcsw - before.ru_nvcsw <= 3);
    end();
}

/* ---- Signals --------------------------------------------------------------------------------- */

static atomic_int signals, is_waiting;

static void count_signal(int number) {
    (void)number;
    atomic_fetch_add(&signals, 1);
}

/* Sends signals to a thread until it has left its wait. */
static void *interrupt(void *thread) {
    while (atomic_load(&is_waiting)) {
        pthread_kill(*(pthread_t *)thread, SIGUSR1);
        usleep(10 * 1000);
    }
    return NULL;
}

static void *wait_beside(void *unused) {
    sessionreg_snapshot *snapshot = snapshot_of(monitor);
    sessionreg_batch *batch = NULL;
    (void)unused;
    atomic_fetch_add(&started, 1);
    expect(sessionreg_monitor_wait(monitor, sessionreg_snapshot_cursor(snapshot).data, -1, &batch,
                                   NULL) == SESSIONREG_STATUS_CLOSED);
    sessionreg_snapshot_free(snapshot);
    return NULL;
}

/* With another reader, or without one, that waits already. */
static void a_signal_ends_a_wait(bool is_alone) {
    struct sigaction action = {.sa_handler = count_signal}, before;
    pthread_t self = pthread_self(), sender, other;
    sessionreg_batch *batch = NULL;
    begin();
    skip_first_batch();
    atomic_store(&signals, 0);
    atomic_store(&started, 0);
    atomic_store(&disagreements, 0);
    if (!is_alone) {
        REQUIRE(pthread_create(&other, NULL, wait_beside, NULL) == 0);
        while (atomic_load(&started) == 0)
            usleep(1000);
        usleep(20 * 1000);
    }
    CHECK(sigaction(SIGUSR1, &action, &before) == 0);
    atomic_store(&is_waiting, 1);
    REQUIRE(pthread_create(&sender, NULL, interrupt, &self) == 0);
    CHECK_STATUS(sessionreg_monitor_next(monitor, -1, &batch, NULL), SESSIONREG_STATUS_TIMEOUT);
    atomic_store(&is_waiting, 0);
    pthread_join(sender, NULL);
    CHECK(atomic_load(&signals) > 0 && batch == NULL);
    sigaction(SIGUSR1, &before, NULL);
    CHECK_OK(sessionreg_monitor_close(monitor, NULL));
    if (!is_alone)
        pthread_join(other, NULL);
    CHECK(atomic_load(&disagreements) == 0);
    end();
}

static void a_signal_ends_the_wait_of_a_lone_reader(void) {
    a_signal_ends_a_wait(true);
}

static void a_signal_ends_the_wait_of_one_of_several_readers(void) {
    a_signal_ends_a_wait(false);
}

/* ---- Forks ----------------------------------------------------------------------------------- */

/* How many of a child's calls are not CLOSED. */
static int calls_of_a_child(void) {
    const sessionreg_status closed = SESSIONREG_STATUS_CLOSED;
    sessionreg_snapshot *snapshot = NULL;
    sessionreg_batch *batch = NULL;
    sessionreg_polled *polled = NULL;
    sessionreg_cleaned *cleaned = NULL;
    size_t count;
    int fd, wrong = 0;
    wrong += sessionreg_monitor_next(monitor, 0, &batch, NULL) != closed;
    wrong += sessionreg_monitor_next(monitor, -1, &batch, NULL) != closed;
    wrong += sessionreg_monitor_wait(monitor, NULL, -1, &batch, NULL) != closed;
    wrong += sessionreg_monitor_snapshot(monitor, &snapshot, NULL) != closed;
    wrong += sessionreg_monitor_fd(monitor, &fd, NULL) != closed;
    wrong += sessionreg_monitor_polled(monitor, &polled, NULL) != closed;
    wrong += sessionreg_monitor_record_turn_start(monitor, &count, NULL) != closed;
    wrong += sessionreg_monitor_clean_up(monitor, NULL, 0, NULL, &cleaned, NULL) != closed;
    wrong += sessionreg_monitor_close(monitor, NULL) != closed;
    sessionreg_monitor_free(monitor);
    return wrong;
}

static bool every_call_of_a_child_is_closed(void) {
    int status = -1;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        /* One that blocks is ended. */
        alarm(20);
        const char *program = calls_of_a_child() == 0 ? "/bin/true" : "/bin/false";
        /* What threads had that are not there any more is no leak. */
        execl(program, program, (char *)NULL);
        _exit(1);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* What was noticed for the parent, and not yet read, stays the parent's. */
static void a_forked_child_takes_nothing_from_its_parent(void) {
    begin();
    sessionreg_batch *batch = NULL;
    CHECK(is_readable_within(0));
    CHECK(every_call_of_a_child_is_closed());
    CHECK(is_readable_within(0));
    skip_first_batch();
    sessionreg_snapshot *snapshot = snapshot_of(monitor);
    sessionreg_session *session = registered(registry, "s");
    CHECK_OK(sessionreg_monitor_wait(monitor, sessionreg_snapshot_cursor(snapshot).data,
                                     PATIENCE_MS, &batch, NULL));
    sessionreg_batch_free(batch);
    sessionreg_snapshot_free(snapshot);
    CHECK(every_call_of_a_child_is_closed());
    CHECK(is_readable_within(0));
    CHECK_OK(sessionreg_monitor_next(monitor, 0, &batch, NULL));
    CHECK(sessionreg_batch_added_len(batch) == 1);
    sessionreg_batch_free(batch);
    session_close(session);
    end();
}

static void *read_one_batch(void *unused) {
    sessionreg_batch *batch = NULL;
    (void)unused;
    atomic_fetch_add(&started, 1);
    expect(sessionreg_monitor_next(monitor, PATIENCE_MS, &batch, NULL) == SESSIONREG_STATUS_OK);
    expect(sessionreg_batch_added_len(batch) == 1);
    sessionreg_batch_free(batch);
    return NULL;
}

/* Of the threads that wait in the parent there is none in the child. */
static void a_child_of_a_process_in_which_a_thread_waits_is_not_blocked(void) {
    pthread_t thread;
    begin();
    skip_first_batch();
    atomic_store(&started, 0);
    atomic_store(&disagreements, 0);
    REQUIRE(pthread_create(&thread, NULL, read_one_batch, NULL) == 0);
    while (atomic_load(&started) == 0)
        usleep(1000);
    usleep(20 * 1000);
    CHECK(every_call_of_a_child_is_closed());
    sessionreg_session *session = registered(registry, "s");
    pthread_join(thread, NULL);
    CHECK(atomic_load(&disagreements) == 0);
    session_close(session);
    end();
}

/* ---- Processes ------------------------------------------------------------------------------- */

static void an_exit_reaches_every_session_of_the_process(void) {
    begin();
    child process;
    sessionreg_session *sessions[3] = {NULL};
    sessionreg_batch *batch = NULL;
    size_t dead = 0;
    REQUIRE(child_start(&process));
    for (int i = 0; i < 3; i++) {
        char id[8];
        sessionreg_new made;
        snprintf(id, sizeof id, "s%d", i);
        made = new_session(id);
        made.pid = child_pid(&process);
        CHECK_OK(sessionreg_registry_register(registry, &made, &sessions[i], NULL));
    }
    CHECK_OK(sessionreg_monitor_next(monitor, PATIENCE_MS, &batch, NULL));
    CHECK(sessionreg_batch_added_len(batch) == 3);
    sessionreg_batch_free(batch);
    /* Not reaped yet: that it has exited is enough. */
    CHECK(kill((pid_t)child_pid(&process), SIGKILL) == 0);
    while (dead < 3) {
        batch = NULL;
        CHECK_OK(sessionreg_monitor_next(monitor, PATIENCE_MS, &batch, NULL));
        REQUIRE(batch != NULL);
        for (size_t i = 0; i < sessionreg_batch_changed_len(batch); i++)
            dead +=
                sessionreg_agent_session_verdict(sessionreg_batch_changed_get(batch, i)).reason ==
                SESSIONREG_REASON_ZOMBIE;
        sessionreg_batch_free(batch);
    }
    child_end(&process);
    for (int i = 0; i < 3; i++)
        sessionreg_session_free(sessions[i]);
    end();
}

int main(int argc, char **argv) {
    CHILD_MAIN(argc);
    RUN(a_thousand_monitors_leave_no_descriptor_and_no_thread);
    RUN(closing_ends_the_wait_of_every_thread);
    RUN(each_of_many_readers_gets_the_last_state);
    RUN(the_descriptor_is_readable_when_there_is_something_and_not_before);
    RUN(who_waits_sleeps_while_nothing_happens);
    RUN(a_signal_ends_the_wait_of_a_lone_reader);
    RUN(a_signal_ends_the_wait_of_one_of_several_readers);
    RUN(a_forked_child_takes_nothing_from_its_parent);
    RUN(a_child_of_a_process_in_which_a_thread_waits_is_not_blocked);
    RUN(an_exit_reaches_every_session_of_the_process);
    return check_result();
}
