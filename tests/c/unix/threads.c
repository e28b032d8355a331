/* Threads that look at one record at the same time, and threads that write one file. */
#include "../example_record.h"
#include "../folder.h"
#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 8, ROUNDS = 200 };

static sessionreg_record *record;
static char folder[PATH_ROOM], path[PATH_ROOM + 32];
static atomic_int disagreements;

static void expect(bool condition) {
    if (!condition)
        atomic_fetch_add(&disagreements, 1);
}

static void *look(void *unused) {
    (void)unused;
    for (int round = 0; round < ROUNDS; round++) {
        sessionreg_verdict verdict = {SESSIONREG_STATE_UNKNOWN, SESSIONREG_REASON_INVALID};
        sessionreg_record *copy = NULL;
        sessionreg_text id = sessionreg_record_session_id(record);
        expect(id.length == 4 && strcmp(id.data, "3f1c") == 0);
        expect(strcmp(sessionreg_record_version_key(record).data, "qwen_version") == 0);
        expect(sessionreg_liveness(record, &verdict, NULL) == SESSIONREG_STATUS_OK);
        expect(verdict.reason == SESSIONREG_REASON_VERIFIED);
        expect(sessionreg_record_clone(record, &copy, NULL) == SESSIONREG_STATUS_OK);
        expect(sessionreg_record_equal(record, copy));
        sessionreg_record_free(copy);
    }
    return NULL;
}

static void *rewrite(void *unused) {
    (void)unused;
    for (int round = 0; round < ROUNDS; round++) {
        sessionreg_record *read = NULL;
        sessionreg_status written = sessionreg_write(path, record, NULL, NULL);
        expect(written == SESSIONREG_STATUS_OK || written == SESSIONREG_STATUS_BUSY);
        expect(sessionreg_load(path, &read, NULL) == SESSIONREG_STATUS_OK);
        expect(sessionreg_record_equal(record, read));
        sessionreg_record_free(read);
    }
    return NULL;
}

static void run_threads(void *(*body)(void *)) {
    pthread_t threads[THREADS];
    atomic_store(&disagreements, 0);
    for (int i = 0; i < THREADS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, body, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(atomic_load(&disagreements) == 0);
}

static void threads_may_look_at_one_record(void) {
    record = own_record("3f1c");
    run_threads(look);
    sessionreg_record_free(record);
}

static void threads_that_write_one_file_never_see_half_of_it(void) {
    folder_make(folder);
    snprintf(path, sizeof path, "%s/s.runtime.json", folder);
    record = own_record("3f1c");
    CHECK_OK(sessionreg_write(path, record, NULL, NULL));
    run_threads(rewrite);
    CHECK(folder_count(folder) == 1);
    sessionreg_record_free(record);
    folder_remove(folder);
}

int main(void) {
    RUN(threads_may_look_at_one_record);
    RUN(threads_that_write_one_file_never_see_half_of_it);
    return check_result();
}
