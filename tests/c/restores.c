/* Sessions that are restored once: who gets what, and who lets go of it. */
#include "example_registry.h"
#include "restoring.h"
#include <math.h>

static sessionreg_restore_table *table;
static int dropped;

static void count_drop(void *state) {
    *(int *)state += 1;
    dropped++;
}

static void begin(void) {
    dropped = 0;
    table = table_with(NULL);
}

static void everybody_gets_the_state_and_the_last_one_lets_it_go(void) {
    begin();
    int state = 0;
    request owner = load(table, "s"), sharer = load(table, "s");
    CHECK(owner.outcome == SESSIONREG_OUTCOME_OWNER && owner.restoring != NULL);
    CHECK(owner.lease == NULL && owner.waiting == NULL);
    CHECK(sharer.outcome == SESSIONREG_OUTCOME_SHARER && sharer.waiting != NULL);
    CHECK(sharer.lease == NULL && sharer.restoring == NULL);
    CHECK_TEXT(sessionreg_restoring_session_id(owner.restoring), "s");
    CHECK_OK(complete(&owner, &state, count_drop));
    CHECK_OK(wait_for(&sharer, -1));
    request later = ask_for(table, SESSIONREG_ACTION_RESUME, "s");
    CHECK(sharer.outcome == SESSIONREG_OUTCOME_ATTACHED);
    CHECK(later.outcome == SESSIONREG_OUTCOME_ATTACHED);
    CHECK(!sessionreg_lease_attached(owner.lease));
    CHECK(sessionreg_lease_attached(sharer.lease) && sessionreg_lease_attached(later.lease));
    CHECK(sessionreg_lease_state(owner.lease) == &state);
    CHECK(sessionreg_lease_state(sharer.lease) == &state);
    CHECK(sessionreg_lease_state(later.lease) == &state);
    CHECK_TEXT(sessionreg_lease_session_id(later.lease), "s");
    CHECK(!release(&owner) && !release(&later));
    CHECK(sessionreg_lease_ended(owner.lease) == SESSIONREG_END_REASON_NONE);
    CHECK(release(&sharer));
    CHECK(sessionreg_lease_ended(owner.lease) == SESSIONREG_END_REASON_RELEASED);
    CHECK(sessionreg_lease_state(owner.lease) == &state && dropped == 0);
    request_free(&sharer);
    request_free(&later);
    CHECK(dropped == 0);
    request_free(&owner);
    CHECK(dropped == 1 && state == 1);
    table_end(table);
}

static void a_lease_is_released_once(void) {
    begin();
    bool ended = false;
    sessionreg_error *error = NULL;
    request owner = load(table, "s"), other;
    CHECK_OK(complete(&owner, NULL, NULL));
    CHECK(sessionreg_lease_state(owner.lease) == NULL);
    other = load(table, "s");
    CHECK(!release(&owner));
    CHECK_STATUS(sessionreg_lease_release(owner.lease, &ended, &error), SESSIONREG_STATUS_CLOSED);
    CHECK_TEXT(sessionreg_error_message(error), "failed to release the lease: it is released");
    CHECK(!ended && sessionreg_lease_ended(other.lease) == SESSIONREG_END_REASON_NONE);
    sessionreg_error_free(error);
    CHECK(release(&other));
    request_free(&owner);
    request_free(&other);
    table_end(table);
}

static void a_lease_that_is_only_freed_ends_no_session(void) {
    begin();
    bool ended = false;
    request owner = load(table, "s"), other;
    CHECK_OK(complete(&owner, NULL, NULL));
    other = load(table, "s");
    request_free(&owner);
    CHECK(!release(&other));
    CHECK_OK(sessionreg_restore_end_if_unattached(table, "s", &ended, NULL));
    CHECK(!ended && sessions_of(table, NULL) == 1);
    CHECK_OK(sessionreg_restore_end(table, "s", NULL));
    CHECK(sessionreg_lease_ended(other.lease) == SESSIONREG_END_REASON_ENDED);
    request_free(&other);
    table_end(table);
}

static void a_state_that_is_not_wanted_is_let_go_at_once(void) {
    begin();
    int state = 0;
    sessionreg_lease *lease = NULL;
    CHECK_STATUS(sessionreg_restoring_complete(NULL, &state, count_drop, &lease, NULL),
                 SESSIONREG_STATUS_INVALID_INPUT);
    CHECK(dropped == 1);
    request owner = load(table, "s");
    CHECK_STATUS(sessionreg_restoring_complete(owner.restoring, &state, count_drop, NULL, NULL),
                 SESSIONREG_STATUS_INVALID_INPUT);
    CHECK(dropped == 2);
    CHECK_OK(sessionreg_restoring_fail(owner.restoring, SESSIONREG_STATUS_IO, "no disk", NULL));
    CHECK_STATUS(complete(&owner, &state, count_drop), SESSIONREG_STATUS_CLOSED);
    CHECK(dropped == 3 && state == 3);
    request_free(&owner);
    table_end(table);
}

