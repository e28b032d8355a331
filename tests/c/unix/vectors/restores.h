/* The operation `restore_history`: calls one after the other, on one restore table.
 *
 * Nothing here blocks: a caller's place is looked at after each step, and an owner has one as well,
 * taken apart from his run. */
#ifndef RESTORES_H
#define RESTORES_H

#include "history.h"

enum { MOST_CALLERS = 32, MOST_SUBSCRIBERS = 160, MOST_CHANNELS = 8, MOST_CLOSERS = 8 };

/* A caller, and the run that he was asked to carry out. */
typedef struct {
    char name[16];
    sessionreg_waiting *waiting;
    /* He has not been told anything yet. */
    bool waits;
    sessionreg_lease *lease;
    sessionreg_restoring *run;
    bool runs, is_signalled;
} caller;

typedef struct {
    char name[16];
    sessionreg_subscription *subscription;
} subscriber;

typedef struct {
    char name[16];
    sessionreg_channel *channel;
    bool is_torn_down;
} channel;

typedef struct {
    char name[16];
    bool waits;
} closer;

/* All that a case has. */
static struct {
    sessionreg_restore_table *table;
    caller callers[MOST_CALLERS];
    size_t caller_count;
    subscriber subscribers[MOST_SUBSCRIBERS];
    size_t subscriber_count;
    channel channels[MOST_CHANNELS];
    size_t channel_count;
    closer closers[MOST_CLOSERS];
    size_t closer_count;
} restores;

/* What became of the call of a step. */
typedef struct {
    sessionreg_status status;
    sessionreg_error *error;
    const char *begun;
    bool has_result, result;
    /* The id of an event, which is NULL if it was not kept. */
    bool has_event;
    char *event_id;
    json_t *events;
    /* Who is told something in this step, by name. */
    json_t *settled;
} answer;

/* Completes, releases and frees all, whatever that says. */
static void release_restores(void *unused) {
    (void)unused;
    for (size_t i = 0; i < restores.caller_count; i++) {
        caller *of = &restores.callers[i];
        sessionreg_lease *lease = NULL;
        bool ended;
        if (of->runs)
            sessionreg_restoring_complete(of->run, NULL, NULL, &lease, NULL);
        sessionreg_lease_free(lease);
        sessionreg_restoring_free(of->run);
        sessionreg_waiting_free(of->waiting);
        if (of->lease != NULL)
            sessionreg_lease_release(of->lease, &ended, NULL);
        sessionreg_lease_free(of->lease);
    }
    for (size_t i = 0; i < restores.subscriber_count; i++)
        sessionreg_subscription_free(restores.subscribers[i].subscription);
    sessionreg_restore_table_close(restores.table, 0, NULL);
    for (size_t i = 0; i < restores.channel_count; i++)
        sessionreg_channel_free(restores.channels[i].channel);
    sessionreg_restore_table_free(restores.table);
    memset(&restores, 0, sizeof restores);
}

static caller *new_caller(const char *name) {
    if (restores.caller_count == MOST_CALLERS)
        FAIL("more callers than this runner has room for");
    caller *made = &restores.callers[restores.caller_count++];
    snprintf(made->name, sizeof made->name, "%s", name);
    return made;
}

enum { RUNS, WAITS, HAS_LEASE };

/* The last one of that name of whom that is so. */
static caller *caller_who(const char *name, int what) {
    for (size_t i = restores.caller_count; i-- > 0;) {
        caller *of = &restores.callers[i];
        const bool is_so = what == RUNS ? of->runs : what == WAITS ? of->waits : of->lease != NULL;
        if (is_so && strcmp(of->name, name) == 0)
            return of;
    }
    FAIL("there is no %s of whom that is so", name);
}

static channel *channel_of(const char *name) {
    for (size_t i = restores.channel_count; i-- > 0;)
        if (strcmp(restores.channels[i].name, name) == 0)
            return &restores.channels[i];
    FAIL("there is no channel %s", name);
}

static size_t count_arg(const char *name, size_t otherwise) {
    json_t *value = arg(name);
    return value ? (size_t)json_integer_value(value) : otherwise;
}

