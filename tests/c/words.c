/* Numbers and words: those of the header are those of the library. */
#include "check.h"

#define STATUS(name) CHECK_STRING(sessionreg_status_string(SESSIONREG_STATUS_##name), #name)

static void each_status_has_the_token_of_its_name(void) {
    STATUS(OK);
    STATUS(NOT_FOUND);
    STATUS(CORRUPT);
    STATUS(UNSUPPORTED_VERSION);
    STATUS(NOT_A_FILE);
    STATUS(TOO_LARGE);
    STATUS(PERMISSION_DENIED);
    STATUS(INVALID_ID);
    STATUS(INVALID_INPUT);
    STATUS(HELD);
    STATUS(BUSY);
    STATUS(CLOSED);
    STATUS(CLOSING);
    STATUS(CANCELLED);
    STATUS(NO_SPACE);
    STATUS(READ_ONLY);
    STATUS(RESTORE_IN_PROGRESS);
    STATUS(SESSION_LIMIT);
    STATUS(SUBSCRIBER_LIMIT);
    STATUS(WORKSPACE_MISMATCH);
    STATUS(TIMEOUT);
    STATUS(UNAVAILABLE);
    STATUS(IO);
    STATUS(PANIC);
}

#define STATE(name, word) CHECK_STRING(sessionreg_state_string(SESSIONREG_STATE_##name), word)
#define REASON(name, word) CHECK_STRING(sessionreg_reason_string(SESSIONREG_REASON_##name), word)

static void each_state_and_reason_has_the_word_of_its_name(void) {
    STATE(UNKNOWN, "unknown");
    STATE(ALIVE, "alive");
    STATE(DEAD, "dead");
    REASON(VERIFIED, "verified");
    REASON(UNVERIFIED, "unverified");
    REASON(GONE, "gone");
    REASON(ZOMBIE, "zombie");
    REASON(REUSED, "reused");
    REASON(REBOOTED, "rebooted");
    REASON(LOCK_HELD, "lock_held");
    REASON(FILE_OPEN, "file_open");
    REASON(LOCK_FREE, "lock_free");
    REASON(FILE_CLOSED, "file_closed");
    REASON(PANE_GONE, "pane_gone");
    REASON(OTHER_HOST, "other_host");
    REASON(OTHER_NAMESPACE, "other_namespace");
    REASON(OTHER_PLATFORM, "other_platform");
    REASON(PERMISSION, "permission");
    REASON(CLOCK, "clock");
    REASON(NO_IDENTITY, "no_identity");
    REASON(STARTING, "starting");
    REASON(STALE, "stale");
    REASON(UNSUPPORTED, "unsupported");
    REASON(INVALID, "invalid");
}

static void each_dialect_has_the_word_of_its_name(void) {
    CHECK_STRING(sessionreg_dialect_string(SESSIONREG_DIALECT_OURS), "ours");
    CHECK_STRING(sessionreg_dialect_string(SESSIONREG_DIALECT_QWEN), "qwen");
    CHECK_STRING(sessionreg_dialect_string(SESSIONREG_DIALECT_CLAUDE), "claude");
}

/* What was built against an older header must still mean the same. */
static void numbers_do_not_move(void) {
    CHECK(SESSIONREG_STATUS_OK == 0 && SESSIONREG_STATUS_NOT_FOUND == 1);
    CHECK(SESSIONREG_STATUS_INVALID_INPUT == 8 && SESSIONREG_STATUS_PANIC == 23);
    CHECK(SESSIONREG_STATE_UNKNOWN == 0 && SESSIONREG_STATE_ALIVE == 1);
    CHECK(SESSIONREG_STATE_DEAD == 2 && SESSIONREG_REASON_VERIFIED == 1);
    CHECK(SESSIONREG_REASON_OTHER_HOST == 12 && SESSIONREG_REASON_INVALID == 21);
    CHECK(SESSIONREG_DIALECT_DETECTED == 0 && SESSIONREG_DIALECT_OURS == 1);
    CHECK(SESSIONREG_DIALECT_QWEN == 2 && SESSIONREG_DIALECT_CLAUDE == 3);
    CHECK(SESSIONREG_REASON_NONE == 0);
    CHECK(SESSIONREG_SOURCE_REGISTRY == 1 && SESSIONREG_SOURCE_CLAUDE_CODE == 2);
    CHECK(SESSIONREG_SOURCE_QWEN_CODE == 3 && SESSIONREG_SOURCE_KIMI_CLI == 4);
    CHECK(SESSIONREG_SOURCE_CODEX == 5 && SESSIONREG_SOURCE_COPILOT == 6);
    CHECK(SESSIONREG_SOURCE_HOOKS == 7);
    CHECK(sizeof(sessionreg_status) == 4 && sizeof(sessionreg_verdict) == 8);
}