static void a_restore_that_takes_too_long_is_told_so_and_discarded(void) {
    dropped = 0;
    int state = 0;
    sessionreg_restore_options options = SESSIONREG_RESTORE_OPTIONS_INIT;
    options.timeout_ms = 1;
    table = table_with(&options);
    request owner = load(table, "s"), sharer = load(table, "s"), other;
    /* On a slow machine the time is over before it asks. */
    if (sharer.status == SESSIONREG_STATUS_OK)
        CHECK_STATUS(wait_for(&sharer, -1), SESSIONREG_STATUS_TIMEOUT);
    else
        CHECK_STATUS(sharer.status, SESSIONREG_STATUS_RESTORE_IN_PROGRESS);
    CHECK(sessionreg_restoring_cancelled(owner.restoring));
    other = load(table, "s");
    CHECK_STATUS(other.status, SESSIONREG_STATUS_RESTORE_IN_PROGRESS);
    CHECK_TEXT(sessionreg_error_reason(other.error), "abandoned");
    CHECK_STATUS(complete(&owner, &state, count_drop), SESSIONREG_STATUS_TIMEOUT);
    CHECK(owner.lease == NULL && dropped == 1 && sessions_of(table, NULL) == 0);
    request_free(&owner);
    request_free(&sharer);
    request_free(&other);
    table_end(table);
}

static void a_failure_is_that_of_everybody_and_leaves_nothing_behind(void) {
    begin();
    request owner = load(table, "s"), sharer = load(table, "s"), again;
    CHECK_OK(sessionreg_restoring_fail(owner.restoring, SESSIONREG_STATUS_NOT_FOUND,
                                       "there is no transcript", NULL));
    CHECK_STATUS(wait_for(&sharer, -1), SESSIONREG_STATUS_NOT_FOUND);
    CHECK(sharer.lease == NULL && sharer.restoring == NULL);
    CHECK_STATUS(sessionreg_error_status(sharer.error), SESSIONREG_STATUS_NOT_FOUND);
    CHECK_TEXT(sessionreg_error_message(sharer.error),
               "failed to restore the session: there is no transcript");
    CHECK(sessions_of(table, NULL) == 0);
    again = ask_for(table, SESSIONREG_ACTION_RESUME, "s");
    CHECK(again.outcome == SESSIONREG_OUTCOME_OWNER);
    request_free(&again);
    request_free(&owner);
    request_free(&sharer);
    table_end(table);
}

static void a_restore_fails_with_a_failure(void) {
    begin();
    request owner = load(table, "s");
    CHECK_STATUS(sessionreg_restoring_fail(owner.restoring, SESSIONREG_STATUS_OK, "m", NULL),
                 SESSIONREG_STATUS_INVALID_INPUT);
    CHECK_STATUS(sessionreg_restoring_fail(owner.restoring, SESSIONREG_STATUS_PANIC + 1, "m", NULL),
                 SESSIONREG_STATUS_INVALID_INPUT);
    CHECK_STATUS(sessionreg_restoring_fail(owner.restoring, SESSIONREG_STATUS_IO, "\xff", NULL),
                 SESSIONREG_STATUS_INVALID_INPUT);
    CHECK(sessions_of(table, NULL) == 1);
    CHECK_OK(sessionreg_restoring_fail(owner.restoring, SESSIONREG_STATUS_IO, "m", NULL));
    CHECK_STATUS(sessionreg_restoring_fail(owner.restoring, SESSIONREG_STATUS_IO, "m", NULL),
                 SESSIONREG_STATUS_CLOSED);
    request_free(&owner);
    table_end(table);
}

static void who_waits_may_look_wait_again_or_leave(void) {
    begin();
    size_t attachments = 0;
    request owner = load(table, "s"), sharer = load(table, "s"), left = load(table, "s");
    CHECK_OK(wait_for(&sharer, 0));
    CHECK(sharer.outcome == SESSIONREG_OUTCOME_SHARER && sharer.lease == NULL);
    CHECK_OK(wait_for(&sharer, 1));
    CHECK(sharer.outcome == SESSIONREG_OUTCOME_SHARER);
    CHECK_STATUS(wait_for(&sharer, -2), SESSIONREG_STATUS_INVALID_INPUT);
    sessionreg_error_free(sharer.error);
    sharer.error = NULL;
    CHECK(sessions_of(table, &attachments) == 1 && attachments == 3);
    CHECK_OK(sessionreg_waiting_cancel(left.waiting, NULL));
    CHECK(sessions_of(table, &attachments) == 1 && attachments == 2);
    CHECK_STATUS(sessionreg_waiting_cancel(left.waiting, NULL), SESSIONREG_STATUS_CLOSED);
    CHECK_STATUS(wait_for(&left, -1), SESSIONREG_STATUS_CANCELLED);
    CHECK_OK(complete(&owner, NULL, NULL));
    CHECK_OK(wait_for(&sharer, 0));
    CHECK(sharer.outcome == SESSIONREG_OUTCOME_ATTACHED && sharer.lease != NULL);
    CHECK_STATUS(sessionreg_waiting_cancel(sharer.waiting, NULL), SESSIONREG_STATUS_CLOSED);
    sessionreg_lease *lease = sharer.lease;
    CHECK_STATUS(wait_for(&sharer, -1), SESSIONREG_STATUS_CLOSED);
    CHECK(sharer.lease == lease);
    request_free(&owner);
    request_free(&sharer);
    request_free(&left);
    table_end(table);
}

