// The workload every peer is given: deterministic (mulberry32, seed 20240601), 20 fields, 632 B of JSON a visit.
// `node common/workload.mjs [FILE]` writes it as JSON for clients in other languages (D, V, N from the environment).
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
export const SEED = 20240601
export function rng(seed) {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = a
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
const WORDS = `
  осмотр объект проверка трещина фасад подвал кровля насос кабель щиток дверь вентиль давление температура журнал
  акт предписание устранено повторно требуется замена ремонт состояние удовлетворительное неисправность обнаружена
  датчик пожарный выход лестница освещение отсутствует маркировка доступ закрыт владелец уведомлён срок неделя
  фото приложено`
  .trim()
  .split(/\s+/)
const int = (r, n) => Math.floor(r() * n)
const hex = (r, n) => {
  let s = ''
  while (s.length < n) s += int(r, 16).toString(16)
  return s
}
export function note(r, len) {
  let s = ''
  while (s.length < len) s += (s ? ' ' : '') + WORDS[int(r, WORDS.length)]
  s = s.slice(0, len)
  return s.endsWith(' ') ? s.slice(0, -1) + '.' : s
}
const KINDS = ['fire', 'roof', 'elec', 'water', 'lift']
const STATES = ['done', 'open', 'fail']

/** Visit v of device d. */
export function visit(d, v) {
  const r = rng(SEED + d * 100003 + v * 17)
  const ts = 1717200000 + int(r, 2e6)
  return {
    id: hex(r, 16),
    dev: d,
    seq: v,
    kind: KINDS[int(r, 5)],
    site: 'S-' + int(r, 99999),
    insp: 'I-' + int(r, 999),
    t0: ts,
    t1: ts + 300 + int(r, 3000),
    lat: Math.round((55 + r()) * 1e5) / 1e5,
    lon: Math.round((37 + r()) * 1e5) / 1e5,
    acc: (int(r, 200) * 10 + 5) / 100,
    ok: r() < 0.7,
    score: int(r, 101),
    defs: int(r, 9),
    temp: (int(r, 300) * 10 + 5) / 100,
    hum: int(r, 100),
    floor: int(r, 25),
    pics: int(r, 12),
    st: STATES[int(r, 3)],
    note: note(r, 200),
  }
}

/** All visits in device order: visit v of device d is at d * V + v. */
export function all(D = 50, V = 100) {
  const out = []
  for (let d = 0; d < D; d++) for (let v = 0; v < V; v++) out.push(visit(d, v))
  return out
}

/** Catch-up: what round `round` changes, N seeded distinct visits: {i: index in all(), set: {st, score, rev}}. */
export function changes(D = 50, V = 100, N = 300, round = 0) {
  const r = rng((SEED ^ 0x5eed) + round * 7919)
  const seen = new Set()
  const out = []
  while (out.length < Math.min(N, D * V)) {
    const i = int(r, D * V)
    if (seen.has(i)) continue
    seen.add(i)
    out.push({ i, set: { st: 'reviewed', score: 1000 + int(r, 100), rev: note(r, 40) } })
  }
  return out
}

/** All visits as they stand after that many rounds of changes. */
export function changed(D, V, N, rounds = 1) {
  const visits = all(D, V)
  for (let k = 0; k < rounds; k++) for (const c of changes(D, V, N, k)) Object.assign(visits[c.i], c.set)
  return visits
}

const KEYS = 'id dev seq kind site insp t0 t1 lat lon acc ok score defs temp hum floor pics st note rev'.split(' ')
const canonical = visit => JSON.stringify(KEYS.map(key => visit[key] ?? null))

/** Content check of a set of visits, whatever their order. */
export function digest(visits) {
  const hash = createHash('sha256')
  for (const row of visits.map(canonical).sort()) hash.update(row + '\n')
  return hash.digest('hex').slice(0, 16)
}

export function write(file, { D = 50, V = 100, N = 300, rounds = 6 } = {}) {
  const changesOf = Array.from({ length: rounds }, (_, round) => changes(D, V, N, round))
  writeFileSync(file, JSON.stringify({ seed: SEED, D, V, N, visits: all(D, V), changes: changesOf }))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const number = name => (process.env[name] ? +process.env[name] : undefined)
  const shape = { D: number('D'), V: number('V'), N: number('N') }
  write(process.argv[2] ?? fileURLToPath(new URL('../workload.json', import.meta.url)), shape)
  const visits = all(shape.D, shape.V)
  const bytes = visits.reduce((sum, visit) => sum + Buffer.byteLength(JSON.stringify(visit)), 0)
  console.log(JSON.stringify({ visits: visits.length, mean_bytes: bytes / visits.length, digest: digest(visits) }))
}
