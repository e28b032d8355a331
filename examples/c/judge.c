/* Says of each file that it is given whether the session in it is alive, and how that is known. */
#include <sessionreg.h>
#include <stdio.h>

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        sessionreg_record *record = NULL;
        sessionreg_verdict verdict;
        if (sessionreg_load(argv[i], &record, NULL) == SESSIONREG_STATUS_OK &&
            sessionreg_liveness(record, &verdict, NULL) == SESSIONREG_STATUS_OK) {
            printf("%s: %s (%s)\n", argv[i], sessionreg_state_string(verdict.state),
                   sessionreg_reason_string(verdict.reason));
        }
        sessionreg_record_free(record);
    }
}
