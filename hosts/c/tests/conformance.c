/*
 * The table of `hosts/conformance`, whose README.md describes it: conformance TABLE RESULTS DIRECTORY
 *
 * Each row runs in the directory, which is created for it and removed. A row that the table skips for C runs too, and
 * fails if it passes. With QUEUE_STORE_DATABASE, the queues are in that database.
 */

#include <jansson.h>
#include <pthread.h>
#include <queue_store.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition) check((condition) != 0, #condition, __LINE__)

static void check(int holds, const char *condition, int line)
{
    if (!holds) {
        fprintf(stderr, "line %d: %s\n", line, condition);
        exit(1);
    }
}

/* The result of a call or an argument that the header does not have. */
enum { ABSENT = -1 };

static const char *code_name(int code)
{
    static const char *const names[] = {
        [QS_OK] = "none", [QS_INVALID_ARGUMENT] = "invalid-argument", [QS_NOT_FOUND] = "not-found",
        [QS_EXISTS] = "exists", [QS_CONFLICT] = "conflict", [QS_CORRUPT] = "corrupt",
        [QS_CHECKSUM_MISMATCH] = "checksum-mismatch", [QS_ID_MISMATCH] = "id-mismatch", [QS_TOO_LARGE] = "too-large",
        [QS_QUEUE_FULL] = "queue-full", [QS_NO_SPACE] = "no-space", [QS_QUOTA] = "quota", [QS_READ_ONLY] = "read-only",
        [QS_ACCESS] = "access", [QS_UNSUPPORTED] = "unsupported", [QS_BUSY] = "busy", [QS_IO] = "io",
        [QS_ABORTED] = "aborted", [QS_INDETERMINATE] = "indeterminate", [QS_NEEDS_RECOVERY] = "needs-recovery",
        [QS_OTHER] = "other", [QS_DIRECTORY] = "directory", [QS_COMPONENT] = "component", [QS_FORKED] = "forked",
    };
    return code == ABSENT ? "absent from the header" : names[code];
}

/* The URL of a database in which the rows have their queues, or NULL; and the process whose rows they are. */
static const char *database;
static pid_t parent;

/* The state that the steps of a row share. */
struct session {
    const char *directory;
    const char *row; /* its name */
    const json_t *mail; /* the fields that a put leaves out */
    qs_queue *queue;
    qs_draft *draft;
    json_t *values;     /* the values of earlier steps, by name */
    char failure[2000]; /* of the step that failed */
};

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Decodes base64 into memory that the caller frees. */
static unsigned char *decode(const json_t *text, size_t *size)
{
    const char *digits = json_string_value(text);
    size_t length = json_string_length(text);
    unsigned char *bytes = malloc(length + 1);
    unsigned int bits = 0, held = 0;
    *size = 0;
    for (size_t i = 0; i < length && digits[i] != '='; i++) {
        const char *digit = strchr(ALPHABET, digits[i]);
        CHECK(digit != NULL);
        bits = bits << 6 | (unsigned int)(digit - ALPHABET);
        held += 6;
        if (held >= 8) {
            held -= 8;
            bytes[(*size)++] = (unsigned char)(bits >> held);
        }
    }
    return bytes;
}

static json_t *encode(const unsigned char *bytes, size_t size)
{
    size_t length = (size + 2) / 3 * 4;
    char *digits = malloc(length + 1), *digit = digits;
    for (size_t i = 0; i < size; i += 3) {
        unsigned int bits = (unsigned int)bytes[i] << 16;
        bits |= i + 1 < size ? (unsigned int)bytes[i + 1] << 8 : 0;
        bits |= i + 2 < size ? bytes[i + 2] : 0;
        *digit++ = ALPHABET[bits >> 18];
        *digit++ = ALPHABET[bits >> 12 & 63];
        *digit++ = i + 1 < size ? ALPHABET[bits >> 6 & 63] : '=';
        *digit++ = i + 2 < size ? ALPHABET[bits & 63] : '=';
    }
    json_t *text = json_stringn(digits, length);
    free(digits);
    return text;
}

