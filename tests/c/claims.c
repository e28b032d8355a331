/* Claims: one process at a time may hold that of a session. */
#include "example_registry.h"

static char folder[PATH_ROOM];
static sessionreg_registry *registry;

static void begin(void) {
    folder_make(folder);
    home_set(folder);
    CHECK_OK(sessionreg_registry_open(NULL, NULL, &registry, NULL));
}

static void end(void) {
    sessionreg_registry_free(registry);
    folder_remove(folder);
}

static sessionreg_claim *claimed(const char *session_id) {
    sessionreg_claim *claim = NULL;
    CHECK_OK(sessionreg_registry_claim(registry, "my-agent", session_id, &claim, NULL));
    return claim;
}

static sessionreg_status try_claim(const char *agent, const char *session_id) {
    sessionreg_claim *claim = NULL;
    sessionreg_status status = sessionreg_registry_claim(registry, agent, session_id, &claim, NULL);
    CHECK((claim == NULL) == (status != SESSIONREG_STATUS_OK));
    if (claim != NULL)
        CHECK_OK(sessionreg_claim_release(claim, NULL));
    sessionreg_claim_free(claim);
    return status;
}

static void a_claim_is_held_until_it_is_released(void) {
    begin();
    sessionreg_record *own = own_record("s");
    sessionreg_claim *claim = claimed("s"), *untouched = claim, *second = untouched;
    sessionreg_error *error = NULL;
    CHECK(is_there(sessionreg_claim_path(claim).data));
    CHECK_STATUS(sessionreg_registry_claim(registry, "my-agent", "s", &second, &error),
                 SESSIONREG_STATUS_HELD);
    CHECK(second == untouched);
    const sessionreg_holder *holder = sessionreg_error_holder(error);
    CHECK(sessionreg_holder_pid(holder) == sessionreg_record_pid(own));
    CHECK_TEXT(sessionreg_holder_session_id(holder), "s");
    CHECK_STRING(sessionreg_holder_host(holder).data, sessionreg_record_hostname(own).data);
    CHECK_STRING(sessionreg_holder_path(holder).data, sessionreg_claim_path(claim).data);
    sessionreg_error_free(error);
    /* Another session, or the same id of another program, is another claim. */
    CHECK_STATUS(try_claim("my-agent", "t"), SESSIONREG_STATUS_OK);
    CHECK_STATUS(try_claim("other", "s"), SESSIONREG_STATUS_OK);
    CHECK_OK(sessionreg_claim_release(claim, NULL));
    CHECK(!is_there(sessionreg_claim_path(claim).data));
    CHECK_STATUS(try_claim("my-agent", "s"), SESSIONREG_STATUS_OK);
    sessionreg_claim_free(claim);
    sessionreg_record_free(own);
    end();
}

static void a_claim_is_released_once(void) {
    begin();
    sessionreg_claim *claim = claimed("s");
    sessionreg_error *error = NULL;
    CHECK_OK(sessionreg_claim_release(claim, NULL));
    sessionreg_claim *successor = claimed("s");
    CHECK_STATUS(sessionreg_claim_release(claim, &error), SESSIONREG_STATUS_CLOSED);
    CHECK_TEXT(sessionreg_error_message(error), "failed to release the claim: it is released");
    CHECK(sessionreg_error_holder(error) == NULL);
    sessionreg_error_free(error);
    sessionreg_claim_free(claim);
    CHECK_STATUS(try_claim("my-agent", "s"), SESSIONREG_STATUS_HELD);
    CHECK_OK(sessionreg_claim_release(successor, NULL));
    sessionreg_claim_free(successor);
    end();
}

static void an_agent_or_id_that_cannot_be_is_refused(void) {
    begin();
    CHECK_STATUS(try_claim("", "s"), SESSIONREG_STATUS_INVALID_INPUT);
    CHECK_STATUS(try_claim("My Agent", "s"), SESSIONREG_STATUS_INVALID_INPUT);
    CHECK_STATUS(try_claim("schema", "s"), SESSIONREG_STATUS_INVALID_INPUT);
    CHECK_STATUS(try_claim("\xff", "s"), SESSIONREG_STATUS_INVALID_INPUT);
    CHECK_STATUS(try_claim("my-agent", ""), SESSIONREG_STATUS_INVALID_ID);
    CHECK_STATUS(try_claim("my-agent", "../s"), SESSIONREG_STATUS_INVALID_ID);
    CHECK_STATUS(try_claim("my-agent", "\xff"), SESSIONREG_STATUS_INVALID_ID);
    CHECK(folder_count(folder) == 0);
    end();
}

static void an_error_that_is_not_held_has_no_holder(void) {
    sessionreg_record *record = NULL;
    sessionreg_error *error = NULL;
    begin();
    char path[PATH_ROOM + 16];
    snprintf(path, sizeof path, "%s/none", folder);
    CHECK_STATUS(sessionreg_load(path, &record, &error), SESSIONREG_STATUS_NOT_FOUND);
    CHECK(error != NULL && sessionreg_error_holder(error) == NULL);
    sessionreg_error_free(error);
    end();
}

int main(void) {
    RUN(a_claim_is_held_until_it_is_released);
    RUN(a_claim_is_released_once);
    RUN(an_agent_or_id_that_cannot_be_is_refused);
    RUN(an_error_that_is_not_held_has_no_holder);
    return check_result();
}
