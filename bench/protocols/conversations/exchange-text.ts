import type { ReadExchange } from '../../score/capture-exchanges.js'

/** What was read of one protocol, without handshakes and the like. */
export const readOf = (read: readonly ReadExchange[], protocol: string): readonly ReadExchange[] =>
  read.filter(({ exchange }) => exchange.protocol === protocol && !exchange.housekeeping)

/** `METHOD path status bytes`, as the client of a web server logs it. */
export function textOf({ exchange }: ReadExchange): string {
  const { attributes, responseBodyBytes } = exchange
  const method = attributes['http.request.method_original'] ?? attributes['http.request.method']
  const status = attributes['http.response.status_code'] ?? 'unanswered'
  return `${method} ${attributes['url.path']} ${status} ${responseBodyBytes ?? 0}`
}

/** `ok`, or what the operation failed with. */
export const outcomeOf = ({ exchange }: ReadExchange): string => exchange.clientError ?? 'ok'
