/* Session ids that may become part of a path, and the paths made of them. */
#include "check.h"

static void an_id_that_is_safe_everywhere_is_accepted(void) {
    CHECK_OK(sessionreg_session_id_check("0b7f3c1e-5a2d", NULL));
    CHECK_OK(sessionreg_session_id_check("s\xc3\xa9", NULL));
}

static void an_id_that_could_leave_its_folder_is_refused_with_the_reason(void) {
    static const char *const BAD[] = {"",    "..",  "a/b", "a\\b",  ".a", "-a",
                                      "a\n", "CON", "a.",  "a\xff", "a:b"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        sessionreg_error *error = NULL;
        char *path = NULL;
        CHECK_STATUS(sessionreg_session_id_check(BAD[i], &error), SESSIONREG_STATUS_INVALID_ID);
        CHECK(sessionreg_error_message(error).length > strlen("failed to accept the session id: "));
        sessionreg_error_free(error);
        CHECK_STATUS(sessionreg_sidecar_in_project("/p", BAD[i], &path, NULL),
                     SESSIONREG_STATUS_INVALID_ID);
        CHECK(path == NULL);
    }
}

/* One kind of separator, to compare. */
static void with_slashes(char *path) {
    for (; path != NULL && *path; path++)
        if (*path == '\\')
            *path = '/';
}

static void a_sidecar_lies_below_its_project(void) {
    char *path = NULL;
    CHECK_OK(sessionreg_sidecar_in_project("/p", "s", &path, NULL));
    with_slashes(path);
    CHECK_STRING(path, "/p/chats/s.runtime.json");
    sessionreg_string_free(path);
}

static void the_sidecars_of_known_programs_are_found(void) {
    char *path = NULL;
    sessionreg_error *error = NULL;
    CHECK_OK(sessionreg_sidecar_of("qwen-code", "/srv/a.b", "s", "/home/x/.qwen", &path, NULL));
    with_slashes(path);
    CHECK_STRING(path, "/home/x/.qwen/projects/-srv-a-b/chats/s.runtime.json");
    sessionreg_string_free(path);
    path = NULL;
    CHECK_STATUS(sessionreg_sidecar_of("nobody", "/srv", "s", "/h", &path, &error),
                 SESSIONREG_STATUS_INVALID_INPUT);
    CHECK(path == NULL && sessionreg_error_message(error).length > 0);
    sessionreg_error_free(error);
}

#ifndef _WIN32
static void a_folder_that_is_not_utf8_comes_out_as_it_went_in(void) {
    char *path = NULL;
    CHECK_OK(sessionreg_sidecar_in_project("/p\xff", "s", &path, NULL));
    CHECK_STRING(path, "/p\xff/chats/s.runtime.json");
    sessionreg_string_free(path);
}

static void without_a_home_the_environment_names_it(void) {
    char *path = NULL;
    setenv("KIMI_SHARE_DIR", "/share", 1);
    CHECK_OK(sessionreg_sidecar_of("kimi-cli", "/srv", "s", NULL, &path, NULL));
    CHECK(path != NULL && strncmp(path, "/share/sessions/", 16) == 0);
    sessionreg_string_free(path);
    unsetenv("KIMI_SHARE_DIR");
}
#endif

int main(void) {
    RUN(an_id_that_is_safe_everywhere_is_accepted);
    RUN(an_id_that_could_leave_its_folder_is_refused_with_the_reason);
    RUN(a_sidecar_lies_below_its_project);
    RUN(the_sidecars_of_known_programs_are_found);
#ifndef _WIN32
    RUN(a_folder_that_is_not_utf8_comes_out_as_it_went_in);
    RUN(without_a_home_the_environment_names_it);
#endif
    return check_result();
}
