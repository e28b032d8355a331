/* Verdicts on real processes, one by one and many at once. */
#include "child.h"
#include "example_record.h"
#include "folder.h"
#ifdef _WIN32
#define own_pid() ((uint32_t)_getpid())
#else
#define own_pid() ((uint32_t)getpid())
#endif

#define CHECK_VERDICT(record, wanted) \
    do { \
        sessionreg_verdict verdict_of = {SESSIONREG_STATE_UNKNOWN, SESSIONREG_REASON_INVALID}; \
        CHECK_OK(sessionreg_liveness(record, &verdict_of, NULL)); \
        CHECK_STRING(verdict_words(verdict_of), wanted); \
    } while (0)

static const char *verdict_words(sessionreg_verdict verdict) {
    static char words[64];
    snprintf(words, sizeof words, "%s (%s)", sessionreg_state_string(verdict.state),
             sessionreg_reason_string(verdict.reason));
    return words;
}

/* Windows lets go of an ended process when it likes: then it is one that nobody has reaped. */
static bool is_dead_and_gone(sessionreg_verdict verdict) {
#ifdef _WIN32
    if (verdict.reason == SESSIONREG_REASON_ZOMBIE)
        return verdict.state == SESSIONREG_STATE_DEAD;
#endif
    return verdict.state == SESSIONREG_STATE_DEAD && verdict.reason == SESSIONREG_REASON_GONE;
}

/* A record with identity of another process. */
static sessionreg_record *record_of(uint32_t pid) {
    sessionreg_record *record = NULL;
    sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
    fields.pid = pid;
    fields.session_id = "child";
    fields.work_dir = ROOT "/w";
    CHECK_OK(sessionreg_record_of_process(&fields, &record, NULL));
    return record;
}

static void the_calling_process_is_alive_and_verified(void) {
    sessionreg_record *record = own_record("s");
    CHECK_VERDICT(record, "alive (verified)");
    sessionreg_record_free(record);
}

static void without_identity_a_process_is_alive_but_unverified(void) {
    sessionreg_record *record = NULL;
    sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
    fields.pid = own_pid();
    fields.session_id = "s";
    fields.work_dir = ROOT "/w";
    CHECK_OK(sessionreg_record_new(&fields, &record, NULL));
    CHECK_VERDICT(record, "alive (unverified)");
    sessionreg_record_free(record);
}

static void a_process_that_was_ended_is_dead(void) {
    child started;
    REQUIRE(child_start(&started));
    sessionreg_record *record = record_of(child_pid(&started));
    CHECK_VERDICT(record, "alive (verified)");
    child_end(&started);
    sessionreg_verdict verdict = {SESSIONREG_STATE_UNKNOWN, SESSIONREG_REASON_INVALID};
    CHECK_OK(sessionreg_liveness(record, &verdict, NULL));
    CHECK(is_dead_and_gone(verdict));
    sessionreg_record_free(record);
}

static void a_written_record_is_judged_like_the_one_in_memory(void) {
    char folder[PATH_ROOM], path[PATH_ROOM + 32];
    sessionreg_record *record = own_record("s"), *loaded = NULL;
    folder_make(folder);
    snprintf(path, sizeof path, "%s/s.runtime.json", folder);
    CHECK_OK(sessionreg_write(path, record, NULL, NULL));
    CHECK_OK(sessionreg_load(path, &loaded, NULL));
    CHECK_VERDICT(loaded, "alive (verified)");
    sessionreg_record_free(record);
    sessionreg_record_free(loaded);
    folder_remove(folder);
}

