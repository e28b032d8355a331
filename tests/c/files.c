/* Records in files: written, read, loaded, cleared. */
#include "example_record.h"
#include "folder.h"

static char folder[PATH_ROOM], path[PATH_ROOM + 32];

static void begin(void) {
    folder_make(folder);
    snprintf(path, sizeof path, "%s/s.runtime.json", folder);
}

static void a_written_record_is_read_back(void) {
    begin();
    sessionreg_record *record = own_record("s"), *loaded = NULL, *read = NULL;
    CHECK_OK(sessionreg_write(path, record, NULL, NULL));
    CHECK_OK(sessionreg_load(path, &loaded, NULL));
    CHECK_OK(sessionreg_read(path, &read, NULL));
    CHECK(sessionreg_record_equal(record, loaded) && sessionreg_record_equal(record, read));
    CHECK(folder_count(folder) == 1);
    sessionreg_record_free(record);
    sessionreg_record_free(loaded);
    sessionreg_record_free(read);
    folder_remove(folder);
}

static void seven_keys_are_written_byte_for_byte(void) {
    begin();
    size_t length = 0;
    sessionreg_record *record = plain_record(4242, "s");
    CHECK_OK(sessionreg_write(path, record, NULL, NULL));
    char *bytes = file_get(path, &length);
    CHECK_STRING(bytes, "{\n  \"schema_version\": 1,\n  \"pid\": 4242,\n  \"session_id\": \"s\",\n"
                        "  \"work_dir\": \"" ROOT "/srv/project\",\n  \"hostname\": \"build-7\",\n"
                        "  \"started_at\": 1763690000.125,\n  \"agent_version\": null\n}");
    free(bytes);
    sessionreg_record_free(record);
    folder_remove(folder);
}

static void options_decide_on_missing_folders(void) {
    begin();
    char deep[PATH_ROOM + 64];
    sessionreg_record *record = own_record("s");
    sessionreg_write_options options = SESSIONREG_WRITE_OPTIONS_INIT;
    snprintf(deep, sizeof deep, "%s/a/b/s.runtime.json", folder);
    options.create_folders = false;
    CHECK_STATUS(sessionreg_write(deep, record, &options, NULL), SESSIONREG_STATUS_NOT_FOUND);
    CHECK(folder_count(folder) == 0);
    options.create_folders = true;
    options.durable = true;
    CHECK_OK(sessionreg_write(deep, record, &options, NULL));
    options.struct_size = 1;
    CHECK_STATUS(sessionreg_write(deep, record, &options, NULL), SESSIONREG_STATUS_INVALID_INPUT);
    sessionreg_record_free(record);
    folder_remove(folder);
}

/* As in C: a program in another language may well leave one in which any bit is set. */
static void an_option_of_any_byte_but_0_is_true(void) {
    static const unsigned char BYTES[] = {1, 2, 0x80, 0xff};
    begin();
    sessionreg_record *record = own_record("s");
    for (size_t i = 0; i < sizeof BYTES; i++) {
        char deep[PATH_ROOM + 64];
        sessionreg_write_options options = SESSIONREG_WRITE_OPTIONS_INIT;
        snprintf(deep, sizeof deep, "%s/%d/s.runtime.json", folder, BYTES[i]);
        memset(&options.durable, BYTES[i], 1);
        memset(&options.create_folders, BYTES[i], 1);
        CHECK_OK(sessionreg_write(deep, record, &options, NULL));
    }
    CHECK(folder_count(folder) == (int)sizeof BYTES);
    sessionreg_record_free(record);
    folder_remove(folder);
}

/* The macro is what NULL means. */
static void no_options_are_the_initial_ones(void) {
    begin();
    char first[PATH_ROOM + 64], second[PATH_ROOM + 64];
    sessionreg_record *record = own_record("s");
    sessionreg_write_options options = SESSIONREG_WRITE_OPTIONS_INIT;
    snprintf(first, sizeof first, "%s/1/s.runtime.json", folder);
    snprintf(second, sizeof second, "%s/2/s.runtime.json", folder);
    CHECK_OK(sessionreg_write(first, record, NULL, NULL));
    CHECK_OK(sessionreg_write(second, record, &options, NULL));
    sessionreg_record_free(record);
    folder_remove(folder);
}