/* Returns a copy of a value whose names of values and repetitions are replaced. */
static json_t *resolve(const struct session *session, json_t *value)
{
    const char *name;
    json_t *element;
    size_t i;
    if (json_is_string(value) && json_string_value(value)[0] == '$') {
        json_t *named = json_object_get(session->values, json_string_value(value) + 1);
        CHECK(named != NULL);
        return resolve(session, named);
    }
    if (json_object_get(value, "repeat") != NULL) {
        json_t *unit = resolve(session, json_object_get(value, "repeat"));
        size_t length = json_string_length(unit), times = (size_t)json_integer_value(json_object_get(value, "times"));
        char *text = malloc(length * times + 1);
        for (i = 0; i < times; i++)
            memcpy(text + i * length, json_string_value(unit), length);
        json_t *repeated = json_stringn_nocheck(text, length * times);
        free(text);
        json_decref(unit);
        return repeated;
    }
    json_t *copy = json_copy(value);
    if (json_is_array(value))
        json_array_foreach(value, i, element)
            json_array_set_new(copy, i, resolve(session, element));
    if (json_is_object(value))
        json_object_foreach(value, name, element)
            json_object_set_new(copy, name, resolve(session, element));
    return copy;
}

/* Returns whether a result has every field that is expected. */
static bool contains(const json_t *actual, json_t *expected)
{
    const char *name;
    json_t *element;
    size_t i;
    if (json_is_object(expected)) {
        json_object_foreach(expected, name, element)
            if (!contains(json_object_get(actual, name), element))
                return false;
        return json_is_object(actual);
    }
    if (json_is_array(expected)) {
        json_array_foreach(expected, i, element)
            if (!contains(json_array_get(actual, i), element))
                return false;
        return json_is_array(actual) && json_array_size(actual) == json_array_size(expected);
    }
    return json_equal(actual, expected);
}

static const char *string(const json_t *arguments, const char *name)
{
    return json_string_value(json_object_get(arguments, name));
}

static json_int_t integer(const json_t *arguments, const char *name)
{
    return json_integer_value(json_object_get(arguments, name));
}

/* Returns the index of a name; -1 if it is unknown. */
static int number(const char *name, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return -1;
}

static const char *const STATES[] = {"ready", "held", "quarantined"};

/* Makes the mail of a put; `to` is freed by the caller. */
static qs_mail mail(const struct session *session, json_t *arguments)
{
    static const char *const durabilities[] = {"full", "content-only", "none"};
    json_t *defaults = resolve(session, (json_t *)session->mail);
    json_object_update_missing(arguments, defaults);
    json_decref(defaults);
    const json_t *addresses = json_object_get(arguments, "to");
    size_t count = json_array_size(addresses);
    const char **to = calloc(count + 1, sizeof *to);
    for (size_t i = 0; i < count; i++)
        to[i] = json_string_value(json_array_get(addresses, i));
    const char *durability = string(arguments, "durability"), *format = string(arguments, "format");
    return (qs_mail){
        .sender = string(arguments, "sender"),
        .to = to,
        .to_count = count,
        .id = string(arguments, "id"),
        .durability = durability == NULL ? QS_FULL : number(durability, durabilities, 3),
        .is_binary = format != NULL && strcmp(format, "binary") == 0,
        .max_items = (uint64_t)integer(arguments, "max-items"),
        .max_body_bytes = (uint64_t)integer(arguments, "max-body-bytes"),
    };
}

