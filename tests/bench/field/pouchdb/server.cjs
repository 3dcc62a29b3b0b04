// A CouchDB-compatible server in memory, and beside it the page.
const path = require('node:path')
const express = require('express')
const PouchDB = require('pouchdb-core').plugin(require('pouchdb-adapter-memory'))
const app = express()
const here = (file) => path.join(__dirname, file)
for (const file of ['index.html', 'page.js', 'sw.js'])
  app.get(`/app/${file === 'index.html' ? '' : file}`, (_, answer) => answer.sendFile(here(file)))
app.get('/app/pouchdb.min.js', (_, answer) => answer.sendFile(require.resolve('pouchdb/dist/pouchdb.min.js')))
const Stored = PouchDB.defaults({ adapter: 'memory' })
app.use(
  '/db',
  require('express-pouchdb')(Stored, { mode: 'minimumForPouchDB', inMemoryConfig: true, logPath: process.env.LOG }),
)
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port))