static void a_number_without_a_meaning_has_no_word(void) {
    CHECK(sessionreg_status_string(SESSIONREG_STATUS_PANIC + 1) == NULL);
    CHECK(sessionreg_status_string(UINT32_MAX) == NULL);
    CHECK(sessionreg_state_string(SESSIONREG_STATE_DEAD + 1) == NULL);
    CHECK(sessionreg_state_string(UINT32_MAX) == NULL);
    CHECK(sessionreg_reason_string(0) == NULL);
    CHECK(sessionreg_reason_string(SESSIONREG_REASON_INVALID + 1) == NULL);
    CHECK(sessionreg_reason_string(UINT32_MAX) == NULL);
    CHECK(sessionreg_dialect_string(SESSIONREG_DIALECT_DETECTED) == NULL);
    CHECK(sessionreg_dialect_string(SESSIONREG_DIALECT_CLAUDE + 1) == NULL);
    CHECK(sessionreg_dialect_string(UINT32_MAX) == NULL);
}

#define WORD(of, name, word) CHECK_STRING(sessionreg_##of##_string(SESSIONREG_##name), word)

static void each_number_of_a_restore_has_the_word_of_its_name(void) {
    WORD(action, ACTION_LOAD, "load");
    WORD(action, ACTION_RESUME, "resume");
    WORD(action, ACTION_SPAWN, "spawn");
    WORD(stage, STAGE_RESTORING, "restoring");
    WORD(stage, STAGE_ABANDONED, "abandoned");
    WORD(stage, STAGE_LIVE, "live");
    WORD(end_reason, END_REASON_RELEASED, "released");
    WORD(end_reason, END_REASON_ENDED, "ended");
    WORD(end_reason, END_REASON_CHANNEL_CLOSED, "channel_closed");
    WORD(end_reason, END_REASON_DAEMON_SHUTDOWN, "daemon_shutdown");
    WORD(event_kind, EVENT_PUBLISHED, "published");
    WORD(event_kind, EVENT_NEW_EPOCH, "new_epoch");
    WORD(event_kind, EVENT_GAP, "gap");
    WORD(event_kind, EVENT_EVICTED, "evicted");
    WORD(event_kind, EVENT_ENDED, "ended");
}

static void numbers_of_a_restore_do_not_move(void) {
    CHECK(SESSIONREG_ACTION_NONE == 0 && SESSIONREG_ACTION_LOAD == 1);
    CHECK(SESSIONREG_ACTION_RESUME == 2 && SESSIONREG_ACTION_SPAWN == 3);
    CHECK(SESSIONREG_OUTCOME_ATTACHED == 1 && SESSIONREG_OUTCOME_OWNER == 2);
    CHECK(SESSIONREG_OUTCOME_SHARER == 3 && SESSIONREG_STAGE_NONE == 0);
    CHECK(SESSIONREG_STAGE_RESTORING == 1 && SESSIONREG_STAGE_LIVE == 3);
    CHECK(SESSIONREG_END_REASON_NONE == 0 && SESSIONREG_END_REASON_RELEASED == 1);
    CHECK(SESSIONREG_END_REASON_DAEMON_SHUTDOWN == 4 && SESSIONREG_EVENT_NONE == 0);
    CHECK(SESSIONREG_EVENT_PUBLISHED == 1 && SESSIONREG_EVENT_ENDED == 5);
}

#define NO_WORD(of, last) \
    CHECK(sessionreg_##of##_string(0) == NULL); \
    CHECK(sessionreg_##of##_string(SESSIONREG_##last + 1) == NULL); \
    CHECK(sessionreg_##of##_string(UINT32_MAX) == NULL)

static void a_number_of_no_restore_has_no_word(void) {
    NO_WORD(action, ACTION_SPAWN);
    NO_WORD(stage, STAGE_LIVE);
    NO_WORD(end_reason, END_REASON_DAEMON_SHUTDOWN);
    NO_WORD(event_kind, EVENT_ENDED);
}

static void the_library_is_that_of_the_header(void) {
    CHECK_STRING(sessionreg_version(), SESSIONREG_VERSION);
}

int main(void) {
    RUN(each_status_has_the_token_of_its_name);
    RUN(each_state_and_reason_has_the_word_of_its_name);
    RUN(each_dialect_has_the_word_of_its_name);
    RUN(numbers_do_not_move);
    RUN(a_number_without_a_meaning_has_no_word);
    RUN(each_number_of_a_restore_has_the_word_of_its_name);
    RUN(numbers_of_a_restore_do_not_move);
    RUN(a_number_of_no_restore_has_no_word);
    RUN(the_library_is_that_of_the_header);
    return check_result();
}
