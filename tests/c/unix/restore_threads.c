/* Threads that ask one table for sessions at the same time. */
#include "../restoring.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

enum { THREADS = 100, EACH = 10, REQUESTS = THREADS * EACH };

static sessionreg_restore_table *table;
static pthread_barrier_t start;
static atomic_int disagreements, runs, let_go;

static void expect(bool condition) {
    if (!condition)
        atomic_fetch_add(&disagreements, 1);
}

static void let_go_of(void *state) {
    free(state);
    atomic_fetch_add(&let_go, 1);
}

static void pause_for(long milliseconds) {
    const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static void run_threads(int count, void *(*body)(void *), void *arguments, size_t size) {
    pthread_t threads[THREADS];
    REQUIRE(count <= THREADS && pthread_barrier_init(&start, NULL, (unsigned)count) == 0);
    for (int i = 0; i < count; i++)
        REQUIRE(pthread_create(&threads[i], NULL, body,
                               arguments ? (char *)arguments + (size_t)i * size : NULL) == 0);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&start);
    CHECK(atomic_load(&disagreements) == 0);
}

static void begin(const sessionreg_restore_options *options) {
    atomic_store(&disagreements, 0);
    atomic_store(&runs, 0);
    atomic_store(&let_go, 0);
    table = table_with(options);
}

/* What a restore makes. It takes long enough for the others to come. */
static void *restored(void) {
    int *state = malloc(sizeof *state);
    pause_for(20);
    *state = atomic_fetch_add(&runs, 1) + 1;
    return state;
}

static void settle(request *of) {
    if (of->outcome == SESSIONREG_OUTCOME_SHARER)
        expect(wait_for(of, -1) == SESSIONREG_STATUS_OK);
    if (of->outcome == SESSIONREG_OUTCOME_OWNER)
        expect(complete(of, restored(), let_go_of) == SESSIONREG_STATUS_OK);
    expect(of->lease != NULL);
}

/* ---- One restore ----------------------------------------------------------------------------- */

static void *ask_often(void *requests) {
    request *of = requests;
    pthread_barrier_wait(&start);
    for (int i = 0; i < EACH; i++)
        of[i] = load(table, "s");
    for (int i = 0; i < EACH; i++)
        settle(&of[i]);
    return NULL;
}

static atomic_int naive_state;

/* Looks first and acts then, as one does without a table. */
static void *ask_naively(void *unused) {
    (void)unused;
    pthread_barrier_wait(&start);
    if (atomic_load(&naive_state) == 0) {
        int *state = restored();
        atomic_store(&naive_state, *state);
        free(state);
    }
    return NULL;
}

static void of_a_thousand_requests_one_restores_and_all_get_the_same(void) {
    static request requests[REQUESTS];
    int unattached = 0, ended = 0;
    begin(NULL);
    run_threads(THREADS, ask_often, requests, EACH * sizeof *requests);
    CHECK(atomic_load(&runs) == 1);
    for (int i = 0; i < REQUESTS; i++) {
        unattached += !sessionreg_lease_attached(requests[i].lease);
        CHECK(sessionreg_lease_state(requests[i].lease) == sessionreg_lease_state(requests->lease));
    }
    CHECK(unattached == 1 && *(int *)sessionreg_lease_state(requests->lease) == 1);
    for (int i = 0; i < REQUESTS; i++)
        ended += release(&requests[i]);
    CHECK(ended == 1 && sessionreg_lease_ended(requests->lease) == SESSIONREG_END_REASON_RELEASED);
    CHECK(atomic_load(&let_go) == 0);
    for (int i = 0; i < REQUESTS; i++)
        request_free(&requests[i]);
    CHECK(atomic_load(&let_go) == 1);
    table_end(table);
    atomic_store(&runs, 0);
    run_threads(THREADS, ask_naively, NULL, 0);
    CHECK(atomic_load(&runs) > 1);
}

