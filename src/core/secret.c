/* SPDX-License-Identifier: Apache-2.0 */
#include "secret.h"

#include "key_format.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#if !defined(CAI_HAS_EXPLICIT_BZERO)
/* Volatile: the compiler cannot know which function this is when it runs, nor drop the call. */
static void *(*const volatile overwrite)(void *, int, size_t) = memset;
#endif

void cai_wipe(void *bytes, size_t length) {
  if (length == 0)
    return;
#if defined(CAI_HAS_EXPLICIT_BZERO)
  explicit_bzero(bytes, length);
#else
  overwrite(bytes, 0, length);
#endif
}

cai_secret *cai_secret_new(const char *bytes, size_t length) {
  cai_secret *secret = malloc(sizeof *secret + length + 1);
  if (secret == NULL)
    return NULL;
  secret->length = length;
  memcpy(secret->bytes, bytes, length);
  secret->bytes[length] = '\0';
  return secret;
}

void cai_secret_free(cai_secret *secret) {
  if (secret == NULL)
    return;
  cai_wipe(secret->bytes, secret->length);
  free(secret);
}

/* Bytes of a secret of `length` that are to be hidden: all but its end, when it is long enough to stay secret. */
static size_t hidden(size_t length) {
  return length - (length >= 3 * CAI_MASK_SHOWN ? CAI_MASK_SHOWN : 0);
}

void cai_mask(const char *bytes, size_t length, char mask[CAI_MASK_SIZE]) {
  size_t shown = length - hidden(length);
  memset(mask, '*', CAI_MASK_STARS);
  memcpy(mask + CAI_MASK_STARS, bytes + length - shown, shown);
  mask[CAI_MASK_STARS + shown] = '\0';
}

/* Equal characters in a row that no secret has, so that they stand for others. */
#define FILLER 8

static bool is_filler(const char *value, size_t end) {
  size_t same = 1;
  while (same < FILLER && same < end && value[end - 1 - same] == value[end - 1])
    same++;
  return same == FILLER;
}

/* Returns true if a value can be a whole secret, or the end of one: of letters, digits and what base64 has besides. */
static bool is_unmarked(const char *value, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (!cai_key_format_is_character(value[i]))
      return false;
  }
  return true;
}

/* Returns how many characters at the end of a value are the secret's own. Services mask in many ways: with asterisks,
 * dots, bullets or x, or by a word. What may be a part of the mask itself is not counted: a key that does not seem to
 * end as the client's own might be changed. */
static size_t count_shown(const char *value, size_t length) {
  bool starred = memchr(value, '*', length) != NULL;
  if (memchr(value, ' ', length) != NULL)
    return 0;
  if (!starred && is_unmarked(value, length) && !cai_key_format_read(value, length, NULL))
    return 0;
  size_t shown = 0;
  while (shown < CAI_MASK_SHOWN && shown < length) {
    char c = value[length - 1 - shown];
    bool own = starred ? c > ' ' && c < 0x7f && c != '*' : cai_key_format_is_character(c);
    if (!own || is_filler(value, length - shown))
      break;
    shown++;
  }
  return shown;
}

void cai_mask_shown(const char *value, size_t length, char mask[CAI_MASK_SIZE]) {
  size_t shown = count_shown(value, length);
  memset(mask, '*', CAI_MASK_STARS);
  memcpy(mask + CAI_MASK_STARS, value + length - shown, shown);
  mask[CAI_MASK_STARS + shown] = '\0';
}

/* Shorter ones are no secrets, and could be parts of any word. */
#define SHORTEST_SECRET 8

static bool is_secret_character(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '+' ||
         c == '/' || c == '=' || c == '-' || c == '%'; /* quoted in a URL */
}

/* Backslashes before an escape, levels of %25, digits of a reference: more are not read, so that none takes long. */
#define DEEPEST ((size_t)8)

static bool read_digits(const char *at, size_t count, int base, unsigned char *c) {
  char digits[DEEPEST + 1], *end;
  if (count == 0 || count > DEEPEST || memchr(at, '\0', count) != NULL)
    return false;
  memcpy(digits, at, count);
  digits[count] = '\0';
  long code = strtol(digits, &end, base);
  *c = (unsigned char)code;
  return *end == '\0' && digits[0] != '-' && digits[0] != '+' && code > ' ' && code < 0x7f;
}

/* In place of strncmp: under AddressSanitizer that one may read all the rest of the text each time. */
static bool begins_with(const char *at, const char *word) {
  while (*word != '\0' && *at == *word) {
    at++;
    word++;
  }
  return *word == '\0';
}

static size_t count_digits(const char *at) {
  size_t count = 0;
  while (count <= DEEPEST && at[count] != '\0' && strchr("0123456789abcdefABCDEF", at[count]) != NULL)
    count++;
  return count;
}

