/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_ATTRIBUTES_H
#define CAI_ATTRIBUTES_H

#include "problem.h"

/* Gives the empty file `to`, mode 0600, the owner, group, extended attributes (Linux; access control lists are among
 * them) and mode of the file `from`, in an order in which nobody can read it who could not read `from`. Both are open
 * descriptors. False: something could not be kept. */
bool cai_attributes_copy(int from, int to, cai_problem *problem);

#endif
