// SPDX-License-Identifier: Apache-2.0
// Kills a room of the sandbox before its Nth system call from a moment on (killer.c, preloaded).

import fs from 'node:fs'
import path from 'node:path'

import { bin } from './lib.mjs'

const library = path.join(bin, '../tests/qseal-test-killer.so')
const size = 28 // struct control
const never = -1

export class Killer {
  #fd

  // `file` is made here; one Killer for one room at a time.
  constructor(file) {
    if (!fs.existsSync(library)) throw new Error(`there is no ${library}: build with -DQSEAL_TESTS=ON`)
    fs.writeFileSync(file, this.#control(never))
    this.#fd = fs.openSync(file, 'r+')
    this.file = file
  }

  // For Sandbox.restart().
  get wrap() {
    return ['env', `LD_PRELOAD=${library}`, `QSEAL_KILLER=${this.file}`]
  }

  #control(left) {
    const bytes = Buffer.alloc(size)
    bytes.writeInt32LE(left)
    return bytes
  }

  // Lets `left` more calls through.
  arm(left) {
    fs.writeSync(this.#fd, this.#control(left), 0, size, 0)
  }

  // What it was killed at, { call, counted }; call is empty while it was not. Disarms.
  read() {
    const bytes = Buffer.alloc(size)
    fs.readSync(this.#fd, bytes, 0, size, 0)
    this.arm(never)
    const name = bytes.subarray(12)
    return { call: name.subarray(0, name.indexOf(0)).toString('latin1'), counted: bytes.readInt32LE(8) }
  }

  close() {
    fs.closeSync(this.#fd)
  }
}
