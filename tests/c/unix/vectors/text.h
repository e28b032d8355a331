/* Texts with placeholders, and content made of them. */
#ifndef TEXT_H
#define TEXT_H

#include "outcome.h"
#include <ctype.h>

/* Of the case that runs: `let` of its file, and the facts. */
static json_t *case_let, *case_facts;

/* A fact as text. */
static bytes fact(const char *name) {
    json_t *value = json_object_get(case_facts, name);
    char number[32];
    if (json_is_string(value))
        return bytes_of(json_string_value(value), json_string_length(value));
    if (json_is_integer(value)) {
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
        return bytes_of(number, strlen(number));
    }
    if (json_is_real(value)) {
        snprintf(number, sizeof number, "%.17g", json_real_value(value));
        return bytes_of(number, strlen(number));
    }
    if (json_is_null(value))
        end_case(SKIPPED, "%s is not known here", name);
    FAIL("no such fact: %s", name);
}

/* What a placeholder stands for: a name of `let`, a fact, or a fact with an offset. */
static bytes placeholder(const char *name) {
    json_t *let = json_object_get(case_let, name);
    const char *sign = strpbrk(name, "+-");
    char stem[64], sum[32];
    if (json_is_string(let))
        return bytes_of(json_string_value(let), json_string_length(let));
    if (sign == NULL)
        return fact(name);
    snprintf(stem, sizeof stem, "%.*s", (int)(sign - name), name);
    bytes value = fact(stem);
    unsigned long long offset = strtoull(sign + 1, NULL, 10);
    unsigned long long number = strtoull(value.data, NULL, 10);
    snprintf(sum, sizeof sum, "%llu", *sign == '+' ? number + offset : number - offset);
    return bytes_of(sum, strlen(sum));
}

static const char *find_placeholder(const char *data, size_t length) {
    for (size_t i = 0; i + 1 < length; i++)
        if (data[i] == '$' && data[i + 1] == '{')
            return data + i;
    return NULL;
}

/* Appends the text with all placeholders replaced; what stands for them may hold more. */
static void append_text(bytes *to, const char *data, size_t length) {
    const char *start;
    while ((start = find_placeholder(data, length)) != NULL) {
        const char *end = memchr(start, '}', length - (size_t)(start - data));
        char name[128];
        if (end == NULL || end - start > 100)
            FAIL("a placeholder has no end");
        snprintf(name, sizeof name, "%.*s", (int)(end - start - 2), start + 2);
        append(to, data, (size_t)(start - data));
        bytes value = placeholder(name);
        append_text(to, value.data, value.length);
        length -= (size_t)(end + 1 - data);
        data = end + 1;
    }
    append(to, data, length);
}

/* Whether a value is that word. */
static bool is_token(const char *word, json_t *value) {
    return json_is_string(value) && strcmp(word, json_string_value(value)) == 0;
}

static bool is_content(json_t *value) {
    static const char *const KEYS[] = {"text", "lines", "hex", "parts", "repeat", "fill"};
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
        if (json_object_get(value, KEYS[i]) != NULL)
            return true;
    return false;
}

static void append_hex(bytes *to, const char *hex) {
    for (; hex[0] != '\0' && hex[1] != '\0'; hex += 2) {
        char pair[3] = {hex[0], hex[1], '\0'}, *end;
        char byte = (char)strtol(pair, &end, 16);
        if (*end != '\0')
            FAIL("no hex: %s", hex);
        append(to, &byte, 1);
    }
}

/* Appends a content or what a generator makes. */
static void append_content(bytes *to, json_t *content) {
    json_t *value, *part;
    size_t index;
    if ((value = json_object_get(content, "text")) != NULL) {
        append_text(to, json_string_value(value), json_string_length(value));
    } else if ((value = json_object_get(content, "lines")) != NULL) {
        json_array_foreach(value, index, part) {
            if (index > 0)
                append(to, "\n", 1);
            append_text(to, json_string_value(part), json_string_length(part));
        }
    } else if ((value = json_object_get(content, "hex")) != NULL) {
        append_hex(to, json_string_value(value));
    } else if ((value = json_object_get(content, "parts")) != NULL) {
        json_array_foreach(value, index, part) append_content(to, part);
    } else if ((value = json_object_get(content, "repeat")) != NULL) {
        json_int_t times = json_integer_value(json_object_get(content, "times"));
        while (times-- > 0)
            append(to, json_string_value(value), json_string_length(value));
    } else if ((value = json_object_get(content, "fill")) != NULL) {
        json_int_t until = json_integer_value(json_object_get(content, "until"));
        while (to->length < (size_t)until)
            append(to, json_string_value(value), 1);
    } else {
        FAIL("no such content: %s", (char *)keep(json_dumps(content, JSON_ENCODE_ANY), free));
    }
}

static bytes content_of(json_t *content) {
    bytes made = bytes_of("", 0);
    append_content(&made, content);
    return made;
}

/* A text of the vectors: a string with placeholders, or content. */
static bytes text_of(json_t *value) {
    bytes made = bytes_of("", 0);
    if (json_is_string(value))
        append_text(&made, json_string_value(value), json_string_length(value));
    else
        append_content(&made, value);
    return made;
}

/* The same of a string that is no value. */
static bytes bytes_of_text(const char *text) {
    bytes made = bytes_of("", 0);
    append_text(&made, text, strlen(text));
    return made;
}

/* The same for C, which ends text at NUL; NULL where nothing is given. */
static const char *c_text_of(json_t *value) {
    if (value == NULL || json_is_null(value))
        return NULL;
    bytes made = text_of(value);
    if (strlen(made.data) != made.length)
        end_case(LEFT_OUT, "C ends text at NUL");
    return made.data;
}

#endif
