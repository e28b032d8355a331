/* JSON values with placeholders in them, and how they are compared. */
#ifndef VALUES_H
#define VALUES_H

#include "text.h"

/* Facts that a case has kept, under the names that it gave them. */
static json_t *case_kept;

/* Where these stand alone, a number is meant. */
static const char *const NUMERIC[] = {"pid",     "own_pid",    "pid_ns",
                                      "time_ns", "started_at", "revision"};

/* The value of a string that is one single placeholder of a number, or of what was kept. */
static json_t *alone(const char *text) {
    const size_t length = strlen(text);
    char name[64];
    if (length < 4 || length > sizeof name || strncmp(text, "${", 2) != 0 ||
        strchr(text, '}') != text + length - 1)
        return NULL;
    snprintf(name, sizeof name, "%.*s", (int)(length - 3), text + 2);
    json_t *kept = json_object_get(case_kept, name);
    if (kept != NULL)
        return json_copy(kept);
    name[strcspn(name, "+-")] = '\0';
    kept = json_object_get(case_kept, name);
    bool is_number = json_is_number(kept);
    for (size_t i = 0; i < sizeof NUMERIC / sizeof *NUMERIC; i++)
        is_number |= strcmp(name, NUMERIC[i]) == 0;
    return is_number ? json_integer(strtoll(bytes_of_text(text).data, NULL, 10)) : NULL;
}

/* A copy in which all placeholders of values are replaced, at every depth; freed with the case. */
static json_t *resolved(json_t *value) {
    json_t *made = NULL, *part;
    const char *key;
    size_t index;
    if (json_object_get(value, "repeat") != NULL && json_object_get(value, "times") != NULL) {
        bytes text = text_of(value);
        made = keep(json_stringn(text.data, text.length), release_json);
    } else if (json_is_object(value)) {
        made = keep(json_object(), release_json);
        json_object_foreach(value, key, part) json_object_set(made, key, resolved(part));
    } else if (json_is_array(value)) {
        made = keep(json_array(), release_json);
        json_array_foreach(value, index, part) json_array_append(made, resolved(part));
    } else if (json_is_string(value)) {
        made = alone(json_string_value(value));
        if (made == NULL) {
            bytes text = text_of(value);
            made = json_stringn(text.data, text.length);
        }
        keep(made, release_json);
    } else {
        made = keep(json_copy(value), release_json);
    }
    return made;
}

static bool same_value(json_t *found, json_t *wanted);

static bool same_members(json_t *found, json_t *wanted) {
    const char *key;
    json_t *value;
    json_object_foreach(wanted, key, value) {
        if (!same_value(json_object_get(found, key), value))
            return false;
    }
    json_object_foreach(found, key, value) {
        if (json_object_get(wanted, key) == NULL)
            return false;
    }
    return true;
}

/* Whether a value is as it should be, all the way down; numbers are compared by value. */
static bool same_value(json_t *found, json_t *wanted) {
    json_t *part;
    size_t index;
    if (is_token("<absent>", wanted))
        return found == NULL;
    if (is_token("<any>", wanted))
        return found != NULL && !json_is_null(found);
    if (json_is_number(wanted))
        return json_is_number(found) && json_number_value(found) == json_number_value(wanted);
    if (json_is_object(wanted))
        return json_is_object(found) && same_members(found, wanted);
    if (!json_is_array(wanted))
        return json_equal(found, wanted);
    if (!json_is_array(found) || json_array_size(found) != json_array_size(wanted))
        return false;
    json_array_foreach(wanted, index, part) {
        if (!same_value(json_array_get(found, index), part))
            return false;
    }
    return true;
}

static const char *shown(json_t *value) {
    return value ? keep(json_dumps(value, JSON_ENCODE_ANY), free) : "none";
}

#endif