/* ---- Errors and outcomes as the vectors write them ------------------------------------------- */

static void describe_text(json_t *into, const char *key, sessionreg_text text) {
    if (text.data != NULL)
        json_object_set_new(into, key, json_stringn(text.data, text.length));
}

/* An error with every field that it has. */
static json_t *described_error(const sessionreg_error *error) {
    json_t *all = keep(json_object(), release_json);
    const double retry_after = sessionreg_error_retry_after(error);
    const int64_t limit = sessionreg_error_limit(error);
    const sessionreg_holder *holder = sessionreg_error_holder(error);
    json_object_set_new(all, "code",
                        json_string(sessionreg_status_string(sessionreg_error_status(error))));
    describe_text(all, "session_id", sessionreg_error_session_id(error));
    describe_text(all, "active", sessionreg_error_active(error));
    describe_text(all, "requested", sessionreg_error_requested(error));
    describe_text(all, "reason", sessionreg_error_reason(error));
    describe_text(all, "bound", sessionreg_error_bound(error));
    if (!isnan(retry_after))
        json_object_set_new(all, "retry_after", json_real(retry_after));
    if (limit != -1)
        json_object_set_new(all, "limit", json_integer(limit));
    if (holder != NULL) {
        json_t *its = json_object();
        json_object_set_new(its, "pid", json_integer(sessionreg_holder_pid(holder)));
        describe_text(its, "session_id", sessionreg_holder_session_id(holder));
        json_object_set_new(all, "holder", its);
    }
    return all;
}

/* A wanted value in which content, at every depth, is its text. */
static json_t *with_texts(json_t *wanted) {
    json_t *made, *value;
    const char *key;
    if (is_content(wanted)) {
        bytes text = text_of(wanted);
        return keep(json_stringn(text.data, text.length), release_json);
    }
    if (!json_is_object(wanted))
        return resolved(wanted);
    made = keep(json_object(), release_json);
    json_object_foreach(wanted, key, value) json_object_set(made, key, with_texts(value));
    return made;
}

/* What a restore fails with whose failure is none of the library's. */
#define FAILURE SESSIONREG_STATUS_UNAVAILABLE
#define FAILURE_TEXT "failed to restore the session: "

static json_t *described_outcome(const caller *of, sessionreg_error *error) {
    json_t *described = keep(json_object(), release_json);
    if (error == NULL) {
        json_object_set_new(described, "attached",
                            json_boolean(sessionreg_lease_attached(of->lease)));
        json_object_set(described, "state", sessionreg_lease_state(of->lease));
        return described;
    }
    keep(error, release_error);
    const char *message = sessionreg_error_message(error).data;
    if (sessionreg_error_status(error) == FAILURE &&
        strncmp(message, FAILURE_TEXT, strlen(FAILURE_TEXT)) == 0)
        json_object_set_new(described, "failure", json_string(message + strlen(FAILURE_TEXT)));
    else
        json_object_set(described, "error", described_error(error));
    return described;
}

/* ---- What is called -------------------------------------------------------------------------- */

static void begin_restore(const char *name, uint32_t action, answer *out) {
    sessionreg_outcome outcome;
    sessionreg_lease *lease = NULL;
    sessionreg_restoring *run = NULL;
    sessionreg_waiting *waiting = NULL;
    const char *id = text_arg("id");
    json_t *given_cwd = arg("cwd");
    const char *cwd = given_cwd ? c_text_of(given_cwd) : bytes_of_text("${root}/srv/project").data;
    out->status = sessionreg_restore_begin(restores.table, action, id, cwd, &outcome, &lease, &run,
                                           &waiting, &out->error);
    if (out->status != SESSIONREG_STATUS_OK)
        return;
    caller *of = new_caller(name);
    of->lease = lease;
    of->run = run;
    of->waiting = waiting;
    of->runs = outcome == SESSIONREG_OUTCOME_OWNER;
    of->waits = outcome != SESSIONREG_OUTCOME_ATTACHED;
    if (of->runs && sessionreg_restoring_split(run, &of->waiting, NULL) != SESSIONREG_STATUS_OK)
        FAIL("the run cannot be split");
    if ((of->lease != NULL) != !of->waits || (of->waiting != NULL) != of->waits ||
        (of->run != NULL) != of->runs)
        FAIL("something else came out than the outcome says");
    out->begun = of->runs ? "owner" : of->waits ? "sharer" : "attached";
    if (!of->waits)
        json_object_set(out->settled, name, described_outcome(of, NULL));
}

