import type { Row } from '../../../../kernel/ports.ts'
import type { Desk } from '../desk.ts'

/** A programme whose sums are not what is on its accounts. */
export type ProgrammeDifference = { where: string; what: string; stored: string; folded: string }

type DifferenceRow = Row & { id: string; stored: string; total: string }

/**
 * What came into the accounts of each programme less what left them, against what is on them, in one statement and so
 * of one moment.
 * @returns at most `most`
 */
export const purposeDifferences = async (
  { house }: Pick<Desk, 'house'>,
  most: number,
): Promise<ProgrammeDifference[]> => {
  const sql = `SELECT id, cast(stored AS TEXT) AS stored, cast(total AS TEXT) AS total
    FROM (SELECT g.id, g.granted + g.refunded - g.spent - g.returned - g.taken AS stored,
        (SELECT coalesce(sum(a.credits_posted - a.debits_posted), 0) FROM cbdc_purpose_accounts p
         JOIN cbdc_accounts a ON a.number = p.account WHERE p.programme = g.id) AS total
      FROM cbdc_programmes g) s
    WHERE stored <> total ORDER BY id LIMIT ?`
  const rows = await house.store.read<DifferenceRow>(sql, [most])
  return rows.map(({ id, stored, total }) => ({
    ...{ where: `programme ${id}`, what: 'held on its accounts', stored, folded: total },
  }))
}
