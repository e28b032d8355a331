/*
 * sessionreg: which agent sessions run on this machine.
 *
 * A session record is one small JSON file that says which process serves a session, in which
 * folder, and since when. This library makes such records, writes them so that every reader sees
 * a complete one at every instant, reads them strictly, removes them safely, and judges whether
 * the process that a record names is still there. A registry is a folder of such files: in it a
 * program registers the sessions that it serves, and everybody can see which of them live. A snapshot
 * shows every agent session on the machine, whatever program serves it, and a monitor tells what
 * changes.
 *
 * A program in ten lines
 * ----------------------
 *
 * It says of each file that it is given whether the session in it is alive, and how that is known.
 * Build it with `cc judge.c $(pkg-config --cflags --libs sessionreg)`.
 *
 *     #include <sessionreg.h>
 *     #include <stdio.h>
 *
 *     int main(int argc, char **argv) {
 *         for (int i = 1; i < argc; i++) {
 *             sessionreg_record *record = NULL;
 *             sessionreg_verdict verdict;
 *             if (sessionreg_load(argv[i], &record, NULL) == SESSIONREG_STATUS_OK &&
 *                 sessionreg_liveness(record, &verdict, NULL) == SESSIONREG_STATUS_OK) {
 *                 printf("%s: %s (%s)\n", argv[i], sessionreg_state_string(verdict.state),
 *                        sessionreg_reason_string(verdict.reason));
 *             }
 *             sessionreg_record_free(record);
 *         }
 *     }
 *
 * And this is how a program says that it serves a session, until the session ends:
 *
 *     sessionreg_record *record = NULL;
 *     sessionreg_error *error = NULL;
 *     sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
 *     fields.session_id = "3f1c";
 *     fields.work_dir = "/srv/project";
 *     fields.agent = "qwen-code";
 *     if (sessionreg_record_new(&fields, &record, &error) != SESSIONREG_STATUS_OK ||
 *         sessionreg_write("chats/3f1c.runtime.json", record, NULL, &error) != SESSIONREG_STATUS_OK) {
 *         fprintf(stderr, "%s\n", sessionreg_error_message(error).data);
 *         sessionreg_error_free(error);
 *         sessionreg_record_free(record);
 *         return 1;
 *     }
 *     // ... the session is served here ...
 *     bool removed = false;
 *     sessionreg_clear_if("chats/3f1c.runtime.json", record, &removed, NULL);
 *     sessionreg_record_free(record);
 *
 * Conventions
 * -----------
 *
 * Order. The object comes first, then what goes in, then what comes out, then the error.
 *
 * Status. A function that can fail returns a `sessionreg_status`. What comes out is written only
 * on success; until then the caller's variables stay as they were.
 *
 * Errors. The last parameter of such a function, `error`, may be NULL. Otherwise a failure puts a
 * `sessionreg_error` there, which is the caller's to free; success leaves it alone. It is only
 * written, so an error that is still in the variable is lost: free it first.
 *
 * NULL. It is allowed for `options`, for `error`, for `home` and `dir`, in every `_free`, for
 * members of a structure, and where a function says so. Anywhere else it is
 * `SESSIONREG_STATUS_INVALID_INPUT`; a function that returns a value instead of a status returns
 * the absent value.
 *
 * Handles. What ends something reports, as `_close`, `_leave` and `_release` do: the handle stays,
 * and every later call on it is `SESSIONREG_STATUS_CLOSED`. `_free` is for the memory alone: it
 * comes once and last, and nothing that others see changes by it. Only a caller of a restore table
 * who is freed while he waits, runs a restore or is subscribed has left, as their types say.
 *
 * Borrowed. What a function returns as a pointer to `const` belongs to the object that was asked,
 * stays until that is freed, and is never freed itself.
 *
 * Absent values. NULL for text, 0 for a pid, NaN for a time, -1 for any other number; going in
 * they say: not given, coming out: not there.
 *
 * Text. All of it is UTF-8. Text that goes in ends with NUL. Text that comes out does so too, and
 * has its length besides, as a session id may contain NUL: it is borrowed, and stays until its
 * object is changed or freed. A `char *` that a function hands out is the caller's, to be freed by
 * `sessionreg_string_free` and by nothing else.
 *
 * Paths. On Unix any bytes but NUL, on Windows UTF-8.
 *
 * Options. A structure of options or fields begins with its own size, so that it may grow. Begin
 * with its `_INIT` macro, which names every member, and change what is to be different. Another
 * size than that of a version which this library knows is `SESSIONREG_STATUS_INVALID_INPUT`.
 *
 * Time. Seconds since the Unix epoch, with fractions. How long to wait, and what ends in `_ms`, is in
 * milliseconds, and -1 is without end or as it is by default.
 *
 * Threads. Every function may be called from every thread. What threads may do with one object at
 * the same time is said with its type; a structure whose members are shown is plain memory.
 *
 * Fork. Nothing here belongs to a thread or holds a lock between two calls. A forked child may use
 * and free what it inherited; no file is removed by that. Sessions, claims and monitors stay the
 * parent's: to change or to use one is `SESSIONREG_STATUS_CLOSED` in the child, as is to use a
 * restore table, or what that gave.
 *
 * Defects. Should one of this library's own show itself by a panic, the call returns
 * `SESSIONREG_STATUS_PANIC` and the process goes on; a message is on standard error.
 *
 * Numbers. The numbers of statuses, states, reasons, dialects and sources are fixed, and none is
 * ever used for something else. Later versions may add some: be prepared for one that this header
 * does not name.
 */

#ifndef SESSIONREG_H
#define SESSIONREG_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The version that this header belongs to; see `sessionreg_version`. */
#define SESSIONREG_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Statuses, and the version
 * -------------------------
 */

/** How a call ended. */
enum sessionreg_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /** It did what it was asked. */
  SESSIONREG_STATUS_OK = 0,
  /** There is no such file, session or process. */
  SESSIONREG_STATUS_NOT_FOUND = 1,
  /** The file is not a well-formed record. */
  SESSIONREG_STATUS_CORRUPT = 2,
  /** The file is a record of a schema that this version does not know. */
  SESSIONREG_STATUS_UNSUPPORTED_VERSION = 3,
  /** The path names something other than a regular file. */
  SESSIONREG_STATUS_NOT_A_FILE = 4,
  /** The file, or the record to be written, is larger than 64 KiB. */
  SESSIONREG_STATUS_TOO_LARGE = 5,
  /** The operating system, or the rule on whose files are read, refuses. */
  SESSIONREG_STATUS_PERMISSION_DENIED = 6,
  /** The session id cannot be part of a path. */
  SESSIONREG_STATUS_INVALID_ID = 7,
  /** An argument cannot be what it is. */
  SESSIONREG_STATUS_INVALID_INPUT = 8,
  /** Another process holds what was asked for. */
  SESSIONREG_STATUS_HELD = 9,
  /** The folder's lock could not be had in time (250 ms). */
  SESSIONREG_STATUS_BUSY = 10,
  /** The handle was closed before. */
  SESSIONREG_STATUS_CLOSED = 11,
  /** The table is shutting down. */
  SESSIONREG_STATUS_CLOSING = 12,
  /** The caller cancelled the operation. */
  SESSIONREG_STATUS_CANCELLED = 13,
  /** The file system, or the user's quota on it, is full. */
  SESSIONREG_STATUS_NO_SPACE = 14,
  /** The file system is mounted read-only. */
  SESSIONREG_STATUS_READ_ONLY = 15,
  /** The session is being restored in another way. */
  SESSIONREG_STATUS_RESTORE_IN_PROGRESS = 16,
  /** As many sessions as allowed are live. */
  SESSIONREG_STATUS_SESSION_LIMIT = 17,
  /** As many subscribers as allowed are connected. */
  SESSIONREG_STATUS_SUBSCRIBER_LIMIT = 18,
  /** The session belongs to another workspace. */
  SESSIONREG_STATUS_WORKSPACE_MISMATCH = 19,
  /** The time allowed is over. */
  SESSIONREG_STATUS_TIMEOUT = 20,
  /** The system does not have what is needed. */
  SESSIONREG_STATUS_UNAVAILABLE = 21,
  /** Any other error of the operating system. */
  SESSIONREG_STATUS_IO = 22,
  /** A defect of this library was caught. */
  SESSIONREG_STATUS_PANIC = 23,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sessionreg_status sessionreg_status;
#else
typedef uint32_t sessionreg_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The token of a status, the same in every language, such as `NOT_FOUND`; `OK` for success. NULL
 * for a number that is no status. It is never freed.
 */
const char *sessionreg_status_string(uint32_t status);

/** The version of this library, such as `0.1.0`. It is never freed. */
const char *sessionreg_version(void);

/*
 * Text
 * ----
 */

/**
 * Text that is borrowed from an object: UTF-8, followed by a NUL, or `data` is NULL if there is
 * none.
 *
 * It stays until the object is changed or freed. Where the text cannot hold NUL, which is
 * everywhere but in what a file says, `data` alone will do.
 */
typedef struct sessionreg_text {
  /** The first byte. */
  const char *data;
  /** How many bytes there are, the NUL at the end not counted. */
  size_t length;
} sessionreg_text;

/** Frees text that a function handed out. NULL is fine. */
void sessionreg_string_free(char *string);

/*
 * Holders
 * -------
 *
 * Another process has what was asked for: who it is, as far as it is known.
 */

/** Who holds a name or a session. It never changes: threads may look at one at the same time. */
typedef struct sessionreg_holder sessionreg_holder;

/** The process, in its own PID namespace; 0 if it is not known. */
uint32_t sessionreg_holder_pid(const sessionreg_holder *holder);

/** The session that it serves; absent if it is not known. */
sessionreg_text sessionreg_holder_session_id(const sessionreg_holder *holder);

/** The name of its host; absent if it is not known. */
sessionreg_text sessionreg_holder_host(const sessionreg_holder *holder);

/** The file by which it holds, as bytes of a path. */
sessionreg_text sessionreg_holder_path(const sessionreg_holder *holder);

/**
 * Frees a holder that a function gave; one that is borrowed from an error goes with the error.
 * NULL is fine.
 */
void sessionreg_holder_free(sessionreg_holder *holder);

/*
 * Errors
 * ------
 *
 * What a failed call says beyond its status.
 */

/** Why a call failed. It never changes: threads may look at one at the same time. */
typedef struct sessionreg_error sessionreg_error;

/** The status with which the call returned; `SESSIONREG_STATUS_INVALID_INPUT` for NULL. */
sessionreg_status sessionreg_error_status(const sessionreg_error *error);

/** One line for people: ``failed to <verb> `<path>`: <reason>``. It is safe to print. */
sessionreg_text sessionreg_error_message(const sessionreg_error *error);

/** The file that the error is about, as bytes of a path; absent if it is about none. */
sessionreg_text sessionreg_error_path(const sessionreg_error *error);

/** The operating system's number: `errno`, on Windows that of `GetLastError`; 0 if it gave none. */
int32_t sessionreg_error_errno(const sessionreg_error *error);

/**
 * Who holds what was asked for, borrowed from the error; NULL if the status is not
 * `SESSIONREG_STATUS_HELD`.
 */
const sessionreg_holder *sessionreg_error_holder(const sessionreg_error *error);

/** Frees an error. NULL is fine. */
void sessionreg_error_free(sessionreg_error *error);

/*
 * Records
 * -------
 *
 * One session, served by one process.
 */

/**
 * A record. Threads may look at one at the same time; who changes or frees it must be alone
 * with it.
 */
typedef struct sessionreg_record sessionreg_record;

/** Makes a copy, which remembers as well where the record was read from. */
sessionreg_status sessionreg_record_clone(const sessionreg_record *record,
                                          sessionreg_record **copy,
                                          sessionreg_error **error);

/**
 * Whether two records say the same; where they were read from is no part of it. NULL is equal to
 * nothing.
 */
bool sessionreg_record_equal(const sessionreg_record *record,
                             const sessionreg_record *other);

/** Frees a record; its file stays. NULL is fine. */
void sessionreg_record_free(sessionreg_record *record);

/*
 * Making a record
 * ---------------
 */

/**
 * What a record is made of, or changed to.
 *
 * Absent members say: the default, or, for `sessionreg_record_set`, as it was. The text is copied.
 */
typedef struct sessionreg_fields {
  /** The size of this structure. */
  size_t struct_size;
  /** The process that serves the session; 0: the calling one. */
  uint32_t pid;
  /**
   * The session's id. It must be given when a record is made. See
   * `sessionreg_session_id_check` before making a path of it.
   */
  const char *session_id;
  /**
   * The folder in which the session works, an absolute path. It must be given when a record is
   * made.
   */
  const char *work_dir;
  /** The host's name, for people to read. Default: as the system gives it. */
  const char *hostname;
  /** When the session began, in seconds since the Unix epoch. Default: now. */
  double started_at;
  /** The version of the program. */
  const char *agent_version;
  /**
   * The key under which a file holds `agent_version`, such as `qwen_version`. Default: the one
   * that the record was read with, else the agent's, else `agent_version`.
   */
  const char *version_key;
  /** The program: `[a-z][a-z0-9-]{0,31}`, such as `qwen-code`; not `schema`. */
  const char *agent;
  /** The kind of session: `[a-z][a-z0-9-]{0,15}`, such as `interactive` or `headless`. */
  const char *kind;
  /** A name for people. */
  const char *name;
  /** How the program was started, such as `cli` or `sdk-ts`. */
  const char *entrypoint;
  /** The log of the session. */
  const char *transcript_path;
  /** The session that this one came from. */
  const char *parent_session_id;
  /** Where the session is shown: the multiplexer, such as `tmux` or `zellij`, */
  const char *terminal_multiplexer;
  /** its session, */
  const char *terminal_session;
  /** and the pane in it. */
  const char *terminal_pane;
  /** What the session is doing, such as `busy`, `idle` or `waiting`. */
  const char *status;
  /** What a `waiting` session waits for. */
  const char *waiting_for;
  /** When the record was last updated, in seconds since the Unix epoch. */
  double updated_at;
  /** When the status last changed, in seconds since the Unix epoch. */
  double status_updated_at;
} sessionreg_fields;

/** A `sessionreg_fields` in which nothing is given. */
#define SESSIONREG_FIELDS_INIT \
  { /* struct_size */ sizeof(sessionreg_fields), \
    /* pid */ 0, \
    /* session_id */ NULL, \
    /* work_dir */ NULL, \
    /* hostname */ NULL, \
    /* started_at */ NAN, \
    /* agent_version */ NULL, \
    /* version_key */ NULL, \
    /* agent */ NULL, \
    /* kind */ NULL, \
    /* name */ NULL, \
    /* entrypoint */ NULL, \
    /* transcript_path */ NULL, \
    /* parent_session_id */ NULL, \
    /* terminal_multiplexer */ NULL, \
    /* terminal_session */ NULL, \
    /* terminal_pane */ NULL, \
    /* status */ NULL, \
    /* waiting_for */ NULL, \
    /* updated_at */ NAN, \
    /* status_updated_at */ NAN }