static void complete(const char *name) {
    caller *of = caller_who(name, RUNS);
    json_t *state = arg("state");
    sessionreg_lease *lease = NULL;
    of->runs = false;
    if (sessionreg_restoring_complete(of->run, json_incref(state), release_json, &lease, NULL) !=
            SESSIONREG_STATUS_OK ||
        lease != NULL)
        FAIL("a run that was split is not completed");
}

static void fail_with(const char *name) {
    caller *of = caller_who(name, RUNS);
    const char *failure = text_arg("failure"), *token = text_arg("error");
    uint32_t status = FAILURE;
    of->runs = false;
    if (token != NULL) {
        status = 0;
        do {
            const char *known = sessionreg_status_string(++status);
            if (known == NULL)
                FAIL("no such error: %s", token);
            if (strcmp(known, token) == 0)
                break;
        } while (true);
    }
    if (sessionreg_restoring_fail(of->run, status, failure ? failure : "the vector says so",
                                  NULL) != SESSIONREG_STATUS_OK)
        FAIL("the run does not end");
}

static void release_lease(const char *name, answer *out) {
    bool ended = false;
    sessionreg_lease *lease = caller_who(name, HAS_LEASE)->lease;
    out->status = sessionreg_lease_release(lease, &ended, &out->error);
    out->has_result = true;
    out->result = ended;
    /* C gives a status where others give false. */
    if (out->status == SESSIONREG_STATUS_CLOSED)
        out->status = SESSIONREG_STATUS_OK;
}

static void publish(answer *out) {
    const char *id = text_arg("id"), *data = text_arg("data");
    for (size_t times = count_arg("times", 1); times > 0; times--) {
        char *event_id = NULL;
        out->status = sessionreg_restore_publish(restores.table, id, data, strlen(data), &event_id,
                                                 &out->error);
        if (out->status != SESSIONREG_STATUS_OK)
            return;
        out->has_event = true;
        out->event_id = event_id ? keep(event_id, release_string) : NULL;
    }
}

static void subscribe(const char *name, answer *out) {
    const char *id = text_arg("id"), *last = text_arg("last_event_id");
    for (size_t times = count_arg("times", 1); times > 0; times--) {
        sessionreg_subscription *made = NULL;
        out->status = sessionreg_restore_subscribe(restores.table, id, last, &made, &out->error);
        if (out->status != SESSIONREG_STATUS_OK)
            return;
        if (restores.subscriber_count == MOST_SUBSCRIBERS)
            FAIL("more subscribers than this runner has room for");
        subscriber *of = &restores.subscribers[restores.subscriber_count++];
        snprintf(of->name, sizeof of->name, "%s", name);
        of->subscription = made;
    }
}

static void unsubscribe(const char *name) {
    for (size_t i = 0; i < restores.subscriber_count; i++) {
        subscriber *of = &restores.subscribers[i];
        if (strcmp(of->name, name) != 0)
            continue;
        sessionreg_subscription_free(of->subscription);
        *of = (subscriber){.name = ""};
    }
}

static json_t *described_event(const sessionreg_event *event) {
    json_t *described = json_object();
    const sessionreg_event_kind kind = sessionreg_event_kind_of(event);
    json_object_set_new(described, "kind", json_string(sessionreg_event_kind_string(kind)));
    describe_text(described, "data", sessionreg_event_data(event));
    if (sessionreg_event_number(event) != -1)
        json_object_set_new(described, "number", json_integer(sessionreg_event_number(event)));
    if (sessionreg_event_missed(event) != -1)
        json_object_set_new(described, "missed", json_integer(sessionreg_event_missed(event)));
    const char *reason = sessionreg_end_reason_string(sessionreg_event_end_reason(event));
    if (reason != NULL)
        json_object_set_new(described, "reason", json_string(reason));
    return described;
}

