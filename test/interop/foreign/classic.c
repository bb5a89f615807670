/* The classic calls of the C client against the servers named; a line for each that is the same wherever it runs. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zookeeper/zookeeper.h>

static char event[300];
static volatile int told;
static void session(zhandle_t *zh, int type, int state, const char *path, void *context) {}
static void watch(zhandle_t *zh, int type, int state, const char *path, void *context) {
  /* printed when it is waited for: a reply and the event before it are two threads here */
  snprintf(event, sizeof event, "event %d %s", type, path);
  told++;
}
static void await_told(int count) {
  for (int i = 0; i < 6000 && told < count; i++) usleep(10000);
  printf("told %d: %s\n", told, event);
}
static void show(const char *what, int code, struct Stat *s) {
  printf("%s %d", what, code);
  if (code == ZOK && s != NULL)
    printf(": version %d cversion %d aversion %d bytes %d children %d owned %d", s->version, s->cversion, s->aversion,
           s->dataLength, s->numChildren, s->ephemeralOwner != 0);
  printf("\n");
}

int main(int argc, char **argv) {
  zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
  setvbuf(stdout, NULL, _IOLBF, 0);
  zhandle_t *zh = zookeeper_init(argv[1], session, 30000, NULL, NULL, 0);
  for (int i = 0; i < 6000 && zoo_state(zh) != ZOO_CONNECTED_STATE; i++) usleep(10000);
  char name[256], data[256];
  int length = sizeof data;
  struct Stat s;
  struct ACL_vector acl;
  struct String_vector names;
  show("create", zoo_create(zh, "/c", "v0", 2, &ZOO_OPEN_ACL_UNSAFE, 0, name, sizeof name), NULL);
  show("create again", zoo_create(zh, "/c", "v0", 2, &ZOO_OPEN_ACL_UNSAFE, 0, name, sizeof name), NULL);
  show("create2", zoo_create2(zh, "/c/two", NULL, -1, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, name, sizeof name, &s), &s);
  show("below an ephemeral", zoo_create(zh, "/c/two/x", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, name, sizeof name), NULL);
  show("sequence", zoo_create(zh, "/c/s-", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_SEQUENCE, name, sizeof name), NULL);
  printf("%s\n", name);
  show("exists, watched", zoo_wexists(zh, "/c/w", watch, NULL, &s), NULL);
  show("create w", zoo_create(zh, "/c/w", "1", 1, &ZOO_OPEN_ACL_UNSAFE, 0, name, sizeof name), NULL);
  await_told(1);
  show("get, watched", zoo_wget(zh, "/c/w", watch, NULL, data, &length, &s), &s);
  show("set2", zoo_set2(zh, "/c/w", "hello", 5, 0, &s), &s);
  await_told(2);
  show("set, wrong version", zoo_set(zh, "/c/w", "x", 1, 7), NULL);
  length = sizeof data;
  show("get", zoo_get(zh, "/c/w", 0, data, &length, &s), &s);
  printf("%d %.*s\n", length, length, data);
  show("children, watched", zoo_wget_children2(zh, "/c", watch, NULL, &names, &s), &s);
  printf("%d names\n", names.count);
  deallocate_String_vector(&names);
  show("delete, not empty", zoo_delete(zh, "/c", -1), NULL);
  show("delete", zoo_delete(zh, "/c/w", 1), NULL);
  await_told(3);
  show("add_auth", zoo_add_auth(zh, "digest", "a:b", 3, NULL, NULL), NULL);
  show("create of creator", zoo_create(zh, "/c/mine", "", 0, &ZOO_CREATOR_ALL_ACL, 0, name, sizeof name), NULL);
  show("get_acl", zoo_get_acl(zh, "/c/mine", &acl, &s), &s);
  for (int i = 0; i < acl.count; i++) printf("%s %s %d\n", acl.data[i].id.scheme, acl.data[i].id.id, acl.data[i].perms);
  show("set_acl", zoo_set_acl(zh, "/c/mine", 0, &ZOO_READ_ACL_UNSAFE), NULL);
  show("set without WRITE", zoo_set(zh, "/c/mine", "x", 1, -1), NULL);
  zoo_op_t ops[4];
  zoo_op_result_t results[4];
  zoo_create_op_init(&ops[0], "/c/m", "1", 1, &ZOO_OPEN_ACL_UNSAFE, 0, name, sizeof name);
  zoo_set_op_init(&ops[1], "/c/m", "2", 1, 0, &s);
  zoo_check_op_init(&ops[2], "/c/m", 1);
  zoo_delete_op_init(&ops[3], "/c/none", -1);
  show("multi that fails", zoo_multi(zh, 4, ops, results), NULL);
  for (int i = 0; i < 4; i++) printf(" %d", results[i].err);
  printf("\n");
  zoo_delete_op_init(&ops[3], "/c/m", 1);
  show("multi", zoo_multi(zh, 4, ops, results), NULL);
  for (int i = 0; i < 4; i++) printf(" %d", results[i].err);
  printf("\n");
  show("close", zookeeper_close(zh), NULL);
  return 0;
}
