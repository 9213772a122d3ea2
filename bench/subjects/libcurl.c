/* SPDX-License-Identifier: Apache-2.0 */
/* What a C program does for the same answer: one easy handle, used again and again; with cjson.decode of the bytes in
 * an embedded Lua when built with WITH_CJSON.
 *   libcurl URL CA_FILE BLOCKS CALLS     CA_FILE: "" for none
 * Prints microseconds per call: of the fastest block of calls, the median of the blocks, and CPU. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef WITH_CJSON
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#endif

#define MOST_BLOCKS 1000

typedef struct {
  char *bytes;
  size_t length, capacity;
} text;

static void fail(const char *what) {
  fprintf(stderr, "libcurl: %s\n", what);
  exit(1);
}

static double now(clockid_t clock_id) {
  struct timespec at;
  clock_gettime(clock_id, &at);
  return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *user) {
  text *answer = user;
  size_t length = size * count;
  if (answer->length + length > answer->capacity) {
    answer->capacity = 2 * (answer->length + length);
    answer->bytes = realloc(answer->bytes, answer->capacity);
    if (answer->bytes == NULL)
      fail("out of memory");
  }
  memcpy(answer->bytes + answer->length, bytes, length);
  answer->length += length;
  return length;
}

#ifdef WITH_CJSON
static lua_State *open_lua(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  if (luaL_dostring(L, "return require('cjson').decode") != 0)
    fail(lua_tostring(L, -1));
  return L;
}

static void decode(lua_State *L, const text *answer) {
  lua_pushvalue(L, 1);
  lua_pushlstring(L, answer->bytes, answer->length);
  if (lua_pcall(L, 1, 1, 0) != 0)
    fail(lua_tostring(L, -1));
  lua_settop(L, 1);
}
#endif

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  static double walls[MOST_BLOCKS];
  text answer = {NULL, 0, 0};
  if (argc != 5)
    fail("arguments: URL CA_FILE BLOCKS CALLS");
  int blocks = atoi(argv[3]), calls = atoi(argv[4]);
  if (blocks < 1 || blocks > MOST_BLOCKS || calls < 1)
    fail("too many blocks, or none");
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURL *easy = curl_easy_init();
  struct curl_slist *headers = curl_slist_append(NULL, "CONFIDENT_API_KEY: confident_us_org_0123456789abcdef");
  curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer);
  if (argv[2][0] != '\0')
    curl_easy_setopt(easy, CURLOPT_CAINFO, argv[2]);
#ifdef WITH_CJSON
  lua_State *L = open_lua();
#endif
  double cpu = now(CLOCK_PROCESS_CPUTIME_ID);
  for (int i = 0; i < blocks; i++) {
    double started = now(CLOCK_MONOTONIC);
    for (int j = 0; j < calls; j++) {
      long status = 0;
      answer.length = 0;
      if (curl_easy_perform(easy) != CURLE_OK)
        fail("no answer");
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      if (status != 200)
        fail("the status is not 200");
#ifdef WITH_CJSON
      decode(L, &answer);
#endif
    }
    walls[i] = (now(CLOCK_MONOTONIC) - started) / calls;
  }
  cpu = (now(CLOCK_PROCESS_CPUTIME_ID) - cpu) / calls / blocks;
  qsort(walls, (size_t)blocks, sizeof walls[0], compare);
  printf("wall %.3f\nmedian %.3f\ncpu %.3f\n", walls[0], walls[blocks / 2], cpu);
#ifdef WITH_CJSON
  lua_close(L);
#endif
  curl_easy_cleanup(easy);
  curl_slist_free_all(headers);
  free(answer.bytes);
  return 0;
}
