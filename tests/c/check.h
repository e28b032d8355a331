/* Tests in plain C: a failed check says where, the other tests go on, and the program fails. */
#ifndef CHECK_H
#define CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <sessionreg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_failures_of_test, check_failed_tests;
static const char *check_skip_reason;

static void check_failed(const char *file, int line, const char *what) {
    /* The first few tell what is wrong. */
    if (check_failures_of_test++ < 20)
        printf("  %s:%d: %s\n", file, line, what);
}

#define CHECK(condition) \
    do { \
        if (!(condition)) \
            check_failed(__FILE__, __LINE__, #condition); \
    } while (0)

/* Ends the test: what follows cannot do without it. */
#define REQUIRE(condition) \
    do { \
        if (!(condition)) { \
            check_failed(__FILE__, __LINE__, #condition); \
            return; \
        } \
    } while (0)

#define CHECK_STATUS(call, wanted) check_status(__FILE__, __LINE__, #call, (call), wanted)
#define CHECK_OK(call) CHECK_STATUS(call, SESSIONREG_STATUS_OK)
#define CHECK_STRING(string, wanted) check_string(__FILE__, __LINE__, #string, (string), wanted)
#define CHECK_TEXT(text, wanted) check_text(__FILE__, __LINE__, #text, (text), wanted)
#define CHECK_ABSENT(text) CHECK((text).data == NULL && (text).length == 0)

/* Valgrind is slow, has one thread run at a time, and hides pidfds: run.sh tells of it by them. */
static inline bool in_valgrind(void) {
    return getenv("SESSIONREG_NO_PIDFS") != NULL;
}

static inline void check_status(const char *file, int line, const char *call,
                                sessionreg_status status, sessionreg_status wanted) {
    char what[600];
    if (status == wanted)
        return;
    snprintf(what, sizeof what, "%s is %s, not %s", call, sessionreg_status_string(status),
             sessionreg_status_string(wanted));
    check_failed(file, line, what);
}

static inline void check_string(const char *file, int line, const char *name, const char *string,
                                const char *wanted) {
    char what[3000];
    if (string != NULL && strcmp(string, wanted) == 0)
        return;
    snprintf(what, sizeof what, "%s is \"%s\", not \"%s\"", name, string ? string : "(NULL)",
             wanted);
    check_failed(file, line, what);
}

/* The text, its length, and the NUL behind it. */
static inline void check_text(const char *file, int line, const char *name, sessionreg_text text,
                              const char *wanted) {
    check_string(file, line, name, text.data, wanted);
    if (text.data != NULL && text.length != strlen(wanted))
        check_failed(file, line, "the length of that text");
}

#define SKIP(reason) \
    do { \
        check_skip_reason = (reason); \
        return; \
    } while (0)

#define RUN(test) check_run(#test, test)

static void check_run(const char *name, void (*test)(void)) {
    check_failures_of_test = 0;
    check_skip_reason = NULL;
    test();
    if (check_failures_of_test > 0) {
        check_failed_tests++;
        printf("FAILED  %s\n", name);
    } else if (check_skip_reason != NULL) {
        printf("skipped %s: %s\n", name, check_skip_reason);
    } else {
        printf("ok      %s\n", name);
    }
    fflush(stdout);
}

/* For the end of main. */
static inline int check_result(void) {
    return check_failed_tests == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
