/* How a case ends, and memory that ends with it. */
#ifndef OUTCOME_H
#define OUTCOME_H

#include "../../check.h"
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { AGREES, SKIPPED, LEFT_OUT, DISAGREES };

static jmp_buf case_end;
static char case_reason[4000];
/* Where in the case it ends: what is said before the reason. */
static const char *case_at = "";

/* Ends the case: it cannot run here (SKIPPED), C cannot say it (LEFT_OUT), or it DISAGREES. */
__attribute__((noreturn, format(printf, 2, 3))) static void end_case(int outcome,
                                                                     const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int at = snprintf(case_reason, sizeof case_reason, "%s", case_at);
    vsnprintf(case_reason + at, sizeof case_reason - (size_t)at, format, arguments);
    case_at = "";
    va_end(arguments);
    longjmp(case_end, outcome);
}

#define FAIL(...) end_case(DISAGREES, __VA_ARGS__)

/* Everything that a case allocates is freed after it, however it ends. */
typedef struct kept {
    struct kept *next;
    void *object;
    void (*release)(void *);
} kept;

static kept *kept_objects;

static void *keep(void *object, void (*release)(void *)) {
    kept *entry = malloc(sizeof *entry);
    if (object == NULL || entry == NULL)
        FAIL("out of memory");
    *entry = (kept){kept_objects, object, release};
    kept_objects = entry;
    return object;
}

static void release_json(void *json) {
    json_decref(json);
}

static void release_record(void *record) {
    sessionreg_record_free(record);
}

static void release_string(void *string) {
    sessionreg_string_free(string);
}

static void release_all(void) {
    while (kept_objects != NULL) {
        kept *entry = kept_objects;
        kept_objects = entry->next;
        entry->release(entry->object);
        free(entry);
    }
}

/* Bytes that may hold NUL, and have one behind them. */
typedef struct {
    char *data;
    size_t length, room;
} bytes;

static void append(bytes *to, const char *data, size_t length) {
    if (to->length + length >= to->room) {
        size_t room = 2 * (to->length + length) + 64;
        char *grown = keep(malloc(room), free);
        if (to->length > 0)
            memcpy(grown, to->data, to->length);
        *to = (bytes){grown, to->length, room};
    }
    memcpy(to->data + to->length, data, length);
    to->length += length;
    to->data[to->length] = '\0';
}

static bytes bytes_of(const char *data, size_t length) {
    bytes made = {NULL, 0, 0};
    append(&made, data, length);
    return made;
}

static bool same(bytes one, bytes other) {
    return one.length == other.length && memcmp(one.data, other.data, one.length) == 0;
}

static bytes from_file(const char *path) {
    FILE *file = fopen(path, "rb");
    bytes content = bytes_of("", 0);
    char part[4096];
    size_t count;
    if (file == NULL)
        FAIL("%s cannot be opened", path);
    while ((count = fread(part, 1, sizeof part, file)) > 0)
        append(&content, part, count);
    fclose(file);
    return content;
}

#endif
