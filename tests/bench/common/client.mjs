// The client's side of the line protocol that ../README.md describes, for peers written in JavaScript.
import readline from 'node:readline'
import { digest, all, changes, changed } from './workload.mjs'
export const { MODE, STATE } = process.env
export const PORT = +process.env.PORT
export const D = +(process.env.D || 50)
export const V = +(process.env.V || 100)
export const N = +(process.env.N || 300)
export { all, changes, changed, digest }
export const sleep = ms => new Promise(r => setTimeout(r, ms))
const say = (w, o = {}) => process.stdout.write('@@' + w + ' ' + JSON.stringify(o) + '\n')
const cpu = () => {
  const u = process.cpuUsage()
  return (u.user + u.system) / 1e6
}
// modes = { storm: {prepare, go}, hq: {prepare, go → visits}, catchup: {prepare, go(round) → visits, offline}, change: {go(round)} }
export async function main(modes) {
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  const next = async () => {
    const { value, done } = await lines.next()
    if (done) process.exit(0)
    return value
  }
  process.on('unhandledRejection', e => {
    console.error('unhandledRejection', e)
  })
  const m = modes[MODE]
  if (!m) throw new Error('no mode ' + MODE)
  if (m.prepare) await m.prepare()
  say('ready', { cpu: cpu() })
  for (;;) {
    const l = await next()
    if (!l.startsWith('go')) continue
    const c0 = cpu()
    const rep = +(l.split(' ')[1] || 0)
    const r = await m.go(rep) // -> docs[] or anything
    const t = Number(process.hrtime.bigint()) / 1e9 // the content check below is not timed
    const c1 = cpu()
    const hwm = process.resourceUsage().maxRSS
    const o = { t, cpu: c1 - c0, rss_mb: Math.round(hwm / 1024) }
    if (Array.isArray(r)) {
      o.n = r.length
      o.digest = digest(r)
    } else if (r && typeof r === 'object') Object.assign(o, r)
    say('done', o)
    if (m.offline) {
      await m.offline()
      say('offline')
    }
  }
}
// resolves when cond() is true, polled by events or at most every ms
export async function until(cond, ms = 20, limit = 600000) {
  const t = Date.now()
  while (!(await cond())) {
    if (Date.now() - t > limit) throw new Error('until: timeout')
    await sleep(ms)
  }
}
