import express from 'express'
import { openPlainLedger, type Signed } from './plain-ledger.ts'

/** The ledger as one writes it first, behind express: an API key, a list of transfers in a request, an answer. */

const {
  PLAIN_FILE: file = '',
  PLAIN_CUSTOMERS: customers = '',
  PLAIN_PORT: port = '',
  PLAIN_KEY: key = '',
} = process.env
const ledger = await openPlainLedger(file, Number(customers))
const app = express()
app.use(express.json({ limit: '1mb' }))
type Sent = Omit<Signed, 'message'> & { message: Omit<Signed['message'], 'amount'> & { amount: string } }
app.post('/transfers', async (request, response) => {
  if (request.headers.authorization !== `Bearer ${key}`) return void response.status(401).json({})
  const { transfers } = request.body as { transfers: Sent[] }
  for (const { message, ...sent } of transfers) {
    await ledger.transfer({ ...sent, message: { ...message, amount: BigInt(message.amount) } })
  }
  response.status(201).json({ ids: transfers.map(({ id }) => id) })
})
app.listen(Number(port), '127.0.0.1', () => console.log('ready'))