static int call_open(struct session *session, json_t *arguments, json_t **result)
{
    char path[4096];
    const char *name = string(arguments, "path");
    (void)result;
    if (database != NULL && name != NULL)
        return ABSENT; /* a database has no paths */
    name = name == NULL ? "queue" : name;
    int is_joined = name[0] != '/' && name[0] != 0;
    if (database != NULL)
        /* The rows share one directory, whose name would not tell their queues apart. */
        snprintf(path, sizeof path, "%s%cqueue=c-%d-%s", database, strchr(database, '?') == NULL ? '?' : '&',
                 (int)parent, session->row);
    else
        snprintf(path, sizeof path, "%s%s%s", is_joined ? session->directory : "", is_joined ? "/" : "", name);
    qs_close(session->queue);
    session->queue = NULL;
    return qs_open(path, &session->queue);
}

static int call_put(struct session *session, json_t *arguments, json_t **result)
{
    char id[QS_ID_SIZE];
    size_t size;
    qs_mail to_put = mail(session, arguments);
    unsigned char *body = decode(json_object_get(arguments, "body"), &size);
    int code = qs_put(session->queue, &to_put, body, size, id);
    free(body);
    free((void *)to_put.to);
    *result = code == QS_OK ? json_string(id) : NULL;
    return code;
}

static int call_begin(struct session *session, json_t *arguments, json_t **result)
{
    (void)result;
    qs_mail to_put = mail(session, arguments);
    int code = qs_draft_begin(session->queue, &to_put, &session->draft);
    free((void *)to_put.to);
    return code;
}

static int call_write(struct session *session, json_t *arguments, json_t **result)
{
    size_t size;
    (void)result;
    unsigned char *bytes = decode(json_object_get(arguments, "bytes"), &size);
    int code = qs_draft_write(session->draft, bytes, size);
    free(bytes);
    return code;
}

static int call_commit(struct session *session, json_t *arguments, json_t **result)
{
    char id[QS_ID_SIZE];
    (void)arguments;
    int code = qs_draft_commit(session->draft, id);
    session->draft = NULL;
    *result = code == QS_OK ? json_string(id) : NULL;
    return code;
}

static int call_abandon(struct session *session, json_t *arguments, json_t **result)
{
    (void)arguments, (void)result;
    qs_draft_abandon(session->draft);
    session->draft = NULL;
    return QS_OK;
}

static int call_read(struct session *session, json_t *arguments, json_t **result)
{
    qs_body *body = NULL;
    unsigned char *bytes = NULL;
    size_t size = 0, read = 0;
    int code = qs_body_open(session->queue, string(arguments, "id"), (uint64_t)integer(arguments, "offset"), &body);
    while (code == QS_OK) {
        bytes = realloc(bytes, size + 1000);
        code = qs_body_read(body, bytes + size, 1000, &read);
        size += code == QS_OK ? read : 0;
        if (code == QS_OK && read == 0) {
            *result = encode(bytes, size);
            break;
        }
    }
    qs_body_close(body);
    free(bytes);
    return code;
}

static json_t *recipients(const qs_entry *entry)
{
    json_t *list = json_array();
    for (size_t i = 0; i < entry->recipient_count; i++) {
        const qs_recipient *recipient = &entry->recipients[i];
        json_array_append_new(list, json_pack("{ss si si ss}", "address", recipient->address, "kind", recipient->kind,
                                              "status", recipient->status, "last-failure-message",
                                              recipient->last_failure_message));
    }
    return list;
}

/* Lists the items by their ids. */
static int call_list(struct session *session, json_t *arguments, json_t **result)
{
    qs_list *list = NULL;
    qs_entry entry;
    (void)arguments;
    json_t *entries = json_array();
    int code = qs_list_open(session->queue, &list);
    while (code == QS_OK && (code = qs_list_next(list, &entry)) == QS_OK && entry.id != NULL) {
        size_t place = 0;
        while (place < json_array_size(entries) && strcmp(string(json_array_get(entries, place), "id"), entry.id) < 0)
            place++;
        const char *problem = entry.problem == QS_OK ? NULL : code_name(entry.problem);
        json_array_insert_new(entries, place, json_pack("{ss ss ss? ss so ss}", "id", entry.id, "state",
                                                        STATES[entry.state], "problem", problem, "sender", entry.sender,
                                                        "recipients", recipients(&entry), "revision", entry.revision));
    }
    qs_list_close(list);
    *result = entries;
    return code;
}

