/* Sweeps: what the dead left goes, and nothing else. */
#include "child.h"
#include "example_registry.h"

static char folder[PATH_ROOM], sessions[PATH_ROOM + 32], chats[PATH_ROOM + 32];
static sessionreg_registry *registry;

static void begin(void) {
    folder_make(folder);
    home_set(folder);
    snprintf(sessions, sizeof sessions, "%s/sessions", folder);
    snprintf(chats, sizeof chats, "%s/chats", folder);
    registry = registry_in(sessions, SESSIONREG_DIALECT_OURS);
}

static void end(void) {
    sessionreg_registry_free(registry);
    folder_remove(folder);
}

/* Leaves what a process leaves that is killed: a PID file and a sidecar. */
static uint32_t leave_a_dead_session(const char *session_id) {
    char template[PATH_ROOM + 64];
    child process;
    sessionreg_session *session = NULL;
    sessionreg_new made = new_session(session_id);
    if (!child_start(&process)) {
        CHECK(!"a child can be started");
        return 0;
    }
    snprintf(template, sizeof template, "%s/{id}.runtime.json", chats);
    made.sidecar = template;
    made.pid = child_pid(&process);
    CHECK_OK(sessionreg_registry_register(registry, &made, &session, NULL));
    sessionreg_session_free(session);
    child_end(&process);
    return made.pid;
}

static sessionreg_swept *sweep(const sessionreg_sweep_options *options) {
    sessionreg_swept *swept = NULL;
    CHECK_OK(sessionreg_registry_sweep(registry, options, &swept, NULL));
    CHECK(sessionreg_swept_failed_len(swept) == 0);
    return swept;
}

static void check_removed(const sessionreg_removed *removed, uint32_t pid, const char *id) {
    const sessionreg_record *record = sessionreg_removed_record(removed);
    const sessionreg_reason reason = sessionreg_removed_reason(removed);
    /* Windows keeps an ended process for whoever has a handle to it. */
    CHECK(reason == SESSIONREG_REASON_GONE || reason == SESSIONREG_REASON_ZOMBIE);
    CHECK(sessionreg_removed_path(removed).length > 0);
    CHECK(sessionreg_record_pid(record) == pid);
    CHECK_TEXT(sessionreg_record_session_id(record), id);
}

static void a_sweep_removes_the_dead_and_leaves_the_living(void) {
    begin();
    sessionreg_session *own = registered(registry, "own");
    uint32_t dead = leave_a_dead_session("dead");
    CHECK(folder_count(sessions) == 2);
    sessionreg_swept *swept = sweep(NULL);
    CHECK(sessionreg_swept_live(swept) == 1);
    REQUIRE(sessionreg_swept_removed_len(swept) == 1);
    check_removed(sessionreg_swept_removed_get(swept, 0), dead, "dead");
    CHECK(!is_there(sessionreg_removed_path(sessionreg_swept_removed_get(swept, 0)).data));
    CHECK(sessionreg_swept_removed_get(swept, 1) == NULL);
    CHECK(sessionreg_swept_failed_get(swept, 0) == NULL);
    sessionreg_swept_free(swept);
    CHECK(folder_count(sessions) == 1 && live_in(registry) == 1);
    swept = sweep(NULL);
    CHECK(sessionreg_swept_removed_len(swept) == 0);
    sessionreg_swept_free(swept);
    CHECK_OK(sessionreg_session_close(own, NULL));
    sessionreg_session_free(own);
    end();
}

static void a_dry_run_tells_and_removes_nothing(void) {
    begin();
    uint32_t dead = leave_a_dead_session("dead");
    sessionreg_sweep_options options = SESSIONREG_SWEEP_OPTIONS_INIT;
    options.dry_run = true;
    sessionreg_swept *swept = sweep(&options);
    CHECK(sessionreg_swept_live(swept) == 0);
    REQUIRE(sessionreg_swept_removed_len(swept) == 1);
    check_removed(sessionreg_swept_removed_get(swept, 0), dead, "dead");
    CHECK(is_there(sessionreg_removed_path(sessionreg_swept_removed_get(swept, 0)).data));
    sessionreg_swept_free(swept);
    end();
}

static void sidecars_are_swept_only_where_it_is_said(void) {
    begin();
    const char *const folders[1] = {chats};
    uint32_t dead = leave_a_dead_session("dead");
    sessionreg_swept_free(sweep(NULL));
    CHECK(folder_count(sessions) == 0 && folder_count(chats) == 1);
    sessionreg_sweep_options options = SESSIONREG_SWEEP_OPTIONS_INIT;
    options.sidecar_folders = folders;
    CHECK(options.sidecar_folder_count == 0);
    sessionreg_swept_free(sweep(&options));
    CHECK(folder_count(chats) == 1);
    options.sidecar_folder_count = 1;
    sessionreg_swept *swept = sweep(&options);
    REQUIRE(sessionreg_swept_removed_len(swept) == 1);
    check_removed(sessionreg_swept_removed_get(swept, 0), dead, "dead");
    sessionreg_swept_free(swept);
    CHECK(folder_count(chats) == 0);
    end();
}

static void options_that_cannot_be_are_invalid_input(void) {
    begin();
    const sessionreg_status invalid = SESSIONREG_STATUS_INVALID_INPUT;
    const char *const nothing[1] = {NULL};
    sessionreg_swept *swept = NULL;
    leave_a_dead_session("dead");
    sessionreg_sweep_options options = SESSIONREG_SWEEP_OPTIONS_INIT;
    options.sidecar_folder_count = 1;
    CHECK_STATUS(sessionreg_registry_sweep(registry, &options, &swept, NULL), invalid);
    options.sidecar_folders = nothing;
    CHECK_STATUS(sessionreg_registry_sweep(registry, &options, &swept, NULL), invalid);
    options.sidecar_folder_count = SIZE_MAX;
    CHECK_STATUS(sessionreg_registry_sweep(registry, &options, &swept, NULL), invalid);
    options.sidecar_folder_count = 0;
    options.struct_size = 0;
    CHECK_STATUS(sessionreg_registry_sweep(registry, &options, &swept, NULL), invalid);
    CHECK(swept == NULL && folder_count(sessions) == 1);
    end();
}

int main(int argc, char **argv) {
    CHILD_MAIN(argc);
    RUN(a_sweep_removes_the_dead_and_leaves_the_living);
    RUN(a_dry_run_tells_and_removes_nothing);
    RUN(sidecars_are_swept_only_where_it_is_said);
    RUN(options_that_cannot_be_are_invalid_input);
    return check_result();
}