/**
 * Makes a record of the calling process, with all that tells it from others: the record of a new
 * registration.
 *
 * If `fields->pid` is given, the record is of that process instead, which is not looked up: it
 * holds no identity, so that nobody can tell the process from a later one with its pid.
 * `sessionreg_record_of_process` looks it up.
 *
 * What no reader would accept is refused when the record is written.
 */
sessionreg_status sessionreg_record_new(const sessionreg_fields *fields,
                                        sessionreg_record **record,
                                        sessionreg_error **error);

/**
 * Makes a record of the process `fields->pid`, whose identity is read now: the record of a new
 * registration, made by another process than the one that serves it.
 *
 * `SESSIONREG_STATUS_NOT_FOUND` if no process has that pid, `SESSIONREG_STATUS_INVALID_INPUT` if
 * none can.
 */
sessionreg_status sessionreg_record_of_process(const sessionreg_fields *fields,
                                               sessionreg_record **record,
                                               sessionreg_error **error);

/**
 * Changes the fields that are given; the others stay, and so do the identity of the process, the
 * instance and where the record was read from.
 *
 * A record stays with its process: `fields->pid` must be 0. `sessionreg_record_unset` takes a field
 * away. Text that was borrowed from the record is no more.
 */
sessionreg_status sessionreg_record_set(sessionreg_record *record,
                                        const sessionreg_fields *fields,
                                        sessionreg_error **error);

/**
 * Takes an optional field away: it is absent then. One that is absent already stays so.
 *
 * `field` is the name of a member of `sessionreg_fields`: `agent_version`, `agent`, `kind`, `name`,
 * `entrypoint`, `transcript_path`, `parent_session_id`, `terminal_multiplexer`,
 * `terminal_session`, `terminal_pane`, `status`, `waiting_for`, `updated_at` or
 * `status_updated_at`. Any other is `SESSIONREG_STATUS_INVALID_INPUT`. Text that was borrowed from
 * the record is no more.
 */
sessionreg_status sessionreg_record_unset(sessionreg_record *record,
                                          const char *field,
                                          sessionreg_error **error);

/*
 * What a record says
 * ------------------
 *
 * All but the pid, the session id, the working folder, the start and the version key may be absent.
 */

/** The process that serves the session. */
uint32_t sessionreg_record_pid(const sessionreg_record *record);

/**
 * The session's id. It is whatever the file says, and may contain NUL: see
 * `sessionreg_session_id_check` before making a path of it.
 */
sessionreg_text sessionreg_record_session_id(const sessionreg_record *record);

/** The folder in which the session works. */
sessionreg_text sessionreg_record_work_dir(const sessionreg_record *record);

/** The host's name, for people to read. */
sessionreg_text sessionreg_record_hostname(const sessionreg_record *record);

/** When the session began, in seconds since the Unix epoch. */
double sessionreg_record_started_at(const sessionreg_record *record);

/** The version of the program. */
sessionreg_text sessionreg_record_agent_version(const sessionreg_record *record);

/** The key under which a file holds the version of the program, such as `qwen_version`. */
sessionreg_text sessionreg_record_version_key(const sessionreg_record *record);

/**
 * `<boot>:<start>`, or the start alone. Linux: boot id and start time in clock ticks since boot
 * (field 22 of proc(5) `/proc/<pid>/stat`). macOS: boot session UUID and start in microseconds
 * since the epoch. Windows: host key and creation FILETIME.
 */
sessionreg_text sessionreg_record_proc_start(const sessionreg_record *record);

/** Inode of the process's pidfd, as decimal digits: unique in a boot, Linux 6.9 and later. */
sessionreg_text sessionreg_record_pid_inode(const sessionreg_record *record);

/** Keyed hash of the machine id: equal on one machine, and tells nothing about it. */
sessionreg_text sessionreg_record_host_key(const sessionreg_record *record);

/** `linux`, `darwin` or `win32`. */
sessionreg_text sessionreg_record_platform(const sessionreg_record *record);

/** Inode of the PID namespace in which the pid is meant (Linux). */
int64_t sessionreg_record_pid_ns(const sessionreg_record *record);

/** Inode of the time namespace in which the start was read (Linux). */
int64_t sessionreg_record_time_ns(const sessionreg_record *record);

/** 32 hex digits, random for every registration. */
sessionreg_text sessionreg_record_instance(const sessionreg_record *record);

/** Counts the writes of a registration; who owns the record raises it. */
int64_t sessionreg_record_revision(const sessionreg_record *record);

/** The program, such as `qwen-code`. */
sessionreg_text sessionreg_record_agent(const sessionreg_record *record);

/** The kind of session, such as `interactive` or `headless`. */
sessionreg_text sessionreg_record_kind(const sessionreg_record *record);

/** A name for people. */
sessionreg_text sessionreg_record_name(const sessionreg_record *record);

/** How the program was started, such as `cli` or `sdk-ts`. */
sessionreg_text sessionreg_record_entrypoint(const sessionreg_record *record);

/** The log of the session. */
sessionreg_text sessionreg_record_transcript_path(const sessionreg_record *record);

/** The session that this one came from. */
sessionreg_text sessionreg_record_parent_session_id(const sessionreg_record *record);

/** The terminal multiplexer in which the session is shown, such as `tmux` or `zellij`. */
sessionreg_text sessionreg_record_terminal_multiplexer(const sessionreg_record *record);

/** The multiplexer's session. */
sessionreg_text sessionreg_record_terminal_session(const sessionreg_record *record);

/** The pane in it. */
sessionreg_text sessionreg_record_terminal_pane(const sessionreg_record *record);

/** What the session is doing, such as `busy`, `idle` or `waiting`. */
sessionreg_text sessionreg_record_status(const sessionreg_record *record);

/** What a `waiting` session waits for. */
sessionreg_text sessionreg_record_waiting_for(const sessionreg_record *record);

/** When the record was last updated, in seconds since the Unix epoch. */
double sessionreg_record_updated_at(const sessionreg_record *record);

/** When the status last changed, in seconds since the Unix epoch. */
double sessionreg_record_status_updated_at(const sessionreg_record *record);

/*
 * Keys that this version does not know
 * ------------------------------------
 *
 * They are kept, with the text of their values, and written back byte for byte.
 */

/** How many unknown keys a record has. */
size_t sessionreg_record_extra_count(const sessionreg_record *record);

/**
 * Gives the value of an unknown key as JSON text, for the caller to free, or NULL if the record
 * does not have it.
 */
sessionreg_status sessionreg_record_extra_get(const sessionreg_record *record,
                                              const char *key,
                                              char **json,
                                              sessionreg_error **error);

/**
 * Sets an unknown key to a value given as JSON text. `SESSIONREG_STATUS_INVALID_INPUT` if the text
 * is not JSON. A key that the library does know is refused when the record is written.
 */
sessionreg_status sessionreg_record_extra_set(sessionreg_record *record,
                                              const char *key,
                                              const char *json,
                                              sessionreg_error **error);

/** Removes an unknown key; tells whether the record had it. */
sessionreg_status sessionreg_record_extra_remove(sessionreg_record *record,
                                                 const char *key,
                                                 bool *removed,
                                                 sessionreg_error **error);

/** Gives all unknown keys with their values as one JSON object, for the caller to free. */
sessionreg_status sessionreg_record_extra_to_json(const sessionreg_record *record,
                                                  char **json,
                                                  sessionreg_error **error);

/*
 * Records as JSON text
 * --------------------
 */

/**
 * Makes a record of `length` bytes of JSON text, by the rules for files: see `sessionreg_load`.
 *
 * Nothing is known of who wrote it, or where: `sessionreg_liveness` never says `permission` or
 * `rebooted` of it.
 */
sessionreg_status sessionreg_record_from_json(const char *json,
                                              size_t length,
                                              sessionreg_record **record,
                                              sessionreg_error **error);

/**
 * Gives the JSON text of a record, as `sessionreg_write` would write it, for the caller to free.
 *
 * What no reader would accept is `SESSIONREG_STATUS_INVALID_INPUT` or
 * `SESSIONREG_STATUS_TOO_LARGE`.
 */
sessionreg_status sessionreg_record_to_json(const sessionreg_record *record,
                                            char **json,
                                            sessionreg_error **error);

/*
 * One record in one file
 * ----------------------
 */

/** How a record is written. */
typedef struct sessionreg_write_options {
  /** The size of this structure. */
  size_t struct_size;
  /**
   * Force the record to the disk before returning, and the folder after it. Without it a power
   * cut may lose the latest record, but a record that a power cut lost spoke of a process that
   * the power cut ended. Default: false.
   */
  bool durable;
  /**
   * Make missing parent folders, mode 0700. Without it a missing folder is
   * `SESSIONREG_STATUS_NOT_FOUND`. Default: true.
   */
  bool create_folders;
} sessionreg_write_options;

/** A `sessionreg_write_options` in which nothing is given. */
#define SESSIONREG_WRITE_OPTIONS_INIT \
  { /* struct_size */ sizeof(sessionreg_write_options), \
    /* durable */ false, \
    /* create_folders */ true }

/**
 * Writes a record to `path`, replacing what is there.
 *
 * For every reader the file is complete at every instant, whatever happens to the writer. Its
 * mode is 0600 whatever the umask; the mode of existing folders is left. A link at `path` is
 * replaced, never followed.
 *
 * Until the new record is in place any failure leaves the old one and no other file. Writers and
 * clearers of this library take turns by a lock on the folder; one that cannot have it within
 * 250 ms gives `SESSIONREG_STATUS_BUSY`. What no reader would accept is
 * `SESSIONREG_STATUS_INVALID_INPUT` or `SESSIONREG_STATUS_TOO_LARGE`. A durable write whose last
 * step fails, the sync of the folder, is an error although the new record stands.
 */
sessionreg_status sessionreg_write(const char *path,
                                   const sessionreg_record *record,
                                   const sessionreg_write_options *options,
                                   sessionreg_error **error);

/**
 * Reads the record at `path`; NULL if there is none, whatever the file holds.
 *
 * Only a path that can never name a file is an error, `SESSIONREG_STATUS_INVALID_INPUT`.
 * `sessionreg_load` tells the other failures apart.
 */
sessionreg_status sessionreg_read(const char *path,
                                  sessionreg_record **record,
                                  sessionreg_error **error);

/**
 * Reads the record at `path`.
 *
 * Only a regular file is read, of at most 64 KiB, that belongs to the reader or to root (root
 * reads everybody's); links are not followed and nothing ever blocks. Reading is strict: a value
 * of another type than the format's is never coerced.
 *
 * The statuses `NOT_FOUND`, `NOT_A_FILE`, `TOO_LARGE`, `PERMISSION_DENIED`, `CORRUPT`,
 * `UNSUPPORTED_VERSION` and `IO` tell why there is no record.
 */
sessionreg_status sessionreg_load(const char *path,
                                  sessionreg_record **record,
                                  sessionreg_error **error);

/**
 * Removes the record at `path`, whatever it is; tells whether there was one.
 *
 * A link is removed, not what it points to; a directory is `SESSIONREG_STATUS_NOT_A_FILE`.
 */
sessionreg_status sessionreg_clear(const char *path, bool *removed, sessionreg_error **error);

/**
 * Removes the record at `path` if it is still this registration; tells whether it was removed.
 *
 * The same registration is the same instance; of records without one the same pid, `proc_start`
 * and `started_at`. A successor that another process writes at the same moment survives, if it
 * writes through this library; what is no record, or none of this registration, stays.
 */
sessionreg_status sessionreg_clear_if(const char *path,
                                      const sessionreg_record *record,
                                      bool *removed,
                                      sessionreg_error **error);

/*
 * Is the process still there?
 * ---------------------------
 *
 * Dead is said only on proof, and the wall clock is no proof.
 */

/** Whether the process of a record is there. */
enum sessionreg_state
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /** It cannot be told from here. */
  SESSIONREG_STATE_UNKNOWN = 0,
  /** It is. */
  SESSIONREG_STATE_ALIVE = 1,
  /** It is not, and that is proven. */
  SESSIONREG_STATE_DEAD = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sessionreg_state sessionreg_state;
#else
typedef uint32_t sessionreg_state;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/** Why a verdict says what it says; each reason belongs to one state. */
enum sessionreg_reason
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /** Nothing was judged. */
  SESSIONREG_REASON_NONE = 0,
  /** Alive. The process exists and its identity equals the record's. */
  SESSIONREG_REASON_VERIFIED = 1,
  /** Alive. The process exists, but the record, or the system, has no identity to compare. */
  SESSIONREG_REASON_UNVERIFIED = 2,
  /** Dead. No such process in this namespace. */
  SESSIONREG_REASON_GONE = 3,
  /** Dead. It has exited and was not reaped. */
  SESSIONREG_REASON_ZOMBIE = 4,
  /** Dead. Another process has the pid now. */
  SESSIONREG_REASON_REUSED = 5,
  /** Dead. The host was started anew since; the record lies on a local file system. */
  SESSIONREG_REASON_REBOOTED = 6,
  /** Alive. The program holds its own kernel lock. */
  SESSIONREG_REASON_LOCK_HELD = 7,
  /** Alive. The program holds its transcript open. */
  SESSIONREG_REASON_FILE_OPEN = 8,
  /** Dead. Nobody holds the program's kernel lock. */
  SESSIONREG_REASON_LOCK_FREE = 9,
  /** Dead. Nobody holds the transcript open. */
  SESSIONREG_REASON_FILE_CLOSED = 10,
  /** Dead. The terminal pane is gone. */
  SESSIONREG_REASON_PANE_GONE = 11,
  /** Unknown. The record was written on another host. */
  SESSIONREG_REASON_OTHER_HOST = 12,
  /** Unknown. The pid is meant in another PID namespace. */
  SESSIONREG_REASON_OTHER_NAMESPACE = 13,
  /** Unknown. The pid is meant on another operating system. */
  SESSIONREG_REASON_OTHER_PLATFORM = 14,
  /** Unknown. The file's owner is not the user of the process that it names. */
  SESSIONREG_REASON_PERMISSION = 15,
  /** Unknown. The start was read in another time namespace and nothing else can be compared. */
  SESSIONREG_REASON_CLOCK = 16,
  /** Unknown. What would be needed to tell is missing from the record. */
  SESSIONREG_REASON_NO_IDENTITY = 17,
  /** Unknown. The session is being started. */
  SESSIONREG_REASON_STARTING = 18,
  /** Unknown. The session was being started, too long ago. */
  SESSIONREG_REASON_STALE = 19,
  /** Unknown. This system gives no way to tell. */
  SESSIONREG_REASON_UNSUPPORTED = 20,
  /** Unknown. No process can have this pid; the system was not asked. */
  SESSIONREG_REASON_INVALID = 21,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sessionreg_reason sessionreg_reason;