static void who_is_freed_while_he_waits_has_left(void) {
    begin();
    size_t attachments = 0;
    request owner = load(table, "s"), one = load(table, "s"), other = load(table, "s");
    request_free(&one);
    CHECK(sessions_of(table, &attachments) == 1 && attachments == 2);
    CHECK_OK(complete(&owner, NULL, NULL));
    /* Its lease is ready, and nobody ever takes it. */
    request_free(&other);
    CHECK(sessions_of(table, &attachments) == 1 && attachments == 1);
    CHECK(release(&owner));
    request_free(&owner);
    table_end(table);
}

static void a_session_that_is_gone_again_is_not_given(void) {
    begin();
    request owner = load(table, "s"), sharer = load(table, "s");
    CHECK_OK(complete(&owner, NULL, NULL));
    CHECK_OK(sessionreg_restore_end(table, "s", NULL));
    CHECK_STATUS(wait_for(&sharer, -1), SESSIONREG_STATUS_NOT_FOUND);
    CHECK(sharer.lease == NULL);
    request_free(&owner);
    request_free(&sharer);
    table_end(table);
}

static void a_run_that_is_left_is_the_next_ones(void) {
    begin();
    int state = 0;
    request owner = load(table, "s"), first = load(table, "s"), second = load(table, "s");
    sessionreg_restoring_free(owner.restoring);
    owner.restoring = NULL;
    CHECK_OK(wait_for(&second, 0));
    CHECK(second.outcome == SESSIONREG_OUTCOME_SHARER);
    CHECK_OK(wait_for(&first, -1));
    CHECK(first.outcome == SESSIONREG_OUTCOME_OWNER && first.lease == NULL);
    CHECK_OK(complete(&first, &state, NULL));
    CHECK_OK(wait_for(&second, -1));
    CHECK(!sessionreg_lease_attached(first.lease) && sessionreg_lease_attached(second.lease));
    CHECK(sessionreg_lease_state(second.lease) == &state);
    CHECK(!release(&first) && release(&second));
    request_free(&owner);
    request_free(&first);
    request_free(&second);
    owner = load(table, "s");
    CHECK(owner.outcome == SESSIONREG_OUTCOME_OWNER);
    request_free(&owner);
    CHECK(sessions_of(table, NULL) == 0);
    table_end(table);
}

/* Nobody is left with a run that he was handed and did not take. */
static void a_run_that_is_handed_to_nobody_goes_on_to_the_next(void) {
    begin();
    request owner = load(table, "s"), first = load(table, "s"), second = load(table, "s");
    request_free(&owner);
    request_free(&first);
    CHECK_OK(wait_for(&second, -1));
    CHECK(second.outcome == SESSIONREG_OUTCOME_OWNER);
    request_free(&second);
    CHECK(sessions_of(table, NULL) == 0);
    table_end(table);
}

static void an_owner_may_leave_his_own_run(void) {
    begin();
    int state = 0;
    request owner = load(table, "s"), sharer = load(table, "s");
    CHECK_OK(sessionreg_restoring_split(owner.restoring, &owner.waiting, NULL));
    CHECK_STATUS(sessionreg_restoring_split(owner.restoring, &owner.waiting, NULL),
                 SESSIONREG_STATUS_CLOSED);
    CHECK_OK(sessionreg_waiting_cancel(owner.waiting, NULL));
    CHECK(!sessionreg_restoring_cancelled(owner.restoring));
    CHECK_OK(complete(&owner, &state, NULL));
    CHECK(owner.lease == NULL);
    CHECK_OK(wait_for(&sharer, -1));
    CHECK(!sessionreg_lease_attached(sharer.lease));
    CHECK(sessionreg_lease_state(sharer.lease) == &state);
    CHECK(release(&sharer));
    request_free(&owner);
    request_free(&sharer);
    table_end(table);
}

static void a_run_that_everybody_left_is_cancelled_and_its_id_fenced(void) {
    begin();
    int state = 0;
    request owner = load(table, "s"), other;
    CHECK_OK(sessionreg_restoring_split(owner.restoring, &owner.waiting, NULL));
    CHECK_OK(sessionreg_waiting_cancel(owner.waiting, NULL));
    CHECK(sessionreg_restoring_cancelled(owner.restoring));
    other = load(table, "s");
    CHECK_STATUS(other.status, SESSIONREG_STATUS_RESTORE_IN_PROGRESS);
    CHECK_OK(complete(&owner, &state, count_drop));
    CHECK(owner.lease == NULL && dropped == 1);
    CHECK(sessions_of(table, NULL) == 0);
    request_free(&owner);
    request_free(&other);
    table_end(table);
}

