import { parseAgency } from '../../../src/config/agency.ts'

const parsed = (didcomm: string) =>
  parseAgency(`{ name: post-office, title: Post, plugins: [credentials, didcomm]${didcomm} }`, 'post-office.yml')
    .didcomm

describe('didcomm of an agency file', () => {
  it('says whether the agency keeps messages for others; without it, it does not', () => {
    expect(parsed(', didcomm: { mediator: true }')).toEqual({ mediator: true })
    expect(parsed(', didcomm: {}')).toEqual({ mediator: false })
    expect(parsed('')).toBeUndefined()
  })

  it.each([
    ['didcomm must be a mapping', 'true'],
    ['unknown key "didcomm.relay"', '{ relay: true }'],
    ['didcomm.mediator is true or false', '{ mediator: maybe }'],
  ])('is refused: %s', (sentence, value) => {
    expect(() => parsed(`, didcomm: ${value}`)).toThrow(`post-office.yml: ${sentence}`)
  })
})
