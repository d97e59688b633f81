/** Values that are sent a line each. */
export type Lines<Value> = Iterable<Value> | AsyncIterable<Value>

const newline = '\n'

export const linesTo = (values: Lines<unknown>): ReadableStream<Uint8Array> => {
  const encoder = new TextEncoder()
  const iterator = Symbol.asyncIterator in values ? values[Symbol.asyncIterator]() : values[Symbol.iterator]()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next()
      if (done === true) controller.close()
      else controller.enqueue(encoder.encode(`${JSON.stringify(value)}${newline}`))
    },
    async cancel() {
      await iterator.return?.()
    },
  })
}

/** The values of a stream of lines, as they come. Leaving the loop ends the request. */
export const linesOf = async function* (body: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true })
      const lines = rest.split(newline)
      rest = done ? '' : (lines.pop() ?? '')
      for (const line of lines) if (line !== '') yield JSON.parse(line)
      if (done) return
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}
