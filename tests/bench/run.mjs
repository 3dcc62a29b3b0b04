// One peer, one scenario: node run.mjs PEER storm|kill|catchup [RUNS]. The environment it reads: README.md.
// Prints one JSON line a run and appends it to results/PEER.jsonl.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { all, changed, digest } from './common/workload.mjs'
import { cpuSeconds, folder, now, peakRssMb, pssMb } from './harness/measure.mjs'
import * as processes from './harness/processes.mjs'

const { env } = process
const [name, scenario, runs = '3'] = process.argv.slice(2)
const scenarios = { storm, kill, catchup }
if (!name || !scenarios[scenario]) {
  console.error('usage: node run.mjs PEER storm|kill|catchup [RUNS]')
  process.exit(2)
}
const [folderName, variant = ''] = name.split(':')
const peer = await import(`./peers/${folderName}/peer.mjs`)
const D = +(env.D || 50)
const V = +(env.V || 100)
const N = +(env.N || 300)
const limitMs = +(env.LIMIT || 240) * 1000
const settleMs = +(env.SETTLE || 2000)
const visits = D * V
const ms = seconds => Math.round(seconds * 1000) / 1000

fs.mkdirSync(processes.RESULTS, { recursive: true })
let failures = 0
for (let run = 1; run <= (scenario === 'catchup' ? 1 : +runs); run++) await measure(run)
process.exit(failures ? 1 : 0)

async function measure(run) {
  const dir = fs.mkdtempSync(path.join(env.DATA || os.tmpdir(), 'aralau-bench-'))
  fs.chmodSync(dir, 0o777) // PostgreSQL runs as another user
  const state = dir + '-state.json'
  const result = dir + '-result.ndjson'
  const about = {
    peer: name,
    version: peer.version,
    scenario,
    run,
    D,
    V,
    when: new Date().toISOString(),
    load1: os.loadavg()[0],
  }
  const world = { dir, variant, port: await processes.freePort() }
  const proxyPort = await processes.freePort()
  const control = await processes.freePort()
  world.client = async (mode, more = {}) => {
    // A crowd has more connections than the proxy has threads for: its bytes are not counted.
    const port = env.CROWD && mode === 'storm' ? world.port : proxyPort
    const known = {
      PORT: port,
      STATE: state,
      RESULT: `${result}-${mode}`,
      DATA_DIR: dir,
      VARIANT: variant,
      D,
      V,
      N,
      ...more,
    }
    const client = processes.startClient(peer, name, { mode, env: known, limitMs })
    await client.wait('ready')
    return client
  }
  world.startServer = async () => (world.server = await processes.startServer(peer, name, world))
  try {
    await peer.init?.({ dir, variant })
    await world.startServer()
    world.proxy = await processes.startProxy(proxyPort, control, world.port)
    world.devices = await world.client('storm')
    await peer.base?.(world)
    world.base = folder(dir)
    for await (const figures of scenarios[scenario](world)) record({ ...about, ...figures })
  } catch (e) {
    record({ ...about, error: String(e.message || e) })
  } finally {
    clearInterval(world.sampling)
    await processes.stopAll(world.server)
    await processes.stop(world.server, peer.stopSignal)
    for (const file of fs.readdirSync(path.dirname(dir)))
      if (file.startsWith(path.basename(dir)))
        fs.rmSync(path.join(path.dirname(dir), file), { recursive: true, force: true })
  }
}

function record(figures) {
  if (!figures.ok) failures += 1
  const line = JSON.stringify(figures)
  fs.appendFileSync(path.join(processes.RESULTS, `${name}.jsonl`), line + '\n')
  console.log(line)
}