static void the_other_action_is_refused_with_all_that_there_is_to_say(void) {
    begin();
    request owner = load(table, "s"), other = ask_for(table, SESSIONREG_ACTION_RESUME, "s");
    CHECK_STATUS(other.status, SESSIONREG_STATUS_RESTORE_IN_PROGRESS);
    CHECK(other.lease == NULL && other.restoring == NULL && other.waiting == NULL);
    CHECK_TEXT(sessionreg_error_session_id(other.error), "s");
    CHECK_TEXT(sessionreg_error_active(other.error), "load");
    CHECK_TEXT(sessionreg_error_requested(other.error), "resume");
    CHECK_TEXT(sessionreg_error_reason(other.error), "restoring");
    CHECK(sessionreg_error_retry_after(other.error) == 5.0);
    CHECK(sessionreg_error_limit(other.error) == -1);
    CHECK_ABSENT(sessionreg_error_bound(other.error));
    CHECK(sessionreg_error_holder(other.error) == NULL);
    CHECK_OK(complete(&owner, NULL, NULL));
    request_free(&owner);
    request_free(&other);
    table_end(table);
}

static void a_table_has_a_limit_and_a_workspace(void) {
    sessionreg_restore_options options = SESSIONREG_RESTORE_OPTIONS_INIT;
    options.limit = 1;
    options.workspace = ROOT "/srv/project";
    table = table_with(&options);
    request owner = load(table, "s"), other = load(table, "t");
    CHECK_STATUS(other.status, SESSIONREG_STATUS_SESSION_LIMIT);
    CHECK(sessionreg_error_limit(other.error) == 1);
    CHECK(sessionreg_error_retry_after(other.error) == 5.0);
    request_free(&other);
    other = (request){.status = SESSIONREG_STATUS_OK};
    CHECK_STATUS(sessionreg_restore_begin(table, SESSIONREG_ACTION_LOAD, "s", ROOT "/srv/other",
                                          &other.outcome, &other.lease, &other.restoring,
                                          &other.waiting, &other.error),
                 SESSIONREG_STATUS_WORKSPACE_MISMATCH);
    CHECK(strstr(sessionreg_error_bound(other.error).data, "project") != NULL);
    CHECK(strstr(sessionreg_error_requested(other.error).data, "other") != NULL);
    CHECK_ABSENT(sessionreg_error_active(other.error));
    CHECK(isnan(sessionreg_error_retry_after(other.error)));
    request_free(&other);
    request_free(&owner);
    table_end(table);
}

static void a_folder_is_the_same_by_whatever_link_it_is_reached(void) {
#ifdef _WIN32
    SKIP("who may make links there is up to the administrator");
#else
    char folder[PATH_ROOM], real[PATH_ROOM + 8], link[PATH_ROOM + 8];
    sessionreg_restore_options options = SESSIONREG_RESTORE_OPTIONS_INIT;
    folder_make(folder);
    snprintf(real, sizeof real, "%s/real", folder);
    snprintf(link, sizeof link, "%s/link", folder);
    CHECK(mkdir(real, 0700) == 0 && symlink(real, link) == 0);
    options.workspace = link;
    table = table_with(&options);
    request by_name = {.status = SESSIONREG_STATUS_OK}, by_link = by_name;
    CHECK_OK(sessionreg_restore_begin(table, SESSIONREG_ACTION_LOAD, "s", real, &by_name.outcome,
                                      &by_name.lease, &by_name.restoring, &by_name.waiting, NULL));
    CHECK_OK(sessionreg_restore_begin(table, SESSIONREG_ACTION_LOAD, "s", link, &by_link.outcome,
                                      &by_link.lease, &by_link.restoring, &by_link.waiting, NULL));
    CHECK(by_link.outcome == SESSIONREG_OUTCOME_SHARER);
    request_free(&by_link);
    request_free(&by_name);
    table_end(table);
    unlink(link);
    folder_remove(folder);
#endif
}

static void what_can_be_no_request_reserves_nothing(void) {
    begin();
    request made;
#define REFUSED_WITH(wanted, action, id) \
    made = ask_for(table, action, id); \
    CHECK_STATUS(made.status, wanted); \
    request_free(&made)
    REFUSED_WITH(SESSIONREG_STATUS_INVALID_INPUT, SESSIONREG_ACTION_NONE, "s");
    REFUSED_WITH(SESSIONREG_STATUS_INVALID_INPUT, SESSIONREG_ACTION_SPAWN + 1, "s");
    REFUSED_WITH(SESSIONREG_STATUS_INVALID_INPUT, UINT32_MAX, "s");
    REFUSED_WITH(SESSIONREG_STATUS_INVALID_ID, SESSIONREG_ACTION_LOAD, "../s");
    REFUSED_WITH(SESSIONREG_STATUS_INVALID_ID, SESSIONREG_ACTION_LOAD, "\xff");
    CHECK(sessions_of(table, NULL) == 0);
    table_end(table);
}

