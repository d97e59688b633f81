import { openGround, type Place } from '../ground.ts'

// A process of the ledger that hands in one record and is killed: at once, or when it was answered.
const { place, now, record, when } = JSON.parse(process.argv[2] ?? '{}') as {
  place: Place
  now: number
  record: { id: string; record: string }
  when: 'before' | 'after'
}
const ground = await openGround(place)
ground.state.now = now
const answered = ground.submit(record)
if (when === 'after') await answered
process.kill(process.pid, 'SIGKILL')