#else
typedef uint32_t sessionreg_reason;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/** The answer of `sessionreg_liveness`. */
typedef struct sessionreg_verdict {
  /** Alive, dead or unknown. */
  sessionreg_state state;
  /** Why. */
  sessionreg_reason reason;
} sessionreg_verdict;

/**
 * Judges whether the process of a record is still there, and says how that is known.
 *
 * Never a guess. A record that was read remembers its file: without one neither `permission` nor
 * `rebooted` is said.
 */
sessionreg_status sessionreg_liveness(const sessionreg_record *record,
                                      sessionreg_verdict *verdict,
                                      sessionreg_error **error);

/**
 * Judges `count` records at once: each process and each folder is asked for once. `verdicts` has
 * room for `count`, and the first is that of the first record.
 *
 * Both may be NULL if there is no record.
 */
sessionreg_status sessionreg_liveness_all(const sessionreg_record *const *records,
                                          size_t count,
                                          sessionreg_verdict *verdicts,
                                          sessionreg_error **error);

/**
 * The word for a state, the same in every language, such as `alive`. NULL for a number that is no
 * state. It is never freed.
 */
const char *sessionreg_state_string(uint32_t state);

/**
 * The word for a reason, the same in every language, such as `verified`. NULL for
 * `SESSIONREG_REASON_NONE` and for a number that is no reason. It is never freed.
 */
const char *sessionreg_reason_string(uint32_t reason);

/*
 * Where sidecars lie
 * ------------------
 */

/**
 * Whether a session id may become part of a path; `SESSIONREG_STATUS_INVALID_ID` if not.
 *
 * Refused are an empty id; one longer than 200 bytes; any of `/ \ : * ? " < > |` or a control
 * character; `..` anywhere; a leading `.` or `-`; a trailing `.` or space; a Windows device name
 * (`CON`, `PRN`, `AUX`, `NUL`, `COM1`-`COM9`, `LPT1`-`LPT9`), with or without an extension.
 */
sessionreg_status sessionreg_session_id_check(const char *session_id, sessionreg_error **error);

/**
 * Gives the sidecar of a session below a project folder,
 * `<project_dir>/chats/<session_id>.runtime.json`, for the caller to free.
 */
sessionreg_status sessionreg_sidecar_in_project(const char *project_dir,
                                                const char *session_id,
                                                char **path,
                                                sessionreg_error **error);

/**
 * Gives the sidecar that a known program writes for a session served in `work_dir`, for the caller
 * to free.
 *
 * `home` is the program's own data folder; NULL takes the one that its environment variables name,
 * else its default below the user's home.
 *
 *     qwen-code   <home>/projects/<encoded work_dir>/chats/<id>.runtime.json
 *                 QWEN_RUNTIME_DIR, QWEN_HOME, ~/.qwen
 *     kimi-cli    <home>/sessions/<MD5 of work_dir>/<id>/runtime.json
 *                 KIMI_SHARE_DIR, ~/.kimi
 *
 * Another agent, a relative `work_dir`, or no home to be found is
 * `SESSIONREG_STATUS_INVALID_INPUT`. Nothing is looked up on the file system.
 */
sessionreg_status sessionreg_sidecar_of(const char *agent,
                                        const char *work_dir,
                                        const char *session_id,
                                        const char *home,
                                        char **path,
                                        sessionreg_error **error);

/*
 * Dialects
 * --------
 *
 * What the programs that keep PID files in one folder have agreed on: how a start is written, which
 * keys must be there, how a file is called.
 */

/** The family of programs whose PID files a folder holds. */
enum sessionreg_dialect
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The one of the program that is known to keep its records in that folder, else this
   * library's own. Only the path is looked at.
   */
  SESSIONREG_DIALECT_DETECTED = 0,
  /** This library's own. */
  SESSIONREG_DIALECT_OURS = 1,
  /** qwen-code. */
  SESSIONREG_DIALECT_QWEN = 2,
  /** Claude Code: one file, `<pid>.json`, for each process. */
  SESSIONREG_DIALECT_CLAUDE = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sessionreg_dialect sessionreg_dialect;
#else
typedef uint32_t sessionreg_dialect;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The word for a dialect, the same in every language, such as `claude`. NULL for
 * `SESSIONREG_DIALECT_DETECTED` and for a number that is no dialect. It is never freed.
 */
const char *sessionreg_dialect_string(uint32_t dialect);

/*
 * Files that were skipped
 * -----------------------
 */

/**
 * A file that was left alone, borrowed from a list, a snapshot, or from what a sweep or a clean-up
 * did. It never changes: threads may look at one at the same time.
 */
typedef struct sessionreg_skipped sessionreg_skipped;

/** The file, as bytes of a path. */
sessionreg_text sessionreg_skipped_path(const sessionreg_skipped *skipped);

/** The kind of objection; `SESSIONREG_STATUS_INVALID_INPUT` for NULL. */
sessionreg_status sessionreg_skipped_status(const sessionreg_skipped *skipped);

/** The objection in words. It is safe to print. */
sessionreg_text sessionreg_skipped_reason(const sessionreg_skipped *skipped);

/*
 * Lists of sessions
 * -----------------
 *
 * What a registry found: entries, each a record with its verdict, and the files that were skipped.
 */

/**
 * A registered session, borrowed from a list. It never changes: threads may look at one at the same
 * time.
 */
typedef struct sessionreg_entry sessionreg_entry;

/**
 * What was found, at one time. It never changes: threads may look at one at the same time. What is
 * borrowed from it stays until it is freed.
 */
typedef struct sessionreg_list sessionreg_list;

/** How many entries there are. */
size_t sessionreg_list_len(const sessionreg_list *list);

/** An entry, borrowed; entries are ordered by session id, then pid. NULL beyond the last. */
const sessionreg_entry *sessionreg_list_get(const sessionreg_list *list,
                                            size_t index);

/** What the file says, borrowed: it is not to be freed. */
const sessionreg_record *sessionreg_entry_record(const sessionreg_entry *entry);

/** Whether the process was there, and how that is known. */
sessionreg_verdict sessionreg_entry_verdict(const sessionreg_entry *entry);

/** The file that the record was read from, as bytes of a path. */
sessionreg_text sessionreg_entry_path(const sessionreg_entry *entry);

/** How many files were skipped; only `sessionreg_registry_scan` tells of them. */
size_t sessionreg_list_skipped_len(const sessionreg_list *list);

/** A file that was skipped, borrowed; they are ordered by path. NULL beyond the last. */
const sessionreg_skipped *sessionreg_list_skipped_get(const sessionreg_list *list,
                                                      size_t index);

/** Frees a list, and all that was borrowed from it. NULL is fine. */
void sessionreg_list_free(sessionreg_list *list);

/*
 * Registries
 * ----------
 *
 * A registry is a folder of PID files: one for each session that a process serves. Who serves
 * sessions registers them there, and everybody can ask which of them live. This is a status bar:
 *
 *     #include <sessionreg.h>
 *     #include <stdio.h>
 *
 *     // What a record says was written by another program: none of it may act on a terminal.
 *     static void put(sessionreg_text text) {
 *         for (size_t i = 0; i < text.length; i++)
 *             putchar(text.data[i] >= ' ' && text.data[i] <= '~' ? text.data[i] : '?');
 *     }
 *
 *     int main(int argc, char **argv) {
 *         const char *folder = argc > 1 ? argv[1] : NULL;
 *         sessionreg_registry *registry = NULL;
 *         sessionreg_list *list = NULL;
 *         sessionreg_error *error = NULL;
 *         if (sessionreg_registry_open(folder, NULL, &registry, &error) != SESSIONREG_STATUS_OK ||
 *             sessionreg_registry_live(registry, &list, &error) != SESSIONREG_STATUS_OK)
 *             fprintf(stderr, "%s\n", sessionreg_error_message(error).data);
 *         for (size_t i = 0; i < sessionreg_list_len(list); i++) {
 *             const sessionreg_record *record = sessionreg_entry_record(sessionreg_list_get(list, i));
 *             printf("%lu ", (unsigned long)sessionreg_record_pid(record));
 *             put(sessionreg_record_session_id(record));
 *             putchar(' ');
 *             put(sessionreg_record_status(record));
 *             putchar('\n');
 *         }
 *         int failed = error != NULL;
 *         sessionreg_error_free(error);
 *         sessionreg_list_free(list);
 *         sessionreg_registry_free(registry);
 *         return failed;
 *     }
 */

/**
 * A registry. Threads may use one at the same time; who frees it must be alone with it.
 *
 * It remembers the files that it read, so that a second scan reads only what changed: keep it.
 */
typedef struct sessionreg_registry sessionreg_registry;

/** How a registry is opened. */
typedef struct sessionreg_registry_options {
  /** The size of this structure. */
  size_t struct_size;
  /** The dialect of the folder's records, a `sessionreg_dialect`. Default: detected. */
  uint32_t dialect;
} sessionreg_registry_options;

/** A `sessionreg_registry_options` in which nothing is given. */
#define SESSIONREG_REGISTRY_OPTIONS_INIT \
  { /* struct_size */ sizeof(sessionreg_registry_options), \
    /* dialect */ SESSIONREG_DIALECT_DETECTED }

/**
 * Opens the registry of a folder, an absolute path or one that is meant from where the caller is
 * now; NULL: the user's own.
 *
 * The user's own is `sessions` in `SESSIONREG_HOME`, else in `$XDG_STATE_HOME/sessionreg`
 * (`~/.local/state/sessionreg`), on macOS in `~/Library/Application Support/sessionreg`, on
 * Windows in `%LOCALAPPDATA%\sessionreg`.
 *
 * Nothing is looked up on the file system: a folder that is not there has no sessions, and is made
 * by the first registration.
 */
sessionreg_status sessionreg_registry_open(const char *dir,
                                           const sessionreg_registry_options *options,
                                           sessionreg_registry **registry,
                                           sessionreg_error **error);

/** The folder, an absolute path. */
sessionreg_text sessionreg_registry_dir(const sessionreg_registry *registry);

/** The dialect of its records; `SESSIONREG_DIALECT_DETECTED` for NULL. */
sessionreg_dialect sessionreg_registry_dialect(const sessionreg_registry *registry);

/**
 * Reads every record and judges it, in one pass; gives a list, for the caller to free.
 *
 * A file that is called as a record and is none is among the skipped ones, with the reason: one bad
 * file hides nothing.
 */
sessionreg_status sessionreg_registry_scan(const sessionreg_registry *registry,
                                           sessionreg_list **list,
                                           sessionreg_error **error);

/**
 * Lists the sessions whose process is there. Those that cannot be judged from here are not among
 * them.
 */
sessionreg_status sessionreg_registry_live(const sessionreg_registry *registry,
                                           sessionreg_list **list,
                                           sessionreg_error **error);

/** Counts the sessions that `sessionreg_registry_live` lists. */
sessionreg_status sessionreg_registry_count_live(const sessionreg_registry *registry,
                                                 size_t *count,
                                                 sessionreg_error **error);

/** Lists the records of a process, whatever their verdict. */
sessionreg_status sessionreg_registry_find_by_pid(const sessionreg_registry *registry,
                                                  uint32_t pid,
                                                  sessionreg_list **list,
                                                  sessionreg_error **error);

/** Lists the records of a session, whatever their verdict; several processes may serve one. */
sessionreg_status sessionreg_registry_find_by_session(const sessionreg_registry *registry,
                                                      const char *session_id,
                                                      sessionreg_list **list,
                                                      sessionreg_error **error);

/** Lists the records of a working folder, by exactly that text, whatever their verdict. */
sessionreg_status sessionreg_registry_find_by_work_dir(const sessionreg_registry *registry,
                                                       const char *work_dir,
                                                       sessionreg_list **list,
                                                       sessionreg_error **error);

/**
 * Lists the live sessions of the nearest process that serves any, from `pid` upwards: of a shell or
 * a language server, the sessions of the agent that started it.
 *
 * It goes by the process tree, never by inherited environment variables. The list is empty if no
 * ancestor is registered, or `pid` is no process.
 */
sessionreg_status sessionreg_registry_owner_of(const sessionreg_registry *registry,
                                               uint32_t pid,
                                               sessionreg_list **list,
                                               sessionreg_error **error);

/**
 * Lists the live sessions of `pid` and of the processes below it: of a terminal pane's shell, the
 * agents that run in it.
 */
sessionreg_status sessionreg_registry_find_under(const sessionreg_registry *registry,
                                                 uint32_t pid,
                                                 sessionreg_list **list,
                                                 sessionreg_error **error);

/**
 * Closes a registry: every later call on it is `SESSIONREG_STATUS_CLOSED`, this one too.
 *
 * Its sessions and claims are not touched by that, and go on without it.
 */
sessionreg_status sessionreg_registry_close(sessionreg_registry *registry,
                                            sessionreg_error **error);

/** Frees a registry, closed or not; its folder, sessions and claims stay. NULL is fine. */
void sessionreg_registry_free(sessionreg_registry *registry);

/*
 * Sessions
 * --------
 *
 * A session in the hands of who may change its record: the process that registered it, or a helper
 * such as a hook that looked it up.
 *
 * Only `sessionreg_session_close` removes a record, and only through the handle with which a
 * process registered itself. Freeing a handle, the end of the program and a forked child leave the
 * record, whose verdict then tells that the process is gone.
 */

/**
 * A session. Threads may use one at the same time, and its calls are carried out one after the
 * other; who frees it must be alone with it.
 *
 * In a forked child every call is `SESSIONREG_STATUS_CLOSED`: the registration is its parent's.
 */
typedef struct sessionreg_session sessionreg_session;

/**
 * Is told why a call of a session failed, on the thread that made the call and before that returns.
 *
 * `context` is the `on_error_context` of the registration. The error is borrowed for the time of
 * the call. It must return: no `longjmp`, no C++ exception.
 */
typedef void (*sessionreg_on_error)(void *context, const sessionreg_error *error);

/**
 * Gives a handle on the live session of a process, for a short-lived helper such as a hook.
 *
 * `SESSIONREG_STATUS_NOT_FOUND` if no live registration of this library matches,
 * `SESSIONREG_STATUS_INVALID_INPUT` if several do, `SESSIONREG_STATUS_PERMISSION_DENIED` if it is
 * another user's.
 */
sessionreg_status sessionreg_registry_open_session_of_pid(const sessionreg_registry *registry,
                                                          uint32_t pid,
                                                          sessionreg_session **session,
                                                          sessionreg_error **error);

/** The same for a session that is known by its id. */
sessionreg_status sessionreg_registry_open_session(const sessionreg_registry *registry,
                                                   const char *session_id,
                                                   sessionreg_session **session,
                                                   sessionreg_error **error);

