import fs from 'fs'
import { main, PORT, D, V, N, STATE, all, changes, until } from '../../common/client.mjs'
import { Repo, decodeHeads } from '@automerge/automerge-repo'
import { WebSocketClientAdapter } from '@automerge/automerge-repo-network-websocket'
const net = () => new WebSocketClientAdapter(`ws://127.0.0.1:${PORT}`) // default retry 5 s
const eq = (a, b) => a && b && a.length === b.length && a.every((x, i) => b.includes(x))
// resolves when the server reports (sync protocol) heads equal to ours
// (samod sends no storage id, so 'remote-heads' never fires there: the same theirHeads is read from the synchronizer's sync-state event)
const waiting = new Map()
const watch = rp => {
  rp.synchronizer.on('sync-state', m => {
    const w = waiting.get(m.documentId)
    if (w && eq(m.syncState.theirHeads, decodeHeads(w.h.heads()))) {
      waiting.delete(m.documentId)
      w.r()
    }
  })
  return rp
}
const acked = h =>
  process.env.VIA_STATE
    ? new Promise(r => waiting.set(h.documentId, { h, r }))
    : new Promise(r => {
        const f = p => {
          if (eq(p.heads, h.heads())) {
            h.off('remote-heads', f)
            r()
          }
        }
        h.on('remote-heads', f)
      })
const plain = h => {
  const o = {}
  const d = h.doc()
  for (const k of Object.keys(d)) o[k] = d[k]
  return o
}
const peer = r => (r.peers.length ? 0 : new Promise(res => r.networkSubsystem.once('peer', res))) // connected and greeted
let devs = [],
  repo,
  handles,
  adapter
const st = () => JSON.parse(fs.readFileSync(STATE, 'utf8'))
const loadAll = async () => {
  const idx = await Promise.all(st().index.map(u => repo.find(u)))
  const us = idx.flatMap(h => [...h.doc().visits])
  const out = []
  for (let i = 0; i < us.length; i += 100) out.push(...(await Promise.all(us.slice(i, i + 100).map(u => repo.find(u)))))
  return out
}
main({
  storm: {
    async prepare() {
      const urls = []
      const vs = all(D, V)
      for (let d = 0; d < D; d++) {
        const r = watch(new Repo({ network: [] }))
        const hs = []
        for (let v = 0; v < V; v++) {
          const h = r.create(vs[d * V + v])
          hs.push(h)
          urls.push(h.url)
        }
        const ix = r.create({ visits: hs.map(h => h.url) })
        devs.push({ r, hs: [...hs, ix], ix })
      }
      fs.writeFileSync(STATE, JSON.stringify({ index: devs.map(x => x.ix.url), urls }))
    },
    async go() {
      const ps = devs.flatMap(x => x.hs.map(acked))
      for (const x of devs) x.r.networkSubsystem.addNetworkAdapter(net())
      await Promise.all(ps)
      return { acked: ps.length - D }
    },
  },
  hq: {
    async go() {
      repo = new Repo({ network: [net()] })
      await peer(repo)
      const want = D * V
      const get = async u => {
        for (let k = 0; k < +(process.env.TRIES || 10); k++) {
          try {
            return await repo.find(u)
          } catch {
            try {
              await repo.removeFromCache(u.replace('automerge:', ''))
            } catch {}
            await new Promise(r => setTimeout(r, 1000))
          }
        }
        return null
      }
      const many = async us => {
        const out = []
        for (let i = 0; i < us.length; i += 100) out.push(...(await Promise.all(us.slice(i, i + 100).map(get))))
        return out.filter(Boolean)
      } // 100 at a time
      const idx = await many(st().index)
      const urls = idx.flatMap(h => [...(h.doc()?.visits ?? [])])
      const hs = await many(urls.length === want ? urls : st().urls) // after kill -9 an index may be lost: ask for every visit by its url
      return hs.filter(h => h.doc()?.id).map(plain)
    },
  },
  catchup: {
    async prepare() {
      repo = new Repo({ network: [] })
      adapter = net()
      repo.networkSubsystem.addNetworkAdapter(adapter)
      await peer(repo)
      handles = await loadAll()
      await new Promise(r => setTimeout(r, 2000))
      adapter.disconnect()
    },
    async go(rep) {
      const c = changes(D, V, N, rep)
      const by = new Map(st().urls.map((u, i) => [u, i]))
      const hs = new Map(handles.map(h => [by.get(h.url), h]))
      const left = new Set()
      const p = new Promise(res => {
        for (const x of c) {
          const h = hs.get(x.i)
          const ok = () => {
            const d = h.doc()
            return d.rev === x.set.rev && d.score === x.set.score
          }
          if (ok()) continue
          left.add(x.i)
          const f = () => {
            if (ok()) {
              h.off('change', f)
              left.delete(x.i)
              if (!left.size) res()
            }
          }
          h.on('change', f)
        }
      })
      adapter = net()
      repo.networkSubsystem.addNetworkAdapter(adapter)
      await p
      return handles.map(plain)
    },
    async offline() {
      await new Promise(r => setTimeout(r, 1500))
      adapter.disconnect()
    },
  },
  change: {
    async go(rep) {
      repo = watch(new Repo({ network: [net()] }))
      await peer(repo)
      const u = st().urls
      await Promise.all(
        changes(D, V, N, rep).map(async x => {
          const h = await repo.find(u[x.i])
          h.change(d => Object.assign(d, x.set))
          await acked(h)
        }),
      )
      return { n: N }
    },
  },
})
