/*
 * A durable mail queue. A mail survives power loss when `qs_put` or `qs_draft_commit` returns QS_OK.
 *
 * Functions return QS_OK or an error code, by which callers decide; `qs_error_message` has the words. The guarantees
 * and the errors of each function are those of the function of its name in the contract (`wit/` in the project).
 *
 * Strings are UTF-8 and end with a zero. Threads may share a queue; a draft, a body and a list are one thread's at a time.
 * A process that is forked opens its queues anew: what it inherits answers QS_FORKED, and closing that changes nothing of
 * the parent's.
 */
#ifndef QUEUE_STORE_H
#define QUEUE_STORE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The codes of errors. */
enum qs_code {
    QS_OK = 0,
    QS_INVALID_ARGUMENT = 1, /* it cannot succeed with these arguments */
    QS_NOT_FOUND = 2,        /* no such item */
    QS_EXISTS = 3,           /* the id is taken by an item that survives power loss; after a retry: a success */
    QS_CONFLICT = 4,         /* the item's state forbids the call, or it was replaced meanwhile */
    QS_CORRUPT = 5,          /* the item is damaged */
    QS_CHECKSUM_MISMATCH = 6,
    QS_ID_MISMATCH = 7, /* the item's field `ID` is not the id of its file */
    QS_TOO_LARGE = 8,
    QS_QUEUE_FULL = 9, /* `max_items` */
    QS_NO_SPACE = 10,
    QS_QUOTA = 11,
    QS_READ_ONLY = 12,
    QS_ACCESS = 13, /* no permission */
    QS_UNSUPPORTED = 14,
    QS_BUSY = 15, /* descriptors, threads or memory are used up: try again later */
    QS_IO = 16,
    QS_ABORTED = 17,        /* the draft, the body or the list failed before */
    QS_INDETERMINATE = 18,  /* the effect is visible, or may be: `qs_recover`, then look */
    QS_NEEDS_RECOVERY = 19, /* an fsync failed; nothing was changed: `qs_recover` */
    QS_OTHER = 20,
    QS_DIRECTORY = 100, /* the directory cannot be opened or created */
    QS_COMPONENT = 101, /* the component needed too much memory or time, or trapped: the effect is complete or absent */
    QS_FORKED = 102     /* it belongs to the parent of this process */
};

/* Where an item is. */
enum qs_state {
    QS_READY = 0,      /* chasquid delivers it */
    QS_HELD = 1,       /* invisible to chasquid */
    QS_QUARANTINED = 2 /* set aside as damaged */
};

/* When a change may be acknowledged. */
enum qs_durability {
    QS_FULL = 0,         /* it survives power loss */
    QS_CONTENT_ONLY = 1, /* it is not lost in part */
    QS_NONE = 2          /* it survives the process alone */
};

/* Bytes of an id with its zero, at most. */
#define QS_ID_SIZE 256

typedef struct qs_queue qs_queue;
typedef struct qs_draft qs_draft;
typedef struct qs_body qs_body;
typedef struct qs_list qs_list;

/* The envelope of a mail to put, and how it is written. Zeros are defaults, but for `to` and `to_count`. */
typedef struct qs_mail {
    const char *sender;      /* the reverse-path; NULL or empty: the null reverse-path, which reads back as "<>" */
    const char *const *to;   /* the addresses, each of which gets a delivery; refused where empty or with a line break */
    size_t to_count;
    const char *id;          /* NULL: a generated one */
    int durability;          /* enum qs_durability */
    int is_binary;           /* not 0: the binary format, which chasquid does not read */
    uint64_t max_items;      /* not 0: QS_QUEUE_FULL where the queue holds this many */
    uint64_t max_body_bytes; /* not 0: QS_TOO_LARGE for a larger body */
} qs_mail;

/* A delivery. */
typedef struct qs_recipient {
    const char *address;
    int32_t kind;   /* 0 EMAIL, 1 PIPE, 2 FORWARD */
    int32_t status; /* 0 PENDING, 1 SENT, 2 FAILED */
    const char *last_failure_message;
} qs_recipient;