/**
 * Changes what is said of the session, by a JSON merge patch (RFC 7396) such as
 * `{"status": "waiting", "waiting_for": "approval"}`: null removes, what is absent stays.
 *
 * `work_dir`, `agent`, `agent_version`, `kind`, `name`, `entrypoint`, `transcript_path`,
 * `parent_session_id`, `terminal`, `status` and `waiting_for` can be changed; any other name is
 * that of an unknown key. A status other than `waiting` drops `waiting_for`; the times of the
 * update, and of the status, follow. Several processes may update one session: none of their
 * changes is lost.
 *
 * Like every call of a session that is not registered, because its registration failed or its file
 * is another process's, this is `SESSIONREG_STATUS_NOT_FOUND` and changes nothing.
 */
sessionreg_status sessionreg_session_update(sessionreg_session *session,
                                            const char *patch_json,
                                            sessionreg_error **error);

/**
 * Goes on with another session in the same process, as `/clear` and `/resume` of a CLI do.
 *
 * Status, what it waits for, name and transcript are reset before the patch, which may be NULL, is
 * applied. At every instant the session is found: the new sidecar is there before the PID file
 * changes, and the old one goes after it. If it fails, the old record still stands. The id that it
 * has already changes nothing.
 */
sessionreg_status sessionreg_session_switch(sessionreg_session *session,
                                            const char *new_id,
                                            const char *patch_json,
                                            sessionreg_error **error);

/**
 * Puts the record back if somebody removed or damaged it, and reads the identity of the process
 * again.
 */
sessionreg_status sessionreg_session_refresh(sessionreg_session *session,
                                             sessionreg_error **error);

/** Lets go of the session and leaves its record. Later calls are `SESSIONREG_STATUS_CLOSED`. */
sessionreg_status sessionreg_session_leave(sessionreg_session *session,
                                           sessionreg_error **error);

/**
 * Ends the session: its record goes, and nothing of it is written any more. Later calls are
 * `SESSIONREG_STATUS_CLOSED`.
 *
 * If it fails the session stays open, and may be closed again. On a handle on another process's
 * session this is `sessionreg_session_leave`.
 */
sessionreg_status sessionreg_session_close(sessionreg_session *session,
                                           sessionreg_error **error);

/** Whether the session is registered: it could be, and was not closed or left since. */
bool sessionreg_session_registered(const sessionreg_session *session);

/** The process that serves the session. */
uint32_t sessionreg_session_pid(const sessionreg_session *session);

/** The PID file, as bytes of a path; absent if there is none. It never changes. */
sessionreg_text sessionreg_session_path(const sessionreg_session *session);

/**
 * Gives a copy of the record as it was last written, or found, by this handle, for the caller to
 * free.
 */
sessionreg_status sessionreg_session_record(const sessionreg_session *session,
                                            sessionreg_record **record,
                                            sessionreg_error **error);

/**
 * Gives the path of the sidecar, for the caller to free, or NULL if there is none or its name is
 * another process's.
 */
sessionreg_status sessionreg_session_sidecar_path(const sessionreg_session *session,
                                                  char **path,
                                                  sessionreg_error **error);

/** Gives who has the name of the sidecar instead, for the caller to free, or NULL if nobody has. */
sessionreg_status sessionreg_session_sidecar_holder(const sessionreg_session *session,
                                                    sessionreg_holder **holder,
                                                    sessionreg_error **error);

/**
 * Gives who has the name of the PID file instead, where a process has only one
 * (`SESSIONREG_DIALECT_CLAUDE`), for the caller to free, or NULL if nobody has.
 */
sessionreg_status sessionreg_session_pid_file_holder(const sessionreg_session *session,
                                                     sessionreg_holder **holder,
                                                     sessionreg_error **error);

/** Frees a session; its record stays, whether it was closed before or not. NULL is fine. */
void sessionreg_session_free(sessionreg_session *session);

/*
 * Registering a session
 * ---------------------
 *
 * A program that serves a session, and that no failure to say so keeps from it:
 *
 *     #include <sessionreg.h>
 *     #include <stdio.h>
 *
 *     // A session that cannot be registered is served all the same.
 *     static void complain(void *context, const sessionreg_error *error) {
 *         fprintf(context, "%s\n", sessionreg_error_message(error).data);
 *     }
 *
 *     int main(int argc, char **argv) {
 *         const char *folder = argc > 1 ? argv[1] : NULL;
 *         sessionreg_registry *registry = NULL;
 *         sessionreg_session *session = NULL;
 *         sessionreg_new new_session = SESSIONREG_NEW_INIT;
 *         new_session.session_id = "3f1c";
 *         new_session.work_dir = "/srv/project";
 *         new_session.agent = "my-agent";
 *         new_session.status = "idle";
 *         new_session.on_error = complain;
 *         new_session.on_error_context = stderr;
 *         if (sessionreg_registry_open(folder, NULL, &registry, NULL) == SESSIONREG_STATUS_OK)
 *             sessionreg_registry_register(registry, &new_session, &session, NULL);
 *
 *         char line[256];
 *         while (fgets(line, sizeof line, stdin) != NULL) {
 *             sessionreg_session_update(session, "{\"status\": \"busy\"}", NULL);
 *             // ... the model works here ...
 *             sessionreg_session_update(session, "{\"status\": \"idle\"}", NULL);
 *         }
 *         sessionreg_session_close(session, NULL);
 *         sessionreg_session_free(session);
 *         sessionreg_registry_free(registry);
 *         return 0;
 *     }
 */

/** A session to be registered. The text is copied. */
typedef struct sessionreg_new {
  /** The size of this structure. */
  size_t struct_size;
  /** The session's id. It must be given. */
  const char *session_id;
  /** The folder in which the session works, an absolute path. It must be given. */
  const char *work_dir;
  /** The program: `[a-z][a-z0-9-]{0,31}`, such as `qwen-code`; not `schema`. */
  const char *agent;
  /** The version of the program. */
  const char *agent_version;
  /**
   * The kind of session: `[a-z][a-z0-9-]{0,15}`, such as `interactive` or `headless`. Default:
   * what the environment variable `SESSIONREG_KIND` says.
   */
  const char *kind;
  /** A name for people. */
  const char *name;
  /** How the program was started, such as `cli` or `sdk-ts`. */
  const char *entrypoint;
  /** What the session is doing, such as `busy`, `idle` or `waiting`. */
  const char *status;
  /** The log of the session. */
  const char *transcript_path;
  /** The session that this one came from. */
  const char *parent_session_id;
  /** Where the session is shown: the multiplexer, such as `tmux` or `zellij`, */
  const char *terminal_multiplexer;
  /** its session, */
  const char *terminal_session;
  /** and the pane in it. */
  const char *terminal_pane;
  /**
   * Where a sidecar goes: a path in which `{id}` stands for the session id, such as
   * `chats/{id}.runtime.json`. Default: there is none.
   */
  const char *sidecar;
  /**
   * Publish a PID file. Without one the session is known by its sidecar alone, which then also
   * tells what it is doing. Default: true.
   */
  bool pid_file;
  /** Leave the sidecar in place when the session is closed. Default: false. */
  bool keep_sidecar;
  /**
   * The process that serves the session; 0: the calling one. The record of another process is
   * not removed by this one.
   */
  uint32_t pid;
  /** Further keys with their values, as the text of a JSON object. */
  const char *extra_json;
  /** Is told of every failure of the session, in addition to what the failing call returns. */
  sessionreg_on_error on_error;
  /** The first argument of `on_error`. It must stay for as long as the session is used. */
  void *on_error_context;
} sessionreg_new;

/** A `sessionreg_new` in which nothing is given. */
#define SESSIONREG_NEW_INIT \
  { /* struct_size */ sizeof(sessionreg_new), \
    /* session_id */ NULL, \
    /* work_dir */ NULL, \
    /* agent */ NULL, \
    /* agent_version */ NULL, \
    /* kind */ NULL, \
    /* name */ NULL, \
    /* entrypoint */ NULL, \
    /* status */ NULL, \
    /* transcript_path */ NULL, \
    /* parent_session_id */ NULL, \
    /* terminal_multiplexer */ NULL, \
    /* terminal_session */ NULL, \
    /* terminal_pane */ NULL, \
    /* sidecar */ NULL, \
    /* pid_file */ true, \
    /* keep_sidecar */ false, \
    /* pid */ 0, \
    /* extra_json */ NULL, \
    /* on_error */ NULL, \
    /* on_error_context */ NULL }

/**
 * Registers a session: publishes its PID file and, where it is asked for, its sidecar. All of it,
 * or nothing.
 *
 * It does not fail because another process has a name. A sidecar whose holder may live is left
 * alone, and `sessionreg_session_sidecar_holder` names the holder. In a folder with one file for
 * each process (`SESSIONREG_DIALECT_CLAUDE`) the session is not registered then, and
 * `sessionreg_session_pid_file_holder` names the holder; a second session of one process is
 * `SESSIONREG_STATUS_INVALID_INPUT` there.
 *
 * With `new_session->on_error` a registration that fails is `SESSIONREG_STATUS_OK` too, so that a
 * full disk keeps no program from its work: `on_error` is told why, and the session is not
 * registered, as `sessionreg_session_registered` says. Its calls are
 * `SESSIONREG_STATUS_NOT_FOUND` and do nothing. Only what cannot be read as a
 * `sessionreg_new`, such as text that is not UTF-8, is an error nevertheless.
 */
sessionreg_status sessionreg_registry_register(const sessionreg_registry *registry,
                                               const sessionreg_new *new_session,
                                               sessionreg_session **session,
                                               sessionreg_error **error);

/*
 * Sweeping
 * --------
 */

/**
 * A file that went, borrowed from what a sweep did. It never changes: threads may look at one at
 * the same time.
 */
typedef struct sessionreg_removed sessionreg_removed;

/**
 * What a sweep did. It never changes: threads may look at one at the same time. What is borrowed
 * from it stays until it is freed.
 */
typedef struct sessionreg_swept sessionreg_swept;

/** What a sweep is to do. */
typedef struct sessionreg_sweep_options {
  /** The size of this structure. */
  size_t struct_size;
  /** Only tell what would go. Default: false. */
  bool dry_run;
  /**
   * Folders of sidecars, `<id>.runtime.json` or `<id>/runtime.json`, to be swept too. No folder
   * is ever taken from a record.
   */
  const char *const *sidecar_folders;
  /** How many there are. */
  size_t sidecar_folder_count;
} sessionreg_sweep_options;

/** A `sessionreg_sweep_options` in which nothing is given. */
#define SESSIONREG_SWEEP_OPTIONS_INIT \
  { /* struct_size */ sizeof(sessionreg_sweep_options), \
    /* dry_run */ false, \
    /* sidecar_folders */ NULL, \
    /* sidecar_folder_count */ 0 }

/**
 * Removes the records of processes that are proven dead, and temporary files that nobody will
 * finish; gives what it did, for the caller to free.
 *
 * Only a record that this library wrote goes, and only if its boot and PID namespace are ours and
 * its process is gone, a zombie, or another one now, or if its boot is over. The very file is read
 * and judged again before it goes. What cannot be judged from here, cannot be read, is of a newer
 * schema or is not called as a record stays. In the user's own registry the files of claims whose
 * holders died go too.
 */
sessionreg_status sessionreg_registry_sweep(const sessionreg_registry *registry,
                                            const sessionreg_sweep_options *options,
                                            sessionreg_swept **swept,
                                            sessionreg_error **error);

/** How many files went, or would go. */
size_t sessionreg_swept_removed_len(const sessionreg_swept *swept);

/** A file that went, or would go, borrowed; they are ordered by path. NULL beyond the last. */
const sessionreg_removed *sessionreg_swept_removed_get(const sessionreg_swept *swept,
                                                       size_t index);

/** The file, as bytes of a path. */
sessionreg_text sessionreg_removed_path(const sessionreg_removed *removed);

/**
 * Why its process is dead; `SESSIONREG_REASON_NONE` for a temporary file that nobody finished in
 * five minutes.
 */
sessionreg_reason sessionreg_removed_reason(const sessionreg_removed *removed);

/** What it said, borrowed; NULL for a temporary file. */
const sessionreg_record *sessionreg_removed_record(const sessionreg_removed *removed);

/** How many files should have gone and could not. */
size_t sessionreg_swept_failed_len(const sessionreg_swept *swept);

/** A file that should have gone and could not, borrowed. NULL beyond the last. */
const sessionreg_skipped *sessionreg_swept_failed_get(const sessionreg_swept *swept,
                                                      size_t index);

/** How many sessions of the registry live. */
size_t sessionreg_swept_live(const sessionreg_swept *swept);

/** Frees what a sweep told, and all that was borrowed from it. NULL is fine. */
void sessionreg_swept_free(sessionreg_swept *swept);

/*
 * Claims
 * ------
 *
 * At most one process of a user on a host may hold the claim of a session. It is what keeps two
 * processes from resuming one transcript.
 */

/**
 * The right to serve a session. Threads may use one at the same time; who frees it must be alone
 * with it.
 *
 * It is a lock of the kernel's that ends with its process: none is ever stale, none times out.
 */
typedef struct sessionreg_claim sessionreg_claim;

/**
 * Claims a session for this process.
 *
 * `SESSIONREG_STATUS_HELD` if a process has it, this one too: `sessionreg_error_holder` names the
 * holder, as far as it is known. Claims lie in one folder for each user, whatever the folder of the
 * registry.
 */
sessionreg_status sessionreg_registry_claim(const sessionreg_registry *registry,
                                            const char *agent,
                                            const char *session_id,
                                            sessionreg_claim **claim,
                                            sessionreg_error **error);

/** The file by which the session is claimed, as bytes of a path. */
sessionreg_text sessionreg_claim_path(const sessionreg_claim *claim);

/**
 * Lets go: another process may have the claim from now on. `SESSIONREG_STATUS_CLOSED` if it was
 * released before, and in a forked child, as the claim is its parent's.
 */
sessionreg_status sessionreg_claim_release(sessionreg_claim *claim,
                                           sessionreg_error **error);

/** Frees a claim; one that was not released is held until the process ends. NULL is fine. */
void sessionreg_claim_free(sessionreg_claim *claim);

/*
 * Where sessions are looked for
 * -----------------------------
 *
 * Programs leave traces of their sessions in data folders of their own. By default those are taken
 * that the programs' environment variables name, else the ones in the user's home; all can be
 * given, several of each.
 */