static sessionreg_status try_options(sessionreg_restore_options options) {
    sessionreg_restore_table *made = NULL;
    sessionreg_status status = sessionreg_restore_table_new(&options, &made, NULL);
    CHECK((made == NULL) == (status != SESSIONREG_STATUS_OK));
    sessionreg_restore_table_free(made);
    return status;
}

static void options_that_cannot_be_make_no_table(void) {
    char folder[PATH_ROOM];
    folder_make(folder);
    sessionreg_registry *registry = registry_in(folder, SESSIONREG_DIALECT_OURS);
    const sessionreg_restore_options good = SESSIONREG_RESTORE_OPTIONS_INIT;
    sessionreg_restore_options options = good;
    CHECK_STATUS(try_options(options), SESSIONREG_STATUS_OK);
    options.struct_size--;
    CHECK_STATUS(try_options(options), SESSIONREG_STATUS_INVALID_INPUT);
    options = good;
    options.timeout_ms = -2;
    CHECK_STATUS(try_options(options), SESSIONREG_STATUS_INVALID_INPUT);
    options = good;
    options.agent = "my-agent";
    CHECK_STATUS(try_options(options), SESSIONREG_STATUS_INVALID_INPUT);
    options.registry = registry;
    CHECK_STATUS(try_options(options), SESSIONREG_STATUS_OK);
    options.agent = NULL;
    CHECK_STATUS(try_options(options), SESSIONREG_STATUS_INVALID_INPUT);
    options.agent = "My Agent";
    CHECK_STATUS(try_options(options), SESSIONREG_STATUS_INVALID_INPUT);
    options.agent = "my-agent";
    CHECK_OK(sessionreg_registry_close(registry, NULL));
    CHECK_STATUS(try_options(options), SESSIONREG_STATUS_CLOSED);
    sessionreg_registry_free(registry);
    folder_remove(folder);
}

static void a_session_is_claimed_for_as_long_as_it_lives(void) {
    char folder[PATH_ROOM];
    sessionreg_claim *claim = NULL;
    folder_make(folder);
    home_set(folder);
    sessionreg_registry *registry = registry_in(folder, SESSIONREG_DIALECT_OURS),
                        *own = registry_in(folder, SESSIONREG_DIALECT_OURS);
    sessionreg_restore_options options = SESSIONREG_RESTORE_OPTIONS_INIT;
    options.registry = own;
    options.agent = "my-agent";
    table = table_with(&options);
    /* It goes on without the handle. */
    CHECK_OK(sessionreg_registry_close(own, NULL));
    sessionreg_registry_free(own);
    CHECK_OK(sessionreg_registry_claim(registry, "my-agent", "s", &claim, NULL));
    request owner = load(table, "s");
    CHECK_STATUS(owner.status, SESSIONREG_STATUS_HELD);
    CHECK(sessionreg_holder_pid(sessionreg_error_holder(owner.error)) != 0);
    CHECK(owner.restoring == NULL && sessions_of(table, NULL) == 0);
    request_free(&owner);
    CHECK_OK(sessionreg_claim_release(claim, NULL));
    sessionreg_claim_free(claim);
    owner = load(table, "s");
    CHECK_STATUS(sessionreg_registry_claim(registry, "my-agent", "s", &claim, NULL),
                 SESSIONREG_STATUS_HELD);
    CHECK_OK(complete(&owner, NULL, NULL));
    CHECK_STATUS(sessionreg_registry_claim(registry, "my-agent", "s", &claim, NULL),
                 SESSIONREG_STATUS_HELD);
    CHECK(release(&owner));
    CHECK_OK(sessionreg_registry_claim(registry, "my-agent", "s", &claim, NULL));
    CHECK_OK(sessionreg_claim_release(claim, NULL));
    sessionreg_claim_free(claim);
    request_free(&owner);
    table_end(table);
    sessionreg_registry_free(registry);
    folder_remove(folder);
}

/* ---- Channels -------------------------------------------------------------------------------- */

static int torn_down;

/* It is called while nothing is locked. */
static void tear_down(void *context) {
    torn_down++;
    CHECK(context == &torn_down);
    sessions_of(table, NULL);
}

static sessionreg_channel *channel_in(sessionreg_restore_table *of) {
    sessionreg_channel *made = NULL;
    CHECK_OK(sessionreg_channel_new(of, tear_down, &torn_down, &made, NULL));
    return made;
}

