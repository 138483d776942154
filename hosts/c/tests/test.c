/* The functions of the header, and what a host must not break: test DIRECTORY */

#include <errno.h>
#include <pthread.h>
#include <queue_store.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition) check((condition) != 0, #condition, __LINE__)
#define CODE(expected, call) check_code((expected), (call), #call, __LINE__)

static void check(int holds, const char *condition, int line)
{
    if (!holds) {
        fprintf(stderr, "line %d: %s (%s)\n", line, condition, qs_error_message());
        exit(1);
    }
}

static void check_code(int expected, int code, const char *call, int line)
{
    if (code != expected) {
        fprintf(stderr, "line %d: %s is %d: %s\n", line, call, code, qs_error_message());
        exit(1);
    }
    if ((code == QS_OK) != (qs_error_message()[0] == 0) || strchr(qs_error_message(), '\n') != NULL) {
        fprintf(stderr, "line %d: %s has the message: %s\n", line, call, qs_error_message());
        exit(1);
    }
}

static const char *const TO[] = {"b@example.com", "c@example.com"};
static const qs_mail MAIL = {.sender = "a@example.com", .to = TO, .to_count = 2};

static qs_mail with_id(const char *id)
{
    qs_mail mail = MAIL;
    mail.id = id;
    return mail;
}

static void check_body(qs_queue *queue, const char *id, const char *expected, size_t size)
{
    qs_body *body = NULL;
    char buffer[1000];
    size_t read = 0, offset = 0;
    CODE(QS_OK, qs_body_open(queue, id, 0, &body));
    while (qs_body_read(body, buffer, sizeof buffer, &read) == QS_OK && read > 0) {
        CHECK(offset + read <= size && memcmp(buffer, expected + offset, read) == 0);
        offset += read;
    }
    CODE(QS_OK, qs_body_read(body, buffer, sizeof buffer, &read));
    CHECK(read == 0 && offset == size);
    qs_body_close(body);
}

static void test_puts(qs_queue *queue)
{
    size_t size = 300000;
    char *large = malloc(size), id[QS_ID_SIZE];
    for (size_t i = 0; i < size; i++)
        large[i] = (char)(i * i >> 3);
    CODE(QS_OK, qs_put(queue, &MAIL, large, size, id));
    CHECK(strlen(id) == 11);
    check_body(queue, id, large, size);
    size_t room_size = 1 << 20, read_size = 0;
    char *room = calloc(room_size, 1);
    qs_body *whole = NULL;
    room[room_size - 1] = 'x';
    CODE(QS_OK, qs_body_open(queue, id, 0, &whole));
    CODE(QS_OK, qs_body_read(whole, room, room_size, &read_size));
    CHECK(read_size > 0 && memcmp(room, large, read_size) == 0);
    CHECK(room[room_size - 1] == 'x'); /* it is beyond what was read */
    qs_body_close(whole);
    free(room);
    CODE(QS_OK, qs_put(queue, &MAIL, NULL, 0, NULL));
    qs_mail mail = with_id("x");
    mail.is_binary = 1;
    mail.sender = NULL;
    CODE(QS_OK, qs_put(queue, &mail, "x", 1, id));
    CHECK(strcmp(id, "x") == 0);

    qs_draft *draft = NULL;
    mail = with_id("draft");
    CODE(QS_OK, qs_draft_begin(queue, &mail, &draft));
    CODE(QS_OK, qs_draft_write(draft, large, 3));
    CODE(QS_OK, qs_draft_write(draft, large + 3, size - 3));
    CODE(QS_OK, qs_draft_commit(draft, id));
    check_body(queue, "draft", large, size);
    CODE(QS_OK, qs_draft_begin(queue, &MAIL, &draft));
    CODE(QS_OK, qs_draft_write(draft, large, size));
    qs_draft_abandon(draft);
    qs_draft_abandon(NULL);

    qs_body *body = NULL;
    char buffer[10];
    size_t read = 0;
    CODE(QS_OK, qs_body_open(queue, "draft", size - 4, &body));
    CODE(QS_OK, qs_body_read(body, buffer, sizeof buffer, &read));
    CHECK(read == 4 && memcmp(buffer, large + size - 4, 4) == 0);
    CODE(QS_INVALID_ARGUMENT, qs_body_read(body, buffer, 0, &read));
    qs_body_close(body);
    free(large);
}