/** A family of programs, and what its folders are. */
enum sessionreg_source
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /** Registry folders of this library. */
  SESSIONREG_SOURCE_REGISTRY = 1,
  /** Claude Code: `CLAUDE_CONFIG_DIR`, `~/.claude`. */
  SESSIONREG_SOURCE_CLAUDE_CODE = 2,
  /** qwen-code: `QWEN_HOME`, `~/.qwen`, and for sidecars also `QWEN_RUNTIME_DIR`. */
  SESSIONREG_SOURCE_QWEN_CODE = 3,
  /** kimi-cli: `KIMI_SHARE_DIR`, `~/.kimi`. */
  SESSIONREG_SOURCE_KIMI_CLI = 4,
  /** Codex: `CODEX_HOME`, `~/.codex`. */
  SESSIONREG_SOURCE_CODEX = 5,
  /** Copilot CLI: `~/.copilot`. */
  SESSIONREG_SOURCE_COPILOT = 6,
  /** Data folders fed by hooks: `~/.local/share/amc`. */
  SESSIONREG_SOURCE_HOOKS = 7,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sessionreg_source sessionreg_source;
#else
typedef uint32_t sessionreg_source;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Where to look, and what for. Threads may use one at the same time; who changes or frees it must
 * be alone with it.
 */
typedef struct sessionreg_sources sessionreg_sources;

/**
 * Gives the sources that are used where none are given, for the caller to free.
 *
 * The folders are those that the environment names now; programs that leave no trace are looked for
 * among the processes, and multiplexers are not asked.
 */
sessionreg_status sessionreg_sources_default(sessionreg_sources **sources,
                                             sessionreg_error **error);

/** Gives no source at all, a start for naming them, for the caller to free. */
sessionreg_status sessionreg_sources_none(sessionreg_sources **sources,
                                          sessionreg_error **error);

/**
 * Adds a folder; `source` is a `sessionreg_source`. Nothing is looked up on the file system: a
 * folder that is not there yet has no sessions yet.
 */
sessionreg_status sessionreg_sources_add(sessionreg_sources *sources,
                                         uint32_t source,
                                         const char *folder,
                                         sessionreg_error **error);

/** Takes all folders of a source away, a `sessionreg_source`: the default ones as well. */
sessionreg_status sessionreg_sources_clear(sessionreg_sources *sources,
                                           uint32_t source,
                                           sessionreg_error **error);

/**
 * Sets whether programs that leave no trace are looked for among the processes. Of such a process
 * the folder is known, but not the session.
 */
sessionreg_status sessionreg_sources_set_processes(sessionreg_sources *sources,
                                                   bool wanted,
                                                   sessionreg_error **error);

/**
 * Sets whether tmux and zellij are asked for their panes. Without it nothing is started, and what
 * depends on a pane is unknown.
 */
sessionreg_status sessionreg_sources_set_multiplexers(sessionreg_sources *sources,
                                                      bool wanted,
                                                      sessionreg_error **error);

/**
 * Sets whether sessions are listed that another one superseded in its terminal; otherwise they are
 * not.
 */
sessionreg_status sessionreg_sources_set_superseded(sessionreg_sources *sources,
                                                    bool wanted,
                                                    sessionreg_error **error);

/**
 * Sets for how many seconds sessions are listed after they died, 24 hours otherwise; infinity:
 * without end. `SESSIONREG_STATUS_INVALID_INPUT` for NaN and for less than nothing.
 */
sessionreg_status sessionreg_sources_set_dead_within(sessionreg_sources *sources,
                                                     double seconds,
                                                     sessionreg_error **error);

/** Frees sources; what was made of them stays. NULL is fine. */
void sessionreg_sources_free(sessionreg_sources *sources);

/*
 * Agent sessions
 * --------------
 *
 * A session of an agent on this machine, as all that speak of it describe it together.
 */

/**
 * An agent session as it was at one time, borrowed from a snapshot, a list or a batch, or a copy of
 * one. It never changes: threads may look at one at the same time.
 */
typedef struct sessionreg_agent_session sessionreg_agent_session;

/**
 * Gives a copy that outlives what the session is borrowed from, for the caller to free. It costs
 * little: what a session says is there once.
 */
sessionreg_status sessionreg_agent_session_clone(const sessionreg_agent_session *session,
                                                 sessionreg_agent_session **copy,
                                                 sessionreg_error **error);

/** Whether two sessions say the same. NULL is equal to nothing. */
bool sessionreg_agent_session_equal(const sessionreg_agent_session *session,
                                    const sessionreg_agent_session *other);

/**
 * Gives all that is known of a session as one line of JSON, for the caller to free.
 *
 * The keys are the names of the functions that tell the same, such as `work_dir`; `terminal`,
 * `transcript` and `context_usage` are objects, the verdict is `state` and `reason`. What is absent
 * is left out. `mtime_ns` is text, and a path that is not Unicode has replacement characters.
 */
sessionreg_status sessionreg_agent_session_to_json(const sessionreg_agent_session *session,
                                                   char **json,
                                                   sessionreg_error **error);

/** Frees a copy; a session that is borrowed goes with what it is borrowed from. NULL is fine. */
void sessionreg_agent_session_free(sessionreg_agent_session *session);

/*
 * What an agent session says
 * --------------------------
 *
 * All but its key, its verdict, its sources and its files may be absent.
 */

/** Whether its process was there, by the best evidence, and how that is known. */
sessionreg_verdict sessionreg_agent_session_verdict(const sessionreg_agent_session *session);

/**
 * What identifies it: the registration, where there is one, so that a process that moves to another
 * session keeps it. It is never absent.
 */
sessionreg_text sessionreg_agent_session_key(const sessionreg_agent_session *session);

/** The program, such as `qwen-code`. */
sessionreg_text sessionreg_agent_session_agent(const sessionreg_agent_session *session);

/**
 * The session's id; absent of a process of which only the folder is known. It is whatever a file
 * says, and may contain NUL: see `sessionreg_session_id_check` before making a path of it.
 */
sessionreg_text sessionreg_agent_session_session_id(const sessionreg_agent_session *session);

/** The process that serves it. */
uint32_t sessionreg_agent_session_pid(const sessionreg_agent_session *session);

/** The controlling terminal of the process, such as `pts/3`. */
sessionreg_text sessionreg_agent_session_tty(const sessionreg_agent_session *session);

/** The folder in which the session works. */
sessionreg_text sessionreg_agent_session_work_dir(const sessionreg_agent_session *session);

/** The kind of session, such as `interactive` or `headless`. */
sessionreg_text sessionreg_agent_session_kind(const sessionreg_agent_session *session);

/** What the session is doing: `busy`, `idle`, `waiting`, or a word of the program's own. */
sessionreg_text sessionreg_agent_session_status(const sessionreg_agent_session *session);

/** What a `waiting` session waits for. */
sessionreg_text sessionreg_agent_session_waiting_for(const sessionreg_agent_session *session);

/** A name for people. */
sessionreg_text sessionreg_agent_session_name(const sessionreg_agent_session *session);

/** When it began, in seconds since the Unix epoch. */
double sessionreg_agent_session_started_at(const sessionreg_agent_session *session);

/** When something was last said of it, in seconds since the Unix epoch. */
double sessionreg_agent_session_updated_at(const sessionreg_agent_session *session);

/** The session that it came from. */
sessionreg_text sessionreg_agent_session_parent_session_id(const sessionreg_agent_session *session);

/** The terminal multiplexer in which it is shown, such as `tmux` or `zellij`. */
sessionreg_text sessionreg_agent_session_terminal_multiplexer(const sessionreg_agent_session *session);

/** The multiplexer's session. */
sessionreg_text sessionreg_agent_session_terminal_session(const sessionreg_agent_session *session);

/** The pane in it. */
sessionreg_text sessionreg_agent_session_terminal_pane(const sessionreg_agent_session *session);

/** Its log, as bytes of a path. */
sessionreg_text sessionreg_agent_session_transcript_path(const sessionreg_agent_session *session);

/** When its log was last written, in nanoseconds since the Unix epoch; -1 if it is not there. */
int64_t sessionreg_agent_session_transcript_mtime_ns(const sessionreg_agent_session *session);

/** Tokens of its context that are in use after the last answer, by its log. */
int64_t sessionreg_agent_session_context_usage_current_tokens(const sessionreg_agent_session *session);

/** How many tokens its model takes, where its log says so. */
int64_t sessionreg_agent_session_context_usage_window(const sessionreg_agent_session *session);

/** Tokens that were in use when the present turn began. */
int64_t sessionreg_agent_session_turn_start_tokens(const sessionreg_agent_session *session);

/** The session that took its place in its terminal. */
sessionreg_text sessionreg_agent_session_superseded_by(const sessionreg_agent_session *session);

/** How many sources speak of it. */
size_t sessionreg_agent_session_sources_len(const sessionreg_agent_session *session);

/**
 * The name of a source that speaks of it, such as `registry`; they are ordered. Absent beyond the
 * last.
 */
sessionreg_text sessionreg_agent_session_sources_get(const sessionreg_agent_session *session,
                                                     size_t index);

/** How many files speak of it. */
size_t sessionreg_agent_session_files_len(const sessionreg_agent_session *session);

/** A file that speaks of it, as bytes of a path; they are ordered. Absent beyond the last. */
sessionreg_text sessionreg_agent_session_files_get(const sessionreg_agent_session *session,
                                                   size_t index);

/** How many other keys its record has. */
size_t sessionreg_agent_session_extra_count(const sessionreg_agent_session *session);

/**
 * Gives the value of another key of its record as JSON text, for the caller to free, or NULL if it
 * does not have it.
 */
sessionreg_status sessionreg_agent_session_extra_get(const sessionreg_agent_session *session,
                                                     const char *key,
                                                     char **json,
                                                     sessionreg_error **error);

/** Gives all other keys of its record with their values as one JSON object, for the caller to free. */
sessionreg_status sessionreg_agent_session_extra_to_json(const sessionreg_agent_session *session,
                                                         char **json,
                                                         sessionreg_error **error);

/*
 * Lists of agent sessions
 * -----------------------
 */

/**
 * The answer to a question about a snapshot, which need not be there any more. It never changes:
 * threads may look at one at the same time. What is borrowed from it stays until it is freed.
 */
typedef struct sessionreg_agent_sessions sessionreg_agent_sessions;

/** How many sessions there are. */
size_t sessionreg_agent_sessions_len(const sessionreg_agent_sessions *sessions);

/** A session, borrowed; they are ordered as in the snapshot. NULL beyond the last. */
const sessionreg_agent_session *sessionreg_agent_sessions_get(const sessionreg_agent_sessions *sessions,
                                                              size_t index);

/** Frees a list, and all that was borrowed from it. NULL is fine. */
void sessionreg_agent_sessions_free(sessionreg_agent_sessions *sessions);

/*
 * Snapshots
 * ---------
 *
 * Every agent session on this machine at one moment: which process serves it, in which folder, what
 * it is doing, whether it lives, and how that is known.
 */

/**
 * What was found, at one time. It never changes: threads may look at one at the same time. What is
 * borrowed from it stays until it is freed.
 */
typedef struct sessionreg_snapshot sessionreg_snapshot;

/**
 * Looks for agent sessions, where `sources` says or, if it is NULL, where the programs have them by
 * default; gives a snapshot, for the caller to free.
 *
 * Nothing is written, created, locked or removed, and, unless multiplexers are to be asked, nothing
 * is started. One bad file never hides anything else: it is among the skipped ones. A
 * `sessionreg_monitor` keeps what was read, and looks again only at what changed.
 */
sessionreg_status sessionreg_snapshot_take(const sessionreg_sources *sources,
                                           sessionreg_snapshot **snapshot,
                                           sessionreg_error **error);

/** How many sessions there are. */
size_t sessionreg_snapshot_len(const sessionreg_snapshot *snapshot);

/**
 * A session, borrowed; they are ordered by session id, then pid, and those without an id come
 * first. NULL beyond the last.
 */
const sessionreg_agent_session *sessionreg_snapshot_get(const sessionreg_snapshot *snapshot,
                                                        size_t index);

/** How many files were skipped: they were meant to be traces and are none, or could not be read. */
size_t sessionreg_snapshot_skipped_len(const sessionreg_snapshot *snapshot);

/** A file that was skipped, borrowed; they are ordered by path. NULL beyond the last. */
const sessionreg_skipped *sessionreg_snapshot_skipped_get(const sessionreg_snapshot *snapshot,
                                                          size_t index);

/**
 * How many dead sessions are not listed, as they died too long ago: see
 * `sessionreg_sources_set_dead_within`.
 */
size_t sessionreg_snapshot_dead_before(const sessionreg_snapshot *snapshot);

/** From where `sessionreg_monitor_wait` goes on, if a monitor took the snapshot; absent otherwise. */
sessionreg_text sessionreg_snapshot_cursor(const sessionreg_snapshot *snapshot);

/** When it was taken, in seconds since the Unix epoch. */
double sessionreg_snapshot_taken_at(const sessionreg_snapshot *snapshot);

/**
 * Gives a snapshot as one line of JSON, for the caller to free: `cursor`, `taken_at`,
 * `dead_before`, `sessions` as `sessionreg_agent_session_to_json` has them, and `skipped`.
 */
sessionreg_status sessionreg_snapshot_to_json(const sessionreg_snapshot *snapshot,
                                              char **json,
                                              sessionreg_error **error);

/**
 * Lists the sessions whose process is there. Those that cannot be judged from here are not among
 * them.
 */
sessionreg_status sessionreg_snapshot_live(const sessionreg_snapshot *snapshot,
                                           sessionreg_agent_sessions **sessions,
                                           sessionreg_error **error);

/** Counts the sessions that `sessionreg_snapshot_live` lists. */
size_t sessionreg_snapshot_count_live(const sessionreg_snapshot *snapshot);

/** Lists the sessions of a process, whatever their verdict. */
sessionreg_status sessionreg_snapshot_find_by_pid(const sessionreg_snapshot *snapshot,
                                                  uint32_t pid,
                                                  sessionreg_agent_sessions **sessions,
                                                  sessionreg_error **error);

/** Lists the entries of a session, whatever their verdict; several processes may serve one. */
sessionreg_status sessionreg_snapshot_find_by_session(const sessionreg_snapshot *snapshot,
                                                      const char *session_id,
                                                      sessionreg_agent_sessions **sessions,
                                                      sessionreg_error **error);

/** Lists the sessions of a working folder, by exactly that text, whatever their verdict. */
sessionreg_status sessionreg_snapshot_find_by_work_dir(const sessionreg_snapshot *snapshot,
                                                       const char *work_dir,
                                                       sessionreg_agent_sessions **sessions,
                                                       sessionreg_error **error);

/**
 * Lists the live sessions of the nearest process that serves any, from `pid` upwards: of a shell or
 * a language server, the sessions of the agent that started it.
 *
 * It goes by the process tree as it is now, never by inherited environment variables.
 */
sessionreg_status sessionreg_snapshot_owner_of(const sessionreg_snapshot *snapshot,
                                               uint32_t pid,
                                               sessionreg_agent_sessions **sessions,
                                               sessionreg_error **error);

/**
 * Lists the live sessions of `pid` and of the processes below it: of a terminal pane's shell, the
 * agents that run in it. It goes by the process tree as it is now.
 */
