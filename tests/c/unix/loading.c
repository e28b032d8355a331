/* Loading the library changes nothing in a process; using it leaves nothing behind.
 *
 * This program is not linked to it: it is loaded by name, and unloaded. */
#include "../check.h"
#include "../folder.h"
#include <dlfcn.h>
#include <signal.h>

/* What must be the same before and after. */
typedef struct {
    int threads, descriptors;
    void (*handlers[NSIG])(int);
    sigset_t mask;
} state;

static void (*handler_of(int number))(int) {
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 ? action.sa_handler : NULL;
}

static state state_now(void) {
    state now;
    memset(&now, 0, sizeof now);
    now.threads = folder_count("/proc/self/task");
    now.descriptors = folder_count("/proc/self/fd");
    for (int number = 1; number < NSIG; number++)
        now.handlers[number] = handler_of(number);
    sigprocmask(SIG_BLOCK, NULL, &now.mask);
    return now;
}

#define CHECK_SAME(before) \
    do { \
        state now = state_now(); \
        CHECK(now.threads == (before).threads); \
        CHECK(now.descriptors == (before).descriptors); \
        CHECK(memcmp(now.handlers, (before).handlers, sizeof now.handlers) == 0); \
        CHECK(memcmp(&now.mask, &(before).mask, sizeof now.mask) == 0); \
    } while (0)

static void *library;

/* Without a warning for an object pointer that becomes a function pointer. */
#define LOAD(name) \
    __typeof__(&name) p_##name; \
    *(void **)(&p_##name) = dlsym(library, #name); \
    REQUIRE(p_##name != NULL)

/* A registry of so many that a scan takes several threads. */
static void use_a_registry(const char *folder) {
    enum { MANY = 2100 };
    LOAD(sessionreg_registry_open);
    LOAD(sessionreg_registry_register);
    LOAD(sessionreg_registry_scan);
    LOAD(sessionreg_registry_sweep);
    LOAD(sessionreg_registry_free);
    LOAD(sessionreg_session_update);
    LOAD(sessionreg_session_close);
    LOAD(sessionreg_session_free);
    LOAD(sessionreg_list_len);
    LOAD(sessionreg_list_free);
    LOAD(sessionreg_swept_free);
    static sessionreg_session *sessions[MANY];
    sessionreg_registry *registry = NULL;
    sessionreg_list *list = NULL;
    sessionreg_swept *swept = NULL;
    sessionreg_new made = SESSIONREG_NEW_INIT;
    made.session_id = "s";
    made.work_dir = "/w";
    CHECK(p_sessionreg_registry_open(folder, NULL, &registry, NULL) == SESSIONREG_STATUS_OK);
    for (int i = 0; i < MANY; i++)
        CHECK(p_sessionreg_registry_register(registry, &made, &sessions[i], NULL) ==
              SESSIONREG_STATUS_OK);
    CHECK(p_sessionreg_registry_scan(registry, &list, NULL) == SESSIONREG_STATUS_OK);
    CHECK(p_sessionreg_list_len(list) == MANY);
    CHECK(p_sessionreg_registry_sweep(registry, NULL, &swept, NULL) == SESSIONREG_STATUS_OK);
    for (int i = 0; i < MANY; i++) {
        CHECK(p_sessionreg_session_update(sessions[i], "{\"status\": \"busy\"}", NULL) ==
              SESSIONREG_STATUS_OK);
        CHECK(p_sessionreg_session_close(sessions[i], NULL) == SESSIONREG_STATUS_OK);
        p_sessionreg_session_free(sessions[i]);
    }
    p_sessionreg_swept_free(swept);
    p_sessionreg_list_free(list);
    p_sessionreg_registry_free(registry);
}

/* A folder of so many that a snapshot takes several threads, and a monitor of it, closed or not. */
static void use_a_monitor(const char *folder) {
    enum { MANY = 2100 };
    LOAD(sessionreg_sources_none);
    LOAD(sessionreg_sources_add);
    LOAD(sessionreg_sources_free);
    LOAD(sessionreg_snapshot_take);
    LOAD(sessionreg_snapshot_len);
    LOAD(sessionreg_snapshot_free);
    LOAD(sessionreg_monitor_open);
    LOAD(sessionreg_monitor_next);
    LOAD(sessionreg_monitor_close);
    LOAD(sessionreg_monitor_free);
    LOAD(sessionreg_batch_added_len);
    LOAD(sessionreg_batch_free);
    sessionreg_sources *sources = NULL;
    sessionreg_snapshot *snapshot = NULL;
    char path[PATH_ROOM + 32], record[256];
    for (int i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, "%s/%d.json", folder, 4000000 + i);
        snprintf(record, sizeof record,
                 "{\"schemaVersion\": 1, \"pid\": %d, \"sessionId\": \"s\", \"cwd\": \"/\", "
                 "\"startedAt\": 1763690000125}",
                 4000000 + i);
        file_put(path, record, strlen(record));
    }
    CHECK(p_sessionreg_sources_none(&sources, NULL) == SESSIONREG_STATUS_OK);
    CHECK(p_sessionreg_sources_add(sources, SESSIONREG_SOURCE_REGISTRY, folder, NULL) ==
          SESSIONREG_STATUS_OK);
    CHECK(p_sessionreg_snapshot_take(sources, &snapshot, NULL) == SESSIONREG_STATUS_OK);
    CHECK(p_sessionreg_snapshot_len(snapshot) == MANY);
    p_sessionreg_snapshot_free(snapshot);
    for (int round = 0; round < 2; round++) {
        sessionreg_monitor *monitor = NULL;
        sessionreg_batch *batch = NULL;
        CHECK(p_sessionreg_monitor_open(sources, NULL, &monitor, NULL) == SESSIONREG_STATUS_OK);
        CHECK(p_sessionreg_monitor_next(monitor, -1, &batch, NULL) == SESSIONREG_STATUS_OK);
        CHECK(p_sessionreg_batch_added_len(batch) == MANY);
        p_sessionreg_batch_free(batch);
        if (round == 0)
            CHECK(p_sessionreg_monitor_close(monitor, NULL) == SESSIONREG_STATUS_OK);
        p_sessionreg_monitor_free(monitor);
    }
    p_sessionreg_sources_free(sources);
    for (int i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, "%s/%d.json", folder, 4000000 + i);
        CHECK(remove(path) == 0);
    }
}