static int call_revision(struct session *session, json_t *arguments, json_t **result)
{
    json_t *entries = NULL, *entry;
    size_t i;
    int code = call_list(session, arguments, &entries);
    json_array_foreach(entries, i, entry)
        if (strcmp(string(entry, "id"), string(arguments, "id")) == 0)
            *result = json_incref(json_object_get(entry, "revision"));
    json_decref(entries);
    return code;
}

static int call_record_attempts(struct session *session, json_t *arguments, json_t **result)
{
    const json_t *attempts = json_object_get(arguments, "attempts"), *attempt = json_array_get(attempts, 0);
    (void)result;
    if (json_array_size(attempts) != 1)
        return ABSENT;
    return qs_record_attempt(session->queue, string(arguments, "id"), (uint32_t)integer(attempt, "recipient"),
                             (int32_t)integer(attempt, "status"), string(attempt, "message"),
                             string(arguments, "if-revision"));
}

static int call_set_state(struct session *session, json_t *arguments, json_t **result)
{
    (void)result;
    return qs_set_state(session->queue, string(arguments, "id"), number(string(arguments, "state"), STATES, 3));
}

static int call_remove(struct session *session, json_t *arguments, json_t **result)
{
    (void)result;
    return qs_remove(session->queue, string(arguments, "id"));
}

static int call_needs_recovery(struct session *session, json_t *arguments, json_t **result)
{
    (void)arguments;
    int needs_recovery;
    int code = qs_needs_recovery(session->queue, &needs_recovery);
    if (code == QS_OK)
        *result = json_boolean(needs_recovery);
    return code;
}

static int call_recover(struct session *session, json_t *arguments, json_t **result)
{
    qs_recovery recovery;
    int code = qs_recover(session->queue, (uint32_t)integer(arguments, "grace"), &recovery);
    if (code == QS_OK)
        *result = json_pack("{sI sI sI sI sI sI}", "durable-items", (json_int_t)recovery.durable_items, "damaged-items",
                            (json_int_t)recovery.damaged_items, "temporary-removed",
                            (json_int_t)recovery.temporary_removed, "temporary-kept",
                            (json_int_t)recovery.temporary_kept, "rewritten", (json_int_t)recovery.rewritten,
                            "problems", (json_int_t)recovery.problems);
    return code;
}

/* Runs a script in a directory, and returns its standard output; NULL if it fails. */
static json_t *shell(const char *directory, const char *script)
{
    char command[8192], output[8192];
    CHECK((size_t)snprintf(command, sizeof command, "cd '%s' && exec 2>/dev/null || exit; %s", directory, script) < sizeof command);
    FILE *pipe = popen(command, "r");
    CHECK(pipe != NULL);
    size_t size = fread(output, 1, sizeof output, pipe);
    return pclose(pipe) == 0 ? json_stringn(output, size) : NULL;
}

static int call_shell(struct session *session, json_t *arguments, json_t **result)
{
    *result = shell(session->directory, string(arguments, "script"));
    return *result == NULL ? ABSENT : QS_OK;
}

static bool run(struct session *session, json_t *steps);

struct thread {
    pthread_t thread;
    struct session session;
    json_t *steps;
    bool passes;
};

static void *run_thread(void *argument)
{
    struct thread *thread = argument;
    thread->passes = run(&thread->session, thread->steps);
    return NULL;
}

