// SPDX-License-Identifier: Apache-2.0
// npm's oidc-provider, for programs that are not in this folder, where its packages are.

import './lib.mjs' // Web Crypto on Node 18

export { errors, Provider } from 'oidc-provider'
export { default as MemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js'
