/*
 * sessionreg: which agent sessions run on this machine.
 *
 * A session record is one small JSON file that says which process serves a session, in which
 * folder, and since when. This library makes such records, writes them so that every reader sees
 * a complete one at every instant, reads them strictly, removes them safely, and judges whether
 * the process that a record names is still there.
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
 * NULL. It is allowed for `options`, for `error`, for `home`, in every `_free`, and for members of
 * a structure. Anywhere else it is `SESSIONREG_STATUS_INVALID_INPUT`; a function that returns a
 * value instead of a status returns the absent value.
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
 * Time. Seconds since the Unix epoch, with fractions.
 *
 * Threads. Every function may be called from every thread. What threads may do with one object at
 * the same time is said with its type; a structure whose members are shown is plain memory.
 *
 * Fork. Nothing here belongs to a thread or holds a lock between two calls. A forked child may use
 * and free what it inherited; no file is removed by that.
 *
 * Defects. Should one of this library's own show itself by a panic, the call returns
 * `SESSIONREG_STATUS_PANIC` and the process goes on; a message is on standard error.
 *
 * Numbers. The numbers of statuses, states and reasons are fixed, and none is ever used for
 * something else. Later versions may add some: be prepared for one that this header does not name.
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
    /* terminal_pane */ NULL }

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
 * `entrypoint`, `transcript_path`, `parent_session_id`, `terminal_multiplexer`, `terminal_session`
 * or `terminal_pane`. Any other is `SESSIONREG_STATUS_INVALID_INPUT`. Text that was borrowed from
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
 * The word for a reason, the same in every language, such as `verified`. NULL for a number that is
 * no reason. It is never freed.
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

#ifdef __cplusplus
}
#endif

#endif /* SESSIONREG_H */