static int call_at_once(struct session *session, json_t *arguments, json_t **result)
{
    struct thread threads[16];
    size_t count = (size_t)integer(arguments, "times");
    int code = QS_OK;
    (void)result;
    CHECK(count <= 16);
    for (size_t i = 0; i < count; i++) {
        threads[i] = (struct thread){.session = *session, .steps = json_object_get(arguments, "steps")};
        threads[i].session.values = json_deep_copy(session->values);
    }
    for (size_t i = 0; i < count; i++)
        CHECK(pthread_create(&threads[i].thread, NULL, run_thread, &threads[i]) == 0);
    for (size_t i = 0; i < count; i++) {
        CHECK(pthread_join(threads[i].thread, NULL) == 0);
        json_decref(threads[i].session.values);
        if (!threads[i].passes) {
            fprintf(stderr, "in a thread: %s\n", threads[i].session.failure);
            code = QS_OTHER;
        }
    }
    return code;
}

static int call_fork(struct session *session, json_t *arguments, json_t **result)
{
    int status = 0;
    (void)result;
    pid_t child = fork();
    if (child == 0) {
        bool passes = run(session, json_object_get(arguments, "steps"));
        if (!passes)
            fprintf(stderr, "in the child: %s\n", session->failure);
        _exit(!passes);
    }
    CHECK(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? QS_OK : QS_OTHER;
}

#define MAIL "sender", "to", "id", "durability", "format", "max-items", "max-body-bytes"

static const struct call {
    const char *name;
    int (*function)(struct session *, json_t *, json_t **);
    const char *takes[10];
} CALLS[] = {
    {"open", call_open, {"path"}},
    {"put", call_put, {MAIL, "body"}},
    {"begin", call_begin, {MAIL}},
    {"write", call_write, {"bytes"}},
    {"commit", call_commit, {NULL}},
    {"abandon", call_abandon, {NULL}},
    {"read", call_read, {"id", "offset"}},
    {"list", call_list, {NULL}},
    {"revision", call_revision, {"id"}},
    {"record-attempts", call_record_attempts, {"id", "attempts", "if-revision"}},
    {"set-state", call_set_state, {"id", "state"}},
    {"remove", call_remove, {"id"}},
    {"needs-recovery", call_needs_recovery, {NULL}},
    {"recover", call_recover, {"grace"}},
    {"shell", call_shell, {"script"}},
    {"at-once", call_at_once, {"times", "steps"}},
    {"fork", call_fork, {"steps"}},
};

static bool has_nul(const json_t *value)
{
    json_t *element;
    size_t i;
    json_array_foreach(value, i, element)
        if (has_nul(element))
            return true;
    return json_is_string(value) && strlen(json_string_value(value)) != json_string_length(value);
}

/* Makes the call of a step, as far as the header has it. */
static int make(struct session *session, const char *name, json_t *arguments, json_t **result)
{
    for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++) {
        const char *argument;
        json_t *value;
        if (strcmp(CALLS[i].name, name) != 0)
            continue;
        json_object_foreach(arguments, argument, value) {
            int count = 0;
            while (CALLS[i].takes[count] != NULL)
                count++;
            if (number(argument, CALLS[i].takes, count) < 0 || has_nul(value))
                return ABSENT;
        }
        return CALLS[i].function(session, arguments, result);
    }
    return ABSENT;
}

static bool run_step(struct session *session, json_t *step)
{
    static const char *const others[] = {"call", "result", "error", "as"};
    json_t *arguments = json_object(), *result = NULL, *value;
    const char *name, *error = string(step, "error"), *as = string(step, "as");
    json_object_foreach(step, name, value) {
        bool is_resolved = strcmp(name, "steps") != 0;
        if (number(name, others, 4) < 0)
            json_object_set_new(arguments, name, is_resolved ? resolve(session, value) : json_incref(value));
    }
    json_t *look = database != NULL && strcmp(string(step, "call"), "shell") == 0 ? json_object_get(step, "result") : NULL;
    int code = QS_OK;
    if (look != NULL)
        result = resolve(session, look); /* a database has no files to look at */
    else
        code = make(session, string(step, "call"), arguments, &result);
    bool passes = strcmp(code_name(code), error == NULL ? "none" : error) == 0;
    if (passes && json_object_get(step, "result") != NULL) {
        json_t *expected = resolve(session, json_object_get(step, "result"));
        passes = contains(result, expected);
        json_decref(expected);
    }
    if (!passes) {
        char *step_text = json_dumps(step, 0), *result_text = json_dumps(result, JSON_ENCODE_ANY);
        snprintf(session->failure, sizeof session->failure, "%.900s: the error is %s, the result %.900s", step_text,
                 code_name(code), result_text == NULL ? "none" : result_text);
        free(step_text);
        free(result_text);
    } else if (as != NULL) {
        json_object_set(session->values, as, result == NULL ? json_null() : result);
    }
    json_decref(arguments);
    json_decref(result);
    return passes;
}

