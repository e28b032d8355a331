/* Paths below the folder of a case, in whose last part `*` may stand for any characters. */
#ifndef PATTERNS_H
#define PATTERNS_H

#include "disk.h"
#include <time.h>

/* Whether a name is as a pattern says. */
static bool name_matches(const char *name, const char *pattern) {
    const char *star = strchr(pattern, '*');
    if (star == NULL)
        return strcmp(name, pattern) == 0;
    const size_t before = (size_t)(star - pattern), after = strlen(star + 1), all = strlen(name);
    return all >= before + after && strncmp(name, pattern, before) == 0 &&
           strcmp(name + all - after, star + 1) == 0;
}

/* The folder of a path, and the last part. */
typedef struct {
    char folder[2 * PATH_ROOM];
    const char *name;
} split;

static split split_path(const char *path) {
    split made = {"", path};
    const char *slash = strrchr(path, '/');
    if (slash != NULL) {
        snprintf(made.folder, sizeof made.folder, "%.*s", (int)(slash - path), path);
        made.name = slash + 1;
    }
    return made;
}

/* Whether a path that the library gave ends as a pattern says, from a `/` on. */
static bool path_matches(const char *path, const char *pattern) {
    const split found = split_path(path), wanted = split_path(pattern);
    const size_t all = strlen(found.folder), end = strlen(wanted.folder);
    if (!name_matches(found.name, wanted.name))
        return false;
    if (end == 0)
        return true;
    return all >= end && strcmp(found.folder + all - end, wanted.folder) == 0 &&
           (all == end || found.folder[all - end - 1] == '/');
}

static void expect_path(const char *what, const char *path, json_t *wanted) {
    if (wanted == NULL || json_is_null(wanted)) {
        if (path != NULL)
            FAIL("%s: expected none, got %s", what, path);
        return;
    }
    const char *pattern = text_of(wanted).data;
    if (path == NULL || !path_matches(path, pattern))
        FAIL("%s: expected %s, got %s", what, pattern, path ? path : "none");
}

/* How many files there are of that pattern, of which `found` gets the path of one. */
static int find_files(const char *pattern, char found[4 * PATH_ROOM]) {
    const split wanted = split_path(beside(pattern));
    DIR *entries = opendir(wanted.folder);
    struct dirent *entry;
    int count = 0;
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || !name_matches(name, wanted.name))
            continue;
        snprintf(found, 4 * PATH_ROOM, "%s/%s", wanted.folder, name);
        count++;
    }
    if (entries != NULL)
        closedir(entries);
    return count;
}

/* The one file of that pattern. */
static const char *only_file(const char *pattern) {
    char found[4 * PATH_ROOM];
    const int count = find_files(pattern, found);
    if (count != 1)
        FAIL("%d files are called %s", count, pattern);
    return bytes_of(found, strlen(found)).data;
}

static void make_parents(const char *path) {
    char parent[2 * PATH_ROOM];
    for (const char *at = path + strlen(case_folder) + 1; (at = strchr(at, '/')) != NULL; at++) {
        snprintf(parent, sizeof parent, "%.*s", (int)(at - path), path);
        if (mkdir(parent, 0700) != 0 && errno != EEXIST)
            FAIL("%s cannot be made", parent);
    }
}

/* Puts a file of content or a kind at a path, over what is there. */
static void put_any(const char *path, json_t *file) {
    json_t *age = json_object_get(file, "age");
    make_parents(path);
    if (is_content(file)) {
        put(path, content_of(file));
    } else {
        const char *kind = json_string_value(json_object_get(file, "kind"));
        if (kind == NULL || !put_simple_kind(path, kind, file, beside("target"), beside("target")))
            FAIL("no such file: %s", kind ? kind : "without content or kind");
    }
    give_away(path, json_object_get(file, "owner"));
    if (age != NULL) {
        struct timespec times[2];
        clock_gettime(CLOCK_REALTIME, &times[0]);
        times[0].tv_sec -= (time_t)json_number_value(age);
        times[1] = times[0];
        if (utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) != 0)
            FAIL("%s cannot be given an age", path);
    }
}

/* What is in a folder now: names or patterns, one for each, in any order. */
static void expect_names(const char *folder, json_t *wanted) {
    char names[16384];
    json_t *pattern;
    size_t index, matched = 0, count = 0;
    list_names(beside(folder), names, sizeof names);
    bool taken[1024] = {false};
    /* Names first: a pattern may stand for one of them too. */
    for (int patterns = 0; patterns < 2; patterns++) {
        json_array_foreach(wanted, index, pattern) {
            const char *text = text_of(pattern).data;
            if ((strchr(text, '*') != NULL) != (patterns == 1))
                continue;
            size_t at = 0;
            bool is_found = false;
            for (char *name = names; *name != '\0' && !is_found; at++) {
                char *end = strchr(name + 1, '/');
                char one[300];
                snprintf(one, sizeof one, "%.*s", (int)(end - name - 1), name + 1);
                is_found = at < COUNT(taken) && !taken[at] && name_matches(one, text);
                taken[at < COUNT(taken) ? at : 0] |= is_found;
                name = end + 1;
            }
            if (!is_found)
                FAIL("%s is missing in %s, which has %s", text, folder, names);
            matched++;
        }
    }
    for (char *name = names; *name != '\0'; name = strchr(name + 1, '/') + 1)
        count += strncmp(name, "/./", 3) != 0 && strncmp(name, "/../", 4) != 0;
    if (count != matched)
        FAIL("%s has more than it should: %s", folder, names);
}

#endif