static void next_events(const char *name, answer *out) {
    sessionreg_subscription *of = NULL;
    for (size_t i = 0; i < restores.subscriber_count; i++)
        if (strcmp(restores.subscribers[i].name, name) == 0)
            of = restores.subscribers[i].subscription;
    out->events = keep(json_array(), release_json);
    while (true) {
        sessionreg_event *event = NULL;
        if (sessionreg_subscription_next(of, 0, &event, NULL) != SESSIONREG_STATUS_OK)
            FAIL("the next event cannot be asked for");
        if (event == NULL)
            return;
        json_array_append_new(out->events, described_event(event));
        sessionreg_event_free(event);
    }
}

static void note_teardown(void *context) {
    channel *of = context;
    of->is_torn_down = true;
}

static void open_channel(const char *name, answer *out) {
    if (restores.channel_count == MOST_CHANNELS)
        FAIL("more channels than this runner has room for");
    channel *of = &restores.channels[restores.channel_count++];
    snprintf(of->name, sizeof of->name, "%s", name);
    out->status =
        sessionreg_channel_new(restores.table, note_teardown, of, &of->channel, &out->error);
}

static void close_table(const char *name) {
    if (restores.closer_count == MOST_CLOSERS)
        FAIL("more closers than this runner has room for");
    closer *of = &restores.closers[restores.closer_count++];
    snprintf(of->name, sizeof of->name, "%s", name);
    of->waits = true;
}

static void call_claims(const char *what, json_t *step, answer *out) {
    outcome of = {.status = SESSIONREG_STATUS_OK};
    if (strcmp(what, "claim") == 0)
        call_claim(step, &of);
    else
        of.status = sessionreg_claim_release(handle_of(step)->claim, &of.error);
    out->status = of.status;
    out->error = of.error;
}

static void call_restore(const char *what, const char *name, json_t *step, answer *out) {
    const char *channel_name;
    if (strcmp(what, "load") == 0)
        begin_restore(name, SESSIONREG_ACTION_LOAD, out);
    else if (strcmp(what, "resume") == 0)
        begin_restore(name, SESSIONREG_ACTION_RESUME, out);
    else if (strcmp(what, "spawn") == 0)
        begin_restore(name, SESSIONREG_ACTION_SPAWN, out);
    else if (strcmp(what, "complete") == 0)
        complete(name);
    else if (strcmp(what, "fail") == 0)
        fail_with(name);
    else if (strcmp(what, "cancel") == 0) {
        caller *of = caller_who(name, WAITS);
        of->waits = false;
        out->status = sessionreg_waiting_cancel(of->waiting, &out->error);
    } else if (strcmp(what, "time_out") == 0)
        out->status = sessionreg_waiting_time_out(caller_who(name, WAITS)->waiting, &out->error);
    else if (strcmp(what, "release") == 0)
        release_lease(name, out);
    else if (strcmp(what, "end") == 0)
        out->status = sessionreg_restore_end(restores.table, text_arg("id"), &out->error);
    else if (strcmp(what, "end_if_unattached") == 0) {
        out->status = sessionreg_restore_end_if_unattached(restores.table, text_arg("id"),
                                                           &out->result, &out->error);
        out->has_result = out->status == SESSIONREG_STATUS_OK;
    } else if (strcmp(what, "publish") == 0)
        publish(out);
    else if (strcmp(what, "subscribe") == 0)
        subscribe(name, out);
    else if (strcmp(what, "unsubscribe") == 0)
        unsubscribe(name);
    else if (strcmp(what, "next") == 0)
        next_events(name, out);
    else if (strcmp(what, "channel") == 0)
        open_channel(name, out);
    else if (strcmp(what, "carried_by") == 0) {
        channel_name = text_arg("channel");
        out->status = sessionreg_restoring_carried_by(
            caller_who(name, RUNS)->run, channel_of(channel_name)->channel, &out->error);
    } else if (strcmp(what, "exited") == 0)
        out->status =
            sessionreg_channel_exited(channel_of(name)->channel, text_arg("info"), &out->error);
    else if (strcmp(what, "close") == 0)
        close_table(name);
    else if (strcmp(what, "claim") == 0 || strcmp(what, "release_claim") == 0)
        call_claims(what, step, out);
    else if (strcmp(what, "check") != 0)
        FAIL("no such call: %s", what);
}

