import http from 'node:http'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { main, PORT, D, V, N, all, changes } from '../../common/client.mjs'

const gzip = promisify(zlib.gzip)
const gunzip = promisify(zlib.gunzip)
const agents = new Map() // one connection a device

function send(device, method, path, headers, body) {
  if (!agents.has(device)) agents.set(device, new http.Agent({ keepAlive: true, maxSockets: 1 }))
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: '127.0.0.1', port: PORT, method, path, agent: agents.get(device), headers },
      resolve,
    )
    request.on('error', reject)
    request.end(body)
  })
}

async function call(device, method, path, body) {
  const headers = process.env.GZIP ? { 'accept-encoding': 'gzip' } : {}
  if (body) {
    if (process.env.GZIP) {
      body = await gzip(body)
      headers['content-encoding'] = 'gzip'
    }
    headers['content-type'] = 'application/json'
    headers['content-length'] = Buffer.byteLength(body)
  }
  const response = await send(device, method, path, headers, body)
  const chunks = []
  for await (const chunk of response) chunks.push(chunk)
  if (response.statusCode !== 200) throw new Error(`${method} ${path}: ${response.statusCode}`)
  const bytes = Buffer.concat(chunks)
  return JSON.parse(response.headers['content-encoding'] === 'gzip' ? await gunzip(bytes) : bytes)
}

async function pull(device, since, into) {
  for (;;) {
    const { docs, seq } = await call(device, 'GET', `/visits?since=${since}&limit=1000`)
    for (const visit of docs) into.set(visit.id, visit)
    if (docs.length < 1000) return seq
    since = seq
  }
}

function disconnect() {
  for (const agent of agents.values()) agent.destroy()
  agents.clear()
}

const held = new Map()
const days = []
let since = 0
main({
  storm: {
    prepare() {
      const visits = all(D, V)
      for (let d = 0; d < D; d++) days.push(visits.slice(d * V, d * V + V))
    },
    async go() {
      const answers = await Promise.all(days.map((day, d) => call(d, 'POST', '/visits', JSON.stringify(day))))
      return { acked: answers.reduce((sum, answer) => sum + answer.ok, 0) }
    },
  },
  hq: {
    async go() {
      await pull('hq', 0, held)
      return [...held.values()]
    },
  },
  catchup: {
    async prepare() {
      since = await pull('device', 0, held)
      disconnect()
    },
    async go() {
      since = await pull('device', since, held)
      return [...held.values()]
    },
    offline: disconnect,
  },
  change: {
    async go(round) {
      await pull('editor', 0, held)
      const visits = all(D, V)
      const edited = changes(D, V, N, round).map(c => Object.assign(held.get(visits[c.i].id), c.set))
      await call('editor', 'POST', '/visits', JSON.stringify(edited))
      return { n: N }
    },
  },
})
