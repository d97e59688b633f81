/** What an agency refuses: its problem document (RFC 9457), or an error of OAuth (RFC 6749, section 5.2). */
export class ChanceryError extends Error {
  override name = 'ChanceryError'
  readonly status: number
  /** The name of the refusal; the README of Chancery lists them. */
  readonly code: string
  /** The whole document. */
  readonly problem: Readonly<Record<string, unknown>>

  constructor(status: number, problem: Record<string, unknown>) {
    const { code, error, detail, error_description: described } = problem
    super(String(detail ?? described ?? `the agency answered ${status}`))
    this.status = status
    this.code = String(code ?? error ?? `http_${status}`)
    this.problem = problem
  }
}

export const problemOf = async (response: Response): Promise<ChanceryError> => {
  const document = await response.json().catch(() => ({}))
  return new ChanceryError(response.status, document as Record<string, unknown>)
}