static void test_errors(qs_queue *queue)
{
    qs_mail mail = with_id("x");
    qs_queue *other = NULL;
    qs_body *body = NULL;
    CODE(QS_EXISTS, qs_put(queue, &mail, "", 0, NULL));
    mail = with_id("a/b");
    CODE(QS_INVALID_ARGUMENT, qs_put(queue, &mail, "", 0, NULL));
    mail = with_id("\xff");
    CODE(QS_INVALID_ARGUMENT, qs_put(queue, &mail, "", 0, NULL));
    mail = MAIL;
    mail.to_count = 0;
    CODE(QS_INVALID_ARGUMENT, qs_put(queue, &mail, "", 0, NULL));
    mail = MAIL;
    mail.to = NULL;
    CODE(QS_INVALID_ARGUMENT, qs_put(queue, &mail, "", 0, NULL));
    mail = MAIL;
    mail.max_body_bytes = 1;
    CODE(QS_TOO_LARGE, qs_put(queue, &mail, "12", 2, NULL));
    mail = MAIL;
    mail.max_items = 1;
    CODE(QS_QUEUE_FULL, qs_put(queue, &mail, "", 0, NULL));
    mail = MAIL;
    mail.durability = 7;
    CODE(QS_INVALID_ARGUMENT, qs_put(queue, &mail, "", 0, NULL));
    CODE(QS_INVALID_ARGUMENT, qs_put(queue, NULL, "", 0, NULL));
    CODE(QS_INVALID_ARGUMENT, qs_put(NULL, &MAIL, "", 0, NULL));
    CODE(QS_INVALID_ARGUMENT, qs_put(queue, &MAIL, NULL, 1, NULL));
    CODE(QS_INVALID_ARGUMENT, qs_draft_commit(NULL, NULL));
    CODE(QS_INVALID_ARGUMENT, qs_set_state(queue, "x", 3));
    CODE(QS_NOT_FOUND, qs_body_open(queue, "none", 0, &body));
    CODE(QS_NOT_FOUND, qs_remove(queue, "none"));
    CODE(QS_NOT_FOUND, qs_remove(queue, "a\nb"));
    CHECK(strstr(qs_error_message(), "/m:a\\nb: ") != NULL && strchr(qs_error_message(), '\n') == NULL);
    CODE(QS_DIRECTORY, qs_open("/proc/none", &other));
    CODE(QS_INVALID_ARGUMENT, qs_open(NULL, &other));
    CODE(QS_DIRECTORY, qs_open("", &other));
    CHECK(strcmp(qs_error_message(), "`path` is empty") == 0);
    CHECK(body == NULL && other == NULL);
    qs_close(NULL);
}

/* Returns the entry of an item in an open list, and the list that has it. */
static qs_entry find(qs_queue *queue, const char *id, qs_list **list)
{
    qs_entry entry;
    CODE(QS_OK, qs_list_open(queue, list));
    do {
        CODE(QS_OK, qs_list_next(*list, &entry));
        CHECK(entry.id != NULL);
    } while (strcmp(entry.id, id) != 0);
    return entry;
}

static void test_lists(qs_queue *queue, const char *directory)
{
    char path[4096], revision[64];
    qs_list *list = NULL;
    qs_mail mail = with_id("listed");
    CODE(QS_OK, qs_put(queue, &mail, "body", 4, NULL));
    qs_entry entry = find(queue, "listed", &list);
    CHECK(entry.state == QS_READY && entry.problem == QS_OK && strcmp(entry.message, "") == 0);
    CHECK(strcmp(entry.sender, "a@example.com") == 0 && entry.recipient_count == 2);
    CHECK(strcmp(entry.recipients[1].address, "c@example.com") == 0 && entry.recipients[1].status == 0);
    CHECK(entry.created_at > 1700000000 && entry.file_size > 100);
    snprintf(revision, sizeof revision, "%s", entry.revision);
    qs_list_close(list);

    CODE(QS_OK, qs_record_attempt(queue, "listed", 1, 2, "no such user", revision));
    CODE(QS_CONFLICT, qs_record_attempt(queue, "listed", 1, 1, NULL, revision));
    CODE(QS_OK, qs_set_state(queue, "listed", QS_HELD));
    entry = find(queue, "listed", &list);
    CHECK(entry.state == QS_HELD && entry.recipients[1].status == 2 && entry.recipients[0].status == 0);
    CHECK(strcmp(entry.recipients[1].last_failure_message, "no such user") == 0);
    qs_list_close(list);
    CODE(QS_OK, qs_remove(queue, "listed"));

    snprintf(path, sizeof path, "%s/m:damaged", directory);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs("nonsense", file) >= 0 && fclose(file) == 0);
    entry = find(queue, "damaged", &list);
    CHECK(entry.problem == QS_CORRUPT && entry.message[0] != 0 && strcmp(entry.sender, "") == 0);
    CHECK(entry.recipient_count == 0);
    qs_list_close(list);

    qs_recovery recovery;
    CHECK(qs_recover(queue, 0, &recovery) == QS_OK);
    CHECK(recovery.durable_items == 4 && recovery.damaged_items == 1 && recovery.problems == 1);
    CHECK(strstr(qs_error_message(), "m:damaged") != NULL);
    CHECK(unlink(path) == 0);
    CODE(QS_OK, qs_recover(queue, 0, NULL));

    size_t count = 0;
    CODE(QS_OK, qs_list_open(queue, &list));
    while (qs_list_next(list, &entry) == QS_OK && entry.id != NULL)
        count++;
    CHECK(count == 4);
    CODE(QS_OK, qs_list_next(list, &entry));
    CHECK(entry.id == NULL);
    qs_list_close(list);
}