static void a_channel_is_torn_down_once_by_the_last_that_it_carries(void) {
    begin();
    torn_down = 0;
    sessionreg_channel *channel = channel_in(table);
    request one = load(table, "s"), other = load(table, "t"), late;
    CHECK(sessionreg_channel_is_open(channel));
    CHECK_OK(sessionreg_restoring_carried_by(one.restoring, channel, NULL));
    CHECK_OK(sessionreg_restoring_carried_by(other.restoring, channel, NULL));
    CHECK_OK(complete(&one, NULL, NULL));
    CHECK_STATUS(sessionreg_restoring_carried_by(one.restoring, channel, NULL),
                 SESSIONREG_STATUS_CLOSED);
    CHECK(release(&one) && torn_down == 0);
    CHECK_OK(sessionreg_restoring_fail(other.restoring, SESSIONREG_STATUS_IO, "no", NULL));
    CHECK(torn_down == 1 && !sessionreg_channel_is_open(channel));
    late = load(table, "u");
    CHECK_STATUS(sessionreg_restoring_carried_by(late.restoring, channel, &late.error),
                 SESSIONREG_STATUS_CLOSED);
    CHECK_TEXT(sessionreg_error_reason(late.error), "channel_closed");
    request_free(&one);
    request_free(&other);
    request_free(&late);
    sessionreg_channel_free(channel);
    table_end(table);
    CHECK(torn_down == 1);
}

static void a_channel_that_dies_takes_its_sessions_with_it(void) {
    begin();
    torn_down = 0;
    sessionreg_channel *channel = channel_in(table);
    request one = load(table, "s"), other = load(table, "t");
    CHECK_OK(sessionreg_restoring_carried_by(one.restoring, channel, NULL));
    CHECK_OK(sessionreg_restoring_carried_by(other.restoring, channel, NULL));
    CHECK_OK(complete(&one, NULL, NULL));
    CHECK_OK(sessionreg_channel_exited(channel, "killed by signal 9", NULL));
    CHECK_OK(sessionreg_channel_exited(channel, "killed by signal 9", NULL));
    CHECK(sessionreg_lease_ended(one.lease) == SESSIONREG_END_REASON_CHANNEL_CLOSED);
    CHECK(!release(&one));
    CHECK_STATUS(complete(&other, NULL, NULL), SESSIONREG_STATUS_CLOSED);
    CHECK_TEXT(sessionreg_error_message(other.error),
               "failed to restore the session: the channel that carries it is closed: "
               "killed by signal 9");
    request_free(&one);
    request_free(&other);
    sessionreg_channel_free(channel);
    table_end(table);
    CHECK(torn_down == 0);
}

static void a_channel_that_is_freed_carries_on(void) {
    begin();
    torn_down = 0;
    sessionreg_channel *channel = channel_in(table), *idle = channel_in(table);
    request owner = load(table, "s");
    CHECK_OK(sessionreg_restoring_carried_by(owner.restoring, channel, NULL));
    sessionreg_channel_free(channel);
    sessionreg_channel_free(idle);
    CHECK_OK(complete(&owner, NULL, NULL));
    CHECK(torn_down == 0);
    CHECK(release(&owner) && torn_down == 1);
    request_free(&owner);
    table_end(table);
}

static void a_channel_is_of_one_table(void) {
    begin();
    torn_down = 0;
    sessionreg_restore_table *other = table_with(NULL);
    sessionreg_channel *channel = NULL;
    CHECK_OK(sessionreg_channel_new(other, NULL, NULL, &channel, NULL));
    request owner = load(table, "s"), its = load(other, "s");
    CHECK_STATUS(sessionreg_restoring_carried_by(owner.restoring, channel, NULL),
                 SESSIONREG_STATUS_INVALID_INPUT);
    CHECK_OK(sessionreg_restoring_carried_by(its.restoring, channel, NULL));
    request_free(&its);
    CHECK(!sessionreg_channel_is_open(channel));
    request_free(&owner);
    sessionreg_channel_free(channel);
    table_end(other);
    table_end(table);
}

/* ---- Events ---------------------------------------------------------------------------------- */

static sessionreg_event *next_of(sessionreg_subscription *subscription) {
    sessionreg_event *event = NULL;
    CHECK_OK(sessionreg_subscription_next(subscription, 0, &event, NULL));
    return event;
}

static sessionreg_subscription *subscribed(const char *last_event_id) {
    sessionreg_subscription *made = NULL;
    CHECK_OK(sessionreg_restore_subscribe(table, "s", last_event_id, &made, NULL));
    return made;
}

