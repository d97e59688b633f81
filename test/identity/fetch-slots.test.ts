import { describe, expect, it } from '@jest/globals'
import { openFetchSlots } from '../../src/identity/fetch-slots.ts'

const never = () => new Promise<string>(() => undefined)
const quick = async () => 'fetched'
const refused = expect.objectContaining({ code: 'fetches_excessive', kind: 'unavailable' })

describe('the places for fetches', () => {
  it('are shared out among hosts: one that is slow leaves room for the others', async () => {
    const slots = openFetchSlots({ clock: { now: () => 0 }, total: 3, perHost: 2, perHostPerMinute: 100 })
    for (let n = 0; n < 2; n++) void slots.run('slow', never)
    expect([slots.hasRoom('slow'), slots.hasRoom('other')]).toEqual([false, true])
    await expect(slots.run('slow', quick)).rejects.toEqual(refused)
    expect(await slots.run('other', quick)).toBe('fetched')
    void slots.run('third', never)
    await expect(slots.run('other', quick)).rejects.toEqual(refused)
  })

  it('are given back when a fetch fails', async () => {
    const slots = openFetchSlots({ clock: { now: () => 0 }, total: 1, perHost: 1, perHostPerMinute: 100 })
    const failing = slots.run('a', async () => Promise.reject(new Error('x')))
    await expect(failing).rejects.toThrow('x')
    expect(await slots.run('a', quick)).toBe('fetched')
  })

  it('are so many a minute for one host, however quick it is', async () => {
    let now = 0
    const slots = openFetchSlots({ clock: { now: () => now }, total: 10, perHost: 10, perHostPerMinute: 3 })
    for (let n = 0; n < 3; n++) await slots.run('a', quick)
    await expect(slots.run('a', quick)).rejects.toEqual(refused)
    expect(await slots.run('b', quick)).toBe('fetched')
    now = 60_000
    expect(await slots.run('a', quick)).toBe('fetched')
  })
})
