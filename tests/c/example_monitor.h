/* Sources, monitors and what they tell, to test with. */
#ifndef EXAMPLE_MONITOR_H
#define EXAMPLE_MONITOR_H

#include "example_registry.h"
#include <time.h>

/* Only a promise that is broken takes so long. */
enum { PATIENCE_MS = 30 * 1000 };

static inline sessionreg_sources *sources_in(sessionreg_source source, const char *folder) {
    sessionreg_sources *sources = NULL;
    CHECK_OK(sessionreg_sources_none(&sources, NULL));
    CHECK_OK(sessionreg_sources_add(sources, source, folder, NULL));
    return sources;
}

static inline sessionreg_monitor_options monitor_options(int64_t fold_ms) {
    sessionreg_monitor_options options = SESSIONREG_MONITOR_OPTIONS_INIT;
    options.fold_ms = fold_ms;
    /* Where nobody tells of changes, a test would take long. */
    options.poll_ms = 50;
    return options;
}

static inline sessionreg_monitor *monitor_of(sessionreg_source source, const char *folder) {
    sessionreg_sources *sources = sources_in(source, folder);
    sessionreg_monitor *monitor = NULL;
    const sessionreg_monitor_options options = monitor_options(-1);
    CHECK_OK(sessionreg_monitor_open(sources, &options, &monitor, NULL));
    sessionreg_sources_free(sources);
    return monitor;
}

static inline sessionreg_snapshot *snapshot_of(const sessionreg_monitor *monitor) {
    sessionreg_snapshot *snapshot = NULL;
    CHECK_OK(sessionreg_monitor_snapshot(monitor, &snapshot, NULL));
    return snapshot;
}

static inline int is_text(sessionreg_text text, const char *wanted) {
    return text.data != NULL && text.length == strlen(wanted) && strcmp(text.data, wanted) == 0;
}

static inline void session_close(sessionreg_session *session) {
    CHECK_OK(sessionreg_session_close(session, NULL));
    sessionreg_session_free(session);
}

/* A file below a folder of a test; what is above it is made. */
static inline void put_below(const char *folder, const char *name, const char *text) {
    char path[2 * PATH_ROOM];
    for (const char *at = name; (at = strchr(at, '/')) != NULL; at++) {
        snprintf(path, sizeof path, "%s/%.*s", folder, (int)(at - name), name);
#ifdef _WIN32
        _mkdir(path);
#else
        mkdir(path, 0700);
#endif
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    file_put(path, text, strlen(text));
}

#endif