/** D devices upload V visits each; then a fresh headquarters downloads all. */
async function* storm(world) {
  let peakPssMb = 0
  if (peer.multi) world.sampling = setInterval(() => (peakPssMb = Math.max(peakPssMb, pssMb(world.server.pid))), 100)
  const headquarters = await world.client('hq')
  const cpu = () => cpuSeconds(world.server.pid)
  await world.proxy('reset')

  const startedMs = Date.now()
  const started = { at: now(), cpu: cpu() }
  world.devices.go()
  const up = await world.devices.wait('done')
  const uploaded = { cpu: cpu(), wire: await world.proxy('stats') }
  if (env.SEALED && peer.seal) {
    await processes.stop(world.server, peer.stopSignal)
    peer.seal(world)
    await world.startServer()
    uploaded.cpu = cpu()
  }

  await world.proxy('reset')
  const asked = now()
  headquarters.go()
  const down = await headquarters.wait('done')
  const downloaded = { cpu: cpu(), wire: await world.proxy('stats') }

  await processes.sleep(settleMs)
  const disk = folder(world.dir)
  const upload_s = up.at - started.at
  yield {
    wall_s: ms(upload_s + down.at - asked),
    upload_s: ms(upload_s),
    hq_s: ms(down.at - asked),
    last_disk_write_s: ms((disk.last_write_ms - startedMs) / 1000),
    srv_cpu_s: ms(cpu() - started.cpu),
    srv_cpu_upload_s: ms(uploaded.cpu - started.cpu),
    srv_cpu_hq_s: ms(downloaded.cpu - uploaded.cpu),
    cli_cpu_upload_s: ms(up.cpu),
    cli_cpu_hq_s: ms(down.cpu),
    srv_peak_rss_mb: Math.round(peer.multi ? peakPssMb : peakRssMb(world.server.pid)),
    up_b: uploaded.wire.up / visits,
    up_b_down: uploaded.wire.down / visits,
    hq_b_up: downloaded.wire.up / visits,
    hq_b_down: downloaded.wire.down / visits,
    disk_alloc_b: (disk.allocated_b - world.base.allocated_b) / visits,
    disk_apparent_b: (disk.apparent_b - world.base.apparent_b) / visits,
    files: disk.files,
    conns: uploaded.wire.conns,
    turns_upload: uploaded.wire.turns,
    turns_hq: downloaded.wire.turns,
    n: down.n,
    ok: down.n === visits && down.digest === digest(all(D, V)),
    ...(env.STRACE ? syncCalls(startedMs, upload_s * 1000) : {}),
    ...(await peer.disk?.(world)),
  }
}

// strace slows everything, so these runs are filed under another scenario than the timed ones.
function syncCalls(startedMs, uploadMs) {
  const calls = fs
    .readFileSync(env.STRACE, 'utf8')
    .split('\n')
    .map(line => / (\d+\.\d+) (\w+)\(/.exec(line))
    .filter(Boolean)
    .map(([, at_s, call]) => ({ afterMs: at_s * 1000 - startedMs, call }))
  const counts = { all: calls.length, upload: calls.filter(c => c.afterMs >= 0 && c.afterMs <= uploadMs).length }
  for (const { call } of calls) counts[call] = (counts[call] || 0) + 1
  return { scenario: 'strace', sync_calls: counts }
}

/** kill -9 of the server right after the last acknowledgement (KILLDELAY later), restart, headquarters counts. */
async function* kill(world) {
  const headquarters = await world.client('hq')
  const delay_s = +(env.KILLDELAY || 0)
  world.devices.go()
  const up = await world.devices.wait('done')
  await processes.sleep(delay_s * 1000)
  processes.killTree(world.server)
  await processes.stop(world.devices, 'SIGKILL')
  await processes.sleep(500)
  const disk = folder(world.dir)
  await world.startServer()
  headquarters.go()
  const found = await headquarters.wait('done', +(env.KILLWAIT || 30) * 1000).catch(e => partial(headquarters, e))
  yield {
    kill_delay_s: delay_s,
    disk_at_kill: disk.apparent_b,
    acked: up.acked ?? up.n,
    after_restart: found.n,
    lost: visits - found.n,
    err: found.err,
    ok: found.digest === digest(all(D, V)),
  }

  // What headquarters had got when it waited in vain for the rest.
  async function partial(client, error) {
    client.stdin.write('stop\n')
    await processes.sleep(500)
    const file = world.dir + '-state.json.hq'
    const seen = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : { n: -1 }
    return { err: error.message, ...seen }
  }
}

/** A device that holds all visits comes back after N of them changed elsewhere; once per round trip time in RTTS. */
async function* catchup(world) {
  world.devices.go()
  await world.devices.wait('done')
  await processes.stop(world.devices)
  const device = await world.client('catchup')
  const rtts = (env.RTTS || '0,0,0,100,100,100').split(',').map(Number)
  for (const [round, rtt_ms] of rtts.entries()) {
    const editor = await world.client('change', { REP: round })
    editor.go(round)
    await editor.wait('done')
    await processes.sleep(1500)
    await world.proxy(`delay ${rtt_ms / 2}`)
    await world.proxy('reset')
    const started = { at: now(), cpu: cpuSeconds(world.server.pid) }
    device.go(round)
    const done = await device.wait('done')
    const cpu = cpuSeconds(world.server.pid)
    const wire = await world.proxy('stats')
    await world.proxy('delay 0')
    await device.wait('offline')
    await processes.stop(editor) // only now: a server may drop its cache with the last connection
    yield {
      run: round + 1,
      rtt_ms,
      wall_s: ms(done.at - started.at),
      srv_cpu_s: ms(cpu - started.cpu),
      cli_cpu_s: ms(done.cpu),
      up_b_total: wire.up,
      down_b_total: wire.down,
      up_b: wire.up / N,
      down_b: wire.down / N,
      turns: wire.turns,
      conns: wire.conns,
      n: done.n,
      ok: done.digest === digest(changed(D, V, N, round + 1)),
    }
  }
}
