/* SPDX-License-Identifier: Apache-2.0
 * For LD_PRELOAD: every name is this machine's, which the resolver takes two seconds to find out. */
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

__attribute__((visibility("default"))) int getaddrinfo(const char *name, const char *service,
                                                       const struct addrinfo *hints, struct addrinfo **found) {
  int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;
  void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
  memcpy(&real, &symbol, sizeof real); /* ISO C has no cast from an object's address to a function's */
  if (name != NULL && strspn(name, "0123456789.:") != strlen(name)) {
    sleep(2);
    name = "127.0.0.1";
  }
  return real(name, service, hints, found);
}