sessionreg_status sessionreg_snapshot_find_under(const sessionreg_snapshot *snapshot,
                                                 uint32_t pid,
                                                 sessionreg_agent_sessions **sessions,
                                                 sessionreg_error **error);

/** Frees a snapshot, and all that was borrowed from it. NULL is fine. */
void sessionreg_snapshot_free(sessionreg_snapshot *snapshot);

/*
 * Batches
 * -------
 *
 * What changed since a cursor. Put together in the order in which they come, batches are the state:
 * `added` and `changed` have whole sessions, to be kept by their keys, and `removed` has keys.
 */

/**
 * What changed. It never changes itself: threads may look at one at the same time. What is borrowed
 * from it stays until it is freed.
 */
typedef struct sessionreg_batch sessionreg_batch;

/** From where to go on: the `id` of a Server-Sent Event. */
sessionreg_text sessionreg_batch_cursor(const sessionreg_batch *batch);

/**
 * Whether `added` is all there is, and what was known before is to be forgotten: there was no
 * cursor, or it was too old, or another monitor's.
 */
bool sessionreg_batch_reset(const sessionreg_batch *batch);

/** When the latest of it was noticed, in seconds since the Unix epoch. */
double sessionreg_batch_at(const sessionreg_batch *batch);

/** How many sessions are listed now and were not. */
size_t sessionreg_batch_added_len(const sessionreg_batch *batch);

/** A session that is listed now and was not, borrowed. NULL beyond the last. */
const sessionreg_agent_session *sessionreg_batch_added_get(const sessionreg_batch *batch,
                                                           size_t index);

/** Of how many sessions something changed. */
size_t sessionreg_batch_changed_len(const sessionreg_batch *batch);

/** A session of which something changed, as it is now, borrowed. NULL beyond the last. */
const sessionreg_agent_session *sessionreg_batch_changed_get(const sessionreg_batch *batch,
                                                             size_t index);

/** How many sessions are not listed any more. */
size_t sessionreg_batch_removed_len(const sessionreg_batch *batch);

/** The key of a session that is not listed any more. Absent beyond the last. */
sessionreg_text sessionreg_batch_removed_get(const sessionreg_batch *batch, size_t index);

/**
 * Gives a batch as one line of JSON, for the caller to free: `cursor`, `reset`, `at`, `added` and
 * `changed` with sessions as `sessionreg_agent_session_to_json` has them, and `removed`. It is the
 * `data` of a Server-Sent Event.
 */
sessionreg_status sessionreg_batch_to_json(const sessionreg_batch *batch,
                                           char **json,
                                           sessionreg_error **error);

/** Frees a batch, and all that was borrowed from it. NULL is fine. */
void sessionreg_batch_free(sessionreg_batch *batch);

/*
 * Monitors
 * --------
 *
 * A monitor keeps a snapshot up to date, and tells any number of readers what changed. This prints
 * the sessions that come, change and go:
 *
 *     #include <poll.h>
 *     #include <sessionreg.h>
 *     #include <stdio.h>
 *
 *     // What a session says was written by another program: none of it may act on a terminal.
 *     static void put(sessionreg_text text) {
 *         for (size_t i = 0; i < text.length; i++)
 *             putchar(text.data[i] >= ' ' && text.data[i] <= '~' ? text.data[i] : '?');
 *     }
 *
 *     static void show(const char *what, const sessionreg_agent_session *session) {
 *         sessionreg_verdict verdict = sessionreg_agent_session_verdict(session);
 *         printf("%s ", what);
 *         put(sessionreg_agent_session_key(session));
 *         putchar(' ');
 *         put(sessionreg_agent_session_session_id(session));
 *         printf(" %s ", sessionreg_state_string(verdict.state));
 *         put(sessionreg_agent_session_status(session));
 *         putchar('\n');
 *     }
 *
 *     static void show_all(const sessionreg_batch *batch) {
 *         for (size_t i = 0; i < sessionreg_batch_added_len(batch); i++)
 *             show("+", sessionreg_batch_added_get(batch, i));
 *         for (size_t i = 0; i < sessionreg_batch_changed_len(batch); i++)
 *             show("*", sessionreg_batch_changed_get(batch, i));
 *         for (size_t i = 0; i < sessionreg_batch_removed_len(batch); i++) {
 *             printf("- ");
 *             put(sessionreg_batch_removed_get(batch, i));
 *             putchar('\n');
 *         }
 *         fflush(stdout);
 *     }
 *
 *     int main(int argc, char **argv) {
 *         sessionreg_sources *sources = NULL;
 *         sessionreg_monitor *monitor = NULL;
 *         sessionreg_error *error = NULL;
 *         int fd = -1;
 *         if (argc > 1 && sessionreg_sources_none(&sources, &error) == SESSIONREG_STATUS_OK)
 *             sessionreg_sources_add(sources, SESSIONREG_SOURCE_REGISTRY, argv[1], &error);
 *         if (error == NULL &&
 *             sessionreg_monitor_open(sources, NULL, &monitor, &error) == SESSIONREG_STATUS_OK)
 *             sessionreg_monitor_fd(monitor, &fd, &error);
 *         struct pollfd ready[2] = {{fd, POLLIN, 0}, {0, POLLIN, 0}};
 *         while (error == NULL && poll(ready, 2, -1) > 0 && ready[1].revents == 0) {
 *             sessionreg_batch *batch = NULL;
 *             sessionreg_status status = sessionreg_monitor_next(monitor, 0, &batch, NULL);
 *             if (status == SESSIONREG_STATUS_OK)
 *                 show_all(batch);
 *             else if (status != SESSIONREG_STATUS_TIMEOUT)
 *                 break;
 *             sessionreg_batch_free(batch);
 *         }
 *         int failed = error != NULL;
 *         if (failed)
 *             fprintf(stderr, "%s\n", sessionreg_error_message(error).data);
 *         sessionreg_error_free(error);
 *         sessionreg_monitor_free(monitor);
 *         sessionreg_sources_free(sources);
 *         return failed;
 *     }
 */

/**
 * A monitor. Threads may use one at the same time, but `sessionreg_monitor_next` is for one at a
 * time; who frees it must be alone with it.
 *
 * It has no thread of its own: who waits does the work, and where nothing changes nothing wakes. In
 * a forked child every call is `SESSIONREG_STATUS_CLOSED`.
 */
typedef struct sessionreg_monitor sessionreg_monitor;

/** How changes are watched for. */
typedef struct sessionreg_monitor_options {
  /** The size of this structure. */
  size_t struct_size;
  /**
   * For how many milliseconds changes are gathered after the first of them, so that a burst is
   * one batch; -1: the default, 20.
   */
  int64_t fold_ms;
  /**
   * Every how many milliseconds that is looked at of which nobody tells, see
   * `sessionreg_monitor_polled`; -1: the default, 2000; at least 10.
   */
  int64_t poll_ms;
  /**
   * The cursor of an earlier batch, from which `sessionreg_monitor_next` goes on. Default: it
   * begins with the full state.
   */
  const char *cursor;
} sessionreg_monitor_options;

/** A `sessionreg_monitor_options` in which nothing is given. */
#define SESSIONREG_MONITOR_OPTIONS_INIT \
  { /* struct_size */ sizeof(sessionreg_monitor_options), \
    /* fold_ms */ -1, \
    /* poll_ms */ -1, \
    /* cursor */ NULL }

/**
 * Opens a monitor of the sessions that `sources` names or, if it is NULL, of those that the programs
 * have by default. Nothing is looked at yet.
 *
 * `SESSIONREG_STATUS_UNAVAILABLE` if the system does not give what waiting takes: a few descriptors.
 */
sessionreg_status sessionreg_monitor_open(const sessionreg_sources *sources,
                                          const sessionreg_monitor_options *options,
                                          sessionreg_monitor **monitor,
                                          sessionreg_error **error);

/**
 * Gives every agent session as it is now, as `sessionreg_snapshot_take` does, for the caller to
 * free. Only what changed is looked at.
 *
 * What is polled, such as which processes there are, is as old as the last poll at most.
 */
sessionreg_status sessionreg_monitor_snapshot(const sessionreg_monitor *monitor,
                                              sessionreg_snapshot **snapshot,
                                              sessionreg_error **error);

/**
 * Waits for the next batch of the monitor's own reader, and gives it, for the caller to free. The
 * first one is the full state, or what changed since the cursor that the options named.
 *
 * `SESSIONREG_STATUS_TIMEOUT` if nothing changed in `timeout_ms` milliseconds (-1: without end, 0:
 * do not wait), or if a signal came. `SESSIONREG_STATUS_CLOSED` as soon as the monitor is closed.
 */
sessionreg_status sessionreg_monitor_next(sessionreg_monitor *monitor,
                                          int64_t timeout_ms,
                                          sessionreg_batch **batch,
                                          sessionreg_error **error);

/**
 * Waits until something changed since `cursor`, that of a batch or a snapshot, and gives it, for the
 * caller to free. Without a cursor (NULL), and with one that is too old or another monitor's, it
 * gives the full state at once.
 *
 * Any number of threads may wait, each with a cursor of its own. `timeout_ms` and the statuses are
 * those of `sessionreg_monitor_next`.
 */
sessionreg_status sessionreg_monitor_wait(const sessionreg_monitor *monitor,
                                          const char *cursor,
                                          int64_t timeout_ms,
                                          sessionreg_batch **batch,
                                          sessionreg_error **error);

/**
 * Gives a descriptor for poll(2) and event loops that is readable when `sessionreg_monitor_next` is
 * worth calling. It is the monitor's, closed when that is freed, and only to be waited for.
 *
 * After `sessionreg_monitor_next` with a timeout of 0 was `SESSIONREG_STATUS_TIMEOUT` it is not
 * readable until there is something, except for moments in which that has yet to be found out: call
 * it again then. When the monitor is closed it becomes readable.
 *
 * `SESSIONREG_STATUS_UNAVAILABLE` on systems without such descriptors, such as Windows.
 */
sessionreg_status sessionreg_monitor_fd(const sessionreg_monitor *monitor,
                                        int *fd,
                                        sessionreg_error **error);

/**
 * Records in this library's own data folder with how many tokens the present turns of hook-fed
 * sessions began, for other programs and later monitors; tells how many were new.
 *
 * A monitor keeps them in memory anyway. What the hooks wrote is not touched.
 */
sessionreg_status sessionreg_monitor_record_turn_start(const sessionreg_monitor *monitor,
                                                       size_t *count,
                                                       sessionreg_error **error);

/**
 * Closes a monitor: every wait ends at once, whatever thread waits, and every later call on it is
 * `SESSIONREG_STATUS_CLOSED`, this one too. It returns when nobody waits any more.
 */
sessionreg_status sessionreg_monitor_close(sessionreg_monitor *monitor,
                                           sessionreg_error **error);

/** Frees a monitor, closed or not, and its descriptors. NULL is fine. */
void sessionreg_monitor_free(sessionreg_monitor *monitor);

/*
 * What is polled
 * --------------
 */

/**
 * What nobody tells the changes of. It never changes: threads may look at one at the same time.
 * What is borrowed from it stays until it is freed.
 */
typedef struct sessionreg_polled sessionreg_polled;

/**
 * Gives what a monitor looks at every so often because nobody tells of its changes, for the caller
 * to free.
 */
sessionreg_status sessionreg_monitor_polled(const sessionreg_monitor *monitor,
                                            sessionreg_polled **polled,
                                            sessionreg_error **error);

/** How much is polled. */
size_t sessionreg_polled_len(const sessionreg_polled *polled);

/** What it is, in words, such as `processes` or `folder /srv/x`. Absent beyond the last. */
sessionreg_text sessionreg_polled_what(const sessionreg_polled *polled, size_t index);

/** How often it is looked at: every so many seconds. Absent beyond the last. */
double sessionreg_polled_every(const sessionreg_polled *polled, size_t index);

/** Frees what told of it, and all that was borrowed from it. NULL is fine. */
void sessionreg_polled_free(sessionreg_polled *polled);

/*
 * Cleaning up after hooks
 * -----------------------
 */

/**
 * What a clean-up did. It never changes: threads may look at one at the same time. What is borrowed
 * from it stays until it is freed.
 */
typedef struct sessionreg_cleaned sessionreg_cleaned;

/**
 * A file that was removed, borrowed from what a clean-up did. It never changes: threads may look at
 * one at the same time.
 */
typedef struct sessionreg_tidied sessionreg_tidied;

/** How data folders are cleaned up. */
typedef struct sessionreg_clean_up_options {
  /** The size of this structure. */
  size_t struct_size;
  /** Only tell what would be removed. Default: false. */
  bool dry_run;
} sessionreg_clean_up_options;

/** A `sessionreg_clean_up_options` in which nothing is given. */
#define SESSIONREG_CLEAN_UP_OPTIONS_INIT \
  { /* struct_size */ sizeof(sessionreg_clean_up_options), \
    /* dry_run */ false }

/**
 * Removes what is left over in data folders fed by hooks, and only in the `folder_count` folders
 * that are named here; gives what it did, for the caller to free.
 *
 * Records go of sessions that are `starting` for an hour, or whose zellij session is known to be
 * gone, and those that another one superseded on its pane; event logs without a record go that
 * nobody wrote to for a day. Only ever a file goes that was read, and only if it is still as it was.
 * `folders` may be NULL if there is none.
 */
sessionreg_status sessionreg_monitor_clean_up(const sessionreg_monitor *monitor,
                                              const char *const *folders,
                                              size_t folder_count,
                                              const sessionreg_clean_up_options *options,
                                              sessionreg_cleaned **cleaned,
                                              sessionreg_error **error);

/** How many files went, or would go. */
size_t sessionreg_cleaned_removed_len(const sessionreg_cleaned *cleaned);

/** A file that went, or would go, borrowed; they are ordered by path. NULL beyond the last. */
const sessionreg_tidied *sessionreg_cleaned_removed_get(const sessionreg_cleaned *cleaned,
                                                        size_t index);

/** The file, as bytes of a path. */
sessionreg_text sessionreg_tidied_path(const sessionreg_tidied *tidied);

/** Why it went: `stale`, `pane_gone`, `superseded`, or `orphan` of an event log. */
sessionreg_text sessionreg_tidied_reason(const sessionreg_tidied *tidied);

/** How many files could not be read or removed. */
size_t sessionreg_cleaned_failed_len(const sessionreg_cleaned *cleaned);

/**
 * A file that could not be read or removed, borrowed; they are ordered by path. NULL beyond the
 * last.
 */
const sessionreg_skipped *sessionreg_cleaned_failed_get(const sessionreg_cleaned *cleaned,
                                                        size_t index);

/** Frees what a clean-up told, and all that was borrowed from it. NULL is fine. */
void sessionreg_cleaned_free(sessionreg_cleaned *cleaned);

