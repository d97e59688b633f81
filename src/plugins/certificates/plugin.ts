import type { Plugin } from '../../kernel/plugin.ts'
import { entities } from './entities.ts'
import type { CertificatesNeeds } from './needs.ts'
import { routes } from './routes.ts'

/** What outsiders who know no DIDs judge an agency's signatures by: its certificates, and its keys by URL. Every agency has it. */
export const certificates: Plugin<CertificatesNeeds> = { name: 'certificates', entities, routes }
