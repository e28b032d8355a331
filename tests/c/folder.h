/* A folder for one test, and files in it, on every system. */
#ifndef FOLDER_H
#define FOLDER_H

#include "check.h"
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef _WIN32
#include <direct.h>
#include <process.h>
#endif

#define PATH_ROOM 1024

/* Makes an empty folder; its name has only `/`. */
static inline void folder_make(char folder[PATH_ROOM]) {
#ifdef _WIN32
    static int count;
    const char *temp = getenv("TEMP");
    snprintf(folder, PATH_ROOM, "%s/sessionreg-c-%d-%d", temp ? temp : ".", _getpid(), count++);
    for (char *at = folder; *at; at++)
        if (*at == '\\')
            *at = '/';
    CHECK(_mkdir(folder) == 0);
#else
    const char *temp = getenv("TMPDIR");
    snprintf(folder, PATH_ROOM, "%s/sessionreg-c-XXXXXX", temp ? temp : "/tmp");
    CHECK(mkdtemp(folder) != NULL);
#endif
}

static inline int is_folder(const char *path) {
    struct stat stat_of;
#ifdef _WIN32
    return stat(path, &stat_of) == 0 && S_ISDIR(stat_of.st_mode);
#else
    return lstat(path, &stat_of) == 0 && S_ISDIR(stat_of.st_mode);
#endif
}

/* Removes a folder and all that is in it. */
static inline void folder_remove(const char *folder) {
    DIR *entries = opendir(folder);
    struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        char path[2 * PATH_ROOM];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (is_folder(path))
            folder_remove(path);
        else
            remove(path);
    }
    if (entries != NULL)
        closedir(entries);
    rmdir(folder);
}

/* How many entries a folder has. */
static inline int folder_count(const char *folder) {
    DIR *entries = opendir(folder);
    int count = -2;
    if (entries == NULL)
        return -1;
    while (readdir(entries) != NULL)
        count++;
    closedir(entries);
    return count;
}

static inline void file_put(const char *path, const char *bytes, size_t length) {
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(bytes, 1, length, file) == length);
    if (file != NULL)
        fclose(file);
}

/* All of a file with a NUL behind it, for the caller to free; NULL if there is none. */
static inline char *file_get(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    size_t room = 1 << 18;
    char *bytes = file != NULL ? malloc(room) : NULL;
    if (bytes != NULL) {
        *length = fread(bytes, 1, room - 1, file);
        bytes[*length] = '\0';
    }
    if (file != NULL)
        fclose(file);
    return bytes;
}

#endif