static void loading_and_use_leave_no_thread_descriptor_or_handler(void) {
    char folder[PATH_ROOM], path[PATH_ROOM + 32];
    folder_make(folder);
    snprintf(path, sizeof path, "%s/s.runtime.json", folder);
    state before = state_now();
    library = dlopen("libsessionreg.so.0", RTLD_NOW | RTLD_LOCAL);
    REQUIRE(library != NULL);
    CHECK_SAME(before);

    LOAD(sessionreg_record_new);
    LOAD(sessionreg_write);
    LOAD(sessionreg_load);
    LOAD(sessionreg_liveness);
    LOAD(sessionreg_clear_if);
    LOAD(sessionreg_record_free);
    sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
    fields.session_id = "s";
    fields.work_dir = "/w";
    for (int round = 0; round < 20; round++) {
        sessionreg_record *record = NULL, *read = NULL;
        sessionreg_verdict verdict;
        bool removed = false;
        CHECK(p_sessionreg_record_new(&fields, &record, NULL) == SESSIONREG_STATUS_OK);
        CHECK(p_sessionreg_write(path, record, NULL, NULL) == SESSIONREG_STATUS_OK);
        CHECK(p_sessionreg_load(path, &read, NULL) == SESSIONREG_STATUS_OK);
        CHECK(p_sessionreg_liveness(read, &verdict, NULL) == SESSIONREG_STATUS_OK);
        CHECK(p_sessionreg_clear_if(path, read, &removed, NULL) == SESSIONREG_STATUS_OK);
        CHECK(removed);
        p_sessionreg_record_free(record);
        p_sessionreg_record_free(read);
    }
    /* Thousands of records take valgrind a minute, in which other programs use both. */
    if (!in_valgrind()) {
        use_a_registry(folder);
        use_a_monitor(folder);
    }
    CHECK_SAME(before);
    CHECK(folder_count(folder) == 0);
    CHECK(dlclose(library) == 0);
    CHECK_SAME(before);
    folder_remove(folder);
}

/* For check.h, which could say it by name if the library were linked. */
const char *sessionreg_status_string(uint32_t status) {
    static char number[16];
    snprintf(number, sizeof number, "%u", status);
    return number;
}

int main(void) {
    RUN(loading_and_use_leave_no_thread_descriptor_or_handler);
    return check_result();
}