static void an_event_is_what_was_published_byte_for_byte(void) {
    static const char BYTES[] = {'a', '\0', '\xff', '\n'};
    begin();
    request owner = load(table, "s");
    char *id = NULL, *none = NULL;
    CHECK_OK(sessionreg_restore_publish(table, "s", BYTES, sizeof BYTES, &id, NULL));
    CHECK_OK(sessionreg_restore_publish(table, "s", NULL, 0, NULL, NULL));
    CHECK_STATUS(sessionreg_restore_publish(table, "s", BYTES, SIZE_MAX, NULL, NULL),
                 SESSIONREG_STATUS_INVALID_INPUT);
    CHECK_OK(complete(&owner, NULL, NULL));
    sessionreg_subscription *subscription = subscribed("0");
    sessionreg_event *event = next_of(subscription);
    CHECK(sessionreg_event_kind_of(event) == SESSIONREG_EVENT_PUBLISHED);
    CHECK_STRING(sessionreg_event_id(event).data, id);
    CHECK(sessionreg_event_number(event) == 1 && sessionreg_event_missed(event) == -1);
    CHECK(sessionreg_event_data(event).length == sizeof BYTES);
    CHECK(memcmp(sessionreg_event_data(event).data, BYTES, sizeof BYTES) == 0);
    CHECK(sessionreg_event_end_reason(event) == SESSIONREG_END_REASON_NONE);
    sessionreg_event_free(event);
    event = next_of(subscription);
    CHECK_TEXT(sessionreg_event_data(event), "");
    CHECK(sessionreg_event_number(event) == 2);
    sessionreg_event_free(event);
    CHECK(next_of(subscription) == NULL && !sessionreg_subscription_over(subscription));
    CHECK(release(&owner) == false);
    CHECK_OK(sessionreg_restore_end(table, "s", NULL));
    event = next_of(subscription);
    CHECK(sessionreg_event_kind_of(event) == SESSIONREG_EVENT_ENDED);
    CHECK(sessionreg_event_end_reason(event) == SESSIONREG_END_REASON_ENDED);
    CHECK_ABSENT(sessionreg_event_id(event));
    CHECK_ABSENT(sessionreg_event_data(event));
    CHECK(sessionreg_event_number(event) == -1);
    CHECK(sessionreg_subscription_over(subscription) && next_of(subscription) == NULL);
    /* What was given stays without what gave it. */
    sessionreg_subscription_free(subscription);
    CHECK(sessionreg_event_kind_of(event) == SESSIONREG_EVENT_ENDED);
    sessionreg_event_free(event);
    request_free(&owner);
    owner = ask_for(table, SESSIONREG_ACTION_RESUME, "s");
    CHECK_OK(sessionreg_restore_publish(table, "s", "x", 1, &none, NULL));
    CHECK(none == NULL);
    request_free(&owner);
    CHECK_STATUS(sessionreg_restore_publish(table, "s", "x", 1, NULL, NULL),
                 SESSIONREG_STATUS_NOT_FOUND);
    sessionreg_string_free(id);
    table_end(table);
}

static void what_a_subscriber_missed_is_told(void) {
    sessionreg_restore_options options = SESSIONREG_RESTORE_OPTIONS_INIT;
    options.ring_capacity = 2;
    table = table_with(&options);
    request owner = load(table, "s");
    for (int i = 0; i < 5; i++)
        CHECK_OK(sessionreg_restore_publish(table, "s", "e", 1, NULL, NULL));
    CHECK_OK(complete(&owner, NULL, NULL));
    sessionreg_subscription *subscription = subscribed("1"), *slow = subscribed(NULL);
    sessionreg_event *event = next_of(subscription);
    CHECK(sessionreg_event_kind_of(event) == SESSIONREG_EVENT_GAP);
    CHECK(sessionreg_event_missed(event) == 2 && sessionreg_event_number(event) == -1);
    sessionreg_event_free(event);
    event = next_of(subscription);
    CHECK(sessionreg_event_number(event) == 4);
    sessionreg_event_free(event);
    for (int i = 0; i < 257; i++)
        CHECK_OK(sessionreg_restore_publish(table, "s", "e", 1, NULL, NULL));
    for (int64_t number = 6; number < 6 + 256; number++) {
        event = next_of(slow);
        CHECK(sessionreg_event_number(event) == number);
        sessionreg_event_free(event);
    }
    event = next_of(slow);
    CHECK(sessionreg_event_kind_of(event) == SESSIONREG_EVENT_EVICTED);
    CHECK(sessionreg_subscription_over(slow));
    sessionreg_event_free(event);
    sessionreg_subscription_free(slow);
    sessionreg_subscription_free(subscription);
    request_free(&owner);
    table_end(table);
}

/* ---- The end --------------------------------------------------------------------------------- */

static void closing_waits_for_restores_and_ends_the_rest(void) {
    begin();
    int state = 0;
    request live = load(table, "s"), owner = load(table, "t"), sharer = load(table, "t"), late;
    CHECK_OK(complete(&live, NULL, NULL));
    CHECK_STATUS(sessionreg_restore_table_close(table, 0, NULL), SESSIONREG_STATUS_TIMEOUT);
    CHECK_STATUS(sessionreg_restore_table_close(table, -2, NULL), SESSIONREG_STATUS_INVALID_INPUT);
    CHECK(sessionreg_lease_ended(live.lease) == SESSIONREG_END_REASON_DAEMON_SHUTDOWN);
    CHECK_STATUS(wait_for(&sharer, -1), SESSIONREG_STATUS_CLOSING);
    late = load(table, "u");
    CHECK_STATUS(late.status, SESSIONREG_STATUS_CLOSING);
    CHECK_STATUS(sessionreg_restore_table_close(table, 0, NULL), SESSIONREG_STATUS_TIMEOUT);
    CHECK_STATUS(complete(&owner, &state, count_drop), SESSIONREG_STATUS_CLOSING);
    CHECK(dropped == 1);
    CHECK_OK(sessionreg_restore_table_close(table, 0, NULL));
    request_free(&live);
    request_free(&owner);
    request_free(&sharer);
    request_free(&late);
    table_end(table);
}

