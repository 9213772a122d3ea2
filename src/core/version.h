/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_VERSION_H
#define CAI_VERSION_H

/* The one place that states the version; the rockspec, the changelog and the build are checked against it. */
#define CAI_VERSION "0.1.0"

#endif