static void *ask_and_fail(void *unused) {
    (void)unused;
    pthread_barrier_wait(&start);
    request of = load(table, "s");
    if (of.outcome == SESSIONREG_OUTCOME_SHARER)
        wait_for(&of, -1);
    if (of.outcome == SESSIONREG_OUTCOME_OWNER) {
        pause_for(20);
        atomic_fetch_add(&runs, 1);
        expect(sessionreg_restoring_fail(of.restoring, SESSIONREG_STATUS_NOT_FOUND,
                                         "it is not there", NULL) == SESSIONREG_STATUS_OK);
    } else {
        expect(of.status == SESSIONREG_STATUS_NOT_FOUND && of.lease == NULL);
        expect(strstr(sessionreg_error_message(of.error).data, "it is not there") != NULL);
    }
    request_free(&of);
    return NULL;
}

static void a_failure_comes_to_all_who_shared_it_and_a_retry_starts_clean(void) {
    begin(NULL);
    run_threads(THREADS, ask_and_fail, NULL, 0);
    /* Whoever comes after a failure tries anew. */
    CHECK(atomic_load(&runs) >= 1 && atomic_load(&runs) < THREADS);
    CHECK(sessions_of(table, NULL) == 0);
    request again = ask_for(table, SESSIONREG_ACTION_RESUME, "s");
    CHECK(again.outcome == SESSIONREG_OUTCOME_OWNER);
    CHECK_OK(complete(&again, restored(), let_go_of));
    CHECK(release(&again));
    request_free(&again);
    table_end(table);
}

/* ---- Those who leave ------------------------------------------------------------------------- */

static void *wait_long(void *of) {
    pthread_barrier_wait(&start);
    wait_for(of, -1);
    return NULL;
}

static void a_thread_that_waits_is_woken_when_another_cancels_it(void) {
    pthread_t thread;
    size_t attachments = 0;
    begin(NULL);
    request owner = load(table, "s"), sharer = load(table, "s");
    REQUIRE(pthread_barrier_init(&start, NULL, 2) == 0);
    REQUIRE(pthread_create(&thread, NULL, wait_long, &sharer) == 0);
    pthread_barrier_wait(&start);
    pause_for(5);
    CHECK_OK(sessionreg_waiting_cancel(sharer.waiting, NULL));
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&start);
    CHECK_STATUS(sharer.status, SESSIONREG_STATUS_CANCELLED);
    CHECK(sessions_of(table, &attachments) == 1 && attachments == 1);
    CHECK_OK(complete(&owner, NULL, NULL));
    CHECK(release(&owner));
    request_free(&owner);
    request_free(&sharer);
    table_end(table);
}

/* Whoever is handed the run leaves it to the next, but for the last one. */
static void *ask_and_leave(void *of) {
    request *mine = of;
    if (mine->outcome == SESSIONREG_OUTCOME_SHARER)
        expect(wait_for(mine, -1) == SESSIONREG_STATUS_OK);
    expect(mine->outcome == SESSIONREG_OUTCOME_OWNER);
    if (atomic_fetch_add(&runs, 1) + 1 == THREADS)
        expect(complete(mine, NULL, NULL) == SESSIONREG_STATUS_OK);
    else
        sessionreg_restoring_free(mine->restoring), mine->restoring = NULL;
    return NULL;
}

static void a_run_goes_from_one_to_the_next_until_somebody_completes_it(void) {
    static request requests[THREADS];
    begin(NULL);
    for (int i = 0; i < THREADS; i++)
        requests[i] = load(table, "s");
    run_threads(THREADS, ask_and_leave, requests, sizeof *requests);
    /* One after the other, in the order in which they came. */
    for (int i = 0; i < THREADS; i++)
        CHECK((requests[i].lease != NULL) == (i == THREADS - 1));
    CHECK(sessions_of(table, NULL) == 1 && release(&requests[THREADS - 1]));
    for (int i = 0; i < THREADS; i++)
        request_free(&requests[i]);
    table_end(table);
}

static void *wait_for_too_long(void *of) {
    pthread_barrier_wait(&start);
    expect(wait_for(of, -1) == SESSIONREG_STATUS_TIMEOUT);
    return NULL;
}

