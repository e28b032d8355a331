/* What a case puts on the disk, and what must be there afterwards. */
#ifndef DISK_H
#define DISK_H

#include "../../folder.h"
#include "text.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

static char case_folder[PATH_ROOM], case_path[2 * PATH_ROOM];
/* What a link points to; NULL without one. */
static json_t *link_content;
/* Names in the folder before the call, each between slashes. */
static char names_before[4096];

static const char *beside(const char *name) {
    char path[2 * PATH_ROOM];
    snprintf(path, sizeof path, "%s/%s", case_folder, name);
    return bytes_of(path, strlen(path)).data;
}

static void put(const char *path, bytes content) {
    file_put(path, content.data, content.length);
    if (chmod(path, 0600) != 0)
        FAIL("%s cannot be made", path);
}

static void put_link(const char *target, const char *path) {
    if (symlink(target, path) != 0)
        FAIL("a link cannot be made");
}

static void put_folder(const char *path) {
    if (mkdir(path, 0700) != 0)
        FAIL("a folder cannot be made");
}

static void put_socket(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0)
        FAIL("a socket cannot be made");
    close(descriptor);
}

/* Makes a file of a kind that may be anywhere; tells whether there is such a kind. A link to a file
 * leads to `target`, which is put at the path `target_path`. */
static bool put_simple_kind(const char *path, const char *kind, json_t *file, const char *target,
                            const char *target_path) {
    if (strcmp(kind, "missing") == 0)
        return true;
    if (strcmp(kind, "directory") == 0) {
        put_folder(path);
    } else if (strcmp(kind, "full_directory") == 0) {
        char inner[2 * PATH_ROOM + 2];
        put_folder(path);
        snprintf(inner, sizeof inner, "%s/f", path);
        put(inner, bytes_of("", 0));
    } else if (strcmp(kind, "fifo") == 0) {
        if (mkfifo(path, 0600) != 0)
            FAIL("a FIFO cannot be made");
    } else if (strcmp(kind, "socket") == 0) {
        put_socket(path);
    } else if (strcmp(kind, "device") == 0) {
        if (mknod(path, S_IFCHR | 0600, makedev(1, 5)) != 0)
            end_case(SKIPPED, "a device cannot be made: %s", strerror(errno));
    } else if (strcmp(kind, "symlink") == 0) {
        link_content = json_object_get(file, "to");
        put(target_path, content_of(link_content));
        put_link(target, path);
    } else if (strcmp(kind, "dangling_symlink") == 0) {
        put_link(target, path);
    } else if (strcmp(kind, "symlink_loop") == 0) {
        put_link(strrchr(path, '/') + 1, path);
    } else {
        return false;
    }
    return true;
}

static void put_kind(const char *kind, json_t *file) {
    json_t *to = json_object_get(file, "to");
    if (kind == NULL)
        FAIL("a file without content or kind");
    if (put_simple_kind(case_path, kind, file, "target", beside("target")))
        return;
    if (strcmp(kind, "below_a_file") == 0) {
        put(beside("f"), bytes_of("", 0));
        snprintf(case_path, sizeof case_path, "%s", beside("f/s.runtime.json"));
    } else if (strcmp(kind, "through_a_linked_folder") == 0) {
        put_folder(beside("real"));
        put(beside("real/s.runtime.json"), content_of(to));
        put_link("real", beside("link"));
        snprintf(case_path, sizeof case_path, "%s", beside("link/s.runtime.json"));
    } else {
        FAIL("no such file: %s", kind);
    }
}

static void give_away(const char *path, json_t *owner) {
    if (owner != NULL && chown(path, (uid_t)json_integer_value(owner), (gid_t)-1) != 0)
        end_case(SKIPPED, "a file cannot be given away: %s", strerror(errno));
}

static void list_names(const char *folder, char *names, size_t room) {
    DIR *entries = opendir(folder);
    struct dirent *entry;
    size_t length = 0;
    names[0] = '\0';
    while (entries != NULL && (entry = readdir(entries)) != NULL)
        length += (size_t)snprintf(names + length, room - length, "/%s/", entry->d_name);
    if (entries != NULL)
        closedir(entries);
}