/*
 * What errors of a restore table say besides
 * ------------------------------------------
 *
 * Of an error that has no such thing to say, the value is absent.
 */

/** The session that is being restored: of `SESSIONREG_STATUS_RESTORE_IN_PROGRESS`. */
sessionreg_text sessionreg_error_session_id(const sessionreg_error *error);

/** What is going on, `load`, `resume` or `spawn`: of `SESSIONREG_STATUS_RESTORE_IN_PROGRESS`. */
sessionreg_text sessionreg_error_active(const sessionreg_error *error);

/**
 * What was asked for: the same words, of `SESSIONREG_STATUS_RESTORE_IN_PROGRESS`; a folder, cut at
 * 4096 bytes, of `SESSIONREG_STATUS_WORKSPACE_MISMATCH`.
 */
sessionreg_text sessionreg_error_requested(const sessionreg_error *error);

/**
 * `restoring`, or `abandoned` if nobody waits for that restore any more: of
 * `SESSIONREG_STATUS_RESTORE_IN_PROGRESS`; `channel_closed`: of `SESSIONREG_STATUS_CLOSED`.
 */
sessionreg_text sessionreg_error_reason(const sessionreg_error *error);

/** The folder that the table is bound to: of `SESSIONREG_STATUS_WORKSPACE_MISMATCH`. */
sessionreg_text sessionreg_error_bound(const sessionreg_error *error);

/**
 * After how many seconds to try again: of `SESSIONREG_STATUS_RESTORE_IN_PROGRESS` and
 * `SESSIONREG_STATUS_SESSION_LIMIT`.
 */
double sessionreg_error_retry_after(const sessionreg_error *error);

/**
 * How many there may be: of `SESSIONREG_STATUS_SESSION_LIMIT` and
 * `SESSIONREG_STATUS_SUBSCRIBER_LIMIT`.
 */
int64_t sessionreg_error_limit(const sessionreg_error *error);

/*
 * Restoring a session once
 * ------------------------
 *
 * A daemon gets many requests to bring back one session. A restore table lets exactly one restore
 * run for it: requests of the same kind share its outcome, a request of another kind is refused at
 * once, and whoever comes later is attached to the live session.
 *
 *     #include <sessionreg.h>
 *     #include <stdio.h>
 *     #include <stdlib.h>
 *
 *     // The restore itself: what it makes is what every caller gets.
 *     static char *read_transcript(const char *id) {
 *         char *transcript = malloc(64);
 *         if (transcript != NULL)
 *             snprintf(transcript, 64, "all that was said in %s", id);
 *         return transcript;
 *     }
 *
 *     // Any number of threads may do this: one of them reads the transcript, the others wait for it.
 *     static sessionreg_lease *load(sessionreg_restore_table *table, const char *id, const char *cwd,
 *                                   sessionreg_error **error) {
 *         sessionreg_outcome outcome;
 *         sessionreg_lease *lease = NULL;
 *         sessionreg_restoring *restoring = NULL;
 *         sessionreg_waiting *waiting = NULL;
 *         if (sessionreg_restore_begin(table, SESSIONREG_ACTION_LOAD, id, cwd, &outcome, &lease,
 *                                      &restoring, &waiting, error) != SESSIONREG_STATUS_OK)
 *             return NULL;
 *         if (outcome == SESSIONREG_OUTCOME_SHARER)
 *             sessionreg_waiting_wait(waiting, -1, &outcome, &lease, &restoring, error);
 *         if (outcome == SESSIONREG_OUTCOME_OWNER)
 *             sessionreg_restoring_complete(restoring, read_transcript(id), free, &lease, error);
 *         sessionreg_restoring_free(restoring);
 *         sessionreg_waiting_free(waiting);
 *         return lease;
 *     }
 *
 *     int main(void) {
 *         sessionreg_restore_table *table = NULL;
 *         sessionreg_error *error = NULL;
 *         sessionreg_lease *lease = NULL;
 *         bool ended = false;
 *         if (sessionreg_restore_table_new(NULL, &table, &error) == SESSIONREG_STATUS_OK)
 *             lease = load(table, "3f1c", "/srv/project", &error);
 *         if (error != NULL)
 *             fprintf(stderr, "%s\n", sessionreg_error_message(error).data);
 *         if (lease != NULL) {
 *             printf("%s\n", (const char *)sessionreg_lease_state(lease));
 *             sessionreg_lease_release(lease, &ended, NULL);
 *         }
 *         sessionreg_error_free(error);
 *         sessionreg_lease_free(lease);
 *         sessionreg_restore_table_close(table, -1, NULL);
 *         sessionreg_restore_table_free(table);
 *         return ended ? 0 : 1;
 *     }
 *
 * The library has no thread for this. Functions that it was given are called on the thread that
 * makes the call in question, and may call the table; they must return: no `longjmp`, no C++
 * exception.
 */

/** How a session comes to life. */
enum sessionreg_action
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /** None: of NULL. */
  SESSIONREG_ACTION_NONE = 0,
  /** It is restored, and its history is published. */
  SESSIONREG_ACTION_LOAD = 1,
  /** It is restored without its history: what is published meanwhile is not kept. */
  SESSIONREG_ACTION_RESUME = 2,
  /** It is a new one. */
  SESSIONREG_ACTION_SPAWN = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sessionreg_action sessionreg_action;
#else
typedef uint32_t sessionreg_action;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A restore table. Threads may use one at the same time; who frees it must be alone with it.
 *
 * It belongs to its process: in a forked child every call on it, and on what it gave, is
 * `SESSIONREG_STATUS_CLOSED`.
 */
typedef struct sessionreg_restore_table sessionreg_restore_table;

/** How a restore table is set up. What is pointed to is copied, or shared. */
typedef struct sessionreg_restore_options {
  /** The size of this structure. */
  size_t struct_size;
  /** Accept sessions of this folder alone, an absolute path. Default: of every folder. */
  const char *workspace;
  /** How many sessions there may be, live or on their way; 0: any number. Default: 20. */
  size_t limit;
  /** How long a restore may take, in milliseconds; -1: any time. Default: 60000. */
  int64_t timeout_ms;
  /** How many events of a session are kept for later subscribers. Default: 4000. */
  size_t ring_capacity;
  /**
   * Restore no session of `agent` that another process serves, by this registry, or has claimed;
   * and claim each before its restore begins, until it ends or the restore has failed. The
   * registry may be closed and freed before the table. Default: other processes are not asked.
   */
  const sessionreg_registry *registry;
  /**
   * The program whose sessions these are: `[a-z][a-z0-9-]{0,31}`, not `schema`. It must be given
   * with a registry, and only then.
   */
  const char *agent;
} sessionreg_restore_options;

/** A `sessionreg_restore_options` in which nothing is given. */
#define SESSIONREG_RESTORE_OPTIONS_INIT \
  { /* struct_size */ sizeof(sessionreg_restore_options), \
    /* workspace */ NULL, \
    /* limit */ 20, \
    /* timeout_ms */ 60000, \
    /* ring_capacity */ 4000, \
    /* registry */ NULL, \
    /* agent */ NULL }

/**
 * The word for an action, the same in every language, such as `load`. NULL for
 * `SESSIONREG_ACTION_NONE` and for a number that is no action. It is never freed.
 */
const char *sessionreg_action_string(uint32_t action);

/**
 * Makes an empty restore table.
 *
 * `SESSIONREG_STATUS_INVALID_INPUT` for a workspace that is not absolute, and for what is no agent;
 * `SESSIONREG_STATUS_CLOSED` for a registry of the process that this one was forked from.
 */
sessionreg_status sessionreg_restore_table_new(const sessionreg_restore_options *options,
                                               sessionreg_restore_table **table,
                                               sessionreg_error **error);

/**
 * Ends a live session, whoever is attached to it.
 *
 * `SESSIONREG_STATUS_NOT_FOUND` if there is no such session,
 * `SESSIONREG_STATUS_RESTORE_IN_PROGRESS` if it is not live yet.
 */
sessionreg_status sessionreg_restore_end(sessionreg_restore_table *table,
                                         const char *session_id,
                                         sessionreg_error **error);

/**
 * Ends a live session if nobody is attached to it, and tells whether it did. Otherwise it ends when
 * the last of those attached and subscribed has left.
 *
 * Fails as `sessionreg_restore_end` does.
 */
sessionreg_status sessionreg_restore_end_if_unattached(sessionreg_restore_table *table,
                                                       const char *session_id,
                                                       bool *ended,
                                                       sessionreg_error **error);

/**
 * Publishes an event of a session that is live or being restored: any `size` bytes, which are
 * copied. `data` may be NULL if `size` is 0.
 *
 * Gives the event's id, `<epoch>-<number>`, for the caller to free, unless `event_id` is NULL. It is
 * NULL while the session is being resumed: what an agent says then, its clients know already, and
 * it is not kept. `SESSIONREG_STATUS_NOT_FOUND` if there is no such session.
 */
sessionreg_status sessionreg_restore_publish(sessionreg_restore_table *table,
                                             const char *session_id,
                                             const void *data,
                                             size_t size,
                                             char **event_id,
                                             sessionreg_error **error);

/**
 * Gives the session that is meant by requests which name none, for the caller to free: of those
 * that were spawned, the one that has been live for the longest time. NULL if there is none; a
 * restored session never is.
 */
sessionreg_status sessionreg_restore_default_target(const sessionreg_restore_table *table,
                                                    char **session_id,
                                                    sessionreg_error **error);

/**
 * Shuts a table down: begins nothing any more, ends all sessions, tells everybody who waits
 * (`SESSIONREG_STATUS_CLOSING`), and waits until every restore has ended, for `timeout_ms`
 * milliseconds at most; -1: as long as that takes. It takes for ever on a thread that has a restore
 * to complete itself.
 *
 * `SESSIONREG_STATUS_TIMEOUT` if some restore has not ended: the table is shutting down all the
 * same, and may be closed again, to wait for the rest. To close one that is closed is fine.
 *
 * A thread that has just completed a restore, or released a lease, may still be letting go of the
 * state and of the claim: what `drop_state` needs has to stay until those threads have returned from
 * their calls.
 */
sessionreg_status sessionreg_restore_table_close(sessionreg_restore_table *table,
                                                 int64_t timeout_ms,
                                                 sessionreg_error **error);

/**
 * Frees a table; its sessions stay for those who have leases, and restores may be completed. Where
 * a registry was given, the claims of sessions that were not ended before are held until the
 * process ends: close it first. NULL is fine.
 */
void sessionreg_restore_table_free(sessionreg_restore_table *table);

/*
 * Leases
 * ------
 *
 * Whoever was given a live session has a share of it. The last one that is released ends the
 * session, if nobody is subscribed to it.
 */

/** Why a session is not live any more. */
enum sessionreg_end_reason
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /** It is live. */
  SESSIONREG_END_REASON_NONE = 0,
  /** Its last lease was released, and nobody was subscribed. */
  SESSIONREG_END_REASON_RELEASED = 1,
  /** It was ended. */
  SESSIONREG_END_REASON_ENDED = 2,
  /** The channel that carried it is dead. */
  SESSIONREG_END_REASON_CHANNEL_CLOSED = 3,
  /** The table was closed. */
  SESSIONREG_END_REASON_DAEMON_SHUTDOWN = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sessionreg_end_reason sessionreg_end_reason;
#else
typedef uint32_t sessionreg_end_reason;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A share of a live session. Threads may use one at the same time; who frees it must be alone with
 * it.
 */
typedef struct sessionreg_lease sessionreg_lease;

/**
 * The word for such a reason, the same in every language, such as `released`. NULL for
 * `SESSIONREG_END_REASON_NONE` and for a number that is no such reason. It is never freed.
 */
const char *sessionreg_end_reason_string(uint32_t reason);

/** The session. */
sessionreg_text sessionreg_lease_session_id(const sessionreg_lease *lease);

/** Whether the session was there already, or was restored for another caller. */
bool sessionreg_lease_attached(const sessionreg_lease *lease);

/**
 * What the restore was completed with, the same for everybody. It stays until the lease is freed,
 * released or not. NULL for NULL.
 */
void *sessionreg_lease_state(const sessionreg_lease *lease);

/** Why the session is not live any more; `SESSIONREG_END_REASON_NONE` if it is. */
sessionreg_end_reason sessionreg_lease_ended(const sessionreg_lease *lease);

/**
 * Gives the share back, and tells whether that ended the session. `SESSIONREG_STATUS_CLOSED` if it
 * was released before.
 */
sessionreg_status sessionreg_lease_release(sessionreg_lease *lease,
                                           bool *ended,
                                           sessionreg_error **error);

/**
 * Frees a lease. One that was not released stays counted: the session lives until it is ended, its
 * channel dies or the table is closed. NULL is fine.
 */
void sessionreg_lease_free(sessionreg_lease *lease);

/*
 * Channels
 * --------
 *
 * A channel is one agent process that carries several sessions. It is torn down once, when the last
 * session and the last restore that it carries are gone, and carries nothing after that.
 */

/** A channel of a table. Threads may use one at the same time; who frees it must be alone with it. */
typedef struct sessionreg_channel sessionreg_channel;

/**
 * Is called when the last session and the last restore that a channel carries are gone, once, on
 * the thread that made the call by which they went. It may call the table, and must return.
 */
typedef void (*sessionreg_on_teardown)(void *context);

/**
 * Makes a channel for sessions of a table. `on_teardown` may be NULL; `context` is its argument.
 *
 * The function is not called if `sessionreg_channel_exited` comes first, nor if the channel is freed
 * while it carries nothing.
 */
sessionreg_status sessionreg_channel_new(sessionreg_restore_table *table,
                                         sessionreg_on_teardown on_teardown,
                                         void *context,
                                         sessionreg_channel **channel,
                                         sessionreg_error **error);

/** Whether it can carry a session: it is neither dead nor torn down. */
bool sessionreg_channel_is_open(const sessionreg_channel *channel);

/**
 * Says that its process is dead: its sessions end (`SESSIONREG_END_REASON_CHANNEL_CLOSED`), and its
 * restores fail with `SESSIONREG_STATUS_CLOSED`. `info`, such as `killed by signal 9`, becomes part
 * of the error's message. It is not torn down any more.
 */
sessionreg_status sessionreg_channel_exited(sessionreg_channel *channel,
                                            const char *info,
                                            sessionreg_error **error);

/** Frees a channel; what it carries goes on, and it is torn down all the same. NULL is fine. */
void sessionreg_channel_free(sessionreg_channel *channel);

/*
 * Carrying a restore out
 * ----------------------
 *
 * Whoever is the owner of a restore has to run it: to bring the session back, in whatever way, and
 * to say how that ended.
 */

/**
 * A restore in the hands of its owner. Threads may use one at the same time; who frees it must be
 * alone with it.
 */
typedef struct sessionreg_restoring sessionreg_restoring;