/* An item of a list. Its pointers are valid until the next call for the list. */
typedef struct qs_entry {
    const char *id;
    int state;                      /* enum qs_state */
    int problem;                    /* QS_OK, or what is wrong with the item; then what follows `message` is empty */
    const char *message;            /* the words for `problem`, or empty */
    const char *sender;
    const qs_recipient *recipients;
    size_t recipient_count;
    int64_t created_at;             /* seconds since 1970; 0 if unknown */
    uint64_t file_size;             /* bytes */
    const char *revision;           /* changes with each change of the item */
} qs_entry;

/* The report of a recovery. */
typedef struct qs_recovery {
    uint64_t durable_items;
    uint64_t damaged_items;
    uint64_t temporary_removed;
    uint64_t temporary_kept;
    uint64_t rewritten;
    uint64_t problems; /* of very many, some are not counted; the words of the first are in `qs_error_message` */
} qs_recovery;

/* The words for the last error of this thread: one line, valid until the thread's next call. Empty after QS_OK. */
const char *qs_error_message(void);

/*
 * Opens the queue in a directory, which is created durably, with mode 0700, if it does not exist, or in the database of a
 * URL, `postgres://user@host1,host2/database?queue=name`, which must exist; and recovers it with a grace of 36 hours.
 * `*queue` is set where QS_OK is returned. An empty path is refused with QS_DIRECTORY.
 */
int qs_open(const char *path, qs_queue **queue);

/* Closes a queue; NULL is allowed. Drafts, bodies and lists of it that are open stay usable. */
void qs_close(qs_queue *queue);

/* Queues a mail. `id` may be NULL; otherwise it gets the id, and has QS_ID_SIZE bytes. */
int qs_put(qs_queue *queue, const qs_mail *mail, const void *body, size_t body_size, char *id);

/* Begins a mail that is written in pieces. */
int qs_draft_begin(qs_queue *queue, const qs_mail *mail, qs_draft **draft);
int qs_draft_write(qs_draft *draft, const void *bytes, size_t size);
/* Queues the mail. The draft is gone, also where it fails: no function takes it again. `id` is as in `qs_put`. */
int qs_draft_commit(qs_draft *draft, char *id);
/* Gives the mail up, which leaves nothing. The draft is gone. NULL is allowed. */
void qs_draft_abandon(qs_draft *draft);

/* Opens the body of an item, `offset` bytes from its beginning. */
int qs_body_open(qs_queue *queue, const char *id, uint64_t offset, qs_body **body);
/* Reads at most `capacity` bytes. `*size` is 0 at the end, and there alone: then the body was intact, if it was opened
   at offset 0. */
int qs_body_read(qs_body *body, void *bytes, size_t capacity, size_t *size);
void qs_body_close(qs_body *body);

/* Lists every item with its envelope, in no order. */
int qs_list_open(qs_queue *queue, qs_list **list);
/* Sets `*entry`; at the end, its `id` is NULL. */
int qs_list_next(qs_list *list, qs_entry *entry);
void qs_list_close(qs_list *list);

/*
 * Records the result of a delivery: the index of the recipient, its new status, and the message of a failure or NULL. With
 * `if_revision`, QS_CONFLICT where the item has another revision.
 */
int qs_record_attempt(qs_queue *queue, const char *id, uint32_t recipient, int32_t status, const char *message,
                      const char *if_revision);

/* Moves an item to a state (enum qs_state). */
int qs_set_state(qs_queue *queue, const char *id, int state);

/* Removes an item that is ready or held. */
int qs_remove(qs_queue *queue, const char *id);

/*
 * Sets `*needs_recovery` to 1 where the queue refuses changes until `qs_recover`, because an fsync failed; otherwise to 0. Of
 * a queue that a forked process inherited it tells nothing.
 */
int qs_needs_recovery(qs_queue *queue, int *needs_recovery);

/*
 * Makes the queue's state definite, and opens it for changes: after QS_INDETERMINATE or QS_NEEDS_RECOVERY. It stays closed
 * where an item could not be made durable, as on a full disk: `qs_needs_recovery` tells so. Temporary files
 * that are at least `grace_seconds` old are removed; 0 requires that no other process writes. `recovery` may be NULL.
 */
int qs_recover(qs_queue *queue, uint32_t grace_seconds, qs_recovery *recovery);

#ifdef __cplusplus
}
#endif

#endif
