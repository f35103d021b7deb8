// SPDX-License-Identifier: Apache-2.0
// Other persons than the one who runs the test, each with a uid of their own, as the kernel tells it. Only
// root can become them.

import { execFile } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

import { bin, sanitizerEnv, seconds } from './lib.mjs'

const isRoot = process.getuid() === 0
export const door = 71000 // the group that may reach the sockets of a sandbox

// False, or why nothing can be tested here; said once, under the test's name.
export function skipped(name) {
  const skip = !isRoot && 'only root can become other persons: nothing of this is tested here'
  if (!isRoot) console.error(`${name}: ${skip}`)
  return skip
}

// What persons need of a sandbox that is root's.
export class Persons {
  // The programs may lie where nobody else may look.
  constructor(box, ...files) {
    this.box = box
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'qe-ctl-'))
    fs.chmodSync(this.dir, 0o755)
    for (const file of [path.join(bin, 'qsealctl'), ...files]) fs.copyFileSync(file, path.join(this.dir, path.basename(file)))
    this.open()
  }

  // As in docs/production.md: a group opens the door, and the configuration says who may what. Anew after
  // each start of qseald.
  open() {
    fs.chownSync(this.box.dir, 0, door)
    fs.chmodSync(this.box.dir, 0o750)
    for (const socket of [this.box.admin, this.box.socket]) fs.chownSync(socket, 0, door)
  }

  end() {
    fs.rmSync(this.dir, { recursive: true })
  }

  // A program run by { uid, groups }: { code, stdout, stderr }, whatever the code.
  run({ uid, groups = [] }, [program, ...args], { cwd = '/', env = {} } = {}) {
    const who = [`--reuid=${uid}`, `--regid=${uid}`, `--groups=${[door, ...groups].join(',')}`]
    const all = { PATH: `${this.dir}:${process.env.PATH}`, QSEAL_ADMIN_SOCKET: this.box.admin, ...sanitizerEnv, ...env }
    return new Promise((resolve) => {
      execFile('setpriv', [...who, program, ...args], { cwd, env: all, timeout: seconds(30) }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : error.code, stdout, stderr })
      })
    })
  }

  ctl(person, ...args) {
    return this.run(person, ['qsealctl', ...args])
  }
}
