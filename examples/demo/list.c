/* What a C status bar would do: reads every sidecar of a folder and judges them all at once. */
#include <dirent.h>
#include <sessionreg.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 64 };

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: list FOLDER\n");
        return 2;
    }
    struct dirent **names = NULL;
    int count = scandir(argv[1], &names, NULL, alphasort);
    if (count < 0) {
        perror(argv[1]);
        return 1;
    }
    const sessionreg_record *records[MOST];
    size_t found = 0;
    for (int i = 0; i < count; i++) {
        char path[4096];
        sessionreg_record *record = NULL;
        snprintf(path, sizeof path, "%s/%s", argv[1], names[i]->d_name);
        free(names[i]);
        /* Whatever is no record, the folder itself included, is passed over. */
        if (found < MOST && sessionreg_read(path, &record, NULL) == SESSIONREG_STATUS_OK && record)
            records[found++] = record;
    }
    free(names);

    sessionreg_verdict verdicts[MOST];
    if (sessionreg_liveness_all(records, found, verdicts, NULL) != SESSIONREG_STATUS_OK) return 1;
    for (size_t i = 0; i < found; i++) {
        printf("%s\t%u\t%s\t%s\n", sessionreg_record_session_id(records[i]).data,
               (unsigned)sessionreg_record_pid(records[i]),
               sessionreg_state_string(verdicts[i].state),
               sessionreg_reason_string(verdicts[i].reason));
        sessionreg_record_free((sessionreg_record *)records[i]);
    }
    return 0;
}