static void a_table_that_is_freed_leaves_its_sessions_to_their_users(void) {
    begin();
    int states[2] = {0, 0};
    request live = load(table, "s"), owner = load(table, "t"), sharer = load(table, "t");
    CHECK_OK(complete(&live, &states[0], count_drop));
    sessionreg_subscription *subscription = subscribed(NULL);
    sessionreg_restore_table_free(table);
    CHECK(sessionreg_lease_ended(live.lease) == SESSIONREG_END_REASON_NONE && dropped == 0);
    CHECK_OK(complete(&owner, &states[1], count_drop));
    CHECK_OK(wait_for(&sharer, -1));
    CHECK(sessionreg_lease_state(sharer.lease) == &states[1]);
    CHECK(!release(&owner) && release(&sharer) && !release(&live));
    sessionreg_subscription_free(subscription);
    request_free(&live);
    request_free(&owner);
    request_free(&sharer);
    CHECK(states[0] == 1 && states[1] == 1);
}

static void letting_a_state_go_may_ask_the_table(void *context) {
    dropped++;
    CHECK(sessions_of(context, NULL) == 0);
}

static void nothing_is_locked_while_a_state_is_let_go(void) {
    begin();
    request owner = load(table, "s");
    CHECK_OK(complete(&owner, table, letting_a_state_go_may_ask_the_table));
    sessionreg_lease_free(owner.lease);
    owner.lease = NULL;
    CHECK_OK(sessionreg_restore_end(table, "s", NULL));
    CHECK(dropped == 1);
    request_free(&owner);
    table_end(table);
}

static void only_a_spawned_session_is_the_default(void) {
    begin();
    char *id = NULL;
    request loaded = load(table, "s"), spawned = ask_for(table, SESSIONREG_ACTION_SPAWN, "t");
    CHECK_OK(complete(&loaded, NULL, NULL));
    CHECK_OK(sessionreg_restore_default_target(table, &id, NULL));
    CHECK(id == NULL);
    CHECK_OK(complete(&spawned, NULL, NULL));
    CHECK_OK(sessionreg_restore_default_target(table, &id, NULL));
    CHECK_STRING(id, "t");
    sessionreg_string_free(id);
    request_free(&loaded);
    request_free(&spawned);
    table_end(table);
}

int main(void) {
    RUN(everybody_gets_the_state_and_the_last_one_lets_it_go);
    RUN(a_lease_is_released_once);
    RUN(a_lease_that_is_only_freed_ends_no_session);
    RUN(a_state_that_is_not_wanted_is_let_go_at_once);
    RUN(a_restore_that_takes_too_long_is_told_so_and_discarded);
    RUN(a_failure_is_that_of_everybody_and_leaves_nothing_behind);
    RUN(a_restore_fails_with_a_failure);
    RUN(who_waits_may_look_wait_again_or_leave);
    RUN(who_is_freed_while_he_waits_has_left);
    RUN(a_session_that_is_gone_again_is_not_given);
    RUN(a_run_that_is_left_is_the_next_ones);
    RUN(a_run_that_is_handed_to_nobody_goes_on_to_the_next);
    RUN(an_owner_may_leave_his_own_run);
    RUN(a_run_that_everybody_left_is_cancelled_and_its_id_fenced);
    RUN(the_other_action_is_refused_with_all_that_there_is_to_say);
    RUN(a_table_has_a_limit_and_a_workspace);
    RUN(a_folder_is_the_same_by_whatever_link_it_is_reached);
    RUN(what_can_be_no_request_reserves_nothing);
    RUN(options_that_cannot_be_make_no_table);
    RUN(a_session_is_claimed_for_as_long_as_it_lives);
    RUN(a_channel_is_torn_down_once_by_the_last_that_it_carries);
    RUN(a_channel_that_dies_takes_its_sessions_with_it);
    RUN(a_channel_that_is_freed_carries_on);
    RUN(a_channel_is_of_one_table);
    RUN(an_event_is_what_was_published_byte_for_byte);
    RUN(what_a_subscriber_missed_is_told);
    RUN(closing_waits_for_restores_and_ends_the_rest);
    RUN(a_table_that_is_freed_leaves_its_sessions_to_their_users);
    RUN(nothing_is_locked_while_a_state_is_let_go);
    RUN(only_a_spawned_session_is_the_default);
    return check_result();
}