/* ---- What happened --------------------------------------------------------------------------- */

/* Looks at every place whose caller has not been told anything. */
static void look_at_callers(json_t *settled) {
    for (size_t i = 0; i < restores.caller_count; i++) {
        caller *of = &restores.callers[i];
        sessionreg_outcome outcome = SESSIONREG_OUTCOME_SHARER;
        sessionreg_restoring *run = NULL;
        sessionreg_error *error = NULL;
        if (!of->waits)
            continue;
        sessionreg_status status =
            sessionreg_waiting_wait(of->waiting, 0, &outcome, &of->lease, &run, &error);
        if (status == SESSIONREG_STATUS_OK && outcome == SESSIONREG_OUTCOME_SHARER)
            continue;
        of->waits = false;
        if (run != NULL) {
            sessionreg_restoring_free(run);
            FAIL("%s is asked to run what runs", of->name);
        }
        json_object_set(settled, of->name, described_outcome(of, error));
    }
}

static void look_at_closers(json_t *settled) {
    for (size_t i = 0; i < restores.closer_count; i++) {
        closer *of = &restores.closers[i];
        if (!of->waits)
            continue;
        sessionreg_status status = sessionreg_restore_table_close(restores.table, 0, NULL);
        if (status == SESSIONREG_STATUS_TIMEOUT)
            continue;
        if (status != SESSIONREG_STATUS_OK)
            FAIL("the table cannot be closed: %s", sessionreg_status_string(status));
        of->waits = false;
        json_object_set_new(settled, of->name, json_pack("{s:b}", "closed", 1));
    }
}

