/* Shows the live sessions of a registry folder, or of the user's own, as a status bar does. */
#include <sessionreg.h>
#include <stdio.h>

// What a record says was written by another program: none of it may act on a terminal.
static void put(sessionreg_text text) {
    for (size_t i = 0; i < text.length; i++)
        putchar(text.data[i] >= ' ' && text.data[i] <= '~' ? text.data[i] : '?');
}

int main(int argc, char **argv) {
    const char *folder = argc > 1 ? argv[1] : NULL;
    sessionreg_registry *registry = NULL;
    sessionreg_list *list = NULL;
    sessionreg_error *error = NULL;
    if (sessionreg_registry_open(folder, NULL, &registry, &error) != SESSIONREG_STATUS_OK ||
        sessionreg_registry_live(registry, &list, &error) != SESSIONREG_STATUS_OK)
        fprintf(stderr, "%s\n", sessionreg_error_message(error).data);
    for (size_t i = 0; i < sessionreg_list_len(list); i++) {
        const sessionreg_record *record = sessionreg_entry_record(sessionreg_list_get(list, i));
        printf("%lu ", (unsigned long)sessionreg_record_pid(record));
        put(sessionreg_record_session_id(record));
        putchar(' ');
        put(sessionreg_record_status(record));
        putchar('\n');
    }
    int failed = error != NULL;
    sessionreg_error_free(error);
    sessionreg_list_free(list);
    sessionreg_registry_free(registry);
    return failed;
}
