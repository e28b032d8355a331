/* Threads that use one record, file, session, claim or snapshot at the same time. */
#include "../example_monitor.h"
#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 8 };

static int rounds(void) {
    return in_valgrind() ? 20 : 200;
}

static sessionreg_record *record;
static char folder[PATH_ROOM], path[PATH_ROOM + 32];
static atomic_int disagreements;

static void expect(bool condition) {
    if (!condition)
        atomic_fetch_add(&disagreements, 1);
}

static void *look(void *unused) {
    (void)unused;
    for (int round = 0; round < rounds(); round++) {
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
    for (int round = 0; round < rounds(); round++) {
        sessionreg_record *read = NULL;
        sessionreg_status written = sessionreg_write(path, record, NULL, NULL);
        expect(written == SESSIONREG_STATUS_OK || written == SESSIONREG_STATUS_BUSY);
        expect(sessionreg_load(path, &read, NULL) == SESSIONREG_STATUS_OK);
        expect(sessionreg_record_equal(record, read));
        sessionreg_record_free(read);
    }
    return NULL;
}

static sessionreg_registry *registry;
static sessionreg_session *session;

/* One key for each thread: none may be lost. */
static void *change(void *unused) {
    static atomic_int threads;
    const int own = atomic_fetch_add(&threads, 1);
    (void)unused;
    for (int round = 1; round <= rounds(); round++) {
        char patch[64];
        sessionreg_record *record = NULL;
        snprintf(patch, sizeof patch, "{\"key%d\": %d}", own, round);
        sessionreg_status updated = sessionreg_session_update(session, patch, NULL);
        expect(updated == SESSIONREG_STATUS_OK);
        expect(sessionreg_session_registered(session));
        expect(sessionreg_session_record(session, &record, NULL) == SESSIONREG_STATUS_OK);
        sessionreg_record_free(record);
    }
    return NULL;
}

static void *ask(void *unused) {
    (void)unused;
    for (int round = 0; round < rounds(); round++) {
        sessionreg_list *list = NULL;
        expect(sessionreg_registry_scan(registry, &list, NULL) == SESSIONREG_STATUS_OK);
        expect(sessionreg_list_len(list) == 1 && sessionreg_list_skipped_len(list) == 0);
        expect(sessionreg_entry_verdict(sessionreg_list_get(list, 0)).reason ==
               SESSIONREG_REASON_VERIFIED);
        sessionreg_list_free(list);
    }
    return NULL;
}

static void *change_and_ask(void *unused) {
    static atomic_int threads;
    return atomic_fetch_add(&threads, 1) % 2 == 0 ? change(unused) : ask(unused);
}

static sessionreg_claim *claim;
static atomic_int releases;

static void *release(void *unused) {
    (void)unused;
    sessionreg_status status = sessionreg_claim_release(claim, NULL);
    expect(status == SESSIONREG_STATUS_OK || status == SESSIONREG_STATUS_CLOSED);
    atomic_fetch_add(&releases, status == SESSIONREG_STATUS_OK);
    return NULL;
}

static sessionreg_snapshot *snapshot;
static sessionreg_monitor *monitor;

/* What is lent is made when somebody first asks for it. */
static void *look_at_a_snapshot(void *unused) {
    (void)unused;
    for (size_t i = 0; i < sessionreg_snapshot_len(snapshot); i++) {
        const sessionreg_agent_session *one = sessionreg_snapshot_get(snapshot, i);
        sessionreg_agent_session *copy = NULL;
        char *json = NULL;
        expect(is_text(sessionreg_agent_session_agent(one), "qwen-code"));
        expect(is_text(sessionreg_agent_session_sources_get(one, 0), "registry"));
        expect(sessionreg_agent_session_files_get(one, 0).length > 0);
        expect(sessionreg_agent_session_clone(one, &copy, NULL) == SESSIONREG_STATUS_OK);
        expect(sessionreg_agent_session_equal(one, copy));
        expect(sessionreg_agent_session_to_json(one, &json, NULL) == SESSIONREG_STATUS_OK);
        sessionreg_string_free(json);
        sessionreg_agent_session_free(copy);
    }
    return NULL;
}

/* Some ask, some wait, while the session changes. */
static void *use_a_monitor(void *unused) {
    static atomic_int threads;
    const int own = atomic_fetch_add(&threads, 1);
    (void)unused;
    for (int round = 0; round < rounds(); round++) {
        sessionreg_snapshot *taken = NULL;
        sessionreg_batch *batch = NULL;
        if (own == 0) {
            sessionreg_status updated =
                sessionreg_session_update(session, "{\"status\": \"busy\"}", NULL);
            expect(updated == SESSIONREG_STATUS_OK);
        } else if (own % 2 == 0) {
            expect(sessionreg_monitor_snapshot(monitor, &taken, NULL) == SESSIONREG_STATUS_OK);
            expect(sessionreg_snapshot_len(taken) == 1);
            expect(sessionreg_snapshot_skipped_len(taken) == 0);
        } else {
            expect(sessionreg_monitor_wait(monitor, NULL, -1, &batch, NULL) ==
                   SESSIONREG_STATUS_OK);
            expect(sessionreg_batch_added_len(batch) == 1);
        }
        sessionreg_snapshot_free(taken);
        sessionreg_batch_free(batch);
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

static void threads_that_change_one_session_lose_no_change(void) {
    folder_make(folder);
    registry = registry_in(folder, SESSIONREG_DIALECT_OURS);
    session = registered(registry, "s");
    run_threads(change_and_ask);
    sessionreg_record *record = record_of(registry, "s");
    CHECK(sessionreg_record_extra_count(record) == THREADS / 2);
    for (int i = 0; i < THREADS / 2; i++) {
        char key[16], last[16], *json = NULL;
        snprintf(key, sizeof key, "key%d", i);
        snprintf(last, sizeof last, "%d", rounds());
        CHECK_OK(sessionreg_record_extra_get(record, key, &json, NULL));
        CHECK_STRING(json, last);
        sessionreg_string_free(json);
    }
    sessionreg_record_free(record);
    CHECK_OK(sessionreg_session_close(session, NULL));
    CHECK(folder_count(folder) == 0);
    sessionreg_session_free(session);
    sessionreg_registry_free(registry);
    folder_remove(folder);
}

static void one_of_many_threads_releases_a_claim(void) {
    folder_make(folder);
    home_set(folder);
    registry = registry_in(folder, SESSIONREG_DIALECT_OURS);
    CHECK_OK(sessionreg_registry_claim(registry, "my-agent", "s", &claim, NULL));
    run_threads(release);
    CHECK(atomic_load(&releases) == 1);
    CHECK(!is_there(sessionreg_claim_path(claim).data));
    sessionreg_claim_free(claim);
    sessionreg_registry_free(registry);
    folder_remove(folder);
}

static void threads_may_look_at_one_snapshot(void) {
    enum { MANY = 50 };
    sessionreg_session *sessions[MANY];
    folder_make(folder);
    registry = registry_in(folder, SESSIONREG_DIALECT_OURS);
    for (int i = 0; i < MANY; i++) {
        char id[8];
        snprintf(id, sizeof id, "s%d", i);
        sessions[i] = registered(registry, id);
    }
    sessionreg_sources *sources = sources_in(SESSIONREG_SOURCE_REGISTRY, folder);
    CHECK_OK(sessionreg_snapshot_take(sources, &snapshot, NULL));
    CHECK(sessionreg_snapshot_len(snapshot) == MANY);
    run_threads(look_at_a_snapshot);
    sessionreg_snapshot_free(snapshot);
    sessionreg_sources_free(sources);
    for (int i = 0; i < MANY; i++)
        session_close(sessions[i]);
    sessionreg_registry_free(registry);
    folder_remove(folder);
}

static void threads_may_use_one_monitor(void) {
    folder_make(folder);
    registry = registry_in(folder, SESSIONREG_DIALECT_OURS);
    session = registered(registry, "s");
    monitor = monitor_of(SESSIONREG_SOURCE_REGISTRY, folder);
    run_threads(use_a_monitor);
    sessionreg_monitor_free(monitor);
    session_close(session);
    sessionreg_registry_free(registry);
    folder_remove(folder);
}

int main(void) {
    RUN(threads_may_look_at_one_record);
    RUN(threads_that_write_one_file_never_see_half_of_it);
    RUN(threads_that_change_one_session_lose_no_change);
    RUN(one_of_many_threads_releases_a_claim);
    RUN(threads_may_look_at_one_snapshot);
    RUN(threads_may_use_one_monitor);
    return check_result();
}
