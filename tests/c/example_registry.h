/* A registry in a folder of its own, sessions in it, and the home of claims. */
#ifndef EXAMPLE_REGISTRY_H
#define EXAMPLE_REGISTRY_H

#include "example_record.h"
#include "folder.h"

/* Makes `name` the home in which claims, and the user's own registry, lie. */
static inline void home_set(const char *name) {
#ifdef _WIN32
    CHECK(_putenv_s("SESSIONREG_HOME", name) == 0);
#else
    CHECK(setenv("SESSIONREG_HOME", name, 1) == 0);
#endif
}

static inline sessionreg_registry *registry_in(const char *folder, sessionreg_dialect dialect) {
    sessionreg_registry *registry = NULL;
    sessionreg_registry_options options = SESSIONREG_REGISTRY_OPTIONS_INIT;
    options.dialect = dialect;
    CHECK_OK(sessionreg_registry_open(folder, &options, &registry, NULL));
    return registry;
}

/* What is registered where nothing else is said. */
static inline sessionreg_new new_session(const char *session_id) {
    sessionreg_new made = SESSIONREG_NEW_INIT;
    made.session_id = session_id;
    made.work_dir = ROOT "/srv/project";
    made.agent = "qwen-code";
    return made;
}

static inline sessionreg_session *registered(const sessionreg_registry *registry,
                                             const char *session_id) {
    sessionreg_session *session = NULL;
    sessionreg_new made = new_session(session_id);
    CHECK_OK(sessionreg_registry_register(registry, &made, &session, NULL));
    return session;
}

/* How many live. */
static inline size_t live_in(const sessionreg_registry *registry) {
    size_t count = SIZE_MAX;
    CHECK_OK(sessionreg_registry_count_live(registry, &count, NULL));
    return count;
}

/* A copy of the record that the registry has of a session, for the caller to free; NULL if it has
 * not exactly one. */
static inline sessionreg_record *record_of(const sessionreg_registry *registry,
                                           const char *session_id) {
    sessionreg_list *list = NULL;
    sessionreg_record *record = NULL;
    CHECK_OK(sessionreg_registry_find_by_session(registry, session_id, &list, NULL));
    if (sessionreg_list_len(list) == 1)
        CHECK_OK(sessionreg_record_clone(sessionreg_entry_record(sessionreg_list_get(list, 0)),
                                         &record, NULL));
    sessionreg_list_free(list);
    return record;
}

static inline int is_there(const char *path) {
    struct stat found;
    return path != NULL && stat(path, &found) == 0;
}

#endif
