// SPDX-License-Identifier: Apache-2.0
// What the OP bank can be told to lie about.

export const lies = []
