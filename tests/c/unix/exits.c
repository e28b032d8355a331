/* The library works to the end: in handlers of `atexit`, in destructors, at the end of a thread. */
#include "../example_record.h"
#include "../folder.h"
#include <pthread.h>
#include <sys/wait.h>

/* With what a child ends that came to its last step, with no failed check on its way. */
enum { CAME_THROUGH = 42 };

static char folder[PATH_ROOM], path[PATH_ROOM + 32];
static sessionreg_record *record;
/* Steps that came through so far; a parent takes none. */
static int steps, wanted_steps;

/* Judges the own record, and writes it where the others before did. */
static void step(void) {
    sessionreg_verdict verdict = {SESSIONREG_STATE_UNKNOWN, SESSIONREG_REASON_INVALID};
    sessionreg_record *read = NULL;
    CHECK_OK(sessionreg_liveness(record, &verdict, NULL));
    CHECK(verdict.reason == SESSIONREG_REASON_VERIFIED);
    CHECK_OK(sessionreg_write(path, record, NULL, NULL));
    CHECK_OK(sessionreg_load(path, &read, NULL));
    CHECK(sessionreg_record_equal(read, record));
    sessionreg_record_free(read);
    steps++;
}

static void end_if_last(void) {
    if (steps != wanted_steps)
        return;
    sessionreg_record_free(record);
    fflush(stdout);
    _exit(check_failures_of_test == 0 ? CAME_THROUGH : EXIT_FAILURE);
}

static void step_at_exit(void) {
    step();
    end_if_last();
}

__attribute__((destructor)) static void step_in_destructor(void) {
    if (steps > 0) {
        step();
        end_if_last();
    }
}

static void step_at_end_of_thread(void *unused) {
    (void)unused;
    step();
}

static void *run_thread(void *key) {
    step();
    CHECK(pthread_setspecific(*(pthread_key_t *)key, key) == 0);
    return NULL;
}

static void ends_in_a_handler(void) {
    wanted_steps = 2;
    CHECK(atexit(step_at_exit) == 0);
    step();
    exit(EXIT_FAILURE);
}

static void ends_in_a_destructor(void) {
    wanted_steps = 2;
    step();
    exit(EXIT_FAILURE);
}

static void ends_in_a_destructor_after_a_handler(void) {
    wanted_steps = 3;
    CHECK(atexit(step_at_exit) == 0);
    step();
    exit(EXIT_FAILURE);
}

static void ends_after_its_thread(void) {
    pthread_key_t key;
    pthread_t thread;
    wanted_steps = 2;
    CHECK(pthread_key_create(&key, step_at_end_of_thread) == 0);
    CHECK(pthread_create(&thread, NULL, run_thread, &key) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    end_if_last();
}

/* In a child, as only who ends can tell. */
static void in_a_child(void (*ends)(void)) {
    int status = 0;
    folder_make(folder);
    snprintf(path, sizeof path, "%s/s.runtime.json", folder);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        record = own_record("s");
        ends();
        _exit(EXIT_FAILURE);
    }
    REQUIRE(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == CAME_THROUGH);
    CHECK(folder_count(folder) == 1);
    folder_remove(folder);
}

static void a_handler_of_atexit_judges_and_writes(void) {
    in_a_child(ends_in_a_handler);
}

static void a_destructor_judges_and_writes(void) {
    in_a_child(ends_in_a_destructor);
}

static void a_destructor_after_a_handler_judges_and_writes(void) {
    in_a_child(ends_in_a_destructor_after_a_handler);
}

static void the_end_of_a_thread_judges_and_writes(void) {
    in_a_child(ends_after_its_thread);
}

int main(void) {
    RUN(a_handler_of_atexit_judges_and_writes);
    RUN(a_destructor_judges_and_writes);
    RUN(a_destructor_after_a_handler_judges_and_writes);
    RUN(the_end_of_a_thread_judges_and_writes);
    return check_result();
}