static void a_failed_write_leaves_the_old_record(void) {
    begin();
    sessionreg_record *record = own_record("s"), *bad = NULL, *left = NULL;
    sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
    fields.session_id = "s";
    fields.work_dir = "relative";
    CHECK_OK(sessionreg_write(path, record, NULL, NULL));
    CHECK_OK(sessionreg_record_new(&fields, &bad, NULL));
    CHECK_STATUS(sessionreg_write(path, bad, NULL, NULL), SESSIONREG_STATUS_INVALID_INPUT);
    CHECK_OK(sessionreg_load(path, &left, NULL));
    CHECK(sessionreg_record_equal(record, left));
    CHECK(folder_count(folder) == 1);
    sessionreg_record_free(record);
    sessionreg_record_free(bad);
    sessionreg_record_free(left);
    folder_remove(folder);
}

static void load_tells_failures_apart_and_read_does_not(void) {
    static const struct {
        const char *text;
        sessionreg_status status;
    } FILES[] = {
        {NULL, SESSIONREG_STATUS_NOT_FOUND},
        {"", SESSIONREG_STATUS_CORRUPT},
        {"[]", SESSIONREG_STATUS_CORRUPT},
        {"{\"schema_version\": 2}", SESSIONREG_STATUS_UNSUPPORTED_VERSION},
    };
    begin();
    sessionreg_record *const untouched = (sessionreg_record *)(void *)path;
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        sessionreg_record *record = untouched;
        sessionreg_error *error = NULL;
        if (FILES[i].text != NULL)
            file_put(path, FILES[i].text, strlen(FILES[i].text));
        CHECK_STATUS(sessionreg_load(path, &record, &error), FILES[i].status);
        CHECK(record == untouched);
        CHECK(sessionreg_error_status(error) == FILES[i].status);
        CHECK_TEXT(sessionreg_error_path(error), path);
        sessionreg_error_free(error);
        CHECK_OK(sessionreg_read(path, &record, NULL));
        CHECK(record == NULL);
    }
    folder_remove(folder);
}

static void an_error_says_what_the_system_said(void) {
    begin();
    sessionreg_record *record = NULL;
    sessionreg_error *error = NULL;
    CHECK_STATUS(sessionreg_load(path, &record, &error), SESSIONREG_STATUS_NOT_FOUND);
    REQUIRE(error != NULL);
    CHECK(sessionreg_error_errno(error) == 2); /* ENOENT, and ERROR_FILE_NOT_FOUND too. */
    CHECK(strncmp(sessionreg_error_message(error).data, "failed to read `", 16) == 0);
    CHECK(strlen(sessionreg_error_message(error).data) == sessionreg_error_message(error).length);
    sessionreg_error_free(error);
    folder_remove(folder);
}

static void an_impossible_path_is_invalid_input(void) {
    static const char *const PATHS[] = {"", "/", ".", "..", "a/", "a/."};
    sessionreg_record *record = own_record("s"), *out = NULL;
    bool removed = false;
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++) {
        const sessionreg_status invalid = SESSIONREG_STATUS_INVALID_INPUT;
        CHECK_STATUS(sessionreg_write(PATHS[i], record, NULL, NULL), invalid);
        CHECK_STATUS(sessionreg_read(PATHS[i], &out, NULL), invalid);
        CHECK_STATUS(sessionreg_load(PATHS[i], &out, NULL), invalid);
        CHECK_STATUS(sessionreg_clear(PATHS[i], &removed, NULL), invalid);
        CHECK_STATUS(sessionreg_clear_if(PATHS[i], record, &removed, NULL), invalid);
    }
    CHECK(out == NULL && !removed);
    sessionreg_record_free(record);
}

static void clear_tells_whether_there_was_one(void) {
    begin();
    sessionreg_record *record = own_record("s");
    bool removed = false;
    CHECK_OK(sessionreg_write(path, record, NULL, NULL));
    CHECK_OK(sessionreg_clear(path, &removed, NULL));
    CHECK(removed);
    CHECK_OK(sessionreg_clear(path, &removed, NULL));
    CHECK(!removed && folder_count(folder) == 0);
    sessionreg_record_free(record);
    folder_remove(folder);
}

static void clear_if_spares_another_registration(void) {
    begin();
    sessionreg_record *mine = own_record("s"), *successor = own_record("s");
    bool removed = true;
    CHECK_OK(sessionreg_write(path, successor, NULL, NULL));
    CHECK_OK(sessionreg_clear_if(path, mine, &removed, NULL));
    CHECK(!removed && folder_count(folder) == 1);
    CHECK_OK(sessionreg_clear_if(path, successor, &removed, NULL));
    CHECK(removed && folder_count(folder) == 0);
    sessionreg_record_free(mine);
    sessionreg_record_free(successor);
    folder_remove(folder);
}