/* Puts what the case wants at its path. The folder is there, and is removed by the caller. */
static void disk_make(json_t *test) {
    const char *path = json_string_value(json_object_get(test, "path"));
    json_t *file = json_object_get(test, "file"), *owner = json_object_get(file, "owner");
    link_content = NULL;
    snprintf(case_path, sizeof case_path, "%s/%s", case_folder, path ? path : "s.runtime.json");
    if (is_content(file)) {
        put(case_path, content_of(file));
        give_away(case_path, owner);
    } else if (file != NULL) {
        put_kind(json_string_value(json_object_get(file, "kind")), file);
    }
    list_names(case_folder, names_before, sizeof names_before);
}

static void expect_content(const char *what, const char *path, json_t *content) {
    bytes found = from_file(path), wanted = content_of(content);
    if (!same(found, wanted))
        FAIL("%s: expected %.800s, got %.800s", what, wanted.data, found.data);
}

/* Checks that what is at a path is of a kind. */
static void check_kind(const char *path, const char *kind) {
    static const struct {
        const char *name;
        mode_t type;
    } TYPES[] = {
        {"directory", S_IFDIR},    {"full_directory", S_IFDIR},   {"fifo", S_IFIFO},
        {"socket", S_IFSOCK},      {"device", S_IFCHR},           {"symlink", S_IFLNK},
        {"symlink_loop", S_IFLNK}, {"dangling_symlink", S_IFLNK},
    };
    struct stat found;
    bool is_there = lstat(path, &found) == 0;
    if (kind == NULL)
        FAIL("something without a kind is to be left");
    if (strcmp(kind, "missing") == 0) {
        if (is_there)
            FAIL("%s is there", path);
        return;
    }
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        if (strcmp(kind, TYPES[i].name) != 0)
            continue;
        if (!is_there || (found.st_mode & S_IFMT) != TYPES[i].type ||
            (strcmp(kind, "directory") == 0 && folder_count(path) != 0) ||
            (strcmp(kind, "full_directory") == 0 && folder_count(path) != 1))
            FAIL("%s is not left: %s", kind, path);
        return;
    }
    FAIL("no such file: %s", kind);
}

/* Checks what is at a path: content, or a kind. */
static void check_file(const char *what, const char *path, json_t *wanted) {
    if (is_content(wanted))
        expect_content(what, path, wanted);
    else
        check_kind(path, json_string_value(json_object_get(wanted, "kind")));
}

/* Checks what is at the path, and what never changes. */
static void check_left(json_t *left) {
    if (link_content != NULL)
        expect_content("what the link points to", beside("target"), link_content);
    if (left != NULL)
        check_file("what is left", case_path, left);
}

/* Checks that a write left one private file, and nothing else that was not there. */
static void check_written(void) {
    struct stat found;
    char names[4096], first[PATH_ROOM], parent[2 * PATH_ROOM];
    if (lstat(case_path, &found) != 0 || !S_ISREG(found.st_mode))
        FAIL("no regular file is there");
    if ((found.st_mode & 07777) != 0600)
        FAIL("the file's mode is %o", (unsigned)(found.st_mode & 07777));
    snprintf(first, sizeof first, "/%s", case_path + strlen(case_folder) + 1);
    *(strchr(first + 1, '/') ? strchr(first + 1, '/') : first + strlen(first)) = '\0';
    strcat(first, "/");
    list_names(case_folder, names, sizeof names);
    for (char *name = names; *name != '\0';) {
        char *end = strchr(name + 1, '/');
        char one[300];
        snprintf(one, sizeof one, "%.*s", (int)(end + 1 - name), name);
        if (strstr(names_before, one) == NULL && strcmp(one, first) != 0)
            FAIL("%s is new in the folder", one);
        name = end + 1;
    }
    snprintf(parent, sizeof parent, "%s", case_path);
    *strrchr(parent, '/') = '\0';
    list_names(parent, names, sizeof names);
    if (strstr(names, ".tmp") != NULL)
        FAIL("a temporary file is left: %s", names);
}

#endif
