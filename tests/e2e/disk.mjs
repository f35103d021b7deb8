// SPDX-License-Identifier: Apache-2.0
// The disk under the audit log of a sandbox: one that fails on cue (disk.c, preloaded into qseald), and one of its
// own that can be filled and made read-only.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'

import { bin, run } from './lib.mjs'

const library = path.join(bin, '../tests/qseal-test-disk.so')

// struct control
const filesAt = 40
const fileSize = 56
const filesMax = 1024
const offsets = { fault: 0, left: 4, value: 8, counted: 12, call: 16, nFiles: 32 }
const faults = { none: 0, write: 1, sync: 2, short: 3, slow: 4, kill: 5 }
export const always = -1

const text = (bytes) => bytes.subarray(0, bytes.indexOf(0)).toString('latin1')

export class FaultyDisk {
  #fd

  // `file` is made here, for the qseald of this sandbox.
  constructor(box) {
    if (!fs.existsSync(library)) throw new Error(`there is no ${library}: build with -DQSEAL_TESTS=ON`)
    this.folder = path.join(box.dir, 'audit')
    this.file = path.join(box.dir, 'private', 'disk')
    fs.writeFileSync(this.file, Buffer.alloc(Math.ceil((filesAt + filesMax * fileSize) / 4096) * 4096))
    this.#fd = fs.openSync(this.file, 'r+')
  }

  // For Sandbox.restart().
  get wrap() {
    return ['env', `LD_PRELOAD=${library}`, `QSEAL_DISK=${this.file}`, `QSEAL_DISK_FOLDER=${this.folder}`]
  }

  // From now on, for the next `left` calls; of `kill`: at the call after so many. `value` is an errno (`write`,
  // `sync`) or milliseconds (`slow`).
  set(fault, left = always, value = 0) {
    const head = Buffer.alloc(offsets.nFiles)
    head.writeInt32LE(faults[fault], offsets.fault)
    head.writeInt32LE(left, offsets.left)
    head.writeInt32LE(value, offsets.value)
    fs.writeSync(this.#fd, head.subarray(offsets.left), 0, offsets.nFiles - offsets.left, offsets.left)
    fs.writeSync(this.#fd, head, 0, 4, offsets.fault)
  }

  // How many calls it befell; of `kill`: how many there were, and which was the last, '' while none was.
  get seen() {
    const head = this.#read(offsets.nFiles)
    return { counted: head.readUInt32LE(offsets.counted), call: text(head.subarray(offsets.call, offsets.nFiles)) }
  }

  // What became of each file: { name, written, durable, failures, touched }.
  get files() {
    const n = this.#read(filesAt).readUInt32LE(offsets.nFiles)
    const bytes = this.#read(filesAt + n * fileSize)
    return Array.from({ length: n }, (_, i) => {
      const file = bytes.subarray(filesAt + i * fileSize)
      const [written, durable, failures, touched] = [40, 44, 48, 52].map((at) => file.readUInt32LE(at))
      return { name: text(file.subarray(8, 40)), written, durable, failures, touched }
    })
  }

  // Name of a segment → how far it is on the disk. One that was made again stands behind the one that is gone.
  get durable() {
    return new Map(this.files.filter(({ name }) => name.endsWith('.jsonl')).map(({ name, durable }) => [name, durable]))
  }

  // Of the files that qseald has failed to write or sync: how many, and how often it wrote or synced one again.
  get failed() {
    const files = this.files.filter(({ name, failures }) => name !== '' && failures > 0)
    return { files: files.length, touched: files.reduce((sum, { touched }) => sum + touched, 0) }
  }

  // Forgets the files, for another qseald.
  reset() {
    this.set('none')
    fs.writeSync(this.#fd, Buffer.alloc(4), 0, 4, offsets.nFiles)
  }

  #read(size) {
    const bytes = Buffer.alloc(size)
    fs.readSync(this.#fd, bytes, 0, size, 0)
    return bytes
  }

  close() {
    fs.closeSync(this.#fd)
  }
}

// A small file system of its own for a folder; only root can make one.
export class SmallDisk {
  static async mount(folder, mib) {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${mib}m,mode=0750`, 'qseal-test', folder])
    return new SmallDisk(folder)
  }

  constructor(folder) {
    this.folder = folder
    this.ballast = path.join(folder, 'ballast')
  }

  // Not a byte is left.
  fill() {
    const fd = fs.openSync(this.ballast, 'a')
    const fullBy = (size) => {
      try {
        for (;;) if (fs.writeSync(fd, Buffer.alloc(size, 'x')) < size) return
      } catch (error) {
        assert.equal(error.code, 'ENOSPC')
      }
    }
    fullBy(65536)
    fullBy(4096)
    fs.closeSync(fd)
  }

  free() {
    fs.rmSync(this.ballast)
  }

  remount(how) {
    return run('mount', ['-o', `remount,${how}`, this.folder])
  }

  end() {
    return run('umount', ['--lazy', this.folder])
  }
}
