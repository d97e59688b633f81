import type { Row } from '../../../../kernel/ports.ts'
import type { Interest } from '../../land/encumbrances.ts'
import { titleNotRecordedThen } from '../../land/errors.ts'
import { shareOf } from '../../land/shares.ts'
import { readEntry, type Step } from '../entries.ts'
import { entryFromStep, stepAt } from '../read-entries.ts'
import type { LandDesk } from './desk.ts'
import { parcelsOf } from './parcels.ts'
import { type Owned, readTitle, type Title } from './titles.ts'

/** What `recordOf` wrote. */
type Recorded = {
  owners: { party: string; numerator: string; denominator: string }[]
  interests: Omit<Interest, 'registeredAt'>[]
}

/** @throws Refusal title_not_recorded_then */
const recordedIn = ({ detail = {} }: Step): Recorded => {
  if (!Array.isArray(detail['owners']) || !Array.isArray(detail['interests'])) throw titleNotRecordedThen()
  return detail as Recorded
}

const ownedThen = ({ party, numerator, denominator }: Recorded['owners'][number]): Owned => ({
  ...{ party, share: shareOf(BigInt(numerator), BigInt(denominator)), holder: null },
})

/** An interest keeps the time of its registration for ever, also when it has ended. */
const interestsThen = async (desk: LandDesk, title: string, recorded: Recorded['interests']): Promise<Interest[]> => {
  const sql = 'SELECT id, registered_at FROM land_interests WHERE title = ?'
  const rows = await desk.house.store.read<Row & { id: string; registered_at: number }>(sql, [title])
  const times = new Map(rows.map(({ id, registered_at }) => [id, registered_at]))
  return recorded.map(interest => {
    const registeredAt = times.get(interest.id)
    if (registeredAt === undefined) throw titleNotRecordedThen()
    return { ...interest, registeredAt }
  })
}

/**
 * A title as it stood at a moment, by the step of its history: parties, shares, and what lay on it. Its parcels are the
 * same as long as it is; others come with other titles.
 * @param at ms; undefined: as it stands.
 * @throws Refusal entry_unknown, entry_not_yet, title_not_recorded_then
 */
export const titleAt = async (desk: LandDesk, id: string, at: number | undefined, register: string): Promise<Title> => {
  const { read } = desk.house.store
  const current = await readEntry(desk, id, register)
  if (at === undefined || at >= current.changedAt) return readTitle(read, current)
  const step = await stepAt(desk, id, at)
  const { owners, interests } = recordedIn(step)
  return {
    entry: entryFromStep(step, current),
    owners: owners.map(ownedThen),
    interests: await interestsThen(desk, id, interests),
    parcels: await parcelsOf(read, id),
  }
}
