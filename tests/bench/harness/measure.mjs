// What a process tree and a folder cost, read from Linux' /proc and from the file system.
import fs from 'node:fs'
import path from 'node:path'

export const now = () => Number(process.hrtime.bigint()) / 1e9 // CLOCK_MONOTONIC, the clients' clock too

const CLOCK_TICKS_PER_SECOND = 100

function read(file) {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return '' // a process may end, and a file be deleted, while we look
  }
}

function stat(pid) {
  const text = read(`/proc/${pid}/stat`)
  if (!text) return null
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const ticks = +fields[11] + +fields[12] + +fields[13] + +fields[14] // own and awaited children's
  return { parent: +fields[1], cpu_s: ticks / CLOCK_TICKS_PER_SECOND }
}

/** The process and all below it, parents first. */
export function tree(pid) {
  const all = new Map()
  for (const name of fs.readdirSync('/proc')) {
    const found = /^\d+$/.test(name) && stat(name)
    if (found) all.set(+name, found)
  }
  const pids = [pid]
  for (let i = 0; i < pids.length; i++) for (const [child, s] of all) if (s.parent === pids[i]) pids.push(child)
  return pids.filter(p => all.has(p)).map(p => ({ pid: p, ...all.get(p) }))
}

const sum = numbers => numbers.reduce((a, b) => a + b, 0)

export const cpuSeconds = pid => sum(tree(pid).map(p => p.cpu_s))

/** Highest resident memory the server process itself ever had. */
export const peakRssMb = pid => (/VmHWM:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024

/** Memory of the whole tree now, shared pages counted once (for a server of many processes). */
export const pssMb = pid =>
  sum(tree(pid).map(p => (/Pss:\s+(\d+)/.exec(read(`/proc/${p.pid}/smaps_rollup`))?.[1] ?? 0) / 1024))

export function folder(dir) {
  const total = { allocated_b: 0, apparent_b: 0, files: 0, last_write_ms: 0 }
  const visit = at => {
    let entries = []
    try {
      entries = fs.readdirSync(at, { withFileTypes: true })
    } catch {
      return
    }
    for (const entry of entries) {
      const name = path.join(at, entry.name)
      const s = fs.lstatSync(name, { throwIfNoEntry: false })
      if (!s) continue
      total.allocated_b += s.blocks * 512
      if (s.isFile()) {
        total.apparent_b += s.size
        total.files += 1
        total.last_write_ms = Math.max(total.last_write_ms, s.mtimeMs)
      }
      if (entry.isDirectory()) visit(name)
    }
  }
  visit(dir)
  return total
}
