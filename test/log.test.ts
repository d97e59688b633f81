import { setTimeout as sleep } from 'node:timers/promises'
import type { LogProof } from '../src/kernel/ports.ts'
import { parseCheckpoint, parseNote } from '../src/store/tlog-note.ts'
import { verifyLogged, verifyProof } from '../src/store/tlog-proof.ts'
import { caller, licenceFor, newHolder, type Started, startService, temporaryFolder } from './service.ts'

const agency = 'transport-authority'
const folder = temporaryFolder()
let service: Started

const get = async (path: string): Promise<{ status: number; body: Record<string, unknown> }> => {
  const response = await fetch(`${service.url}/${agency}${path}`)
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
const checkpoint = async (): Promise<string> => (await fetch(`${service.url}/${agency}/log/checkpoint`)).text()
const sizeOf = (note: string): number => parseCheckpoint(parseNote(note)?.text ?? '')?.size ?? 0

beforeAll(async () => {
  service = await startService({
    dataDir: folder.path,
    agencies: [`agents/root-authority.yml`, `agents/${agency}.yml`],
  })
  const issue = caller(service, agency)
  for (let at = 0; at < 5; at += 1)
    expect((await issue('POST', '/credentials/issue', licenceFor(newHolder().did))).status).toBe(201)
  const deadline = Date.now() + 10_000
  while (sizeOf(await checkpoint()) < 5 && Date.now() < deadline) await sleep(50)
}, 90_000)

afterAll(async () => {
  await service?.stop()
  folder.remove()
})

it('anyone checks offline that what was done stands in the log, with the verifier key alone', async () => {
  const { verifierKey } = (await get('/log')).body as { verifierKey: string }
  const size = sizeOf(await checkpoint())
  expect(size).toBeGreaterThanOrEqual(5)
  for (let index = 0; index < size; index += 1) {
    const { status, body } = await get(`/log/proof/${index}`)
    expect(status).toBe(200)
    const proof = body as unknown as LogProof
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
  ['-1', 400, undefined],
  ['01', 400, undefined],
  ['1.5', 400, undefined],
  ['9999999999999999', 404, 'not_logged'],
  ['nonsense', 400, undefined],
])('a place %s is refused with %d', async (index, status, code) => {
  const answer = await get(`/log/proof/${index}`)
  expect(answer.status).toBe(status)
  if (code !== undefined) expect(answer.body['code']).toBe(code)
})
