const express = require('express'),
  PouchDB = require('pouchdb-node').defaults({ prefix: process.env.DATA_DIR + '/' }) // leveldb adapter
const app = express()
app.use(
  '/',
  require('express-pouchdb')(PouchDB, { mode: 'minimumForPouchDB', logPath: process.env.DATA_DIR + '/log.txt' }),
)
app.listen(+process.env.PORT, '127.0.0.1')