static void test_marked_queue(qs_queue *queue, const char *directory)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/.unsynced", directory);
    CHECK(mkdir(path, 0700) == 0);
    snprintf(path, sizeof path, "%s/.unsynced/mark:x", directory);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fclose(file) == 0);
    CODE(QS_NEEDS_RECOVERY, qs_remove(queue, "x"));
    CODE(QS_NEEDS_RECOVERY, qs_put(queue, &MAIL, "", 0, NULL));
    qs_recovery recovery;
    CODE(QS_OK, qs_recover(queue, 0, &recovery));
    CHECK(recovery.rewritten == 1 && access(path, F_OK) != 0 && errno == ENOENT);
    CODE(QS_OK, qs_remove(queue, "x"));
}

static void *put_and_read(void *queue)
{
    char id[QS_ID_SIZE];
    for (int i = 0; i < 50; i++) {
        CODE(QS_OK, qs_put(queue, &MAIL, "body", 4, id));
        check_body(queue, id, "body", 4);
        CODE(QS_OK, qs_remove(queue, id));
        CODE(QS_NOT_FOUND, qs_remove(queue, id));
    }
    return NULL;
}

static void test_threads(qs_queue *queue)
{
    pthread_t threads[8];
    for (size_t i = 0; i < 8; i++)
        CHECK(pthread_create(&threads[i], NULL, put_and_read, queue) == 0);
    for (size_t i = 0; i < 8; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

static pthread_key_t ENDING;

static void call_at_the_end(void *queue)
{
    CHECK(qs_remove(queue, "none") == QS_NOT_FOUND && qs_error_message() != NULL);
}

static void *call_and_end(void *queue)
{
    CODE(QS_NOT_FOUND, qs_remove(queue, "none"));
    CHECK(pthread_setspecific(ENDING, queue) == 0);
    return NULL;
}

/* A destructor of a thread may call, though the thread's message is gone. */
static void test_end_of_thread(qs_queue *queue)
{
    pthread_t thread;
    CHECK(pthread_key_create(&ENDING, call_at_the_end) == 0);
    CHECK(pthread_create(&thread, NULL, call_and_end, queue) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(pthread_key_delete(ENDING) == 0);
}

static void wait_for(pid_t child)
{
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_fork(qs_queue *queue, const char *directory)
{
    qs_draft *draft = NULL;
    qs_mail mail = with_id("parent");
    CODE(QS_OK, qs_draft_begin(queue, &mail, &draft));
    CODE(QS_OK, qs_draft_write(draft, "parent", 6));
    pid_t child = fork();
    if (child == 0) {
        qs_queue *own = NULL;
        CODE(QS_FORKED, qs_put(queue, &mail, "", 0, NULL));
        CHECK(strstr(qs_error_message(), "open the queue anew with `qs_open`") != NULL);
        CODE(QS_FORKED, qs_draft_write(draft, "child", 5));
        qs_draft_abandon(draft);
        CODE(QS_OK, qs_open(directory, &own));
        mail.id = "child";
        CODE(QS_OK, qs_put(own, &mail, "child", 5, NULL));
        _exit(0);
    }
    wait_for(child);
    CODE(QS_OK, qs_draft_commit(draft, NULL));
    check_body(queue, "parent", "parent", 6);
    check_body(queue, "child", "child", 5);
}

/* Acknowledged mails survive SIGKILL: their numbers are the ids. */
static void test_kills(qs_queue *queue, const char *directory)
{
    int acknowledged = 0;
    for (int round = 0; round < 10; round++) {
        int ends[2], number = 0;
        CHECK(pipe(ends) == 0);
        pid_t child = fork();
        if (child == 0) {
            qs_queue *own = NULL;
            CODE(QS_OK, qs_open(directory, &own));
            for (number = round * 100000;; number++) {
                char id[16];
                snprintf(id, sizeof id, "n%d", number);
                qs_mail mail = with_id(id);
                CODE(QS_OK, qs_put(own, &mail, id, strlen(id), NULL));
                CHECK(write(ends[1], &number, sizeof number) == sizeof number);
            }
        }
        close(ends[1]);
        CHECK(read(ends[0], &number, sizeof number) == sizeof number);
        usleep((useconds_t)(rand() % 50000));
        CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
        do {
            char id[16];
            snprintf(id, sizeof id, "n%d", number);
            check_body(queue, id, id, strlen(id));
            acknowledged++;
        } while (read(ends[0], &number, sizeof number) == sizeof number);
        close(ends[0]);
    }
    CHECK(acknowledged > 10);
    CODE(QS_OK, qs_recover(queue, 0, NULL));
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    qs_queue *queue = NULL;
    CODE(QS_OK, qs_open(argv[1], &queue));
    test_puts(queue);
    test_errors(queue);
    test_lists(queue, argv[1]);
    test_marked_queue(queue, argv[1]);
    test_threads(queue);
    test_end_of_thread(queue);
    test_fork(queue, argv[1]);
    test_kills(queue, argv[1]);
    qs_close(queue);
    return 0;
}