/* JSON's \/ and \u002b, JavaScript's \x2b, Markdown's \_, with more backslashes where one text holds another. */
static size_t take_backslashes(const char *at, unsigned char *c) {
  size_t count = 0;
  while (count < DEEPEST && at[count] == '\\')
    count++;
  const char *next = at + count;
  if (begins_with(next, "u00") && read_digits(next + 3, 2, 16, c))
    return count + 5;
  if (*next == 'x' && read_digits(next + 1, 2, 16, c))
    return count + 3;
  *c = (unsigned char)*next;
  return *next != '\0' && strchr("/+=_-", *next) != NULL ? count + 1 : 0;
}

/* A URL's %2B, or %252B where one URL holds another. */
static size_t take_percent(const char *at, unsigned char *c) {
  size_t length = 1;
  while (length < DEEPEST && begins_with(at + length, "25"))
    length += 2;
  return read_digits(at + length, 2, 16, c) ? length + 2 : 0;
}

/* HTML's &#43;, &#x2B; and &plus;. */
static size_t take_reference(const char *at, unsigned char *c) {
  static const struct {
    const char *name;
    unsigned char meaning;
  } names[] = {{"&plus;", '+'}, {"&sol;", '/'}, {"&equals;", '='}, {"&lowbar;", '_'}, {"&hyphen;", '-'}};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    size_t length = strlen(names[i].name);
    *c = names[i].meaning;
    if (begins_with(at, names[i].name))
      return length;
  }
  if (at[1] != '#')
    return 0;
  bool hexadecimal = at[2] == 'x' || at[2] == 'X';
  size_t first = hexadecimal ? 3 : 2, count = count_digits(at + first);
  if (at[first + count] != ';' || !read_digits(at + first, count, hexadecimal ? 16 : 10, c))
    return 0;
  return first + count + 1;
}

/* Reads a character that another format has escaped. Returns the bytes that it takes; 0: none is there. */
static size_t take_escape(const char *at, unsigned char *c) {
  switch (*at) {
  case '\\':
    return take_backslashes(at, c);
  case '%':
    return take_percent(at, c);
  case '&':
    return take_reference(at, c);
  default:
    return 0;
  }
}

/* Returns the bytes that a word takes at the beginning of a text, escaped or not; 0: it is not there. Most words are
 * not, by their first letter, and every answer has a link to look at. */
static size_t length_of_word(const char *at, const char *word, size_t length) {
  const char *first = at;
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)*at;
    size_t count = *at == word[i] ? 1 : take_escape(at, &c);
    if (count == 0 || c != (unsigned char)word[i])
      return 0;
    at += count;
  }
  return (size_t)(at - first);
}

/* Bytes to hide from `at` on, where a secret may begin; 0: it does not. */
static size_t hidden_of(const char *at, const cai_secret *secret) {
  if (secret == NULL || secret->length < SHORTEST_SECRET)
    return 0;
  return hidden(length_of_word(at, secret->bytes, secret->length));
}

/* Returns the bytes at the beginning of a text that may belong to a secret, escaped or not. */
static size_t length_of_run(const char *at) {
  const char *first = at;
  for (size_t count = 1; count > 0; at += count) {
    unsigned char c = '\0';
    count = take_escape(at, &c);
    if (count == 0 || !is_secret_character(c))
      count = is_secret_character((unsigned char)*at) ? 1 : 0;
  }
  return (size_t)(at - first);
}

/* Bytes from `at` on that look like a secret of the service, or its beginning; 0: none begins there. */
static size_t length_of_look(const char *at) {
  /* "confident_", and the same in base64, where none, one or two bytes stand before it in its group of three */
  static const char *const words[] = {"confident_", "Y29uZmlkZW50X", "NvbmZpZGVudF", "jb25maWRlbnRf"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    size_t length = length_of_word(at, words[i], strlen(words[i]));
    if (length > 0)
      return length + length_of_run(at + length);
  }
  return 0;
}

static size_t larger(size_t a, size_t b) {
  return a > b ? a : b;
}

void cai_redact(char *text, const cai_secret *credential, const cai_secret *other) {
  const char *looked = text; /* up to here: a look within another ends where that ends, and hides no more */
  size_t stars = 0;          /* due from `at` on */
  for (char *at = text; *at != '\0'; at++) {
    /* Before the star is written: secrets may overlap. */
    size_t look = at < looked ? 0 : length_of_look(at);
    if (look > 0)
      looked = at + look;
    if (look >= 3 * CAI_MASK_SHOWN) /* shorter ones are words of a message, such as a prefix */
      stars = larger(stars, hidden(look));
    stars = larger(stars, larger(hidden_of(at, credential), hidden_of(at, other)));
    if (stars > 0) {
      *at = '*';
      stars--;
    } else if ((unsigned char)*at < 0x20 || *at == 0x7f) {
      *at = ' ';
    }
  }
}
