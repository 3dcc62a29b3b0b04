// Starting, stopping and talking to the processes of one run.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import readline from 'node:readline'
import { cpuSeconds, now, tree } from './measure.mjs'
import { digest } from '../common/workload.mjs'

export const ROOT = path.join(path.dirname(new URL(import.meta.url).pathname), '..')
export const RESULTS = path.join(ROOT, 'results')
export const BUILT = path.join(ROOT, '..', '..', 'target', 'bench')
export const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

const running = new Set()
for (const signal of ['SIGTERM', 'SIGINT'])
  process.on(signal, () => {
    for (const child of running) child.kill('SIGKILL')
    process.exit(1)
  })

function start(command, args, options) {
  const child = spawn(command, args, options)
  running.add(child)
  child.failed = new Promise((_, reject) =>
    child.on('error', e => {
      running.delete(child)
      reject(new Error(`cannot start ${command}: ${e.message}`))
    }),
  )
  child.failed.catch(() => {})
  child.on('exit', () => running.delete(child))
  return child
}

const log = name => fs.openSync(path.join(RESULTS, name), 'a')

export function freePort() {
  return new Promise(resolve => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

function connects(port) {
  return new Promise(resolve => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

async function listening(port, child, what) {
  for (let tries = 0; tries < 600; tries++) {
    if (child.exitCode !== null) throw new Error(`${what} exited with ${child.exitCode}: see tests/bench/results/`)
    if (await Promise.race([connects(port), child.failed])) return
    await sleep(50)
  }
  throw new Error(`${what} does not listen after 30 s`)
}

/** The peer's server; under strace when STRACE names a file. */
export async function startServer(peer, name, at) {
  const spec = await peer.start(at)
  const syncCalls = 'trace=fsync,fdatasync,msync,sync_file_range,io_uring_enter'
  const traced = process.env.STRACE
    ? ['strace', '-f', '--seccomp-bpf', '-ttt', '-qq', '-e', syncCalls, '-o', process.env.STRACE]
    : []
  const [command, ...args] = [...traced, spec.cmd, ...spec.args]
  const out = log(`server-${name}.log`)
  const child = start(command, args, {
    cwd: spec.cwd,
    env: { ...process.env, ...spec.env },
    stdio: ['ignore', out, out],
  })
  child.traced = traced.length > 0
  await listening(at.port, child, `the server of ${name}`)
  await spec.afterReady?.()
  return child
}

export async function startProxy(listen, control, target) {
  const args = [listen, target, control].map(String)
  const child = start(path.join(BUILT, 'proxy'), args, { stdio: 'ignore' })
  await listening(control, child, 'the counting proxy (./dev bench builds it)')
  return command =>
    new Promise((resolve, reject) => {
      let answer = ''
      const socket = net.connect(control, '127.0.0.1', () => socket.write(command + '\n'))
      socket.on('data', bytes => (answer += bytes))
      socket.on('end', () => resolve(JSON.parse(answer)))
      socket.on('error', reject)
    })
}

/** A client process and its lines: wait(word) resolves with what it printed after "@@word". */
export function startClient(peer, name, { mode, env, limitMs }) {
  const folder = path.join(ROOT, 'peers', name.split(':')[0])
  const spec = peer.client?.({ mode }) ?? { cmd: 'node', args: [path.join(folder, 'client.mjs')] }
  const err = log(`client-${name}.log`)
  const child = start(spec.cmd, spec.args, {
    cwd: spec.cwd ?? folder,
    env: { ...process.env, ...spec.env, MODE: mode, ...env },
    stdio: ['pipe', 'pipe', err],
  })
  const arrived = {}
  const waiting = {}
  let wentAt = { cpu_s: 0 }
  child.stdin.on('error', () => {}) // an exit is reported by whoever waits

  readline.createInterface({ input: child.stdout }).on('line', line => {
    const match = /^@@(\w+) (.*)$/.exec(line)
    if (!match) return void fs.writeSync(err, line + '\n')
    const [, word, json] = match
    const said = { at: now(), ...JSON.parse(json) }
    if (word === 'done') finish(said)
    if (waiting[word]) waiting[word].resolve(said)
    else (arrived[word] ||= []).push(said)
  })
  // A client that is not JavaScript may leave the clock, the CPU and the digest to us.
  function finish(said) {
    if (said.t) said.at = said.t
    else if (said.age_s) said.at -= said.age_s
    said.cpu ??= cpuSeconds(child.pid) - wentAt.cpu_s
    if (said.digest === undefined && fs.existsSync(env.RESULT)) {
      const visits = fs
        .readFileSync(env.RESULT, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line))
      said.n = visits.length
      said.digest = digest(visits)
      fs.rmSync(env.RESULT)
    }
  }
  const fail = error => Object.values(waiting).forEach(w => w.reject(error))
  child.failed.catch(fail)
  child.on('exit', (code, signal) => fail(new Error(`client ${mode} exited (${signal ?? code})`)))

  child.wait = (word, ms = limitMs) => {
    if (arrived[word]?.length) return Promise.resolve(arrived[word].shift())
    if (child.exitCode !== null) return Promise.reject(new Error(`client ${mode} exited (${child.exitCode})`))
    return new Promise((resolve, reject) => {
      const settle = then => value => {
        clearTimeout(timer)
        delete waiting[word]
        then(value)
      }
      const late = () => waiting[word].reject(new Error(`client ${mode}: no "${word}" after ${ms / 1000} s`))
      const timer = setTimeout(late, ms)
      waiting[word] = { resolve: settle(resolve), reject: settle(reject) }
    })
  }
  child.go = (round = 0) => {
    wentAt = { cpu_s: cpuSeconds(child.pid) }
    child.stdin.write(`go ${round}\n`)
  }
  return child
}

export async function stop(child, signal = 'SIGTERM') {
  if (!child || child.exitCode !== null || child.signalCode) return
  if (child.traced) for (const { pid } of tree(child.pid).slice(1, 2)) process.kill(pid, signal)
  else child.kill(signal)
  for (let tries = 0; tries < 100 && running.has(child); tries++) await sleep(50)
  if (running.has(child)) child.kill('SIGKILL')
}

/** Like a power cut for the processes: nothing is flushed on the way out. */
export function killTree(child) {
  for (const { pid } of tree(child.pid)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {} // gone with its parent
  }
}

export async function stopAll(except) {
  for (const child of [...running]) if (child !== except) await stop(child)
}