/**
 * Lets go of a state that nobody needs any more. It may be called on every thread that uses the
 * table; it may call the table, and must return.
 */
typedef void (*sessionreg_drop)(void *state);

/** The session that is to be restored. */
sessionreg_text sessionreg_restoring_session_id(const sessionreg_restoring *restoring);

/**
 * Whether nobody waits for the restore any more: its time is over, its callers have left, the table
 * is shutting down, or its channel is dead. Its outcome will be discarded, so it may as well be cut
 * short; it has to be completed all the same.
 */
bool sessionreg_restoring_cancelled(const sessionreg_restoring *restoring);

/**
 * Says which channel carries the session from now on: it is not torn down before the session, and
 * its death is that of the session.
 *
 * `SESSIONREG_STATUS_CLOSED` if the channel is dead or torn down, `SESSIONREG_STATUS_CANCELLED` if
 * nobody waits any more, `SESSIONREG_STATUS_INVALID_INPUT` for a channel of another table. A restore
 * that was completed is `SESSIONREG_STATUS_CLOSED`.
 */
sessionreg_status sessionreg_restoring_carried_by(sessionreg_restoring *restoring,
                                                  const sessionreg_channel *channel,
                                                  sessionreg_error **error);

/**
 * Ends the restore, which went well, and gives the owner's lease; NULL if his place was taken apart
 * by `sessionreg_restoring_split`. `state`, which may be NULL, is what everybody gets who waits or
 * comes later.
 *
 * The state is the table's from here on, whatever this returns: `drop_state`, which may be NULL, is
 * called with it when nobody has it any more, or at once if it comes too late. It has come too late
 * with `SESSIONREG_STATUS_TIMEOUT`, `SESSIONREG_STATUS_CANCELLED`, `SESSIONREG_STATUS_CLOSING` and,
 * if the channel is dead, `SESSIONREG_STATUS_CLOSED`.
 *
 * `SESSIONREG_STATUS_CLOSED` as well if the restore was completed before.
 */
sessionreg_status sessionreg_restoring_complete(sessionreg_restoring *restoring,
                                                void *state,
                                                sessionreg_drop drop_state,
                                                sessionreg_lease **lease,
                                                sessionreg_error **error);

/**
 * Ends the restore, which failed: `status` and `message` become the error of everybody who waits.
 * Nothing is left behind, and a retry starts anew. `SESSIONREG_STATUS_NOT_FOUND` says that there is
 * no such session.
 *
 * `SESSIONREG_STATUS_CLOSED` if the restore was completed before, and
 * `SESSIONREG_STATUS_INVALID_INPUT` if the status is none of a failure.
 */
sessionreg_status sessionreg_restoring_fail(sessionreg_restoring *restoring,
                                            uint32_t status,
                                            const char *message,
                                            sessionreg_error **error);

/**
 * Frees a restore. One that was not completed is left to others: the first one who waits becomes
 * its owner, and without any the session is free again. NULL is fine.
 */
void sessionreg_restoring_free(sessionreg_restoring *restoring);

/*
 * Asking for a session
 * --------------------
 *
 * A request never waits. What it comes to is one of three: the session is live, it is up to the
 * caller to restore it, or somebody else does and the caller shares in that.
 */

/** What a request comes to. */
enum sessionreg_outcome
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /** The session is live: there is a `lease`. */
  SESSIONREG_OUTCOME_ATTACHED = 1,
  /** It is up to the caller to restore the session: there is a `restoring`. */
  SESSIONREG_OUTCOME_OWNER = 2,
  /** The session is being restored, and the caller is counted: there is a `waiting`. */
  SESSIONREG_OUTCOME_SHARER = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sessionreg_outcome sessionreg_outcome;
#else
typedef uint32_t sessionreg_outcome;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A caller's place among those who wait for one restore. Threads may use one at the same time, so
 * that one may cancel what another waits for; who frees it must be alone with it.
 */
typedef struct sessionreg_waiting sessionreg_waiting;

/**
 * Asks for a session, without waiting. `action` is a `sessionreg_action`, `cwd` the folder in which
 * the session works; links in it are followed.
 *
 * One of `lease`, `restoring` and `waiting` comes out, as `outcome` says, for the caller to free;
 * the two others become NULL. In this order:
 *
 * 1. `SESSIONREG_STATUS_CLOSING` if the table is shutting down.
 * 2. `SESSIONREG_STATUS_INVALID_INPUT` if the folder is not an absolute path,
 *    `SESSIONREG_STATUS_WORKSPACE_MISMATCH` if the table is bound to another one,
 *    `SESSIONREG_STATUS_INVALID_ID` for what cannot be part of a path.
 * 3. A live session is attached to, whatever the action and the limit.
 * 4. `SESSIONREG_STATUS_RESTORE_IN_PROGRESS` if it is being restored by another action, or if a
 *    restore was abandoned that has not ended yet.
 * 5. A restore by the same action is shared.
 * 6. `SESSIONREG_STATUS_SESSION_LIMIT` if there are as many sessions as allowed.
 * 7. The caller is the owner of a new restore. With a registry, `SESSIONREG_STATUS_HELD` if another
 *    process serves or claims the session.
 */
sessionreg_status sessionreg_restore_begin(sessionreg_restore_table *table,
                                           uint32_t action,
                                           const char *session_id,
                                           const char *cwd,
                                           sessionreg_outcome *outcome,
                                           sessionreg_lease **lease,
                                           sessionreg_restoring **restoring,
                                           sessionreg_waiting **waiting,
                                           sessionreg_error **error);

/**
 * Waits for the outcome of a restore, for `timeout_ms` milliseconds at most; 0 only looks, -1 waits
 * as long as the restore may take.
 *
 * `SESSIONREG_OUTCOME_SHARER` says that there is none yet: the place stays, and one may wait again.
 * `SESSIONREG_OUTCOME_ATTACHED` comes with a lease. `SESSIONREG_OUTCOME_OWNER` says that whoever ran
 * the restore has left it, and that the caller is the first of those who still wait: it is up to him
 * to run it, in what is left of its time. Lease and restore are the caller's to free; what does not
 * come out becomes NULL.
 *
 * A restore that failed gives everybody the same status: that with which it failed, or
 * `SESSIONREG_STATUS_TIMEOUT` if it took longer than the table allows,
 * `SESSIONREG_STATUS_CLOSING` if the table is shutting down, `SESSIONREG_STATUS_CLOSED` if its
 * channel is dead. `SESSIONREG_STATUS_NOT_FOUND` if it went well, but the session has ended since;
 * `SESSIONREG_STATUS_CANCELLED` if the caller was cancelled. A place whose outcome was given is
 * `SESSIONREG_STATUS_CLOSED`. Whoever has the restore to complete himself, on the same thread, waits
 * until its time is over.
 */
sessionreg_status sessionreg_waiting_wait(sessionreg_waiting *waiting,
                                          int64_t timeout_ms,
                                          sessionreg_outcome *outcome,
                                          sessionreg_lease **lease,
                                          sessionreg_restoring **restoring,
                                          sessionreg_error **error);

/**
 * Takes the owner's own place among those who wait apart from his run, for the caller to free: one
 * thread carries the restore out then, while another waits for it, or cancels that. An owner who has
 * left has no part in the outcome; the run goes on for the others.
 *
 * `SESSIONREG_STATUS_CLOSED` if that was done before, or the restore is completed.
 */
sessionreg_status sessionreg_restoring_split(sessionreg_restoring *restoring,
                                             sessionreg_waiting **waiting,
                                             sessionreg_error **error);

/**
 * Cancels a caller, and nobody else: his share of the restore is dropped, and a thread that waits
 * for it is told `SESSIONREG_STATUS_CANCELLED`. A lease that was ready is released. If he was the
 * owner, the next one who waits is; without any the restore is abandoned.
 *
 * `SESSIONREG_STATUS_CLOSED` if he was cancelled before, or has been given the outcome.
 */
sessionreg_status sessionreg_waiting_cancel(sessionreg_waiting *waiting,
                                            sessionreg_error **error);

/**
 * Says that the restore has taken long enough: everybody who waits for it is told
 * `SESSIONREG_STATUS_TIMEOUT`, as at the end of the time that the table allows. It changes nothing
 * if there is an outcome, or if the caller was cancelled or is the owner by now.
 */
sessionreg_status sessionreg_waiting_time_out(sessionreg_waiting *waiting,
                                              sessionreg_error **error);

/** Frees a place; a caller who has not been given the outcome is cancelled. NULL is fine. */
void sessionreg_waiting_free(sessionreg_waiting *waiting);

/*
 * Events of a session
 * -------------------
 *
 * What is published to a session is numbered and kept for a while: whoever subscribes may begin
 * with the event after the last one that it has seen.
 */

/** What an event says. */
enum sessionreg_event_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /** None: of NULL. */
  SESSIONREG_EVENT_NONE = 0,
  /** Something was published. */
  SESSIONREG_EVENT_PUBLISHED = 1,
  /**
   * What the subscriber named as its last event is of another life of the session: what follows
   * is all that is kept of this one.
   */
  SESSIONREG_EVENT_NEW_EPOCH = 2,
  /** Events which would come here are not kept any more. */
  SESSIONREG_EVENT_GAP = 3,
  /** The last event: more than 256 waited for the subscriber, which may subscribe anew. */
  SESSIONREG_EVENT_EVICTED = 4,
  /** The last event: the session is not live any more. */
  SESSIONREG_EVENT_ENDED = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sessionreg_event_kind sessionreg_event_kind;
#else
typedef uint32_t sessionreg_event_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/** What a subscriber gets. It never changes: threads may look at one at the same time. */
typedef struct sessionreg_event sessionreg_event;

/** One who follows the events of a session. One thread at a time may use or free it. */
typedef struct sessionreg_subscription sessionreg_subscription;

/**
 * The word for a kind of event, the same in every language, such as `gap`. NULL for
 * `SESSIONREG_EVENT_NONE` and for a number that is no kind. It is never freed.
 */
const char *sessionreg_event_kind_string(uint32_t kind);

/**
 * Follows the events of a live session: from now on if `last_event_id` is NULL, else from the event
 * after that one. It is the text of an event's id, or its number alone; `0` is before the first.
 *
 * `SESSIONREG_STATUS_NOT_FOUND` if there is no such live session,
 * `SESSIONREG_STATUS_SUBSCRIBER_LIMIT` if it has 64 subscribers, `SESSIONREG_STATUS_INVALID_INPUT`
 * for what is no id of an event.
 */
sessionreg_status sessionreg_restore_subscribe(sessionreg_restore_table *table,
                                               const char *session_id,
                                               const char *last_event_id,
                                               sessionreg_subscription **subscription,
                                               sessionreg_error **error);

/**
 * Gives the next event, for the caller to free; waits for it for `timeout_ms` milliseconds at most,
 * 0 only looks, -1 waits without end. NULL if there was none in time, or the subscriber has had its
 * last one, as `sessionreg_subscription_over` says.
 */
sessionreg_status sessionreg_subscription_next(sessionreg_subscription *subscription,
                                               int64_t timeout_ms,
                                               sessionreg_event **event,
                                               sessionreg_error **error);

/** Whether the subscriber has had its last event. */
bool sessionreg_subscription_over(const sessionreg_subscription *subscription);

/**
 * Unsubscribes, and frees the subscription. An unattached session that is to end ends with its last
 * subscriber. NULL is fine.
 */
void sessionreg_subscription_free(sessionreg_subscription *subscription);

/** What the event says. */
sessionreg_event_kind sessionreg_event_kind_of(const sessionreg_event *event);

/** Where it stands, `<epoch>-<number>`: of `SESSIONREG_EVENT_PUBLISHED`. */
sessionreg_text sessionreg_event_id(const sessionreg_event *event);

/** Its number, of which the first in an epoch is 1: of `SESSIONREG_EVENT_PUBLISHED`. */
int64_t sessionreg_event_number(const sessionreg_event *event);

/** What was published, any bytes: of `SESSIONREG_EVENT_PUBLISHED`. */
sessionreg_text sessionreg_event_data(const sessionreg_event *event);

/** How many events are not kept any more: of `SESSIONREG_EVENT_GAP`. */
int64_t sessionreg_event_missed(const sessionreg_event *event);

/** Why the session has ended: of `SESSIONREG_EVENT_ENDED`. */
sessionreg_end_reason sessionreg_event_end_reason(const sessionreg_event *event);

/** Frees an event. NULL is fine. */
void sessionreg_event_free(sessionreg_event *event);

/*
 * The sessions of a table
 * -----------------------
 */

/** How far a session has come. */
enum sessionreg_stage
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /** None: of NULL. */
  SESSIONREG_STAGE_NONE = 0,
  /** Its restore runs, and somebody waits for it. */
  SESSIONREG_STAGE_RESTORING = 1,
  /** Its restore runs, and its outcome will be discarded. */
  SESSIONREG_STAGE_ABANDONED = 2,
  /** It is there. */
  SESSIONREG_STAGE_LIVE = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sessionreg_stage sessionreg_stage;
#else
typedef uint32_t sessionreg_stage;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a table says of one session, borrowed from a list. It never changes: threads may look at one
 * at the same time.
 */
typedef struct sessionreg_restored sessionreg_restored;

/**
 * Every session of a table, at one time. It never changes: threads may look at one at the same time.
 * What is borrowed from it stays until it is freed.
 */
typedef struct sessionreg_restored_list sessionreg_restored_list;

/**
 * The word for a stage, the same in every language, such as `live`. NULL for
 * `SESSIONREG_STAGE_NONE` and for a number that is no stage. It is never freed.
 */
const char *sessionreg_stage_string(uint32_t stage);

/** Lists every session of a table, live or on its way, in the order of the ids. */
sessionreg_status sessionreg_restore_sessions(const sessionreg_restore_table *table,
                                              sessionreg_restored_list **list,
                                              sessionreg_error **error);

/** How many sessions there are. */
size_t sessionreg_restored_list_len(const sessionreg_restored_list *list);

/** A session, borrowed. NULL beyond the last. */
const sessionreg_restored *sessionreg_restored_list_get(const sessionreg_restored_list *list,
                                                        size_t index);

/** Its id. */
sessionreg_text sessionreg_restored_session_id(const sessionreg_restored *session);

/** How it came, or comes, to life. */
sessionreg_action sessionreg_restored_action(const sessionreg_restored *session);

/** How far it has come. */
sessionreg_stage sessionreg_restored_stage(const sessionreg_restored *session);

/** Leases that were not released; of a restore, callers that wait for it. */
size_t sessionreg_restored_attachments(const sessionreg_restored *session);

/** Subscribers of its events. */
size_t sessionreg_restored_subscribers(const sessionreg_restored *session);

/** Frees a list, and all that was borrowed from it. NULL is fine. */
void sessionreg_restored_list_free(sessionreg_restored_list *list);

#ifdef __cplusplus
}
#endif

#endif /* SESSIONREG_H */
