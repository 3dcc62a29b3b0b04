import { createMergeableStore } from 'tinybase'
import { createWsServer } from 'tinybase/synchronizers/synchronizer-ws-server'
import { createFilePersister } from 'tinybase/persisters/persister-file'
import { WebSocketServer } from 'ws'
// the documented persisted server: one MergeableStore a path, file persister
createWsServer(new WebSocketServer({ port: +process.env.PORT, host: '127.0.0.1' }), pathId =>
  createFilePersister(
    createMergeableStore(),
    process.env.DATA_DIR + '/' + pathId.replace(/[^a-zA-Z0-9]/g, '-') + '.json',
  ),
)