static void freeing_a_record_leaves_its_file(void) {
    begin();
    sessionreg_record *record = own_record("s"), *read = NULL;
    CHECK_OK(sessionreg_write(path, record, NULL, NULL));
    sessionreg_record_free(record);
    CHECK_OK(sessionreg_read(path, &read, NULL));
    CHECK(read != NULL);
    sessionreg_record_free(read);
    folder_remove(folder);
}

static void a_changed_copy_of_what_was_read_is_written(void) {
    begin();
    static const char OLD[] = "{\"schema_version\":1,\"pid\":7,\"session_id\":\"s\","
                              "\"work_dir\":\"" ROOT "/w\",\"hostname\":\"h\",\"started_at\":1,"
                              "\"kimi_version\":\"1\",\"x\":[1.0]}";
    size_t length = 0;
    sessionreg_record *record = NULL;
    sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
    fields.name = "n";
    file_put(path, OLD, strlen(OLD));
    CHECK_OK(sessionreg_load(path, &record, NULL));
    CHECK_OK(sessionreg_record_set(record, &fields, NULL));
    CHECK_OK(sessionreg_write(path, record, NULL, NULL));
    char *bytes = file_get(path, &length);
    REQUIRE(bytes != NULL);
    CHECK(strstr(bytes, "\"started_at\": 1,\n  \"kimi_version\": \"1\",\n  \"name\": \"n\",\n"
                        "  \"x\": [1.0]\n}") != NULL);
    free(bytes);
    sessionreg_record_free(record);
    folder_remove(folder);
}

static void a_path_may_hold_any_script(void) {
    begin();
    char other[PATH_ROOM + 64];
    sessionreg_record *record = own_record("s"), *read = NULL;
    snprintf(other, sizeof other, "%s/\xe4\xbc\x9a\xe8\xaf\x9d-\xc3\xa9.runtime.json", folder);
    CHECK_OK(sessionreg_write(other, record, NULL, NULL));
    CHECK_OK(sessionreg_load(other, &read, NULL));
    CHECK(sessionreg_record_equal(record, read));
    sessionreg_record_free(record);
    sessionreg_record_free(read);
    bool removed = false;
    CHECK_OK(sessionreg_clear(other, &removed, NULL));
    CHECK(removed);
    folder_remove(folder);
}

static void a_path_that_is_not_utf8_is_as_the_system_has_it(void) {
    begin();
    char other[PATH_ROOM + 64];
    sessionreg_record *record = own_record("s");
    snprintf(other, sizeof other, "%s/\xff.runtime.json", folder);
#ifdef _WIN32
    CHECK_STATUS(sessionreg_write(other, record, NULL, NULL), SESSIONREG_STATUS_INVALID_INPUT);
#else
    sessionreg_record *read = NULL;
    sessionreg_error *error = NULL;
    CHECK_OK(sessionreg_write(other, record, NULL, NULL));
    CHECK_OK(sessionreg_load(other, &read, NULL));
    CHECK(sessionreg_record_equal(record, read));
    sessionreg_record_free(read);
    remove(other);
    CHECK_STATUS(sessionreg_load(other, &read, &error), SESSIONREG_STATUS_NOT_FOUND);
    CHECK_TEXT(sessionreg_error_path(error), other);
    sessionreg_error_free(error);
#endif
    sessionreg_record_free(record);
    folder_remove(folder);
}

int main(void) {
    RUN(a_written_record_is_read_back);
    RUN(seven_keys_are_written_byte_for_byte);
    RUN(options_decide_on_missing_folders);
    RUN(an_option_of_any_byte_but_0_is_true);
    RUN(no_options_are_the_initial_ones);
    RUN(a_failed_write_leaves_the_old_record);
    RUN(load_tells_failures_apart_and_read_does_not);
    RUN(an_error_says_what_the_system_said);
    RUN(an_impossible_path_is_invalid_input);
    RUN(clear_tells_whether_there_was_one);
    RUN(clear_if_spares_another_registration);
    RUN(freeing_a_record_leaves_its_file);
    RUN(a_changed_copy_of_what_was_read_is_written);
    RUN(a_path_may_hold_any_script);
    RUN(a_path_that_is_not_utf8_is_as_the_system_has_it);
    return check_result();
}