static bool run(struct session *session, json_t *steps)
{
    json_t *step;
    size_t i;
    json_array_foreach(steps, i, step)
        if (!run_step(session, step))
            return false;
    return true;
}

/* Runs a row: "passed", "skipped", "missing" (a requirement) or "failed". Prints the reason. */
static const char *run_row(const json_t *table, const json_t *row, const char *directory)
{
    char rm[4096];
    const json_t *requires = json_object_get(row, "requires"), *skips = json_object_get(row, "skip");
    const char *name = string(row, "name"), *skip = string(skips, "c"), *reason;
    const char *answer = "failed", *cleanup = string(row, "cleanup");
    /* The host `postgres` is Rust, with its reasons and those of the database. */
    if (skip == NULL && database != NULL && json_object_get(skips, "rust") == NULL)
        skip = string(skips, "postgres");
    reason = skip;
    CHECK(mkdir(directory, 0700) == 0);
    struct session session = {.directory = directory, .row = name, .mail = json_object_get(table, "mail")};
    session.values = json_deep_copy(json_object_get(table, "values"));
    json_object_set_new(session.values, "host", json_string("c"));
    json_t *met = requires == NULL ? json_null() : shell(directory, string(requires, "script"));
    if (met == NULL) {
        answer = "missing";
        reason = string(requires, "reason");
    } else {
        bool passes = run(&session, json_object_get(row, "steps"));
        qs_draft_abandon(session.draft);
        qs_close(session.queue);
        if (passes) {
            answer = skip == NULL ? "passed" : "failed";
            reason = "it passes, and the table skips it";
        } else {
            answer = skip == NULL ? "failed" : "skipped";
            reason = skip == NULL ? session.failure : skip;
        }
        if (cleanup != NULL) {
            json_t *output = shell(directory, cleanup);
            CHECK(output != NULL);
            json_decref(output);
        }
        json_decref(met);
    }
    if (strcmp(answer, "passed") != 0)
        fprintf(stderr, "c%s: %s: %s: %s\n", database == NULL ? "" : "-postgres", answer, name, reason);
    json_decref(session.values);
    snprintf(rm, sizeof rm, "rm -r '%s'", directory);
    CHECK(system(rm) == 0);
    return answer;
}

int main(int argc, char **argv)
{
    json_error_t error;
    json_t *row, *rows = json_object();
    const char *all = getenv("QUEUE_STORE_REQUIRE_ALL");
    size_t i;
    int failures = 0;
    CHECK(argc == 4);
    database = getenv("QUEUE_STORE_DATABASE");
    parent = getpid();
    json_t *table = json_load_file(argv[1], JSON_ALLOW_NUL, &error);
    CHECK(table != NULL);
    json_array_foreach(json_object_get(table, "rows"), i, row) {
        const char *answer = run_row(table, row, argv[3]);
        failures += strcmp(answer, "failed") == 0;
        failures += strcmp(answer, "missing") == 0 && all != NULL && strcmp(all, "1") == 0;
        json_object_set_new(rows, string(row, "name"), json_string(answer));
    }
    json_t *results = json_pack("{ss so}", "version", QUEUE_STORE_VERSION, "rows", rows);
    CHECK(json_dump_file(results, argv[2], JSON_INDENT(2)) == 0);
    json_decref(results);
    json_decref(table);
    return failures == 0 ? 0 : 1;
}
