// automerge-repo-sync-server's src/server.js, with automerge-repo 2.5.6
process.on('unhandledRejection', e => console.error('unhandledRejection', e.message)) // without this the process dies of a 60 s internal timeout under load (seen)
import fs from 'fs'
import http from 'http'
import { WebSocketServer } from 'ws'
import { Repo } from '@automerge/automerge-repo'
import { WebSocketServerAdapter } from '@automerge/automerge-repo-network-websocket'
import { NodeFSStorageAdapter } from '@automerge/automerge-repo-storage-nodefs'
fs.mkdirSync(process.env.DATA_DIR, { recursive: true })
const wss = new WebSocketServer({ noServer: true })
const repo = new Repo({
  network: [new WebSocketServerAdapter(wss)],
  storage: new NodeFSStorageAdapter(process.env.DATA_DIR),
  peerId: 'storage-server-x',
  sharePolicy: async () => false,
})
const s = http.createServer((q, r) => r.end('ok')).listen(+process.env.PORT, '127.0.0.1')
s.on('upgrade', (q, k, h) => wss.handleUpgrade(q, k, h, w => wss.emit('connection', w, q)))