static void sharers_are_told_in_time_while_the_owner_is_stuck(void) {
    static request requests[THREADS];
    sessionreg_restore_options options = SESSIONREG_RESTORE_OPTIONS_INIT;
    options.timeout_ms = 200;
    begin(&options);
    request owner = load(table, "s");
    for (int i = 0; i < THREADS; i++)
        requests[i] = load(table, "s");
    /* They return although nobody completes the restore. */
    run_threads(THREADS, wait_for_too_long, requests, sizeof *requests);
    CHECK(sessionreg_restoring_cancelled(owner.restoring));
    CHECK_STATUS(complete(&owner, restored(), let_go_of), SESSIONREG_STATUS_TIMEOUT);
    CHECK(atomic_load(&let_go) == 1 && sessions_of(table, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        request_free(&requests[i]);
    request_free(&owner);
    table_end(table);
}

/* ---- Closing --------------------------------------------------------------------------------- */

static void *complete_late(void *of) {
    pthread_barrier_wait(&start);
    while (!sessionreg_restoring_cancelled(((request *)of)->restoring))
        sched_yield();
    pause_for(5);
    atomic_fetch_add(&runs, 1);
    expect(complete(of, restored(), let_go_of) == SESSIONREG_STATUS_CLOSING);
    return NULL;
}

static void *close_it(void *unused) {
    (void)unused;
    expect(sessionreg_restore_table_close(table, -1, NULL) == SESSIONREG_STATUS_OK);
    /* Each has counted itself, and is counted again when its state was made. */
    expect(atomic_load(&runs) == 2 * THREADS && sessions_of(table, NULL) == 0);
    return NULL;
}

static void closing_waits_for_a_hundred_restores(void) {
    static request requests[THREADS];
    sessionreg_restore_options options = SESSIONREG_RESTORE_OPTIONS_INIT;
    pthread_t closer;
    options.limit = 0;
    begin(&options);
    for (int i = 0; i < THREADS; i++) {
        char id[16];
        snprintf(id, sizeof id, "s%d", i);
        requests[i] = load(table, id);
    }
    REQUIRE(pthread_create(&closer, NULL, close_it, NULL) == 0);
    run_threads(THREADS, complete_late, requests, sizeof *requests);
    pthread_join(closer, NULL);
    CHECK(atomic_load(&disagreements) == 0 && atomic_load(&let_go) == THREADS);
    for (int i = 0; i < THREADS; i++)
        request_free(&requests[i]);
    table_end(table);
}

/* ---- Events ---------------------------------------------------------------------------------- */

enum { EVENTS = 200, FOLLOWERS = 8 };

static void *follow(void *subscription) {
    pthread_barrier_wait(&start);
    for (int64_t number = 1; number <= EVENTS; number++) {
        sessionreg_event *event = NULL;
        expect(sessionreg_subscription_next(subscription, -1, &event, NULL) ==
               SESSIONREG_STATUS_OK);
        expect(sessionreg_event_number(event) == number);
        expect(*sessionreg_event_data(event).data == (char)(number % 100));
        sessionreg_event_free(event);
    }
    sessionreg_event *last = NULL;
    sessionreg_subscription_next(subscription, -1, &last, NULL);
    expect(sessionreg_event_end_reason(last) == SESSIONREG_END_REASON_ENDED);
    sessionreg_event_free(last);
    sessionreg_subscription_free(subscription);
    return NULL;
}

static void a_thread_that_waits_for_events_gets_each_in_its_order(void) {
    pthread_t threads[FOLLOWERS];
    begin(NULL);
    request owner = load(table, "s");
    CHECK_OK(complete(&owner, NULL, NULL));
    REQUIRE(pthread_barrier_init(&start, NULL, FOLLOWERS + 1) == 0);
    for (int i = 0; i < FOLLOWERS; i++) {
        sessionreg_subscription *subscription = NULL;
        CHECK_OK(sessionreg_restore_subscribe(table, "s", NULL, &subscription, NULL));
        REQUIRE(pthread_create(&threads[i], NULL, follow, subscription) == 0);
    }
    pthread_barrier_wait(&start);
    for (int number = 1; number <= EVENTS; number++) {
        const char byte = (char)(number % 100);
        CHECK_OK(sessionreg_restore_publish(table, "s", &byte, 1, NULL, NULL));
    }
    CHECK_OK(sessionreg_restore_end(table, "s", NULL));
    for (int i = 0; i < FOLLOWERS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&start);
    CHECK(atomic_load(&disagreements) == 0);
    request_free(&owner);
    table_end(table);
}

/* ---- All at once ----------------------------------------------------------------------------- */

enum { IDS = 4, CROWD = 16 };

static int rounds(void) {
    return in_valgrind() ? 10 : 100;
}

static atomic_int running[IDS], made;

static unsigned next_random(unsigned *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

static void carry_out(request *of, int id, unsigned *random) {
    expect(atomic_fetch_add(&running[id], 1) == 0);
    if (next_random(random) % 4 == 0)
        sched_yield();
    const bool splits = next_random(random) % 4 == 0;
    /* The place where he was handed the run, if he was. */
    sessionreg_waiting_free(of->waiting);
    of->waiting = NULL;
    if (splits)
        expect(sessionreg_restoring_split(of->restoring, &of->waiting, NULL) ==
               SESSIONREG_STATUS_OK);
    if (splits && next_random(random) % 2 == 0)
        expect(sessionreg_waiting_cancel(of->waiting, NULL) == SESSIONREG_STATUS_OK);
    atomic_fetch_sub(&running[id], 1);
    switch (next_random(random) % 4) {
    case 0:
        sessionreg_restoring_free(of->restoring);
        of->restoring = NULL;
        break;
    case 1:
        sessionreg_restoring_fail(of->restoring, SESSIONREG_STATUS_IO, "on purpose", NULL);
        break;
    default:
        atomic_fetch_add(&made, 1);
        complete(of, malloc(1), let_go_of);
    }
}

static void *do_anything(void *seed) {
    unsigned random = *(unsigned *)seed;
    pthread_barrier_wait(&start);
    for (int round = 0; round < rounds(); round++) {
        const int id = (int)(next_random(&random) % IDS);
        char name[16];
        bool ended;
        snprintf(name, sizeof name, "s%d", id);
        request of = ask_for(table, 1 + next_random(&random) % 3, name);
        if (of.outcome == SESSIONREG_OUTCOME_SHARER && of.status == SESSIONREG_STATUS_OK)
            wait_for(&of, (int64_t)(next_random(&random) % 3) - 1);
        if (of.outcome == SESSIONREG_OUTCOME_OWNER && of.status == SESSIONREG_STATUS_OK)
            carry_out(&of, id, &random);
        sessionreg_restore_publish(table, name, "e", 1, NULL, NULL);
        expect(sessions_of(table, NULL) <= IDS - 1);
        if (next_random(&random) % 8 == 0)
            sessionreg_restore_end_if_unattached(table, name, &ended, NULL);
        if (of.lease != NULL)
            sessionreg_lease_release(of.lease, &ended, NULL);
        request_free(&of);
    }
    return NULL;
}

static void whatever_threads_do_one_restore_runs_and_nothing_is_left_over(void) {
    unsigned seeds[CROWD];
    sessionreg_restore_options options = SESSIONREG_RESTORE_OPTIONS_INIT;
    options.limit = IDS - 1;
    begin(&options);
    for (unsigned i = 0; i < CROWD; i++)
        seeds[i] = i * 7919;
    run_threads(CROWD, do_anything, seeds, sizeof *seeds);
    CHECK(sessions_of(table, NULL) == 0);
    CHECK(atomic_load(&made) > 0 && atomic_load(&let_go) == atomic_load(&made));
    table_end(table);
}

int main(void) {
    RUN(of_a_thousand_requests_one_restores_and_all_get_the_same);
    RUN(a_failure_comes_to_all_who_shared_it_and_a_retry_starts_clean);
    RUN(a_thread_that_waits_is_woken_when_another_cancels_it);
    RUN(a_run_goes_from_one_to_the_next_until_somebody_completes_it);
    RUN(sharers_are_told_in_time_while_the_owner_is_stuck);
    RUN(closing_waits_for_a_hundred_restores);
    RUN(a_thread_that_waits_for_events_gets_each_in_its_order);
    RUN(whatever_threads_do_one_restore_runs_and_nothing_is_left_over);
    return check_result();
}