static void another_start_is_another_process(void) {
    child started;
    REQUIRE(child_start(&started));
    sessionreg_record *own = own_record("s"), *record = NULL;
    char *json = NULL, reused[4000], old[32], new[32];
    /* The child's pid with the identity of this process. */
    CHECK_OK(sessionreg_record_to_json(own, &json, NULL));
    REQUIRE(json != NULL);
    snprintf(old, sizeof old, "\"pid\": %u,", own_pid());
    snprintf(new, sizeof new, "\"pid\": %u,", child_pid(&started));
    char *at = strstr(json, old);
    REQUIRE(at != NULL);
    snprintf(reused, sizeof reused, "%.*s%s%s", (int)(at - json), json, new, at + strlen(old));
    CHECK_OK(sessionreg_record_from_json(reused, strlen(reused), &record, NULL));
    CHECK_VERDICT(record, "dead (reused)");
    child_end(&started);
    sessionreg_string_free(json);
    sessionreg_record_free(record);
    sessionreg_record_free(own);
}

static void no_process_can_have_some_pids(void) {
    static const uint32_t PIDS[] = {2147483648u, 4294967295u};
    for (size_t i = 0; i < sizeof PIDS / sizeof *PIDS; i++) {
        sessionreg_record *record = plain_record(PIDS[i], "s");
        CHECK_VERDICT(record, "unknown (invalid)");
        sessionreg_record_free(record);
    }
}

static void many_at_once_are_judged_in_their_order(void) {
    child started;
    REQUIRE(child_start(&started));
    const sessionreg_record *records[400];
    sessionreg_verdict verdicts[400], none = {SESSIONREG_STATE_DEAD, SESSIONREG_REASON_STALE};
    sessionreg_record *alive = own_record("s"), *dead = record_of(child_pid(&started));
    child_end(&started);
    for (size_t i = 0; i < 400; i++) {
        records[i] = i % 3 == 0 ? alive : dead;
        verdicts[i] = none;
    }
    CHECK_OK(sessionreg_liveness_all(records, 399, verdicts, NULL));
    for (size_t i = 0; i < 399; i++)
        CHECK(i % 3 == 0 ? verdicts[i].state == SESSIONREG_STATE_ALIVE &&
                               verdicts[i].reason == SESSIONREG_REASON_VERIFIED
                         : is_dead_and_gone(verdicts[i]));
    CHECK(verdicts[399].reason == SESSIONREG_REASON_STALE);
    sessionreg_record_free(alive);
    sessionreg_record_free(dead);
}

static void none_at_once_is_fine(void) {
    CHECK_OK(sessionreg_liveness_all(NULL, 0, NULL, NULL));
}

static void one_null_among_many_leaves_all_verdicts_untouched(void) {
    sessionreg_record *record = own_record("s");
    const sessionreg_record *records[2] = {record, NULL};
    sessionreg_verdict verdicts[2] = {{SESSIONREG_STATE_DEAD, SESSIONREG_REASON_STALE},
                                      {SESSIONREG_STATE_DEAD, SESSIONREG_REASON_STALE}};
    CHECK_STATUS(sessionreg_liveness_all(records, 2, verdicts, NULL),
                 SESSIONREG_STATUS_INVALID_INPUT);
    CHECK_STATUS(sessionreg_liveness_all(records, SIZE_MAX, verdicts, NULL),
                 SESSIONREG_STATUS_INVALID_INPUT);
    CHECK(verdicts[0].reason == SESSIONREG_REASON_STALE);
    CHECK(verdicts[1].reason == SESSIONREG_REASON_STALE);
    sessionreg_record_free(record);
}

int main(int argc, char **argv) {
    CHILD_MAIN(argc);
    RUN(the_calling_process_is_alive_and_verified);
    RUN(without_identity_a_process_is_alive_but_unverified);
    RUN(a_process_that_was_ended_is_dead);
    RUN(a_written_record_is_judged_like_the_one_in_memory);
    RUN(another_start_is_another_process);
    RUN(no_process_can_have_some_pids);
    RUN(many_at_once_are_judged_in_their_order);
    RUN(none_at_once_is_fine);
    RUN(one_null_among_many_leaves_all_verdicts_untouched);
    return check_result();
}
