import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '../client/src/client.ts'
import { parseCheckpoint, parseNote } from '../src/store/tlog-note.ts'
import { verifyLogged, verifyProof } from '../src/store/tlog-proof.ts'
import { anyoneAt, refusalOf, staffOf } from './clients.ts'
import { licenceFor, newHolder, type Started, startService, temporaryFolder } from './service.ts'

const agency = 'transport-authority'
const folder = temporaryFolder()
let service: Started

let anyone: Client

const checkpoint = async (): Promise<string> => (await anyone.getLogCheckpoint()).body
const sizeOf = (note: string): number => parseCheckpoint(parseNote(note)?.text ?? '')?.size ?? 0

beforeAll(async () => {
  service = await startService({
    dataDir: folder.path,
    agencies: [`agents/root-authority.yml`, `agents/${agency}.yml`],
  })
  anyone = anyoneAt(service, agency)
  const staff = staffOf(service, agency)
  for (let at = 0; at < 5; at += 1) await staff.issueCredential({ body: licenceFor(newHolder().did) })
  const deadline = Date.now() + 10_000
  const published = () =>
    checkpoint().catch(({ status }) => (status === 404 ? '' : Promise.reject(new Error('no log'))))
  while (sizeOf(await published()) < 5 && Date.now() < deadline) await sleep(50)
}, 90_000)

afterAll(async () => {
  await service?.stop()
  folder.remove()
})

it('anyone checks offline that what was done stands in the log, with the verifier key alone', async () => {
  const { verifierKey } = (await anyone.getLog()).body
  const size = sizeOf(await checkpoint())
  expect(size).toBeGreaterThanOrEqual(5)
  for (let index = 0; index < size; index += 1) {
    const { body: proof } = await anyone.getLogProof({ params: { index: String(index) } })
    const bytes = (text: string) => Buffer.from(text, 'base64')
    const claim = {
      ...{ leaf: bytes(proof.leaf), index, path: proof.path.map(bytes) },
      ...{ checkpoint: proof.checkpoint, verifierKey },
    }
    expect(verifyLogged(claim)).toBe(true)
    expect(verifyProof(proof.text, claim.leaf, verifierKey)).toBe(true)
    expect(verifyLogged({ ...claim, index: index + 1 })).toBe(false)
    expect(proof.treeSize).toBe(sizeOf(proof.checkpoint))
  }
})

it.each([
  ['999999999', 404, 'not_logged'],
  ['-1', 400, 'parameter_invalid'],
  ['01', 400, 'parameter_invalid'],
  ['1.5', 400, 'parameter_invalid'],
  ['9999999999999999', 404, 'not_logged'],
  ['nonsense', 400, 'parameter_invalid'],
])('a place %s is refused with %d', async (index, status, code) => {
  expect(await refusalOf(anyone.getLogProof({ params: { index } }))).toMatchObject({ status, code })
})
