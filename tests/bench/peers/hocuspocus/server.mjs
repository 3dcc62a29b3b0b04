import { Server } from '@hocuspocus/server'
import { SQLite } from '@hocuspocus/extension-sqlite'
// defaults: debounce 2000 ms, maxDebounce 10000 ms
const s = new Server({
  port: +process.env.PORT,
  address: '127.0.0.1',
  quiet: true,
  extensions: [new SQLite({ database: process.env.DATA_DIR + '/h.sqlite' })],
})
await s.listen()
