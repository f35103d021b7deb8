// SPDX-License-Identifier: Apache-2.0
// npm's jose for who is not in this folder, where the packages are.

import './lib.mjs' // Web Crypto on Node 18

export * from 'jose'