static int compare_names(const void *one, const void *other) {
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static void expect_these(const char *what, const char **names, size_t count, json_t *wanted) {
    json_t *found = keep(json_array(), release_json);
    qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(found, json_string(names[i]));
    if (!json_equal(found, wanted ? wanted : keep(json_array(), release_json)))
        FAIL("%s: expected %s, got %s", what, shown(wanted), shown(found));
}

static void expect_signalled(json_t *wanted) {
    const char *names[MOST_CALLERS];
    size_t count = 0;
    for (size_t i = 0; i < restores.caller_count; i++) {
        caller *of = &restores.callers[i];
        if (!of->runs || of->is_signalled || !sessionreg_restoring_cancelled(of->run))
            continue;
        of->is_signalled = true;
        names[count++] = of->name;
    }
    expect_these("signalled", names, count, wanted);
}

static void expect_torn_down(json_t *wanted) {
    const char *names[MOST_CHANNELS];
    size_t count = 0;
    for (size_t i = 0; i < restores.channel_count; i++) {
        if (!restores.channels[i].is_torn_down)
            continue;
        restores.channels[i].is_torn_down = false;
        names[count++] = restores.channels[i].name;
        if (sessionreg_channel_is_open(restores.channels[i].channel))
            FAIL("a channel that was torn down is open");
    }
    expect_these("torn down", names, count, wanted);
}

static void expect_events(json_t *found, json_t *wanted) {
    json_t *all = keep(json_array(), release_json), *one;
    size_t index;
    if ((found == NULL) != (wanted == NULL))
        FAIL("events: expected %s, got %s", shown(wanted), shown(found));
    json_array_foreach(wanted, index, one) {
        json_t *times = json_object_get(one, "times"), *number = json_object_get(one, "number");
        for (json_int_t i = 0; i < (times ? json_integer_value(times) : 1); i++) {
            json_t *event = json_copy(one);
            json_object_del(event, "times");
            if (number != NULL)
                json_object_set_new(event, "number", json_integer(json_integer_value(number) + i));
            json_array_append_new(all, event);
        }
    }
    if (found != NULL && !same_value(found, all))
        FAIL("events: expected %s, got %s", shown(wanted), shown(found));
}

static void expect_sessions(json_t *wanted) {
    sessionreg_restored_list *list = NULL;
    json_t *found = keep(json_array(), release_json);
    if (sessionreg_restore_sessions(restores.table, &list, NULL) != SESSIONREG_STATUS_OK)
        FAIL("the sessions cannot be asked for");
    for (size_t i = 0; i < sessionreg_restored_list_len(list); i++) {
        const sessionreg_restored *one = sessionreg_restored_list_get(list, i);
        json_t *described = json_object();
        describe_text(described, "id", sessionreg_restored_session_id(one));
        json_object_set_new(described, "action",
                            json_string(sessionreg_action_string(sessionreg_restored_action(one))));
        json_object_set_new(described, "stage",
                            json_string(sessionreg_stage_string(sessionreg_restored_stage(one))));
        json_object_set_new(described, "attachments",
                            json_integer((json_int_t)sessionreg_restored_attachments(one)));
        json_object_set_new(described, "subscribers",
                            json_integer((json_int_t)sessionreg_restored_subscribers(one)));
        json_array_append_new(found, described);
    }
    sessionreg_restored_list_free(list);
    if (!same_value(found, wanted))
        FAIL("sessions: expected %s, got %s", shown(wanted), shown(found));
}

static void expect_default_target(json_t *wanted) {
    char *id = NULL;
    if (sessionreg_restore_default_target(restores.table, &id, NULL) != SESSIONREG_STATUS_OK)
        FAIL("the default target cannot be asked for");
    if (id != NULL)
        keep(id, release_string);
    if (id == NULL ? !json_is_null(wanted) : !is_token(id, wanted))
        FAIL("the default target is %s", id ? id : "none");
}

static void expect_ended(json_t *wanted) {
    json_t *reason;
    const char *name;
    json_object_foreach(wanted, name, reason) {
        const sessionreg_lease *lease = caller_who(name, HAS_LEASE)->lease;
        const char *word = sessionreg_end_reason_string(sessionreg_lease_ended(lease));
        if (word == NULL ? !json_is_null(reason) : !is_token(word, reason))
            FAIL("the session of %s ended: %s", name, word ? word : "no");
    }
}

/* Of `publish`: the number of the last event, and its id under a name for later steps. */
static void expect_event(const answer *out, json_t *wanted, json_t *name) {
    const char *dash = out->event_id ? strrchr(out->event_id, '-') : NULL;
    if (out->has_event != (wanted != NULL))
        FAIL("an event came, or was expected, and the other not");
    if (wanted == NULL)
        return;
    if ((dash == NULL) != json_is_null(wanted) ||
        (dash != NULL && strtoll(dash + 1, NULL, 10) != json_integer_value(wanted)))
        FAIL("event: expected %s, got %s", shown(wanted), out->event_id ? out->event_id : "none");
    if (name != NULL)
        json_object_set_new(case_facts, json_string_value(name), json_string(out->event_id));
}

static void check_step_keys(json_t *expect) {
    static const char *const KNOWN[] = {"error",     "begun",  "result",   "event",
                                        "keep",      "events", "settled",  "signalled",
                                        "torn_down", "ended",  "sessions", "default_target"};
    json_t *value;
    const char *key;
    json_object_foreach(expect, key, value) {
        size_t known = 0;
        while (known < COUNT(KNOWN) && strcmp(key, KNOWN[known]) != 0)
            known++;
        if (known == COUNT(KNOWN))
            FAIL("no step expects %s", key);
    }
}

static void expect_answer(json_t *step, answer *out) {
    json_t *expect = json_object_get(step, "expect");
    json_t *error = json_object_get(expect, "error"), *begun = json_object_get(expect, "begun");
    json_t *result = json_object_get(expect, "result"), *value;
    check_step_keys(expect);
    if ((out->status == SESSIONREG_STATUS_OK) != (error == NULL))
        FAIL("error: expected %s, got %s", shown(error), sessionreg_status_string(out->status));
    if (error != NULL && !same_value(described_error(out->error), with_texts(error)))
        FAIL("error: expected %s, got %s", shown(error), shown(described_error(out->error)));
    if (out->begun == NULL ? begun != NULL : !is_token(out->begun, begun))
        FAIL("begun: expected %s, got %s", shown(begun), out->begun ? out->begun : "none");
    if (out->has_result != (result != NULL) ||
        (result != NULL && out->result != json_is_true(result)))
        FAIL("result: expected %s, got %d", shown(result), out->result);
    expect_event(out, json_object_get(expect, "event"), json_object_get(expect, "keep"));
    expect_events(out->events, json_object_get(expect, "events"));
    look_at_closers(out->settled);
    look_at_callers(out->settled);
    value = json_object_get(expect, "settled");
    json_t *settled = value ? with_texts(value) : keep(json_object(), release_json);
    if (!same_value(out->settled, settled))
        FAIL("settled: expected %s, got %s", shown(settled), shown(out->settled));
    expect_signalled(json_object_get(expect, "signalled"));
    expect_torn_down(json_object_get(expect, "torn_down"));
    expect_ended(json_object_get(expect, "ended"));
    if ((value = json_object_get(expect, "sessions")) != NULL)
        expect_sessions(value);
    if ((value = json_object_get(expect, "default_target")) != NULL)
        expect_default_target(value);
}

/* Makes the table of a case, if it can be made. Restores in it may take any time. */
static bool make_table(json_t *wanted, json_t *wanted_error) {
    sessionreg_restore_options options = SESSIONREG_RESTORE_OPTIONS_INIT;
    sessionreg_error *error = NULL;
    json_t *value;
    const char *key;
    options.timeout_ms = -1;
    json_object_foreach(wanted, key, value) {
        if (strcmp(key, "workspace") == 0)
            options.workspace = c_text_of(value);
        else if (strcmp(key, "limit") == 0)
            options.limit = (size_t)json_integer_value(value);
        else if (strcmp(key, "ring_capacity") == 0)
            options.ring_capacity = (size_t)json_integer_value(value);
        else if (strcmp(key, "agent") == 0)
            options.agent = c_text_of(value);
        else
            FAIL("no table has %s", key);
    }
    if (options.agent != NULL)
        options.registry = history_registry;
    sessionreg_status status = sessionreg_restore_table_new(&options, &restores.table, &error);
    if (error != NULL)
        keep(error, release_error);
    if ((error == NULL) != (wanted_error == NULL))
        FAIL("the table: expected %s, got %s", shown(wanted_error),
             sessionreg_status_string(status));
    if (error != NULL && !same_value(described_error(error), with_texts(wanted_error)))
        FAIL("the table: got %s", shown(described_error(error)));
    return error == NULL;
}

static void run_restores_of(json_t *test, json_t *expect) {
    json_t *step, *value;
    size_t index;
    const char *left;
    history_handle_count = 0;
    case_kept = keep(json_object(), release_json);
    history_registry = open_registry(test);
    keep(&restores, release_restores);
    if (!make_table(json_object_get(test, "table"), json_object_get(expect, "error")))
        return;
    json_array_foreach(json_object_get(test, "steps"), index, step) {
        const char *what = json_string_value(json_object_get(step, "do"));
        answer out = {.status = SESSIONREG_STATUS_OK};
        json_t *args = json_object_get(step, "args");
        snprintf(history_step, sizeof history_step, "step %zu (%s): ", index + 1, what);
        case_at = history_step;
        out.settled = keep(json_object(), release_json);
        step_args = keep(args ? json_copy(args) : json_object(), release_json);
        call_restore(what, name_of(step), step, &out);
        if (out.error != NULL)
            keep(out.error, release_error);
        json_object_foreach(step_args, left, value) FAIL("%s has no argument %s", what, left);
        expect_answer(step, &out);
    }
    case_at = "";
}

#endif
