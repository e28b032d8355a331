/*
 * What the library costs in C: the jobs of ../../speed, the same way and with the same output.
 *
 *     speed <job> <folder> <calls> <calls a turn>
 *
 * There is one contender, so there are no turns.
 */
#include <sessionreg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char path[4096];
static sessionreg_record *record;

static void must(sessionreg_status status, const char *what) {
    if (status != SESSIONREG_STATUS_OK) {
        fprintf(stderr, "%s: %s\n", what, sessionreg_status_string(status));
        exit(1);
    }
}

static void replace(void) {
    must(sessionreg_write(path, record, NULL, NULL), "write");
}

static void replace_durably(void) {
    sessionreg_write_options options = SESSIONREG_WRITE_OPTIONS_INIT;
    options.durable = true;
    must(sessionreg_write(path, record, &options, NULL), "write");
}

static void read(void) {
    sessionreg_record *found = NULL;
    must(sessionreg_load(path, &found, NULL), "load");
    sessionreg_record_free(found);
}

static void verdict(void) {
    sessionreg_verdict verdict;
    must(sessionreg_liveness(record, &verdict, NULL), "liveness");
}

static const struct {
    const char *name;
    void (*run)(void);
} jobs[] = {{"replace", replace},
            {"replace-durably", replace_durably},
            {"read", read},
            {"verdict", verdict}};

static double micros(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int by_size(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void measure(const char *job, void (*run)(void), size_t calls) {
    double *times = calloc(calls, sizeof *times);
    if (times == NULL)
        exit(1);
    for (size_t turn = 0; turn < calls / 4; turn++)
        run();
    for (size_t turn = 0; turn < calls; turn++) {
        double start = micros();
        run();
        times[turn] = micros() - start;
    }
    qsort(times, calls, sizeof *times, by_size);
    printf("{\"job\":\"%s\",\"contender\":\"C\",\"p10\":%.3f,\"p50\":%.3f,\"p90\":%.3f}\n", job,
           times[(calls - 1) * 10 / 100], times[(calls - 1) * 50 / 100],
           times[(calls - 1) * 90 / 100]);
    free(times);
}

int main(int argc, char **argv) {
    long calls = argc == 5 ? strtol(argv[3], NULL, 10) : 0;
    if (calls < 1) {
        fprintf(stderr, "usage: speed <job> <folder> <calls> <calls a turn>\n");
        return 2;
    }
    snprintf(path, sizeof path, "%s/c.runtime.json", argv[2]);
    sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
    fields.session_id = "0b2c7a52-6f1c-4a57-9a0e-5a3c6f0d9e11";
    fields.work_dir = "/home/user/project";
    fields.agent = "qwen-code";
    fields.agent_version = "1.2.3";
    must(sessionreg_record_new(&fields, &record, NULL), "record");
    must(sessionreg_write(path, record, NULL, NULL), "write");
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++)
        if (strcmp(jobs[i].name, argv[1]) == 0)
            measure(argv[1], jobs[i].run, (size_t)calls);
    sessionreg_record_free(record);
}
