/* Records to test with. */
#ifndef EXAMPLE_RECORD_H
#define EXAMPLE_RECORD_H

#include "check.h"

#ifdef _WIN32
#define ROOT "C:"
#else
#define ROOT ""
#endif

/* A record of the calling process; NULL, and a failed check, if there is none. */
static inline sessionreg_record *own_record(const char *session_id) {
    sessionreg_record *record = NULL;
    sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
    fields.session_id = session_id;
    fields.work_dir = ROOT "/srv/project";
    fields.agent = "qwen-code";
    CHECK_OK(sessionreg_record_new(&fields, &record, NULL));
    return record;
}

/* A record of a pid that is not looked up. */
static inline sessionreg_record *plain_record(uint32_t pid, const char *session_id) {
    sessionreg_record *record = NULL;
    sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
    fields.pid = pid;
    fields.session_id = session_id;
    fields.work_dir = ROOT "/srv/project";
    fields.hostname = "build-7";
    fields.started_at = 1763690000.125;
    CHECK_OK(sessionreg_record_new(&fields, &record, NULL));
    return record;
}

#endif
