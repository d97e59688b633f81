import { generateKeyPairSync, sign } from 'node:crypto'
import { writeSync } from 'node:fs'
import { storeEntities } from '../../src/store/entities.ts'
import { journal } from '../../src/store/journal.ts'
import { openSequencer } from '../../src/store/sequencer.ts'
import { openStore } from '../../src/store/store.ts'
import { migrations, type Place } from './backends.ts'

// A process that acts without end and says what it was answered, until it is killed.
const place = JSON.parse(process.argv[2] ?? '{}') as Place
const name = process.argv[3] ?? ''
/** At once and whole, so that a kill finds it said: a pipe that is full just now is tried again. */
const say = (line: string): void => {
  for (;;) {
    try {
      writeSync(1, line)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}

const store = await openStore({ ...place, migrations, entities: storeEntities })
const clock = { now: () => Date.now() }
const { publicKey, privateKey } = generateKeyPairSync('ed25519')
openSequencer({
  store,
  clock,
  origin: 'killed.example/log',
  publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(12),
  sign: async data => sign(null, data, privateKey),
  pauseMs: 1,
  leaseMs: 200,
}).start()

let serial = 0
const caller = async (): Promise<void> => {
  for (;;) {
    serial += 1
    const id = `${name}-${serial}`
    await store.transaction(async tx => {
      tx.insert('items', [{ id, amount: 1 }])
      journal.record(tx, {
        operation: id,
        caller: { kind: 'anonymous', id: 'anonymous', credentials: [] },
        input: Buffer.alloc(32),
        authority: 'anyone',
        rules: [],
        outcome: 'done',
        at: clock.now(),
      })
    })
    say(`${id}\n`)
  }
}
await Promise.all(Array.from({ length: 32 }, caller))
