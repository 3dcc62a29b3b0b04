import { createServer } from '@triplit/server'
import { createTriplitStorageProvider } from '@triplit/server/storage'
const storage = await createTriplitStorageProvider('sqlite') // LOCAL_DATABASE_URL
const start = await createServer({ storage, jwtSecret: 'secret', projectId: 'p', verboseLogs: false })
start(+process.env.PORT)
